//! Writes down the items of a run that fetches in parts or in another order than the listing's. Before the first fetch, outside the fetch time.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::sort::Sorter;
use super::{OFFSET_BYTES, OFFSETS, PLACES, RECORDS, encode, record_bytes};
use crate::plan::{Layout, Order, SHUFFLE_SEED};
use crate::platform::cancel::Cancelled;
use crate::platform::disk::free_bytes;
use crate::sample::{KeyRecord, Sample};
use crate::spool::keys::KeyFile;
use crate::store::is_sendable;
use crate::units;

/// «No item» in the places' file: an archived object.
const NOWHERE: u64 = u64::MAX;

/// What was laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaidOut {
    /// Items in a round.
    pub items: u64,
    /// Objects to fetch.
    pub objects: u64,
    /// Objects that are fetched in parts.
    pub divided: u64,
    /// Of them without an entity tag: parts of two versions of one would not be noticed.
    pub unguarded: u64,
    /// Objects to fetch whose size is not known.
    pub unsized_keys: u64,
}

/// Larger than any object of S3, which have 50 TB at most: a listing with such a size is wrong, and its parts would fill any disk.
const MOST_OBJECT_BYTES: u64 = 50 << 40;
/// Most items of a round: more have no place on any disk of today.
const MOST_ITEMS: u64 = 100_000_000_000;

/// Why items cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The spool files.
    #[error(transparent)]
    Spool(#[from] io::Error),
    /// An object that is larger than any.
    #[error("the key `{key}` is listed with {size} bytes, and S3's largest objects have 50 TB")]
    Implausible {
        /// Which.
        key: String,
        /// Listed bytes, for people.
        size: String,
    },
    /// There are too many.
    #[error("{0}")]
    TooMany(String),
}

/// Counts the items of objects in parts before any is written, and whether the disk has room for them and their rows.
fn check_parts(
    spool: &Path,
    keys: &KeyFile,
    layout: Layout,
    go_on: impl Fn() -> io::Result<()>,
) -> Result<(), LayoutError> {
    let (mut items, mut needed) = (0_u64, 0_u64);
    for key in keys.iter() {
        go_on()?;
        let key = key?;
        if let Some(size) = key.size.filter(|size| *size > MOST_OBJECT_BYTES) {
            return Err(LayoutError::Implausible {
                key: key.key.escape_debug().to_string(),
                size: units::count(size),
            });
        }
        let count = layout.items_of(key.size);
        let each = record_bytes(&key) + OFFSET_BYTES + Sample::ENCODED_LEN as u64;
        (items, needed) = (
            items.saturating_add(count),
            needed.saturating_add(count.saturating_mul(each)),
        );
    }
    let free = free_bytes(spool).unwrap_or(u64::MAX);
    if items > MOST_ITEMS || needed > free {
        let (items, needed, free) = (
            units::count(items),
            units::bytes(needed),
            units::bytes(free),
        );
        let text = format!(
            "{items} objects and parts need {needed} in {}, which has room for {free}",
            spool.display()
        );
        return Err(LayoutError::TooMany(text));
    }
    Ok(())
}

/// Writes the items of `keys` into `spool`, nothing when the layout is plain. Cancelled work ends early, with an error.
///
/// # Errors
/// When a size is not plausible, or the disk has no room for the items.
pub fn lay_out(
    spool: &Path,
    keys: &KeyFile,
    layout: Layout,
    cancelled: &Cancelled,
) -> Result<LaidOut, LayoutError> {
    if layout.is_plain() {
        return Ok(LaidOut {
            items: keys.count(),
            objects: keys.count(),
            ..LaidOut::default()
        });
    }
    let go_on = || cancelled.check();
    if layout.part_size.is_some() {
        check_parts(spool, keys, layout, go_on)?;
    }
    let mut writer = Writer::create(spool, layout)?;
    if layout.order == Order::Listed {
        for key in keys.iter() {
            go_on()?;
            let key = key?;
            if !key.is_archived() {
                writer.push(&key, go_on)?;
            }
        }
        return Ok(writer.finish()?);
    }
    let (mut order, mut places) = (Sorter::new(spool), Sorter::new(spool));
    for (position, key) in (0..).zip(keys.iter()) {
        go_on()?;
        let key = key?;
        if key.is_archived() {
            places.push((position, NOWHERE))?;
        } else {
            order.push((rank(layout.order, position, key.size), position))?;
        }
    }
    for ranked in order.finish()? {
        go_on()?;
        let (_, position) = ranked?;
        places.push((position, writer.laid_out.items))?;
        for key in keys.read(position..position + 1)? {
            writer.push(&key, go_on)?;
        }
    }
    let mut file = BufWriter::with_capacity(256 * 1024, File::create(spool.join(PLACES))?);
    for place in places.finish()? {
        go_on()?;
        file.write_all(&place?.1.to_le_bytes())?;
    }
    file.flush()?;
    Ok(writer.finish()?)
}

/// The lower, the earlier; equal ones go as listed.
fn rank(order: Order, position: u64, size: Option<u64>) -> u64 {
    match order {
        Order::Listed => position,
        // One less than the highest for an empty object: what is not known comes after it.
        Order::LargestFirst => size.map_or(u64::MAX, |size| (u64::MAX - 1).saturating_sub(size)),
        Order::Shuffled => xxh3_64_with_seed(&position.to_le_bytes(), SHUFFLE_SEED),
    }
}

/// The first item of every key in listing order, where [`lay_out`] did not keep that order; `None` for one that has no item.
pub fn places(spool: &Path) -> io::Result<impl Iterator<Item = io::Result<Option<u64>>>> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(spool.join(PLACES))?);
    Ok(std::iter::from_fn(move || {
        let mut place = [0; 8];
        Some(
            file.read_exact(&mut place)
                .map(|()| Some(u64::from_le_bytes(place)).filter(|place| *place != NOWHERE)),
        )
    }))
}

/// Writes items one after another.
struct Writer {
    layout: Layout,
    records: BufWriter<File>,
    offsets: BufWriter<File>,
    end: u64,
    laid_out: LaidOut,
    record: Vec<u8>,
}

impl Writer {
    fn create(spool: &Path, layout: Layout) -> io::Result<Self> {
        let records = BufWriter::with_capacity(256 * 1024, File::create(spool.join(RECORDS))?);
        let mut offsets = BufWriter::with_capacity(64 * 1024, File::create(spool.join(OFFSETS))?);
        offsets.write_all(&0_u64.to_le_bytes())?;
        Ok(Self {
            layout,
            records,
            offsets,
            end: 0,
            laid_out: LaidOut::default(),
            record: Vec::new(),
        })
    }

    /// Every item of one object.
    fn push(&mut self, key: &KeyRecord, go_on: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let count = self.layout.items_of(key.size);
        self.laid_out.objects += 1;
        self.laid_out.unsized_keys += u64::from(key.size.is_none());
        if count > 1 {
            self.laid_out.divided += 1;
            self.laid_out.unguarded += u64::from(!is_sendable(&key.etag));
        }
        for number in 0..count {
            go_on()?;
            self.record.clear();
            encode(key, self.layout.part_of(key.size, number), &mut self.record)?;
            self.records.write_all(&self.record)?;
            self.end += self.record.len() as u64;
            self.offsets.write_all(&self.end.to_le_bytes())?;
        }
        self.laid_out.items += count;
        Ok(())
    }

    fn finish(mut self) -> io::Result<LaidOut> {
        self.records.flush()?;
        self.offsets.flush()?;
        Ok(self.laid_out)
    }
}
