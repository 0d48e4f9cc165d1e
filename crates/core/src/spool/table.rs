//! The rows of a run with their keys: by round, then by place in the listing, whatever the order of fetching; parts of an object as one row.
//!
//! Owns which fetch belongs to which key. Reads the spool files in one pass, in memory that does not grow with the number of keys or parts.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::items::places;
use super::keys::KeyFile;
use super::merge::PartMerge;
use super::rows::{RowFile, RowReader};
use crate::plan::{Layout, Order};
use crate::sample::{KeyRecord, Outcome, Sample};

/// So few keys are kept in memory over many rounds.
const FEW: u64 = 1024;

/// How often the keys were gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// Once: a row a key.
    One,
    /// Until a time had passed: a row an object that was handed out in time.
    Many(Handed),
}

/// What was handed out in a run that time ended: the other side of its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    units: u64,
    left: Vec<Range<u64>>,
}

impl Handed {
    /// Units 0 to `units` were handed out, and workers left these of them when the time was up.
    pub fn new(units: u64, mut left: Vec<Range<u64>>) -> Self {
        left.retain(|range| !range.is_empty());
        left.sort_unstable_by_key(|range| range.start);
        Self { units, left }
    }

    /// Whether a worker had it in time, and did not leave it.
    fn holds(&self, unit: u64) -> bool {
        let behind = self.left.partition_point(|range| range.end <= unit);
        unit < self.units && self.left.get(behind).is_none_or(|range| unit < range.start)
    }
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
#[derive(Clone, Debug)]
pub struct RowTable<'a> {
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

impl RowTable<'_> {
    /// Shows every row to the visitor. What was asked for in a run that time ended, by what was handed out; `None` where it is each key once.
    ///
    /// # Errors
    /// The visitor's own, and those of the spool files.
    pub fn each<V: Visitor>(&self, visitor: &mut V) -> Result<Option<Asked>, V::Error> {
        let handed = match &self.rounds {
            Rounds::One => None,
            Rounds::Many(handed) => Some(handed),
        };
        let rounds = handed.map_or(1, |handed| {
            handed
                .units
                .max(self.rows.units())
                .div_ceil(self.items.max(1))
                .max(1)
        });
        let mut asked = Asked {
            bytes: Some(0),
            ..Asked::default()
        };
        let mut reader = self.rows.reader()?;
        let few = self.few_keys(rounds)?;
        for round in 0..rounds {
            let mut next = round * self.items;
            let mut scattered = (self.layout.order != Order::Listed)
                .then(|| places(self.spool))
                .transpose()?;
            let keys: Box<dyn Iterator<Item = io::Result<Cow<'_, KeyRecord>>> + '_> = match &few {
                Some(few) => Box::new(few.iter().map(|key| Ok(Cow::Borrowed(key)))),
                None => Box::new(self.keys.iter().map(|key| key.map(Cow::Owned))),
            };
            for key in keys {
                let key = key?;
                let place = match &mut scattered {
                    Some(places) => places
                        .next()
                        .transpose()?
                        .flatten()
                        .map(|place| round * self.items + place),
                    None => Some(next),
                };
                let count = self.items_of(&key);
                next += count;
                let mut object = match place {
                    Some(first) if count > 0 => {
                        merged(&mut reader, first..first + count, handed, visitor)?
                    }
                    _ => Object::default(),
                };
                if key.is_archived() && !object.begun {
                    // Whoever is handed an archived key passes over it: its row stands in the first round.
                    (object.asked, object.lost) = (round == 0, round == 0);
                }
                asked.add(&object, &key);
                // What a run that time ended did not come to is no fetch.
                if handed.is_none() || object.begun || object.lost {
                    visitor.row(&key, &object.row, round)?;
                }
            }
        }
        Ok(handed.map(|_| asked))
    }

    /// The keys, where many rounds would read them again and again, and they are few.
    fn few_keys(&self, rounds: u64) -> io::Result<Option<Vec<KeyRecord>>> {
        let is_worth = rounds > 1 && self.keys.count() <= FEW;
        is_worth
            .then(|| self.keys.read(0..self.keys.count()))
            .transpose()
    }

    fn items_of(&self, key: &KeyRecord) -> u64 {
        // A layout leaves out what nobody fetches.
        if !self.layout.is_plain() && key.is_archived() {
            0
        } else {
            self.layout.items_of(key.size)
        }
    }
}

/// One object of a round, put together from its fetches.
#[derive(Default)]
struct Object {
    row: Sample,
    /// A worker began on one of its fetches.
    begun: bool,
    /// One of its fetches was handed out, and not left when the time was up.
    asked: bool,
    /// One of those has no row.
    lost: bool,
}

/// What a run was asked to fetch, counted without its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Objects, each counted once a round.
    pub objects: u64,
    /// Their bytes as listed; `None` where a size is not known.
    pub bytes: Option<u64>,
    /// Of them, objects in parts that were begun when the time was up.
    pub cut_by_time: u64,
}

impl Asked {
    fn add(&mut self, object: &Object, key: &KeyRecord) {
        if object.asked {
            self.objects += 1;
            self.bytes = self
                .bytes
                .zip(key.size)
                .and_then(|(sum, size)| sum.checked_add(size));
            let is_cut =
                object.begun && !object.lost && object.row.outcome == Outcome::NotAttempted;
            self.cut_by_time += u64::from(is_cut);
        }
    }
}

/// The fetches of one object as its row.
fn merged<V: Visitor>(
    reader: &mut RowReader,
    units: Range<u64>,
    handed: Option<&Handed>,
    visitor: &mut V,
) -> Result<Object, V::Error> {
    let mut merge: Option<PartMerge> = None;
    let mut object = Object::default();
    for unit in units {
        let fetch = reader.row(unit)?;
        let (is_asked, is_begun) = (
            handed.is_none_or(|handed| handed.holds(unit)),
            fetch.was_attempted(),
        );
        object.asked |= is_asked;
        object.begun |= is_begun;
        object.lost |= is_asked && !is_begun;
        if is_begun {
            visitor.fetch(&fetch)?;
        }
        match &mut merge {
            Some(merge) => merge.add(&fetch),
            none => *none = Some(PartMerge::of(fetch)),
        }
    }
    object.row = merge.map(PartMerge::finish).unwrap_or_default();
    Ok(object)
}

#[cfg(test)]
mod tests {
    use crate::platform::cancel::Cancelled;
    use std::num::NonZeroU64;

    use super::*;
    use crate::spool::items::{Items, lay_out};
    use crate::spool::keys::KeyWriter;
    use crate::spool::rows::RowWriter;

    /// Fetches as start, rows as `key round attempts start-end bytes outcome`.
    #[derive(Default)]
    struct Seen {
        fetches: Vec<u64>,
        rows: Vec<String>,
        asked: Option<Asked>,
    }

    impl Visitor for Seen {
        type Error = io::Error;

        fn fetch(&mut self, fetch: &Sample) -> io::Result<()> {
            self.fetches.push(fetch.start_ns.unwrap());
            Ok(())
        }

        fn row(&mut self, key: &KeyRecord, row: &Sample, round: u64) -> io::Result<()> {
            let Sample {
                attempts,
                start_ns,
                end_ns,
                calc_size,
                outcome,
                ..
            } = row;
            let (start, end, bytes) = (
                start_ns.unwrap_or(0),
                end_ns.unwrap_or(0),
                calc_size.unwrap_or(0),
            );
            self.rows.push(format!(
                "{} {round} {attempts} {start}-{end} {bytes} {outcome}",
                key.key
            ));
            Ok(())
        }
    }

    /// Keys `a` 5, `b` 25, `c` 7 (archived) and `d` 10 bytes; every fetch below `through`, but for the `lost` ones, went well: it began at
    /// its unit × 10 and took 5.
    fn seen(layout: Layout, through: u64, rounds: Rounds) -> Seen {
        seen_without(&[], layout, through, rounds)
    }

    fn seen_without(lost: &[u64], layout: Layout, through: u64, rounds: Rounds) -> Seen {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for (key, size, storage_class) in [
            ("a", 5, ""),
            ("b", 25, ""),
            ("c", 7, "GLACIER"),
            ("d", 10, ""),
        ] {
            writer
                .push(&KeyRecord {
                    key: key.to_owned(),
                    size: Some(size),
                    etag: String::new(),
                    storage_class: storage_class.to_owned(),
                })
                .unwrap();
        }
        writer.finish().unwrap();
        let keys = KeyFile::open(dir.path()).unwrap();
        let items = lay_out(dir.path(), &keys, layout, &Cancelled::default())
            .unwrap()
            .items;
        let (rows, sender) =
            RowWriter::start(dir.path(), None, |trouble| panic!("{trouble:?}")).unwrap();
        let file = Items::open(dir.path()).unwrap();
        let mut buffer = sender.buffer();
        for unit in (0..through).rev().filter(|unit| !lost.contains(unit)) {
            let item = file.read(unit % items..unit % items + 1).unwrap()[0].clone();
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
            buffer.push(Sample {
                unit,
                outcome: Outcome::Ok,
                attempts: 1,
                start_ns,
                end_ns,
                calc_size: bytes,
                ..Sample::default()
            });
        }
        drop((buffer, sender));
        let rows = rows.finish().unwrap();
        let mut seen = Seen::default();
        seen.asked = RowTable {
            keys: &keys,
            rows: &rows,
            items,
            layout,
            spool: dir.path(),
            rounds,
        }
        .each(&mut seen)
        .unwrap();
        seen
    }

    fn layout(order: Order, part_size: u64) -> Layout {
        Layout {
            order,
            part_size: NonZeroU64::new(part_size),
        }
    }

    #[test]
    fn a_plain_run_has_a_row_a_key() {
        let found = seen(Layout::default(), 2, Rounds::One);
        assert_eq!(
            found.rows,
            [
                "a 0 1 0-5 5 ok",
                "b 0 1 10-15 25 ok",
                "c 0 0 0-0 0 not_attempted",
                "d 0 0 0-0 0 not_attempted"
            ]
        );
        assert_eq!(found.fetches, [0, 10]);
    }

    #[test]
    fn parts_become_one_row() {
        let found = seen(layout(Order::Listed, 10), 5, Rounds::One);
        assert_eq!(
            found.rows,
            [
                "a 0 1 0-5 5 ok",
                "b 0 3 10-35 25 ok",
                "c 0 0 0-0 0 not_attempted",
                "d 0 1 40-45 10 ok"
            ]
        );
        assert_eq!(found.fetches, [0, 10, 20, 30, 40]);
    }

    #[test]
    fn rows_stand_in_listing_order_whatever_came_first() {
        let found = seen(layout(Order::LargestFirst, 10), 4, Rounds::One);
        assert_eq!(
            found.rows,
            [
                "a 0 0 0-0 0 not_attempted",
                "b 0 3 0-25 25 ok",
                "c 0 0 0-0 0 not_attempted",
                "d 0 1 30-35 10 ok"
            ]
        );
    }

    #[test]
    fn an_object_that_was_begun_and_not_ended_is_not_attempted_and_its_fetches_count() {
        let found = seen(layout(Order::Listed, 10), 3, Rounds::One);
        assert_eq!(found.rows[1], "b 0 2 10-25 20 not_attempted");
        assert_eq!(found.fetches, [0, 10, 20]);
    }

    /// All below `units` were handed out but for what was left.
    fn many(units: u64, left: Range<u64>) -> Rounds {
        Rounds::Many(Handed::new(units, vec![left]))
    }

    fn asked(objects: u64, bytes: u64, cut_by_time: u64) -> Asked {
        Asked {
            objects,
            bytes: Some(bytes),
            cut_by_time,
        }
    }

    #[test]
    fn rounds_repeat_the_order() {
        // b0 b1 b2 d a, three times, of which the last `a` was left; what was left has no row, and an archived key has one.
        let found = seen(layout(Order::LargestFirst, 10), 10 + 4, many(15, 14..15));
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
        // Twice 5 + 25 + 10, once 25 + 10, and 7 archived.
        assert_eq!(found.asked.unwrap(), asked(9, 2 * 40 + 35 + 7, 0));
        let plain = seen(Layout::default(), 6, many(64, 6..64));
        assert_eq!(
            plain.rows[3..],
            ["d 0 1 30-35 10 ok", "a 1 1 40-45 5 ok", "b 1 1 50-55 25 ok"]
        );
        assert_eq!(plain.asked.unwrap(), asked(6, 47 + 30, 0));
        assert_eq!(seen(Layout::default(), 4, Rounds::One).asked, None);
    }

    #[test]
    fn what_was_handed_out_and_did_not_come_back_is_a_row_in_any_round() {
        // Keys a, b, c (archived), d: units 1 and 8 are lost, 2 and 6 are of the archived one, 9 on were left.
        let found = seen_without(&[1, 8], Layout::default(), 9, many(64, 9..64));
        let expected = [
            "a 0 1 0-5 5 ok",
            "b 0 0 0-0 0 not_attempted",
            "c 0 0 0-0 0 not_attempted",
            "d 0 1 30-35 10 ok",
        ];
        assert_eq!(found.rows[..4], expected);
        assert_eq!(
            found.rows[4..],
            [
                "a 1 1 40-45 5 ok",
                "b 1 1 50-55 25 ok",
                "d 1 1 70-75 10 ok",
                "a 2 0 0-0 0 not_attempted"
            ]
        );
        assert_eq!(
            found.asked.unwrap(),
            asked(8, 47 + 40 + 5, 0),
            "lost is not cut off by the time"
        );
    }

    #[test]
    fn an_object_in_parts_that_the_time_cut_off_is_told_from_a_lost_one() {
        // b0 b1 b2 d a: of the second round b2 is left by one worker.
        let through_b1 = |lost: &[u64]| {
            seen_without(
                lost,
                layout(Order::LargestFirst, 10),
                5 + 2,
                many(10, 7..10),
            )
        };
        let cut = through_b1(&[]);
        assert_eq!(
            (cut.rows.last().unwrap().as_str(), cut.asked.unwrap()),
            ("b 1 2 50-65 20 not_attempted", asked(5, 47 + 25, 1))
        );
        let lost = through_b1(&[5]);
        assert_eq!(
            (lost.rows.last().unwrap().as_str(), lost.asked.unwrap()),
            ("b 1 1 60-65 10 not_attempted", asked(5, 47 + 25, 0))
        );
    }

    #[test]
    fn a_row_of_what_nobody_was_handed_does_not_add_up() {
        let found = seen(Layout::default(), 6, many(5, 5..5));
        assert_eq!(
            (found.rows.len(), found.asked.unwrap()),
            (6, asked(5, 47 + 5, 0))
        );
    }
}
