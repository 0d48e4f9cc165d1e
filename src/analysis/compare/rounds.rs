//! Both sets round by round: what is left of each value once its round is taken off, and by how much all configurations moved together.

use std::collections::BTreeMap;

use super::cells::{Round, Side, Timing};
use crate::analysis::thresholds::CONFIDENCE;
use crate::stats::location::{Interval, median};
use crate::stats::rank::ratio;
use crate::stats::rounds::{InRound, levels};

/// The values of one configuration, base and new.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    /// Without what moved the rounds of a set against each other.
    pub(super) total: [Vec<f64>; 2],
    /// Without what moved all other configurations as well, from base to new too; `None` where there are no others, and where both sets ran in
    /// the same rounds.
    pub(super) own: Option<[Vec<f64>; 2]>,
}

/// What all configurations did together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Common {
    /// New ÷ base.
    pub(super) factor: f64,
    /// Its 95 % interval: each round is one observation, so that noise which lasts for many runs does not make it too narrow.
    pub(super) interval: Option<Interval>,
}

/// One value with its place.
struct RoundValue {
    cell: usize,
    side: usize,
    log: f64,
    in_round: InRound,
}

/// Takes the rounds off the values of these pairs of base and new.
pub(super) fn values(pairs: &[(Side, Side)], timing: Timing) -> (Vec<Values>, Option<Common>) {
    let mut found: Vec<Values> = pairs
        .iter()
        .map(|(base, new)| Values {
            total: [base.values.clone(), new.values.clone()],
            own: None,
        })
        .collect();
    let runs = runs(pairs, timing);
    let levels = levels(&runs.iter().map(|run| run.in_round).collect::<Vec<_>>());
    let mut start = 0;
    // The runs of a configuration are neighbours.
    for runs_of_cell in runs.chunk_by(|one, other| one.cell == other.cell) {
        let of_cell: Option<Vec<f64>> = levels[start..start + runs_of_cell.len()]
            .iter()
            .copied()
            .collect();
        start += runs_of_cell.len();
        let (Some(levels), Some(first)) = (of_cell, runs_of_cell.first()) else {
            continue;
        };
        let means = [0, 1].map(|side| {
            mean(
                runs_of_cell
                    .iter()
                    .zip(&levels)
                    .filter(|(run, _)| run.side == side)
                    .map(|(_, level)| *level),
            )
        });
        let less = |take: &dyn Fn(&RoundValue, f64) -> f64| {
            [0, 1].map(|side| {
                let of_side = runs_of_cell
                    .iter()
                    .zip(&levels)
                    .filter(|(run, _)| run.side == side);
                of_side
                    .map(|(run, level)| (run.log - take(run, *level)).exp())
                    .collect::<Vec<f64>>()
            })
        };
        let whole = |_: &RoundValue, level: f64| level;
        let within_its_set = |run: &RoundValue, level: f64| level - means[run.side];
        found[first.cell] = if timing == Timing::SameRounds {
            Values {
                total: less(&whole),
                own: None,
            }
        } else {
            Values {
                total: less(&within_its_set),
                own: Some(less(&whole)),
            }
        };
    }
    (found, common(&runs))
}

/// Every value that has a round and a logarithm, of configurations of which all have both.
fn runs(pairs: &[(Side, Side)], timing: Timing) -> Vec<RoundValue> {
    let mut ids: BTreeMap<(usize, Round), usize> = BTreeMap::new();
    let mut runs = Vec::new();
    for (cell, (base, new)) in pairs.iter().enumerate() {
        let (Some(_), Some(_)) = (&base.rounds, &new.rounds) else {
            continue;
        };
        if [base, new].iter().any(|side| {
            side.values
                .iter()
                .any(|value| !value.is_finite() || *value <= 0.0)
        }) {
            continue;
        }
        let logs = [base, new].map(|side| {
            side.values
                .iter()
                .map(|value| value.ln())
                .collect::<Vec<f64>>()
        });
        let (Some(before), Some(after)) = (median(&logs[0]), median(&logs[1])) else {
            continue;
        };
        let middle = f64::midpoint(before, after);
        for (side, (of, logs)) in [base, new].into_iter().zip(&logs).enumerate() {
            for (log, round) in logs.iter().zip(of.rounds.iter().flatten()) {
                let next = ids.len();
                let round = *ids
                    .entry((
                        if timing == Timing::SameRounds {
                            0
                        } else {
                            side
                        },
                        round.clone(),
                    ))
                    .or_insert(next);
                runs.push(RoundValue {
                    cell,
                    side,
                    log: *log,
                    in_round: InRound {
                        round,
                        group: cell,
                        residual: log - middle,
                    },
                });
            }
        }
    }
    runs
}

/// By how much all moved: the middle of each round's residuals, the rounds of new against those of base.
fn common(runs: &[RoundValue]) -> Option<Common> {
    let mut rounds: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for run in runs {
        rounds
            .entry((run.side, run.in_round.round))
            .or_default()
            .push(run.in_round.residual);
    }
    let middles = |wanted: usize| -> Vec<f64> {
        rounds
            .iter()
            .filter(|((side, _), _)| *side == wanted)
            .filter_map(|(_, residuals)| Some(median(residuals)?.exp()))
            .collect()
    };
    let found = ratio(&middles(0), &middles(1), CONFIDENCE)?;
    Some(Common {
        factor: found.ratio,
        interval: found.interval,
    })
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count();
    values.sum::<f64>() / count.max(1) as f64
}
