//! How much room a disk has: statvfs(2), and which folders are not there yet.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that this process may still write to the file system of `path`; `None` where nobody knows, as on some network file systems.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path)
        .ok()
        .filter(|found| found.f_blocks > 0)?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Which file system `path` is on.
pub fn device(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.dev())
}

/// The folders that making this one would make, the deepest first: whoever made them for nothing removes them again.
pub fn missing(folder: &Path) -> Vec<PathBuf> {
    folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .map(Path::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_and_what_is_not_there_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).unwrap() > 0);
        assert_eq!(device(folder.path()), device(&folder.path().join(".")));
        assert_eq!(
            (
                free_bytes(Path::new("/nonexistent")),
                device(Path::new("/nonexistent"))
            ),
            (None, None)
        );
    }
}
