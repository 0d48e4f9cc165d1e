//! Changes in words: of the ratios of a comparison, of how fast one thing is against another, and probabilities. Pure.

use super::number;
use crate::stats::location::Interval;
use crate::units;

/// From this ratio on a change is said as a factor: per cent of several hundred are read as more digits than are known.
pub(crate) const FACTOR: f64 = 2.0;
/// How well a ratio is known that has no interval, as a share of it.
const UNSURE: f64 = 0.1;
/// What stands behind a factor.
const AS_FAST: &str = "times as fast";

/// Ratios with the digits that are known of them: `4.3`, `15`; three where half of their interval is small.
pub(crate) fn factors<const N: usize>(ratios: [f64; N], half: Option<f64>) -> [String; N] {
    let largest = ratios.iter().copied().fold(0.0, f64::max);
    let half = half.unwrap_or(largest * UNSURE);
    let decimals = number::decimals(ratios.into_iter(), std::iter::once(half));
    ratios.map(|ratio| units::fixed(number::certain(ratio, Some(half)), decimals))
}

/// One without an interval.
pub(crate) fn factor(ratio: f64) -> String {
    let [ratio] = factors([ratio], None);
    ratio
}

/// How fast something is, and the word for what it is compared with: `41 % faster`, than; `4.3 times as fast`, as.
fn pace(ratio: f64) -> (String, &'static str) {
    if ratio >= FACTOR {
        return (format!("{} {AS_FAST}", factor(ratio)), "as");
    }
    let percent = ((ratio - 1.0) * 100.0).round();
    if percent > 0.0 {
        (format!("{percent} % faster"), "than")
    } else if percent < 0.0 {
        (format!("{} % slower", percent.abs()), "than")
    } else {
        ("as fast".to_owned(), "as")
    }
}

/// `41 % faster`, `7 % slower`, `4.3 times as fast`, `as fast`
pub(crate) fn as_fast(ratio: f64) -> String {
    pace(ratio).0
}

/// `41 % faster than the others`, `4.3 times as fast as the others`
pub(crate) fn as_fast_as(ratio: f64, others: &str) -> String {
    let (pace, than) = pace(ratio);
    format!("{pace} {than} {others}")
}

/// Of some that changed to one side, how much faster or slower they are, or how much more or less of it they have; and the word for what they are compared with:
/// `12 to 18 % faster`, than; `8.1 to 9.5 times as fast`, as; `12 to 18 % lower TTFB p99`, than; `3.1 times the TTFB p99`, of.
pub(crate) fn together(
    ratios: [f64; 2],
    half: Option<f64>,
    figure: Option<&str>,
) -> (String, &'static str) {
    let [low, high] = ratios;
    let is_more = low >= 1.0;
    if is_more && high >= FACTOR {
        let [low, high] = factors(ratios, half);
        let times = number::span(low, &high);
        return match figure {
            None => (format!("{times} {AS_FAST}"), "as"),
            Some(figure) => (format!("{times} times the {figure}"), "of"),
        };
    }
    let mut shares = ratios.map(|ratio| (ratio - 1.0).abs());
    shares.sort_by(f64::total_cmp);
    let [low, high] = shares.map(whole_percent);
    let by = number::span(low, &high);
    let what = match (figure, is_more) {
        (None, true) => format!("{by} % faster"),
        (None, false) => format!("{by} % slower"),
        (Some(figure), true) => format!("{by} % higher {figure}"),
        (Some(figure), false) => format!("{by} % lower {figure}"),
    };
    (what, "than")
}

/// Whole from ten on.
fn whole_percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    }
}

/// A ratio as a change, for a column: `-10.0 %`, `9.5 times`.
pub(crate) fn change(ratio: f64, interval: Option<Interval>) -> String {
    if ratio >= FACTOR {
        let [times] = factors([ratio], interval.map(|found| found.half_width()));
        return format!("{times} times");
    }
    let change = (ratio - 1.0) * 100.0;
    // What rounds to nothing has no sign.
    if change.abs() < 0.05 {
        "0.0 %".to_owned()
    } else {
        format!("{change:+.1} %")
    }
}

/// The same behind `changed`: `by -10.0 %`, `by a factor of 9.5`.
pub(crate) fn by(ratio: f64, interval: Option<Interval>) -> String {
    let change = change(ratio, interval);
    match change.strip_suffix(" times") {
        Some(times) => format!("by a factor of {times}"),
        None => format!("by {change}"),
    }
}

/// `-12.1 … -8.0 %`, `8.1 … 9.5 times`
pub(crate) fn range(interval: Interval) -> String {
    let Interval {
        low,
        high,
        level: _,
    } = interval;
    if high >= FACTOR {
        let [low, high] = factors([low, high], Some(interval.half_width()));
        return format!("{low} … {high} times");
    }
    let [low, high] = [low, high].map(|ratio| change(ratio, None));
    format!("{} … {high}", low.trim_end_matches(" %"))
}

/// A probability: four decimals.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.000_05 {
        "<0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn interval(low: f64, high: f64) -> Interval {
        Interval {
            low,
            high,
            level: 0.95,
        }
    }

    #[test]
    fn changes_are_signed_and_small_ones_are_none() {
        assert_eq!(
            [0.9, 1.0, 1.000_4, 1.85].map(|ratio| change(ratio, None)),
            ["-10.0 %", "0.0 %", "0.0 %", "+85.0 %"]
        );
        assert_eq!(
            [0.000_01, 2.0 / 924.0].map(probability),
            ["<0.0001", "0.0022"]
        );
    }

    #[test]
    fn what_is_twice_as_much_is_a_factor_with_the_digits_that_are_known() {
        let wide = Some(interval(3.2, 5.4));
        let narrow = Some(interval(4.298, 4.301));
        assert_eq!(
            [None, wide, narrow].map(|within| change(4.299, within)),
            ["4.3 times", "4.3 times", "4.30 times"]
        );
        assert_eq!(
            [4.299, 15.2, 366.0].map(factor),
            ["4.3", "15", "366"],
            "without an interval"
        );
        assert_eq!(
            [interval(0.88, 0.92), interval(3.2, 5.4), interval(0.9, 3.0)].map(range),
            ["-12.0 … -8.0 %", "3.2 … 5.4 times", "0.90 … 3.00 times"]
        );
        assert_eq!(
            [by(0.9, None), by(4.299, wide)],
            ["by -10.0 %", "by a factor of 4.3"]
        );
    }

    #[test]
    fn how_fast_something_is_stands_in_words() {
        assert_eq!(
            [0.93, 1.0, 1.41, 4.299].map(as_fast),
            ["7 % slower", "as fast", "41 % faster", "4.3 times as fast"]
        );
        assert_eq!(
            [0.93, 4.299].map(|ratio| as_fast_as(ratio, "the others")),
            [
                "7 % slower than the others",
                "4.3 times as fast as the others"
            ]
        );
        let said = |ratios, figure| together(ratios, None, figure);
        assert_eq!(
            said([0.82, 0.88], None),
            ("12 to 18 % slower".to_owned(), "than")
        );
        assert_eq!(
            said([1.8, 4.299], None),
            ("1.8 to 4.3 times as fast".to_owned(), "as")
        );
        assert_eq!(
            said([4.299, 4.3], Some("TTFB p99")),
            ("4.3 times the TTFB p99".to_owned(), "of")
        );
    }
}
