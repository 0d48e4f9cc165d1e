//! What metrics are called, and what they are.

use crate::analysis::Metric;

impl Metric {
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
            Self::RequestsPerS => "requests per second",
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
            Self::Throttles => {
                "Attempts that the store refused as too many (SlowDown and its like)."
            }
            Self::RequestsPerS => "Fetches that ended well ÷ fetch time.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_a_sentence() {
        assert!(
            Metric::ALL
                .iter()
                .all(|metric| metric.definition().ends_with('.'))
        );
    }
}
