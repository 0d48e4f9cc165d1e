//! A record and the summaries that it names → one repetition of a sweep.

use super::found::Run;
use super::reduce::{Context, Numbers, Reduced, failure_of, seconds};
use super::shards;
use super::sweeps::{SweepShared, sibling};

use crate::analysis::model::{FailedRepetition, Place, Sampled, Workload};
use crate::analysis::observation::{
    Counts, DocumentSource, Observation, Percentiles, ToldSettings,
};
use crate::analysis::tasks::of_tasks;
use crate::cell::Program;
use crate::results::record::{ContenderResult, ContenderTimes, Record};
use crate::results::summary::Distributions;

/// One repetition's record with what it names.
pub(super) struct Recorded<'a> {
    pub(super) name: String,
    pub(super) record: Record,
    pub(super) found: Vec<Option<Reduced>>,
    pub(super) attempts: u32,
    pub(super) sweep: Option<&'a SweepShared>,
}

/// The repetition.
pub(super) fn recorded(recorded: Recorded<'_>) -> Run {
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
        // A run alone knows the port of its server, which differs from run to run.
        http: record
            .sweep
            .http
            .clone()
            .or_else(|| own.and_then(|own| own.workload.http.clone())),
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
    .without_ephemeral_port();
    let context = context(&record, &reduced, sweep.map(|sweep| &sweep.context));
    let outcome = match numbers(&record, &reduced, named) {
        Ok(numbers) => Ok(observation(&name, &record, (&numbers, attempts))),
        Err(reason) => Err(FailedRepetition {
            document: name,
            sweep: Some(record.sweep.id.clone()),
            repetition: record.repetition,
            attempts,
            started_at: record.started_at.clone(),
            reason,
            ..FailedRepetition::default()
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
        arch: seen.and_then(|seen| seen.arch.clone()).or_else(|| {
            record
                .sweep
                .architecture
                .as_deref()
                .map(as_parfetch_writes_it)
        }),
        machine,
        on,
    }
}

/// The name of an architecture of ECS as the summaries of parfetch have it.
fn as_parfetch_writes_it(arch: &str) -> String {
    match arch {
        "ARM64" => "aarch64".to_owned(),
        other => other.to_ascii_lowercase(),
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
        left_out: record.sweep.left_out.clone(),
        results: record.sweep.results.clone(),
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
            record.contender_times.as_deref(),
        )
    } else {
        of_parfetch(record, reduced, named)?
    };
    numbers.counts.is_web |= record.sweep.http.is_some();
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
    if let Some(server) = &record.started_server {
        let cpu_ns = server
            .cpu_user_ns
            .zip(server.cpu_sys_ns)
            .map(|(user, sys)| user.saturating_add(sys));
        numbers.usage.server_cpu_s = seconds(cpu_ns);
        numbers.usage.server_vcpu = Some(server.vcpu);
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
    if let Some(reason) = record
        .sweep
        .other_keys(listed, (record.cell.shards, record.amount))
    {
        return Err(reason);
    }
    match reduced {
        [one] if one.of_shard.is_none() => Ok(one.numbers),
        several => shards::merge(several).map_err(|error| error.to_string()),
    }
}

fn contender(result: &ContenderResult, times: Option<&ContenderTimes>) -> Numbers {
    let mut numbers = Numbers::default();
    numbers.times.fetch_s = Some(result.fetch_ns as f64 / 1e9);
    numbers.counts.keys = result.objects;
    numbers.counts.ok = result.ok;
    numbers.counts.failed = result
        .objects
        .zip(result.ok)
        .map(|(objects, ok)| objects.saturating_sub(ok));
    numbers.counts.tried = result.objects;
    numbers.counts.goodput_bytes = result.goodput_bytes;
    if let Some(times) = times {
        let Distributions { ttfb, latency, .. } = &times.distributions;
        numbers.counts.timed = Some(latency.count);
        numbers.percentiles = Percentiles {
            ttfb_p50_s: seconds(ttfb.p50_ns),
            ttfb_p99_s: seconds(ttfb.p99_ns),
            latency_p50_s: seconds(latency.p50_ns),
            latency_p99_s: seconds(latency.p99_ns),
        };
    }
    numbers
}

fn observation(name: &str, record: &Record, (numbers, attempts): (&Numbers, u32)) -> Observation {
    let counts = Counts {
        is_own_amount: record.amount.is_some(),
        ..numbers.counts
    };
    Observation {
        counts,
        source: DocumentSource {
            document: name.to_owned(),
            summaries: record
                .summaries
                .iter()
                .map(|summary| sibling(name, summary))
                .collect(),
        },
        sweep: Some(record.sweep.id.clone()),
        repetition: record.repetition,
        attempts,
        position: Some(record.position),
        is_overlapped: !record.beside.is_empty(),
        is_contender: !record.cell.program.is_parfetch(),
        is_timed_alone: record
            .contender
            .is_some_and(|result| result.objects.is_none()),
        told: record.contender_settings.as_ref().map(|settings| {
            Box::new(ToldSettings {
                settings: (**settings).clone(),
                container: record.tasks.iter().find_map(|task| task.container.clone()),
            })
        }),
        ..of_numbers(&record.started_at, numbers)
    }
}

pub(super) fn of_numbers(started_at: &str, numbers: &Numbers) -> Observation {
    Observation {
        started_at: started_at.to_owned(),
        attempts: 1,
        times: numbers.times,
        counts: numbers.counts,
        usage: numbers.usage,
        percentiles: numbers.percentiles,
        active_window_bytes_per_s: numbers.active_window_bytes_per_s,
        tail_share: numbers.tail_share,
        trend: numbers.trend,
        clock_error_ms: numbers.clock_error_ms,
        ..Observation::default()
    }
}
