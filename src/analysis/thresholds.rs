//! From which figures on a report says something, each once. Those of shares, which a run is judged by as well, are in `results::summary::thresholds`.

pub(crate) use crate::stats::{ALPHA, CONFIDENCE};

/// How far below the best a knee and a plateau may lie.
pub(crate) const WITHIN: f64 = 0.05;
/// How many times its lowest concurrency the highest of a plateau is at least: between neighbours a rate that grows with the concurrency would be
/// flat too.
pub(crate) const WIDE: f64 = 1.5;
/// Fewer repetitions than this say too little to recommend by: with six an interval of 95 % exists.
pub(crate) const REPETITIONS: usize = 6;
/// Seconds of fetching that a recommendation takes: so short a run is mostly its start and its end.
pub(crate) const SHORTEST_S: f64 = 1.0;
/// Seconds of fetching from which a rate is taken as settled: ten periods of a quota.
pub(crate) const SETTLED_S: f64 = 1.0;
/// What is worse by this factor at most is near the best: a choice is to be within it.
pub(crate) const NEAR: f64 = 1.05;
/// Seconds of fetching that a run takes at least where a recommendation is wanted: what a sample is to take by itself.
pub(crate) const ENOUGH_S: f64 = 5.0;
/// Highest ÷ lowest time of an interval from which its answer is called wide: the slower end says another thing than the faster one.
pub(crate) const VARIED: f64 = 2.0;
