//! Why the workers of a run could not do their job.

use std::io;

use crate::exit::{Exit, Failure};
use crate::store::StoreError;

/// Why the workers could not do their job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A worker could not make its client.
    #[error(transparent)]
    Client(#[from] StoreError),
    /// What to fetch could not be read from disk.
    #[error("cannot read the spool file of what to fetch: {0}")]
    Spool(io::Error),
    /// A thread or process could not be started, or ended in a way of its own.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The store answers nobody any more.
    #[error(
        "the store is gone: nobody got a byte or an answer for a long time, while fetches failed"
    )]
    StoreGone,
    /// Every child is dead.
    #[error("every child process died; the last: {0}")]
    ChildrenDied(String),
}

impl EngineError {
    pub(super) fn system(what: impl Into<String>, cause: io::Error) -> Self {
        Self::System {
            what: what.into(),
            cause,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Client(error) => error.into(),
            EngineError::StoreGone => {
                Self::new(Exit::FetchesFailed, EngineError::StoreGone.to_string())
                    .hint("the rest was not attempted; run again once it answers")
            }
            error @ EngineError::Spool(_) => Self::new(Exit::Unexpected, error.to_string())
                .hint("nothing else may change files in --spool-dir during a run"),
            error @ EngineError::System { .. } => Self::new(Exit::SetUp, error.to_string())
                .hint("a smaller CONCURRENCY needs fewer threads, processes and files"),
            error => Self::new(Exit::Unexpected, error.to_string()),
        }
    }
}
