//! What a tune may fetch and cost, before any of it.

use super::TuneJob;
use crate::cell::Cell;
use crate::estimate::{Bytes, Estimate};
use crate::sweep::begin::{configuration, speed};
use crate::sweep::plan::TunePlan;
use crate::sweep::setup::ReadySweep;
use crate::units::round_to_u64;

/// What it may fetch at the most, by an assumed rate.
pub(super) fn estimate(job: &TuneJob, ready: &ReadySweep<'_>) -> Estimate {
    let sweep = &job.sweep;
    let cells = ready.cells.iter().collect::<Vec<_>>();
    let of_all = ready.estimate(sweep, &cells);
    let seconds = sweep.plan.tune.as_ref().map_or(0.0, TunePlan::run_s);
    let facts = &ready.facts;
    let (keys, bytes) = (facts.keys as f64, facts.bytes);
    let speed = speed(sweep, &ready.cells);
    // Of the whole list, in the mean of the configurations: a contender lists it, and reads all of it.
    let of_run = |cell: &Cell| {
        let all_s = speed.seconds(configuration(cell), (keys, bytes.unwrap_or(0) as f64));
        if cell.program.is_parfetch() {
            let share = (seconds / all_s.max(f64::MIN_POSITIVE)).min(1.0);
            (share, seconds)
        } else {
            (1.0, all_s.max(seconds))
        }
    };
    let each: Vec<(f64, f64)> = cells.iter().map(|cell| of_run(cell)).collect();
    let mean = |sum: f64| sum / cells.len().max(1) as f64;
    let share = mean(each.iter().map(|(share, _)| share).sum());
    let each_s = mean(each.iter().map(|(_, seconds)| seconds).sum());
    let runs = job.limits.runs;
    let all = share * runs as f64;
    let lists = of_all.lists.saturating_sub(ready.lists) as f64 / cells.len().max(1) as f64;
    let expected = Bytes::Assumed(round_to_u64(share * bytes.unwrap_or(0) as f64));
    Estimate {
        what: "tune",
        runs,
        bytes_of_run: bytes.map_or(Bytes::Unknown, |_| expected),
        // How fast a web server answers is what is to be found.
        gets: sweep.requests.is_none().then(|| round_to_u64(keys * all)),
        lists: ready.lists + round_to_u64(lists * runs as f64),
        seconds: Some(each_s * runs as f64),
        usd: of_all.usd.map(|usd| {
            let factor = all / cells.len().max(1) as f64;
            usd.times(factor)
        }),
        ..of_all
    }
}

/// The least and the most that the tasks of all runs cost.
pub(super) fn tasks_usd(job: &TuneJob, ready: &ReadySweep<'_>) -> Option<(f64, f64)> {
    let time = std::time::Duration::from_secs_f64(job.sweep.plan.tune.as_ref()?.run_s());
    let each: Vec<(f64, f64)> = ready
        .cells
        .iter()
        .map(|cell| ready.launcher.usd(cell, time))
        .collect::<Option<_>>()?;
    let runs = job.limits.runs as f64 / each.len().max(1) as f64;
    Some((
        each.iter().map(|(least, _)| least).sum::<f64>() * runs,
        each.iter().map(|(_, most)| most).sum::<f64>() * runs,
    ))
}
