//! What is compared: every metric with its name, unit, direction and definition. No arithmetic.

use serde::{Deserialize, Serialize};

/// One figure of a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Received bytes ÷ fetch time.
    Throughput,
    /// Bytes of complete objects ÷ fetch time.
    Goodput,
    /// Rate while every worker was busy.
    ActiveWindow,
    /// Fetch time.
    FetchTime,
    /// Worker start + fetch time.
    StartAndFetchTime,
    /// Median time to first byte.
    TtfbP50,
    /// 99th percentile of the time to first byte.
    TtfbP99,
    /// Median latency.
    LatencyP50,
    /// 99th percentile of the latency.
    LatencyP99,
    /// CPU of the fetch phase by bytes.
    CpuPerGb,
    /// CPU of the whole processes by bytes, seen from outside.
    WholeCpuPerGb,
    /// CPU used ÷ vCPU limit.
    CpuShare,
    /// Time with workers idle at the end ÷ fetch time.
    TailShare,
    /// Peak memory.
    PeakMemory,
    /// Price by bytes.
    UsdPerTb,
    /// Price of the task alone by bytes.
    TaskUsdPerTb,
    /// Attempts ÷ objects.
    AttemptsPerObject,
    /// Objects that failed.
    FailedObjects,
    /// Attempts that were told «too fast».
    Throttles,
}

/// What a figure counts; values are always in this unit, and rendering scales them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// CPU seconds a GB (10⁹ bytes).
    SecondsPerGb,
    /// A share of one.
    Share,
    /// Bytes.
    Bytes,
    /// US dollars a TB (10¹² bytes).
    UsdPerTb,
    /// A number.
    Count,
}

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Metric {
    /// Every metric, in the order of tables.
    pub const ALL: [Self; 19] = [
        Self::Throughput,
        Self::Goodput,
        Self::ActiveWindow,
        Self::FetchTime,
        Self::StartAndFetchTime,
        Self::TtfbP50,
        Self::TtfbP99,
        Self::LatencyP50,
        Self::LatencyP99,
        Self::CpuPerGb,
        Self::WholeCpuPerGb,
        Self::CpuShare,
        Self::TailShare,
        Self::PeakMemory,
        Self::UsdPerTb,
        Self::TaskUsdPerTb,
        Self::AttemptsPerObject,
        Self::FailedObjects,
        Self::Throttles,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Goodput => "goodput",
            Self::ActiveWindow => "active-window rate",
            Self::FetchTime => "fetch time",
            Self::StartAndFetchTime => "worker start + fetch time",
            Self::TtfbP50 => "TTFB p50",
            Self::TtfbP99 => "TTFB p99",
            Self::LatencyP50 => "latency p50",
            Self::LatencyP99 => "latency p99",
            Self::CpuPerGb => "CPU per GB, fetch phase",
            Self::WholeCpuPerGb => "CPU per GB, whole",
            Self::CpuShare => "CPU share of the limit",
            Self::TailShare => "tail share",
            Self::PeakMemory => "peak memory",
            Self::UsdPerTb => "$ per TB",
            Self::TaskUsdPerTb => "$ per TB, task alone",
            Self::AttemptsPerObject => "attempts per object",
            Self::FailedObjects => "failed objects",
            Self::Throttles => "throttled attempts",
        }
    }

    /// The name in files (as serde writes it).
    pub const fn id(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Goodput => "goodput",
            Self::ActiveWindow => "active_window",
            Self::FetchTime => "fetch_time",
            Self::StartAndFetchTime => "start_and_fetch_time",
            Self::TtfbP50 => "ttfb_p50",
            Self::TtfbP99 => "ttfb_p99",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP99 => "latency_p99",
            Self::CpuPerGb => "cpu_per_gb",
            Self::WholeCpuPerGb => "whole_cpu_per_gb",
            Self::CpuShare => "cpu_share",
            Self::TailShare => "tail_share",
            Self::PeakMemory => "peak_memory",
            Self::UsdPerTb => "usd_per_tb",
            Self::TaskUsdPerTb => "task_usd_per_tb",
            Self::AttemptsPerObject => "attempts_per_object",
            Self::FailedObjects => "failed_objects",
            Self::Throttles => "throttles",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Throughput | Self::Goodput | Self::ActiveWindow => Unit::BytesPerSecond,
            Self::FetchTime
            | Self::StartAndFetchTime
            | Self::TtfbP50
            | Self::TtfbP99
            | Self::LatencyP50
            | Self::LatencyP99 => Unit::Seconds,
            Self::CpuPerGb | Self::WholeCpuPerGb => Unit::SecondsPerGb,
            Self::CpuShare | Self::TailShare => Unit::Share,
            Self::PeakMemory => Unit::Bytes,
            Self::UsdPerTb | Self::TaskUsdPerTb => Unit::UsdPerTb,
            Self::AttemptsPerObject | Self::FailedObjects | Self::Throttles => Unit::Count,
        }
    }

    /// Which way is good.
    pub const fn better(self) -> Better {
        match self {
            Self::Throughput | Self::Goodput | Self::ActiveWindow => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// What it is, in one sentence.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Throughput => {
                "Bytes read from sockets, those of failed attempts too, ÷ fetch time; for a contender, which does not say what it received, the \
                 bytes of its complete objects ÷ its own time, which includes starting its workers."
            }
            Self::Goodput => {
                "Bytes of complete, length-verified objects ÷ fetch time; for a contender ÷ its own time, which includes starting its workers."
            }
            Self::ActiveWindow => {
                "Bytes of complete objects until the queue was empty ÷ that time: the rate while every worker was busy."
            }
            Self::FetchTime => {
                "From the moment the workers are let go to the last end of a fetch: no listing, no worker start, no write-back."
            }
            Self::StartAndFetchTime => {
                "Starting the workers and fetching: what is compared with contenders, whose own time includes starting their workers."
            }
            Self::TtfbP50 => {
                "Median time from handing the last attempt to the client to its first body bytes, of fetches that ended well."
            }
            Self::TtfbP99 => {
                "99th percentile of the time from handing the last attempt to the client to its first body bytes."
            }
            Self::LatencyP50 => {
                "Median time from handing the last attempt to the client to the end of the body, of fetches that ended well."
            }
            Self::LatencyP99 => {
                "99th percentile of the time from handing the last attempt to the client to the end of the body."
            }
            Self::CpuPerGb => {
                "CPU seconds of the fetch phase, as every process of the run reported its own, ÷ GB received."
            }
            Self::WholeCpuPerGb => {
                "CPU seconds of the whole processes from their start to their end, seen from outside for parfetch and contenders alike, ÷ GB of \
                 complete objects."
            }
            Self::CpuShare => {
                "CPU time of the fetch phase ÷ (fetch time × vCPU limit); for a contender that of its whole processes ÷ (wall time × limit)."
            }
            Self::TailShare => {
                "From the moment the queue was empty to the last end of a fetch, ÷ fetch time: how long workers were idle one after another."
            }
            Self::PeakMemory => {
                "Largest sum of the processes' PSS that a sample found, seen from outside, else as the run sampled itself."
            }
            Self::UsdPerTb => {
                "Price of a Fargate task of this size at this rate plus requests, retrieval and, where it is asked for, egress, ÷ TB of complete objects; \
                 without the one-minute minimum."
            }
            Self::TaskUsdPerTb => {
                "Price of a Fargate task of this size at this rate ÷ TB of complete objects, without the one-minute minimum: what configurations differ \
                 by, since the same requests cost the same in each of them."
            }
            Self::AttemptsPerObject => {
                "HTTP GETs, those of parts each, and tries to connect that failed, ÷ objects that were tried."
            }
            Self::FailedObjects => "Objects that were given up.",
            Self::Throttles => "Attempts that were told «too fast» (SlowDown and its like).",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_once_and_is_named_in_files_as_serde_writes_it() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(
                Metric::ALL.iter().position(|other| *other == metric),
                Some(place)
            );
            assert_eq!(
                serde_json::to_string(&metric).unwrap(),
                format!("\"{}\"", metric.id())
            );
            assert!(metric.definition().ends_with('.'));
        }
    }
}
