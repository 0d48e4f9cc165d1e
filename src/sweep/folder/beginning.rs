//! Before anything is measured: a folder is looked at, begun anew, or taken back.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Folder, FolderError, LEDGER_FILE, LOCK_FILE, Opened, SWEEP_FILE, at};
use crate::results::record::Record;

impl Folder {
    /// The folder of a sweep as it stands, to see what is left of it; an empty one where nothing was measured yet.
    pub(in crate::sweep) fn look_at(root: PathBuf) -> Result<Self, FolderError> {
        let scratch = || tempfile::tempdir().map_err(at(&std::env::temp_dir()));
        if root.join(SWEEP_FILE).is_file() {
            let begun = Self {
                root,
                made: Vec::new(),
                opened: Opened::ToLook(scratch()?),
            };
            if !begun.is_unmeasured()? {
                return Ok(begun);
            }
        }
        let scratch = scratch()?;
        let mut folder = Self::open(scratch.path().to_owned())?;
        folder.opened = Opened::ToLook(scratch);
        Ok(folder)
    }

    /// Whether nothing was measured yet, nor may go on: no repetition that counts has figures, and no task was ever started.
    pub(in crate::sweep) fn is_unmeasured(&self) -> Result<bool, FolderError> {
        let has_tasks = |dir: &PathBuf| dir.join(LEDGER_FILE).exists();
        let records = self.records()?;
        let counts = |record: &Record| record.repetition > 0 && record.failure.is_none();
        let is_of_task = |record: &Record| !record.tasks.is_empty();
        Ok(!self.attempts().iter().any(has_tasks)
            && !records
                .iter()
                .any(|record| counts(record) || is_of_task(record))
            && self.stopped()?.is_empty())
    }

    /// Forgets an earlier beginning.
    pub(in crate::sweep) fn clear(&self) -> Result<(), FolderError> {
        if self.is_kept() {
            return Ok(());
        }
        let remove = || -> io::Result<()> {
            for entry in fs::read_dir(&self.root)? {
                let path = entry?.path();
                if path.is_dir() {
                    fs::remove_dir_all(&path)?;
                } else if !path.ends_with(LOCK_FILE) {
                    fs::remove_file(&path)?;
                }
            }
            Ok(())
        };
        remove().map_err(at(&self.root))
    }

    /// A beginning that failed before its first run leaves nothing that it made.
    pub(in crate::sweep) fn unmake(self) {
        if self.is_kept() || self.made.is_empty() || !self.attempts().is_empty() {
            return;
        }
        let _left = fs::remove_dir_all(&self.root);
        for made in self.made.iter().skip(1) {
            // Somebody else may use it by now.
            let _used = fs::remove_dir(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::planned;
    use super::super::*;
    use crate::sweep::fixture;

    #[test]
    fn a_beginning_that_failed_leaves_nothing_that_it_made() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let root = out.join("sweeps/s");
        let folder = Folder::open(root.clone()).unwrap();
        folder.begin(&fixture::facts(), "seed = 1\n").unwrap();
        folder.unmake();
        assert!(!out.exists());
        // What was there before stays, and so does what a run left.
        fs::create_dir_all(&root).unwrap();
        Folder::open(root.clone()).unwrap().unmake();
        assert!(root.exists());
        let other = out.join("sweeps/other");
        let folder = Folder::open(other.clone()).unwrap();
        folder.prepare(&planned(), 1).unwrap();
        folder.unmake();
        assert!(other.exists());
    }

    #[test]
    fn what_has_measured_nothing_can_begin_anew() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        folder.begin(&fixture::facts(), "seed = 1\n").unwrap();
        let warm_up = fixture::record(&planned().cell, 0);
        let of_warm_up = folder.prepare(&planned(), 1).unwrap();
        store_record(&of_warm_up, &warm_up).unwrap();
        assert!(folder.is_unmeasured().unwrap());
        fs::write(of_warm_up.join(LEDGER_FILE), "{}").unwrap();
        assert!(!folder.is_unmeasured().unwrap(), "its tasks may go on");
        folder.clear().unwrap();
        assert!(folder.begun().unwrap().is_none() && folder.is_unmeasured().unwrap());
        let record = fixture::record(&planned().cell, 3);
        store_record(&folder.prepare(&planned(), 1).unwrap(), &record).unwrap();
        assert!(!folder.is_unmeasured().unwrap());
    }
}
