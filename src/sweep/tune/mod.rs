//! A tune: a sweep whose repetitions are chosen from run to run, until the best configuration is known.
//!
//! Owns the limits, the steps and the document; `crate::tune` decides what to measure, and the sweep's driver measures it like any other repetition.

mod answer;
mod chooser;
mod fit;
mod forecast;
mod job;
mod program;
mod seen;

use std::collections::HashMap;

use self::answer::{AnswerTerms, take_prices};
use self::chooser::Chooser;
pub use self::chooser::OnStep;
pub use self::fit::fit;
use self::forecast::{estimate, tasks_usd};
pub use self::job::{MOST_KEYS, TuneEnd, TuneJob, TuneLimits};
use self::program::{ProgramTune, firsts};
use super::drive::{remember, set_up, to_its_end, unless_told_to_end};
use super::driver::Driver;
use super::folder::Folder;
use super::job::{SweepContext, SweepEnd};
use super::keep::{store_begun, store_document};
use super::keys::bytes_of_first;
use super::plan::TunePlan;
use super::remaining::{Remaining, what_is_left};
use super::requests::RequestTemplate;
use super::setup::ReadySweep;
use super::time_left::TimeLeft;
use crate::analysis::{self, Reader};
use crate::cell::Cell;
use crate::estimate::Estimate;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::price::RELATIVE_RATES;
use crate::results::tune::{FILE_NAME, GoalWord, SCHEMA, StoppedBecause, TuneDocument, VERSION};
use crate::tune::{Space, Terms, TuneGoal, TuneQuestion};
use crate::units::{self, SECOND_NS, plural, round_to_u64};

/// Whose prices are taken where the bucket's region has none.
const REFERENCE: (&str, &str) = ("us-east-1", "x86_64");

/// Requests to a web server whose time is compared: as many as make what is compared a rate.
const REQUESTS: u64 = 1_000_000;

/// What a tune would do.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneForecast {
    /// `tune first: cheapest of 108 configurations …`
    pub title: String,
    pub estimate: Estimate,
    /// Of the tasks of all runs: when each takes a minute, and when each takes as long as it may; none where nothing costs money, or without a price.
    pub tasks_usd: Option<(f64, f64)>,
}

/// Says what [`tune`] would do: lists the keys, starts and writes nothing.
///
/// # Errors
/// What would end the tune before its first run.
pub async fn dry_run_tune(
    job: &TuneJob,
    context: SweepContext<'_>,
) -> Result<TuneForecast, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?;
    let folder = Folder::open(scratch.path().to_owned())?;
    let ready = set_up(&job.sweep, &folder, context).await?;
    let forecast = TuneForecast {
        title: title(job, &ready)?,
        estimate: estimate(job, &ready),
        tasks_usd: tasks_usd(job, &ready),
    };
    ready.end().await;
    Ok(forecast)
}

/// Does the tune, or what is left of it.
///
/// # Errors
/// What ends it before its first run, or makes it senseless to go on. What was done stays done.
pub async fn tune(
    job: &TuneJob,
    context: SweepContext<'_>,
    on_step: &mut OnStep<'_>,
) -> Result<TuneEnd, Failure> {
    let folder = Folder::open(job.sweep.out.join("sweeps").join(&job.sweep.id))?;
    let ended = Box::pin(in_folder(job, &folder, context, on_step)).await;
    if ended.is_err() {
        folder.unmake();
    }
    ended
}

async fn in_folder(
    job: &TuneJob,
    folder: &Folder,
    context: SweepContext<'_>,
    on_step: &mut OnStep<'_>,
) -> Result<TuneEnd, Failure> {
    let signal = context.signal.clone();
    let mut ready = set_up(&job.sweep, folder, context).await?;
    let mut chooser = match chooser(job, (folder, &ready), on_step) {
        Ok(chooser) => chooser,
        Err(failure) => {
            ready.end().await;
            return Err(failure);
        }
    };
    let ended = Box::pin(go_through(job, (folder, &mut ready), &mut chooser, signal)).await;
    let ended = match ended {
        Ok(ended) => finish(job, (folder, &mut ready), chooser, ended).await,
        Err(failure) => Err(failure),
    };
    ready.end().await;
    ended
}

async fn go_through(
    job: &TuneJob,
    (folder, ready): (&Folder, &mut ReadySweep<'_>),
    chooser: &mut Chooser<'_>,
    signal: tokio::sync::watch::Receiver<Option<crate::exit::Signal>>,
) -> Result<SweepEnd, Failure> {
    let sweep = &job.sweep;
    let mut clock = TimeLeft::default();
    // What was measured before is found run by run, as it is asked for again.
    let Remaining { mut ended, .. } = what_is_left(sweep, (folder, &[]), &mut clock)?;
    remember(ready, (sweep, folder))?;
    let estimate = estimate(job, ready);
    if estimate.needs_asking(sweep.approval)? {
        ready.event(&SweepEvent::Asking);
    }
    unless_told_to_end(&signal, estimate.agree(sweep.approval, &mut *ready.ask)).await?;
    store_begun(ready, (sweep, folder), &[], &mut ended).await?;
    let title = title(job, ready)?;
    ready.event(&SweepEvent::Planned {
        title,
        runs: job.limits.runs,
        done: 0,
    });
    ready.launcher.find().await?;
    let run = Driver {
        job: sweep,
        folder,
        clock,
        todo: std::collections::VecDeque::new(),
        warming_up: 0,
        fetched: 0,
        said_short: Vec::new(),
        ended,
        next: Some(chooser),
        good: Vec::new(),
    };
    to_its_end(run, ready, Vec::new(), &signal).await
}

/// Writes the answer down.
async fn finish(
    job: &TuneJob,
    (folder, ready): (&Folder, &mut ReadySweep<'_>),
    mut chooser: Chooser<'_>,
    mut ended: SweepEnd,
) -> Result<TuneEnd, Failure> {
    let why = match ended.exit {
        _ if ended.is_broke => StoppedBecause::MaxCost,
        _ if ended.is_out_of_bytes => StoppedBecause::MaxBytes,
        Exit::Interrupted | Exit::Terminated => StoppedBecause::Interrupted,
        _ => StoppedBecause::Nothing,
    };
    chooser.document.usd_spent = ended.spent.and_then(|spent| spent.usd);
    chooser.end(why)?;
    limits(folder, ready, &mut chooser.document);
    chooser.write()?;
    store_document(ready, (&job.sweep, folder), FILE_NAME, &mut ended).await;
    Ok(TuneEnd {
        ended,
        document: chooser.document,
    })
}

/// What limits each answer and what it costs, by the rules of the report, and what its program gets.
fn limits(folder: &Folder, ready: &ReadySweep<'_>, document: &mut TuneDocument) {
    let mut reader = Reader::default();
    reader.path(folder.root());
    let studies = analysis::studies(reader.finish(), ready.prices);
    for priced in studies.iter().filter_map(|study| study.facts.tune.as_ref()) {
        for (answer, priced) in document.answers.iter_mut().zip(&priced.answers) {
            take_prices(answer, priced);
        }
    }
    let goal = document.goal;
    for answer in &mut document.answers {
        let Some(choice) = answer.choice(goal).copied() else {
            continue;
        };
        let mut cells = studies.iter().flat_map(|study| &study.cells);
        let found = cells.find(|report| choice.configuration.is_of(&report.cell, answer));
        answer.limit = found.map(|report| report.verdict.word);
        let told = found.and_then(|report| {
            report
                .observations
                .iter()
                .find_map(|one| one.told.as_deref())
        });
        answer.settings = told.map(|told| told.settings.clone());
        answer.container = told.and_then(|told| told.container.clone());
    }
}

fn plan(job: &TuneJob) -> Result<&TunePlan, Failure> {
    let plan = job.sweep.plan.tune.as_ref();
    plan.ok_or_else(|| Failure::new(Exit::Unexpected, "the plan says nothing of a tune"))
}

fn chooser<'a>(
    job: &TuneJob,
    (folder, ready): (&'a Folder, &ReadySweep<'_>),
    on_step: &'a mut OnStep<'_>,
) -> Result<Chooser<'a>, Failure> {
    let plan = plan(job)?;
    let facts = &ready.facts;
    let urls = job.sweep.requests.as_ref().map(RequestTemplate::shown);
    let is_web = urls.is_some();
    let (objects, sums) = if is_web {
        (REQUESTS, None)
    } else {
        (facts.keys, bytes_of_first(&folder.keys_path())?)
    };
    let region = facts.region.as_deref().unwrap_or(REFERENCE.0);
    let (region_of, arch) = REFERENCE;
    let known = ready
        .launcher
        .rates()
        .or_else(|| ready.prices.fargate(region, arch))
        .or_else(|| ready.prices.fargate(region_of, arch));
    let mean_bytes = facts.bytes.map_or(0.0, |bytes| bytes as f64) / facts.keys.max(1) as f64;
    let terms = Terms {
        objects: objects as f64,
        mean_bytes,
        listing_s: facts.listing_ns.unwrap_or(0) as f64 / SECOND_NS as f64,
        rates: known.unwrap_or(RELATIVE_RATES),
    };
    let deadline_s = plan.deadline_s();
    let goal = match (plan.goal, deadline_s) {
        (GoalWord::Cheapest, Some(most)) => TuneGoal::CheapestWithin(most),
        (GoalWord::Cheapest, None) => TuneGoal::Cheapest,
        (GoalWord::Fastest, _) => TuneGoal::Fastest,
        (GoalWord::Balanced, _) => TuneGoal::Balanced,
    };
    let question = |cell: &Cell| {
        let is_contender = !cell.program.is_parfetch();
        move |space: Space| TuneQuestion {
            space,
            terms,
            goal,
            is_contender,
            is_web,
            within: plan.within,
            confidence: plan.confidence,
            most_runs: usize::MAX,
            run_s: plan.run_s(),
            seed: job.sweep.plan.seed,
        }
    };
    // A program that somebody brought comes first, as in a report: the question is about it, and a limit may end the tune.
    let mut order = firsts(&ready.cells);
    order.sort_by_key(|cell| cell.program.is_parfetch());
    let programs = order
        .into_iter()
        .map(|cell| ProgramTune::new(cell, &ready.cells, question(cell)))
        .collect();
    let document = TuneDocument {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: job.sweep.id.clone(),
        on: facts.on.clone(),
        urls,
        goal: plan.goal,
        deadline_s,
        within: plan.within,
        wanted_confidence: plan.confidence,
        objects,
        object_bytes: facts.bytes,
        answers: Vec::new(),
        runs: 0,
        most_runs: job.limits.runs,
        bytes: 0,
        seconds: 0.0,
        usd_spent: None,
        stopped_because: None,
        steps: Vec::new(),
    };
    Ok(Chooser {
        folder,
        limits: job.limits,
        terms: AnswerTerms {
            goal: plan.goal,
            within: plan.within,
            requests: is_web.then_some(objects as f64),
            rates: known.filter(|_| !is_web),
        },
        programs,
        at: 0,
        run_s: is_web.then(|| plan.run_s()),
        sums,
        keys: facts.frozen().0,
        document,
        repetitions: HashMap::new(),
        asked: None,
        around_s: 0.0,
        on_step,
    })
}

/// `tune first: the cheapest of 108 configurations, 0.25 to 16 vCPUs; 46,000 keys, 118 GB; runs of about 30 s, 150 at most; Fargate tasks on demand, 1 at a time`
fn title(job: &TuneJob, ready: &ReadySweep<'_>) -> Result<String, Failure> {
    let plan = plan(job)?;
    let goal = match plan.goal {
        GoalWord::Cheapest => "cheapest",
        GoalWord::Fastest => "fastest",
        GoalWord::Balanced => "least price × time",
    };
    let within = plan
        .deadline
        .as_ref()
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
    Ok(format!(
        "tune {}: {goal}{within} of {}{sizes}; {}{bytes}; runs of about {}, {} at most; {}",
        job.sweep.id,
        plural(ready.cells.len() as u64, "configuration"),
        plural(facts.keys, noun),
        units::duration(round_to_u64(plan.run_s() * SECOND_NS as f64)),
        units::count(job.limits.runs),
        words.unwrap_or_default()
    ))
}
