//! The price of one Fargate task.

/// Shortest time that a task is billed for, in seconds (<https://aws.amazon.com/fargate/pricing/>).
pub const MINIMUM_SECONDS: f64 = 60.0;

/// Below [`MINIMUM_SECONDS`] the price stays as it is. There a tune counts a slower configuration as dearer by this power of its time: little enough that a
/// smaller size stays the cheaper one, and enough to look for the faster ones of a size.
pub const BELOW_MINIMUM: f64 = 0.25;

/// Ephemeral storage of a task that costs nothing, in GiB (<https://aws.amazon.com/fargate/pricing/>).
pub const FREE_STORAGE_GIB: f64 = 20.0;

/// What a vCPU costs for each GB of memory, in any unit: 9.08 to 9.17 in every region and for both architectures. It orders configurations where a
/// region has no price.
pub const RELATIVE_RATES: TaskRates = TaskRates {
    usd_per_vcpu_hour: 9.1,
    usd_per_gb_hour: 1.0,
};

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
/// beyond 20 GiB ([`storage_usd`]), a public IPv4 address ([`address_usd`]), logs, S3 requests and transfer.
pub fn task_usd(rates: TaskRates, size: TaskSize, seconds: f64) -> f64 {
    let hours = billed_seconds(seconds) / 3_600.0;
    // A task has far less memory than the 2^53 MiB that f64 counts.
    let memory_gb = size.memory_mib as f64 / 1_024.0;
    hours * (size.vcpu * rates.usd_per_vcpu_hour + memory_gb * rates.usd_per_gb_hour)
}

/// USD for the ephemeral storage of one task that lives for `seconds`: what is beyond [`FREE_STORAGE_GIB`], for the time that is billed.
pub fn storage_usd(usd_per_gb_hour: f64, storage_gib: f64, seconds: f64) -> f64 {
    (storage_gib - FREE_STORAGE_GIB).max(0.0) * usd_per_gb_hour * billed_seconds(seconds) / 3_600.0
}

/// USD for the public IPv4 address of one task that lives for `seconds`: by the second, one minute at least (<https://aws.amazon.com/vpc/pricing/>).
pub fn address_usd(usd_per_hour: f64, seconds: f64) -> f64 {
    usd_per_hour * billed_seconds(seconds) / 3_600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: TaskRates = TaskRates {
        usd_per_vcpu_hour: 0.04,
        usd_per_gb_hour: 0.005,
    };

    #[track_caller]
    fn assert_usd(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn an_hour_by_hand() {
        // 1 · 0.04 + 2 · 0.005.
        assert_usd(
            task_usd(
                RATES,
                TaskSize {
                    vcpu: 1.0,
                    memory_mib: 2_048,
                },
                3_600.0,
            ),
            0.05,
        );
        // 0.25 · 0.04 + 0.5 · 0.005.
        assert_usd(
            task_usd(
                RATES,
                TaskSize {
                    vcpu: 0.25,
                    memory_mib: 512,
                },
                3_600.0,
            ),
            0.0125,
        );
        // 16 · 0.04048 + 32 · 0.004445 = 0.64768 + 0.14224.
        let rates = TaskRates {
            usd_per_vcpu_hour: 0.04048,
            usd_per_gb_hour: 0.004_445,
        };
        assert_usd(
            task_usd(
                rates,
                TaskSize {
                    vcpu: 16.0,
                    memory_mib: 32_768,
                },
                3_600.0,
            ),
            0.78992,
        );
    }

    #[test]
    fn a_minute_is_the_least_and_a_second_is_the_step() {
        let usd = |seconds| {
            task_usd(
                RATES,
                TaskSize {
                    vcpu: 1.0,
                    memory_mib: 2_048,
                },
                seconds,
            )
        };
        let second = 0.05 / 3_600.0;
        for (seconds, billed) in [
            (0.0, 60.0),
            (59.2, 60.0),
            (60.0, 60.0),
            (60.001, 61.0),
            (90.0, 90.0),
            (7_199.5, 7_200.0),
        ] {
            assert_usd(usd(seconds), billed * second);
        }
    }

    #[test]
    fn storage_costs_beyond_what_is_free() {
        // 30 GiB beyond, for an hour.
        assert_usd(storage_usd(0.000_111, 50.0, 3_600.0), 0.003_33);
        assert_usd(storage_usd(0.000_111, 20.0, 3_600.0), 0.0);
        assert_usd(storage_usd(0.000_111, 0.0, 3_600.0), 0.0);
        assert_usd(storage_usd(0.000_111, 21.0, 1.0), 0.000_111 / 60.0);
    }

    #[test]
    fn an_address_costs_a_minute_at_least() {
        assert_usd(address_usd(0.005, 7_200.0), 0.01);
        assert_usd(address_usd(0.005, 1.0), 0.005 / 60.0);
    }
}
