//! What a run cost: its requests as counted, and its task. Elsewhere than on Fargate, what such a task would cost that holds what was used.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::price::{
    MINIMUM_SECONDS, PriceList, TaskSize, Usage, bill, holding_size, memory_for_peak, storage_usd,
    task_usd,
};
use crate::results::summary::{Price, PricedTask, Summary, fetched_classes};

/// CPU units of one vCPU.
const UNITS_PER_VCPU: f64 = 1_024.0;
/// Bytes of a MiB and of a GiB.
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Requests that are in no row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requests {
    pub(super) lists: u64,
    pub(super) puts: u64,
}

/// Prices a run.
///
/// # Errors
/// Why there is no price, in words.
pub(super) fn price(
    summary: &Summary,
    requests: Requests,
    prices: &PriceList,
) -> Result<Price, String> {
    let is_web = summary.settings.http.is_some();
    let bucket_region = match summary.region.as_deref() {
        Some(region) => region,
        // A web server has none. Only the task costs something, and it is priced where it would most likely be.
        None if is_web => task_region(summary),
        None => return Err("the region is not known".to_owned()),
    };
    let ecs = summary
        .environment
        .ecs
        .as_ref()
        .filter(|task| task.launch_type.as_deref() == Some("FARGATE"));
    let task = match ecs {
        Some(_) => own_task(summary, bucket_region)?,
        None => holding_task(summary, bucket_region)?,
    };
    let seconds = process_s(summary) + ecs.map_or(0.0, |_| before_process_s(summary));
    let attempts = summary.attempts.as_ref().filter(|_| !is_web);
    let gets = attempts.map_or(0, |attempts| {
        attempts.total.saturating_sub(attempts.unpaid())
    });
    let usage = Usage {
        bucket_region,
        task_region: &task.region,
        arch: &task.arch,
        size: TaskSize {
            vcpu: task.vcpu,
            memory_mib: task.memory_mib,
        },
        storage_gib: task.storage_gib.unwrap_or(0) as f64,
        seconds,
        gets,
        lists: requests.lists,
        puts: requests.puts,
        bytes: summary
            .totals
            .and_then(|totals| totals.received_bytes.or(Some(totals.goodput_bytes)))
            .unwrap_or(0),
        egress: summary.settings.egress,
        classes: fetched_classes(&summary.storage_classes),
    };
    let bill = bill(prices, &usage).map_err(|why| format!("{why} (--prices FILE gives one)"))?;
    let usd_at_rate = usd_at_rate(summary, &usage, prices);
    let per = |amount: Option<f64>| {
        let amount = amount.filter(|amount| *amount > 0.0)?;
        Some(usd_at_rate? / amount)
    };
    let totals = summary.totals;
    Ok(Price {
        usd_total: bill.usd_total(),
        usd_task: bill.usd_task,
        usd_storage: bill.usd_storage,
        usd_requests: bill.usd_requests,
        usd_retrieval: bill.usd_retrieval,
        usd_egress: bill.usd_egress,
        usd_per_tb: per(totals
            .filter(|_| !is_web)
            .map(|totals| totals.goodput_bytes as f64 / 1e12)),
        usd_per_million_fetches: per(totals.map(|totals| totals.rows.ok as f64 / 1e6)),
        billed_s: bill.billed_s,
        is_minimum: bill.is_minimum,
        is_hypothetical: ecs.is_none(),
        gets,
        lists: requests.lists,
        puts: requests.puts,
        requests_of: bill.requests_of.unwrap_or_else(|| bucket_region.to_owned()),
        egress: summary.settings.egress,
        prices_dated: prices.dated().to_owned(),
        task,
    })
}

/// The task that the run is, as ECS says.
fn own_task(summary: &Summary, bucket_region: &str) -> Result<PricedTask, String> {
    let task = summary
        .environment
        .ecs
        .as_ref()
        .ok_or("this is not a task")?;
    let (Some(vcpu), Some(bytes)) = (task.limit_vcpu, task.limit_memory_bytes) else {
        return Err("ECS does not say how large the task is".to_owned());
    };
    // arn:aws:ecs:REGION:ACCOUNT:task/…
    let region = task
        .task_arn
        .as_deref()
        .and_then(|arn| arn.split(':').nth(3))
        .filter(|region| !region.is_empty());
    Ok(PricedTask {
        vcpu,
        memory_mib: bytes / MIB,
        arch: architecture(summary),
        region: region.unwrap_or(bucket_region).to_owned(),
        // A little more than was asked for is reserved.
        storage_gib: task.ephemeral_reserved_bytes.map(|bytes| bytes / GIB),
    })
}

/// The smallest task on Fargate that has as many vCPU as the run had, and holds twice the memory that it used.
fn holding_task(summary: &Summary, bucket_region: &str) -> Result<PricedTask, String> {
    let vcpu = summary
        .environment
        .vcpu
        .limit_vcpu
        .ok_or("how many vCPUs there are is not known")?;
    let peak = summary
        .memory
        .peak_pss_bytes
        .or(summary.memory.peak_rss_bytes)
        .ok_or("how much memory the run used is not known")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates"
    )]
    let units = (vcpu * UNITS_PER_VCPU).ceil() as u32;
    let (units, memory_mib) = holding_size(units, memory_for_peak(peak as f64))
        .ok_or_else(|| format!("Fargate has no task of {vcpu} vCPUs"))?;
    Ok(PricedTask {
        vcpu: f64::from(units) / UNITS_PER_VCPU,
        memory_mib: u64::from(memory_mib),
        arch: architecture(summary),
        region: bucket_region.to_owned(),
        storage_gib: None,
    })
}

/// As AWS calls it.
fn architecture(summary: &Summary) -> String {
    if summary.environment.arch == "aarch64" {
        "arm64".to_owned()
    } else {
        summary.environment.arch.clone()
    }
}

/// The time of the process, as far as it is known.
fn process_s(summary: &Summary) -> f64 {
    let phases = &summary.phases;
    let all = [
        phases.start_up_ns,
        phases.listing_ns,
        phases.worker_start_ns,
        phases.fetch_ns,
        phases.write_back_ns,
    ];
    all.into_iter().flatten().sum::<u64>() as f64 / 1e9
}

/// What a task is billed for before its process: from the start of the image's pull to that of the container.
fn before_process_s(summary: &Summary) -> f64 {
    let time = |text: &Option<String>| OffsetDateTime::parse(text.as_deref()?, &Rfc3339).ok();
    let before =
        summary.environment.ecs.as_ref().and_then(|task| {
            Some(time(&task.container_started_utc)? - time(&task.pull_started_utc)?)
        });
    before.map_or(0.0, |before| before.as_seconds_f64().max(0.0))
}

/// The region of a task that measures a web server: its own, else the one that was set, else the default of AWS.
fn task_region(summary: &Summary) -> &str {
    let own = summary
        .environment
        .ecs
        .as_ref()
        .and_then(|task| task.task_arn.as_deref())
        .and_then(|arn| arn.split(':').nth(3));
    own.filter(|region| !region.is_empty())
        .or(summary.settings.access.region.as_deref())
        .unwrap_or("us-east-1")
}

/// The price at the measured rate: the task for the fetch time alone, without the minimum and without what is stored once, which a larger bucket would not
/// pay more of.
fn usd_at_rate(summary: &Summary, usage: &Usage<'_>, prices: &PriceList) -> Option<f64> {
    const HOUR_S: f64 = 3_600.0;
    const _: () = assert!(HOUR_S > MINIMUM_SECONDS);
    let fetch_s = summary.phases.fetch_ns? as f64 / 1e9;
    let storage = prices
        .storage_usd_per_gb_hour(usage.task_region)
        .unwrap_or(0.0);
    let usd_per_hour = task_usd(
        prices.fargate(usage.task_region, usage.arch)?,
        usage.size,
        HOUR_S,
    ) + storage_usd(storage, usage.storage_gib, HOUR_S);
    let stores_nothing = Usage {
        puts: 0,
        ..usage.clone()
    };
    let bill = bill(prices, &stores_nothing).ok()?;
    let others = bill.usd_requests + bill.usd_retrieval + bill.usd_egress.unwrap_or(0.0);
    Some(usd_per_hour * fetch_s / HOUR_S + others)
}
