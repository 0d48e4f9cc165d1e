//! How a rate went over the time of one run: how long it held, and whether it dropped and stayed low.

use crate::report::observation::{Course, RateDrop};
use crate::stats::change::change_point;
use crate::units::SECOND_NS;

/// The course of a run with these bytes a second since the epoch; `None` without a fetch time.
///
/// The first second (connections open) and the last one (cut short) are left out, and so is the tail, in which workers go idle one by one.
pub(super) fn course(bytes: &[u64], fetch_ns: Option<u64>, active_window_ns: Option<u64>) -> Option<Course> {
    let fetch_ns = fetch_ns?;
    let whole = Course { held_s: fetch_ns as f64 / 1e9, drop: None };
    let busy_s = usize::try_from(active_window_ns.unwrap_or(fetch_ns).min(fetch_ns) / SECOND_NS).unwrap_or(usize::MAX);
    let end = busy_s.min(bytes.len().saturating_sub(1));
    let rates: Vec<f64> = bytes.get(1..end).unwrap_or_default().iter().map(|bytes| *bytes as f64).collect();
    let Some(change) = change_point(&rates).filter(|change| change.after < change.before) else {
        return Some(whole);
    };
    // The test finds the split up to a few seconds: those that already have the lower rate do not count to the burst.
    let middle = f64::midpoint(change.before, change.after);
    let low = rates[..change.at].iter().rev().take_while(|rate| **rate < middle).count();
    let at = change.at - low + 1;
    let drop = RateDrop {
        at_s: at as f64,
        bytes: bytes[..at].iter().sum(),
        before_bytes_per_s: change.before,
        after_bytes_per_s: change.after,
        p: change.p,
    };
    Some(Course { held_s: drop.at_s, drop: Some(drop) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN_NS: u64 = 100 * SECOND_NS;

    /// 40 s at 1 GB/s, 60 s at an eighth; the values wander a little.
    fn dropping() -> Vec<u64> {
        (0..100).map(|second| if second < 40 { 1_000_000_000 + second % 7 } else { 125_000_000 + second % 7 }).collect()
    }

    #[test]
    fn a_drop_is_found_with_its_second_and_its_bytes() {
        let drop = course(&dropping(), Some(RUN_NS), None).unwrap().drop.unwrap();
        assert_eq!((drop.at_s.to_bits(), drop.bytes), (40.0_f64.to_bits(), dropping()[..40].iter().sum()));
        assert!((drop.before_bytes_per_s - 1e9).abs() < 10.0 && (drop.after_bytes_per_s - 1.25e8).abs() < 10.0, "{drop:?}");
    }

    #[test]
    fn a_rise_the_tail_and_a_few_seconds_are_no_drop() {
        let rising: Vec<u64> = dropping().into_iter().rev().collect();
        let held = Some(Course { held_s: 100.0, drop: None });
        assert_eq!(course(&rising, Some(RUN_NS), None), held);
        assert_eq!(course(&dropping(), Some(RUN_NS), Some(40 * SECOND_NS)), held, "what follows the active window is the tail");
        assert_eq!(course(&dropping()[..1], Some(SECOND_NS), None), Some(Course { held_s: 1.0, drop: None }));
        assert_eq!(course(&[], Some(SECOND_NS), None), Some(Course { held_s: 1.0, drop: None }));
        assert_eq!(course(&[], None, None), None);
    }
}
