//! The middle of one sample, and how sure it is: medians and their distribution-free intervals.
//!
//! Nothing here assumes a shape: throughput of repeated runs is skewed and has outliers, so a mean and its normal interval would mislead.

use serde::Serialize;

/// Two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end, in the unit of the values.
    pub low: f64,
    /// Upper end, in the unit of the values.
    pub high: f64,
    /// What it really covers, such as 0.96875 where 0.95 was asked for: between order statistics only some levels exist.
    pub level: f64,
}

impl Interval {
    /// Half of its width: below its first digit, digits of the values are noise.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// Median of values in any order, the mean of the middle two when their number is even.
///
/// `None` when there are none, or when one is not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    sorted(values).as_deref().and_then(median_of_sorted)
}

/// Interval for the median of what the values were drawn from: the narrowest `[x(k), x(n+1-k)]` (order statistics) that covers it with at least
/// `confidence`.
///
/// It holds for any continuous distribution, and covers at least as much for any other: as many values lie below the median as a fair coin shows
/// heads, so the ends fail with probability 2 P(Bin(n, 1/2) <= k - 1) (the sign test inverted; Conover, Practical Nonparametric Statistics, 3rd
/// ed., section 3.2).
///
/// `None` when even the smallest and the largest value do not give `confidence` (fewer than 6 values at 0.95), or when a value is not finite.
pub fn median_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let sorted = sorted(values)?;
    let (rank, level) = inmost_rank(sorted.len(), confidence)?;
    Some(Interval {
        low: sorted[rank - 1],
        high: sorted[sorted.len() - rank],
        level,
    })
}

/// The median of all means of two values, each with itself too (Hodges and Lehmann): steadier than a median, and moved by outliers from
/// three tenths of the values on, where a median holds up to a half: of six values two that are far off move it.
///
/// Of more than 40 values the median. `None` when there are none, or when one is not finite.
pub fn pseudomedian(values: &[f64]) -> Option<f64> {
    const MOST: usize = 40;
    if values.len() > MOST {
        return median(values);
    }
    let means: Vec<f64> = values
        .iter()
        .enumerate()
        .flat_map(|(place, one)| {
            values[place..]
                .iter()
                .map(move |other| 0.5 * one + 0.5 * other)
        })
        .collect();
    median(&means)
}

/// Interval in which the next value lies with 95 %, when it is drawn as these were from a normal distribution: mean ± t · s · √(1 + 1 ÷ n), with a
/// standard deviation of `besides` more that the values do not show.
///
/// Take logarithms of what is skewed. `None` with fewer than 6 values, or when one is not finite.
pub fn next_value(values: &[f64], besides: f64) -> Option<Interval> {
    const LEVEL: f64 = 0.95;
    let n = values.len() as f64;
    if values.len() < 6 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let within = student_t_975(n - 1.0) * (variance * (1.0 + 1.0 / n) + besides * besides).sqrt();
    Some(Interval {
        low: mean - within,
        high: mean + within,
        level: LEVEL,
    })
}

/// The 97.5 % point of Student's t with 5 degrees of freedom or more: Cornish and Fisher's expansion around the normal one (Abramowitz and Stegun
/// 26.7.5), which is off by less than 0.1 % then.
fn student_t_975(degrees: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let first = (Z.powi(3) + Z) / 4.0;
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
    let third = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0;
    Z + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
}

/// The most that an interval for the median can cover with `n` values: 1 - 2^(1-n), from the smallest to the largest. 0 below two values.
pub fn most_confidence(n: usize) -> f64 {
    (1.0 - f64::exp2(1.0 - n as f64)).max(0.0)
}

/// The values in ascending order; `None` when one is not finite.
pub(super) fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
        .iter()
        .all(|value| value.is_finite())
        .then_some(values)
}

/// [`median`] of values in ascending order, all finite.
pub(super) fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    // Halved before they are added: the sum of two finite numbers need not be finite.
    Some(if sorted.len().is_multiple_of(2) {
        0.5 * sorted[sorted.len() / 2 - 1] + 0.5 * upper
    } else {
        upper
    })
}

/// The largest k (from 1) for which 1 - 2 P(Bin(n, 1/2) <= k - 1) is at least `confidence`, and that coverage.
fn inmost_rank(n: usize, confidence: f64) -> Option<(usize, f64)> {
    // Probabilities times 2^-exponent: 2^-n itself is 0 in floating point from 1,075 values on. A power of two, so small n stay exact.
    const RESCALE: f64 = 600.0;
    let mut exponent = -(n as f64);
    let mut mass = 1.0; // of k - 1 heads
    let mut tail = 0.0; // of k - 1 heads or fewer
    let mut best = None;
    for k in 1..=n / 2 {
        tail += mass;
        let coverage = 1.0 - 2.0 * tail * exponent.exp2();
        if coverage < confidence {
            break;
        }
        best = Some((k, coverage));
        mass *= (n - k + 1) as f64 / k as f64;
        if mass > f64::exp2(RESCALE) {
            mass *= f64::exp2(-RESCALE);
            tail *= f64::exp2(-RESCALE);
            exponent += RESCALE;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::float_cmp,
        reason = "what is compared strictly is exact, or the very same division"
    )]

    use super::super::fixture::{self, Random};
    use super::*;

    #[test]
    fn median_by_hand() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(median(&[9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&[9.0, 1.0, 4.0, 5.0]), Some(4.5));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(median(&[1.0, f64::NAN]), None);
        assert_eq!(median(&[1.0, f64::INFINITY]), None);
    }

    #[test]
    fn pseudomedian_by_hand() {
        // Means 1, 2, 3, 3, 4, 5 of 1, 3, 5; with 100 in place of 5: 1, 2, 3, 50.5, 51.5, 100.
        assert_eq!(
            (
                pseudomedian(&[5.0, 1.0, 3.0]),
                pseudomedian(&[100.0, 1.0, 3.0])
            ),
            (Some(3.0), Some(26.75))
        );
        assert_eq!((pseudomedian(&[]), pseudomedian(&[7.0])), (None, Some(7.0)));
        assert_eq!(pseudomedian(&[f64::NAN]), None);
    }

    #[test]
    fn the_next_value_lies_where_student_says() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        // s² = 3.5, t(5) = 2.5706, √(3.5 · 7 ÷ 6) = 2.0207.
        let found = next_value(&values, 0.0).unwrap();
        assert!(
            (found.high - 3.5 - 2.5706 * 2.0207).abs() < 0.01
                && (found.low + found.high - 7.0).abs() < 1e-9,
            "{found:?}"
        );
        assert!(next_value(&values, 3.0).unwrap().high > found.high);
        assert_eq!(
            (
                next_value(&values[..5], 0.0),
                next_value(&[f64::NAN; 6], 0.0)
            ),
            (None, None)
        );
        // t with 30 degrees of freedom: 2.0423.
        assert!((student_t_975(30.0) - 2.0423).abs() < 1e-3);
    }

    #[test]
    fn interval_of_six_is_their_range_and_of_five_there_is_none() {
        let values = [4.0, 2.0, 6.0, 1.0, 5.0, 3.0];
        // 1 - 2/64.
        assert_eq!(
            median_interval(&values, 0.95),
            Some(Interval {
                low: 1.0,
                high: 6.0,
                level: 0.96875
            })
        );
        assert_eq!(median_interval(&values[..5], 0.95), None);
        // 1 - 2/32 is enough for 0.9.
        assert_eq!(
            median_interval(&values[..5], 0.9),
            Some(Interval {
                low: 1.0,
                high: 6.0,
                level: 0.9375
            })
        );
        assert_eq!(median_interval(&[], 0.5), None);
        assert_eq!(
            median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN], 0.95),
            None
        );
    }

    #[test]
    fn interval_of_ten_leaves_out_the_ends() {
        // P(Bin(10, 1/2) <= 1) = 11/1024, P(<= 2) = 56/1024: k = 2 covers 1 - 22/1024, k = 3 only 1 - 112/1024.
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(
            median_interval(&values, 0.95),
            Some(Interval {
                low: 2.0,
                high: 9.0,
                level: 1.0 - 22.0 / 1024.0
            })
        );
    }

    #[test]
    fn most_confidence_by_hand() {
        assert_eq!(
            [0, 1, 2, 5, 6].map(most_confidence),
            [0.0, 0.0, 0.5, 0.9375, 0.96875]
        );
        for n in 2..60 {
            assert_eq!(
                inmost_rank(n, most_confidence(n)),
                Some((1, most_confidence(n))),
                "n = {n}"
            );
        }
    }

    #[test]
    fn intervals_are_those_of_the_reference() {
        for case in fixture::cases("median_interval") {
            let n = u32::try_from(case["n"].as_u64().unwrap()).unwrap();
            let values: Vec<f64> = (1..=n).rev().map(f64::from).collect();
            let found = median_interval(&values, case["confidence"].as_f64().unwrap());
            if case["level"].is_null() {
                assert_eq!(found, None, "{case}");
                continue;
            }
            let found = found.unwrap();
            assert_eq!(
                (found.low, found.high),
                (
                    case["low"].as_f64().unwrap(),
                    case["high"].as_f64().unwrap()
                ),
                "n = {n}"
            );
            fixture::assert_close(found.level, &case["level"], 1e-9);
        }
    }

    #[test]
    fn the_interval_covers_the_true_median_as_often_as_it_says() {
        let mut random = Random::new(1);
        let trials = 4_000;
        for n in [6, 7, 10, 15] {
            let mut level = 0.0;
            // Lognormal(0, 0.5): skewed, with the median 1.
            let covered = (0..trials)
                .filter(|_| {
                    let values: Vec<f64> = (0..n).map(|_| (0.5 * random.normal()).exp()).collect();
                    let interval = median_interval(&values, 0.95).unwrap();
                    level = interval.level;
                    interval.low <= 1.0 && 1.0 <= interval.high
                })
                .count();
            let share = covered as f64 / f64::from(trials);
            // Three standard errors of a share.
            let error = 3.0 * (level * (1.0 - level) / f64::from(trials)).sqrt();
            assert!((share - level).abs() < error, "n = {n}: {share} of {level}");
        }
    }
}
