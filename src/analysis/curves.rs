//! Cells against each other: curves over concurrency and their knees, the best of a size, speed-ups.

use super::figures::values;
use super::metric::Metric;
use super::model::{Against, CellReport, Curve, Limit, SpeedUp};
use super::notes::{CurveNote, Note};
use super::thresholds::{ALPHA, CONFIDENCE, WITHIN};
use crate::cell::Cell;
use crate::stats::best::{self, standings};
use crate::stats::family::can_reach;
use crate::stats::location::median;
use crate::stats::rank;

/// The most repetitions that are thought of when too few were made.
const MOST_REPETITIONS: usize = 50;

/// The throughput of each repetition, without what the time of the run did to it; empty without figures.
pub(super) fn throughputs(cell: &CellReport) -> &[f64] {
    &cell.steady
}

/// Their median.
pub(super) fn middle(cell: &CellReport) -> f64 {
    median(&cell.steady).unwrap_or(0.0)
}

/// The cells by program, size, factors, mode and shards.
pub(super) fn curves(cells: &[CellReport]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for (place, report) in cells.iter().enumerate() {
        let Cell {
            program,
            cpu_units,
            memory_mib,
            mode,
            shards,
            factors,
            ..
        } = &report.cell;
        // Cells are sorted so that those of a curve are neighbours.
        match curves.last_mut() {
            Some(curve)
                if (
                    &curve.program,
                    curve.cpu_units,
                    curve.memory_mib,
                    curve.mode,
                    curve.shards,
                    &curve.factors,
                ) == (program, *cpu_units, *memory_mib, *mode, *shards, factors) =>
            {
                curve.cells.push(place);
            }
            _ => curves.push(Curve {
                program: program.clone(),
                cpu_units: *cpu_units,
                memory_mib: *memory_mib,
                mode: *mode,
                shards: *shards,
                factors: factors.clone(),
                cells: vec![place],
                knee: None,
                note: None,
            }),
        }
    }
    curves
}

/// Finds the knee of a curve; the verdicts that need no neighbour are there.
pub(super) fn find_knee(curve: &mut Curve, cells: &mut [CellReport]) {
    let measured: Vec<usize> = curve
        .cells
        .iter()
        .copied()
        .filter(|place| !throughputs(&cells[*place]).is_empty())
        .collect();
    if measured.len() < 2 {
        curve.note = Some(CurveNote::OnePoint);
        return;
    }
    let best = measured
        .iter()
        .copied()
        .max_by(|one, other| middle(&cells[*one]).total_cmp(&middle(&cells[*other])));
    if best.is_some_and(|best| cells[best].verdict.word == Limit::ServerBound) {
        curve.note = Some(CurveNote::ServerBound);
        return;
    }
    let groups: Vec<&[f64]> = measured
        .iter()
        .map(|place| throughputs(&cells[*place]))
        .collect();
    let as_fast = best::as_good(&groups, ALPHA, WITHIN);
    let Some(found) = as_fast.iter().position(|is_as_fast| *is_as_fast) else {
        return;
    };
    for (place, is_as_fast) in measured.iter().zip(as_fast) {
        cells[*place].is_as_fast = is_as_fast;
    }
    let place = measured[found];
    cells[place].is_knee = true;
    curve.knee = Some(cells[place].cell.concurrency);
    if found + 1 == measured.len() {
        curve.note = Some(CurveNote::KneeAtEnd);
    }
}

/// Cells of one program and size, as ranges: cells are sorted by them.
fn families(cells: &[CellReport]) -> Vec<std::ops::Range<usize>> {
    let size = |place: usize| {
        let Cell {
            program,
            cpu_units,
            memory_mib,
            ..
        } = &cells[place].cell;
        (program, *cpu_units, *memory_mib)
    };
    let mut ranges = Vec::new();
    let mut first = 0;
    for place in 1..=cells.len() {
        if place == cells.len() || size(place) != size(first) {
            ranges.push(first..place);
            first = place;
        }
    }
    ranges
}

/// Says of each cell whether it is the best of its program and size.
pub(super) fn stand(cells: &mut [CellReport]) {
    for range in families(cells) {
        let found = standings(
            &cells[range.clone()]
                .iter()
                .map(throughputs)
                .collect::<Vec<_>>(),
            ALPHA,
        );
        for (cell, standing) in cells[range].iter_mut().zip(found) {
            cell.standing = standing;
        }
    }
}

/// Whether there are too few repetitions for any difference to be significant; of the largest family that is so.
pub(super) fn too_few(cells: &[CellReport]) -> Option<Note> {
    let families = families(cells).into_iter().filter_map(|range| {
        let measured: Vec<usize> = cells[range.clone()]
            .iter()
            .map(|cell| throughputs(cell).len())
            .filter(|n| *n > 0)
            .collect();
        let comparisons = measured
            .len()
            .checked_sub(1)
            .filter(|comparisons| *comparisons > 0)?;
        let fewest = measured.into_iter().min()?;
        (!can_reach(comparisons, fewest, ALPHA)).then_some((comparisons, fewest, range.start))
    });
    let (comparisons, fewest, first) = families.max_by_key(|(comparisons, ..)| *comparisons)?;
    let needed = (fewest..MOST_REPETITIONS).find(|n| can_reach(comparisons, *n, ALPHA));
    Some(Note::TooFew {
        program: cells[first].cell.program.name().to_owned(),
        cells: comparisons + 1,
        fewest,
        needed,
    })
}

/// Seconds of worker start and fetch, by bytes: runs of a fixed duration differ in their bytes alone, and all others have the same. Where the time alone is
/// known, a run is taken for a run.
fn compared_times(cell: &CellReport) -> Vec<f64> {
    values(&cell.observations, |observation| {
        let seconds = observation.value(Metric::StartAndFetchTime)?;
        if observation.is_timed_alone {
            return Some(seconds);
        }
        let bytes = observation.counts.goodput_bytes;
        Some(seconds / bytes.filter(|bytes| *bytes > 0)? as f64)
    })
}

/// Compares every cell with the first one of its program and with each contender's cell of the same factors.
pub(super) fn speed_up(cells: &mut [CellReport]) {
    let times: Vec<Vec<f64>> = cells.iter().map(compared_times).collect();
    for place in 0..cells.len() {
        let cell = &cells[place].cell;
        let first = (0..cells.len())
            .find(|other| cells[*other].cell.program == cell.program && !times[*other].is_empty());
        let contenders = (0..cells.len()).filter(|other| {
            // Whether it read as much is not known.
            let is_timed_alone = cells[*other].is_timed_alone();
            let other = &cells[*other].cell;
            !is_timed_alone
                && cell.program.is_parfetch()
                && !other.program.is_parfetch()
                && *other
                    == Cell {
                        program: other.program.clone(),
                        ..cell.clone()
                    }
        });
        let against = first
            .filter(|first| *first != place)
            .map(|first| (first, Against::First));
        let against: Vec<(usize, Against)> = against
            .into_iter()
            .chain(contenders.map(|other| (other, Against::Contender)))
            .collect();
        cells[place].speed_ups = against
            .into_iter()
            .filter_map(|(other, kind)| {
                let found = rank::ratio(&times[place], &times[other], CONFIDENCE)?;
                Some(SpeedUp {
                    against: cells[other].cell.clone(),
                    kind,
                    ratio: found.ratio,
                    interval: found.interval,
                })
            })
            .collect();
    }
}
