//! A sweep that adds configurations to the folder of a tune: it keeps the tune's keys and their order, and its runs are as long as the tune's.

use super::folder::{Folder, PLAN_FILE};
use super::job::SweepJob;
use super::matrix::Planned;
use super::plan::{Contender, SweepPlan, TunePlan};
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::results::record::RepetitionAmount;

/// More than any tune or sweep has runs: places of later ones begin at a multiple of it.
const PLACES: u32 = 100_000;

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
    if let Some((what, hint)) = differing(&before, &job.plan) {
        let message = format!(
            "{} is a tune, and this sweep cannot add to it: {what}",
            job.id
        );
        return Err(Failure::new(Exit::Usage, message).hint(format!(
            "{hint}, or take another --id; {} has the tune's plan",
            folder.root().join(PLAN_FILE).display()
        )));
    }
    Ok(Some(SweepJob {
        plan: SweepPlan {
            sample: Some("all".to_owned()).filter(|_| job.plan.limit.is_none()),
            duration: duration(&job.plan, &tune),
            ..job.plan.clone()
        },
        sample: None,
        adds_to: Some(text),
        ..job.clone()
    }))
}

/// How long its runs are, as it was typed; else as long as the tune's.
fn duration(plan: &SweepPlan, tune: &TunePlan) -> Option<String> {
    let is_of_tune = plan.limit.is_none() && !plan.client.is_empty();
    let own = plan.duration.clone();
    own.or_else(|| is_of_tune.then(|| tune.run.clone()))
}

/// What is another than in the tune, and what to do.
fn differing(tune: &SweepPlan, plan: &SweepPlan) -> Option<(String, &'static str)> {
    let source = |plan: &SweepPlan| match &plan.embedded {
        Some(options) => format!("--embedded={options}"),
        None if plan.is_web() => "URLs".to_owned(),
        None => format!("s3://{}/{}", plan.bucket, plan.prefix),
    };
    let (of_tune, own) = (source(tune), source(plan));
    if of_tune != own {
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
    if !plan.server.is_empty() || !plan.factor.is_empty() || plan.shards != [1] {
        return Some((
            "a tune has no servers, factors or shards".to_owned(),
            "leave them out",
        ));
    }
    if (tune.work, &tune.part_size, tune.order) != (plan.work, &plan.part_size, plan.order) {
        return Some((
            "its work, part size or order is another".to_owned(),
            "give them as in the tune",
        ));
    }
    let is_other = |own: &&Contender| {
        let mut known = tune.contender.iter();
        known.any(|known| known.name == own.name && !is_like(known, own))
    };
    let other = plan.contender.iter().find(is_other)?;
    Some((
        format!("the contender {} is another program there", other.name),
        "give it another name",
    ))
}

/// Whether they are the same program; which modes of it are measured may differ.
fn is_like(one: &Contender, other: &Contender) -> bool {
    let without_modes = |contender: &Contender| Contender {
        mode: Vec::new(),
        ..contender.clone()
    };
    without_modes(one) == without_modes(other)
}

/// Its repetitions among those of the tune: each with an amount of its own, and at a place that no other run of the folder has.
pub(super) fn among(job: &SweepJob, order: Vec<Planned>) -> Vec<Planned> {
    if job.adds_to.is_none() {
        return order;
    }
    let hash = sha256_hex(job.plan.to_toml().as_bytes());
    let number = u32::from_str_radix(&hash[..4], 16).unwrap_or_default() / 2;
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
