//! Folders for files that live as long as a run. Those of runs that were killed go with a later run.
//!
//! A folder belongs to the process that holds the lock of its file `lock`; the kernel gives the lock up however that process ends. Folders in which
//! results wait have other names, and are never touched.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::TempDir;

use crate::exit::{Exit, Failure};

/// What a spool folder's name begins with.
const PREFIX: &str = "parfetch-spool-";
/// Name of the file whose lock says that the folder is in use.
const LOCK: &str = "lock";
/// Folders that are tried: another run may take one for abandoned at the moment at which it is made.
const TRIES: usize = 8;

/// A folder for temporary files that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the folder {}: {cause}", path.display())]
pub struct SpoolError {
    /// Where.
    path: PathBuf,
    /// What the system said.
    cause: io::Error,
}

impl SpoolError {
    /// What to try.
    pub const HINT: &str =
        "choose another folder with --out or --spool-dir (PARFETCH_SPOOL_DIR in a container)";
}

impl From<SpoolError> for Failure {
    fn from(error: SpoolError) -> Self {
        Self::new(Exit::SetUp, error.to_string()).hint(SpoolError::HINT)
    }
}

/// A file in the spool folder that cannot be written or read.
pub fn spool_failure(error: &io::Error) -> Failure {
    Failure::new(Exit::SetUp, format!("cannot use the spool folder: {error}"))
        .hint("name a folder with room in --spool-dir (PARFETCH_SPOOL_DIR in a container)")
}

/// A folder for temporary files: gone with this, or with a later run when this process is killed.
#[derive(Debug)]
pub struct SpoolFolder {
    dir: TempDir,
    _lock: File,
}

impl SpoolFolder {
    /// Makes one in `parent`, or in the system's temporary folder, and removes those that killed runs of this user left there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(parent: Option<&Path>) -> Result<Self, SpoolError> {
        remove_abandoned(&parent.map_or_else(std::env::temp_dir, Path::to_owned));
        let mut failed = io::Error::other("another process removes every new folder");
        for _ in 0..TRIES {
            let dir = temporary_folder(parent, PREFIX)?;
            match lock(dir.path()) {
                Ok(lock) => return Ok(Self { dir, _lock: lock }),
                Err(error) => failed = error,
            }
        }
        Err(SpoolError {
            path: parent.map_or_else(std::env::temp_dir, Path::to_owned),
            cause: failed,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// The lock of a new folder.
fn lock(dir: &Path) -> io::Result<File> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    file.try_lock().map_err(io::Error::from)?;
    // Between the two lines above somebody else may have had the lock, and removed the folder.
    if fs::symlink_metadata(&path)?.ino() == file.metadata()?.ino() {
        Ok(file)
    } else {
        Err(io::Error::other("it was removed"))
    }
}

/// Removes folders whose process is gone; what cannot be removed stays.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX))
            && entry.metadata().is_ok_and(|found| {
                found.is_dir() && found.uid() == rustix::process::geteuid().as_raw()
            });
        if !is_ours {
            continue;
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let lock = OpenOptions::new()
            .write(true)
            .custom_flags(flags)
            .open(entry.path().join(LOCK));
        // The lock is held until all is gone: no two runs remove the same folder.
        if let Ok(lock) = lock
            && lock.try_lock().is_ok()
        {
            tracing::info!(folder = %entry.path().display(), "removed the spool folder of a run that was killed");
            let _left_behind = fs::remove_dir_all(entry.path());
        }
    }
}

/// A temporary folder, in `parent` or in the system's temporary folder.
pub fn temporary_folder(parent: Option<&Path>, prefix: &str) -> Result<TempDir, SpoolError> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(&parent)
        .map_err(|error| {
            // The library names the folder that it tried to make, which nobody knows.
            let text = error.to_string();
            let cause =
                io::Error::other(text.split(" at path ").next().unwrap_or(&text).to_owned());
            SpoolError {
                path: parent,
                cause,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(of)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        for name in [
            "parfetch-spool-killed",
            "parfetch-abc",
            "parfetch-spool-begun",
            "elsewhere",
        ] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("rows.bin"), "x").unwrap();
        }
        fs::write(at("parfetch-spool-killed").join(LOCK), "").unwrap();
        fs::write(at("elsewhere").join(LOCK), "").unwrap();
        std::os::unix::fs::symlink(at("elsewhere"), at("parfetch-spool-link")).unwrap();
        let living = SpoolFolder::create(Some(parent.path())).unwrap();
        let other = SpoolFolder::create(Some(parent.path())).unwrap();
        assert!(living.path().exists() && other.path().exists());
        assert!(at("elsewhere/rows.bin").exists(), "links are not followed");
        drop((living, other));
        assert_eq!(
            names(parent.path()),
            [
                "elsewhere",
                "parfetch-abc",
                "parfetch-spool-begun",
                "parfetch-spool-link"
            ]
        );
    }
}
