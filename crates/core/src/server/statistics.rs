//! What the server counts of itself, so that a run can tell what was the server's: service times, lateness, faults, CPU.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

use super::model::Fault;
use super::timer::now_ns;
use crate::units::round_to_u64;

/// Faults injected since the last reset, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FaultCounts {
    /// Connections reset, before the head or in mid-body.
    pub reset: u64,
    /// Bodies that fell silent.
    pub stall: u64,
    /// Bodies closed before the announced length.
    pub short: u64,
    /// 500 `InternalError`.
    pub internal_error: u64,
    /// 503 `SlowDown` drawn as a fault.
    pub slow_down: u64,
    /// 400 `ExpiredToken`.
    pub expired_token: u64,
    /// 404 for keys that are listed.
    pub missing: u64,
    /// 403 `InvalidObjectState` for archived keys.
    pub archived: u64,
}

/// Time from a GET's head being read to its last body byte handed to the kernel, network model included: with `conn-rate`, until the kernel may
/// have sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceTimeReport {
    /// GETs measured: the complete ones.
    pub count: u64,
    /// Null without a GET.
    pub mean_ns: Option<u64>,
    /// Median.
    pub p50_ns: Option<u64>,
    /// 99th percentile.
    pub p99_ns: Option<u64>,
    /// Longest.
    pub max_ns: Option<u64>,
}

/// How late the modelled first-byte delays were over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatenessReport {
    /// Delays waited for.
    pub count: u64,
    /// Null without a delay.
    pub mean_ns: Option<u64>,
    /// Longest.
    pub max_ns: Option<u64>,
}

/// What the server did since the last reset (or its start).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerReport {
    /// Threads that serve; each can use one core.
    pub threads: u32,
    /// GETs of the source answered whole.
    pub gets: u64,
    /// Body bytes of the source handed out, those of broken bodies too.
    pub sent_bytes: u64,
    /// Listing pages of the source.
    pub list_pages: u64,
    /// Requests refused with 503 because of `request-rate`.
    pub refused_above_rate: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Service times of the GETs counted in `gets`.
    pub service_time: ServiceTimeReport,
    /// Lateness of first-byte delays.
    pub first_byte_lateness: LatenessReport,
    /// Faults injected.
    pub faults: FaultCounts,
    /// CPU time (user and system) of the whole process since the reset.
    pub cpu_ns: u64,
    /// Wall time since the reset.
    pub wall_ns: u64,
    /// CPU time of the process since it began to serve.
    pub cpu_since_start_ns: u64,
    /// Wall time since it began to serve.
    pub wall_since_start_ns: u64,
}

impl ServerReport {
    /// CPU time over the time that its threads had: 1 means saturated.
    pub fn utilisation(&self) -> f64 {
        let had = self.wall_ns as f64 * f64::from(self.threads.max(1));
        if had > 0.0 {
            self.cpu_ns as f64 / had
        } else {
            0.0
        }
    }
}

#[derive(Clone, Copy)]
struct Epoch {
    wall_ns: u64,
    cpu_ns: u64,
}

impl Epoch {
    fn now() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage of oneself cannot fail");
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Self {
            wall_ns: now_ns(),
            cpu_ns: u64::try_from(micros).expect("CPU time is not negative") * 1_000,
        }
    }
}

/// Times that are summed up: service times with a histogram, lateness with sum and maximum.
struct TimeSums {
    service: Histogram<u64>,
    service_sum_ns: u128,
    service_max_ns: u64,
    late_count: u64,
    late_sum_ns: u128,
    late_max_ns: u64,
    faults: FaultCounts,
    since: Epoch,
}

impl TimeSums {
    fn new() -> Self {
        Self {
            service: Histogram::new_with_bounds(1, 3_600_000_000_000, 3)
                .expect("the bounds are valid"),
            service_sum_ns: 0,
            service_max_ns: 0,
            late_count: 0,
            late_sum_ns: 0,
            late_max_ns: 0,
            faults: FaultCounts::default(),
            since: Epoch::now(),
        }
    }
}

/// The counters of a server.
pub(super) struct Statistics {
    threads: u32,
    start: Epoch,
    pub(super) sent_bytes: AtomicU64,
    pub(super) list_pages: AtomicU64,
    pub(super) refused_above_rate: AtomicU64,
    pub(super) connections: AtomicU64,
    times: Mutex<TimeSums>,
}

/// A fault that is not drawn for each GET.
#[derive(Clone, Copy)]
pub(super) enum Lasting {
    Missing,
    Archived,
}

impl Statistics {
    pub(super) fn new(threads: u32) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            threads,
            start: Epoch::now(),
            sent_bytes: zero(),
            list_pages: zero(),
            refused_above_rate: zero(),
            connections: zero(),
            times: Mutex::new(TimeSums::new()),
        }
    }

    /// Starts all counters anew.
    pub(super) fn reset(&self) {
        for counter in [
            &self.sent_bytes,
            &self.list_pages,
            &self.refused_above_rate,
            &self.connections,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
        *self.times() = TimeSums::new();
    }

    /// A GET was answered whole.
    pub(super) fn served(&self, service_ns: u64) {
        let mut times = self.times();
        times.service.saturating_record(service_ns.max(1));
        times.service_sum_ns += u128::from(service_ns);
        times.service_max_ns = times.service_max_ns.max(service_ns);
    }

    /// A first-byte delay was over `late_ns` after its deadline.
    pub(super) fn late(&self, late_ns: u64) {
        let mut times = self.times();
        times.late_count += 1;
        times.late_sum_ns += u128::from(late_ns);
        times.late_max_ns = times.late_max_ns.max(late_ns);
    }

    pub(super) fn fault(&self, fault: Fault) {
        let faults = &mut self.times().faults;
        *match fault {
            Fault::ResetBeforeHead | Fault::ResetInBody => &mut faults.reset,
            Fault::Stall => &mut faults.stall,
            Fault::Short => &mut faults.short,
            Fault::InternalError => &mut faults.internal_error,
            Fault::SlowDown => &mut faults.slow_down,
            Fault::ExpiredToken => &mut faults.expired_token,
        } += 1;
    }

    pub(super) fn lasting(&self, fault: Lasting) {
        let faults = &mut self.times().faults;
        *match fault {
            Lasting::Missing => &mut faults.missing,
            Lasting::Archived => &mut faults.archived,
        } += 1;
    }

    pub(super) fn report(&self) -> ServerReport {
        let now = Epoch::now();
        let times = self.times();
        let count = times.service.len();
        let some = |value: u64| (count > 0).then_some(value);
        let mean =
            |sum: u128, count: u64| (count > 0).then(|| round_to_u64(sum as f64 / count as f64));
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerReport {
            threads: self.threads,
            gets: count,
            sent_bytes: read(&self.sent_bytes),
            list_pages: read(&self.list_pages),
            refused_above_rate: read(&self.refused_above_rate),
            connections: read(&self.connections),
            service_time: ServiceTimeReport {
                count,
                mean_ns: mean(times.service_sum_ns, count),
                p50_ns: some(times.service.value_at_quantile(0.5)),
                p99_ns: some(times.service.value_at_quantile(0.99)),
                max_ns: some(times.service_max_ns),
            },
            first_byte_lateness: LatenessReport {
                count: times.late_count,
                mean_ns: mean(times.late_sum_ns, times.late_count),
                max_ns: (times.late_count > 0).then_some(times.late_max_ns),
            },
            faults: times.faults,
            cpu_ns: now.cpu_ns - times.since.cpu_ns,
            wall_ns: now.wall_ns - times.since.wall_ns,
            cpu_since_start_ns: now.cpu_ns - self.start.cpu_ns,
            wall_since_start_ns: now.wall_ns - self.start.wall_ns,
        }
    }

    fn times(&self) -> std::sync::MutexGuard<'_, TimeSums> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_sum_up_and_a_reset_clears_them() {
        let statistics = Statistics::new(2);
        for ns in [1_000, 2_000, 3_000] {
            statistics.served(ns);
        }
        statistics.late(40);
        statistics.late(60);
        statistics.fault(Fault::Short);
        statistics.lasting(Lasting::Missing);
        let report = statistics.report();
        assert_eq!(
            (
                report.gets,
                report.service_time.mean_ns,
                report.service_time.max_ns
            ),
            (3, Some(2_000), Some(3_000))
        );
        assert_eq!(
            report.first_byte_lateness,
            LatenessReport {
                count: 2,
                mean_ns: Some(50),
                max_ns: Some(60)
            }
        );
        assert_eq!(
            report.faults,
            FaultCounts {
                short: 1,
                missing: 1,
                ..FaultCounts::default()
            }
        );
        statistics.reset();
        let report = statistics.report();
        assert_eq!(
            (report.gets, report.service_time, report.faults),
            (0, ServiceTimeReport::default(), FaultCounts::default())
        );
        assert!(report.wall_ns <= report.wall_since_start_ns);
    }

    #[test]
    fn utilisation_counts_every_thread() {
        let report = ServerReport {
            threads: 2,
            cpu_ns: 150,
            wall_ns: 100,
            ..ServerReport::default()
        };
        assert!((report.utilisation() - 0.75).abs() < 1e-12);
    }
}
