//! One summary → the numbers that a report needs; everything else is dropped at once, so that ten thousand of them fit into memory.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::trend::trend;
use super::workload::{MIB, cell, workload};
use crate::analysis::model::Workload;
use crate::analysis::observation::{Counts, Percentiles, RateTrend, ResourceUsage, Times};
use crate::cell::Cell;
use crate::plan::Shard;
use crate::results::record::LeftOutCells;
use crate::results::summary::{
    Attempts, Flaw, Series, State, StorageClass, Summary, Totals, judge,
};
use crate::stats::histogram::Snapshot;

/// The numbers of one run.
#[derive(Clone, Debug)]
pub(super) struct Reduced {
    /// The document's name.
    pub(super) document: String,
    /// UTC, RFC 3339.
    pub(super) started_at: String,
    /// What is the same in every copy of this summary, and differs from every other run.
    pub(super) identity: String,
    /// Why it did not come to its end.
    pub(super) failure: Option<String>,
    /// What it was asked for and what came of it; none for a run without keys.
    pub(super) account: Option<Totals>,
    /// For a run of its own: what it fetched.
    pub(super) workload: Workload,
    /// For a run of its own: its cell, with one shard.
    pub(super) cell: Cell,
    pub(super) tag: String,
    pub(super) shard: Option<Shard>,
    pub(super) numbers: Numbers,
    /// What merging shards needs; `None` for a run without a shard.
    pub(super) of_shard: Option<Box<OfShard>>,
    pub(super) context: Context,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) times: Times,
    pub(super) counts: Counts,
    pub(super) usage: ResourceUsage,
    pub(super) percentiles: Percentiles,
    pub(super) active_window_bytes_per_s: Option<f64>,
    pub(super) tail_share: Option<f64>,
    pub(super) trend: Option<RateTrend>,
    pub(super) clock_error_ms: Option<f64>,
}

/// What is kept of a shard until it is merged.
#[derive(Clone, Debug)]
pub(super) struct OfShard {
    pub(super) ttfb: Snapshot,
    pub(super) latency: Snapshot,
    pub(super) series: Option<Series>,
    /// The epoch, in seconds since 1970: off by what start-up took at most, which is much the same for every shard.
    pub(super) epoch_s: Option<f64>,
    /// Bound of the wall clock's error, as the task's metadata tells it.
    pub(super) clock_error_ms: Option<f64>,
}

/// Facts that are not compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::analysis) struct Context {
    pub(in crate::analysis) tool_version: String,
    pub(in crate::analysis) system: Option<String>,
    pub(in crate::analysis) cpu_model: Option<String>,
    pub(in crate::analysis) machine_cpus: Option<u32>,
    pub(in crate::analysis) limited_by: Vec<String>,
    pub(in crate::analysis) client_cpus: Option<u32>,
    pub(in crate::analysis) shared_with_server: Option<bool>,
    pub(in crate::analysis) storage_classes: BTreeMap<String, StorageClass>,
    pub(in crate::analysis) listing_s: Option<f64>,
    pub(in crate::analysis) planned_repetitions: Option<u32>,
    pub(in crate::analysis) left_out: Vec<LeftOutCells>,
    /// Where its sweep stored its results.
    pub(in crate::analysis) results: Option<String>,
    pub(in crate::analysis) warnings: Vec<String>,
}

/// Nanoseconds → seconds.
pub(super) fn seconds(ns: Option<u64>) -> Option<f64> {
    ns.map(|ns| ns as f64 / 1e9)
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}

/// What a report needs of a summary.
pub(super) fn reduce(document: &str, summary: Summary) -> Reduced {
    let numbers = numbers(&summary);
    let of_shard = summary.settings.selection.shard.map(|_| {
        let epoch_s = epoch_s(&summary);
        let distributions = summary.distributions.clone();
        let clock_error_ms = summary
            .environment
            .ecs
            .as_ref()
            .and_then(|ecs| ecs.clock_error_bound_ms);
        Box::new(OfShard {
            ttfb: distributions.ttfb,
            latency: distributions.latency,
            series: summary.series.clone(),
            epoch_s,
            clock_error_ms,
        })
    });
    Reduced {
        document: document.to_owned(),
        identity: identity(&summary),
        failure: failure(&summary),
        account: summary.account(),
        workload: workload(&summary),
        cell: cell(&summary),
        shard: summary.settings.selection.shard,
        numbers,
        of_shard,
        context: context(&summary),
        started_at: summary.started_at,
        tag: summary.tag,
    }
}

fn identity(summary: &Summary) -> String {
    let task = summary
        .environment
        .ecs
        .as_ref()
        .and_then(|ecs| ecs.task_arn.as_deref())
        .unwrap_or_default();
    let Summary {
        started_at,
        result_name,
        ..
    } = summary;
    format!(
        "{started_at} {} {result_name} {task} {:?} {:?}",
        summary.settings.bucket, summary.phases.fetch_ns, summary.cpu.fetch_user_ns
    )
}

/// Why several shards together have no figures: one did not come to its end, or their account does not close.
pub(super) fn failure_of(shards: &[Reduced]) -> Option<String> {
    let accounts: Vec<Option<Totals>> = shards.iter().map(|shard| shard.account).collect();
    shards
        .iter()
        .find_map(|shard| shard.failure.clone())
        .or_else(|| judge(&accounts).map(Flaw::in_words))
}

fn failure(summary: &Summary) -> Option<String> {
    match summary.state {
        State::Running => Some("still running, or died".to_owned()),
        State::Interrupted => Some("it was interrupted".to_owned()),
        State::Failed => Some(
            summary
                .warnings
                .last()
                .map_or_else(|| "it failed".to_owned(), |why| format!("it failed: {why}")),
        ),
        State::Complete => None,
    }
}

fn numbers(summary: &Summary) -> Numbers {
    let Summary {
        phases,
        distributions,
        cpu,
        ..
    } = summary;
    let totals = summary.totals;
    let server = |field: &str| {
        summary
            .server
            .as_ref()
            .and_then(|report| report.get(field)?.as_u64())
    };
    Numbers {
        times: Times {
            start_up_s: seconds(phases.start_up_ns),
            listing_s: seconds(phases.listing_ns),
            worker_start_s: seconds(phases.worker_start_ns),
            fetch_s: seconds(phases.fetch_ns),
            write_back_s: seconds(phases.write_back_ns),
            wall_s: None,
            busy_s: seconds(distributions.fetch_duration.sum_ns),
            billed_s: None,
            around_s: None,
        },
        counts: Counts {
            // A run that fetches a sample lists what it is drawn from.
            keys: summary
                .sample
                .as_ref()
                .map(|sample| sample.of_keys)
                .or(totals.map(|totals| totals.keys_listed)),
            listed_bytes: totals.and_then(|totals| totals.listed_bytes),
            ok: totals.map(|totals| totals.rows.ok),
            failed: totals.map(|totals| totals.rows.failed),
            // Archived objects are listed as such and cost no request; vanished ones do.
            tried: totals.map(|totals| totals.rows.ok + totals.rows.failed + totals.rows.vanished),
            goodput_bytes: totals.map(|totals| totals.goodput_bytes),
            received_bytes: totals.and_then(|totals| totals.received_bytes),
            attempts: summary.attempts.as_ref().map(|attempts| attempts.total),
            throttles: summary.attempts.as_ref().map(|attempts| attempts.throttles),
            throttles_of_kms: summary.attempts.as_ref().map(Attempts::throttles_of_kms),
            unpaid: summary.attempts.as_ref().map(Attempts::unpaid),
            timed: Some(distributions.latency.count),
            is_web: summary.settings.http.is_some(),
            is_own_amount: false,
        },
        usage: ResourceUsage {
            fetch_cpu_s: seconds(sum(cpu.fetch_user_ns, cpu.fetch_sys_ns)),
            whole_cpu_s: seconds(sum(cpu.whole_user_ns, cpu.whole_sys_ns)),
            limit_vcpu: cpu.limit_vcpu.or(summary.environment.vcpu.limit_vcpu),
            throttled_s: seconds(cpu.throttled_ns),
            throttled_over_s: seconds(phases.fetch_ns),
            peak_memory_bytes: summary.memory.peak_pss_bytes,
            // A little more than was asked for is reserved.
            storage_gib: summary
                .environment
                .ecs
                .as_ref()
                .and_then(|task| task.ephemeral_reserved_bytes)
                .map(|bytes| (bytes / (MIB << 10)) as f64),
            // What the task of a run does not know of itself.
            public_address: None,
            on_spot: None,
            server_cpu_s: seconds(server("cpu_ns")),
            server_threads: server("threads").and_then(|threads| u32::try_from(threads).ok()),
            server_vcpu: None,
        },
        percentiles: Percentiles {
            ttfb_p50_s: seconds(distributions.ttfb.p50_ns),
            ttfb_p99_s: seconds(distributions.ttfb.p99_ns),
            latency_p50_s: seconds(distributions.latency.p50_ns),
            latency_p99_s: seconds(distributions.latency.p99_ns),
        },
        active_window_bytes_per_s: summary.rates.active_window_bytes_per_s,
        tail_share: summary.rates.tail_share,
        trend: summary
            .series
            .as_ref()
            .and_then(|series| trend(series, phases.fetch_ns, summary.active_window_ns)),
        clock_error_ms: None,
    }
}

fn epoch_s(summary: &Summary) -> Option<f64> {
    let start = OffsetDateTime::parse(&summary.started_at, &Rfc3339).ok()?;
    let start_ms = i64::try_from(start.unix_timestamp_nanos() / 1_000_000).ok()?;
    let phases = [
        summary.phases.start_up_ns,
        summary.phases.listing_ns,
        summary.phases.worker_start_ns,
    ];
    let before: u64 = phases.into_iter().flatten().sum();
    // Milliseconds since 1970 are far below 2^53.
    Some(start_ms as f64 / 1e3 + before as f64 / 1e9)
}

fn context(summary: &Summary) -> Context {
    let environment = &summary.environment;
    let system = Some(environment.os.as_str()).filter(|os| !os.is_empty());
    let kernel = environment
        .kernel_release
        .as_deref()
        .map_or_else(String::new, |release| format!(" {release}"));
    Context {
        tool_version: summary.tool_version.clone(),
        system: system.map(|os| format!("{os}{kernel}")),
        cpu_model: environment.cpu.model.clone(),
        machine_cpus: environment.cpu.online,
        limited_by: environment
            .vcpu
            .source
            .map(|source| source.in_words().to_owned())
            .into_iter()
            .collect(),
        client_cpus: None,
        shared_with_server: None,
        storage_classes: summary.storage_classes.clone(),
        listing_s: seconds(summary.phases.listing_ns),
        planned_repetitions: None,
        left_out: Vec::new(),
        results: None,
        warnings: summary.warnings.clone(),
    }
}
