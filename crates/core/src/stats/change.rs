//! Whether a one-second series of throughput changed level once, as it does when a network burst ends.

use super::ALPHA;
use super::location::median;

/// Fewest seconds on either side of a change: fewer are a stall or a start, not a level.
const LEAST_SECONDS: usize = 10;

/// Smallest change that is one, as a share of the level before: less would be found in any long series, and matters to nobody.
pub const LEAST_EFFECT: f64 = 0.10;

/// Largest lag-one autocorrelation that is believed: at 1 the series is a random walk, which has no level to leave.
const MOST_CORRELATION: f64 = 0.95;

/// Where a series changes its level, and from what to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelChange {
    /// Index of the first second after it.
    pub at: usize,
    /// Median of the seconds before it, in the unit of the series.
    pub before: f64,
    /// Median from `at` on.
    pub after: f64,
    /// Of Pettitt's test, corrected for autocorrelation; an upper bound.
    pub p: f64,
}

/// The second at which the series changes level, down or up; `None` when none is shown.
///
/// Pettitt's rank test (A Non-Parametric Approach to the Change-Point Problem, Applied Statistics 28, 1979): of all splits the one after which the
/// values are most often smaller (or larger) than before, K = max |Σ sign(x(i) - x(j))| over i before and j after it, with
/// p = 2 exp(-6 K² / (n³ + n²)). Ranks, so a stall or a spike does not move it.
///
/// K tells that there is a change better than when: early or late in the series it lies too near the middle, by some seconds. So `at` is the split
/// at which the two medians are closest to the values (least absolute deviations), from K's split on.
///
/// Seconds are not independent (one slow connection is slow for several), and correlated ones wander, which that p takes for a change. Hence three
/// guards: K² is divided by (1 + r) / (1 - r), the variance of a sum of AR(1) values against independent ones, where r is the lag-one
/// autocorrelation within the two parts and one standard error more; the medians must differ by 10 % at least; and either side must have 10 s.
///
/// What it cannot find: a change near an end (in 600 s within 21 s of it at r = 0 and within 38 s at r = 0.5, however large), a second
/// change (a series that drops and recovers in equal parts has none), and a slow slope is called a change at its middle.
pub fn change_point(series: &[f64]) -> Option<LevelChange> {
    if series.len() < 2 * LEAST_SECONDS || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let (split, k) = largest_split(series);
    let at = closest_split(series, closest_split(series, split)?)?;
    let (first, second) = series.split_at(at);
    let (before, after) = (median(first)?, median(second)?);
    let n = series.len() as f64;
    let r = correlation_within(first, second);
    let p = (2.0 * (-6.0 * k * k / (n.powi(3) + n.powi(2)) * (1.0 - r) / (1.0 + r)).exp()).min(1.0);
    let is_large = (after - before).abs() >= (LEAST_EFFECT * before.abs()).max(f64::MIN_POSITIVE);
    (p <= ALPHA && is_large).then_some(LevelChange {
        at,
        before,
        after,
        p,
    })
}

/// Pettitt's K, and the first value after the split that gives it (the first of equals), of the splits that leave [`LEAST_SECONDS`] on either side.
fn largest_split(series: &[f64]) -> (usize, f64) {
    let n = series.len();
    let mut best = (LEAST_SECONDS, -1.0_f64);
    let mut sum = 0.0;
    for (index, rank) in doubled_midranks(series).into_iter().enumerate() {
        // Σ sign over all pairs across the split is n + 1 times the values before it, less twice the sum of their midranks.
        sum += (n + 1) as f64 - rank;
        let at = index + 1;
        if (LEAST_SECONDS..=n - LEAST_SECONDS).contains(&at) && sum.abs() > best.1 {
            best = (at, sum.abs());
        }
    }
    best
}

/// The first value after the split at which two levels are closest to the values, the levels being the medians before and after `split`.
fn closest_split(series: &[f64], split: usize) -> Option<usize> {
    let (before, after) = (median(&series[..split])?, median(&series[split..])?);
    let mut best = (split, f64::INFINITY);
    // Σ |x - before| up to the split plus Σ |x - after| from it on, less the sum of all |x - after|.
    let mut distance = 0.0;
    for (index, value) in series.iter().enumerate() {
        distance += (value - before).abs() - (value - after).abs();
        let at = index + 1;
        if (LEAST_SECONDS..=series.len() - LEAST_SECONDS).contains(&at) && distance < best.1 {
            best = (at, distance);
        }
    }
    Some(best.0)
}

/// Twice the rank of each value, from 1; equal values share their mean.
fn doubled_midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    // In ascending order: not less than the next is equal to it.
    for equal in order.chunk_by(|one, next| values[*one] >= values[*next]) {
        for index in equal {
            // Ranks start + 1 to start + len: twice their mean.
            ranks[*index] = (2 * start + equal.len() + 1) as f64;
        }
        start += equal.len();
    }
    ranks
}

/// Lag-one autocorrelation within the parts, in proportion to their lengths, and one standard error more; at most [`MOST_CORRELATION`].
///
/// More, because the parts were chosen to differ most, and so to wander least within: without it a minute of noise is too often said to change.
fn correlation_within(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    // A negative one would make the test bolder than for independent values.
    let r = ((n * lag_one(first) + m * lag_one(second)) / (n + m)).clamp(0.0, MOST_CORRELATION);
    (r + ((1.0 - r * r) / (n + m)).sqrt()).min(MOST_CORRELATION)
}

/// Lag-one autocorrelation of one part, 0 when nothing varies.
fn lag_one(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let products: f64 = values
        .windows(2)
        .map(|pair| (pair[0] - mean) * (pair[1] - mean))
        .sum();
    // Equal values differ from their mean by its rounding.
    if squares <= 1e-24 * values.iter().map(|value| value * value).sum::<f64>() {
        return 0.0;
    }
    let r = products / squares;
    // The mean is of the same values, so r comes out too small by about (1 + 3r) / n (Kendall, Note on Bias in the Estimation of Autocorrelation,
    // Biometrika 41, 1954).
    r + (1.0 + 3.0 * r) / n
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::float_cmp,
        reason = "what is compared strictly is exact, or the very same division"
    )]

    use super::super::fixture::{self, Noise, Random};
    use super::*;

    const NOISE: Noise = Noise {
        size: 0.1,
        correlation: 0.5,
    };

    #[test]
    fn an_abrupt_change_by_hand() {
        // 12 of 800, then 18 of 100: every pair across is one way round, K = 12 · 18 = 216. Nothing varies within, so r is only
        // its standard error sqrt(1/30) = 0.1826, and p = 2 exp(-6 · 216² / (30³ + 30²) · 0.8174 / 1.1826) = 2 exp(-6.9356).
        let series: Vec<f64> = (0..30)
            .map(|second| if second < 12 { 800.0 } else { 100.0 })
            .collect();
        let found = change_point(&series).unwrap();
        assert_eq!((found.at, found.before, found.after), (12, 800.0, 100.0));
        assert!((found.p - 0.001_945).abs() < 1e-6, "{}", found.p);
        let rise: Vec<f64> = series.iter().rev().copied().collect();
        let found = change_point(&rise).unwrap();
        assert_eq!((found.at, found.before, found.after), (18, 100.0, 800.0));
    }

    #[test]
    fn too_short_too_small_or_unknown_is_no_change() {
        let step = |seconds: usize, at: usize, after: f64| -> Vec<f64> {
            (0..seconds)
                .map(|s| if s < at { 100.0 } else { after })
                .collect()
        };
        assert!(change_point(&step(60, 30, 90.0)).is_some());
        assert_eq!(change_point(&step(60, 30, 90.1)), None);
        assert_eq!(change_point(&step(19, 9, 10.0)), None);
        assert_eq!(change_point(&step(60, 60, 10.0)), None);
        assert_eq!(change_point(&[]), None);
        let mut unknown = step(60, 30, 10.0);
        unknown[3] = f64::NAN;
        assert_eq!(change_point(&unknown), None);
        // To nothing, and from nothing.
        assert_eq!(change_point(&step(60, 30, 0.0)).unwrap().after, 0.0);
        assert_eq!(
            change_point(&[[0.0; 30], [5.0; 30]].concat())
                .unwrap()
                .before,
            0.0
        );
    }

    #[test]
    fn a_stall_of_a_few_seconds_is_no_change() {
        let mut series = vec![100.0; 120];
        series[50..58].fill(0.0);
        assert_eq!(change_point(&series), None);
    }

    #[test]
    fn midranks_by_hand() {
        assert_eq!(
            doubled_midranks(&[5.0, 1.0, 5.0, 9.0]),
            [5.0, 2.0, 5.0, 8.0]
        );
    }

    #[test]
    fn autocorrelation_by_hand() {
        // 1 2 3 4 5 about 3: (-2·-1 + -1·0 + 0·1 + 1·2) / 10 = 0.4; plus (1 + 1.2) / 5.
        assert!((lag_one(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 0.84).abs() < 1e-12);
        assert_eq!(lag_one(&[3.0; 9]), 0.0);
        // Alternating values give none, rather than a negative one, and the standard error sqrt(1/64).
        assert_eq!(
            correlation_within(&[1.0, 2.0].repeat(16), &[1.0, 2.0].repeat(16)),
            0.125
        );
        let slope: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(correlation_within(&slope, &slope), MOST_CORRELATION);
    }

    #[test]
    fn splits_are_those_of_the_reference() {
        for case in fixture::cases("pettitt") {
            let series = fixture::numbers(&case["series"]);
            let (at, k) = largest_split(&series);
            assert_eq!(at as u64, case["at"].as_u64().unwrap(), "{case}");
            fixture::assert_close(k, &case["k"], 0.0);
        }
    }

    #[test]
    fn the_end_of_a_burst_is_found_within_three_seconds() {
        let mut random = Random::new(9);
        let trials = 300;
        let found = (0..trials)
            .filter(|_| {
                let at = 60 + random.below(480);
                let series =
                    random.series(600, NOISE, |second| if second < at { 800.0 } else { 100.0 });
                change_point(&series).is_some_and(|change| {
                    change.at.abs_diff(at) <= 3 && change.before > 700.0 && change.after < 125.0
                })
            })
            .count();
        println!("{found} of {trials}");
        assert!(found * 20 >= trials * 19, "{found} of {trials}");
    }

    #[test]
    fn a_flat_series_is_rarely_said_to_change() {
        let mut random = Random::new(10);
        for (seconds, trials) in [(60, 600), (120, 600), (300, 300), (600, 200)] {
            for noise in [
                NOISE,
                Noise {
                    size: 0.3,
                    correlation: 0.5,
                },
                Noise {
                    size: 0.3,
                    correlation: 0.0,
                },
            ] {
                let false_ones = (0..trials)
                    .filter(|_| change_point(&random.series(seconds, noise, |_| 500.0)).is_some())
                    .count();
                println!(
                    "{seconds} s, noise {}, r {}: {false_ones} of {trials}",
                    noise.size, noise.correlation
                );
                assert!(
                    false_ones * 20 <= trials,
                    "{seconds} s: {false_ones} of {trials}"
                );
            }
        }
    }
}
