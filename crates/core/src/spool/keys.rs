//! The keys of a run on disk: written once by the lister, read by position by every worker and child, so that memory does not grow with their number.
//!
//! Two files: records (size, 8 bytes; the lengths of key, 2 bytes, storage class, 1, and entity tag, 1; these texts) one after another, and the
//! offset of each (u64, little-endian; one more at the end). They live as long as the run.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::sample::KeyRecord;

/// Name of the records' file in the spool folder.
const RECORDS: &str = "keys.bin";
/// Name of the offsets' file.
const OFFSETS: &str = "keys.idx";
/// «Size unknown» on disk.
const NO_SIZE: u64 = u64::MAX;

/// Writes keys in listing order.
pub struct KeyWriter {
    records: BufWriter<File>,
    offsets: BufWriter<File>,
    end: u64,
    buffer: Vec<u8>,
}

impl KeyWriter {
    /// Creates both files in `dir`.
    pub fn create(dir: &Path) -> io::Result<Self> {
        let records = BufWriter::with_capacity(256 * 1024, File::create(dir.join(RECORDS))?);
        let mut offsets = BufWriter::with_capacity(64 * 1024, File::create(dir.join(OFFSETS))?);
        offsets.write_all(&0_u64.to_le_bytes())?;
        Ok(Self {
            records,
            offsets,
            end: 0,
            buffer: Vec::new(),
        })
    }

    /// Appends one key.
    pub fn push(&mut self, record: &KeyRecord) -> io::Result<()> {
        self.buffer.clear();
        encode(record, &mut self.buffer)?;
        self.records.write_all(&self.buffer)?;
        self.end += self.buffer.len() as u64;
        self.offsets.write_all(&self.end.to_le_bytes())
    }

    /// Makes what was pushed readable.
    pub fn flush(&mut self) -> io::Result<()> {
        self.records.flush()?;
        self.offsets.flush()
    }

    /// Completes both files.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Reads keys by position.
#[derive(Debug)]
pub struct KeyFile {
    records: File,
    offsets: File,
    count: u64,
}

impl KeyFile {
    /// Opens what a [`KeyWriter`] left in `dir`.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let offsets = File::open(dir.join(OFFSETS))?;
        let count = (offsets.metadata()?.len() / 8).saturating_sub(1);
        Ok(Self {
            records: File::open(dir.join(RECORDS))?,
            offsets,
            count,
        })
    }

    /// Bytes of a key with its other texts, in the mean.
    pub fn mean_bytes(&self) -> io::Result<u64> {
        Ok(self.records.metadata()?.len() / self.count.max(1))
    }

    /// How many keys there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The keys at these positions, by two reads.
    pub fn read(&self, range: Range<u64>) -> io::Result<Vec<KeyRecord>> {
        self.read_as(range, |record| record)
    }

    /// The same, each key as something else.
    pub(super) fn read_as<T>(
        &self,
        range: Range<u64>,
        wrap: impl Fn(KeyRecord) -> T,
    ) -> io::Result<Vec<T>> {
        let raw = self.raw(range)?;
        let one = |record: &[u8]| match decode(record)? {
            (record, []) => Ok(record),
            _ => Err(damaged()),
        };
        (0..raw.count)
            .map(|index| one(raw.record(index)?).map(&wrap))
            .collect()
    }

    fn raw(&self, range: Range<u64>) -> io::Result<RawRecord> {
        let count =
            usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let mut raw = RawRecord {
            count,
            offsets: vec![0; (count + 1) * 8],
            bytes: Vec::new(),
        };
        self.offsets
            .read_exact_at(&mut raw.offsets, range.start * 8)?;
        raw.bytes = vec![
            0;
            usize::try_from(
                raw.offset(count)
                    .checked_sub(raw.offset(0))
                    .ok_or_else(damaged)?
            )
            .map_err(io::Error::other)?
        ];
        let start = raw.offset(0);
        self.records.read_exact_at(&mut raw.bytes, start)?;
        Ok(raw)
    }

    fn blocks(&self) -> impl Iterator<Item = io::Result<RawRecord>> + '_ {
        const BLOCK: u64 = 1024;
        (0..self.count.div_ceil(BLOCK))
            .map(move |block| self.raw(block * BLOCK..((block + 1) * BLOCK).min(self.count)))
    }

    /// The size of every key, in order. Reads no text.
    pub fn sizes(&self) -> impl Iterator<Item = io::Result<Option<u64>>> + '_ {
        self.blocks().flat_map(|block| match block {
            Ok(raw) => (0..raw.count)
                .map(|index| size_of(raw.record(index)?))
                .collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Shows every key in order: its size, and its record as [`encode`] wrote it.
    pub fn each(
        &self,
        mut visit: impl FnMut(Option<u64>, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        for raw in self.blocks() {
            let raw = raw?;
            for index in 0..raw.count {
                let record = raw.record(index)?;
                visit(size_of(record)?, record)?;
            }
        }
        Ok(())
    }

    /// Moves the key file in folder `from` into folder `to`, in place of the one there.
    pub fn put(from: &Path, to: &Path) -> io::Result<()> {
        [RECORDS, OFFSETS]
            .iter()
            .try_for_each(|name| std::fs::rename(from.join(name), to.join(name)))?;
        std::fs::remove_dir(from)
    }

    /// Every key, in order, a block at a time.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<KeyRecord>> + '_ {
        const BLOCK: u64 = 1024;
        (0..self.count.div_ceil(BLOCK)).flat_map(move |block| {
            let range = block * BLOCK..((block + 1) * BLOCK).min(self.count);
            match self.read(range) {
                Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        })
    }
}

/// Some records as they stand on disk.
struct RawRecord {
    count: usize,
    offsets: Vec<u8>,
    bytes: Vec<u8>,
}

impl RawRecord {
    fn offset(&self, index: usize) -> u64 {
        self.offsets[index * 8..]
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn record(&self, index: usize) -> io::Result<&[u8]> {
        let at = |index: usize| {
            self.offset(index)
                .checked_sub(self.offset(0))
                .and_then(|place| usize::try_from(place).ok())
        };
        let range = at(index).zip(at(index + 1)).ok_or_else(damaged)?;
        self.bytes.get(range.0..range.1).ok_or_else(damaged)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the key spool file is damaged")
}

/// The size at the front of a record.
fn size_of(record: &[u8]) -> io::Result<Option<u64>> {
    let size = u64::from_le_bytes(*record.first_chunk().ok_or_else(damaged)?);
    Ok(Some(size).filter(|size| *size != NO_SIZE))
}

/// Appends a record as it stands on disk.
///
/// # Errors
/// When one of its texts is too long.
pub fn encode(record: &KeyRecord, bytes: &mut Vec<u8>) -> io::Result<()> {
    let KeyRecord {
        key,
        size,
        etag,
        storage_class,
    } = record;
    let long = |_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "a key, ETag or storage class is too long",
        )
    };
    bytes.extend_from_slice(&size.unwrap_or(NO_SIZE).to_le_bytes());
    bytes.extend_from_slice(&u16::try_from(key.len()).map_err(long)?.to_le_bytes());
    bytes.extend_from_slice(&[
        u8::try_from(storage_class.len()).map_err(long)?,
        u8::try_from(etag.len()).map_err(long)?,
    ]);
    for text in [key, storage_class, etag] {
        bytes.extend_from_slice(text.as_bytes());
    }
    Ok(())
}

/// The record at the front of `bytes`, and what follows it.
///
/// # Errors
/// When these are no records.
pub fn decode(bytes: &[u8]) -> io::Result<(KeyRecord, &[u8])> {
    let bad = damaged;
    let (size, rest) = bytes.split_first_chunk::<8>().ok_or_else(bad)?;
    let (key_len, rest) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
    let ([class_len, etag_len], rest) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
    let (key, rest) = rest
        .split_at_checked(usize::from(u16::from_le_bytes(*key_len)))
        .ok_or_else(bad)?;
    let (class, rest) = rest
        .split_at_checked(usize::from(*class_len))
        .ok_or_else(bad)?;
    let (etag, rest) = rest
        .split_at_checked(usize::from(*etag_len))
        .ok_or_else(bad)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| bad());
    let size = Some(u64::from_le_bytes(*size)).filter(|size| *size != NO_SIZE);
    Ok((
        KeyRecord {
            key: text(key)?,
            size,
            storage_class: text(class)?,
            etag: text(etag)?,
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_by_position() {
        let dir = tempfile::tempdir().unwrap();
        let records: Vec<_> = (0..2_500_u64)
            .map(|i| KeyRecord {
                key: format!("{}\n😀{i}", "x".repeat(usize::try_from(i % 900).unwrap())),
                size: (i % 3 != 0).then_some(i),
                etag: format!("{i:x}"),
                storage_class: if i % 2 == 0 {
                    String::new()
                } else {
                    "STANDARD_IA".to_owned()
                },
            })
            .collect();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for record in &records {
            writer.push(record).unwrap();
        }
        writer.finish().unwrap();
        let file = KeyFile::open(dir.path()).unwrap();
        assert_eq!(file.count(), 2_500);
        assert_eq!(file.read(7..12).unwrap(), records[7..12]);
        assert_eq!(file.read(2_499..2_500).unwrap(), records[2_499..]);
        assert_eq!(file.read(3..3).unwrap(), []);
        assert_eq!(file.iter().map(Result::unwrap).collect::<Vec<_>>(), records);
        assert_eq!(
            file.sizes().map(Result::unwrap).collect::<Vec<_>>(),
            records.iter().map(|record| record.size).collect::<Vec<_>>()
        );
        let mut seen = Vec::new();
        file.each(|size, bytes| {
            seen.push(decode(bytes)?.0);
            assert_eq!(size, seen[seen.len() - 1].size);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, records);
    }

    #[test]
    fn an_empty_listing_is_an_empty_file() {
        let dir = tempfile::tempdir().unwrap();
        KeyWriter::create(dir.path()).unwrap().finish().unwrap();
        assert_eq!(KeyFile::open(dir.path()).unwrap().count(), 0);
    }
}
