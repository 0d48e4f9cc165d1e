//! What limited a cell: first what its own repetitions show, then what its neighbours do. METHODOLOGY.md has the rules; their order is here.

use super::curves::{WITHIN, middle, throughputs};
use super::figures::{ALPHA, median_of};
use super::metric::Metric;
use super::model::{CellReport, Curve};
use super::recommend::REPETITIONS;
use crate::cell::Cell;
use crate::results::summary::thresholds::BUSY_SHARE;
use crate::results::summary::{Finding, Limit, Verdict};
use crate::stats::rank::mann_whitney;
use crate::units;

/// How many times its lowest concurrency the highest of a plateau is at least: between neighbours a rate that grows with the concurrency would be
/// flat too.
pub(crate) const WIDE: f64 = 1.5;

/// The verdict that the cell's own repetitions give, in the median; `Unclear` leaves it to the neighbours.
pub(super) fn alone(cell: &CellReport) -> Verdict {
    if cell.observations.is_empty() {
        let reasons = cell.failures.iter().map(|failure| failure.reason.clone());
        let mut because: Vec<String> = Vec::new();
        for reason in reasons {
            if !because.contains(&reason) {
                because.push(reason);
            }
        }
        return Verdict {
            word: Limit::Failed,
            because,
        };
    }
    Verdict::of(
        [server(cell), cpu(cell), quota(cell), s3(cell), tail(cell)]
            .into_iter()
            .flatten()
            .collect(),
    )
}

fn server(cell: &CellReport) -> Option<Finding> {
    let share = median_of(&cell.observations, super::Observation::server_share)?;
    Some(Finding::of_share(
        Limit::ServerBound,
        share,
        format!(
            "the server used {} of its threads' time",
            units::percent(share)
        ),
    ))
}

fn cpu(cell: &CellReport) -> Option<Finding> {
    let share = cell.figure(Metric::CpuShare)?.median;
    let vcpu = cell.cell.vcpu() * f64::from(cell.cell.shards);
    let doing = if cell.cell.program.is_parfetch() {
        "fetching"
    } else {
        "the whole program"
    };
    Some(Finding::of_share(
        Limit::CpuBound,
        share,
        format!("{doing} used {} of {vcpu} vCPU", units::percent(share)),
    ))
}

fn quota(cell: &CellReport) -> Option<Finding> {
    let share = median_of(&cell.observations, super::Observation::quota_share)?;
    Some(Finding::of_share(
        Limit::QuotaThrottled,
        share,
        format!(
            "the CPU quota held it back for {} of the time",
            units::percent(share)
        ),
    ))
}

fn s3(cell: &CellReport) -> Option<Finding> {
    let share = median_of(
        &cell.observations,
        super::Observation::throttled_attempts_share,
    )?;
    Some(Finding::of_share(
        Limit::S3Throttled,
        share,
        format!("{} of the attempts were throttled", units::percent(share)),
    ))
}

fn tail(cell: &CellReport) -> Option<Finding> {
    let share = median_of(&cell.observations, |observation| observation.tail_share)?;
    Some(Finding::of_share(
        Limit::TailBound,
        share,
        format!("the tail took {} of the fetch time", units::percent(share)),
    ))
}

/// Gives the cells of a curve that are still `Unclear` the verdict that its other cells show. The knee is known.
pub(super) fn among_neighbours(curve: &Curve, cells: &mut [CellReport]) {
    let verdicts: Vec<(usize, Limit, String)> = curve
        .cells
        .iter()
        .filter(|place| cells[**place].verdict.word == Limit::Unclear)
        .map(|place| {
            let (limit, figure) = neighbours(curve, cells, *place);
            (*place, limit, figure)
        })
        .collect();
    for (place, limit, figure) in verdicts {
        let verdict = &mut cells[place].verdict;
        verdict.word = limit;
        verdict.because.insert(0, figure);
    }
}

fn neighbours(curve: &Curve, cells: &[CellReport], place: usize) -> (Limit, String) {
    let cell = &cells[place];
    let is_measured = |other: &&usize| !throughputs(&cells[**other]).is_empty();
    let measured: Vec<usize> = curve.cells.iter().filter(is_measured).copied().collect();
    if throughputs(cell).is_empty() {
        return (Limit::Unclear, "its throughput is not known".to_owned());
    }
    if measured.len() < 2 {
        return (Limit::Unclear, "only several numbers of workers show whether the network or the single connection sets the rate".to_owned());
    }
    let higher: Vec<usize> = measured
        .iter()
        .copied()
        .filter(|other| cells[*other].cell.concurrency > cell.cell.concurrency)
        .collect();
    let faster = faster(&higher, cells, place);
    if let Some((other, gain)) = faster.significant {
        let concurrency = cells[other].cell.concurrency;
        return (
            Limit::PerConnectionBound,
            format!(
                "concurrency {concurrency} is {} faster: raise the concurrency",
                units::percent(gain)
            ),
        );
    }
    if let Some((other, gain)) = faster.more_than_within {
        let concurrency = cells[other].cell.concurrency;
        let few = few(throughputs(cell), throughputs(&cells[other]));
        let so = few.unwrap_or_else(|| ", which chance would do as well".to_owned());
        return (
            Limit::Unclear,
            format!("concurrency {concurrency} is {}{so}", by_how_much(gain)),
        );
    }
    if curve.knee.is_none() {
        return (
            Limit::Unclear,
            curve
                .note
                .clone()
                .unwrap_or_else(|| "its curve has no knee".to_owned()),
        );
    }
    let Some((from, to)) = plateau(&measured, cells, place) else {
        return (
            Limit::Unclear,
            "at higher concurrency than the best the rate falls, and the processor is not full"
                .to_owned(),
        );
    };
    if f64::from(to) < f64::from(from) * WIDE {
        return (
            Limit::Unclear,
            "it is the highest concurrency measured, or next to it, and the rate was still rising"
                .to_owned(),
        );
    }
    if cell.figure(Metric::CpuShare).is_none() {
        return (
            Limit::Unclear,
            format!(
                "flat from concurrency {from} to {to}, and how busy the processor was is not known"
            ),
        );
    }
    if let Some(share) = cell
        .figure(Metric::CpuShare)
        .map(|figure| figure.median)
        .filter(|share| *share >= BUSY_SHARE)
    {
        return (
            Limit::Unclear,
            format!(
                "flat from concurrency {from} to {to} with {} of the vCPU used: too much to say whether the network or the CPU is the limit",
                units::percent(share)
            ),
        );
    }
    let throttled = measured
        .iter()
        .find(|other| cells[**other].verdict.word == Limit::S3Throttled);
    if let Some(other) = throttled {
        let concurrency = cells[*other].cell.concurrency;
        return (
            Limit::Unclear,
            format!(
                "flat from concurrency {from} to {to}, and S3 throttled concurrency {concurrency}: its limit may be near"
            ),
        );
    }
    // A faster cell speaks against the network even where so many comparisons leave nothing significant.
    let carries_more = carries_more(cells, place);
    if let Some((other, gain)) = carries_more.more_than_within {
        let Cell {
            program,
            mode,
            concurrency,
            ..
        } = &cells[other].cell;
        let what = format!(
            "{} {mode} × {concurrency} is {} faster in the same size",
            program.name(),
            units::percent(gain)
        );
        let so = if carries_more.significant.is_some() {
            ": not the network"
        } else {
            ", which is not significant among so many configurations"
        };
        return (
            Limit::Unclear,
            format!("flat from concurrency {from} to {to}, yet {what}{so}"),
        );
    }
    (
        Limit::NetworkBound,
        format!("flat from concurrency {from} to {to} with the processor not full"),
    )
}

/// What to say of repetitions that are too few for any test although all of the one are below all of the other: everybody sees that.
fn few(lower: &[f64], higher: &[f64]) -> Option<String> {
    let n = lower.len().min(higher.len());
    let apart = lower.iter().copied().fold(0.0, f64::max)
        < higher.iter().copied().fold(f64::INFINITY, f64::min);
    let all = if n == 1 {
        " in the one run of each".to_owned()
    } else {
        format!(" in all {n} runs of each")
    };
    (apart && n < REPETITIONS)
        .then(|| format!("{all}; {REPETITIONS} runs of each would show whether that is chance"))
}

/// `3.2 times as fast`, `18.0 % faster`.
fn by_how_much(gain: f64) -> String {
    if gain >= 1.0 {
        format!("{:.1} times as fast", gain + 1.0)
    } else {
        format!("{} faster", units::percent(gain))
    }
}

/// The lowest and the highest concurrency whose rate is within 5 % of the best of the curve; `None` when this cell's is not.
fn plateau(measured: &[usize], cells: &[CellReport], place: usize) -> Option<(u32, u32)> {
    let best = measured
        .iter()
        .map(|other| middle(&cells[*other]))
        .fold(0.0, f64::max);
    let is_flat = |place: usize| middle(&cells[place]) >= best * (1.0 - WITHIN);
    let flat = || {
        measured
            .iter()
            .copied()
            .filter(|other| is_flat(*other))
            .map(|other| cells[other].cell.concurrency)
    };
    is_flat(place)
        .then(|| flat().min().zip(flat().max()))
        .flatten()
}

/// The fastest of some cells, when it is more than 5 % faster, with the gain as a share.
struct Faster {
    significant: Option<(usize, f64)>,
    more_than_within: Option<(usize, f64)>,
}

/// Looks among `others`. Only the fastest is tested, and as it was picked out of all of them, its p counts as often as there are cells (Bonferroni;
/// Holm's correction asks the same of the smallest p). A test of each would take seconds where there are hundreds of cells.
fn faster(others: &[usize], cells: &[CellReport], place: usize) -> Faster {
    let gain = |other: usize| middle(&cells[other]) / middle(&cells[place]) - 1.0;
    let best = others
        .iter()
        .map(|other| (*other, gain(*other)))
        .max_by(|one, other| one.1.total_cmp(&other.1));
    let more_than_within = best.filter(|(_, gain)| *gain > WITHIN);
    let is_significant = |other: usize| {
        let test = mann_whitney(throughputs(&cells[place]), throughputs(&cells[other]));
        test.is_some_and(|test| test.p * others.len() as f64 <= ALPHA)
    };
    Faster {
        significant: more_than_within.filter(|(other, _)| is_significant(*other)),
        more_than_within,
    }
}

/// The fastest cell of the same size, when it is more than 5 % faster, whatever its program, mode and concurrency: then it is not the network
/// that holds this one back, but itself (an interpreter's lock, a single thread).
fn carries_more(cells: &[CellReport], place: usize) -> Faster {
    let size = |cell: &Cell| (cell.cpu_units, cell.memory_mib, cell.shards);
    let others: Vec<usize> = (0..cells.len())
        .filter(|other| {
            *other != place
                && size(&cells[*other].cell) == size(&cells[place].cell)
                && !throughputs(&cells[*other]).is_empty()
        })
        .collect();
    faster(&others, cells, place)
}
