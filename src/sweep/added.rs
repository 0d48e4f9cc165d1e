//! A sweep that adds configurations to the folder of a tune: it keeps the tune's keys and their order, and its runs are as long as the tune's.

use std::fs;

use super::folder::Folder;
use super::header::PlanHeader;
use super::job::SweepJob;
use super::launcher::Launcher;
use super::matrix::Planned;
use super::plan::{Contender, SweepPlan, TunePlan};
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::platform::bounded::{TEXT_BYTES, read_text};
use crate::results::PLAN_FILE;
use crate::results::record::{RepetitionAmount, SweepFacts};

/// More than any tune or sweep has runs: places of later ones begin at a multiple of it.
const PLACES: u32 = 100_000;

/// How the names of the plans begin that were added.
const ADDED: &str = "added-";

/// This sweep as one that adds to a tune; none where the folder is not of a tune, or the tune itself goes on.
///
/// # Errors
/// What cannot be another than in the tune.
pub(super) fn to_a_tune(job: &SweepJob, folder: &Folder) -> Result<Option<SweepJob>, Failure> {
    let Some((_, text)) = folder.begun()? else {
        return Ok(None);
    };
    let before = SweepPlan::from_toml(&text).ok();
    let Some((before, tune)) = before.and_then(|plan| Some((plan.clone(), plan.tune?))) else {
        return Ok(None);
    };
    if job.plan.tune.is_some() {
        return Ok(None);
    }
    let known = with_added(&before, folder)?;
    if let Some((what, hint)) = differing((&before, &known), &job.plan) {
        let message = format!(
            "{} is a tune, and this sweep cannot add to it: {what}",
            job.id
        );
        return Err(Failure::new(Exit::Usage, message).hint(format!(
            "{hint}, or choose another --id; {} has the tune's plan",
            folder.root().join(PLAN_FILE).display()
        )));
    }
    Ok(Some(SweepJob {
        plan: SweepPlan {
            sample: before.sample.filter(|_| job.plan.limit.is_none()),
            duration: duration(&job.plan, &tune),
            ..job.plan.clone()
        },
        sample: None,
        adds_to: Some(text),
        ..job.clone()
    }))
}

/// The contenders of a tune, and those that earlier sweeps added.
fn with_added(tune: &SweepPlan, folder: &Folder) -> Result<Vec<Contender>, Failure> {
    let wrong = |what: String| {
        let place = folder.root().display();
        Failure::new(Exit::SetUp, format!("{place}: {what}"))
    };
    let mut known = tune.contender.clone();
    let entries = fs::read_dir(folder.root()).map_err(|error| wrong(error.to_string()))?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(ADDED) && name.ends_with(".toml") {
            let text = read_text(&path, TEXT_BYTES).map_err(|error| wrong(error.to_string()))?;
            let added =
                SweepPlan::from_toml(&text).map_err(|error| wrong(format!("{name}: {error}")))?;
            known.extend(added.contender);
        }
    }
    Ok(known)
}

/// How long its runs are, as it was typed; else as long as the tune's.
fn duration(plan: &SweepPlan, tune: &TunePlan) -> Option<String> {
    let is_of_tune = plan.limit.is_none() && !plan.client.is_empty();
    let own = plan.duration.clone();
    own.or_else(|| is_of_tune.then(|| tune.run.clone()))
}

/// What is another than in the tune and in what was added to it, and what to do.
fn differing(
    (tune, known): (&SweepPlan, &[Contender]),
    plan: &SweepPlan,
) -> Option<(String, &'static str)> {
    let source = |plan: &SweepPlan| match (&plan.embedded, plan.urls.as_slice()) {
        (Some(options), _) => format!("--embedded={options}"),
        (None, []) => format!("s3://{}/{}", plan.bucket, plan.prefix),
        (None, [one]) => one.clone(),
        (None, [first, ..]) => format!("{} URLs from {first} on", plan.urls.len()),
    };
    let (of_tune, own) = (source(tune), source(plan));
    if of_tune != own || tune.urls != plan.urls {
        return Some((
            format!("it reads {own}, and the tune {of_tune}"),
            "name the same source",
        ));
    }
    if let Some(sample) = plan.sample.as_deref()
        && !["all", "auto"].contains(&sample)
    {
        return Some((
            "the tune has an order of keys of its own, so there is no other sample".to_owned(),
            "leave --sample out (--limit N reads the first N keys of the tune's order)",
        ));
    }
    if plan.shards != [1] {
        return Some(("a tune has no shards".to_owned(), "leave them out"));
    }
    if of_servers(tune) != of_servers(plan) {
        return Some((
            "its requests, servers or factors are others".to_owned(),
            "give them as in the tune",
        ));
    }
    if (tune.work, &tune.part_size, tune.order) != (plan.work, &plan.part_size, plan.order) {
        return Some((
            "its work, part size or order is another".to_owned(),
            "give them as in the tune",
        ));
    }
    let is_other = |own: &&Contender| {
        let mut known = known.iter();
        known.any(|known| known.name == own.name && !is_like(known, own))
    };
    let other = plan.contender.iter().find(is_other)?;
    Some((
        format!("the contender {} is another program there", other.name),
        "give it another name",
    ))
}

/// What of a plan says which servers are asked for what.
fn of_servers(plan: &SweepPlan) -> SweepPlan {
    SweepPlan {
        requests: plan.requests,
        method: plan.method.clone(),
        header: plan
            .header
            .iter()
            .map(|one| PlanHeader::from(one.name.as_str()))
            .collect(),
        body: plan.body.clone(),
        body_file: plan.body_file.clone(),
        expect: plan.expect.clone(),
        no_keep_alive: plan.no_keep_alive,
        connect_to: plan.connect_to.clone(),
        server_ready: plan.server_ready.clone(),
        server_timeout: plan.server_timeout.clone(),
        server_settle: plan.server_settle.clone(),
        server_vcpu: plan.server_vcpu,
        factor: plan.factor.clone(),
        server: plan.server.clone(),
        ..SweepPlan::default()
    }
}

/// Whether they are the same program; which modes of it are measured may differ.
fn is_like(one: &Contender, other: &Contender) -> bool {
    let without_modes = |contender: &Contender| Contender {
        mode: Vec::new(),
        ..contender.clone()
    };
    without_modes(one) == without_modes(other)
}

/// What a sweep was begun with, with the task definitions that are run since: each is looked up once, and holds for all that is added later.
///
/// # Errors
/// When tasks of another architecture would be added.
pub(super) fn with_definitions(
    begun: SweepFacts,
    job: &SweepJob,
    (launcher, folder): (&dyn Launcher, &Folder),
) -> Result<SweepFacts, Failure> {
    let Some(_) = &job.adds_to else {
        return Ok(begun);
    };
    if let (Some(before), Some(now)) = (begun.architecture.as_deref(), launcher.architecture())
        && before != now
    {
        let message = format!(
            "{} is a tune, and this sweep cannot add to it: its tasks are for {now}, and those of the tune for {before}",
            job.id
        );
        return Err(Failure::new(Exit::Usage, message)
            .hint("prices differ by the architecture: choose another --id"));
    }
    let mut contender_definitions = launcher.contender_definitions();
    contender_definitions.extend(begun.contender_definitions.clone());
    let own = || launcher.definition().map(str::to_owned);
    let facts = SweepFacts {
        task_definition: begun.task_definition.clone().or_else(own),
        contender_definitions,
        ..begun
    };
    folder.write_facts(&facts)?;
    let name = format!("{ADDED}{}.toml", &number(job)[..8]);
    folder.write(&name, &job.plan.to_toml())?;
    Ok(facts)
}

/// What tells a sweep that adds from others.
fn number(job: &SweepJob) -> String {
    sha256_hex(job.plan.to_toml().as_bytes())
}

/// Its repetitions among those of the tune: each with an amount of its own, and at a place that no other run of the folder has.
pub(super) fn among(job: &SweepJob, order: Vec<Planned>) -> Vec<Planned> {
    if job.adds_to.is_none() {
        return order;
    }
    let number = u32::from_str_radix(&number(job)[..4], 16).unwrap_or_default() / 2;
    let first = (1 + number) * PLACES;
    let time = job.plan.time();
    let amount = RepetitionAmount {
        keys: job.plan.limit,
        duration_ns: time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
    };
    let at_its_place = |planned: Planned| Planned {
        position: first + planned.position,
        // A contender reads what it always reads.
        amount: planned.cell.program.is_parfetch().then_some(amount),
        ..planned
    };
    order.into_iter().map(at_its_place).collect()
}
