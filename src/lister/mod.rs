//! Every key of the run, into the key file: from all pages of the bucket, from a key file, or from an S3 Inventory.
//!
//! Owns which keys are taken (prefix, shard, limit) and that none is taken twice. Fetches nothing.

mod inventory;
mod keyfile;
mod pick;

use std::io;
use std::path::Path;

use crate::plan::{KeySource, Selection};
use crate::results::keys::KeyWriter;
use crate::store::{Bucket, ListPage, StoreError};

pub use keyfile::{KeyFileWriter, sha256_hex};
use pick::Picker;

/// What was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Keys taken.
    pub keys: u64,
    /// Their sizes added up; `None` when a size is not known.
    pub bytes: Option<u64>,
    /// Of them in an archived storage class.
    pub archived: u64,
    /// Pages asked for.
    pub pages: u64,
    /// The key file had no checksum line.
    pub unchecked: bool,
}

/// Why the keys could not be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A listing or key file that cannot be right: what is wrong, and what to try.
    #[error("{0}")]
    Wrong(String, &'static str),
    /// The spool file cannot be written.
    #[error("cannot write the key spool file: {0}")]
    Spool(io::Error),
}

/// What to try when a listing cannot be right.
const LISTING_HINT: &str = "such a listing cannot be trusted: check that the endpoint is one of S3";

impl ListError {
    /// Says where the wrong thing is.
    fn within(self, place: &str, hint: &'static str) -> Self {
        match self {
            Self::Wrong(what, _) => Self::Wrong(format!("{place}: {what}"), hint),
            other => other,
        }
    }
}

/// Where pages come from.
#[expect(async_fn_in_trait, reason = "listing stays on the run's thread")]
pub trait Pages {
    /// One page of the keys that begin with `prefix`, after `token`.
    async fn page(&mut self, prefix: &str, token: Option<&str>) -> Result<ListPage, StoreError>;
}

impl Pages for Bucket {
    async fn page(&mut self, prefix: &str, token: Option<&str>) -> Result<ListPage, StoreError> {
        self.list_page(prefix, token).await
    }
}

/// Takes the selected keys into a key file in `spool`. `progress` hears how many there are, after every page.
pub async fn list(bucket: &mut Bucket, selection: &Selection, spool: &Path, mut progress: impl FnMut(u64)) -> Result<Listed, ListError> {
    let writer = KeyWriter::create(spool).map_err(ListError::Spool)?;
    let mut picker = Picker::new(selection, writer, spool);
    match &selection.source {
        KeySource::Listing => {
            let listed = pages(bucket, &selection.prefix, (&mut picker, &mut progress)).await;
            listed.map_err(|error| error.within(&format!("cannot list {}", bucket.uri(&selection.prefix)), LISTING_HINT))?;
        }
        KeySource::File(path) => keyfile::read(path, &mut picker)?,
        KeySource::Object(uri) => {
            let mut holder = Bucket::new(bucket.session(), &uri.bucket);
            if uri.key.ends_with("manifest.json") {
                inventory::read(&mut holder, &uri.key, (spool, bucket.name()), &mut picker).await?;
            } else {
                let path = spool.join("keys.tsv");
                holder.read_to_file(&uri.key, &path).await?;
                keyfile::read(&path, &mut picker)?;
            }
        }
    }
    if selection.source != KeySource::Listing {
        // Nothing has been asked of the bucket yet: is it there, and where?
        bucket.probe().await?;
    }
    picker.finish()
}

/// Every page. A truncated page without a token, or with one that was there before, would end or never end the listing: both are errors.
async fn pages<P: Pages>(pages: &mut P, prefix: &str, (picker, progress): (&mut Picker, &mut impl FnMut(u64))) -> Result<(), ListError> {
    let mut token: Option<String> = None;
    loop {
        let page = pages.page(prefix, token.as_deref()).await?;
        picker.listed.pages += 1;
        for record in &page.keys {
            if !picker.take(record)? {
                return Ok(());
            }
        }
        progress(picker.listed.keys);
        if !page.truncated {
            return Ok(());
        }
        let next = page.next.filter(|next| !next.is_empty());
        match next {
            None => return Err(ListError::Wrong(format!("page {} is truncated and has no continuation token", picker.listed.pages), LISTING_HINT)),
            // Tokens are opaque, but the same one twice running asks for the same page for ever; a longer circle repeats keys, which is noticed too.
            Some(next) if token.as_ref() == Some(&next) => {
                return Err(ListError::Wrong(format!("page {} repeats its continuation token", picker.listed.pages), LISTING_HINT));
            }
            next => token = next,
        }
    }
}

#[cfg(test)]
mod tests;
