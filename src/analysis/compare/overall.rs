//! All cells together: the mean of their ratios, and the one factor by which they moved.

use serde::Serialize;

use super::cells::Compared;
use super::rounds::Common;
use crate::analysis::thresholds::ALPHA;
use crate::stats::family::holm;
use crate::stats::location::{Interval, median};

/// Fewer cells than this do not tell what is common to them.
const CELLS: usize = 3;

/// What the cells say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Cells with a ratio.
    pub cells: usize,
    /// Geometric mean of their ratios. It has no interval of its own: with a handful of repetitions a cell none is honest.
    pub geometric_mean: f64,
    /// The factor by which all cells moved together: the middle of the rounds of new against that of the rounds of base; without rounds the median of
    /// the ratios.
    pub common_factor: f64,
    /// Its 95 % interval, in which each round counts once; `None` with too few rounds.
    pub interval: Option<Interval>,
    /// Whether the cells moved, and none of them against the others.
    pub moved_alike: bool,
}

/// `None` when no cell has a ratio.
pub(super) fn overall(cells: &[Compared], common: Option<Common>) -> Option<Overall> {
    let logs: Vec<f64> = cells
        .iter()
        .filter_map(|cell| cell.ratio)
        .map(f64::ln)
        .collect();
    let middle = median(&logs)?.exp();
    let interval = common.and_then(|common| common.interval);
    let moved = interval.is_some_and(|interval| interval.low > 1.0 || interval.high < 1.0);
    let own: Vec<f64> = cells.iter().filter_map(|cell| cell.own_p).collect();
    let is_alike = own.len() >= CELLS && holm(&own).into_iter().all(|p| p > ALPHA);
    Some(Overall {
        cells: logs.len(),
        geometric_mean: (logs.iter().sum::<f64>() / logs.len() as f64).exp(),
        common_factor: common.map_or(middle, |common| common.factor),
        interval,
        moved_alike: moved && is_alike,
    })
}
