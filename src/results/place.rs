//! Where a run's results go: files on this machine first, then the results bucket.
//!
//! Proves before anything is listed that the place can be written, by storing the summary with `"state": "running"`; never loses a result: what
//! cannot be stored in the bucket stays on this machine. Results of an earlier run keep their name until this run has rows of its own. Knows only the
//! results bucket.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::files::{CsvFile, open_lock, whole_or_in_place};
use crate::exit::{Exit, Failure};
use crate::plan::Destination;
use crate::spool::folder::{SpoolError, temporary_folder};
use crate::store::{Bucket, Replace, StoreError, StoreErrorKind};

/// Why results cannot be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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

/// Ending of a summary that has no rows beside it, where results of an earlier run have the name.
const UNFINISHED: &str = ".unfinished.json";

/// The name that the summary of a run gets once it has rows, if this is the one that it has before.
pub fn finished_name(name: &str) -> Option<String> {
    Some(format!("{}.json", name.strip_suffix(UNFINISHED)?))
}

/// The place of one run's results.
#[derive(Debug)]
pub struct Place {
    dir: PathBuf,
    stem: String,
    /// The folder when it is a passing one: gone with the results once they are in the bucket.
    passing: Option<TempDir>,
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
}

/// Where an earlier run has left results of the same name: they stay until this run has rows of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Earlier {
    here: bool,
    remote: bool,
}

/// A place that was proved: what is needed to say there how a run ended, when nothing else of it is left.
#[derive(Debug)]
pub struct Proved {
    here: Option<PathBuf>,
    remote: Option<(Bucket, String)>,
}

impl Proved {
    /// Puts a summary in place of the one that says «running».
    ///
    /// # Errors
    /// What could not be written, in words.
    pub async fn replace(self, text: &str) -> Result<(), String> {
        let here = self.here.map_or(Ok(()), |path| {
            whole_or_in_place(&path, text).map_err(|error| format!("{}: {error}", path.display()))
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

impl Place {
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
            None => Self::passing(to.spool_dir.as_deref(), stem, (replace, remote))?,
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
            passing: None,
            _lock: None,
            remote,
            replace,
            earlier: Earlier::default(),
            has_rows: false,
            left: None,
            unmet: None,
        }
    }

    fn in_folder(
        dir: &Path,
        stem: &str,
        to: (Replace, Option<(Bucket, String)>),
        warnings: &mut Vec<String>,
    ) -> Result<Self, PlaceError> {
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
                "results of an earlier run are replaced: {}",
                first.display()
            ));
            place.earlier.here = true;
        }
        Ok(place)
    }

    fn passing(
        parent: Option<&Path>,
        stem: &str,
        to: (Replace, Option<(Bucket, String)>),
    ) -> Result<Self, PlaceError> {
        let dir = temporary_folder(parent, KEPT)?;
        let place = Self::new(dir_of(&dir), stem, to);
        Ok(Self {
            passing: Some(dir),
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
                    "results of an earlier run are replaced: {}",
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
        warnings.push(format!("results of an earlier run are replaced: {there}"));
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
            self.json_ending(self.earlier.here)
        ))
    }

    fn json_ending(&self, is_taken: bool) -> &'static str {
        if is_taken && !self.has_rows {
            UNFINISHED
        } else {
            ".json"
        }
    }

    /// What is needed to say here how the run ended, whatever becomes of this.
    pub fn proved(&self) -> Proved {
        let remote = self.remote.as_ref().map(|(bucket, _)| {
            (
                bucket.clone(),
                self.key(self.json_ending(self.earlier.remote)),
            )
        });
        Proved {
            here: self.passing.is_none().then(|| self.json_path()),
            remote,
        }
    }

    /// Removes from the bucket what proved this place, for whoever stores nothing else there.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove_proof(&self) -> Result<(), StoreError> {
        let Some((bucket, _)) = &self.remote else {
            return Ok(());
        };
        bucket
            .remove(&self.key(self.json_ending(self.earlier.remote)))
            .await
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
        whole_or_in_place(&path, text).map_err(|cause| PlaceError::Local { path, cause })?;
        if let Some(left) = &self.left {
            // The one that counts is written.
            let _still_running = whole_or_in_place(left, text);
        }
        if self.has_rows && self.passing.is_none() {
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
                &self.key(self.json_ending(self.earlier.remote)),
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

    /// `--out` does not take the results: they go to a passing folder in `parent`, which [`Self::keep`] keeps. `None` when they were there already,
    /// or it does not exist.
    pub fn fall_back(&mut self, parent: Option<&Path>, why: &str) -> Option<PathBuf> {
        if self.passing.is_some() {
            return None;
        }
        let folder = temporary_folder(parent, KEPT).ok()?;
        self.left = Some(self.json_path());
        self.earlier.here = false;
        self.dir = dir_of(&folder);
        self.passing = Some(folder);
        self.unmet = Some(why.to_owned());
        Some(self.dir.clone())
    }

    /// Why the results are in no place that was asked for: they are neither in `--out` nor in a bucket.
    pub fn unmet(&self) -> Option<String> {
        self.unmet.clone().filter(|_| self.remote.is_none())
    }

    /// The results are not stored: the files stay. The folder in which they are.
    pub fn keep(mut self) -> PathBuf {
        match self.passing.take() {
            Some(passing) => passing.keep(),
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

/// What a passing folder's name begins with in which results may stay.
const KEPT: &str = "parfetch-";

fn dir_of(folder: &TempDir) -> PathBuf {
    folder.path().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn to(dir: &Path) -> Destination {
        Destination {
            bucket: None,
            prefix: String::new(),
            out: Some(dir.to_owned()),
            spool_dir: None,
            no_overwrite: false,
        }
    }

    #[tokio::test]
    async fn a_second_writer_is_turned_away_and_the_lock_goes_with_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let (place, warnings) = Place::prepare(&to(dir.path()), "result_x", None, "{}")
            .await
            .unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        let locked = || {
            File::open(dir.path().join(".result_x.lock"))
                .unwrap()
                .metadata()
                .unwrap()
                .ino()
        };
        let first = locked();
        assert!(matches!(
            Place::prepare(&to(dir.path()), "result_x", None, "{}").await,
            Err(PlaceError::Busy { .. })
        ));
        drop(place);
        let (_, warnings) = Place::prepare(&to(dir.path()), "result_x", None, "{}")
            .await
            .unwrap();
        assert_eq!(
            (warnings.len(), locked()),
            (1, first),
            "a file that others may have locked is never removed"
        );
        let strict = Destination {
            no_overwrite: true,
            ..to(dir.path())
        };
        assert!(matches!(
            Place::prepare(&strict, "result_x", None, "{}").await,
            Err(PlaceError::Exists(_))
        ));
    }

    #[tokio::test]
    async fn earlier_results_stay_until_there_are_rows() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
        for name in ["result_x.csv", "result_x.json"] {
            fs::write(dir.path().join(name), "good").unwrap();
        }
        let (mut place, _) = Place::prepare(&to(dir.path()), "result_x", None, "running")
            .await
            .unwrap();
        place.write_json("failed").unwrap();
        assert_eq!(
            ["result_x.json", "result_x.unfinished.json"].map(read),
            ["good", "failed"].map(|text| Some(text.to_owned()))
        );
        assert!(place.leaves_earlier());
        place.take_name();
        place.write_json("new").unwrap();
        assert_eq!(
            ["result_x.json", "result_x.unfinished.json"].map(read),
            [Some("new".to_owned()), None]
        );
        assert_eq!(
            finished_name("a/result_x.unfinished.json").as_deref(),
            Some("a/result_x.json")
        );
    }

    #[tokio::test]
    async fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "dear").unwrap();
        let link =
            |name: &str| std::os::unix::fs::symlink(&elsewhere, dir.path().join(name)).unwrap();
        for name in [".result_x.csv.partial", ".result_x.json.partial"] {
            link(name);
        }
        let (place, _) = Place::prepare(&to(dir.path()), "result_x", None, "{}")
            .await
            .unwrap();
        place
            .csv_file()
            .write::<PlaceError>(|file| {
                io::Write::write_all(file, b"rows").map_err(|_| PlaceError::Exists(String::new()))
            })
            .unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "dear");
        drop(place);
        link(".result_y.lock");
        assert!(matches!(
            Place::prepare(&to(dir.path()), "result_y", None, "{}").await,
            Err(PlaceError::Local { .. })
        ));
    }

    #[tokio::test]
    async fn passing_files_go_once_stored_and_stay_when_kept() {
        let dir = tempfile::tempdir().unwrap();
        let passing = Destination {
            out: None,
            spool_dir: Some(dir.path().to_owned()),
            ..to(dir.path())
        };
        drop(
            Place::prepare(&passing, "result_x", None, "{}")
                .await
                .unwrap(),
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let kept = Place::prepare(&passing, "result_x", None, "{}")
            .await
            .unwrap()
            .0
            .keep();
        assert!(kept.join("result_x.json").exists());
    }
}
