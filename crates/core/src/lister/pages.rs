//! Where pages of a listing come from.

use crate::store::{Bucket, ListPage, PageQuery, Pager, StoreError, StoreErrorKind};

/// Where pages come from.
pub trait PageSource {
    /// A stream of them.
    type Pages: Pages;

    /// The first page of a listing: finds out whether there is a bucket, and where.
    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError>;

    /// Stream `number`, once a first page has come.
    async fn pages(&mut self, number: u32) -> Result<Self::Pages, StoreError>;

    /// Whether the store is one that lists in the order of the keys' bytes, as far as its name tells.
    fn lists_in_order(&self) -> bool;
}

/// A stream of pages.
pub trait Pages {
    /// One page.
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError>;
}

impl PageSource for Bucket {
    type Pages = Pager;

    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.list_page(query).await
    }

    async fn pages(&mut self, number: u32) -> Result<Pager, StoreError> {
        self.pager(number).await
    }

    fn lists_in_order(&self) -> bool {
        self.lists_in_order()
    }
}

impl Pages for Pager {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.page(query).await
    }
}

/// Whether an error may say that the store does not know the request.
pub(super) fn is_refusal(error: &StoreError) -> bool {
    matches!(
        error.kind,
        StoreErrorKind::NotImplemented | StoreErrorKind::Other | StoreErrorKind::Protocol
    )
}
