//! Records, summaries and shards → repetitions: which attempt counts, what is a duplicate, what is missing.

use std::collections::BTreeMap;

use super::found::{Problem, ProblemKind, ReadResults, Run};
use super::own_runs::own_runs;
use super::recorded::{Recorded, recorded};
use super::reduce::Reduced;
use super::sweeps::{SweepKey, SweepsOfPlace, sibling, sweep_of, sweep_settings};
use crate::cell::Cell;
use crate::results::record::Record;
use crate::results::tune::TuneDocument;

/// What was handed in, by name.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) records: Vec<(String, Record)>,
    pub(super) summaries: BTreeMap<String, Reduced>,
    /// Documents that are damaged: a record that names one says so.
    pub(super) damaged: BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
    /// JSON documents of other kinds.
    pub(super) passed_over: u64,
    /// Where several sweeps lay in one place: what was left out there.
    pub(super) sweeps_of_places: Vec<SweepsOfPlace>,
    /// By the name of a sweep, its plan's file, where it lies beside its results.
    pub(super) plans: BTreeMap<String, String>,
    /// By its name, the document of a tune.
    pub(super) tunes: BTreeMap<String, TuneDocument>,
}

/// Everything that was handed in → every repetition that counts.
pub(super) fn assemble(documents: Documents) -> ReadResults {
    let Documents {
        records,
        mut summaries,
        damaged,
        mut problems,
        passed_over,
        sweeps_of_places,
        plans,
        tunes,
    } = documents;
    let settings = sweep_settings(&records, &summaries);
    let mut runs = Vec::new();
    let (repetitions, refused) = repetitions(records, &mut problems);
    for (name, record) in &refused {
        leave_out(&mut summaries, name, record);
    }
    for tries in repetitions {
        let attempts = u32::try_from(tries.len()).unwrap_or(u32::MAX);
        for (name, record) in &tries[..tries.len() - 1] {
            leave_out(&mut summaries, name, record);
        }
        let Some((name, record)) = tries.into_iter().next_back() else {
            continue;
        };
        let found: Vec<Option<Reduced>> = record
            .summaries
            .iter()
            .map(|summary| summaries.remove(&sibling(&name, summary)))
            .collect();
        for (summary, _) in record
            .summaries
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
        {
            let document = sibling(&name, summary);
            if record.failure.is_none() && record.repetition > 0 && !damaged.contains_key(&document)
            {
                problems.push(Problem {
                    document,
                    what: format!("missing, although {name} names it"),
                    kind: ProblemKind::LeftOut,
                });
            }
        }
        // Repetition 0 warms up.
        if record.repetition > 0 {
            let attempts = attempts.max(record.attempt);
            let sweep = settings.get(&sweep_of(&record));
            runs.push(recorded(Recorded {
                name,
                record,
                found,
                attempts,
                sweep,
            }));
        }
    }
    own_runs(summaries, &mut runs, &mut problems);
    runs.sort_by(|one, other| {
        order(&one.cell)
            .cmp(&order(&other.cell))
            .then_with(|| place_in_time(one).cmp(&place_in_time(other)))
    });
    ReadResults {
        runs,
        problems,
        passed_over,
        sweeps_of_places,
        plans,
        tunes,
    }
}

/// The order of cells in a report: program, vCPU, memory, factors, mode, shards, concurrency.
pub(in crate::analysis) fn order(cell: &Cell) -> impl Ord + '_ {
    (
        &cell.program,
        cell.cpu_units,
        cell.memory_mib,
        &cell.factors,
        cell.mode,
        cell.shards,
        cell.concurrency,
    )
}

fn place_in_time(run: &Run) -> (Option<String>, u32, String) {
    let (sweep, repetition) = match &run.outcome {
        Ok(observation) => (&observation.sweep, observation.repetition),
        Err(failure) => (&failure.sweep, failure.repetition),
    };
    (sweep.clone(), repetition, run.started_at().to_owned())
}

/// What a record names that does not count is not a run of its own either.
pub(super) fn leave_out(summaries: &mut BTreeMap<String, Reduced>, name: &str, record: &Record) {
    for summary in &record.summaries {
        summaries.remove(&sibling(name, summary));
    }
}

type NamedRecord = (String, Record);

/// The attempts of each repetition, the one that counts last; and what is there twice, and refused.
fn repetitions(
    records: Vec<NamedRecord>,
    problems: &mut Vec<Problem>,
) -> (Vec<Vec<NamedRecord>>, Vec<NamedRecord>) {
    let mut refused = Vec::new();
    // Sweeps of one name are the same when plan and keys are.
    let mut by_key: BTreeMap<(SweepKey, Cell, u32), Vec<NamedRecord>> = BTreeMap::new();
    for (name, record) in records {
        by_key
            .entry((sweep_of(&record), record.cell.clone(), record.repetition))
            .or_default()
            .push((name, record));
    }
    for tries in by_key.values_mut() {
        tries.sort_by(|one, other| (one.1.attempt, &one.0).cmp(&(other.1.attempt, &other.0)));
        let mut kept: Vec<(String, Record)> = Vec::with_capacity(tries.len());
        for (name, record) in std::mem::take(tries) {
            // A sweep that goes on warms up again: warm-ups count as little as ever.
            let counts = record.repetition > 0;
            let is_twice = |other: &Record| {
                counts
                    && (other.attempt == record.attempt
                        || (other.failure.is_none() && record.failure.is_none()))
            };
            if let Some((first, _)) = kept.iter().find(|(_, other)| is_twice(other)) {
                let (cell, repetition) = (record.cell.slug(), record.repetition);
                problems.push(Problem {
                    what: format!(
                        "repetition {repetition} of {cell} is given twice: also in {first}"
                    ),
                    document: name.clone(),
                    kind: ProblemKind::Duplicate,
                });
                refused.push((name, record));
            } else {
                kept.push((name, record));
            }
        }
        *tries = kept;
    }
    (by_key.into_values().collect(), refused)
}
