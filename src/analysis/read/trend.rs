//! How a rate went over the time of one run: how long it held, and whether it dropped and stayed low.

use crate::analysis::observation::{RateDrop, RateTrend};
use crate::results::summary::Series;
use crate::stats::change::{LEAST_EFFECT, change_point};
use crate::units::SECOND_NS;

/// The rate over time of a run with these bytes a second since the epoch; `None` without a fetch time.
///
/// The first second (connections open) and the last one (cut short) are left out, and so is the tail, in which workers go idle one by one.
///
/// A change of bytes a second is the end of a burst only when fetches a second fell as well: where objects become smaller, as in a listing with the
/// large ones first, bytes fall and fetches do not.
pub(super) fn trend(
    series: &Series,
    fetch_ns: Option<u64>,
    active_window_ns: Option<u64>,
) -> Option<RateTrend> {
    let bytes = &series.bytes;
    let fetch_ns = fetch_ns?;
    let whole = RateTrend {
        held_s: fetch_ns as f64 / 1e9,
        drop: None,
        by_objects: None,
    };
    let busy_s = usize::try_from(active_window_ns.unwrap_or(fetch_ns).min(fetch_ns) / SECOND_NS)
        .unwrap_or(usize::MAX);
    let end = busy_s.min(bytes.len().saturating_sub(1));
    let rates: Vec<f64> = bytes
        .get(1..end)
        .unwrap_or_default()
        .iter()
        .map(|bytes| *bytes as f64)
        .collect();
    let fetches: Vec<f64> = series
        .fetches
        .get(1..end)
        .unwrap_or_default()
        .iter()
        .map(|fetches| *fetches as f64)
        .collect();
    let fell = |at: usize| {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        fetches.len() != rates.len()
            || mean(&fetches[at..]) < (1.0 - LEAST_EFFECT) * mean(&fetches[..at])
    };
    let Some(change) =
        change_point(&rates).filter(|change| change.after < change.before && fell(change.at))
    else {
        return Some(RateTrend {
            by_objects: by_objects(&rates, &fetches),
            ..whole
        });
    };
    // The test finds the split up to a few seconds: those that already have the lower rate do not count to the burst.
    let middle = f64::midpoint(change.before, change.after);
    // The mean: where low and higher seconds alternate, it is what a long run gets.
    let after = rates[change.at..].iter().sum::<f64>() / (rates.len() - change.at) as f64;
    let low = rates[..change.at]
        .iter()
        .rev()
        .take_while(|rate| **rate < middle)
        .count();
    let at = change.at - low + 1;
    let drop = RateDrop {
        at_s: at as f64,
        bytes: bytes[..at].iter().sum(),
        before_bytes_per_s: change.before,
        after_bytes_per_s: after,
        p: change.p,
    };
    Some(RateTrend {
        held_s: drop.at_s,
        drop: Some(drop),
        by_objects: None,
    })
}

/// Sizes of the two halves of a run that differ by less tell nothing (a factor of e^0.1).
const SIZES_APART: f64 = 0.1;
/// Fewer fetches in a half tell nothing.
const LEAST_FETCHES: f64 = 20.0;

/// Which share of the time goes by objects: from how the time of an object changed from one half of the run to the other, when its size did.
fn by_objects(rates: &[f64], fetches: &[f64]) -> Option<f64> {
    if rates.len() != fetches.len() || rates.len() < 4 {
        return None;
    }
    let middle = rates.len() / 2;
    let half = |bytes: &[f64], fetches: &[f64]| {
        let (bytes, objects) = (bytes.iter().sum::<f64>(), fetches.iter().sum::<f64>());
        // Size of an object, and seconds for it.
        (objects >= LEAST_FETCHES && bytes > 0.0)
            .then(|| (bytes / objects, fetches.len() as f64 / objects))
    };
    let (size_1, time_1) = half(&rates[..middle], &fetches[..middle])?;
    let (size_2, time_2) = half(&rates[middle..], &fetches[middle..])?;
    let (size, time) = half(rates, fetches)?;
    if (size_1 / size_2).ln().abs() < SIZES_APART {
        return None;
    }
    let of_a_byte = (time_2 - time_1) / (size_2 - size_1);
    Some(1.0 - (of_a_byte * size / time).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN_NS: u64 = 100 * SECOND_NS;

    /// 40 s at 1 GB/s, 60 s at an eighth; the values wander a little.
    fn dropping() -> Vec<u64> {
        (0..100)
            .map(|second| {
                if second < 40 {
                    1_000_000_000 + second % 7
                } else {
                    125_000_000 + second % 7
                }
            })
            .collect()
    }

    #[test]
    fn a_drop_is_found_with_its_second_and_its_bytes() {
        let drop = trend(&series(dropping()), Some(RUN_NS), None)
            .unwrap()
            .drop
            .unwrap();
        assert_eq!(
            (drop.at_s.to_bits(), drop.bytes),
            (40.0_f64.to_bits(), dropping()[..40].iter().sum())
        );
        assert!(
            (drop.before_bytes_per_s - 1e9).abs() < 10.0
                && (drop.after_bytes_per_s - 1.25e8).abs() < 10.0,
            "{drop:?}"
        );
    }

    fn series(bytes: Vec<u64>) -> Series {
        Series {
            interval_ns: SECOND_NS,
            bytes,
            fetches: Vec::new(),
        }
    }

    #[test]
    fn smaller_objects_are_no_end_of_a_burst() {
        // The same 1,000 objects a second, an eighth as large from then on.
        let same = Series {
            fetches: vec![1_000; 100],
            ..series(dropping())
        };
        assert_eq!(trend(&same, Some(RUN_NS), None).unwrap().drop, None);
        // As large as before, and fewer.
        let fewer = Series {
            fetches: dropping().iter().map(|bytes| bytes / 1_000_000).collect(),
            ..series(dropping())
        };
        assert!(trend(&fewer, Some(RUN_NS), None).unwrap().drop.is_some());
    }

    #[test]
    fn halves_of_different_sizes_tell_what_the_time_goes_by() {
        // 1 MB, then 2 MB: an object takes as long, twice as long, and half as much longer.
        let share = |fetches: u64| {
            let bytes = (0..40)
                .map(|second| {
                    if second < 20 {
                        100_000_000
                    } else {
                        fetches * 2_000_000
                    }
                })
                .collect();
            let fetches = (0..40)
                .map(|second| if second < 20 { 100 } else { fetches })
                .collect();
            trend(
                &Series {
                    fetches,
                    ..series(bytes)
                },
                Some(40 * SECOND_NS),
                None,
            )
            .unwrap()
            .by_objects
        };
        assert!((share(100).unwrap() - 1.0).abs() < 1e-9 && share(50).unwrap().abs() < 1e-9);
        assert!((0.3..0.6).contains(&share(67).unwrap()), "{:?}", share(67));
        assert_eq!(
            trend(&series(dropping()), Some(RUN_NS), None)
                .unwrap()
                .by_objects,
            None
        );
    }

    #[test]
    fn a_rise_the_tail_and_a_few_seconds_are_no_drop() {
        let rising: Vec<u64> = dropping().into_iter().rev().collect();
        let held = Some(RateTrend {
            held_s: 100.0,
            drop: None,
            by_objects: None,
        });
        assert_eq!(trend(&series(rising), Some(RUN_NS), None), held);
        assert_eq!(
            trend(&series(dropping()), Some(RUN_NS), Some(40 * SECOND_NS)),
            held,
            "what follows the active window is the tail"
        );
        assert_eq!(
            trend(&series(dropping()[..1].to_vec()), Some(SECOND_NS), None),
            Some(RateTrend {
                held_s: 1.0,
                drop: None,
                by_objects: None
            })
        );
        assert_eq!(
            trend(&series(Vec::new()), Some(SECOND_NS), None),
            Some(RateTrend {
                held_s: 1.0,
                drop: None,
                by_objects: None
            })
        );
        assert_eq!(trend(&series(Vec::new()), None, None), None);
    }
}
