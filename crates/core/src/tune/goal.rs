//! What is to be small: the time of the whole bucket, the price of its task, both, or the price within a time.

use super::space::Size;
use crate::price::{BELOW_MINIMUM, MINIMUM_SECONDS, TaskRates, TaskSize, task_usd};

/// What the answer is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TuneGoal {
    /// The least price of the task.
    Cheapest,
    /// The least time.
    Fastest,
    /// The least price × time.
    Balanced,
    /// The least price of those that fetch the bucket in so many seconds.
    CheapestWithin(f64),
}

/// How steeply a price rises with the time beyond the one that is allowed.
const TOO_LATE: f64 = 10.0;

/// What is fetched, and what a second costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Objects of the bucket.
    pub objects: f64,
    /// Their mean size.
    pub mean_bytes: f64,
    /// Seconds of listing it.
    pub listing_s: f64,
    /// Prices of tasks.
    pub rates: TaskRates,
}

impl TuneGoal {
    /// The logarithm of what is to be small, for a task that lives for so many seconds and is billed for `pull_s` more.
    pub(super) fn of(self, rates: TaskRates, size: Size, (seconds, pull_s): (f64, f64)) -> f64 {
        let usd = || {
            let billed_s = (seconds + pull_s).max(1e-3);
            let below = (billed_s / MINIMUM_SECONDS).ln().min(0.0);
            log_usd(rates, size, billed_s) + BELOW_MINIMUM * below
        };
        match self {
            Self::Cheapest => usd(),
            Self::Fastest => seconds.ln(),
            Self::Balanced => usd() + seconds.ln(),
            Self::CheapestWithin(most) => usd() + TOO_LATE * (seconds / most).ln().max(0.0),
        }
    }
}

/// Logarithm of what a task of this size costs.
pub(super) fn log_usd(rates: TaskRates, size: Size, billed_s: f64) -> f64 {
    let size = TaskSize {
        vcpu: f64::from(size.cpu_units) / 1_024.0,
        memory_mib: u64::from(size.memory_mib),
    };
    task_usd(rates, size, billed_s).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_by_hand() {
        let rates = TaskRates {
            usd_per_vcpu_hour: 0.04,
            usd_per_gb_hour: 0.005,
        };
        let size = Size {
            cpu_units: 1_024,
            memory_mib: 2_048,
        };
        let of = |goal: TuneGoal, seconds| goal.of(rates, size, (seconds, 20.0)).exp();
        let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-9);
        // 100 s and 20 s of pulling the image, at $0.05 an hour; a minute at least.
        close(of(TuneGoal::Cheapest, 100.0), 0.05 / 30.0);
        // Half a minute of it: the same price, and the faster one is preferred.
        let half = 0.5_f64.powf(0.25);
        close(of(TuneGoal::Cheapest, 10.0), 0.05 / 60.0 * half);
        close(of(TuneGoal::Fastest, 100.0), 100.0);
        close(of(TuneGoal::Balanced, 100.0), 0.05 / 30.0 * 100.0);
        close(of(TuneGoal::CheapestWithin(100.0), 100.0), 0.05 / 30.0);
        assert!(of(TuneGoal::CheapestWithin(90.0), 100.0) > 2.0 * 0.05 / 30.0);
    }
}
