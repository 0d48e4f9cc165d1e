//! Summaries that no record names → runs of their own, those of shards put together.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Problem, ProblemKind, Run};
use super::recorded::of_numbers;
use super::reduce::{Context, Numbers, Reduced, failure_of};
use super::shards;
use crate::analysis::model::FailedRepetition;
use crate::analysis::observation::{DocumentSource, Observation};
use crate::cell::Cell;
use crate::units;

/// Runs outside a sweep; those of shards are put together.
pub(super) fn own_runs(
    summaries: BTreeMap<String, Reduced>,
    runs: &mut Vec<Run>,
    problems: &mut Vec<Problem>,
) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut single = Vec::new();
    let mut sharded: Vec<Reduced> = Vec::new();
    for (name, reduced) in summaries {
        if is_of_a_repetition(&name) {
            problems.push(Problem {
                document: name,
                what: "part of a repetition without its record: still running, or its sweep died"
                    .to_owned(),
                kind: ProblemKind::LeftOut,
            });
        } else if let Some(first) = seen.get(&reduced.identity) {
            problems.push(Problem {
                document: name,
                what: format!("the same run is given twice: also in {first}"),
                kind: ProblemKind::Duplicate,
            });
        } else {
            seen.insert(reduced.identity.clone(), name);
            if reduced.shard.is_some() {
                sharded.push(reduced);
            } else {
                single.push(reduced);
            }
        }
    }
    let first = runs.len();
    runs.extend(single.into_iter().map(|reduced| {
        let (cell, numbers) = (reduced.cell.clone(), Ok(reduced.numbers));
        own_run(&[reduced], cell, numbers)
    }));
    runs.extend(shards::batches(sharded).iter().map(|batch| joined(batch)));
    number_repetitions(&mut runs[first..]);
}

/// `…/rNN-aM/name`: the folder of a repetition.
fn is_of_a_repetition(name: &str) -> bool {
    let folder = name.rsplit('/').nth(1).unwrap_or_default();
    let numbers = folder
        .strip_prefix('r')
        .and_then(|rest| rest.split_once("-a"));
    numbers.is_some_and(|(repetition, attempt)| {
        repetition.parse::<u32>().is_ok() && attempt.parse::<u32>().is_ok()
    })
}

fn joined(batch: &[Reduced]) -> Run {
    let shards = batch[0].shard.map_or(1, |shard| shard.count.get());
    let cell = Cell {
        shards,
        ..batch[0].cell.clone()
    };
    let present: BTreeSet<u32> = batch
        .iter()
        .filter_map(|run| run.shard.map(|shard| shard.index))
        .collect();
    let missing: Vec<u32> = (0..shards)
        .filter(|index| !present.contains(index))
        .collect();
    let numbers = if missing.is_empty() {
        shards::merge(batch).map_err(|error| error.to_string())
    } else {
        Err(is_missing(&missing, shards))
    };
    let mut run = own_run(batch, cell, numbers);
    if let Err(failure) = &mut run.outcome {
        failure.missing_shards = missing;
    }
    run
}

/// Missing shards that are named.
const NAMED: usize = 5;

/// `shard 1 of 2 is missing`, `shards 1, 2, 3, 4, 5, … (1,000) of 5,000 are missing`
fn is_missing(missing: &[u32], shards: u32) -> String {
    let named: Vec<String> = missing
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    match missing {
        [index] => format!("shard {index} of {shards} is missing"),
        _ if missing.len() <= NAMED => {
            format!("shards {} of {shards} are missing", named.join(", "))
        }
        _ => format!(
            "shards {}, … ({} in all) of {shards} are missing",
            named.join(", "),
            units::count(missing.len() as u64)
        ),
    }
}

/// A run outside a sweep, of one summary or of one a shard; its number comes later.
fn own_run(batch: &[Reduced], cell: Cell, numbers: Result<Numbers, String>) -> Run {
    let reason = failure_of(batch);
    let numbers = reason.map_or(numbers, Err);
    let source = DocumentSource {
        document: batch[0].document.clone(),
        summaries: batch.iter().map(|run| run.document.clone()).collect(),
    };
    let workload = shards::workload(batch);
    let warnings = batch
        .iter()
        .flat_map(|run| run.context.warnings.iter().cloned())
        .collect();
    let context = Context {
        warnings,
        ..batch[0].context.clone()
    };
    let started_at = &batch[0].started_at;
    let outcome = match numbers {
        Ok(numbers) => Ok(Observation {
            source,
            ..of_numbers(started_at, &numbers)
        }),
        Err(reason) => Err(FailedRepetition {
            document: source.document,
            attempts: 1,
            started_at: started_at.clone(),
            reason,
            ..FailedRepetition::default()
        }),
    };
    Run {
        workload,
        cell,
        outcome,
        context,
    }
}

/// Runs of their own are numbered by their starts within their cell.
fn number_repetitions(runs: &mut [Run]) {
    runs.sort_by(|one, other| one.started_at().cmp(other.started_at()));
    let mut counts: BTreeMap<Cell, u32> = BTreeMap::new();
    for run in runs {
        let number = counts.entry(run.cell.clone()).or_default();
        *number += 1;
        match &mut run.outcome {
            Ok(observation) => observation.repetition = *number,
            Err(failure) => failure.repetition = *number,
        }
    }
}
