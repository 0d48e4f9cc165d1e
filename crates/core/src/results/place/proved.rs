//! What is needed to say in a results place how a run ended, when nothing else of the run is left.

use std::fs;
use std::path::PathBuf;

use crate::results::files::write_or_overwrite;
use crate::store::{Bucket, Replace, StoreError};

/// What a run without rows says beside earlier results.
pub const EARLIER_STAY: &str = "there are no rows: the earlier results stay";

/// A place that was proved: what is needed to say there how a run ended, when nothing else of it is left.
#[derive(Debug)]
pub struct Proved {
    pub(super) here: Option<PathBuf>,
    pub(super) remote: Option<(Bucket, String)>,
    /// On this machine.
    pub(super) lock: PathBuf,
    /// The folders that were made for this, the deepest first.
    pub(super) made: Vec<PathBuf>,
}

impl Proved {
    /// Puts a summary in place of the one that says «running».
    ///
    /// # Errors
    /// What could not be written, in words.
    pub async fn replace(self, text: &str) -> Result<(), String> {
        let here = self.here.map_or(Ok(()), |path| {
            write_or_overwrite(&path, text).map_err(|error| format!("{}: {error}", path.display()))
        });
        let remote = match self.remote {
            Some((mut bucket, key)) => bucket
                .store(&key, text.as_bytes().to_vec(), Replace::Yes)
                .await
                .map_err(|error| error.to_string()),
            None => Ok(()),
        };
        here.and(remote)
    }

    /// Removes from the bucket what proved this place, for whoever stores nothing else there.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove(self) -> Result<(), StoreError> {
        match self.remote {
            Some((bucket, key)) => bucket.remove(&key).await,
            None => Ok(()),
        }
    }

    /// The run ended before it listed anything. Where results stay on this machine, its error says all of it: what proved the place goes, with what was made
    /// for it. In a bucket a summary has to say it, as nobody may see the error: then nothing is done. True when it is gone.
    pub fn unmake(self) -> bool {
        let Some(here) = self.here.filter(|_| self.remote.is_none()) else {
            return false;
        };
        let _gone = fs::remove_file(here);
        if !self.made.is_empty() {
            let _gone = fs::remove_file(self.lock);
        }
        for made in self.made {
            // Somebody else may use it by now.
            let _used = fs::remove_dir(made);
        }
        true
    }
}
