//! What a list of keys adds up to, and what falls to each shard: passes over the key file, a block in memory at a time.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;

use super::cut::{Cutter, Weigh};
use super::document::ShardKeys;
use super::job::Division;
use crate::plan::{Layout, Shard};
use crate::sample::KeyRecord;
use crate::spool::keys::KeyFile;

/// What a list of keys adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyTally {
    pub(super) keys: u64,
    /// Keys whose size is known, and their bytes.
    pub(super) known: (u64, u64),
    /// Of the largest key.
    pub(super) largest: u64,
    /// GETs that fetch all of it but archived keys, which are skipped.
    pub(super) gets: u64,
    /// GETs and bytes by storage class, archived ones left out.
    pub(super) classes: BTreeMap<String, (u64, u64)>,
    /// Folders in which keys are, those of the first level below the prefix: prefixes that S3 can serve apart.
    pub(super) folders: u64,
    /// Bytes of the key files, about.
    pub(super) manifest_bytes: u64,
}

/// Bytes of a key file's first and last line, and of a line's separators.
const FRAME_BYTES: u64 = 17 + 74;
const SEPARATOR_BYTES: u64 = 4;

impl KeyTally {
    /// Everything that the list says.
    pub(super) async fn of(
        file: &KeyFile,
        (prefix, layout): (&str, Layout),
        shards: u32,
    ) -> io::Result<Self> {
        let mut tally = Self {
            manifest_bytes: FRAME_BYTES * u64::from(shards),
            ..Self::default()
        };
        let mut folder: Option<String> = None;
        for record in file.iter() {
            let record = record?;
            breathe(tally.keys).await;
            tally.add(&record, layout);
            // Keys mostly come in order, where those of a folder are neighbours.
            let first = record.key.strip_prefix(prefix).unwrap_or(&record.key);
            let first = first.split_once('/').map_or("", |(first, _)| first);
            if folder.as_deref() != Some(first) {
                tally.folders += 1;
                folder = Some(first.to_owned());
            }
        }
        Ok(tally)
    }

    fn add(&mut self, record: &KeyRecord, layout: Layout) {
        let is_archived = record.is_archived();
        let gets = if is_archived {
            0
        } else {
            layout.items_of(record.size)
        };
        let bytes = record.size.unwrap_or(0);
        self.keys += 1;
        self.gets = self.gets.saturating_add(gets);
        self.known = (
            self.known.0 + u64::from(record.size.is_some()),
            self.known.1.saturating_add(bytes),
        );
        self.largest = self.largest.max(bytes);
        if !is_archived {
            self.add_class(&record.storage_class, (gets, bytes));
        }
        let digits = record
            .size
            .map_or(0, |size| u64::from(size.checked_ilog10().unwrap_or(0)) + 1);
        self.manifest_bytes += (record.key.len() + record.etag.len() + record.storage_class.len())
            as u64
            + digits
            + SEPARATOR_BYTES;
    }

    fn add_class(&mut self, class: &str, (gets, bytes): (u64, u64)) {
        let class = if class.is_empty() { "STANDARD" } else { class };
        let known = match self.classes.get_mut(class) {
            Some(known) => known,
            None => self.classes.entry(class.to_owned()).or_default(),
        };
        *known = (known.0 + gets, known.1.saturating_add(bytes));
    }

    /// Bytes of all keys; `None` when a size is not known.
    pub(super) fn bytes(&self) -> Option<u64> {
        (self.known.0 == self.keys).then_some(self.known.1)
    }

    pub(super) fn weigh(&self) -> Weigh {
        Weigh::of(self.known.0, self.known.1)
    }

    /// What cuts this list.
    pub(super) fn cutter(&self, shards: u32) -> Cutter {
        let whole = match self.weigh() {
            Weigh::Bytes { unknown } => {
                u128::from(self.known.1)
                    + u128::from(self.keys - self.known.0) * u128::from(unknown)
            }
            Weigh::Equal => u128::from(self.keys),
        };
        Cutter::new(self.keys, whole, shards)
    }
}

impl ShardKeys {
    /// With one key more.
    pub(super) fn add(&mut self, size: Option<u64>) {
        let before = if self.keys == 0 { Some(0) } else { self.bytes };
        self.bytes = before
            .zip(size)
            .and_then(|(sum, size)| sum.checked_add(size));
        self.keys += 1;
    }
}

/// Keys between two looks at what else there is to do.
const BREATH: u64 = 4_096;

/// Lets signals be heard in a pass over millions of keys; `done` of them are done. True when it did.
pub(super) async fn breathe(done: u64) -> bool {
    let is_time = done.is_multiple_of(BREATH);
    if is_time {
        tokio::task::yield_now().await;
    }
    is_time
}

/// What falls to each shard, nothing written.
pub(super) async fn parts(
    file: &KeyFile,
    (tally, division): (&KeyTally, Division),
    shards: u32,
) -> io::Result<Vec<ShardKeys>> {
    let count = usize::try_from(shards).map_err(io::Error::other)?;
    let mut parts = vec![
        ShardKeys {
            keys: 0,
            bytes: Some(0)
        };
        count
    ];
    let (mut cutter, weigh) = (tally.cutter(shards), tally.weigh());
    for (done, record) in (0..).zip(file.iter()) {
        let record = record?;
        breathe(done).await;
        let part = match division {
            Division::Manifest => cutter.part_of(weigh.weight(record.size)),
            Division::Hash => {
                NonZeroU32::new(shards).map_or(0, |count| Shard::of_key(&record.key, count))
            }
        };
        parts[usize::try_from(part).map_err(io::Error::other)?].add(record.size);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use std::num::NonZeroU64;

    use super::*;
    use crate::spool::keys::KeyWriter;

    fn file(keys: &[(&str, Option<u64>, &str)]) -> (tempfile::TempDir, KeyFile) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for (key, size, class) in keys {
            writer
                .push(&KeyRecord {
                    key: (*key).to_owned(),
                    size: *size,
                    etag: String::new(),
                    storage_class: (*class).to_owned(),
                })
                .unwrap();
        }
        writer.finish().unwrap();
        let file = KeyFile::open(dir.path()).unwrap();
        (dir, file)
    }

    #[tokio::test]
    async fn a_list_adds_up() {
        let (_dir, file) = file(&[
            ("p/a/1", Some(25), ""),
            ("p/a/2", None, "GLACIER_IR"),
            ("p/b/1", Some(10), "STANDARD"),
            ("p/c", Some(0), ""),
        ]);
        let layout = Layout {
            part_size: NonZeroU64::new(10),
            ..Layout::default()
        };
        let tally = KeyTally::of(&file, ("p/", layout), 2).await.unwrap();
        assert_eq!(
            (tally.keys, tally.known, tally.largest, tally.gets),
            (4, (3, 35), 25, 3 + 1 + 1 + 1)
        );
        assert_eq!(
            tally.classes,
            BTreeMap::from([
                ("STANDARD".to_owned(), (5, 35)),
                ("GLACIER_IR".to_owned(), (1, 0))
            ])
        );
        assert_eq!((tally.folders, tally.bytes()), (3, None));
        // Two frames of 91; keys of 5, 5, 5 and 3; classes of 10 and 8; digits of 2, 0, 2 and 1; four lines.
        assert_eq!(tally.manifest_bytes, 2 * 91 + 18 + 18 + 5 + 4 * 4);
        // 35 bytes of 3 keys: the mean is 12; 47 in all, the mark at 23.5, and 25 is the nearest sum.
        let parts = parts(&file, (&tally, Division::Manifest), 2).await.unwrap();
        assert_eq!(
            parts,
            [
                ShardKeys {
                    keys: 1,
                    bytes: Some(25)
                },
                ShardKeys {
                    keys: 3,
                    bytes: None
                }
            ]
        );
    }

    #[tokio::test]
    async fn archived_keys_are_cut_and_never_fetched() {
        let (_dir, file) = file(&[
            ("a", Some(20), ""),
            ("b", Some(30), "GLACIER"),
            ("c", None, "DEEP_ARCHIVE"),
        ]);
        let tally = KeyTally::of(&file, ("", Layout::default()), 1)
            .await
            .unwrap();
        assert_eq!((tally.keys, tally.known, tally.gets), (3, (2, 50), 1));
        assert_eq!(
            tally.classes,
            BTreeMap::from([("STANDARD".to_owned(), (1, 20))]),
            "nobody pays for the others"
        );
    }

    #[tokio::test]
    async fn by_hash_every_key_is_in_one_shard_too() {
        let names: Vec<String> = (0..100).map(|number| format!("k{number}")).collect();
        let keys: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), Some(1), ""))
            .collect();
        let (_dir, file) = file(&keys);
        let tally = KeyTally::of(&file, ("", Layout::default()), 3)
            .await
            .unwrap();
        let parts = parts(&file, (&tally, Division::Hash), 3).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.keys).sum::<u64>(), 100);
        let of_first = names
            .iter()
            .filter(|name| xxh3_64(name.as_bytes()).is_multiple_of(3))
            .count();
        assert_eq!(
            parts[0],
            ShardKeys {
                keys: of_first as u64,
                bytes: Some(of_first as u64)
            }
        );
    }
}
