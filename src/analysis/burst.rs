//! What the network of one size of task was seen to carry, in a burst and after it.
//!
//! The credit for a burst belongs to the size (vCPU and memory), not to what fetches in it: a drop that one cell saw holds for every cell of its size. One
//! slow repetition decides nothing: of a cell the medians count, and of a size the medians of its cells.

use super::figures::median_of;
use super::observation::{Observation, RateDrop};
use crate::cell::Cell;
use crate::stats::location::median;

/// How much longer than to its drop a run lasts at least in which the drop would have been seen: a change takes so many seconds on either side.
const SEEN_AFTER_S: f64 = 10.0;
/// A rate this much above the sustained one uses a burst's credit; below it the difference is noise.
const ABOVE: f64 = 1.02;
/// Cells that agree on when a burst ended, by their clocks, must differ so much in their rates: else their clocks agree anyway.
const RATES_APART: f64 = 1.3;

/// The burst of one size, of one task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Burst {
    /// Bytes a second after it.
    pub(super) sustained_bytes_per_s: f64,
    /// Bytes above the sustained rate until it ended.
    credit_bytes: f64,
    /// Seconds until it ended.
    at_s: f64,
    /// Which of the two is the same for slow and fast cells.
    pub(super) ends: Ends,
    /// Of the drop that the middle cell saw.
    p: f64,
}

/// What ends a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// The bytes above the sustained rate.
    Credit,
    /// The time.
    Clock,
    /// Either: only cells that are about as fast saw it. What is slower may have longer, or not.
    Unknown,
}

/// What one cell saw of its drop.
struct Drop {
    before: f64,
    after: f64,
    at_s: f64,
    credit: f64,
    p: f64,
}

/// The rate of a repetition while every worker was busy and nothing had dropped yet, bytes of complete objects a second.
pub(super) fn rate(observation: &Observation) -> Option<f64> {
    if let Some(drop) = observation.trend.and_then(|trend| trend.drop) {
        return Some(drop.before_bytes_per_s);
    }
    let mean = || {
        Some(
            observation.counts.goodput_bytes? as f64
                / observation.times.fetch_s.filter(|seconds| *seconds > 0.0)?,
        )
    };
    observation.active_window_bytes_per_s.or_else(mean)
}

/// The drop of a cell, when at least half of the repetitions saw it that lasted long enough.
pub(super) fn drop_of<'a>(
    observations: impl Iterator<Item = &'a Observation> + Clone,
) -> Option<RateDrop> {
    let drops: Vec<RateDrop> = observations
        .clone()
        .filter_map(|observation| observation.trend?.drop)
        .collect();
    let middle = |of: fn(&RateDrop) -> f64| median(&drops.iter().map(of).collect::<Vec<_>>());
    let at_s = middle(|drop| drop.at_s)?;
    let long = observations
        .filter(|observation| {
            observation
                .times
                .fetch_s
                .is_some_and(|seconds| seconds >= at_s + SEEN_AFTER_S)
        })
        .count();
    if drops.len() * 2 < long {
        return None;
    }
    let before = middle(|drop| drop.before_bytes_per_s)?;
    // Of each run by itself: a run that is slow is slow before and after.
    let fell = middle(|drop| drop.after_bytes_per_s / drop.before_bytes_per_s.max(1.0))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a median of numbers of bytes"
    )]
    let bytes = middle(|drop| drop.bytes as f64)?.round() as u64;
    Some(RateDrop {
        at_s,
        bytes,
        before_bytes_per_s: before,
        after_bytes_per_s: before * fell,
        p: middle(|drop| drop.p)?,
    })
}

/// The burst that these cells of one size saw, each with every repetition that tells of it; `None` when none of them saw its end.
pub(super) fn of_size(cells: &[(&Cell, Vec<&Observation>)]) -> Option<Burst> {
    let shards = |cell: &Cell| f64::from(cell.shards.max(1));
    let drops: Vec<Drop> = cells
        .iter()
        .filter_map(|(cell, observations)| {
            let drop = drop_of(observations.iter().copied())?;
            let (before, fell) = (
                drop.before_bytes_per_s / shards(cell),
                drop.after_bytes_per_s / drop.before_bytes_per_s.max(1.0),
            );
            let credit = (drop.bytes as f64 / shards(cell) - before * fell * drop.at_s).max(0.0);
            // Few runs last beyond a drop, and one may have been slow throughout. How far the rate fell does not depend on that; how fast it was before is
            // known from all runs of the cell.
            let usual = median(
                &observations
                    .iter()
                    .filter_map(|observation| rate(observation))
                    .collect::<Vec<_>>(),
            )? / shards(cell);
            Some(Drop {
                before,
                after: usual * fell,
                at_s: drop.at_s,
                credit,
                p: drop.p,
            })
        })
        .collect();
    let middle = |of: fn(&Drop) -> f64| median(&drops.iter().map(of).collect::<Vec<_>>());
    Some(Burst {
        sustained_bytes_per_s: middle(|drop| drop.after)?,
        credit_bytes: middle(|drop| drop.credit)?,
        at_s: middle(|drop| drop.at_s)?,
        ends: ends(&drops),
        p: middle(|drop| drop.p)?,
    })
}

/// Whether cells of different rates agree better on the time of their drops or on the bytes above the sustained rate.
fn ends(drops: &[Drop]) -> Ends {
    let spread = |of: fn(&Drop) -> f64| {
        let values = || drops.iter().map(|drop| of(drop).max(1e-9));
        values().fold(0.0, f64::max) / values().fold(f64::INFINITY, f64::min)
    };
    if drops.len() < 2 || spread(|drop| drop.before) < RATES_APART {
        return Ends::Unknown;
    }
    if spread(|drop| drop.at_s) < spread(|drop| drop.credit) {
        Ends::Clock
    } else {
        Ends::Credit
    }
}

impl Burst {
    /// Whether so many bytes a second of one task use the credit.
    pub(super) fn is_above(&self, bytes_per_s: f64) -> bool {
        bytes_per_s > self.sustained_bytes_per_s * ABOVE
    }

    /// The same size in a run that is slower or faster by this factor.
    pub(super) fn times(self, factor: f64) -> Self {
        Self {
            sustained_bytes_per_s: self.sustained_bytes_per_s * factor,
            ..self
        }
    }

    /// Seconds until a burst of this rate ends; where it is not known what ends it, the earlier of the two: nothing was seen beyond.
    fn lasts_s(&self, bytes_per_s: f64) -> f64 {
        let by_credit = self.credit_bytes / (bytes_per_s - self.sustained_bytes_per_s).max(1e-9);
        match self.ends {
            Ends::Credit => by_credit,
            Ends::Clock => self.at_s,
            Ends::Unknown => by_credit.min(self.at_s),
        }
    }

    /// The same, if what it is ended by is what lets it last longest for this rate; `None` where that is known.
    pub(super) fn longest(self, bytes_per_s: f64) -> Option<Self> {
        let by_credit = Self {
            ends: Ends::Credit,
            ..self
        };
        let by_clock = Self {
            ends: Ends::Clock,
            ..self
        };
        (self.ends == Ends::Unknown).then_some(if by_credit.lasts_s(bytes_per_s) > self.at_s {
            by_credit
        } else {
            by_clock
        })
    }

    /// The drop that a rate above the sustained one has ahead.
    pub(super) fn drop(&self, bytes_per_s: f64) -> RateDrop {
        let at_s = self.lasts_s(bytes_per_s);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates"
        )]
        let bytes = (at_s * bytes_per_s) as u64;
        RateDrop {
            at_s,
            bytes,
            before_bytes_per_s: bytes_per_s,
            after_bytes_per_s: self.sustained_bytes_per_s,
            p: self.p,
        }
    }

    /// Seconds for so many bytes: the burst's rate until it ends, the sustained one from then on.
    pub(super) fn seconds(&self, bytes: f64, bytes_per_s: f64) -> f64 {
        let at_once = bytes / bytes_per_s;
        if !self.is_above(bytes_per_s) {
            return at_once;
        }
        let lasts_s = self.lasts_s(bytes_per_s);
        if at_once <= lasts_s {
            at_once
        } else {
            lasts_s + (bytes - lasts_s * bytes_per_s) / self.sustained_bytes_per_s.max(1.0)
        }
    }
}

/// How long the first rate of a cell was seen to hold, with the drop of its repetitions.
pub(super) fn held<'a>(
    observations: impl Iterator<Item = &'a Observation> + Clone,
) -> Option<super::Held> {
    let drop = drop_of(observations.clone());
    let seen = observations.filter_map(|observation| {
        observation
            .trend
            .map(|trend| trend.held_s)
            .or(observation.times.fetch_s)
    });
    let longest = seen.reduce(f64::max)?;
    Some(super::Held {
        held_s: drop.map_or(longest, |drop| drop.at_s),
        drop,
    })
}

/// The rate of a cell, in the median.
pub(super) fn middle_rate(observations: &[Observation]) -> Option<f64> {
    median_of(observations, rate)
}
