//! One repetition of one cell, reduced to numbers; a sharded one is one observation. Plain data, `None` for what is not known.

use serde::Serialize;

use super::metric::Metric;
use crate::results::record::ContenderSettings;

/// One repetition that ended well: numbers alone, whatever its documents weigh.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Observation {
    /// Where it was read.
    pub source: DocumentSource,
    /// The sweep that it belongs to; `None` for a run of its own.
    pub sweep: Option<String>,
    /// From 1; runs of their own are counted in the order of their starts.
    pub repetition: u32,
    /// How many tries it took.
    pub attempts: u32,
    /// Its place in the order of the sweep.
    pub position: Option<u32>,
    /// UTC, RFC 3339: a label.
    pub started_at: String,
    /// Whether other repetitions of its sweep ran at the same time.
    pub is_overlapped: bool,
    /// Whether a contender made it: its fetch time holds the start of its workers.
    pub is_contender: bool,
    /// Whether its time is all that is known: it wrote no CSV, so what it read is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_timed_alone: bool,
    /// What a contender was told of its configuration.
    #[serde(skip)]
    pub told: Option<Box<ToldSettings>>,
    /// Times of its parts.
    pub times: Times,
    /// Objects, bytes and attempts.
    pub counts: Counts,
    /// Processor, memory and the server.
    pub usage: ResourceUsage,
    /// Percentiles, in seconds.
    pub percentiles: Percentiles,
    /// Bytes of `ok` fetches in the active window ÷ active window.
    pub active_window_bytes_per_s: Option<f64>,
    /// (fetch time − active window) ÷ fetch time.
    pub tail_share: Option<f64>,
    /// What the one-second series says of the rate over time; `None` without a series.
    pub trend: Option<RateTrend>,
    /// Of shards, which are put together by UTC: the largest bound of their clocks' errors, in milliseconds; `None` where one does not tell, and for
    /// a run on one clock.
    pub clock_error_ms: Option<f64>,
    /// Price by bytes; filled in with the prices.
    pub usd_per_tb: Option<f64>,
    /// The task's part of it.
    pub task_usd_per_tb: Option<f64>,
    /// By how much it was faster for the time at which it was made, as a logarithm: what the runs around it show. 0 where nothing shows.
    #[serde(skip)]
    pub moment: f64,
}

/// What runs a contender so again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldSettings {
    /// Its variables and its command.
    pub settings: ContenderSettings,
    /// Its container on ECS; none on this machine.
    pub container: Option<String>,
}

/// Where an observation was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DocumentSource {
    /// The record, or the one summary of a run of its own.
    pub document: String,
    /// The summaries of parfetch behind it, one a shard; none for a contender.
    pub summaries: Vec<String>,
}

/// Seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Process start → the listing.
    pub start_up_s: Option<f64>,
    /// Its own listing, or reading its key file.
    pub listing_s: Option<f64>,
    /// Starting the workers.
    pub worker_start_s: Option<f64>,
    /// Fetch time; for shards last end − first start.
    pub fetch_s: Option<f64>,
    /// Writing and storing results.
    pub write_back_s: Option<f64>,
    /// Start of the first process to the end of the last, from outside.
    pub wall_s: Option<f64>,
    /// Of all its fetches together: as long as its workers were busy. Unknown for shards and contenders.
    #[serde(skip)]
    pub busy_s: Option<f64>,
    /// What a task of it was billed for, the minimum of a minute included; the mean of its tasks. Unknown outside Fargate.
    pub billed_s: Option<f64>,
    /// What a task of it was billed for beside the time of its process: the pull of the image, and until it had stopped. Unknown outside Fargate.
    pub around_s: Option<f64>,
}

/// Objects, bytes, attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Keys to fetch.
    pub keys: Option<u64>,
    /// Their size as listed.
    pub listed_bytes: Option<u64>,
    /// Objects read well.
    pub ok: Option<u64>,
    /// Objects given up.
    pub failed: Option<u64>,
    /// Objects tried, whatever came of it.
    pub tried: Option<u64>,
    /// Bytes of objects read well.
    pub goodput_bytes: Option<u64>,
    /// Bytes read from sockets.
    pub received_bytes: Option<u64>,
    /// HTTP attempts.
    pub attempts: Option<u64>,
    /// Attempts that were told «too fast».
    pub throttles: Option<u64>,
    /// Those of them that came from KMS.
    #[serde(skip)]
    pub throttles_of_kms: Option<u64>,
    /// Attempts that nobody bills: answers of 5xx, and connections that were not made.
    pub unpaid: Option<u64>,
    /// Fetches whose times are in the percentiles: of shards, in the added histograms.
    pub timed: Option<u64>,
    /// Whether they are requests to a web server: what counts then is how many, and not their bytes.
    #[serde(skip)]
    pub is_web: bool,
    /// Whether other repetitions of its sweep fetched other amounts, so that their times do not compare.
    #[serde(skip)]
    pub is_own_amount: bool,
}

/// Processor, memory, server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ResourceUsage {
    /// CPU seconds of the fetch phase, the run's own account.
    pub fetch_cpu_s: Option<f64>,
    /// CPU seconds of the whole processes, from outside; else the run's own account.
    pub whole_cpu_s: Option<f64>,
    /// vCPU of all shards together.
    pub limit_vcpu: Option<f64>,
    /// Seconds in which the quota held it back.
    pub throttled_s: Option<f64>,
    /// Over how many seconds that was counted.
    pub throttled_over_s: Option<f64>,
    /// Largest memory.
    pub peak_memory_bytes: Option<u64>,
    /// Ephemeral storage of a task in GiB; `None` where it is not known.
    pub storage_gib: Option<f64>,
    /// Whether its tasks had public IPv4 addresses; `None` where it is not known.
    pub public_address: Option<bool>,
    /// Whether its tasks ran on Spot capacity; `None` where it is not known.
    pub on_spot: Option<bool>,
    /// CPU seconds of the server meanwhile: of the embedded one, or of one that the sweep started.
    pub server_cpu_s: Option<f64>,
    /// Threads of the embedded server.
    pub server_threads: Option<u32>,
    /// vCPU of a server that the sweep started: its CPU seconds are those of the whole repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_vcpu: Option<f64>,
}

/// Of the fetches that ended well, in seconds; of shards from their added histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median time to first byte.
    pub ttfb_p50_s: Option<f64>,
    /// 99th percentile of it.
    pub ttfb_p99_s: Option<f64>,
    /// Median latency.
    pub latency_p50_s: Option<f64>,
    /// 99th percentile of it.
    pub latency_p99_s: Option<f64>,
}

/// The rate over the time of one repetition, from its one-second series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RateTrend {
    /// How long its first rate held: to the drop, or to the end of what was seen.
    pub held_s: f64,
    /// The drop, when there was one.
    pub drop: Option<RateDrop>,
    /// Which share of the time went by objects, the rest by bytes; known where sizes changed during the run.
    pub by_objects: Option<f64>,
}

/// A rate that fell and stayed low: a burst's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RateDrop {
    /// Seconds from the epoch to the drop.
    pub at_s: f64,
    /// Bytes until then.
    pub bytes: u64,
    /// Bytes a second before.
    pub before_bytes_per_s: f64,
    /// Bytes a second after.
    pub after_bytes_per_s: f64,
    /// Probability of a change as large where there is none.
    pub p: f64,
}

/// `amount` ÷ `by`, unknown when either is, or when `by` is nothing.
pub(super) fn ratio(amount: Option<f64>, by: Option<f64>) -> Option<f64> {
    let by = by.filter(|by| *by > 0.0)?;
    amount.map(|amount| amount / by)
}

fn float(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

impl Observation {
    /// The figure of this repetition, in the metric's unit; `None` when a part of it is not known.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let Self {
            times,
            counts,
            usage,
            percentiles,
            ..
        } = self;
        let goodput = float(counts.goodput_bytes);
        // Bytes of answers say little of a server.
        if counts.is_web && metric.is_of_bytes() {
            return None;
        }
        match metric {
            Metric::Throughput if self.is_contender => ratio(goodput, times.fetch_s),
            Metric::Throughput => ratio(float(counts.received_bytes), times.fetch_s),
            Metric::Goodput => ratio(goodput, times.fetch_s),
            Metric::ActiveWindow => self.active_window_bytes_per_s,
            Metric::FetchTime | Metric::StartAndFetchTime if self.counts.is_own_amount => None,
            Metric::FetchTime => times.fetch_s,
            Metric::StartAndFetchTime if self.is_contender => times.fetch_s,
            Metric::StartAndFetchTime => Some(times.worker_start_s? + times.fetch_s?),
            Metric::TtfbP50 => percentiles.ttfb_p50_s,
            Metric::TtfbP99 => percentiles.ttfb_p99_s,
            Metric::LatencyP50 => percentiles.latency_p50_s,
            Metric::LatencyP99 => percentiles.latency_p99_s,
            Metric::CpuPerGb => ratio(
                usage.fetch_cpu_s,
                float(counts.received_bytes).map(|bytes| bytes / 1e9),
            ),
            Metric::WholeCpuPerGb => ratio(usage.whole_cpu_s, goodput.map(|bytes| bytes / 1e9)),
            Metric::CpuShare => self.cpu_share(),
            Metric::TailShare => self.tail_share,
            Metric::PeakMemory => float(usage.peak_memory_bytes),
            Metric::UsdPerTb => self.usd_per_tb,
            Metric::TaskUsdPerTb => self.task_usd_per_tb,
            Metric::AttemptsPerObject => ratio(float(counts.attempts), float(counts.tried)),
            Metric::FailedObjects => float(counts.failed),
            Metric::Throttles => float(counts.throttles),
            Metric::RequestsPerS => ratio(float(counts.ok), times.fetch_s),
        }
    }

    fn cpu_share(&self) -> Option<f64> {
        let (busy, time) = if self.is_contender {
            (self.usage.whole_cpu_s, self.times.wall_s)
        } else {
            (self.usage.fetch_cpu_s, self.times.fetch_s)
        };
        ratio(ratio(busy, time), self.usage.limit_vcpu)
    }

    /// Its throughput as if it had been made at an ordinary time; what configurations are compared by.
    pub fn steady_throughput(&self) -> Option<f64> {
        self.rate().map(|rate| rate * (-self.moment).exp())
    }

    /// What configurations are compared by: bytes a second, of a web server requests a second, of a program whose time alone is known runs a second.
    pub fn rate(&self) -> Option<f64> {
        if self.is_timed_alone {
            return ratio(Some(1.0), self.times.fetch_s);
        }
        self.value(if self.counts.is_web {
            Metric::RequestsPerS
        } else {
            Metric::Throughput
        })
    }

    /// CPU time of the embedded server ÷ (fetch time × its threads); of a contender, which lists and stores meanwhile, ÷ (wall time × its threads). Of a
    /// server that the sweep started ÷ (wall time × its vCPU).
    pub fn server_share(&self) -> Option<f64> {
        if let Some(vcpu) = self.usage.server_vcpu {
            return ratio(
                ratio(self.usage.server_cpu_s, self.times.wall_s),
                Some(vcpu),
            );
        }
        let time = if self.is_contender {
            self.times.wall_s
        } else {
            self.times.fetch_s
        };
        ratio(
            ratio(self.usage.server_cpu_s, time),
            self.usage.server_threads.map(f64::from),
        )
    }

    /// CPU seconds of an object that was read well; of a contender those of its whole processes. `None` where nothing was counted. A run of which the time
    /// alone is known counts as `objects`.
    pub(super) fn cpu_per_object_s(&self, objects: f64) -> Option<f64> {
        let busy = self.usage.fetch_cpu_s.or(self.usage.whole_cpu_s);
        let ok = if self.is_timed_alone {
            Some(objects)
        } else {
            float(self.counts.ok)
        };
        ratio(busy.filter(|seconds| *seconds > 0.0), ok)
    }

    /// Attempts that are billed.
    pub fn paid(&self) -> Option<u64> {
        Some(
            self.counts
                .attempts?
                .saturating_sub(self.counts.unpaid.unwrap_or(0)),
        )
    }

    /// Attempts that are billed ÷ objects that were tried.
    pub fn paid_per_object(&self) -> Option<f64> {
        ratio(float(self.paid()), float(self.counts.tried))
    }

    pub fn throttled_attempts_share(&self) -> Option<f64> {
        ratio(float(self.counts.throttles), float(self.counts.attempts))
    }

    /// Time in which the quota held it back ÷ the time over which that was counted.
    pub fn quota_share(&self) -> Option<f64> {
        ratio(self.usage.throttled_s, self.usage.throttled_over_s)
    }
}
