//! Why results cannot be stored.

use std::io;
use std::path::PathBuf;

use crate::exit::{Exit, Failure};
use crate::spool::folder::SpoolError;
use crate::store::StoreError;

/// Why results cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A folder or file of this machine.
    #[error("cannot write results to {}: {cause}", path.display())]
    Local {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The folder for temporary files.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Another parfetch writes results of the same name into the same folder.
    #[error("another parfetch is writing {stem} to {}", dir.display())]
    Busy {
        /// Folder.
        dir: PathBuf,
        /// Name of the results.
        stem: String,
    },
    /// `--no-overwrite`, and there are results of this name.
    #[error("there are results called {0} already")]
    Exists(String),
    /// The results bucket said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PlaceError {
    /// What to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Local { .. } | Self::Spool(_) => Some(SpoolError::HINT.to_owned()),
            Self::Busy { .. } => Some("wait for it, or choose another --tag or --out".to_owned()),
            Self::Exists(_) => Some("choose another --tag, or leave --no-overwrite out".to_owned()),
            Self::Store(error) => error.hint.clone(),
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
