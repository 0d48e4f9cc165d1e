//! What limited a cell: first what its own repetitions show, then what its neighbours do. METHODOLOGY.md has the rules; their order is here.

use super::curves::{middle, throughputs};
use super::figures::median_of;
use super::grounds::{Doubt, Ground};
use super::metric::Metric;
use super::model::{CellReport, CellVerdict, Curve};
use super::observation::Observation;
use super::thresholds::{ALPHA, REPETITIONS, WIDE, WITHIN};
use crate::cell::Cell;
use crate::results::summary::thresholds::BUSY_SHARE;
use crate::results::summary::{Finding, Limit};
use crate::stats::rank::mann_whitney;

/// The verdict that the cell's own repetitions give, in the median; `Unclear` leaves it to the neighbours.
pub(super) fn alone(cell: &CellReport) -> CellVerdict {
    if cell.observations.is_empty() {
        let mut because: Vec<Ground> = Vec::new();
        for failure in &cell.failures {
            let ground = Ground::Failure(failure.reason.clone());
            if !because.contains(&ground) {
                because.push(ground);
            }
        }
        return CellVerdict {
            word: Limit::Failed,
            because,
        };
    }
    CellVerdict::of(
        [server(cell), cpu(cell), quota(cell), s3(cell), tail(cell)]
            .into_iter()
            .flatten()
            .collect(),
    )
}

fn server(cell: &CellReport) -> Option<Finding<Ground>> {
    let share = median_of(&cell.observations, Observation::server_share)?;
    let ground = Ground::ServerShare(share);
    Some(Finding::of_share(Limit::ServerBound, share, ground))
}

fn cpu(cell: &CellReport) -> Option<Finding<Ground>> {
    let share = cell.figure(Metric::CpuShare)?.median;
    let ground = Ground::CpuShare {
        share,
        vcpu: cell.cell.vcpu() * f64::from(cell.cell.shards),
        of_whole: !cell.cell.program.is_parfetch(),
    };
    Some(Finding::of_share(Limit::CpuBound, share, ground))
}

fn quota(cell: &CellReport) -> Option<Finding<Ground>> {
    let share = median_of(&cell.observations, Observation::quota_share)?;
    let ground = Ground::QuotaShare(share);
    Some(Finding::of_share(Limit::QuotaThrottled, share, ground))
}

fn s3(cell: &CellReport) -> Option<Finding<Ground>> {
    let share = median_of(&cell.observations, Observation::throttled_attempts_share)?;
    let ground = Ground::ThrottledShare(share);
    let by_kms = |observation: &&Observation| {
        let counts = &observation.counts;
        let of_kms = counts.throttles_of_kms.unwrap_or(0).saturating_mul(2);
        counts.throttles.is_some_and(|all| of_kms > all)
    };
    let limit = if is_web(cell) {
        Limit::Throttled
    } else if 2 * cell.observations.iter().filter(by_kms).count() > cell.observations.len() {
        Limit::KmsThrottled
    } else {
        Limit::S3Throttled
    };
    Some(Finding::of_share(limit, share, ground))
}

/// Whether it made requests to a web server.
fn is_web(cell: &CellReport) -> bool {
    cell.observations.iter().any(|one| one.counts.is_web)
}

fn tail(cell: &CellReport) -> Option<Finding<Ground>> {
    if is_web(cell) {
        // Answers have no sizes that decide.
        return None;
    }
    let share = median_of(&cell.observations, |observation| observation.tail_share)?;
    let ground = Ground::TailShare(share);
    Some(Finding::of_share(Limit::TailBound, share, ground))
}

/// Gives the cells of a curve that are still `Unclear` the verdict that its other cells show. The knee is known.
pub(super) fn among_neighbours(curve: &Curve, cells: &mut [CellReport]) {
    let verdicts: Vec<(usize, Limit, Ground)> = curve
        .cells
        .iter()
        .filter(|place| cells[**place].verdict.word == Limit::Unclear)
        .map(|place| {
            let (limit, ground) = neighbours(curve, cells, *place);
            (*place, limit, ground)
        })
        .collect();
    for (place, limit, ground) in verdicts {
        let verdict = &mut cells[place].verdict;
        verdict.word = limit;
        verdict.because.insert(0, ground);
    }
}

/// Where the store is on the same machine, what looks like the network is something else.
pub(super) fn without_network(cells: &mut [CellReport]) {
    let of_network = cells
        .iter_mut()
        .map(|cell| &mut cell.verdict)
        .filter(|verdict| verdict.word == Limit::NetworkBound);
    for verdict in of_network {
        verdict.word = Limit::Unclear;
        if let Some(Ground::Flat { doubt, .. }) = verdict.because.first_mut() {
            *doubt = Some(Doubt::SameMachine);
        }
    }
}

fn neighbours(curve: &Curve, cells: &[CellReport], place: usize) -> (Limit, Ground) {
    let cell = &cells[place];
    let is_measured = |other: &&usize| !throughputs(&cells[**other]).is_empty();
    let measured: Vec<usize> = curve.cells.iter().filter(is_measured).copied().collect();
    if throughputs(cell).is_empty() {
        return (Limit::Unclear, Ground::NoThroughput);
    }
    if measured.len() < 2 {
        return (Limit::Unclear, Ground::OneConcurrency);
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
            Ground::Faster { concurrency, gain },
        );
    }
    if let Some((other, gain)) = faster.more_than_within {
        let ground = Ground::PerhapsFaster {
            concurrency: cells[other].cell.concurrency,
            gain,
            in_all: few_apart(throughputs(cell), throughputs(&cells[other])),
        };
        return (Limit::Unclear, ground);
    }
    if curve.knee.is_none() {
        return (Limit::Unclear, Ground::NoKnee(curve.note));
    }
    let Some((from, to)) = plateau(&measured, cells, place) else {
        return (Limit::Unclear, Ground::Falls);
    };
    if f64::from(to) < f64::from(from) * WIDE {
        // A peak between slower neighbours, or the end of what was measured.
        let is_peak = higher
            .iter()
            .any(|other| cells[*other].cell.concurrency > to);
        let ground = if is_peak {
            Ground::Falls
        } else {
            Ground::Rising
        };
        return (Limit::Unclear, ground);
    }
    let doubt = doubt(&measured, cells, place);
    let limit = if doubt.is_none() {
        Limit::NetworkBound
    } else {
        Limit::Unclear
    };
    (limit, Ground::Flat { from, to, doubt })
}

/// Why a plateau need not be the network's.
fn doubt(measured: &[usize], cells: &[CellReport], place: usize) -> Option<Doubt> {
    if cells[place].is_timed_alone() {
        return Some(Doubt::ReadUnknown);
    }
    let Some(share) = cells[place].figure(Metric::CpuShare) else {
        return Some(Doubt::CpuUnknown);
    };
    if share.median >= BUSY_SHARE {
        return Some(Doubt::Busy(share.median));
    }
    let throttled = measured.iter().find(|other| {
        let word = cells[**other].verdict.word;
        matches!(
            word,
            Limit::S3Throttled | Limit::KmsThrottled | Limit::Throttled
        )
    });
    if let Some(other) = throttled {
        return Some(Doubt::Throttled(cells[*other].cell.concurrency));
    }
    // A faster cell speaks against the network even where so many comparisons leave nothing significant.
    let carries_more = carries_more(cells, place);
    let (other, gain) = carries_more.more_than_within?;
    Some(Doubt::FasterInSize {
        cell: cells[other].cell.clone(),
        gain,
        is_significant: carries_more.significant.is_some(),
    })
}

/// In how many runs of each, too few for any test, all of the one are below all of the other: everybody sees that.
fn few_apart(lower: &[f64], higher: &[f64]) -> Option<usize> {
    let n = lower.len().min(higher.len());
    let is_apart = lower.iter().copied().fold(0.0, f64::max)
        < higher.iter().copied().fold(f64::INFINITY, f64::min);
    (is_apart && n < REPETITIONS).then_some(n)
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
    // Runs an hour are no bytes a second, and those of another program are other runs.
    let is_alike = |other: &CellReport| {
        let is_timed = other.is_timed_alone() || cells[place].is_timed_alone();
        !is_timed || other.cell.program == cells[place].cell.program
    };
    let others: Vec<usize> = (0..cells.len())
        .filter(|other| {
            *other != place
                && is_alike(&cells[*other])
                && size(&cells[*other].cell) == size(&cells[place].cell)
                && !throughputs(&cells[*other]).is_empty()
        })
        .collect();
    faster(&others, cells, place)
}
