//! Keys that came before their turn, on disk: one file a range, a block a page. No file stays open, and memory holds one page.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::range::Id;
use crate::sample::KeyRecord;
use crate::spool::keys::{decode, encode};

/// Files of ranges whose turn has not come.
pub(super) struct Spool {
    folder: PathBuf,
    /// Of each range: bytes written, bytes read.
    files: HashMap<Id, (u64, u64)>,
    buffer: Vec<u8>,
}

impl Spool {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: HashMap::new(),
            buffer: Vec::new(),
        }
    }

    fn path(&self, id: Id) -> PathBuf {
        self.folder.join(format!("range-{id}.bin"))
    }

    /// Appends a page's keys of a range.
    pub(super) fn push(&mut self, id: Id, records: &[KeyRecord]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; 4]);
        for record in records {
            encode(record, &mut self.buffer)?;
        }
        let length = u32::try_from(self.buffer.len() - 4).map_err(io::Error::other)?;
        self.buffer[..4].copy_from_slice(&length.to_le_bytes());
        let path = self.path(id);
        let known = self.files.entry(id).or_default();
        // What an earlier listing left is no part of this one.
        let mut file = if known.0 == 0 {
            File::create(path)?
        } else {
            OpenOptions::new().append(true).open(path)?
        };
        file.write_all(&self.buffer)?;
        known.0 += self.buffer.len() as u64;
        Ok(())
    }

    /// The next page's keys of a range; none when all were given back.
    pub(super) fn pop(&mut self, id: Id) -> io::Result<Option<Vec<KeyRecord>>> {
        let Some(&(written, read)) = self.files.get(&id).filter(|(written, read)| read < written)
        else {
            return Ok(None);
        };
        let file = File::open(self.path(id))?;
        let mut length = [0; 4];
        file.read_exact_at(&mut length, read)?;
        let length = u32::from_le_bytes(length);
        self.buffer
            .resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        file.read_exact_at(&mut self.buffer, read + 4)?;
        self.files
            .insert(id, (written, read + 4 + u64::from(length)));
        let mut rest = self.buffer.as_slice();
        let mut records = Vec::new();
        while !rest.is_empty() {
            let (record, behind) = decode(rest)?;
            records.push(record);
            rest = behind;
        }
        Ok(Some(records))
    }

    /// Forgets a range, and its file.
    pub(super) fn forget(&mut self, id: Id) {
        if self.files.remove(&id).is_some() {
            // Best effort: the folder goes with the run.
            let _removed = fs::remove_file(self.path(id));
        }
    }
}

impl Drop for Spool {
    /// A limit, or an error, leaves ranges whose turn never comes.
    fn drop(&mut self) {
        for id in self.files.keys().copied().collect::<Vec<_>>() {
            self.forget(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_back_range_by_range() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        let page = |names: &[&str]| {
            names
                .iter()
                .map(|key| KeyRecord {
                    key: (*key).to_owned(),
                    size: Some(3),
                    ..KeyRecord::default()
                })
                .collect::<Vec<_>>()
        };
        spool.push(1, &page(&["a", "é"])).unwrap();
        spool.push(2, &page(&["x"])).unwrap();
        spool.push(1, &[]).unwrap();
        spool.push(1, &page(&["b"])).unwrap();
        assert_eq!(spool.pop(1).unwrap(), Some(page(&["a", "é"])));
        spool.push(1, &page(&["c"])).unwrap();
        assert_eq!(spool.pop(1).unwrap(), Some(page(&["b"])));
        assert_eq!(spool.pop(1).unwrap(), Some(page(&["c"])));
        assert_eq!(spool.pop(1).unwrap(), None);
        assert_eq!(spool.pop(7).unwrap(), None);
        spool.forget(1);
        assert_eq!(spool.pop(1).unwrap(), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(spool);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
