//! The ranges of one child: taken from the queue, and not yet acknowledged by rows.
//!
//! A range is here before the child hears of it, and until its rows are. Whatever is here when this is dropped goes back to the queue, so no path can
//! lose a range. A frame is taken whole or not at all: a child whose account is wrong in one place is not believed in another.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::wire::{RowBatch, Traffic};
use crate::engine::queue::Queue;
use crate::sample::{Outcome, Sample};
use crate::spool::items::Items;

/// Ranges a child has at most: one in work, one in credit.
const RANGES: usize = 2;
/// Where items are handed out one by one, a child that takes longer for one gets none in credit: waiting for the next costs it little, and another might
/// fetch it sooner.
const QUICK: Duration = Duration::from_millis(10);
/// More bytes than this nobody reads in a second, or between two frames.
const MOST_BYTES: u64 = 1 << 44;
/// A second of the series may be ahead of this clock by so many.
const SECONDS_AHEAD: u64 = 1;

/// What a child said cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent {0}")]
pub(super) struct ImpossibleFrame(pub(super) &'static str);

/// How many slots have ranges outstanding. Slots that wait for work are woken when none has any more, and when ranges came back.
#[derive(Debug)]
pub(super) struct Busy {
    slots: Cell<usize>,
    news: watch::Sender<()>,
}

impl Default for Busy {
    fn default() -> Self {
        Self {
            slots: Cell::new(0),
            news: watch::Sender::new(()),
        }
    }
}

impl Busy {
    /// True while ranges may come back.
    pub(super) fn any(&self) -> bool {
        self.slots.get() > 0
    }

    /// Wakes every slot that waits.
    pub(super) fn wake(&self) {
        self.news.send_modify(|()| {});
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }
}

/// The ranges of one child.
pub(super) struct Outstanding<'a> {
    queue: &'a Queue,
    busy: &'a Busy,
    ranges: VecDeque<Range<u64>>,
    /// This slot is one of `busy`.
    counted: bool,
    /// When the front range became the front one, and whether the one before was done quickly.
    began: Instant,
    quick: bool,
    /// Bytes that the child has said it read.
    bytes: u64,
}

impl<'a> Outstanding<'a> {
    pub(super) fn new(queue: &'a Queue, busy: &'a Busy) -> Self {
        Self {
            queue,
            busy,
            ranges: VecDeque::new(),
            counted: false,
            began: Instant::now(),
            quick: false,
            bytes: 0,
        }
    }

    /// Fetches that are not acknowledged.
    pub(super) fn fetches(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// What the child is at, or begins with.
    pub(super) fn front(&self) -> Option<Range<u64>> {
        self.ranges.front().cloned()
    }

    /// Takes one more range for the child from the queue, when it may have one.
    pub(super) fn take(&mut self, now_ns: u64) -> Option<Range<u64>> {
        let credit = || self.queue.has_plenty() && (self.quick || !self.queue.is_one_by_one());
        if self.ranges.len() >= RANGES || (!self.ranges.is_empty() && !credit()) {
            return None;
        }
        let range = self.queue.take(now_ns)?;
        if self.ranges.is_empty() {
            self.began = Instant::now();
        }
        self.ranges.push_back(range.clone());
        // At once: a slot that waits must not think that all is done while this one is telling its child.
        self.mark_busy();
        Some(range)
    }

    /// This slot has been given what it could be given: it counts as idle when that is nothing.
    pub(super) fn settle(&mut self) {
        if self.ranges.is_empty() {
            self.mark_idle();
        } else {
            self.mark_busy();
        }
    }

    /// Acknowledges what a batch covers: every fetch of the front range below `through` has its one row here, or is of an object that nobody fetches.
    pub(super) fn accept(
        &mut self,
        (batch, worker): (&RowBatch, u32),
        is_archived: impl Fn(Range<u64>) -> bool,
    ) -> Result<Vec<Sample>, ImpossibleFrame> {
        let front = self
            .ranges
            .front()
            .cloned()
            .ok_or(ImpossibleFrame("rows of no range"))?;
        if batch.through <= front.start || batch.through > front.end {
            return Err(ImpossibleFrame("rows of another range than its own"));
        }
        let (rows, []) = batch.rows.as_chunks::<{ Sample::ENCODED_LEN }>() else {
            return Err(ImpossibleFrame("half a row"));
        };
        let rows: Vec<Sample> = rows.iter().map(|row| Sample::decode(row)).collect();
        let skipped = |range: Range<u64>| range.is_empty() || is_archived(range);
        let mut next = front.start;
        for row in &rows {
            if row.unit < next
                || row.unit >= batch.through
                || row.worker != worker
                || row.outcome == Outcome::NotAttempted
            {
                return Err(ImpossibleFrame("a row that is not its own"));
            }
            if !skipped(next..row.unit) {
                return Err(ImpossibleFrame("fewer rows than it acknowledged"));
            }
            next = row.unit + 1;
        }
        if !skipped(next..batch.through) {
            return Err(ImpossibleFrame("fewer rows than it acknowledged"));
        }
        self.done_below(batch.through);
        Ok(rows)
    }

    /// How many bytes the child read since its last frame.
    pub(super) fn read(&mut self, traffic: &Traffic, now_ns: u64) -> Result<u64, ImpossibleFrame> {
        let latest = now_ns / 1_000_000_000 + SECONDS_AHEAD;
        let more = traffic
            .bytes
            .checked_sub(self.bytes)
            .filter(|more| *more < MOST_BYTES);
        let likely = traffic
            .series
            .iter()
            .all(|(second, bytes)| *second <= latest && *bytes < MOST_BYTES);
        let more = more
            .filter(|_| likely)
            .ok_or(ImpossibleFrame("a count of bytes that cannot be"))?;
        self.bytes = traffic.bytes;
        Ok(more)
    }

    /// The child died: how far it came in the range that it was at, nobody knows.
    pub(super) fn died(&self) {
        self.front()
            .into_iter()
            .for_each(|range| self.queue.died_at(range));
    }

    /// Fetches of the front range below this one are done.
    pub(super) fn done_below(&mut self, through: u64) {
        let Some(front) = self.ranges.front_mut() else {
            return;
        };
        front.start = through.clamp(front.start, front.end);
        if front.is_empty() {
            self.ranges.pop_front();
            self.quick = self.began.elapsed() < QUICK;
            self.began = Instant::now();
        }
    }

    fn mark_busy(&mut self) {
        if !std::mem::replace(&mut self.counted, true) {
            self.busy.slots.set(self.busy.slots.get() + 1);
        }
    }

    fn mark_idle(&mut self) {
        if std::mem::replace(&mut self.counted, false) {
            let others = self.busy.slots.get() - 1;
            self.busy.slots.set(others);
            if others == 0 {
                self.busy.wake();
            }
        }
    }
}

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        if !self.ranges.is_empty() {
            self.ranges
                .drain(..)
                .for_each(|range| self.queue.give_back(range));
            self.busy.wake();
        }
        // Behind it: until the ranges are back, others wait for them.
        self.mark_idle();
    }
}

/// True when nobody fetches any of these: objects in an archived storage class have no row.
pub(super) fn all_archived(items: &Items, mut units: Range<u64>) -> io::Result<bool> {
    while !units.is_empty() {
        let number = units.start % items.count();
        let count = (units.end - units.start).min(items.count() - number);
        if !items
            .read(number..number + count)?
            .iter()
            .all(|item| item.record.is_archived())
        {
            return Ok(false);
        }
        units.start += count;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::table::Handed;

    fn rows(worker: u32, units: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for unit in units {
            Sample {
                unit: *unit,
                worker,
                outcome: Outcome::Ok,
                ..Sample::default()
            }
            .encode(&mut bytes);
        }
        bytes
    }

    fn batch(through: u64, rows: Vec<u8>) -> RowBatch {
        RowBatch {
            through,
            rows,
            traffic: Traffic::default(),
        }
    }

    /// Item 9 is archived.
    fn is_archived(range: Range<u64>) -> bool {
        range == (9..10)
    }

    fn taken(queue: &Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.take(0)).flatten().collect()
    }

    #[test]
    fn what_is_not_acknowledged_goes_back_whatever_happens() {
        let (queue, busy) = (Queue::new(80, 1, None), Busy::default());
        let mut outstanding = Outstanding::new(&queue, &busy);
        assert_eq!(outstanding.take(0), Some(0..20));
        assert!(busy.any());
        assert_eq!(outstanding.take(0), Some(20..35), "in credit");
        assert_eq!(outstanding.take(0), None, "no more than two");
        let first = batch(12, rows(3, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]));
        assert_eq!(
            outstanding.accept((&first, 3), is_archived).unwrap().len(),
            11
        );
        assert_eq!(outstanding.fetches(), 23);
        drop(outstanding);
        assert!(!busy.any());
        let mut left = taken(&queue);
        left.sort_unstable();
        assert_eq!(left, (12..80).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_dead_child_was_at_is_in_the_account_of_a_run_that_time_ends() {
        let (queue, busy) = (Queue::new(80, 1, Some(1_000)), Busy::default());
        let mut outstanding = Outstanding::new(&queue, &busy);
        assert_eq!(
            (outstanding.take(0), outstanding.take(0)),
            (Some(0..64), Some(64..128))
        );
        outstanding.done_below(60);
        outstanding.died();
        drop(outstanding);
        // The one in credit it had not begun.
        assert_eq!(
            queue.handed(),
            Handed::new(128, (64..128).map(|unit| unit..unit + 1).collect())
        );
    }

    #[test]
    fn a_slot_is_busy_from_the_moment_it_takes_a_range() {
        let (queue, busy) = (Queue::new(1, 1, None), Busy::default());
        let mut news = busy.subscribe();
        let mut outstanding = Outstanding::new(&queue, &busy);
        assert_eq!(outstanding.take(0), Some(0..1));
        assert!(busy.any());
        outstanding
            .accept((&batch(1, rows(0, &[0])), 0), is_archived)
            .unwrap();
        assert!(
            busy.any(),
            "until it is known that there is nothing else for it"
        );
        outstanding.settle();
        assert!(!busy.any() && news.has_changed().unwrap());
        news.mark_unchanged();
        drop(outstanding);
        assert!(!news.has_changed().unwrap());
    }

    #[test]
    fn a_batch_that_does_not_add_up_changes_nothing() {
        let (queue, busy) = (Queue::new(400, 1, None), Busy::default());
        let mut outstanding = Outstanding::new(&queue, &busy);
        assert_eq!(
            outstanding.accept((&batch(1, rows(0, &[0])), 0), is_archived),
            Err(ImpossibleFrame("rows of no range"))
        );
        assert_eq!(outstanding.take(0), Some(0..64));
        let mut cut = rows(0, &[0]);
        cut.pop();
        for (wrong, what) in [
            (batch(0, Vec::new()), "nothing acknowledged"),
            (batch(65, rows(0, &[0])), "more than it has"),
            (batch(2, rows(0, &[0])), "a row is missing"),
            (batch(2, rows(0, &[1])), "the first is missing"),
            (batch(2, rows(0, &[0, 0])), "one twice"),
            (batch(2, rows(0, &[1, 0])), "out of order"),
            (batch(2, rows(0, &[0, 7])), "behind what it acknowledges"),
            (batch(1, rows(1, &[0])), "another worker's"),
            (batch(1, vec![0; Sample::ENCODED_LEN]), "never attempted"),
            (batch(1, cut), "half a row"),
            (batch(u64::MAX, rows(0, &[0])), "beyond all"),
        ] {
            assert!(
                outstanding.accept((&wrong, 0), is_archived).is_err(),
                "{what}"
            );
            assert_eq!(outstanding.front(), Some(0..64), "{what}");
        }
    }

    #[test]
    fn a_count_of_bytes_that_cannot_be_is_not_believed() {
        let (queue, busy) = (Queue::new(1, 1, None), Busy::default());
        let mut outstanding = Outstanding::new(&queue, &busy);
        let said = |bytes, series: &[(u64, u64)]| Traffic {
            bytes,
            series: series.to_vec(),
        };
        assert_eq!(outstanding.read(&said(10, &[(0, 10)]), 0), Ok(10));
        assert_eq!(outstanding.read(&said(15, &[(1, 5)]), 0), Ok(5));
        for wrong in [
            said(14, &[]),
            said(u64::MAX, &[]),
            said(15, &[(1 << 40, 1)]),
            said(15, &[(0, u64::MAX)]),
        ] {
            assert!(
                outstanding.read(&wrong, 5_000_000_000).is_err(),
                "{wrong:?}"
            );
        }
        assert_eq!(outstanding.read(&said(15, &[]), 0), Ok(0));
    }

    #[test]
    fn nobody_has_credit_when_it_would_be_missed_elsewhere() {
        let (queue, busy) = (Queue::new(4, 4, None), Busy::default());
        let mut slots: Vec<_> = (0..4).map(|_| Outstanding::new(&queue, &busy)).collect();
        assert!(
            slots
                .iter_mut()
                .all(|slot| slot.take(0).is_some() && slot.take(0).is_none()),
            "four items, four workers"
        );
        drop(slots);
        let queue = Queue::new(100, 4, None).one_by_one();
        let mut slot = Outstanding::new(&queue, &busy);
        assert_eq!(
            (slot.take(0), slot.take(0)),
            (Some(0..1), None),
            "nobody knows yet how long one takes"
        );
        slot.quick = true;
        assert_eq!(slot.take(0), Some(1..2));
    }
}
