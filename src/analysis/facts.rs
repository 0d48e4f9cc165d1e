//! What the runs of a study have in common beside their workload: versions, machines, means of limiting, warnings.

use std::collections::BTreeSet;

use super::model::{Facts, FailedRepetition};
use super::observation::Observation;
use super::read::Run;
use crate::price::PriceList;

/// The facts of these runs.
pub(super) fn facts(runs: &[Run], prices: &PriceList) -> Facts {
    let mut facts = Facts {
        prices_dated: Some(prices.dated().to_owned()),
        ..Facts::default()
    };
    let mut sweeps: BTreeSet<String> = BTreeSet::new();
    let mut versions: BTreeSet<String> = BTreeSet::new();
    let mut limited_by: BTreeSet<String> = BTreeSet::new();
    for run in runs {
        let sweep = match &run.outcome {
            Ok(Observation { sweep, .. }) | Err(FailedRepetition { sweep, .. }) => sweep,
        };
        sweeps.extend(sweep.clone());
        versions.insert(run.context.tool_version.clone());
        limited_by.extend(run.context.limited_by.iter().cloned());
        let start = Some(run.started_at().to_owned());
        if start >= facts.last_start {
            facts.left_out.clone_from(&run.context.left_out);
        }
        facts.first_start = facts.first_start.take().map_or(start.clone(), |first| {
            start.clone().map(|start| first.min(start))
        });
        facts.last_start = facts.last_start.take().max(start);
        add(&mut facts, run);
    }
    facts.sweeps = sweeps.into_iter().collect();
    facts.tool_versions = versions.into_iter().collect();
    facts.limited_by = limited_by.into_iter().collect();
    facts
}

/// Adds what one run knows and the runs before did not.
fn add(facts: &mut Facts, run: &Run) {
    let context = &run.context;
    match run.outcome {
        Ok(_) => facts.observations += 1,
        Err(_) => facts.failures += 1,
    }
    for (known, found) in [
        (&mut facts.system, &context.system),
        (&mut facts.cpu_model, &context.cpu_model),
    ] {
        if known.is_none() {
            known.clone_from(found);
        }
    }
    facts.machine_cpus = facts.machine_cpus.max(context.machine_cpus);
    facts.client_cpus = facts.client_cpus.max(context.client_cpus);
    facts.shared_with_server = match (facts.shared_with_server, context.shared_with_server) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    };
    if facts.storage_classes.is_empty() {
        facts.storage_classes.clone_from(&context.storage_classes);
    }
    facts.listing_s = facts.listing_s.or(context.listing_s);
    facts.results = facts.results.take().or_else(|| context.results.clone());
    facts.planned_repetitions = facts.planned_repetitions.max(context.planned_repetitions);
    let warnings: BTreeSet<&String> = context.warnings.iter().collect();
    for warning in warnings {
        *facts.warnings.entry(warning.clone()).or_default() += 1;
    }
}
