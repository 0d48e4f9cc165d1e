//! From the job of a tune to what decides its runs: what is asked of each program, in which order, and the document that is begun.

use std::collections::HashMap;

use super::answer::AnswerTerms;
use super::chooser::{Chooser, OnStep};
use super::job::TuneJob;
use super::program::{ProgramTune, firsts};
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::price::RELATIVE_RATES;
use crate::results::tune::{FILE_NAME, GoalWord, SCHEMA, TuneDocument, VERSION};
use crate::sweep::factors::is_timed;
use crate::sweep::folder::Folder;
use crate::sweep::keys::bytes_of_first;
use crate::sweep::plan::TunePlan;
use crate::sweep::requests::RequestTemplate;
use crate::sweep::setup::ReadySweep;
use crate::tune::{Space, Terms, TuneGoal, TuneQuestion};
use crate::units::SECOND_NS;

/// Whose prices are taken where the bucket's region has none.
const REFERENCE: (&str, &str) = ("us-east-1", "x86_64");

/// Requests to a web server whose time is compared: as many as make what is compared a rate.
const REQUESTS: u64 = 1_000_000;

/// What is looked for.
pub(super) fn plan(job: &TuneJob) -> Result<&TunePlan, Failure> {
    let plan = job.sweep.plan.tune.as_ref();
    plan.ok_or_else(|| Failure::new(Exit::Unexpected, "the plan says nothing of a tune"))
}

fn goal(plan: &TunePlan) -> TuneGoal {
    match (plan.goal, plan.deadline_s()) {
        (GoalWord::Cheapest, Some(most)) => TuneGoal::CheapestWithin(most),
        (GoalWord::Cheapest, None) => TuneGoal::Cheapest,
        (GoalWord::Fastest, _) => TuneGoal::Fastest,
        (GoalWord::Balanced, _) => TuneGoal::Balanced,
    }
}

/// What decides which run comes next.
pub(super) fn chooser<'a>(
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
    let goal = goal(plan);
    let question = |cell: &Cell| {
        let is_contender = !cell.program.is_parfetch();
        let mut terms = terms;
        if is_contender {
            // It lists by itself, and its time has it.
            terms.listing_s = 0.0;
        }
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
        .map(|cell| ProgramTune {
            run_objects: is_timed(&job.sweep.plan, &cell.program).then_some(terms.objects),
            ..ProgramTune::new(cell, &ready.cells, question(cell))
        })
        .collect();
    let document = document((job, ready), plan, (urls, objects));
    Ok(Chooser {
        folder,
        limits: job.limits,
        made: made(folder),
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

/// Runs that the document of an earlier command has.
fn made(folder: &Folder) -> u64 {
    let text = read_text(&folder.root().join(FILE_NAME), DOCUMENT_BYTES).ok();
    let before = text.and_then(|text| TuneDocument::from_json(&text).ok());
    before.map_or(0, |before| before.runs)
}

/// The document that is begun.
fn document(
    (job, ready): (&TuneJob, &ReadySweep<'_>),
    plan: &TunePlan,
    (urls, objects): (Option<String>, u64),
) -> TuneDocument {
    let facts = &ready.facts;
    TuneDocument {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: job.sweep.id.clone(),
        on: facts.on.clone(),
        urls,
        goal: plan.goal,
        deadline_s: plan.deadline_s(),
        within: plan.within,
        wanted_confidence: plan.confidence,
        objects,
        object_bytes: facts.bytes,
        answers: Vec::new(),
        left_out: facts.left_out.clone(),
        runs: 0,
        most_runs: job.limits.runs,
        bytes: 0,
        seconds: 0.0,
        usd_spent: None,
        client_cpus: None,
        stopped_because: None,
        steps: Vec::new(),
    }
}
