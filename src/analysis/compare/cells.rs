//! One configuration of two sets beside each other, and what may be said of it.

use serde::Serialize;

use crate::analysis::metric::Better;
use crate::analysis::model::{CellReport, Study};
use crate::analysis::thresholds::ALPHA;
use crate::cell::Cell;
use crate::stats::location::Interval;
use crate::stats::rank::smallest_p;

/// A round of a sweep: its name, and which repetition.
pub(super) type Round = (String, u32);

/// When the two sets were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// In the same rounds of one sweep.
    SameRounds,
    /// Each at its own time.
    TwoTimes,
}

/// One cell of both sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Which pair of studies it is of, from 1: cells of different workloads never meet.
    pub study: usize,
    /// What the base fetched there, `s3://bucket/prefix`.
    pub source: String,
    /// Its factors.
    pub cell: Cell,
    /// Before.
    pub base: Side,
    /// After.
    pub new: Side,
    /// New ÷ base, by Hodges and Lehmann, without what moved rounds of a set against each other; `None` when a value is not above 0.
    pub ratio: Option<f64>,
    /// 95 % interval of the ratio; `None` with too few repetitions.
    pub interval: Option<Interval>,
    /// Two-sided p of the moderated t-test of the logarithms that it changed at all; of the rank test where a value is not above 0.
    pub total_p: f64,
    /// The same, that it moved against all other cells; `None` where there are no others or both sets ran in the same rounds.
    pub own_p: Option<f64>,
    /// The larger of the two.
    pub p: f64,
    /// The same by ranks (Mann-Whitney), which assumes nothing of the noise.
    pub rank_p: f64,
    /// The larger of `rank_p` and of `p` corrected for the family by Holm.
    pub adjusted_p: f64,
    /// What may be said.
    pub change: Change,
    /// By ranks, that it changed at all.
    #[serde(skip)]
    pub(super) total_rank_p: f64,
}

/// A cell in one of the sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The repetitions' values.
    pub values: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// Repetitions without figures.
    pub failed: usize,
    /// The round of each value; `None` when they were not made by sweeps, whose order is drawn by lot.
    #[serde(skip)]
    pub(super) rounds: Option<Vec<Round>>,
}

/// What may be said of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing: shown as `~`.
    Indistinguishable,
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// It changed, but not against all the others: whether that is the change or the time is not known.
    WithAll,
}

impl Change {
    /// The word as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Indistinguishable => "indistinguishable",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::WithAll => "with-all",
        }
    }
}

impl Compared {
    /// How much of the median was lost, as a share of the base; `None` unless the cell is significantly worse, alone or with all the others. A loss that no
    /// ratio can tell (from or to 0) is infinite.
    pub fn loss(&self, better: Better) -> Option<f64> {
        // Of the medians, as tables show it: a person sees why the limit was passed.
        let loss = match (self.ratio_of_medians(), better) {
            (None, _) => f64::INFINITY,
            (Some(ratio), Better::Higher) => 1.0 - ratio,
            (Some(ratio), Better::Lower) => ratio - 1.0,
        };
        (self.change == Change::Worse || self.change == Change::WithAll && loss > 0.0)
            .then_some(loss)
    }

    /// Whether all values of one set are above all of the other while they are too few for a test: everybody sees that, and no test shows it.
    pub fn is_apart(&self) -> bool {
        let ends = |side: &Side| {
            let values = || side.values.iter().copied();
            (
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let ((base_low, base_high), (new_low, new_high)) = (ends(&self.base), ends(&self.new));
        let (n, m) = (self.base.values.len(), self.new.values.len());
        let untestable = smallest_p(n, m) > ALPHA;
        self.change == Change::Indistinguishable
            && untestable
            && n.min(m) > 1
            && (base_high < new_low || new_high < base_low)
    }

    /// By how much the median changed, new ÷ base, as anybody computes it from the two; `None` when one is not above 0.
    pub fn ratio_of_medians(&self) -> Option<f64> {
        (self.base.median > 0.0 && self.new.median > 0.0)
            .then(|| self.new.median / self.base.median)
    }

    /// Whether the new values are the higher ones.
    pub(super) fn is_higher(&self) -> bool {
        self.ratio
            .map_or(self.new.median > self.base.median, |ratio| ratio > 1.0)
    }
}

pub(super) fn find<'a>(study: &'a Study, cell: &Cell) -> Option<&'a CellReport> {
    study.cells.iter().find(|report| report.cell == *cell)
}
