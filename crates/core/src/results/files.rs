//! Files of results on this machine: written whole or not at all, and never through a link that somebody else may have laid.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::PlaceError;

/// Where a run's CSV is written.
#[derive(Clone, Debug)]
pub struct CsvFile(PathBuf);

impl CsvFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes it, whole or not at all.
    pub fn write<E: From<PlaceError>>(
        &self,
        fill: impl FnOnce(&mut io::BufWriter<File>) -> Result<(), E>,
    ) -> Result<(), E> {
        let unfinished = partial(&self.0);
        let mut writer = io::BufWriter::with_capacity(
            256 * 1024,
            create(&unfinished).map_err(|cause| self.unwritable(cause))?,
        );
        let result = fill(&mut writer).and_then(|()| {
            let complete =
                io::Write::flush(&mut writer).and_then(|()| fs::rename(&unfinished, &self.0));
            complete.map_err(|cause| self.unwritable(cause).into())
        });
        if result.is_err() {
            // Half a file is of no use, and the room that it takes may be needed.
            let _left_behind = fs::remove_file(&unfinished);
        }
        result
    }

    /// That it cannot be written.
    pub fn unwritable(&self, cause: io::Error) -> PlaceError {
        PlaceError::Local {
            path: self.0.clone(),
            cause,
        }
    }
}

fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// A file of its own: whatever had the name, a link to somewhere else too, is removed.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// The file that is locked. A link is refused, and so is a pipe.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags)
        .open(path)
}

fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let partial = partial(path);
    let written = create(&partial)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        let _left_behind = fs::remove_file(&partial);
    }
    written
}

/// Writes a summary; over the one that is there when the folder takes no new file, or the disk has no room for both.
pub(super) fn write_or_overwrite(path: &Path, text: &str) -> io::Result<()> {
    let Err(error) = write_atomically(path, text) else {
        return Ok(());
    };
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let Ok(mut file) = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)
    else {
        return Err(error);
    };
    let mut before = Vec::new();
    let over = file
        .read_to_end(&mut before)
        .and_then(|_| file.write_all_at(text.as_bytes(), 0))
        .and_then(|()| file.set_len(text.len() as u64));
    if over.is_err() {
        // What was there has its blocks still.
        let _as_it_was = file
            .write_all_at(&before, 0)
            .and_then(|()| file.set_len(before.len() as u64));
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_written_over_where_no_file_can_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result_x.json");
        fs::write(&path, "it says that it is running").unwrap();
        // A folder of the name of the file that it is written to first.
        fs::create_dir(partial(&path)).unwrap();
        write_or_overwrite(&path, "failed").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "failed");
        assert!(write_or_overwrite(&dir.path().join("none.json").join("x"), "failed").is_err());
    }
}
