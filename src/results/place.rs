//! Where a run's results go: files on this machine first, then the results bucket.
//!
//! Proves before anything is listed that the place can be written, by storing the summary with `"state": "running"`; never loses a result: what
//! cannot be stored in the bucket stays on this machine. Knows only the results bucket.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::plan::Destination;
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
    /// The folder for passing files.
    #[error("cannot use the folder {}: {cause}", path.display())]
    Spool {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
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
            Self::Local { .. } | Self::Spool { .. } => Some("choose another folder with --out or --spool-dir".to_owned()),
            Self::Busy { .. } => Some("wait for it, or choose another --tag or --out".to_owned()),
            Self::Exists(_) => Some("choose another --tag, or leave --no-overwrite out".to_owned()),
            Self::Store(error) => error.hint.clone(),
        }
    }
}

/// The place of one run's results.
#[derive(Debug)]
pub struct Place {
    dir: PathBuf,
    stem: String,
    /// The folder when it is a passing one: gone with the results once they are in the bucket.
    passing: Option<TempDir>,
    lock: Option<(File, PathBuf)>,
    remote: Option<(Bucket, String)>,
    replace: Replace,
    /// Why `--out` did not get the results, when it did not.
    unmet: Option<String>,
}

impl Place {
    /// Takes the place and proves that it can be written. Warnings say what will be replaced.
    pub async fn prepare(to: &Destination, stem: &str, remote: Option<Bucket>, running: &str) -> Result<(Self, Vec<String>), PlaceError> {
        let replace = if to.no_overwrite { Replace::No } else { Replace::Yes };
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

    fn in_folder(
        dir: &Path,
        stem: &str,
        (replace, remote): (Replace, Option<(Bucket, String)>),
        warnings: &mut Vec<String>,
    ) -> Result<Self, PlaceError> {
        let local = |path: &Path| {
            let path = path.to_owned();
            move |cause| PlaceError::Local { path, cause }
        };
        fs::create_dir_all(dir).map_err(local(dir))?;
        let lock_path = dir.join(format!(".{stem}.lock"));
        let lock = File::create(&lock_path).map_err(local(dir))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaceError::Busy { dir: dir.to_owned(), stem: stem.to_owned() }),
            Err(TryLockError::Error(cause)) => return Err(PlaceError::Local { path: lock_path, cause }),
        }
        let place = Self { dir: dir.to_owned(), stem: stem.to_owned(), passing: None, lock: Some((lock, lock_path)), remote, replace, unmet: None };
        let old: Vec<_> = [place.csv_path(), place.json_path()].into_iter().filter(|path| path.exists()).collect();
        if let Some(first) = old.first() {
            if replace == Replace::No {
                return Err(PlaceError::Exists(first.display().to_string()));
            }
            warnings.push(format!("results of an earlier run are replaced: {}", first.display()));
        }
        Ok(place)
    }

    fn passing(parent: Option<&Path>, stem: &str, (replace, remote): (Replace, Option<(Bucket, String)>)) -> Result<Self, PlaceError> {
        let dir = spool_folder(parent)?;
        Ok(Self { dir: dir.path().to_owned(), stem: stem.to_owned(), passing: Some(dir), lock: None, remote, replace, unmet: None })
    }

    /// Stores the running summary in the bucket, without replacing first: the answer says whether there was one, also to credentials that may only
    /// write. The study's own program leaves a CSV alone; whether there is one can only be asked.
    async fn prove_remote(&mut self, running: &str, warnings: &mut Vec<String>) -> Result<(), PlaceError> {
        let (csv, json, replace) = (self.key("csv"), self.key("json"), self.replace);
        let Some((bucket, _)) = &mut self.remote else { return Ok(()) };
        let bytes = running.as_bytes().to_vec();
        let name = |bucket: &Bucket, key: &str| format!("s3://{}/{key}", bucket.name());
        // Before anything is stored, when nothing may be replaced.
        if replace == Replace::No && bucket.exists(&csv).await? == Some(true) {
            return Err(PlaceError::Exists(name(bucket, &csv)));
        }
        let there = match bucket.store(&json, bytes.clone(), Replace::No).await {
            Ok(()) if replace == Replace::Yes && bucket.exists(&csv).await? == Some(true) => {
                warnings.push(format!("results of an earlier run are replaced: {}", name(bucket, &csv)));
                return Ok(());
            }
            Ok(()) => return Ok(()),
            Err(error) if error.kind == StoreErrorKind::Exists => name(bucket, &json),
            // A store that does not know If-None-Match: then it must do without, unless that was promised.
            Err(error) if error.kind == StoreErrorKind::NotImplemented && replace == Replace::Yes => {
                return Ok(bucket.store(&json, bytes, Replace::Yes).await?);
            }
            Err(error) => return Err(error.into()),
        };
        if replace == Replace::No {
            return Err(PlaceError::Exists(there));
        }
        warnings.push(format!("results of an earlier run are replaced: {there}"));
        Ok(bucket.store(&json, bytes, Replace::Yes).await?)
    }

    fn key(&self, ending: &str) -> String {
        let prefix = self.remote.as_ref().map_or("", |(_, prefix)| prefix);
        format!("{prefix}{}.{ending}", self.stem)
    }

    /// The timing CSV on this machine.
    pub fn csv_path(&self) -> PathBuf {
        self.dir.join(format!("{}.csv", self.stem))
    }

    /// The summary on this machine.
    pub fn json_path(&self) -> PathBuf {
        self.dir.join(format!("{}.json", self.stem))
    }

    /// Writes the summary, whole or not at all.
    pub fn write_json(&self, text: &str) -> Result<(), PlaceError> {
        let path = self.json_path();
        let partial = partial(&path);
        fs::write(&partial, text).and_then(|()| fs::rename(&partial, &path)).map_err(|cause| PlaceError::Local { path, cause })
    }

    /// Writes the CSV, whole or not at all.
    pub fn write_csv<E: From<PlaceError>>(&self, fill: impl FnOnce(&mut io::BufWriter<File>) -> Result<(), E>) -> Result<(), E> {
        let path = self.csv_path();
        let unfinished = partial(&path);
        let local = |cause| PlaceError::Local { path: path.clone(), cause };
        let mut writer = io::BufWriter::with_capacity(256 * 1024, File::create(&unfinished).map_err(local)?);
        let result = fill(&mut writer).and_then(|()| {
            let complete = io::Write::flush(&mut writer).and_then(|()| fs::rename(&unfinished, &path));
            complete.map_err(|cause| local(cause).into())
        });
        if result.is_err() {
            // Half a file is of no use, and the room that it takes may be needed.
            let _left_behind = fs::remove_file(&unfinished);
        }
        result
    }

    /// Stores the CSV in the results bucket, if there is one.
    pub async fn upload_csv(&self) -> Result<(), StoreError> {
        self.upload("csv", &self.csv_path(), self.replace).await
    }

    /// Stores the summary in the results bucket, in place of the running one.
    pub async fn upload_json(&self) -> Result<(), StoreError> {
        self.upload("json", &self.json_path(), Replace::Yes).await
    }

    async fn upload(&self, ending: &str, path: &Path, replace: Replace) -> Result<(), StoreError> {
        // A copy: both files may be on their way at once. The bucket's region is known since the place was proved.
        let Some((mut bucket, _)) = self.remote.clone() else { return Ok(()) };
        bucket.store_file(&self.key(ending), path, replace).await
    }

    /// `--out` does not take the results: they go to a passing folder in `parent`, which [`Self::keep`] keeps. `None` when they were there already,
    /// or it does not exist.
    pub fn fall_back(&mut self, parent: Option<&Path>, why: &str) -> Option<PathBuf> {
        if self.passing.is_some() {
            return None;
        }
        let folder = spool_folder(parent).ok()?;
        folder.path().clone_into(&mut self.dir);
        self.passing = Some(folder);
        self.unmet = Some(why.to_owned());
        Some(self.dir.clone())
    }

    /// Why the results are in no place that was asked for: they are neither in `--out` nor in a bucket.
    pub fn unmet(&self) -> Option<String> {
        self.unmet.clone().filter(|_| self.remote.is_none())
    }

    /// The results are stored: passing files go.
    pub fn release(mut self) {
        self.unlock();
    }

    /// The results are not stored: the files stay. The folder in which they are.
    pub fn keep(mut self) -> PathBuf {
        self.unlock();
        match self.passing.take() {
            Some(passing) => passing.keep(),
            None => self.dir.clone(),
        }
    }

    /// Where kept files belong: `s3://bucket/prefix`.
    pub fn target(&self) -> Option<String> {
        self.remote.as_ref().map(|(bucket, prefix)| format!("s3://{}/{prefix}", bucket.name()).trim_end_matches('/').to_owned())
    }

    fn unlock(&mut self) {
        if let Some((_lock, path)) = self.lock.take() {
            // Nothing depends on it: the lock goes with the file handle.
            let _left_behind = fs::remove_file(path);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.unlock();
    }
}

fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// A passing folder, in `parent` or in the system's temporary folder.
pub fn spool_folder(parent: Option<&Path>) -> Result<TempDir, PlaceError> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    tempfile::Builder::new().prefix("parfetch-").tempdir_in(&parent).map_err(|error| {
        // The library names the folder that it tried to make, which nobody knows.
        let text = error.to_string();
        let cause = io::Error::other(text.split(" at path ").next().unwrap_or(&text).to_owned());
        PlaceError::Spool { path: parent, cause }
    })
}

/// Stores every result file below `dir` in `bucket` under `prefix`, summaries last. The keys, in order.
pub async fn upload_folder(dir: &Path, bucket: &mut Bucket, (prefix, replace): (&str, Replace)) -> Result<Vec<String>, PlaceError> {
    let mut files = Vec::new();
    result_files(dir, &mut files).map_err(|cause| PlaceError::Local { path: dir.to_owned(), cause })?;
    files.sort_by_key(|path| (path.extension().is_some_and(|ending| ending == "json"), path.clone()));
    let mut keys = Vec::new();
    for path in files {
        let relative = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
        let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        let key = format!("{prefix}{slash}{relative}");
        bucket.store_file(&key, &path, replace).await?;
        keys.push(key);
    }
    Ok(keys)
}

fn result_files(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_result = path.file_name().is_some_and(|name| name == super::record::FILE_NAME || name.to_string_lossy().starts_with("result_"));
        if path.is_dir() {
            result_files(&path, files)?;
        } else if is_result && path.extension().is_some_and(|ending| ending == "csv" || ending == "json") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(dir: &Path) -> Destination {
        Destination { bucket: None, prefix: String::new(), out: Some(dir.to_owned()), spool_dir: None, no_overwrite: false }
    }

    #[tokio::test]
    async fn a_second_writer_is_turned_away_and_the_lock_goes_with_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let (place, warnings) = Place::prepare(&to(dir.path()), "result_x", None, "{}").await.unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        assert!(matches!(Place::prepare(&to(dir.path()), "result_x", None, "{}").await, Err(PlaceError::Busy { .. })));
        place.release();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the running summary alone");
        let (_, warnings) = Place::prepare(&to(dir.path()), "result_x", None, "{}").await.unwrap();
        assert_eq!(warnings.len(), 1);
        let strict = Destination { no_overwrite: true, ..to(dir.path()) };
        assert!(matches!(Place::prepare(&strict, "result_x", None, "{}").await, Err(PlaceError::Exists(_))));
    }

    #[tokio::test]
    async fn passing_files_go_once_stored_and_stay_when_kept() {
        let dir = tempfile::tempdir().unwrap();
        let passing = Destination { out: None, spool_dir: Some(dir.path().to_owned()), ..to(dir.path()) };
        Place::prepare(&passing, "result_x", None, "{}").await.unwrap().0.release();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let kept = Place::prepare(&passing, "result_x", None, "{}").await.unwrap().0.keep();
        assert!(kept.join("result_x.json").exists());
    }

    #[test]
    fn only_result_files_are_uploaded() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        for name in ["result_a.csv", "sub/result_b.json", "notes.txt", ".result_a.csv.partial", "result_c.txt"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        let mut files = Vec::new();
        result_files(dir.path(), &mut files).unwrap();
        files.sort();
        assert_eq!(files, [dir.path().join("result_a.csv"), dir.path().join("sub/result_b.json")]);
    }
}
