//! How many fetches were in flight: exact figures from their times, in bounded memory, for any number of them.
//!
//! An interval is half-open, `[start, end)`: an end at an instant counts before a start at the same instant, and one of no length is in flight at
//! no instant.
//! - mean in flight over `[0, window)` = Σ(end − start) ÷ window (Little's law, L = λW, with λ = n ÷ window);
//! - most in flight = the largest number of intervals that hold one instant. It is reached at some start, so the intervals are walked by start,
//!   with the ends of those that are open in a heap.
//!
//! That walk needs them sorted, and they arrive in another order. So they are sorted a chunk at a time, each sorted run goes to a [`Spill`], and the
//! runs are merged (external merge sort; Knuth, The Art of Computer Programming, vol. 3, section 5.4). Memory: 16 bytes for each interval of a
//! chunk, then what the spill needs to read its runs, and 8 bytes for each of the most in flight. No I/O here: where runs wait is the caller's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::num::NonZeroUsize;

/// Start and end of one fetch, nanoseconds since the run's epoch.
pub type FetchSpan = (u64, u64);

/// Where sorted runs wait until they are merged.
pub trait Spill {
    /// Why a run could not be kept or read back.
    type Error;
    /// One run, in the order in which it was appended.
    type Run: Iterator<Item = Result<FetchSpan, Self::Error>>;

    /// Keeps one more run, sorted in ascending order and never empty.
    fn append(&mut self, run: &[FetchSpan]) -> Result<(), Self::Error>;

    /// Every run that was appended.
    fn into_runs(self) -> Result<Vec<Self::Run>, Self::Error>;
}

/// What [`Overlap::finish`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapSummary {
    /// Mean number in flight over the window; `None` for a window of no length.
    pub mean: Option<f64>,
    /// Most in flight at one instant.
    pub most: u64,
}

/// Takes intervals in any order and says how they overlap.
#[derive(Debug)]
pub struct Overlap<S> {
    spill: S,
    chunk: Vec<FetchSpan>,
    chunk_len: usize,
    has_spilled: bool,
    busy_ns: u128,
}

impl<S: Spill> Overlap<S> {
    /// Nothing yet; `spill` takes a run whenever `chunk_len` intervals have come, and nothing when fewer come in all.
    pub fn new(spill: S, chunk_len: NonZeroUsize) -> Self {
        Self {
            spill,
            chunk: Vec::new(),
            chunk_len: chunk_len.get(),
            has_spilled: false,
            busy_ns: 0,
        }
    }

    /// Adds `[start_ns, end_ns)`; one that ends before it starts has no length.
    ///
    /// # Errors
    /// Those of the spill. The figures cannot be had then.
    pub fn push(&mut self, start_ns: u64, end_ns: u64) -> Result<(), S::Error> {
        if end_ns <= start_ns {
            return Ok(());
        }
        // Room is made by the next interval: when exactly a chunk comes in all, it need not be spilled.
        if self.chunk.len() == self.chunk_len {
            self.spill_chunk()?;
        }
        self.busy_ns += u128::from(end_ns - start_ns);
        self.chunk.push((start_ns, end_ns));
        Ok(())
    }

    /// The figures over `[0, window_ns)`, a window that holds every interval.
    ///
    /// # Errors
    /// Those of the spill.
    pub fn finish(mut self, window_ns: u64) -> Result<OverlapSummary, S::Error> {
        let mean = (window_ns > 0).then(|| self.busy_ns as f64 / window_ns as f64);
        if !self.has_spilled {
            self.chunk.sort_unstable();
            return Ok(OverlapSummary {
                mean,
                most: most_in_flight(self.chunk.into_iter().map(Ok))?,
            });
        }
        self.spill_chunk()?;
        // Its memory is free for the readers of the runs.
        drop(self.chunk);
        Ok(OverlapSummary {
            mean,
            most: most_in_flight(Merge::new(self.spill.into_runs()?)?)?,
        })
    }

    fn spill_chunk(&mut self) -> Result<(), S::Error> {
        self.chunk.sort_unstable();
        self.spill.append(&self.chunk)?;
        self.chunk.clear();
        self.has_spilled = true;
        Ok(())
    }
}

/// The most of these intervals, sorted by start, that hold one instant.
fn most_in_flight<E>(sorted: impl Iterator<Item = Result<FetchSpan, E>>) -> Result<u64, E> {
    let mut ends = BinaryHeap::new();
    let mut most = 0;
    for interval in sorted {
        let (start, end) = interval?;
        while ends.peek().is_some_and(|Reverse(first)| *first <= start) {
            ends.pop();
        }
        ends.push(Reverse(end));
        most = most.max(ends.len());
    }
    Ok(u64::try_from(most).expect("a length fits 64 bits"))
}

/// Sorted runs as one; the heap holds the next interval of each.
#[derive(Debug)]
pub struct Merge<R> {
    runs: Vec<R>,
    heads: BinaryHeap<Reverse<(FetchSpan, usize)>>,
}

impl<E, R: Iterator<Item = Result<FetchSpan, E>>> Merge<R> {
    /// Merges runs, each of them sorted in ascending order.
    ///
    /// # Errors
    /// When the first interval of a run cannot be read.
    pub fn new(mut runs: Vec<R>) -> Result<Self, E> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (index, run) in runs.iter_mut().enumerate() {
            if let Some(first) = run.next() {
                heads.push(Reverse((first?, index)));
            }
        }
        Ok(Self { runs, heads })
    }
}

impl<E, R: Iterator<Item = Result<FetchSpan, E>>> Iterator for Merge<R> {
    type Item = Result<FetchSpan, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((interval, index)) = *head;
        match self.runs[index].next() {
            // Replaced in place: the heap is set right once, when `head` goes.
            Some(Ok(next)) => *head = Reverse((next, index)),
            Some(Err(error)) => return Some(Err(error)),
            None => drop(PeekMut::pop(head)),
        }
        Some(Ok(interval))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Runs in memory.
    #[derive(Default)]
    struct Memory(Vec<Vec<FetchSpan>>);

    impl Spill for Memory {
        type Error = Infallible;
        type Run = std::iter::Map<
            std::vec::IntoIter<FetchSpan>,
            fn(FetchSpan) -> Result<FetchSpan, Infallible>,
        >;

        fn append(&mut self, run: &[FetchSpan]) -> Result<(), Infallible> {
            assert!(run.is_sorted() && !run.is_empty());
            self.0.push(run.to_vec());
            Ok(())
        }

        fn into_runs(self) -> Result<Vec<Self::Run>, Infallible> {
            Ok(self
                .0
                .into_iter()
                .map(|run| {
                    run.into_iter()
                        .map(Ok as fn(FetchSpan) -> Result<FetchSpan, Infallible>)
                })
                .collect())
        }
    }

    /// Fails when a run is read.
    struct Broken;

    impl Spill for Broken {
        type Error = &'static str;
        type Run = std::vec::IntoIter<Result<FetchSpan, &'static str>>;

        fn append(&mut self, _: &[FetchSpan]) -> Result<(), &'static str> {
            Ok(())
        }

        fn into_runs(self) -> Result<Vec<Self::Run>, &'static str> {
            Ok(vec![vec![Ok((0, 2)), Err("disk")].into_iter()])
        }
    }

    fn overlap(intervals: &[FetchSpan], chunk_len: usize, window_ns: u64) -> OverlapSummary {
        let mut overlap = Overlap::new(Memory::default(), NonZeroUsize::new(chunk_len).unwrap());
        for (start, end) in intervals {
            overlap.push(*start, *end).unwrap();
        }
        overlap.finish(window_ns).unwrap()
    }

    /// By definition: an interval holds the instants from its start up to, and without, its end.
    fn brute_force(intervals: &[FetchSpan]) -> u64 {
        let holding = |instant: u64| {
            intervals
                .iter()
                .filter(|(start, end)| (*start..*end).contains(&instant))
                .count()
        };
        intervals
            .iter()
            .map(|(start, _)| u64::try_from(holding(*start)).unwrap())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn three_workers_by_hand() {
        // Worker 0: 0-10, 10-30. Worker 1: 2-12, 12-20. Worker 2: 15-25. Busy 58 of 30: at 15 there are three.
        let intervals = [(0, 10), (10, 30), (2, 12), (12, 20), (15, 25)];
        assert_eq!(
            overlap(&intervals, 100, 30),
            OverlapSummary {
                mean: Some(58.0 / 30.0),
                most: 3
            }
        );
        assert_eq!(
            overlap(&intervals, 2, 30),
            OverlapSummary {
                mean: Some(58.0 / 30.0),
                most: 3
            }
        );
    }

    #[test]
    fn an_end_counts_before_a_start_at_the_same_instant() {
        assert_eq!(overlap(&[(5, 9), (0, 5)], 1, 10).most, 1);
        assert_eq!(overlap(&[(4, 9), (0, 5)], 1, 10).most, 2);
    }

    #[test]
    fn without_length_nothing_is_in_flight() {
        assert_eq!(
            overlap(&[(5, 5), (7, 6)], 1, 10),
            OverlapSummary {
                mean: Some(0.0),
                most: 0
            }
        );
        assert_eq!(overlap(&[(0, 9), (5, 5)], 1, 10).most, 1);
        assert_eq!(
            overlap(&[], 1, 0),
            OverlapSummary {
                mean: None,
                most: 0
            }
        );
    }

    #[test]
    fn nothing_is_spilled_when_all_fits_a_chunk() {
        let mut overlap = Overlap::new(Broken, NonZeroUsize::new(2).unwrap());
        overlap.push(0, 2).unwrap();
        overlap.push(1, 3).unwrap();
        assert_eq!(overlap.finish(4).unwrap().most, 2);
    }

    #[test]
    fn what_the_spill_says_reaches_the_caller() {
        let mut overlap = Overlap::new(Broken, NonZeroUsize::MIN);
        overlap.push(0, 2).unwrap();
        overlap.push(1, 3).unwrap();
        assert_eq!(overlap.finish(4).unwrap_err(), "disk");
    }

    proptest! {
        #[test]
        fn figures_are_those_of_a_count_by_definition(
            intervals in prop::collection::vec((0_u64..60).prop_flat_map(|start| (Just(start), start..=start + 20)), 0..200),
            chunk_len in 1_usize..70,
        ) {
            let found = overlap(&intervals, chunk_len, 80);
            let busy: u64 = intervals.iter().map(|(start, end)| end - start).sum();
            prop_assert_eq!(found.most, brute_force(&intervals));
            prop_assert_eq!(found.mean, Some(busy as f64 / 80.0));
        }
    }
}
