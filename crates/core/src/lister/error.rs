//! Why keys could not be listed.

use std::io;

use crate::exit::{Exit, Failure};
use crate::spool::folder::spool_failure;
use crate::store::{BadListing, StoreError};

/// What to try when the keys of a listing cannot be right.
pub(super) const LISTING_HINT: &str =
    "such a listing cannot be trusted: check that the endpoint is one of S3";

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

impl From<BadListing> for ListError {
    fn from(bad: BadListing) -> Self {
        Self::Wrong(bad.what, bad.hint)
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Store(error) => error.into(),
            ListError::Spool(error) => spool_failure(&error),
            ListError::Wrong(message, hint) => Self::new(Exit::SetUp, message).hint(hint),
        }
    }
}

impl ListError {
    /// Says where the wrong thing is; `hint` is for what has none.
    pub(super) fn within(self, place: &str, hint: &'static str) -> Self {
        match self {
            Self::Wrong(what, own) => Self::Wrong(
                format!("{place}: {what}"),
                if own.is_empty() { hint } else { own },
            ),
            other => other,
        }
    }
}

/// Why many streams cannot go on.
#[derive(Debug)]
pub(super) enum StreamError {
    /// The store does not list in the order of the keys' bytes, or not behind a key that it is given.
    Order,
    /// Nothing can.
    Listing(ListError),
}

impl From<ListError> for StreamError {
    fn from(error: ListError) -> Self {
        Self::Listing(error)
    }
}
