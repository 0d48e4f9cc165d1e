//! The items of a run: what the queue hands out, in the order of fetching. An item is an object, or a part of one.
//!
//! Objects that are fetched whole and as listed need no file of their own: their items are the keys, by position. Any other layout is written down
//! once, before the first fetch, so that workers read neighbours by two reads and memory does not grow with the number of keys: records one after another,
//! the offset of each (u64, little-endian; one more at the end) and, unless objects go as listed, the first item of every key. Archived objects,
//! which nobody fetches, have no item there. Fetch `unit` of a run is item `unit mod count` of round `unit ÷ count`.

mod layout;
mod sort;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub use layout::{LaidOut, LayoutError, lay_out, places};

use super::keys::KeyFile;
use crate::sample::KeyRecord;
use crate::store::{Part, Target};

/// Name of the records' file in the spool folder.
const RECORDS: &str = "items.bin";
/// Name of the offsets' file.
const OFFSETS: &str = "items.idx";
/// Name of the file of every key's first item.
const PLACES: &str = "items.places";
/// Bytes of a record before its texts: first and last byte and size as listed (8 each), key length (2), entity tag length (1).
const FIXED: usize = 27;
/// «Fetched whole», and «size not known», on disk.
const NONE: u64 = u64::MAX;

const OFFSET_BYTES: u64 = 8;

/// One thing to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The key. Of a layout's items only key, size and entity tag are known here.
    pub record: KeyRecord,
    /// First and last byte of the part; `None` fetches the whole object.
    pub part: Option<(u64, u64)>,
}

impl Item {
    /// What a client is asked for.
    pub fn target(&self) -> Target<'_> {
        let part = self.part.map(|(first, last)| Part { first, last });
        Target {
            key: &self.record.key,
            part,
            size: self.record.size,
            etag: &self.record.etag,
        }
    }
}

/// So few items are kept in memory: a run that goes round and round a few URLs reads no file for each request.
const FEW: u64 = 256;

/// Reads items by number.
#[derive(Debug)]
pub enum Items {
    /// The keys themselves, as listed.
    Keys(KeyFile),
    /// The same, so few that they are in memory.
    Few(Vec<Item>),
    /// What [`lay_out`] wrote.
    LaidOut(ItemFile),
}

impl Items {
    /// Opens the items of the run in `spool`: those that were laid out, else its keys.
    pub fn open(spool: &Path) -> io::Result<Self> {
        match File::open(spool.join(OFFSETS)) {
            Ok(offsets) => Ok(Self::LaidOut(ItemFile::open(spool, offsets)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = KeyFile::open(spool)?;
                if keys.count() > FEW {
                    return Ok(Self::Keys(keys));
                }
                keys.read_as(0..keys.count(), whole).map(Self::Few)
            }
            Err(error) => Err(error),
        }
    }

    /// How many items a round has.
    pub fn count(&self) -> u64 {
        match self {
            Self::Keys(keys) => keys.count(),
            Self::Few(items) => items.len() as u64,
            Self::LaidOut(items) => items.count,
        }
    }

    /// The items of these numbers, by two reads at most.
    pub fn read(&self, range: Range<u64>) -> io::Result<Cow<'_, [Item]>> {
        match self {
            Self::Keys(keys) => keys.read_as(range, whole).map(Cow::Owned),
            Self::Few(items) => {
                let index = |number: u64| usize::try_from(number).map_err(io::Error::other);
                let range = index(range.start)?..index(range.end)?;
                let few = items.get(range).ok_or(io::ErrorKind::UnexpectedEof)?;
                Ok(Cow::Borrowed(few))
            }
            Self::LaidOut(items) => items.read(range).map(Cow::Owned),
        }
    }
}

fn whole(record: KeyRecord) -> Item {
    Item { record, part: None }
}

/// Items on disk.
#[derive(Debug)]
pub struct ItemFile {
    records: File,
    offsets: File,
    count: u64,
}

impl ItemFile {
    fn open(spool: &Path, offsets: File) -> io::Result<Self> {
        let count = (offsets.metadata()?.len() / 8).saturating_sub(1);
        Ok(Self {
            records: File::open(spool.join(RECORDS))?,
            offsets,
            count,
        })
    }

    fn read(&self, range: Range<u64>) -> io::Result<Vec<Item>> {
        let count =
            usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let mut offsets = vec![0; (count + 1) * 8];
        self.offsets.read_exact_at(&mut offsets, range.start * 8)?;
        let at = |index: usize| {
            offsets[index * 8..]
                .first_chunk()
                .map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let mut bytes =
            vec![0; usize::try_from(at(count).saturating_sub(at(0))).map_err(io::Error::other)?];
        self.records.read_exact_at(&mut bytes, at(0))?;
        let mut rest = bytes.as_slice();
        (0..count).map(|_| decode(&mut rest)).collect()
    }
}

fn encode(
    KeyRecord {
        key, size, etag, ..
    }: &KeyRecord,
    part: Option<(u64, u64)>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let long = |_| io::Error::new(io::ErrorKind::InvalidData, "a key or ETag is too long");
    let (first, last) = part.unwrap_or((NONE, NONE));
    for number in [first, last, size.unwrap_or(NONE)] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&u16::try_from(key.len()).map_err(long)?.to_le_bytes());
    out.push(u8::try_from(etag.len()).map_err(long)?);
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(etag.as_bytes());
    Ok(())
}

/// Bytes of the record of a key's item.
fn record_bytes(key: &KeyRecord) -> u64 {
    (FIXED + key.key.len() + key.etag.len()) as u64
}

fn decode(rest: &mut &[u8]) -> io::Result<Item> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "the item spool file is damaged");
    let (fixed, texts) = rest.split_first_chunk::<FIXED>().ok_or_else(bad)?;
    let number = |at: usize| {
        fixed[at..]
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let part = Some((number(0), number(8))).filter(|(first, _)| *first != NONE);
    let size = Some(number(16)).filter(|size| *size != NONE);
    let (key, texts) = texts
        .split_at_checked(usize::from(u16::from_le_bytes([fixed[24], fixed[25]])))
        .ok_or_else(bad)?;
    let (etag, texts) = texts
        .split_at_checked(usize::from(fixed[26]))
        .ok_or_else(bad)?;
    *rest = texts;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| bad());
    Ok(Item {
        record: KeyRecord {
            key: text(key)?,
            size,
            etag: text(etag)?,
            ..KeyRecord::default()
        },
        part,
    })
}

#[cfg(test)]
mod tests;
