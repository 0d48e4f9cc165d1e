//! What of two sets is not compared, and whether the test can say anything at all.

use super::cells::{Compared, find};
use super::differences::are_strangers;
use crate::analysis::model::{CellReport, Study};
use crate::analysis::observation::Counts;
use crate::analysis::thresholds::ALPHA;
use crate::cell::Cell;
use crate::stats::rank::{fewest_testable, smallest_p};
use crate::units::{bytes, plural};

/// What a comparison leaves out; of both sets, the base first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Cells with too few repetitions for the test; `None` without any.
    pub power: Option<Power>,
    /// What base and new fetched, where some of their cells are the same and the objects are not; `None` where none are so.
    pub other_objects: Option<[String; 2]>,
    /// Cells that the other set lacks.
    pub alone: [Vec<Cell>; 2],
    /// Cells that both sets have, but not with the metric.
    pub unmeasured: Vec<Cell>,
    /// Repetitions that failed.
    pub failed: [FailedRuns; 2],
    /// What failed in repetitions that count.
    pub lost: [LostFetches; 2],
}

/// Objects or requests of one set that failed, in repetitions whose figures count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostFetches {
    /// How many.
    pub failed: u64,
    /// Of so many that were tried in these cells.
    pub tried: u64,
    /// Whether they are requests to a web server.
    pub are_requests: bool,
    /// Of these cells.
    pub cells: Vec<Cell>,
}

/// How many cells have too few repetitions for a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// Those.
    pub poor: usize,
    /// Of so many.
    pub of: usize,
    /// Repetitions that would do.
    pub needed: usize,
}

/// Failed repetitions of one set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedRuns {
    /// How many.
    pub runs: usize,
    /// Of these cells.
    pub cells: Vec<Cell>,
}

pub(super) fn gaps(
    (base, new): (&[Study], &[Study]),
    pairs: &[(&Study, &Study)],
    compared: &[Compared],
) -> Gaps {
    let swapped: Vec<(&Study, &Study)> = pairs.iter().map(|(base, new)| (*new, *base)).collect();
    Gaps {
        power: power(compared),
        other_objects: other_objects(base, new),
        alone: [alone(base, pairs), alone(new, &swapped)],
        unmeasured: unmeasured(compared, pairs),
        failed: [failed(base), failed(new)],
        lost: [lost(base), lost(new)],
    }
}

/// The first two studies of the sets that share a cell, with their objects, where these are others.
fn other_objects(base: &[Study], new: &[Study]) -> Option<[String; 2]> {
    let shares = |one: &Study, other: &Study| {
        are_strangers(one, other)
            && one
                .cells
                .iter()
                .any(|cell| find(other, &cell.cell).is_some())
    };
    let (one, other) = base.iter().find_map(|one| {
        let other = new.iter().find(|other| shares(one, other))?;
        Some((one, other))
    })?;
    let objects = |study: &Study| {
        let workload = &study.workload;
        let keys = workload.keys.map(|keys| plural(keys, "key"));
        let all: Vec<String> = std::iter::once(workload.title())
            .chain(keys)
            .chain(workload.bytes.map(bytes))
            .collect();
        all.join(", ")
    };
    Some([objects(one), objects(other)])
}

/// Whether repetitions suffice for the rank test: the smallest p that they can give.
fn power(compared: &[Compared]) -> Option<Power> {
    let of = compared.len();
    let can = |cell: &&Compared| smallest_p(cell.base.values.len(), cell.new.values.len()) <= ALPHA;
    let poor = of - compared.iter().filter(can).count();
    (poor > 0).then(|| Power {
        poor,
        of,
        needed: fewest_testable(ALPHA),
    })
}

/// Cells that the other set lacks.
fn alone(studies: &[Study], pairs: &[(&Study, &Study)]) -> Vec<Cell> {
    let partner = |study: &Study| {
        let pair = pairs.iter().find(|(one, _)| std::ptr::eq(*one, study));
        pair.map(|(_, other)| *other)
    };
    let is_alone =
        |study: &Study, cell: &Cell| partner(study).is_none_or(|other| find(other, cell).is_none());
    studies
        .iter()
        .flat_map(|study| study.cells.iter().map(move |report| (study, &report.cell)))
        .filter(|(study, cell)| is_alone(study, cell))
        .map(|(_, cell)| cell.clone())
        .collect()
}

/// Cells that both sets have, but not with the metric.
fn unmeasured(compared: &[Compared], pairs: &[(&Study, &Study)]) -> Vec<Cell> {
    let both = pairs.iter().flat_map(|(base, new)| {
        base.cells
            .iter()
            .filter(|report| find(new, &report.cell).is_some())
    });
    both.map(|report| &report.cell)
        .filter(|cell| !compared.iter().any(|compared| compared.cell == **cell))
        .cloned()
        .collect()
}

fn failed(studies: &[Study]) -> FailedRuns {
    let cells = || studies.iter().flat_map(|study| &study.cells);
    FailedRuns {
        runs: cells().map(|cell| cell.failures.len()).sum(),
        cells: cells()
            .filter(|cell| !cell.failures.is_empty())
            .map(|cell| cell.cell.clone())
            .collect(),
    }
}

fn lost(studies: &[Study]) -> LostFetches {
    let of_cell = |cell: &CellReport, of: fn(&Counts) -> Option<u64>| -> u64 {
        cell.observations
            .iter()
            .filter_map(|one| of(&one.counts))
            .sum()
    };
    let mut lost = LostFetches::default();
    for cell in studies.iter().flat_map(|study| &study.cells) {
        let failed = of_cell(cell, |counts| counts.failed);
        if failed > 0 {
            lost.failed += failed;
            lost.tried += of_cell(cell, |counts| counts.tried);
            lost.cells.push(cell.cell.clone());
        }
    }
    lost.are_requests = studies.iter().any(|study| study.workload.http.is_some());
    lost
}

#[cfg(test)]
mod tests {
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::analysis::model::Study;
    use crate::render::fixture::curve;

    fn set(cells: usize, values: &[f64]) -> Study {
        curve(vec![values.to_vec(); cells])
    }

    #[test]
    fn three_runs_that_do_not_overlap_are_no_tilde() {
        let found = compare(
            &[set(1, &[1.0, 1.1, 1.2])],
            &[set(1, &[3.0, 3.1, 3.3])],
            Metric::Throughput,
        );
        assert!(
            found.cells[0].is_apart() && found.gaps.power.is_some_and(|power| power.of == 1),
            "{found:?}"
        );
        let overlapping = compare(
            &[set(1, &[1.0, 1.1, 3.2])],
            &[set(1, &[3.0, 3.1, 3.3])],
            Metric::Throughput,
        );
        assert!(!overlapping.cells[0].is_apart());
    }

    #[test]
    fn nothing_in_common_is_said() {
        let mut other = set(1, &[1.0]);
        other.cells[0].cell.concurrency = 99;
        let found = compare(&[set(1, &[1.0])], &[other], Metric::Throughput);
        assert_eq!(
            (found.cells.len(), found.gaps.alone.map(|cells| cells.len())),
            (0, [1, 1])
        );
    }
}
