//! Where a run's results go: files on this machine first, then the results bucket.
//!
//! Proves before anything is listed that the place can be written, by storing the summary with `"state": "running"`; never loses a result: what
//! cannot be stored in the bucket stays on this machine. Results of an earlier run keep their name until this run has rows of its own. Knows only the
//! results bucket.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

mod proved;

pub use super::error::PlaceError;
pub use proved::{EARLIER_STAY, Proved};

use super::files::{CsvFile, open_lock, write_or_overwrite};
use crate::plan::Destination;
use crate::platform::disk;
use crate::spool::folder::temporary_folder;
use crate::store::{Bucket, Replace, StoreError, StoreErrorKind};

/// Ending of a summary that has no rows beside it, where results of an earlier run have the name.
const UNFINISHED: &str = ".unfinished.json";

/// The name that the summary of a run gets once it has rows, if this is the one that it has before.
pub fn finished_name(name: &str) -> Option<String> {
    Some(format!("{}.json", name.strip_suffix(UNFINISHED)?))
}

/// The place of one run's results.
#[derive(Debug)]
pub struct ResultsPlace {
    dir: PathBuf,
    stem: String,
    /// The folder when it is a temporary one: gone with the results once they are in the bucket.
    temporary: Option<TempDir>,
    /// The file stays when the lock goes: were it removed, two others could each lock a file of this name.
    _lock: Option<File>,
    remote: Option<(Bucket, String)>,
    replace: Replace,
    earlier: Earlier,
    /// This run has rows, and so takes the name.
    has_rows: bool,
    /// The summary in `--out`, when that does not get the results.
    left: Option<PathBuf>,
    /// Why `--out` did not get the results, when it did not.
    unmet: Option<String>,
    /// The folders that were made for this, the deepest first.
    made: Vec<PathBuf>,
}

/// Where an earlier run has left results of the same name: they stay until this run has rows of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Earlier {
    here: bool,
    remote: bool,
}

impl ResultsPlace {
    /// Takes the place and proves that it can be written. Warnings say what will be replaced.
    pub async fn prepare(
        to: &Destination,
        stem: &str,
        remote: Option<Bucket>,
        running: &str,
    ) -> Result<(Self, Vec<String>), PlaceError> {
        let replace = if to.no_overwrite {
            Replace::No
        } else {
            Replace::Yes
        };
        let remote = remote.map(|bucket| (bucket, to.prefix.clone()));
        let mut warnings = Vec::new();
        let mut place = match &to.out {
            Some(dir) => Self::in_folder(dir, stem, (replace, remote), &mut warnings)?,
            None => Self::temporary(to.spool_dir.as_deref(), stem, (replace, remote))?,
        };
        // The bucket first: until it has said yes, what an earlier run left on this machine stays as it is.
        place.prove_remote(running, &mut warnings).await?;
        place.write_json(running)?;
        Ok((place, warnings))
    }

    fn new(
        dir: PathBuf,
        stem: &str,
        (replace, remote): (Replace, Option<(Bucket, String)>),
    ) -> Self {
        Self {
            dir,
            stem: stem.to_owned(),
            temporary: None,
            _lock: None,
            remote,
            replace,
            earlier: Earlier::default(),
            has_rows: false,
            left: None,
            unmet: None,
            made: Vec::new(),
        }
    }

    fn in_folder(
        dir: &Path,
        stem: &str,
        to: (Replace, Option<(Bucket, String)>),
        warnings: &mut Vec<String>,
    ) -> Result<Self, PlaceError> {
        let made = disk::missing(dir);
        fs::create_dir_all(dir).map_err(|cause| PlaceError::Local {
            path: dir.to_owned(),
            cause,
        })?;
        let path = dir.join(format!(".{stem}.lock"));
        let lock = open_lock(&path).map_err(|cause| PlaceError::Local {
            path: dir.to_owned(),
            cause,
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PlaceError::Busy {
                    dir: dir.to_owned(),
                    stem: stem.to_owned(),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(PlaceError::Local { path, cause }),
        }
        let replace = to.0;
        let mut place = Self {
            _lock: Some(lock),
            made,
            ..Self::new(dir.to_owned(), stem, to)
        };
        let old: Vec<_> = [place.csv_path(), place.json_path()]
            .into_iter()
            .filter(|path| path.exists())
            .collect();
        if let Some(first) = old.first() {
            if replace == Replace::No {
                return Err(PlaceError::Exists(first.display().to_string()));
            }
            warnings.push(format!(
                "results of an earlier run will be replaced: {}",
                first.display()
            ));
            place.earlier.here = true;
        }
        Ok(place)
    }

    fn temporary(
        parent: Option<&Path>,
        stem: &str,
        to: (Replace, Option<(Bucket, String)>),
    ) -> Result<Self, PlaceError> {
        let dir = temporary_folder(parent, KEPT)?;
        let place = Self::new(dir_of(&dir), stem, to);
        Ok(Self {
            temporary: Some(dir),
            ..place
        })
    }

    /// Stores the running summary in the bucket, without replacing first: the answer says whether there was one, also to credentials that may only
    /// write. The study's own program leaves a CSV alone; whether there is one can only be asked.
    async fn prove_remote(
        &mut self,
        running: &str,
        warnings: &mut Vec<String>,
    ) -> Result<(), PlaceError> {
        let (csv, json, replace) = (self.key(".csv"), self.key(".json"), self.replace);
        let unfinished = self.key(UNFINISHED);
        let Some((bucket, _)) = &mut self.remote else {
            return Ok(());
        };
        let bytes = running.as_bytes().to_vec();
        let name = |bucket: &Bucket, key: &str| format!("s3://{}/{key}", bucket.name());
        // Before anything is stored, when nothing may be replaced.
        if replace == Replace::No && bucket.exists(&csv).await? == Some(true) {
            return Err(PlaceError::Exists(name(bucket, &csv)));
        }
        let there = match bucket.store(&json, bytes.clone(), Replace::No).await {
            Ok(()) if replace == Replace::Yes && bucket.exists(&csv).await? == Some(true) => {
                warnings.push(format!(
                    "results of an earlier run will be replaced: {}",
                    name(bucket, &csv)
                ));
                return Ok(());
            }
            Ok(()) => return Ok(()),
            Err(error) if error.kind == StoreErrorKind::Exists => name(bucket, &json),
            // A store that does not know If-None-Match: then it must do without, unless that was promised.
            Err(error)
                if error.kind == StoreErrorKind::NotImplemented && replace == Replace::Yes =>
            {
                match bucket.exists(&json).await? {
                    Some(false) => return Ok(bucket.store(&json, bytes, Replace::Yes).await?),
                    Some(true) | None => name(bucket, &json),
                }
            }
            Err(error) => return Err(error.into()),
        };
        if replace == Replace::No {
            return Err(PlaceError::Exists(there));
        }
        warnings.push(format!(
            "results of an earlier run will be replaced: {there}"
        ));
        bucket.store(&unfinished, bytes, Replace::Yes).await?;
        self.earlier.remote = true;
        Ok(())
    }

    fn key(&self, ending: &str) -> String {
        let prefix = self.remote.as_ref().map_or("", |(_, prefix)| prefix);
        format!("{prefix}{}{ending}", self.stem)
    }

    /// Requests so far that stored something in the results bucket.
    pub fn puts(&self) -> u64 {
        self.remote.as_ref().map_or(0, |(bucket, _)| bucket.puts())
    }

    /// Whether results go to a bucket.
    pub fn is_stored(&self) -> bool {
        self.remote.is_some()
    }

    /// Where the results are written on this machine.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// The timing CSV on this machine.
    pub fn csv_path(&self) -> PathBuf {
        self.dir.join(format!("{}.csv", self.stem))
    }

    /// The summary on this machine: beside that of an earlier run as long as this one has no rows.
    pub fn json_path(&self) -> PathBuf {
        self.dir.join(format!(
            "{}{}",
            self.stem,
            self.json_ending(|earlier| earlier.here)
        ))
    }

    /// The summary in the bucket, likewise.
    fn remote_json_key(&self) -> String {
        self.key(self.json_ending(|earlier| earlier.remote))
    }

    fn json_ending(&self, is_taken: fn(&Earlier) -> bool) -> &'static str {
        if is_taken(&self.earlier) && !self.has_rows {
            UNFINISHED
        } else {
            ".json"
        }
    }

    /// What is needed to say here how the run ended, whatever becomes of this.
    pub fn proved(&self) -> Proved {
        let remote = self.remote.as_ref();
        Proved {
            here: self.temporary.is_none().then(|| self.json_path()),
            remote: remote.map(|(bucket, _)| (bucket.clone(), self.remote_json_key())),
            lock: self.dir.join(format!(".{}.lock", self.stem)),
            made: self.made.clone(),
        }
    }

    /// Region of the bucket, known since the place was proved.
    pub fn region(&self) -> Option<&str> {
        self.remote
            .as_ref()
            .map(|(bucket, _)| bucket.session().region())
    }

    /// The run has rows, and so takes the name from an earlier one.
    pub fn take_name(&mut self) {
        self.has_rows = true;
    }

    /// Whether an earlier run's results stay because this one has no rows.
    pub fn leaves_earlier(&self) -> bool {
        !self.has_rows && (self.earlier.here || self.earlier.remote)
    }

    /// Where the summary stands then.
    pub fn unfinished(&self) -> String {
        match &self.remote {
            Some((bucket, _)) if self.earlier.remote => bucket.uri(&self.key(UNFINISHED)),
            _ => self.json_path().display().to_string(),
        }
    }

    /// Writes the summary, whole or not at all. Where the folder takes no new file, the one that says «running» is written over.
    pub fn write_json(&self, text: &str) -> Result<(), PlaceError> {
        let path = self.json_path();
        write_or_overwrite(&path, text).map_err(|cause| PlaceError::Local { path, cause })?;
        if let Some(left) = &self.left {
            // The one that counts is written.
            let _still_running = write_or_overwrite(left, text);
        }
        if self.has_rows && self.temporary.is_none() {
            let _not_there = fs::remove_file(self.dir.join(format!("{}{UNFINISHED}", self.stem)));
        }
        Ok(())
    }

    /// Where the CSV is written.
    pub fn csv_file(&self) -> CsvFile {
        CsvFile::new(self.csv_path())
    }

    /// Stores the CSV in the results bucket, if there is one.
    pub async fn upload_csv(&self) -> Result<(), StoreError> {
        // A copy: both files may be on their way at once. The bucket's region is known since the place was proved.
        let Some((mut bucket, _)) = self.remote.clone().filter(|_| !self.leaves_earlier()) else {
            return Ok(());
        };
        bucket
            .store_file(&self.key(".csv"), &self.csv_path(), self.replace)
            .await
    }

    /// Stores the summary in the results bucket, in place of the running one.
    pub async fn upload_json(&self, text: &str) -> Result<(), StoreError> {
        let Some((mut bucket, _)) = self.remote.clone() else {
            return Ok(());
        };
        bucket
            .store(
                &self.remote_json_key(),
                text.as_bytes().to_vec(),
                Replace::Yes,
            )
            .await?;
        if self.has_rows && self.earlier.remote {
            // Readers know that it is of this run: whoever may only write leaves it.
            let _left_behind = bucket.remove(&self.key(UNFINISHED)).await;
        }
        Ok(())
    }

    /// `--out` does not take the results: they go to a temporary folder in `parent`, which [`Self::keep`] keeps. `None` when they were there already,
    /// or it does not exist.
    pub fn fall_back(&mut self, parent: Option<&Path>, why: &str) -> Option<PathBuf> {
        if self.temporary.is_some() {
            return None;
        }
        let folder = temporary_folder(parent, KEPT).ok()?;
        self.left = Some(self.json_path());
        self.earlier.here = false;
        self.dir = dir_of(&folder);
        self.temporary = Some(folder);
        self.unmet = Some(why.to_owned());
        Some(self.dir.clone())
    }

    /// Why the results are in no place that was asked for: they are neither in `--out` nor in a bucket.
    pub fn unmet(&self) -> Option<String> {
        self.unmet.clone().filter(|_| self.remote.is_none())
    }

    /// The results are not stored: the files stay. The folder in which they are.
    pub fn keep(mut self) -> PathBuf {
        match self.temporary.take() {
            Some(temporary) => temporary.keep(),
            None => self.dir.clone(),
        }
    }

    /// Where kept files belong: `s3://bucket/prefix`.
    pub fn target(&self) -> Option<String> {
        self.remote.as_ref().map(|(bucket, prefix)| {
            format!("s3://{}/{prefix}", bucket.name())
                .trim_end_matches('/')
                .to_owned()
        })
    }
}

/// What a temporary folder's name begins with in which results may stay.
const KEPT: &str = "parfetch-";

fn dir_of(folder: &TempDir) -> PathBuf {
    folder.path().to_owned()
}

#[cfg(test)]
mod tests;
