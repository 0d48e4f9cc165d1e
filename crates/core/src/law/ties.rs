//! Which one is taken of those that are as good: one rule for what a sweep recommends and for what a tune finds.

use std::collections::HashMap;

use crate::plan::Mode;

/// Of those that cost the same, what is slower than the fastest by more than this factor comes last.
pub const MUCH_SLOWER: f64 = 1.10;

/// A configuration that is as good as the best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tied {
    /// What the caller knows it by.
    pub place: usize,
    /// CPU units and memory of all its tasks: what is paid for.
    pub size: (u64, u64),
    /// Its concurrency model.
    pub mode: Mode,
    /// Its concurrency.
    pub workers: u32,
    /// Logarithm of its seconds.
    pub log_s: f64,
}

/// In the order in which they are taken: the smallest task first, then async before threads before processes, then the fewest workers. Of a size the much
/// slower ones come last: they cost the same where a price is the least one.
pub fn in_order(mut tied: Vec<Tied>) -> Vec<usize> {
    let mut fastest: HashMap<(u64, u64), f64> = HashMap::new();
    for one in &tied {
        let least = fastest.entry(one.size).or_insert(f64::INFINITY);
        *least = least.min(one.log_s);
    }
    tied.sort_by_key(|one| {
        let is_slow = one.log_s > fastest[&one.size] + MUCH_SLOWER.ln();
        (one.size, is_slow, one.mode, one.workers)
    });
    tied.into_iter().map(|one| one.place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_that_is_not_much_slower_is_taken() {
        let one = |place, units, (mode, workers), seconds: f64| Tied {
            place,
            size: (units, 2 * units),
            mode,
            workers,
            log_s: seconds.ln(),
        };
        let tied = vec![
            one(0, 2_048, (Mode::Async, 1), 10.0),
            one(1, 1_024, (Mode::Thread, 1), 20.0),
            one(2, 1_024, (Mode::Async, 4), 21.9),
            one(3, 1_024, (Mode::Async, 2), 22.1),
            one(4, 1_024, (Mode::Async, 8), 20.0),
        ];
        assert_eq!(in_order(tied), [2, 4, 1, 3, 0]);
    }
}
