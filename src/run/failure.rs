//! What the parts of a run say went wrong, as the failure that ends it.

use crate::engine::EngineError;
use crate::exit::{Exit, Failure};
use crate::lister::ListError;
use crate::results::place::PlaceError;
use crate::store::StoreError;

pub(super) fn spool_failure(error: &std::io::Error) -> Failure {
    Failure::new(Exit::SetUp, format!("cannot use the spool folder: {error}"))
        .hint("name a folder with room in --spool-dir")
}

pub(super) fn engine_failure(error: EngineError) -> Failure {
    match error {
        EngineError::Client(error) => error.into(),
        EngineError::StoreGone => {
            Failure::new(Exit::FetchesFailed, EngineError::StoreGone.to_string())
                .hint("the rest was not attempted; run again once it answers")
        }
        error @ EngineError::Spool(_) => Failure::new(Exit::Unexpected, error.to_string())
            .hint("nothing else may change files in --spool-dir during a run"),
        error @ EngineError::System { .. } => Failure::new(Exit::SetUp, error.to_string())
            .hint("a smaller CONCURRENCY needs fewer threads, processes and files"),
        error => Failure::new(Exit::Unexpected, error.to_string()),
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            exit: Exit::SetUp,
            message: error.message,
            hint: error.hint,
        }
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        Self {
            exit: Exit::SetUp,
            hint: error.hint(),
            message: error.to_string(),
        }
    }
}
