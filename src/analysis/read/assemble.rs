//! Records, summaries and shards → repetitions: which attempt counts, what is a duplicate, what is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::reduce::{Context, Numbers, Reduced, failure_of, seconds};
use super::{Problem, ProblemKind, Reader, Reading, Run, shards};
use crate::analysis::cost::of_tasks;
use crate::analysis::model::{Failure, Place, Sampled, Workload};
use crate::analysis::observation::{Observation, Source};
use crate::cell::{Cell, Program};
use crate::plan::{Layout, Work};
use crate::results::record::{ContenderResult, Record};
use crate::units;

/// Everything that was handed in → every repetition that counts.
pub(super) fn assemble(reader: Reader) -> Reading {
    let Reader {
        records,
        mut summaries,
        damaged,
        mut problems,
        passed_over,
        ..
    } = reader;
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
            .map(|summary| summaries.remove(&beside(&name, summary)))
            .collect();
        for (summary, _) in record
            .summaries
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
        {
            let document = beside(&name, summary);
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
    Reading {
        runs,
        problems,
        passed_over,
    }
}

/// The order of cells in a report: program, vCPU, memory, mode, shards, concurrency.
pub(in crate::analysis) fn order(cell: &Cell) -> impl Ord + '_ {
    (
        &cell.program,
        cell.cpu_units,
        cell.memory_mib,
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

/// The address of a file beside another one.
fn beside(document: &str, name: &str) -> String {
    document.rfind('/').map_or_else(
        || name.to_owned(),
        |slash| format!("{}/{name}", &document[..slash]),
    )
}

/// What a record names that does not count is not a run of its own either.
fn leave_out(summaries: &mut BTreeMap<String, Reduced>, name: &str, record: &Record) {
    for summary in &record.summaries {
        summaries.remove(&beside(name, summary));
    }
}

/// What contenders of a sweep do not say of themselves.
struct SweepSettings {
    work: Work,
    layout: Option<Layout>,
    place: Place,
    context: Context,
}

/// By sweep, from the first summary of parfetch in it.
fn sweep_settings(
    records: &[(String, Record)],
    summaries: &BTreeMap<String, Reduced>,
) -> BTreeMap<SweepKey, SweepSettings> {
    let mut found: BTreeMap<SweepKey, SweepSettings> = BTreeMap::new();
    for (name, record) in records {
        if found.contains_key(&sweep_of(record)) {
            continue;
        }
        let first = record
            .summaries
            .iter()
            .find_map(|summary| summaries.get(&beside(name, summary)));
        if let Some((summary, work)) =
            first.and_then(|summary| Some((summary, summary.workload.work?)))
        {
            let settings = SweepSettings {
                work,
                layout: summary.workload.layout,
                place: summary.workload.place.clone(),
                context: summary.context.clone(),
            };
            found.insert(sweep_of(record), settings);
        }
    }
    found
}

type Named = (String, Record);

/// Name, plan and keys of a sweep.
type SweepKey = [String; 3];

fn sweep_of(record: &Record) -> SweepKey {
    [
        record.sweep.id.clone(),
        record.sweep.plan_sha256.clone(),
        record.sweep.keys_sha256.clone(),
    ]
}

/// The attempts of each repetition, the one that counts last; and what is there twice, and refused.
fn repetitions(records: Vec<Named>, problems: &mut Vec<Problem>) -> (Vec<Vec<Named>>, Vec<Named>) {
    let mut refused = Vec::new();
    // Sweeps of one name are the same when plan and keys are.
    let mut by_key: BTreeMap<(SweepKey, Cell, u32), Vec<Named>> = BTreeMap::new();
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

struct Recorded<'a> {
    name: String,
    record: Record,
    found: Vec<Option<Reduced>>,
    attempts: u32,
    sweep: Option<&'a SweepSettings>,
}

fn recorded(recorded: Recorded<'_>) -> Run {
    let Recorded {
        name,
        record,
        found,
        attempts,
        sweep,
    } = recorded;
    let named = record.summaries.len();
    let reduced: Vec<Reduced> = found.into_iter().flatten().collect();
    let own = reduced.first();
    let workload = Workload {
        bucket: record.sweep.bucket.clone(),
        prefix: record.sweep.prefix.clone(),
        limit: record.sweep.limit,
        sample: record.sweep.sample.as_ref().map(Sampled::from),
        duration_ns: record.sweep.duration_ns,
        work: own
            .and_then(|own| own.workload.work)
            .or_else(|| sweep.map(|sweep| sweep.work)),
        layout: own
            .and_then(|own| own.workload.layout)
            .or_else(|| sweep.and_then(|sweep| sweep.layout)),
        keys_sha256: Some(record.sweep.keys_sha256.clone()),
        keys: Some(record.sweep.keys),
        bytes: record.sweep.bytes,
        region: record.sweep.region.clone(),
        endpoint: record.sweep.endpoint.clone(),
        embedded: record.sweep.embedded.clone(),
        place: place(
            &record,
            own.map(|own| &own.workload.place)
                .or_else(|| sweep.map(|sweep| &sweep.place)),
        ),
    }
    .without_passing_port();
    let context = context(&record, &reduced, sweep.map(|sweep| &sweep.context));
    let outcome = match numbers(&record, &reduced, named) {
        Ok(numbers) => Ok(observation(&name, &record, (&numbers, attempts))),
        Err(reason) => Err(Failure {
            document: name,
            sweep: Some(record.sweep.id.clone()),
            repetition: record.repetition,
            attempts,
            started_at: record.started_at.clone(),
            reason,
            ..Failure::default()
        }),
    };
    Run {
        workload,
        cell: record.cell,
        outcome,
        context,
    }
}

/// Where a sweep ran: its own word, and the machine when that is not rented by the task.
fn place(record: &Record, seen: Option<&Place>) -> Place {
    let on = record.sweep.on.clone();
    let machine = seen
        .and_then(|seen| seen.machine.clone())
        .filter(|_| on == "local");
    Place {
        arch: seen.and_then(|seen| seen.arch.clone()),
        machine,
        on,
    }
}

fn context(record: &Record, reduced: &[Reduced], sweep: Option<&Context>) -> Context {
    let own = reduced.first().map(|own| &own.context).or(sweep);
    let limited = &record.limited;
    let mut limited_by = vec![limited.cpu.as_str().to_owned()];
    limited_by.extend(
        limited
            .memory
            .map(|means| means.as_str().to_owned())
            .filter(|means| *means != limited_by[0]),
    );
    let shared = limited.shared_with_server;
    let cpus = u32::try_from(limited.cpus.len())
        .ok()
        .filter(|cpus| *cpus > 0);
    Context {
        tool_version: record.tool_version.clone(),
        system: own.and_then(|own| own.system.clone()),
        cpu_model: own.and_then(|own| own.cpu_model.clone()),
        machine_cpus: limited.machine_cpus,
        limited_by,
        client_cpus: if shared == Some(true) { Some(0) } else { cpus },
        shared_with_server: shared,
        storage_classes: record.sweep.storage_classes.clone(),
        listing_s: seconds(record.sweep.listing_ns),
        planned_repetitions: Some(record.sweep.repetitions),
        warnings: reduced
            .iter()
            .flat_map(|own| own.context.warnings.iter().cloned())
            .collect(),
    }
}

/// The figures of a repetition, or why there are none.
fn numbers(record: &Record, reduced: &[Reduced], named: usize) -> Result<Numbers, String> {
    if let Some(failure) = &record.failure {
        return Err(failure.reason.clone());
    }
    let mut numbers = if let Program::Contender(name) = &record.cell.program {
        contender(
            record
                .contender
                .as_ref()
                .ok_or_else(|| format!("{name} left no result"))?,
        )
    } else {
        of_parfetch(record, reduced, named)?
    };
    let shards = f64::from(record.cell.shards.max(1));
    numbers.usage.limit_vcpu = Some(record.cell.vcpu() * shards);
    of_tasks((&mut numbers.times, &mut numbers.usage), &record.tasks);
    if let Some(outside) = &record.outside {
        let usage = &mut numbers.usage;
        numbers.times.wall_s = Some(outside.wall_ns as f64 / 1e9);
        let cpu_ns = outside
            .cpu_user_ns
            .zip(outside.cpu_sys_ns)
            .map(|(user, sys)| user.saturating_add(sys));
        usage.whole_cpu_s = seconds(cpu_ns).or(usage.whole_cpu_s);
        usage.peak_memory_bytes = outside.peak_pss_bytes.or(usage.peak_memory_bytes);
        if outside.throttled_ns.is_some() {
            // The kernel counts it on each CPU.
            let cpus = f64::from(
                u32::try_from(record.limited.cpus.len())
                    .unwrap_or(u32::MAX)
                    .max(1),
            );
            (usage.throttled_s, usage.throttled_over_s) = (
                seconds(outside.throttled_ns),
                numbers.times.wall_s.map(|wall_s| wall_s * cpus),
            );
        }
    }
    // The run's own account of its server covers the fetch phase alone, the record's the whole repetition.
    if let Some(server) = record
        .server
        .filter(|_| numbers.usage.server_cpu_s.is_none())
    {
        numbers.usage.server_cpu_s = Some(server.cpu_ns as f64 / 1e9);
        numbers.usage.server_threads = Some(server.threads);
    }
    Ok(numbers)
}

fn of_parfetch(record: &Record, reduced: &[Reduced], named: usize) -> Result<Numbers, String> {
    let wanted = usize::try_from(record.cell.shards.max(1)).unwrap_or(usize::MAX);
    if named != wanted {
        return Err(format!(
            "it names {named} summaries and has {wanted} shards"
        ));
    }
    if reduced.len() < named {
        return Err(format!(
            "{} of its {named} summaries cannot be read",
            named - reduced.len()
        ));
    }
    if let Some(reason) = failure_of(reduced) {
        return Err(reason);
    }
    let listed = reduced
        .iter()
        .map(|shard| shard.account.map_or(0, |account| account.keys_listed));
    if let Some(reason) = record.sweep.other_keys(listed, record.cell.shards) {
        return Err(reason);
    }
    match reduced {
        [one] if one.of_shard.is_none() => Ok(one.numbers),
        several => shards::merge(several).map_err(|error| error.to_string()),
    }
}

fn contender(result: &ContenderResult) -> Numbers {
    let mut numbers = Numbers::default();
    numbers.times.fetch_s = Some(result.fetch_ns as f64 / 1e9);
    numbers.counts.keys = Some(result.objects);
    numbers.counts.ok = Some(result.ok);
    numbers.counts.failed = Some(result.objects.saturating_sub(result.ok));
    numbers.counts.tried = Some(result.objects);
    numbers.counts.goodput_bytes = Some(result.goodput_bytes);
    numbers
}

fn observation(name: &str, record: &Record, (numbers, attempts): (&Numbers, u32)) -> Observation {
    Observation {
        source: Source {
            document: name.to_owned(),
            summaries: record
                .summaries
                .iter()
                .map(|summary| beside(name, summary))
                .collect(),
        },
        sweep: Some(record.sweep.id.clone()),
        repetition: record.repetition,
        attempts,
        position: Some(record.position),
        is_overlapped: !record.beside.is_empty(),
        is_contender: !record.cell.program.is_parfetch(),
        ..of_numbers(&record.started_at, numbers)
    }
}

fn of_numbers(started_at: &str, numbers: &Numbers) -> Observation {
    Observation {
        started_at: started_at.to_owned(),
        attempts: 1,
        times: numbers.times,
        counts: numbers.counts,
        usage: numbers.usage,
        percentiles: numbers.percentiles,
        active_window_bytes_per_s: numbers.active_window_bytes_per_s,
        tail_share: numbers.tail_share,
        course: numbers.course,
        clock_error_ms: numbers.clock_error_ms,
        ..Observation::default()
    }
}

/// Runs outside a sweep; those of shards are put together.
fn own_runs(
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
    let source = Source {
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
        Err(reason) => Err(Failure {
            document: source.document,
            attempts: 1,
            started_at: started_at.clone(),
            reason,
            ..Failure::default()
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
