//! What a tune would do, or what is left of it: runs, bytes and money at the most.

use std::collections::BTreeSet;
use std::time::Duration;

use super::chooser::Chooser;
use super::job::TuneJob;
use super::question::{chooser, plan};
use crate::cell::{Cell, Program};
use crate::estimate::{Bytes, Estimate, UncountedRuns, time};
use crate::exit::Failure;
use crate::results::tune::{GoalWord, StoppedBecause, TuneDocument, TuneStep};
use crate::sweep::begin::{configuration, speed};
use crate::sweep::drive::set_up;
use crate::sweep::factors::is_timed;
use crate::sweep::folder::{Folder, RepetitionState};
use crate::sweep::job::SweepContext;
use crate::sweep::next::{MeasuredRun, MeasuredWhen, NextRuns as _};
use crate::sweep::plan::TunePlan;
use crate::sweep::remaining::counts;
use crate::sweep::setup::ReadySweep;
use crate::units::{self, SECOND_NS, plural, round_to_u64};

/// What a tune would do.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneForecast {
    /// `tune first: cheapest of 108 configurations …`
    pub title: String,
    /// Runs that an earlier command made.
    pub done: u64,
    /// Why nothing comes after them; none where runs are left.
    pub ends: Option<StoppedBecause>,
    /// Of the runs that are left.
    pub estimate: Estimate,
    /// Of the tasks of all runs: when each takes a minute, and when each takes as long as it may; none where nothing costs money, or without a price.
    pub tasks_usd: Option<(f64, f64)>,
    /// Names of the programs that decide for themselves how long a run takes: `app, tool`; empty when there are none.
    pub open_ended: String,
}

/// What an earlier command left of a tune.
pub(super) struct RunsOfTune {
    done: u64,
    /// Runs at most.
    pub(super) left: u64,
    /// Why there are none.
    ends: Option<StoppedBecause>,
    /// Seconds of a run of a contender, in the mean of those that were made.
    contender_s: Option<f64>,
}

/// Says what [`super::tune`] would do: lists the keys, starts and writes nothing.
///
/// # Errors
/// What would end the tune before its first run.
pub async fn dry_run_tune(
    job: &TuneJob,
    context: SweepContext<'_>,
) -> Result<TuneForecast, Failure> {
    let folder = Folder::look_at(job.sweep.folder())?;
    let ready = set_up(&job.sweep, &folder, context).await?;
    let forecast = forecast(job, (&folder, &ready));
    ready.end().await;
    forecast
}

fn forecast(
    job: &TuneJob,
    (folder, ready): (&Folder, &ReadySweep<'_>),
) -> Result<TuneForecast, Failure> {
    let runs = runs_of(job, (folder, ready))?;
    Ok(TuneForecast {
        title: title(job, ready)?,
        done: runs.done,
        ends: runs.ends,
        estimate: estimate(job, ready, &runs),
        tasks_usd: tasks_usd(job, ready, runs.left),
        open_ended: open_ended(&ready.cells),
    })
}

/// How many runs an earlier command made, and how many may come after them.
pub(super) fn runs_of(
    job: &TuneJob,
    (folder, ready): (&Folder, &ReadySweep<'_>),
) -> Result<RunsOfTune, Failure> {
    let mut on_step = |_: &TuneStep, _: &TuneDocument| {};
    let mut chooser = chooser(job, (folder, ready), &mut on_step)?;
    let is_left = has_more(job, (folder, &mut chooser))?;
    let document = &chooser.document;
    let most = job.limits.runs.saturating_sub(document.runs);
    Ok(RunsOfTune {
        done: document.runs,
        left: if is_left { most } else { 0 },
        ends: document.stopped_because.filter(|_| !is_left),
        contender_s: contender_s(document, &ready.cells),
    })
}

fn contender_s(document: &TuneDocument, cells: &[Cell]) -> Option<f64> {
    let is_contender = |step: &&TuneStep| {
        let mut programs = cells.iter().map(|cell| &cell.program);
        programs.any(|program| !program.is_parfetch() && program.name() == step.program)
    };
    let steps = document.steps.iter().filter(is_contender);
    let took: Vec<f64> = steps.filter_map(|step| Some(step.seen?.fetch_s)).collect();
    (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64)
}

/// How long so many runs take, and the same in words where contenders decide that for themselves: nothing is assumed of them.
fn time_of(
    cells: &[Cell],
    (runs, seconds): (u64, f64),
    contender_s: Option<f64>,
) -> (Option<f64>, Option<String>) {
    let programs = open_ended(cells);
    let own = cells.iter().filter(|cell| cell.program.is_parfetch());
    let own_runs = runs as f64 * own.count() as f64 / cells.len().max(1) as f64;
    let own_s = own_runs * seconds;
    let words = match contender_s {
        _ if programs.is_empty() => return (Some(own_s), None),
        Some(each_s) => {
            let all_s = (runs as f64 - own_runs).mul_add(each_s, own_s);
            let words = format!(
                "about {}, by the runs of {programs} that were made",
                time(all_s)
            );
            return (Some(all_s), Some(words));
        }
        None if own_runs > 0.0 => format!(
            "about {} of the runs of parfetch; how long those of {programs} take is not known",
            time(own_s)
        ),
        None => format!("not known, as it is what {programs} takes"),
    };
    (None, Some(words))
}

fn open_ended(cells: &[Cell]) -> String {
    let programs = cells.iter().map(|cell| &cell.program);
    let names: BTreeSet<&str> = programs
        .filter(|program| !program.is_parfetch())
        .map(Program::name)
        .collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Goes through what an earlier command measured; whether another run comes after it.
fn has_more(
    job: &TuneJob,
    (folder, chooser): (&Folder, &mut Chooser<'_>),
) -> Result<bool, Failure> {
    while let Some(planned) = chooser.next() {
        let RepetitionState {
            record, attempt, ..
        } = folder.look(&planned)?;
        let is_going_on = folder.is_going_on(&planned, attempt);
        let Some(record) = record.filter(|record| counts(record, &job.sweep) && !is_going_on)
        else {
            return Ok(true);
        };
        chooser.saw(MeasuredRun {
            record: &record,
            dir: &folder.repetition(&planned, record.attempt),
            when: MeasuredWhen::Before,
        })?;
    }
    Ok(false)
}

/// `tune first: the cheapest of 108 configurations, 0.25 to 16 vCPUs; 46,000 keys, 118 GB; 150 runs at most, most of them of up to 30 s; Fargate tasks on demand, 1 at a time`
pub(super) fn title(job: &TuneJob, ready: &ReadySweep<'_>) -> Result<String, Failure> {
    let plan = plan(job)?;
    let goal = match plan.goal {
        GoalWord::Cheapest => "cheapest",
        GoalWord::Fastest => "fastest",
        GoalWord::Balanced => "least price × time",
    };
    let within = plan
        .deadline_s()
        .map(|seconds| units::duration(round_to_u64(seconds * SECOND_NS as f64)))
        .map_or_else(String::new, |deadline| format!(" within {deadline}"));
    let mut sizes: Vec<f64> = ready.cells.iter().map(Cell::vcpu).collect();
    sizes.sort_by(f64::total_cmp);
    let sizes = match (sizes.first(), sizes.last()) {
        (Some(first), Some(last)) if first < last => {
            format!(", {first} to {}", units::vcpus(*last))
        }
        (Some(first), _) => format!(", {}", units::vcpus(*first)),
        _ => String::new(),
    };
    let facts = &ready.facts;
    let bytes = facts
        .bytes
        .map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    let words = ready.cells.first().map(|cell| ready.launcher.words(cell));
    let noun = if job.sweep.requests.is_some() {
        "URL"
    } else {
        "key"
    };
    // A contender decides for itself how long it runs.
    let most = if ready.cells.iter().any(|cell| cell.program.is_parfetch()) {
        let each = units::asked_time(round_to_u64(plan.run_s() * SECOND_NS as f64));
        format!(
            "{} at most, most of them of up to {each}",
            plural(job.limits.runs, "run")
        )
    } else {
        format!("{} at most", plural(job.limits.runs, "run"))
    };
    Ok(format!(
        "tune {}: {goal}{within} of {}{sizes}; {}{bytes}; {most}; {}",
        job.sweep.id,
        plural(ready.cells.len() as u64, "configuration"),
        plural(facts.keys, noun),
        words.unwrap_or_default()
    ))
}

/// What so many runs may fetch at the most, by an assumed rate.
pub(super) fn estimate(job: &TuneJob, ready: &ReadySweep<'_>, of: &RunsOfTune) -> Estimate {
    let runs = of.left;
    let sweep = &job.sweep;
    let all_cells = ready.cells.iter().collect::<Vec<_>>();
    let of_all = ready.estimate(sweep, &all_cells);
    let is_counted = |cell: &&&Cell| !is_timed(&sweep.plan, &cell.program);
    let cells: Vec<&Cell> = all_cells.iter().filter(is_counted).copied().collect();
    // Each configuration runs as often as every other, as far as that is known.
    let counted = round_to_u64(runs as f64 * cells.len() as f64 / all_cells.len().max(1) as f64);
    let uncounted = of_all.uncounted.clone().map(|one| UncountedRuns {
        runs: runs - counted,
        ..one
    });
    let seconds = sweep.plan.tune.as_ref().map_or(0.0, TunePlan::run_s);
    let facts = &ready.facts;
    let (keys, bytes) = (facts.keys as f64, facts.bytes);
    let speed = speed(sweep, &ready.cells);
    // Of the whole list, in the mean of the configurations: a contender lists it, and reads all of it.
    let of_run = |cell: &Cell| {
        let all_s = speed.seconds(configuration(cell), (keys, bytes.unwrap_or(0) as f64));
        if cell.program.is_parfetch() {
            (seconds / all_s.max(f64::MIN_POSITIVE)).min(1.0)
        } else {
            1.0
        }
    };
    let shares = cells.iter().map(|cell| of_run(cell));
    let share = shares.sum::<f64>() / cells.len().max(1) as f64;
    let (all_s, measured) = time_of(&ready.cells, (runs, seconds), of.contender_s);
    let all = share * counted as f64;
    let lists = of_all.lists.saturating_sub(ready.lists) as f64 / cells.len().max(1) as f64;
    let expected = Bytes::Assumed(round_to_u64(share * bytes.unwrap_or(0) as f64));
    Estimate {
        what: "tune",
        runs,
        bytes_of_run: bytes
            .filter(|_| !cells.is_empty())
            .map_or(Bytes::Unknown, |_| expected),
        // How fast a web server answers is what is to be found.
        gets: sweep.requests.is_none().then(|| round_to_u64(keys * all)),
        lists: ready.lists + round_to_u64(lists * counted as f64),
        seconds: all_s.filter(|_| uncounted.is_none()),
        measured,
        uncounted,
        usd: of_all.usd.map(|usd| {
            let factor = all / cells.len().max(1) as f64;
            usd.times(factor)
        }),
        ..of_all
    }
}

/// The least and the most that the tasks of so many runs cost.
fn tasks_usd(job: &TuneJob, ready: &ReadySweep<'_>, runs: u64) -> Option<(f64, f64)> {
    let run = Duration::from_secs_f64(job.sweep.plan.tune.as_ref()?.run_s());
    // How long a contender runs is not known.
    let time = |cell: &Cell| {
        if cell.program.is_parfetch() {
            run
        } else {
            Duration::ZERO
        }
    };
    let each: Vec<(f64, f64)> = ready
        .cells
        .iter()
        .map(|cell| ready.launcher.usd(cell, time(cell)))
        .collect::<Option<_>>()?;
    let runs = runs as f64 / each.len().max(1) as f64;
    Some((
        each.iter().map(|(least, _)| least).sum::<f64>() * runs,
        each.iter().map(|(_, most)| most).sum::<f64>() * runs,
    ))
}
