//! The price of one Fargate task.

/// Shortest time that a task is billed for, in seconds (<https://aws.amazon.com/fargate/pricing/>).
pub const MINIMUM_SECONDS: f64 = 60.0;

/// List prices of Fargate in one region, for one architecture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskRates {
    /// USD for one vCPU for one hour.
    pub usd_per_vcpu_hour: f64,
    /// USD for one GB of memory for one hour; AWS sells 1,024 MiB as one GB.
    pub usd_per_gb_hour: f64,
}

/// What a task asks for; it is billed for that, used or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskSize {
    /// vCPU: 0.25 to 32.
    pub vcpu: f64,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// Seconds that are billed for a task that lives for `seconds`: whole ones, and a minute at least (<https://aws.amazon.com/fargate/pricing/>).
pub fn billed_seconds(seconds: f64) -> f64 {
    seconds.ceil().max(MINIMUM_SECONDS)
}

/// USD for one task that lives for `seconds`: by the second, rounded up, and for one minute at least (<https://aws.amazon.com/fargate/pricing/>).
///
/// AWS counts from the start of the image pull to the stop of the task, so the time of a run alone is less than what is billed. Not in it: storage
/// beyond 20 GB, a public IPv4 address, logs, S3 requests and transfer.
pub fn task_usd(rates: TaskRates, size: TaskSize, seconds: f64) -> f64 {
    let hours = billed_seconds(seconds) / 3_600.0;
    // A task has far less memory than the 2^53 MiB that f64 counts.
    let memory_gb = size.memory_mib as f64 / 1_024.0;
    hours * (size.vcpu * rates.usd_per_vcpu_hour + memory_gb * rates.usd_per_gb_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: TaskRates = TaskRates { usd_per_vcpu_hour: 0.04, usd_per_gb_hour: 0.005 };

    #[track_caller]
    fn assert_usd(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn an_hour_by_hand() {
        // 1 · 0.04 + 2 · 0.005.
        assert_usd(task_usd(RATES, TaskSize { vcpu: 1.0, memory_mib: 2_048 }, 3_600.0), 0.05);
        // 0.25 · 0.04 + 0.5 · 0.005.
        assert_usd(task_usd(RATES, TaskSize { vcpu: 0.25, memory_mib: 512 }, 3_600.0), 0.0125);
        // 16 · 0.04048 + 32 · 0.004445 = 0.64768 + 0.14224.
        let rates = TaskRates { usd_per_vcpu_hour: 0.04048, usd_per_gb_hour: 0.004_445 };
        assert_usd(task_usd(rates, TaskSize { vcpu: 16.0, memory_mib: 32_768 }, 3_600.0), 0.78992);
    }

    #[test]
    fn a_minute_is_the_least_and_a_second_is_the_step() {
        let usd = |seconds| task_usd(RATES, TaskSize { vcpu: 1.0, memory_mib: 2_048 }, seconds);
        let second = 0.05 / 3_600.0;
        for (seconds, billed) in [(0.0, 60.0), (59.2, 60.0), (60.0, 60.0), (60.001, 61.0), (90.0, 90.0), (7_199.5, 7_200.0)] {
            assert_usd(usd(seconds), billed * second);
        }
    }
}
