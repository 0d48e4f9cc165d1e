//! Rates that all connections share: bytes handed out in turn, and requests admitted or refused. Pure arithmetic on a clock that the caller reads.

use std::sync::{Mutex, PoisonError};

/// A shared rate, in units per second.
pub(super) struct RateLimit {
    rate: u64,
    /// When everything handed out so far has passed at the rate.
    free_ns: Mutex<u64>,
}

/// How long a burst a request meter lets through: a tenth of a second's worth.
const BURST_NS: u64 = 100_000_000;

impl RateLimit {
    pub(super) fn new(rate: u64) -> Self {
        Self {
            rate,
            free_ns: Mutex::new(0),
        }
    }

    /// Takes `units` in turn and says when they may go.
    pub(super) fn reserve(&self, units: u64, now_ns: u64) -> u64 {
        let mut free = self.free_ns.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*free).max(now_ns);
        *free = at + self.cost_ns(units);
        at
    }

    /// Takes one unit if the rate, with bursts of a tenth of a second's worth (at least one), has it left.
    pub(super) fn admit(&self, now_ns: u64) -> bool {
        let mut free = self.free_ns.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = self.cost_ns(1);
        let next = (*free).max(now_ns) + cost;
        let admitted = next - now_ns <= BURST_NS.max(cost);
        if admitted {
            *free = next;
        }
        admitted
    }

    fn cost_ns(&self, units: u64) -> u64 {
        let cost = u128::from(units) * 1_000_000_000 / u128::from(self.rate.max(1));
        u64::try_from(cost).unwrap_or(u64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn reservations_queue_up_at_the_rate() {
        let meter = RateLimit::new(1_000);
        assert_eq!(meter.reserve(500, 10 * SECOND), 10 * SECOND);
        assert_eq!(meter.reserve(1_000, 10 * SECOND), 10 * SECOND + SECOND / 2);
        assert_eq!(meter.reserve(1, 20 * SECOND), 20 * SECOND);
    }

    #[test]
    fn requests_above_rate_and_burst_are_refused() {
        let meter = RateLimit::new(100);
        let admitted = (0..50).filter(|_| meter.admit(SECOND)).count();
        assert_eq!(admitted, 10);
        assert!(!meter.admit(SECOND + 9_999_999));
        assert!(meter.admit(SECOND + 10_000_000));
        let slow = RateLimit::new(1);
        assert!(slow.admit(SECOND));
        assert!(!slow.admit(SECOND + SECOND / 2));
        assert!(slow.admit(2 * SECOND));
    }
}
