//! Two sets of results against each other: which cells changed, by how much, and how sure that is.
//!
//! Owns the comparison. Cells are matched by their factors, studies by what they fetched. A difference is called one if two tests agree: the values lie
//! apart by their ranks, which assumes nothing, and they lie further apart than the noise of the whole sweep explains, corrected for all cells by Holm.
//! Two sweeps at two times differ by the time too. So a cell of such sets is better or worse only where it moved against the other cells as well; what
//! all of them did together is said by itself, as nothing tells whether it is the change or the time.

mod cells;
mod differences;
mod gaps;
mod overall;
mod programs;
mod rounds;

use super::metric::{Better, Metric};
use super::model::{CellReport, Study};
use super::thresholds::{ALPHA, CONFIDENCE};
use crate::cell::Cell;
use crate::stats::family::holm;
use crate::stats::moderated::moderated_t;
use crate::stats::rank::{RankTest, mann_whitney, ratio};
pub use cells::{Change, Compared, Side};
use cells::{Timing, find};
pub use differences::{Difference, StudyOrigin, StudyPair};
pub use gaps::{FailedRuns, Gaps, LostFetches, Power};
pub use overall::Overall;

/// What two sets of results say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub metric: Metric,
    /// Which way is good.
    pub better: Better,
    /// Cells that both sets have, in the order of the base.
    pub cells: Vec<Compared>,
    /// Tests in the family that Holm's correction is for.
    pub comparisons: usize,
    /// Its significance level.
    pub alpha: f64,
    /// Whether both sets were measured in the same rounds of one sweep, so that time cannot be what differs.
    pub same_time: bool,
    /// All cells together; `None` without any ratio.
    pub overall: Option<Overall>,
    /// The studies that belong together, with what else differs between them.
    pub pairs: Vec<StudyPair>,
    /// What is not compared, and whether the test can say anything.
    pub gaps: Gaps,
}

impl Comparison {
    /// Cells with a significant loss of more than so many per cent: the change of the median, not an end of its interval.
    pub fn losses_over(&self, percent: f64) -> Vec<&Compared> {
        let is_over = |cell: &&Compared| {
            cell.loss(self.better)
                .is_some_and(|loss| loss * 100.0 > percent)
        };
        self.cells.iter().filter(is_over).collect()
    }
}

/// Compares two sets of studies by one metric, as of two times.
pub fn compare(base: &[Study], new: &[Study], metric: Metric) -> Comparison {
    compared((base, new), metric, Timing::TwoTimes)
}

/// Compares one program of the base with another one of the new set. Where both sets are the same slice, they ran in the same rounds of the same
/// sweeps. Without a cell where one of them is missing.
pub fn compare_programs(
    (base, new): (&[Study], &[Study]),
    (before, after): (&str, &str),
    metric: Metric,
) -> Comparison {
    let timing = if std::ptr::eq(base, new) {
        Timing::SameRounds
    } else {
        Timing::TwoTimes
    };
    let only = |studies: &[Study], name| {
        programs::named(base, before).map_or_else(Vec::new, |under| {
            programs::of_program(studies, name, &under)
        })
    };
    compared((&only(base, before), &only(new, after)), metric, timing)
}

fn compared((base, new): (&[Study], &[Study]), metric: Metric, timing: Timing) -> Comparison {
    let pairs = pairs(base, new);
    let found: Vec<OfPair> = (1..)
        .zip(&pairs)
        .map(|(study, pair)| of_pair(study, *pair, (metric, timing)))
        .collect();
    let common = found
        .iter()
        .filter(|_| found.len() == 1)
        .find_map(|found| found.common);
    let mut cells: Vec<Compared> = found.into_iter().flat_map(|found| found.cells).collect();
    let better = metric.better();
    judge(&mut cells, better);
    Comparison {
        metric,
        better,
        comparisons: cells.len(),
        alpha: ALPHA,
        same_time: timing == Timing::SameRounds,
        overall: overall::overall(&cells, common),
        gaps: gaps::gaps((base, new), &pairs, &cells),
        cells,
        pairs: pairs
            .iter()
            .map(|(base, new)| StudyPair::of(base, new, metric))
            .collect(),
    }
}

/// Says of each cell what may be said, corrected for all of them.
fn judge(cells: &mut [Compared], better: Better) {
    let corrected = |p: fn(&Compared) -> f64, rank_p: fn(&Compared) -> f64| -> Vec<f64> {
        let corrected = holm(&cells.iter().map(p).collect::<Vec<_>>());
        let of_ranks = cells.iter().map(rank_p);
        corrected
            .into_iter()
            .zip(of_ranks)
            .map(|(p, rank_p)| p.max(rank_p))
            .collect()
    };
    let at_all = corrected(|cell| cell.total_p, |cell| cell.total_rank_p);
    let both = corrected(|cell| cell.p, |cell| cell.rank_p);
    for (cell, (at_all, both)) in cells.iter_mut().zip(at_all.into_iter().zip(both)) {
        cell.adjusted_p = both;
        cell.change = if both <= ALPHA {
            if cell.is_higher() == (better == Better::Higher) {
                Change::Better
            } else {
                Change::Worse
            }
        } else if at_all <= ALPHA && cell.own_p.is_some() {
            Change::WithAll
        } else {
            Change::Indistinguishable
        };
    }
}

/// Studies of both sets that belong together: those whose workloads differ least, each once, as long as they fetched the same objects and have a cell in
/// common.
fn pairs<'a>(base: &'a [Study], new: &'a [Study]) -> Vec<(&'a Study, &'a Study)> {
    let shares = |one: &Study, other: &Study| {
        one.cells
            .iter()
            .any(|cell| find(other, &cell.cell).is_some())
    };
    let mut candidates: Vec<(usize, usize, usize)> = Vec::new();
    for (first, one) in base.iter().enumerate() {
        let others = new
            .iter()
            .enumerate()
            .filter(|(_, other)| !differences::are_strangers(one, other) && shares(one, other));
        candidates.extend(
            others.map(|(second, other)| (differences::between(one, other).len(), first, second)),
        );
    }
    candidates.sort_unstable();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (_, first, second) in candidates {
        if taken
            .iter()
            .all(|(one, other)| *one != first && *other != second)
        {
            taken.push((first, second));
        }
    }
    taken.sort_unstable();
    taken
        .into_iter()
        .map(|(first, second)| (&base[first], &new[second]))
        .collect()
}

/// The cells of one pair of studies.
struct OfPair {
    cells: Vec<Compared>,
    common: Option<rounds::Common>,
}

fn of_pair(
    study: usize,
    (base, new): (&Study, &Study),
    (metric, timing): (Metric, Timing),
) -> OfPair {
    let base_workload = &base.workload;
    let both = |before: &CellReport| {
        Some((
            before.cell.clone(),
            (
                side(before, metric)?,
                side(find(new, &before.cell)?, metric)?,
            ),
        ))
    };
    let (cells, sides): (Vec<Cell>, Vec<(Side, Side)>) = base.cells.iter().filter_map(both).unzip();
    let (values, common) = rounds::values(&sides, timing);
    let tests = tests(&values);
    let compared = |((cell, (base, new)), (values, tested)): (_, (rounds::Values, _))| {
        let Tested { total, own } = tested?;
        let [before, after] = &values.total;
        let found = ratio(before, after, CONFIDENCE);
        // One that moved the other way against the others did not move by itself in this direction.
        let pairs = (before.len() * after.len()) as f64;
        let own = own.map(|own| {
            if (own.ranks.u > pairs / 2.0) == (total.ranks.u > pairs / 2.0) {
                [own.p, own.ranks.p]
            } else {
                [1.0; 2]
            }
        });
        let [p, rank_p] = own.map_or([total.p, total.ranks.p], |[p, rank_p]| {
            [p.max(total.p), rank_p.max(total.ranks.p)]
        });
        Some(Compared {
            study,
            source: base_workload.title(),
            cell,
            ratio: found.map(|found| found.ratio),
            interval: found.and_then(|found| found.interval),
            base,
            new,
            total_p: total.p,
            own_p: own.map(|[p, _]| p),
            p,
            rank_p,
            total_rank_p: total.ranks.p,
            adjusted_p: 1.0,
            change: Change::Indistinguishable,
        })
    };
    OfPair {
        cells: cells
            .into_iter()
            .zip(sides)
            .zip(values.into_iter().zip(tests))
            .filter_map(compared)
            .collect(),
        common,
    }
}

/// Both tests of both values of a configuration.
struct Tested {
    total: TwoTests,
    own: Option<TwoTests>,
}

/// What two tests say of two samples.
struct TwoTests {
    ranks: RankTest,
    /// Of the moderated t-test, or of the ranks where a value has no logarithm.
    p: f64,
}

/// The tests of all configurations of a pair of studies, whose noise they lend each other; `None` for one without values.
fn tests(values: &[rounds::Values]) -> Vec<Option<Tested>> {
    let of = |wanted: &dyn Fn(&rounds::Values) -> Option<[Vec<f64>; 2]>| -> Vec<Option<TwoTests>> {
        let samples: Vec<[Vec<f64>; 2]> = values
            .iter()
            .map(|values| wanted(values).unwrap_or_default())
            .collect();
        let logs = |samples: &[Vec<f64>; 2]| -> [Vec<f64>; 2] {
            [0, 1].map(|side| samples[side].iter().map(|value| value.ln()).collect())
        };
        let by_noise = moderated_t(&samples.iter().map(logs).collect::<Vec<_>>());
        let test = |([base, new], by_noise): (&[Vec<f64>; 2], Option<f64>)| {
            let ranks = mann_whitney(base, new)?;
            let p = by_noise.unwrap_or(ranks.p);
            Some(TwoTests { ranks, p })
        };
        samples.iter().zip(by_noise).map(test).collect()
    };
    let total = of(&|values| Some(values.total.clone()));
    let own = of(&|values| values.own.clone());
    total
        .into_iter()
        .zip(own)
        .map(|(total, own)| Some(Tested { total: total?, own }))
        .collect()
}

fn side(report: &CellReport, metric: Metric) -> Option<Side> {
    let figure = report.figure(metric)?;
    let known = report
        .observations
        .iter()
        .filter(|observation| observation.value(metric).is_some_and(f64::is_finite));
    let rounds: Option<Vec<cells::Round>> = known
        .map(|observation| Some((observation.sweep.clone()?, observation.repetition)))
        .collect();
    Some(Side {
        values: figure.values.clone(),
        median: figure.median,
        interval: figure.interval,
        failed: report.failures.len(),
        rounds: rounds.filter(|rounds| rounds.len() == figure.values.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::{around, curve};

    /// Cells of concurrency 1, 2, … around these rates.
    fn set(rates: &[f64]) -> Study {
        curve(rates.iter().map(|rate| around(*rate, rate / 50.0)))
    }

    #[test]
    fn the_same_results_differ_nowhere() {
        let one = [set(&[63.0, 126.0, 251.0])];
        let found = compare(&one, &one, Metric::Throughput);
        assert_eq!(found.comparisons, 3);
        for cell in &found.cells {
            assert_eq!(
                (cell.change, cell.ratio, cell.p, cell.adjusted_p),
                (Change::Indistinguishable, Some(1.0), 1.0, 1.0)
            );
        }
        assert_eq!(found.gaps, Gaps::default());
        assert_eq!(found.losses_over(0.0).len(), 0);
    }

    #[test]
    fn a_planted_loss_is_found_in_its_cell_alone() {
        let found = compare(
            &[set(&[63.0, 126.0, 251.0])],
            &[set(&[63.0, 113.4, 251.0])],
            Metric::Throughput,
        );
        let changes: Vec<Change> = found.cells.iter().map(|cell| cell.change).collect();
        assert_eq!(
            changes,
            [
                Change::Indistinguishable,
                Change::Worse,
                Change::Indistinguishable
            ]
        );
        let cell = &found.cells[1];
        // Both sets are multiples of the same six values, so the ratio of their middle pairs is 0.9 itself, and all of new is below all of base.
        assert!(
            (cell.ratio.unwrap() - 0.9).abs() < 1e-12,
            "{:?}",
            cell.ratio
        );
        assert!(
            (cell.rank_p - 2.0 / 924.0).abs() < 1e-15
                && (cell.adjusted_p - cell.rank_p).abs() < 1e-15
        );
        assert!(cell.p < 1e-6, "far beyond the noise: {}", cell.p);
        let interval = cell.interval.unwrap();
        assert!(
            interval.low < 0.9 && interval.high > 0.9 && interval.level >= 0.95,
            "{interval:?}"
        );
        assert_eq!(
            (found.losses_over(9.9).len(), found.losses_over(10.1).len()),
            (1, 0)
        );
    }

    #[test]
    fn more_time_is_worse_and_less_is_better() {
        let slower = |factor: f64| {
            let mut study = set(&[63.0]);
            let values: Vec<f64> = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05]
                .map(|value| value * factor)
                .into();
            study.cells[0]
                .figures
                .insert(Metric::FetchTime, crate::render::fixture::figure(&values));
            study
        };
        let found = compare(&[slower(1.0)], &[slower(1.2)], Metric::FetchTime);
        assert_eq!(found.cells[0].change, Change::Worse);
        assert!((found.cells[0].loss(found.better).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(
            compare(&[slower(1.2)], &[slower(1.0)], Metric::FetchTime).cells[0].change,
            Change::Better
        );
    }

    #[test]
    fn a_count_that_was_0_has_no_ratio_and_its_loss_is_without_end() {
        let failing = |count: f64| {
            let mut study = set(&[63.0]);
            study.cells[0].figures.insert(
                Metric::FailedObjects,
                crate::render::fixture::figure(&[count; 6]),
            );
            study
        };
        let found = compare(&[failing(0.0)], &[failing(5.0)], Metric::FailedObjects);
        assert_eq!(
            (found.cells[0].ratio, found.cells[0].change),
            (None, Change::Worse)
        );
        assert_eq!((found.losses_over(1e9).len(), found.overall), (1, None));
    }

    #[test]
    fn the_study_whose_workload_is_the_same_is_the_other_one() {
        let other = |bucket: &str| {
            let mut study = set(&[63.0]);
            bucket.clone_into(&mut study.workload.bucket);
            // `a` and `c` are copies of each other.
            study.workload.keys = Some(if bucket == "b" { 7 } else { 9 });
            study
        };
        let (base, new) = ([other("a"), other("b")], [other("b"), other("c")]);
        let found = pairs(&base, &new);
        let names: Vec<(&str, &str)> = found
            .iter()
            .map(|(one, other)| (one.workload.bucket.as_str(), other.workload.bucket.as_str()))
            .collect();
        assert_eq!(names, [("a", "c"), ("b", "b")]);
        assert!(
            pairs(&[other("a")], &[other("b")]).is_empty(),
            "other objects are not compared"
        );
    }
}
