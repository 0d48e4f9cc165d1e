//! Which item is next: the same hand-out for all three modes.
//!
//! Workers take short ranges of items, `clamp(remaining / 4N, 1, 64)`: long ones while there is much to do, single items towards the end, so
//! that no worker sits on items that another could fetch. Parts of one object, and the largest objects first, go one by one.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::spool::table::Handed;

/// Longest range handed out.
const LONGEST: u64 = 64;
/// While fewer items than so many for each worker are left, none gets one that it does not begin at once.
const PLENTY: u64 = 2;
/// «Not yet» in `Queue::empty_at_ns`.
const NOT_YET: u64 = u64::MAX;

/// Fetches that no worker has yet.
#[derive(Debug)]
pub struct Queue {
    next: AtomicU64,
    end: u64,
    workers: u64,
    longest: u64,
    /// In a run that time ends: when to stop handing out, in ns since the epoch.
    until_ns: Option<u64>,
    stopped: AtomicBool,
    empty_at_ns: AtomicU64,
    returned: Mutex<Vec<Range<u64>>>,
    /// Whether there is any of them: the lock is taken only then.
    has_returned: AtomicBool,
    /// What workers left of their ranges when the time was up.
    left: Mutex<Vec<Range<u64>>>,
    /// What workers may have begun that died, in a run that time ends.
    begun: Mutex<Vec<Range<u64>>>,
}

impl Queue {
    /// Fetches 0 to `units`; for a run that time ends, as many as fit before `until_ns`.
    pub fn new(units: u64, workers: u32, until_ns: Option<u64>) -> Self {
        let end = if until_ns.is_some() && units > 0 {
            u64::MAX / 2
        } else {
            units
        };
        Self {
            next: AtomicU64::new(0),
            end,
            workers: u64::from(workers),
            longest: LONGEST,
            until_ns,
            stopped: AtomicBool::new(false),
            empty_at_ns: AtomicU64::new(NOT_YET),
            returned: Mutex::default(),
            has_returned: AtomicBool::new(false),
            left: Mutex::default(),
            begun: Mutex::default(),
        }
    }

    /// Hands out single items: where neighbours are parts of one object, or the largest of all, one worker must not get many of them.
    #[must_use]
    pub fn one_by_one(self) -> Self {
        Self { longest: 1, ..self }
    }

    /// True when items are handed out one by one.
    pub(super) fn is_one_by_one(&self) -> bool {
        self.longest == 1
    }

    /// True while so many items are left that no worker goes without should another hold some that it has not begun.
    pub(super) fn has_plenty(&self) -> bool {
        let returned = self
            .returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64;
        self.end.saturating_sub(self.next.load(Ordering::Relaxed)) + returned
            >= PLENTY * self.workers
    }

    /// The next range; `None` when there is none left (now), after [`Self::stop`], or after the time.
    pub fn take(&self, now_ns: u64) -> Option<Range<u64>> {
        if self.is_over(now_ns) {
            return None;
        }
        // A run that time ends never comes to the end of its units: what was given back would wait until the time is up.
        if self.until_ns.is_some()
            && let Some(range) = self.take_returned(now_ns)
        {
            return Some(range);
        }
        let length = |next: u64| {
            ((self.end - next) / (4 * self.workers))
                .clamp(1, self.longest)
                .min(self.end - next)
        };
        let taken = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next < self.end).then(|| next + length(next))
            });
        if let Ok(start) = taken {
            let range = start..start + length(start);
            if range.end == self.end {
                self.empty_at_ns.fetch_min(now_ns, Ordering::Relaxed);
            }
            return Some(range);
        }
        self.take_returned(now_ns)
    }

    fn take_returned(&self, now_ns: u64) -> Option<Range<u64>> {
        if !self.has_returned.load(Ordering::Acquire) {
            return None;
        }
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        let range = returned.pop()?;
        if returned.is_empty() {
            self.has_returned.store(false, Ordering::Release);
            if self.until_ns.is_none() {
                self.empty_at_ns.store(now_ns, Ordering::Relaxed);
            }
        }
        Some(range)
    }

    /// Gives back what a worker that died did not fetch: one by one, for it comes late in the run, and one of them may be what it died of.
    pub fn give_back(&self, range: Range<u64>) {
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        returned.extend(range.rev().map(|unit| unit..unit + 1));
        if !returned.is_empty() {
            self.has_returned.store(true, Ordering::Release);
            self.empty_at_ns.store(NOT_YET, Ordering::Relaxed);
        }
    }

    /// A worker leaves this part of its range, as the run is over. In a run that time ends these were not asked for.
    pub fn leave(&self, range: Range<u64>) {
        if self.until_ns.is_some() && !range.is_empty() {
            self.left
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(range);
        }
    }

    /// A worker died that may have begun these, which come back now. When the time is up before another takes them they were asked for all the same.
    pub fn died_at(&self, range: Range<u64>) {
        if self.until_ns.is_some() && !range.is_empty() {
            self.begun
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(range);
        }
    }

    /// How far units were handed out, and which of them nobody was at when a run was over that time ends. Once every worker has ended.
    pub fn handed(&self) -> Handed {
        let mut left =
            std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        // One by one.
        left.extend(
            returned
                .iter()
                .filter(|unit| !begun.iter().any(|range| range.contains(&unit.start)))
                .cloned(),
        );
        Handed::new(self.next.load(Ordering::Relaxed), left)
    }

    /// True when every key was handed out, and none was given back.
    pub fn is_drained(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.end
            && self
                .returned
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty()
    }

    /// Hands out nothing more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// True after [`Self::stop`] and after the time: a worker then leaves the rest of its range.
    pub fn is_over(&self, now_ns: u64) -> bool {
        let over = self.stopped.load(Ordering::Relaxed)
            || self.until_ns.is_some_and(|until| now_ns >= until);
        if over {
            // Noticed here, for a worker that leaves the rest of its range takes no other.
            self.empty_at_ns.fetch_min(
                self.until_ns.map_or(now_ns, |until| until.min(now_ns)),
                Ordering::Relaxed,
            );
        }
        over
    }

    /// When handing out stops, in ns since the epoch, in a run that time ends.
    pub fn until_ns(&self) -> Option<u64> {
        self.until_ns
    }

    /// When the last key was handed out, in ns since the epoch. `None` when there were fewer keys than workers: they never were all busy.
    pub fn empty_at_ns(&self) -> Option<u64> {
        Some(self.empty_at_ns.load(Ordering::Relaxed))
            .filter(|at| *at != NOT_YET && self.end >= self.workers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_handed_out_once_in_shrinking_ranges() {
        let queue = Queue::new(1_000, 4, None);
        let mut expected = 0;
        let mut longest = u64::MAX;
        while let Some(range) = queue.take(expected) {
            assert_eq!(range.start, expected);
            let length = range.end - range.start;
            assert!((1..=LONGEST).contains(&length) && length <= longest);
            longest = length;
            expected = range.end;
        }
        assert_eq!((expected, longest), (1_000, 1));
        assert_eq!(
            queue.empty_at_ns(),
            Some(999),
            "when the last key was handed out"
        );
    }

    #[test]
    fn single_items_are_handed_out_where_that_was_asked() {
        let queue = Queue::new(1_000, 1, None).one_by_one();
        let ranges: Vec<_> = std::iter::from_fn(|| queue.take(0)).collect();
        assert_eq!(
            ranges,
            (0..1_000).map(|item| item..item + 1).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_is_given_back_comes_next_in_a_run_that_time_ends() {
        let queue = Queue::new(10, 1, Some(100));
        let first = queue.take(0).unwrap();
        queue.give_back(first.clone());
        let again: Vec<_> = (0..first.end).map(|_| queue.take(1).unwrap()).collect();
        assert_eq!(
            again,
            first.clone().map(|unit| unit..unit + 1).collect::<Vec<_>>()
        );
        assert_eq!(
            queue.take(1).map(|range| range.start),
            Some(first.end),
            "then the rest"
        );
        assert_eq!(
            (queue.empty_at_ns(), queue.take(100), queue.empty_at_ns()),
            (None, None, Some(100))
        );
    }

    #[test]
    fn what_is_given_back_comes_again() {
        let queue = Queue::new(1, 1, None);
        assert_eq!(queue.take(0), Some(0..1));
        assert_eq!(queue.take(0), None);
        queue.give_back(0..1);
        assert_eq!(queue.take(0), Some(0..1));
        queue.give_back(5..5);
        assert_eq!(queue.take(0), None);
        queue.give_back(7..9);
        assert!(!queue.is_drained());
        assert_eq!(queue.empty_at_ns(), None, "it is not empty any more");
        assert_eq!(
            (queue.take(3), queue.take(4)),
            (Some(7..8), Some(8..9)),
            "one by one"
        );
        assert_eq!(queue.empty_at_ns(), Some(4));
        assert!(queue.is_drained());
    }

    #[test]
    fn plenty_is_two_items_for_each_worker_wherever_they_come_from() {
        let queue = Queue::new(9, 4, None).one_by_one();
        assert!(queue.has_plenty() && queue.is_one_by_one());
        let first = queue.take(0).unwrap();
        assert!(queue.has_plenty());
        queue.take(0).unwrap();
        assert!(!queue.has_plenty(), "seven are left for four workers");
        queue.give_back(first);
        assert!(queue.has_plenty());
        assert!(
            Queue::new(1, 4, Some(1_000)).has_plenty(),
            "a run that time ends goes round"
        );
    }

    #[test]
    fn time_ends_a_run_whatever_is_left() {
        let queue = Queue::new(10, 2, Some(1_000));
        assert!(queue.take(999).is_some());
        assert_eq!(queue.take(1_005), None);
        assert_eq!(queue.empty_at_ns(), Some(1_000));
        assert_eq!(
            Queue::new(0, 2, Some(1_000)).take(0),
            None,
            "an empty bucket has nothing to go round"
        );
    }

    #[test]
    fn the_time_is_known_though_every_worker_leaves_within_its_range() {
        let queue = Queue::new(10, 2, Some(1_000));
        assert!(queue.take(0).is_some() && !queue.is_over(999));
        assert_eq!(queue.empty_at_ns(), None);
        assert!(queue.is_over(1_007));
        assert_eq!(queue.empty_at_ns(), Some(1_000));
    }

    #[test]
    fn what_is_left_when_the_time_is_up_was_not_asked_for() {
        let queue = Queue::new(10, 2, Some(1_000));
        let (one, other) = (queue.take(0).unwrap(), queue.take(0).unwrap());
        queue.leave(one.start + 3..one.end);
        queue.give_back(other.end - 2..other.end);
        queue.leave(5..5);
        let left = vec![
            one.start + 3..one.end,
            other.end - 1..other.end,
            other.end - 2..other.end - 1,
        ];
        assert_eq!(queue.handed(), Handed::new(128, left));
        // What a dead worker was at is asked for, though nobody comes to it any more.
        let queue = Queue::new(10, 1, Some(1_000));
        let range = queue.take(0).unwrap();
        queue.died_at(range.start..range.end - 1);
        queue.give_back(range.clone());
        assert_eq!(
            queue.handed(),
            Handed::new(64, std::iter::once(range.end - 1..range.end).collect())
        );
        let untimed = Queue::new(10, 1, None);
        untimed.leave(untimed.take(0).unwrap());
        assert_eq!(
            untimed.handed(),
            Handed::new(2, Vec::new()),
            "each key has a row anyway"
        );
    }

    #[test]
    fn a_stopped_queue_hands_out_nothing() {
        let queue = Queue::new(10, 1, None);
        queue.stop();
        assert_eq!(queue.take(0), None);
    }
}
