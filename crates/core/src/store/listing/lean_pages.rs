//! Connections of the `lean` client for the pages of one bucket.

use std::sync::Arc;

use crate::plan::Limits;
use crate::store::credentials::CredentialFeed;
use crate::store::error::StoreError;
use crate::store::lean::{Dialer, LeanClient};
use crate::store::recipe::S3Recipe;

/// Makes the askers that share a bucket's addresses and certificate authorities.
#[derive(Clone, Debug)]
pub(in crate::store) struct LeanPages {
    recipe: Arc<S3Recipe>,
    dialer: Arc<Dialer>,
    feed: Option<CredentialFeed>,
}

impl LeanPages {
    pub(in crate::store) fn new(
        recipe: S3Recipe,
        feed: Option<CredentialFeed>,
    ) -> Result<Self, StoreError> {
        let dialer = Dialer::new(
            &recipe.endpoint,
            recipe.limits.connect_timeout,
            recipe.access.ca_bundle.as_deref(),
        )?;
        Ok(Self {
            recipe: Arc::new(recipe),
            dialer: Arc::new(dialer),
            feed,
        })
    }

    /// The client of asker `number`. Opens no connection yet.
    pub(in crate::store) fn client(&self, number: u32) -> LeanClient {
        LeanClient::signing(
            Arc::clone(&self.dialer),
            &self.recipe,
            self.feed.clone(),
            number,
        )
    }

    pub(in crate::store) fn limits(&self) -> Limits {
        self.recipe.limits
    }
}
