//! What is compared: every metric with its unit and direction. No arithmetic; its words are in `render::wording::metric`.

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
    /// Fetches that ended well ÷ fetch time.
    RequestsPerS,
}

/// What a figure counts; values are always in this unit, and rendering scales them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes a second.
    BytesPerSecond,
    /// A number a second.
    PerSecond,
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
    pub const ALL: [Self; 20] = [
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
        Self::RequestsPerS,
    ];

    /// Whether it counts bytes, or goes by them.
    pub const fn is_of_bytes(self) -> bool {
        matches!(
            self,
            Self::Throughput
                | Self::Goodput
                | Self::ActiveWindow
                | Self::CpuPerGb
                | Self::WholeCpuPerGb
                | Self::UsdPerTb
                | Self::TaskUsdPerTb
        )
    }

    /// Whether configurations stand among each other by it: bytes a second of a bucket, requests a second of a web server.
    pub const fn is_rate(self) -> bool {
        matches!(self, Self::Throughput | Self::RequestsPerS)
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
            Self::RequestsPerS => "requests_per_s",
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
            Self::RequestsPerS => Unit::PerSecond,
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
            Self::Throughput | Self::Goodput | Self::ActiveWindow | Self::RequestsPerS => {
                Better::Higher
            }
            _ => Better::Lower,
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
        }
    }
}
