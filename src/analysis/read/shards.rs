//! Several shards → one repetition: bytes, objects, CPU and memory added, histograms added, time from the first start to the last end.
//!
//! Each shard has an epoch of its own, so times are put together by UTC: by how much the shards' clocks differ is known as far as tasks tell the bound
//! of their clock's error (on one machine it is one clock). What was in flight across shards is never claimed.

use std::collections::BTreeSet;

use super::reduce::{Numbers, OfShard, Reduced, seconds};
use super::trend::trend;
use crate::analysis::model::{Sampled, Workload};
use crate::analysis::observation::{Counts, Percentiles, ResourceUsage, Times};
use crate::results::summary::Series;
use crate::stats::histogram::{Histogram, Snapshot, SnapshotError};
use crate::units::SECOND_NS;

/// Shards of one run: the same settings apart from their index; of several runs the first start of each index belongs to the first run, and so on.
pub(super) fn batches(mut sharded: Vec<Reduced>) -> Vec<Vec<Reduced>> {
    sharded.sort_by(|one, other| one.started_at.cmp(&other.started_at));
    let mut batches: Vec<(BTreeSet<Option<u32>>, Vec<Reduced>)> = Vec::new();
    for run in sharded {
        let index = run.shard.map(|shard| shard.index);
        let fits = |(present, batch): &(BTreeSet<_>, Vec<Reduced>)| {
            !present.contains(&index) && is_same_but_for_the_shard(&batch[0], &run)
        };
        match batches.iter_mut().find(|batch| fits(batch)) {
            Some((present, batch)) => {
                present.insert(index);
                batch.push(run);
            }
            None => batches.push((BTreeSet::from([index]), vec![run])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn is_same_but_for_the_shard(one: &Reduced, other: &Reduced) -> bool {
    let count = |run: &Reduced| run.shard.map(|shard| shard.count);
    // A sample is drawn by each of them from its own keys.
    let sample = |run: &Reduced| {
        run.workload.sample.clone().map(|sample| Sampled {
            keys: 0,
            bytes: None,
            ..sample
        })
    };
    let workload = |run: &Reduced| Workload {
        keys: None,
        bytes: None,
        sample: sample(run),
        ..run.workload.clone()
    };
    one.tag == other.tag
        && one.cell == other.cell
        && count(one) == count(other)
        && workload(one) == workload(other)
}

/// What they fetched together.
pub(super) fn workload(shards: &[Reduced]) -> Workload {
    let all = |field: fn(&Workload) -> Option<u64>| {
        shards
            .iter()
            .map(|run| field(&run.workload))
            .sum::<Option<u64>>()
    };
    let sample = shards
        .iter()
        .map(|run| run.workload.sample.clone())
        .reduce(|sum, more| Some(sum?.with(&more?)))
        .flatten();
    Workload {
        sample,
        keys: all(|workload| workload.keys),
        bytes: all(|workload| workload.bytes),
        ..shards[0].workload.clone()
    }
}

/// The numbers of all shards together; the figures that need a part that is missing are unknown.
///
/// # Errors
/// When a histogram is damaged.
pub(super) fn merge(shards: &[Reduced]) -> Result<Numbers, SnapshotError> {
    let numbers: Vec<&Numbers> = shards.iter().map(|shard| &shard.numbers).collect();
    let parts: Vec<&OfShard> = shards
        .iter()
        .filter_map(|shard| shard.of_shard.as_deref())
        .collect();
    let window = window(&numbers, &parts);
    let (ttfb, latency) = (
        added(&parts, |part| &part.ttfb)?,
        added(&parts, |part| &part.latency)?,
    );
    let fetch_s = window.map(|(first, last)| last - first);
    let counts = |field: fn(&Counts) -> Option<u64>| {
        numbers
            .iter()
            .map(|shard| field(&shard.counts))
            .sum::<Option<u64>>()
    };
    let usage = |field: fn(&ResourceUsage) -> Option<f64>| {
        numbers
            .iter()
            .map(|shard| field(&shard.usage))
            .sum::<Option<f64>>()
    };
    // The parts of shards run side by side: the longest one counts.
    let longest = |field: fn(&Times) -> Option<f64>| {
        let times: Option<Vec<f64>> = numbers.iter().map(|shard| field(&shard.times)).collect();
        times.and_then(|times| times.into_iter().reduce(f64::max))
    };
    Ok(Numbers {
        times: Times {
            start_up_s: longest(|times| times.start_up_s),
            listing_s: longest(|times| times.listing_s),
            worker_start_s: longest(|times| times.worker_start_s),
            fetch_s,
            write_back_s: longest(|times| times.write_back_s),
            wall_s: None,
            busy_s: None,
            billed_s: None,
            around_s: None,
        },
        counts: Counts {
            keys: counts(|counts| counts.keys),
            listed_bytes: counts(|counts| counts.listed_bytes),
            ok: counts(|counts| counts.ok),
            failed: counts(|counts| counts.failed),
            tried: counts(|counts| counts.tried),
            goodput_bytes: counts(|counts| counts.goodput_bytes),
            received_bytes: counts(|counts| counts.received_bytes),
            attempts: counts(|counts| counts.attempts),
            throttles: counts(|counts| counts.throttles),
            throttles_of_kms: counts(|counts| counts.throttles_of_kms),
            unpaid: counts(|counts| counts.unpaid),
            timed: Some(latency.count()),
            is_web: numbers.iter().any(|shard| shard.counts.is_web),
            is_own_amount: false,
        },
        usage: ResourceUsage {
            fetch_cpu_s: usage(|usage| usage.fetch_cpu_s),
            whole_cpu_s: usage(|usage| usage.whole_cpu_s),
            limit_vcpu: usage(|usage| usage.limit_vcpu),
            throttled_s: usage(|usage| usage.throttled_s),
            throttled_over_s: usage(|usage| usage.throttled_over_s),
            peak_memory_bytes: numbers
                .iter()
                .map(|shard| shard.usage.peak_memory_bytes)
                .sum(),
            storage_gib: numbers
                .iter()
                .filter_map(|shard| shard.usage.storage_gib)
                .reduce(f64::max),
            // Of tasks, as the record of the repetition says.
            public_address: None,
            on_spot: None,
            server_cpu_s: None,
            server_threads: None,
            server_vcpu: None,
        },
        percentiles: percentiles(&ttfb, &latency),
        clock_error_ms: clock_error_ms(&numbers, &parts),
        active_window_bytes_per_s: None,
        tail_share: None,
        // Once the first shard has ended the sum falls, which is no drop of the rate.
        trend: window
            .zip(first_end(&numbers, &parts))
            .and_then(|((first, last), first_end)| {
                trend(
                    &added_series(&parts, first),
                    nanoseconds(last - first),
                    nanoseconds(first_end - first),
                )
            }),
    })
}

/// First epoch and last end, in seconds since 1970.
fn window(numbers: &[&Numbers], parts: &[&OfShard]) -> Option<(f64, f64)> {
    if parts.len() != numbers.len() {
        return None;
    }
    let spans = numbers
        .iter()
        .zip(parts)
        .map(|(shard, part)| Some((part.epoch_s?, part.epoch_s? + shard.times.fetch_s?)));
    let spans: Option<Vec<(f64, f64)>> = spans.collect();
    spans?
        .into_iter()
        .reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))
}

/// The end of the shard that ended first, in seconds since 1970.
fn first_end(numbers: &[&Numbers], parts: &[&OfShard]) -> Option<f64> {
    numbers
        .iter()
        .zip(parts)
        .filter_map(|(shard, part)| Some(part.epoch_s? + shard.times.fetch_s?))
        .reduce(f64::min)
}

/// The largest bound, when every shard tells its own.
fn clock_error_ms(numbers: &[&Numbers], parts: &[&OfShard]) -> Option<f64> {
    let errors: Option<Vec<f64>> = parts.iter().map(|part| part.clock_error_ms).collect();
    errors
        .filter(|errors| errors.len() == numbers.len())?
        .into_iter()
        .reduce(f64::max)
}

fn added(parts: &[&OfShard], of: fn(&OfShard) -> &Snapshot) -> Result<Histogram, SnapshotError> {
    let mut whole = Histogram::default();
    for part in parts {
        whole.merge(&of(part).histogram()?);
    }
    Ok(whole)
}

fn percentiles(ttfb: &Histogram, latency: &Histogram) -> Percentiles {
    Percentiles {
        ttfb_p50_s: seconds(ttfb.quantile(0.5)),
        ttfb_p99_s: seconds(ttfb.quantile(0.99)),
        latency_p50_s: seconds(latency.quantile(0.5)),
        latency_p99_s: seconds(latency.quantile(0.99)),
    }
}

/// The shards' bytes by second since the first epoch; each shard to the nearest whole second. Empty when one has no series.
fn added_series(parts: &[&OfShard], first_s: f64) -> Series {
    let nothing = || Series {
        interval_ns: SECOND_NS,
        ..Series::default()
    };
    let mut added = nothing();
    let has_fetches = parts.iter().all(|part| {
        part.series
            .as_ref()
            .is_some_and(|series| series.fetches.len() == series.bytes.len())
    });
    for part in parts {
        let (Some(series), Some(epoch_s)) = (
            part.series
                .as_ref()
                .filter(|series| series.interval_ns == SECOND_NS),
            part.epoch_s,
        ) else {
            return nothing();
        };
        let offset = whole_seconds(epoch_s - first_s);
        add_from(&mut added.bytes, offset, &series.bytes);
        // Fetches are only of use where every shard counted them.
        if has_fetches {
            add_from(&mut added.fetches, offset, &series.fetches);
        }
    }
    added
}

/// Adds values to those from a place on.
fn add_from(sums: &mut Vec<u64>, offset: usize, values: &[u64]) {
    if sums.len() < offset + values.len() {
        sums.resize(offset + values.len(), 0);
    }
    for (sum, value) in sums[offset..].iter_mut().zip(values) {
        *sum = sum.saturating_add(*value);
    }
}

/// Longest time between the starts of two shards that is believed: a day. A damaged date must not fill the memory.
const LONGEST_OFFSET_S: f64 = 86_400.0;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn whole_seconds(seconds: f64) -> usize {
    seconds.round().clamp(0.0, LONGEST_OFFSET_S) as usize
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of runs are far below 2^53 ns, and negative ones are cut off"
)]
fn nanoseconds(seconds: f64) -> Option<u64> {
    seconds.is_finite().then(|| (seconds.max(0.0) * 1e9) as u64)
}
