//! How long to wait between the attempts of a call: the same for fetches and listing pages, with both clients.

use std::time::Duration;

/// First upper bound of the wait; doubles with each attempt.
const BASE: Duration = Duration::from_millis(50);
/// Largest upper bound of the wait.
const MOST: Duration = Duration::from_secs(5);

/// uniform(0, min(5 s, 50 ms × 2ⁿ)), «full jitter»: `n` counts the waits before this one, `random` is uniform in [0, 1).
pub fn backoff(n: u32, random: f64) -> Duration {
    BASE.saturating_mul(2_u32.saturating_pow(n))
        .min(MOST)
        .mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_seconds() {
        let most = |n| backoff(n, 1.0).as_millis();
        assert_eq!(
            [most(0), most(1), most(6), most(7), most(200)],
            [50, 100, 3_200, 5_000, 5_000]
        );
        assert_eq!(backoff(1, 0.25), Duration::from_millis(25));
    }
}
