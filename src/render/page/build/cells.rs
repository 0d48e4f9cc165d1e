//! Cells of the model → cells of the page: units, shares of the size's best, marks.

use super::super::types::{PageCell, PageInterval, PageStanding, RateUnit};
use super::part::ProgramPart;
use crate::analysis::{self, CellReport, Figure, Metric, Study};
use crate::render::wording::sections::{AnswerMark, answer_mark};
use crate::render::wording::verdict;
use crate::units;

/// Bytes of a MB, bytes a second of a MB/s.
const MEGA: f64 = 1e6;
const HOUR_S: f64 = 3_600.0;

/// The cells of one program, in the order of the study.
pub(super) fn cells(part: &ProgramPart<'_>) -> Vec<PageCell> {
    part.places.iter().map(|place| cell(part, *place)).collect()
}

/// What the rates of a program are in.
pub(super) fn rate_unit(part: &ProgramPart<'_>) -> RateUnit {
    match part.study.workload.rate() {
        _ if part.is_timed_alone => RateUnit::RunsPerH,
        Metric::RequestsPerS => RateUnit::RequestsPerS,
        _ => RateUnit::MbPerS,
    }
}

/// Its rate in the unit of its program.
fn throughput(study: &Study, report: &CellReport) -> Option<PageInterval> {
    let figure = |metric| report.figure(metric);
    if report.is_timed_alone() {
        // The longest time is the lowest rate.
        let times = interval(figure(Metric::FetchTime)?, HOUR_S);
        return Some(PageInterval {
            median: 1.0 / times.median,
            range: times.range.map(|(low, high)| (1.0 / high, 1.0 / low)),
        });
    }
    let metric = study.workload.rate();
    let of_unit = if metric == Metric::RequestsPerS {
        1.0
    } else {
        MEGA
    };
    Some(interval(figure(metric)?, of_unit))
}

/// The middle of it.
fn rate(study: &Study, report: &CellReport) -> Option<f64> {
    report.observations.first()?;
    Some(throughput(study, report)?.median)
}

fn median(cell: &CellReport, metric: Metric) -> Option<f64> {
    cell.figure(metric).map(|figure| figure.median)
}

/// The figure in the page's unit, of which one is `by` of the model's.
fn interval(figure: &Figure, by: f64) -> PageInterval {
    PageInterval {
        median: figure.median / by,
        range: figure
            .interval
            .map(|interval| (interval.low / by, interval.high / by)),
    }
}

fn cell(part: &ProgramPart<'_>, place: usize) -> PageCell {
    let report = &part.study.cells[place];
    let AnswerMark { letters, chosen } = answer_mark(part.study, place);
    let milliseconds = |metric| median(report, metric).map(|seconds| seconds * 1e3);
    // A contender's CPU is known from outside alone, for its whole processes.
    let cpu = if part.program.is_parfetch() {
        Metric::CpuPerGb
    } else {
        Metric::WholeCpuPerGb
    };
    PageCell {
        size: part.size(&report.cell).unwrap_or(usize::MAX),
        mode: report.cell.mode.to_string(),
        concurrency: u64::from(report.cell.concurrency),
        chosen: units::upper_first(chosen),
        mark: letters,
        standing: standing(report),
        as_fast: report.is_as_fast,
        failures: u32::try_from(report.failures.len()).unwrap_or(u32::MAX),
        best_of_mode: is_best_of_mode(part, place),
        knee: report.is_knee,
        repetitions: u32::try_from(report.observations.len()).unwrap_or(u32::MAX),
        rate_unit: rate_unit(part),
        throughput: throughput(part.study, report),
        share_of_best: share_of_best(part, report),
        seconds: report
            .figure(Metric::FetchTime)
            .map(|figure| interval(figure, 1.0)),
        ttfb_p50_ms: milliseconds(Metric::TtfbP50),
        ttfb_p99_ms: milliseconds(Metric::TtfbP99),
        latency_p50_ms: milliseconds(Metric::LatencyP50),
        latency_p99_ms: milliseconds(Metric::LatencyP99),
        cpu_s_per_gb: median(report, cpu),
        memory_mb: median(report, Metric::PeakMemory).map(|bytes| bytes / MEGA),
        usd: part.per.tasks(report),
        attempts: total(report, |observation| observation.counts.attempts),
        errors: total(report, |observation| observation.counts.failed),
        limit: verdict::limit_of(report),
    }
}

/// Of all repetitions together; unknown when one of them does not know it, or there is none.
fn total(report: &CellReport, of: impl Fn(&analysis::Observation) -> Option<u64>) -> Option<u64> {
    report.observations.first()?;
    report.observations.iter().map(of).sum()
}

fn standing(report: &CellReport) -> PageStanding {
    match report.standing {
        analysis::Standing::Best => PageStanding::Highest,
        analysis::Standing::Indistinguishable { .. }
        | analysis::Standing::Worse { .. }
        | analysis::Standing::Apart => PageStanding::Measured,
        analysis::Standing::Unknown if report.has_failures() => PageStanding::Failed,
        analysis::Standing::Unknown => PageStanding::Missing,
    }
}

/// Against the cell that the model calls the best of this program and size (vCPU and memory, whatever the shards); where that is on another server, against
/// the highest here.
fn share_of_best(part: &ProgramPart<'_>, report: &CellReport) -> Option<f64> {
    let size = (report.cell.cpu_units, report.cell.memory_mib);
    let of_size = |other: &&CellReport| (other.cell.cpu_units, other.cell.memory_mib) == size;
    let here = || part.reports().filter(of_size);
    let best = here().find(|other| other.standing == analysis::Standing::Best);
    let highest = || {
        here()
            .filter_map(|other| rate(part.study, other))
            .reduce(f64::max)
    };
    let best = match best {
        Some(best) => rate(part.study, best),
        None if part.study.workload.http.is_some() => highest(),
        None => None,
    };
    Some(rate(part.study, report)? / best.filter(|best| *best > 0.0)?)
}

/// Whether it is the first of the highest medians of its curve.
fn is_best_of_mode(part: &ProgramPart<'_>, place: usize) -> bool {
    let Some(curve) = part
        .study
        .curves
        .iter()
        .find(|curve| curve.cells.contains(&place))
    else {
        return false;
    };
    let mut best: Option<(usize, f64)> = None;
    for other in &curve.cells {
        let other_cell = part.study.cells.get(*other);
        let Some(rate) = other_cell.and_then(|report| rate(part.study, report)) else {
            continue;
        };
        if best.is_none_or(|(_, highest)| rate > highest) {
            best = Some((*other, rate));
        }
    }
    best.is_some_and(|(best, _)| best == place)
}
