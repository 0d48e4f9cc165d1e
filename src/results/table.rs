//! The rows of a run with their keys: by round, then by place in the listing, whatever the order of fetching; parts of an object as one row.
//!
//! Owns which fetch belongs to which key. Reads the spool files in one pass, in memory that does not grow with the number of keys or parts.

use std::io;
use std::path::Path;

use super::items::places;
use super::keys::KeyFile;
use super::merge::Merge;
use super::outcome::was_attempted;
use super::rows::{RowFile, RowReader};
use crate::plan::{Layout, Order};
use crate::sample::{KeyRecord, Sample};

/// How often the keys were gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// Once: a row a key.
    One,
    /// Until a time had passed: a row a fetch that was begun.
    Many,
}

/// Takes rows.
pub trait Visitor {
    /// Why it cannot go on.
    type Error: From<io::Error>;

    /// A fetch that was begun: an object, or a part of one. The row of its object follows.
    fn fetch(&mut self, fetch: &Sample) -> Result<(), Self::Error>;

    /// An object's row: its key, what became of it, and how often the keys were gone through before.
    fn row(&mut self, key: &KeyRecord, row: &Sample, round: u64) -> Result<(), Self::Error>;
}

/// The rows of a run that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The keys.
    pub keys: &'a KeyFile,
    /// The rows, by item.
    pub rows: &'a RowFile,
    /// Items in a round.
    pub items: u64,
    /// How keys became items.
    pub layout: Layout,
    /// Where that was written down.
    pub spool: &'a Path,
    /// How often.
    pub rounds: Rounds,
}

impl Table<'_> {
    /// Shows every row to the visitor.
    ///
    /// # Errors
    /// The visitor's own, and those of the spool files.
    pub fn each<V: Visitor>(&self, visitor: &mut V) -> Result<(), V::Error> {
        let rounds = match self.rounds {
            Rounds::One => 1,
            Rounds::Many => self.rows.units().div_ceil(self.items.max(1)).max(1),
        };
        let mut reader = self.rows.reader()?;
        for round in 0..rounds {
            let mut next = round * self.items;
            let mut scattered = (self.layout.order != Order::Listed).then(|| places(self.spool)).transpose()?;
            for key in self.keys.iter() {
                let key = key?;
                let place = match &mut scattered {
                    Some(places) => places.next().transpose()?.flatten().map(|place| round * self.items + place),
                    None => Some(next),
                };
                let count = self.items_of(&key);
                next += count;
                let row = match place {
                    Some(first) if count > 0 => merged(&mut reader, first..first + count, visitor)?,
                    _ => Sample::default(),
                };
                // What a run that time ended did not come to is no fetch; an archived key has its row once.
                if self.rounds == Rounds::One || was_attempted(&row) || (round == 0 && key.is_archived()) {
                    visitor.row(&key, &row, round)?;
                }
            }
        }
        Ok(())
    }

    fn items_of(&self, key: &KeyRecord) -> u64 {
        // A layout leaves out what nobody fetches.
        if !self.layout.is_plain() && key.is_archived() { 0 } else { self.layout.items_of(key.size) }
    }
}

/// The fetches of one object as its row.
fn merged<V: Visitor>(reader: &mut RowReader, units: std::ops::Range<u64>, visitor: &mut V) -> Result<Sample, V::Error> {
    let mut merge: Option<Merge> = None;
    for unit in units {
        let fetch = reader.row(unit)?;
        if was_attempted(&fetch) {
            visitor.fetch(&fetch)?;
        }
        match &mut merge {
            Some(merge) => merge.add(&fetch),
            none => *none = Some(Merge::of(fetch)),
        }
    }
    Ok(merge.map(Merge::finish).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::results::items::{Items, lay_out};
    use crate::results::keys::KeyWriter;
    use crate::results::rows::RowWriter;
    use crate::sample::Outcome;

    /// Fetches as start, rows as `key round attempts start-end bytes outcome`.
    #[derive(Default)]
    struct Seen {
        fetches: Vec<u64>,
        rows: Vec<String>,
    }

    impl Visitor for Seen {
        type Error = io::Error;

        fn fetch(&mut self, fetch: &Sample) -> io::Result<()> {
            self.fetches.push(fetch.start_ns.unwrap());
            Ok(())
        }

        fn row(&mut self, key: &KeyRecord, row: &Sample, round: u64) -> io::Result<()> {
            let Sample { attempts, start_ns, end_ns, calc_size, outcome, .. } = row;
            let (start, end, bytes) = (start_ns.unwrap_or(0), end_ns.unwrap_or(0), calc_size.unwrap_or(0));
            self.rows.push(format!("{} {round} {attempts} {start}-{end} {bytes} {outcome}", key.key));
            Ok(())
        }
    }

    /// Keys `a` 5, `b` 25, `c` 7 (archived) and `d` 10 bytes; every fetch below `through` went well: it began at its unit × 10 and took 5.
    fn seen(layout: Layout, through: u64, rounds: Rounds) -> Seen {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for (key, size, storage_class) in [("a", 5, ""), ("b", 25, ""), ("c", 7, "GLACIER"), ("d", 10, "")] {
            writer.push(&KeyRecord { key: key.to_owned(), size: Some(size), etag: String::new(), storage_class: storage_class.to_owned() }).unwrap();
        }
        writer.finish().unwrap();
        let keys = KeyFile::open(dir.path()).unwrap();
        let items = lay_out(dir.path(), &keys, layout, &AtomicBool::new(false)).unwrap().items;
        let (rows, sender) = RowWriter::start(dir.path(), |error| panic!("{error}")).unwrap();
        let file = Items::open(dir.path()).unwrap();
        let mut buffer = sender.buffer();
        for unit in (0..through).rev() {
            let item = file.read(unit % items..unit % items + 1).unwrap().remove(0);
            if item.record.is_archived() {
                continue;
            }
            let whole = match item.record.key.as_str() {
                "a" => 5,
                "b" => 25,
                _ => 10,
            };
            let bytes = Some(item.part.map_or(whole, |(first, last)| last - first + 1));
            let (start_ns, end_ns) = (Some(unit * 10), Some(unit * 10 + 5));
            buffer.push(Sample { unit, outcome: Outcome::Ok, attempts: 1, start_ns, end_ns, calc_size: bytes, ..Sample::default() });
        }
        drop((buffer, sender));
        let rows = rows.finish().unwrap();
        let mut seen = Seen::default();
        Table { keys: &keys, rows: &rows, items, layout, spool: dir.path(), rounds }.each(&mut seen).unwrap();
        seen
    }

    fn layout(order: Order, part_size: u64) -> Layout {
        Layout { order, part_size: NonZeroU64::new(part_size) }
    }

    #[test]
    fn a_plain_run_has_a_row_a_key() {
        let found = seen(Layout::default(), 2, Rounds::One);
        assert_eq!(found.rows, ["a 0 1 0-5 5 ok", "b 0 1 10-15 25 ok", "c 0 0 0-0 0 not_attempted", "d 0 0 0-0 0 not_attempted"]);
        assert_eq!(found.fetches, [0, 10]);
    }

    #[test]
    fn parts_become_one_row() {
        let found = seen(layout(Order::Listed, 10), 5, Rounds::One);
        assert_eq!(found.rows, ["a 0 1 0-5 5 ok", "b 0 3 10-35 25 ok", "c 0 0 0-0 0 not_attempted", "d 0 1 40-45 10 ok"]);
        assert_eq!(found.fetches, [0, 10, 20, 30, 40]);
    }

    #[test]
    fn rows_stand_in_listing_order_whatever_came_first() {
        let found = seen(layout(Order::LargestFirst, 10), 4, Rounds::One);
        assert_eq!(found.rows, ["a 0 0 0-0 0 not_attempted", "b 0 3 0-25 25 ok", "c 0 0 0-0 0 not_attempted", "d 0 1 30-35 10 ok"]);
    }

    #[test]
    fn an_object_that_was_begun_and_not_ended_is_not_attempted_and_its_fetches_count() {
        let found = seen(layout(Order::Listed, 10), 3, Rounds::One);
        assert_eq!(found.rows[1], "b 0 2 10-25 20 not_attempted");
        assert_eq!(found.fetches, [0, 10, 20]);
    }

    #[test]
    fn rounds_repeat_the_order() {
        let found = seen(layout(Order::LargestFirst, 10), 10 + 4, Rounds::Many);
        // b0 b1 b2 d a, three times; what the last round did not come to has no row, and an archived key has one.
        let expected = [
            "a 0 1 40-45 5 ok",
            "b 0 3 0-25 25 ok",
            "c 0 0 0-0 0 not_attempted",
            "d 0 1 30-35 10 ok",
            "a 1 1 90-95 5 ok",
            "b 1 3 50-75 25 ok",
            "d 1 1 80-85 10 ok",
            "b 2 3 100-125 25 ok",
            "d 2 1 130-135 10 ok",
        ];
        assert_eq!(found.rows, expected);
        let plain = seen(Layout::default(), 6, Rounds::Many);
        assert_eq!(plain.rows[3..], ["d 0 1 30-35 10 ok", "a 1 1 40-45 5 ok", "b 1 1 50-55 25 ok"]);
    }
}
