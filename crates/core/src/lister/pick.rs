//! Which keys are taken: prefix, shard, limit; and that none comes twice.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::error::{LISTING_HINT, ListError};
use crate::plan::{KeySource, Selection, Shard};
use crate::platform::cancel::Cancelled;
use crate::sample::KeyRecord;
use crate::spool::keys::{KeyFile, KeyWriter};

/// What was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Keys taken.
    pub keys: u64,
    /// Their sizes added up; `None` when a size is not known.
    pub bytes: Option<u64>,
    /// Of them in an archived storage class.
    pub archived: u64,
    /// Pages asked for: LIST requests.
    pub pages: u64,
    /// The key file had no checksum line.
    pub unchecked: bool,
}

/// Most bytes of a key. S3 allows 1,024; a store on a file system may allow what a path of Linux has.
const KEY_BYTES: usize = 4096;
/// Most bytes of an entity tag, and of a storage class: what the key spool file has room for.
const FIELD_BYTES: usize = 255;
/// Largest size of an object, in bytes: far above what any store has, and below the number that means «unknown» in the key spool file.
const SIZE_BYTES: u64 = 1 << 63;
/// So much of a long key is shown.
const SHOWN_CHARS: usize = 40;

/// Refuses what no store can mean, by name, before it is written anywhere.
pub(super) fn check(record: &KeyRecord) -> Result<(), ListError> {
    let wrong = |what: &str| {
        let shown: String = record.key.chars().take(SHOWN_CHARS).collect();
        let more = if shown.len() < record.key.len() {
            "…"
        } else {
            ""
        };
        Err(ListError::Wrong(
            format!("the key `{}{more}` {what}", shown.escape_debug()),
            "",
        ))
    };
    match record {
        record if record.key.is_empty() => Err(ListError::Wrong("a key is empty".to_owned(), "")),
        record if record.key.len() > KEY_BYTES => wrong("is longer than 4,096 bytes"),
        record if record.etag.len() > FIELD_BYTES => {
            wrong("has an entity tag of more than 255 bytes")
        }
        record if record.storage_class.len() > FIELD_BYTES => {
            wrong("has a storage class of more than 255 bytes")
        }
        // In a key file a line end in one of them would be another key.
        record if record.etag.contains(char::is_control) => {
            wrong("has an entity tag with a control character")
        }
        record if record.storage_class.contains(char::is_control) => {
            wrong("has a storage class with a control character")
        }
        record if record.size.is_some_and(|size| size > SIZE_BYTES) => {
            wrong("has a size of more than 2^63 bytes")
        }
        _ => Ok(()),
    }
}

/// Takes keys into the key file.
pub(super) struct Picker {
    prefix: String,
    shard: Option<Shard>,
    limit: u64,
    writer: KeyWriter,
    spool: PathBuf,
    last: Option<String>,
    /// Hashes of all keys taken, once they turned out not to come in order: stores of S3's kind list in the order of UTF-8 bytes, and then a
    /// repeated key is next to itself.
    unordered: Option<HashSet<u64>>,
    /// Set when nobody waits for the keys any more.
    pub(super) cancelled: Cancelled,
    pub(super) listed: Listed,
}

impl Picker {
    /// With an empty key file in `spool`.
    pub(super) fn create(selection: &Selection, spool: &Path) -> Result<Self, ListError> {
        let writer = KeyWriter::create(spool).map_err(ListError::Spool)?;
        Ok(Self {
            prefix: selection.prefix.clone(),
            // The keys of a folder were divided before.
            shard: selection
                .shard
                .filter(|_| !matches!(selection.source, KeySource::Folder(_))),
            limit: selection.limit.unwrap_or(u64::MAX),
            writer,
            spool: spool.to_owned(),
            last: None,
            unordered: None,
            cancelled: Cancelled::default(),
            listed: Listed {
                bytes: Some(0),
                ..Listed::default()
            },
        })
    }

    /// Ends whoever reads keys for nobody.
    pub(super) fn check_cancelled(&self) -> Result<(), ListError> {
        self.cancelled.check().map_err(ListError::Spool)
    }

    /// Most keys that are taken.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether a key is one of the selected, the limit apart.
    pub(super) fn selects(&self, record: &KeyRecord) -> bool {
        record.key.starts_with(&self.prefix)
            && self.shard.is_none_or(|shard| shard.has(&record.key))
    }

    /// Takes a key if it is one of the selected; false when no more are wanted.
    ///
    /// # Errors
    /// When it was taken before, cannot be a key, or cannot be written.
    pub(super) fn take(&mut self, record: &KeyRecord) -> Result<bool, ListError> {
        check(record)?;
        if !self.selects(record) {
            return Ok(true);
        }
        if self.listed.keys >= self.limit {
            return Ok(false);
        }
        self.check_new(&record.key)?;
        self.writer
            .push(record)
            .map_err(|error| match error.kind() {
                // The listing is to blame, not the disk.
                ErrorKind::InvalidData => {
                    let beginning: String = record.key.chars().take(40).collect();
                    ListError::Wrong(
                        format!("{error}: it begins with `{}`", beginning.escape_debug()),
                        LISTING_HINT,
                    )
                }
                _ => ListError::Spool(error),
            })?;
        self.listed.keys += 1;
        self.listed.archived += u64::from(record.is_archived());
        self.listed.bytes = self
            .listed
            .bytes
            .zip(record.size)
            .and_then(|(sum, size)| sum.checked_add(size));
        Ok(self.listed.keys < self.limit)
    }

    fn check_new(&mut self, key: &str) -> Result<(), ListError> {
        let twice = || {
            ListError::Wrong(
                format!("the key `{}` is named twice", key.escape_debug()),
                "",
            )
        };
        let hash = xxh3_64(key.as_bytes());
        if let Some(seen) = &mut self.unordered {
            // Equal hashes are rare enough to look at every key that was taken.
            if !seen.insert(hash)
                && self
                    .taken()?
                    .iter()
                    .any(|taken| taken.is_ok_and(|taken| taken.key == key))
            {
                return Err(twice());
            }
            return Ok(());
        }
        match &self.last {
            Some(last) if last == key => return Err(twice()),
            Some(last) if last.as_str() > key => {
                let taken = self.taken()?;
                let mut seen: HashSet<u64> = taken
                    .iter()
                    .filter_map(Result::ok)
                    .map(|taken| xxh3_64(taken.key.as_bytes()))
                    .collect();
                if !seen.insert(hash)
                    && taken
                        .iter()
                        .any(|taken| taken.is_ok_and(|taken| taken.key == key))
                {
                    return Err(twice());
                }
                self.unordered = Some(seen);
                self.last = None;
            }
            _ => self.last = Some(key.to_owned()),
        }
        Ok(())
    }

    fn taken(&mut self) -> Result<KeyFile, ListError> {
        self.writer
            .flush()
            .and_then(|()| KeyFile::open(&self.spool))
            .map_err(ListError::Spool)
    }

    /// Completes the key file.
    pub(super) fn finish(self) -> Result<Listed, ListError> {
        self.writer.finish().map_err(ListError::Spool)?;
        Ok(self.listed)
    }
}
