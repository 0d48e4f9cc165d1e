//! What things cost: a dated table of Fargate and S3 prices, and the sizes that Fargate has. Pure data and arithmetic.
//!
//! No price stands in the code: the table is `data/prices.toml`, and a person can give another file of the same form. A region or storage class
//! without a row has no price, and is never taken to be as dear as another.

mod list;
mod sizes;

pub use list::{PriceError, PriceList, RequestRates, TaskRates};
pub use sizes::{CPU_UNITS, fargate_memories, nearest_sizes};

/// A task is billed for one minute at least: «a minimum charge of one minute applies» (<https://aws.amazon.com/fargate/pricing/>).
pub const MINIMUM_SECONDS: f64 = 60.0;

/// The size of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskSize {
    /// vCPU.
    pub vcpu: f64,
    /// Memory in MiB; a GB of Fargate's prices is 1,024 of them.
    pub memory_mib: u32,
}

/// What a task of this size costs for so many seconds, billed by the second with a minimum of one minute, in US dollars.
pub fn task_usd(rates: TaskRates, size: TaskSize, seconds: f64) -> f64 {
    usd_per_hour(rates, size) * seconds.max(MINIMUM_SECONDS) / 3600.0
}

/// What an hour of a task of this size costs, in US dollars.
pub fn usd_per_hour(rates: TaskRates, size: TaskSize) -> f64 {
    rates.usd_per_vcpu_hour * size.vcpu + rates.usd_per_gb_hour * f64::from(size.memory_mib) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: TaskRates = TaskRates { usd_per_vcpu_hour: 0.04048, usd_per_gb_hour: 0.004_445 };

    #[test]
    fn a_task_costs_its_seconds_and_a_minute_at_least() {
        let size = TaskSize { vcpu: 16.0, memory_mib: 32 * 1024 };
        // 16 × 0.04048 + 32 × 0.004445 = 0.64768 + 0.14224.
        assert!((usd_per_hour(RATES, size) - 0.78992).abs() < 1e-12);
        assert!((task_usd(RATES, size, 3600.0) - 0.78992).abs() < 1e-12);
        assert!((task_usd(RATES, size, 90.0) - 0.78992 / 40.0).abs() < 1e-12);
        let minute = task_usd(RATES, size, 60.0);
        assert!((minute - 0.78992 / 60.0).abs() < 1e-12);
        assert!((task_usd(RATES, size, 1.0) - minute).abs() < 1e-15);
    }
}
