//! Which notes a study and its cells have; those on its time and its prices come from there.

use super::curves;
use super::metric::Metric;
use super::model::{CellReport, Facts, Place};
use super::notes::{CellNote, Note, ShortRuns};
use super::observation::Observation;
use super::thresholds::SETTLED_S;

/// A program that fetched for a smaller share of its process's time than this has probably written its time in another unit.
const OWN_TIME_SHARE: f64 = 0.1;

/// What is to be known of a study apart from its time and its prices, which say so themselves.
pub(super) fn of_study(facts: &Facts, cells: &[CellReport], curves: usize) -> Vec<Note> {
    let mut notes = Vec::new();
    if facts.failures > 0 {
        notes.push(Note::Failed {
            failed: facts.failures,
            of: facts.failures + facts.observations,
        });
    }
    if facts.tool_versions.len() > 1 {
        notes.push(Note::Versions(facts.tool_versions.clone()));
    }
    if facts.sweeps.len() > 1 {
        notes.push(Note::Sweeps(facts.sweeps.len()));
    }
    if facts.limited_by.len() > 1 {
        notes.push(Note::Limits(facts.limited_by.clone()));
    }
    let modes = cells.iter().map(|cell| cell.cell.mode);
    notes.extend(Note::no_contrast(modes, facts.client_cpus));
    let is_parfetch = |cell: &CellReport| cell.cell.program.is_parfetch();
    let has_rate = |cell: &CellReport| !is_parfetch(cell) && !cell.is_timed_alone();
    if cells.iter().any(is_parfetch) && cells.iter().any(has_rate) {
        notes.push(Note::ContendersTime);
    }
    notes.extend(timed_alone(cells));
    notes.extend(too_few_done(facts, cells));
    notes.extend(facts.left_out.iter().cloned().map(Note::LeftOut));
    let (timed, others): (Vec<&CellReport>, Vec<&CellReport>) =
        cells.iter().partition(|cell| cell.is_timed_alone());
    notes.extend(too_short(&others).map(Note::ShortRuns));
    notes.extend(too_short(&timed).map(Note::ShortPrograms));
    notes.extend(curves::too_few(cells));
    if cells.len() > 1 {
        notes.push(Note::Tests(curves));
    }
    notes
}

fn timed_alone(cells: &[CellReport]) -> Option<Note> {
    let timed = cells.iter().filter(|cell| cell.is_timed_alone());
    let mut names: Vec<String> = timed
        .map(|cell| cell.cell.program.name().to_owned())
        .collect();
    names.dedup();
    (!names.is_empty()).then_some(Note::TimedAlone(names))
}

fn too_few_done(facts: &Facts, cells: &[CellReport]) -> Option<Note> {
    let planned = usize::try_from(facts.planned_repetitions?).ok()?;
    let lacking = cells
        .iter()
        .filter(|cell| cell.observations.len() + cell.failures.len() < planned)
        .count();
    (lacking > 0).then_some(Note::FewerThanPlanned {
        cells: lacking,
        of: cells.len(),
        planned,
    })
}

fn too_short(cells: &[&CellReport]) -> Option<ShortRuns> {
    let times: Vec<f64> = cells
        .iter()
        .filter_map(|cell| Some(cell.figure(Metric::FetchTime)?.median))
        .collect();
    let short = times.iter().filter(|seconds| **seconds < SETTLED_S).count();
    (short > 0).then(|| ShortRuns {
        cells: short,
        of: times.len(),
        shortest_s: times.iter().copied().fold(f64::INFINITY, f64::min),
    })
}

/// What is to be known of a cell whose Fargate size is found.
pub(super) fn of_cell(report: &CellReport, place: &Place) -> Vec<CellNote> {
    let (cpu_units, memory_mib) = (report.cell.cpu_units, report.cell.memory_mib);
    let mut notes = Vec::new();
    if cpu_units == 0 || memory_mib == 0 {
        notes.push(CellNote::NoSize);
    } else if let Some(size) = report
        .fargate
        .filter(|size| *size != (cpu_units, memory_mib))
    {
        notes.push(CellNote::PricedAs {
            cpu_units: size.0,
            memory_mib: size.1,
            by_peak: size.0 == cpu_units,
        });
    }
    let count = |what: fn(&Observation) -> bool| {
        let found = report.observations.iter().filter(|one| what(one)).count();
        Some(found).filter(|found| *found > 0)
    };
    notes.extend(count(|observation| observation.attempts > 1).map(CellNote::Tries));
    notes.extend(count(|observation| observation.is_overlapped).map(CellNote::Overlapped));
    if report.cell.shards > 1 {
        notes.push(CellNote::Clocks);
    }
    // On Fargate the time from outside has the start of the container in it.
    if !place.is_fargate() {
        notes.extend(own_time(&report.observations));
    }
    notes
}

/// The contender's time that is the smallest share of its process's, where that share is hardly possible.
fn own_time(observations: &[Observation]) -> Option<CellNote> {
    let both = |one: &Observation| Some((one.times.fetch_s?, one.times.wall_s?));
    let (own_s, wall_s) = observations
        .iter()
        .filter(|one| one.is_contender)
        .filter_map(both)
        .filter(|(own_s, wall_s)| own_s < &(wall_s * OWN_TIME_SHARE))
        .min_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)))?;
    Some(CellNote::OwnTime { own_s, wall_s })
}
