//! What is needed to say in a results place how a run ended, when nothing else of the run is left.

use std::path::PathBuf;

use crate::results::files::write_or_overwrite;
use crate::store::{Bucket, Replace};

/// What a run without rows says beside earlier results.
pub const EARLIER_STAY: &str = "there are no rows: the earlier results stay";

/// A place that was proved: what is needed to say there how a run ended, when nothing else of it is left.
#[derive(Debug)]
pub struct Proved {
    pub(super) here: Option<PathBuf>,
    pub(super) remote: Option<(Bucket, String)>,
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
}
