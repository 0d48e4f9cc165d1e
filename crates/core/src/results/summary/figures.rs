//! Figures that follow from two others: rates, and processor time by byte and by request.

use super::facts::RunFacts;
use super::parts::CpuTime;
use crate::units::SECOND_NS;

/// `amount` ÷ time; unknown when the time is, or when it is nothing.
pub(super) fn per_second(amount: f64, time_ns: Option<u64>) -> Option<f64> {
    time_ns
        .filter(|ns| *ns > 0)
        .map(|ns| amount / (ns as f64 / SECOND_NS as f64))
}

/// Processor time as measured, and by byte and request.
pub(super) fn cpu(facts: &RunFacts, attempts: u64) -> CpuTime {
    let measured = facts.fetch.cpu;
    let busy_s = measured
        .fetch_user_ns
        .zip(measured.fetch_sys_ns)
        .map(|(user, sys)| user.saturating_add(sys) as f64 / 1e9);
    let bytes = facts.fetch.received_bytes.filter(|bytes| *bytes > 0);
    CpuTime {
        fetch_user_ns: measured.fetch_user_ns,
        fetch_sys_ns: measured.fetch_sys_ns,
        // Read as late as there is a summary to put it into.
        whole_user_ns: None,
        whole_sys_ns: None,
        s_per_gb: busy_s
            .zip(bytes)
            .map(|(seconds, bytes)| seconds / (bytes as f64 / 1e9)),
        us_per_request: busy_s
            .filter(|_| attempts > 0)
            .map(|seconds| seconds * 1e6 / attempts as f64),
        used_vcpu: busy_s.and_then(|seconds| per_second(seconds, facts.phases.fetch_ns)),
        limit_vcpu: measured.limit_vcpu,
        throttled_ns: measured.throttled_ns,
    }
}
