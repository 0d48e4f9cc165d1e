//! The latency histogram of a run in text: bars over powers of two.

use crate::stats::histogram::Histogram;
use crate::units;

/// Eighths of a cell.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Bounds: 1/64 ms … 2²⁰ ms (17 min). Powers of two of a millisecond, and of its halves.
fn bounds_ns() -> impl DoubleEndedIterator<Item = u64> {
    (0..=26).map(|power| 15_625_u64 << power)
}

/// The rows of the histogram, `width` columns for the longest bar; none when nothing was recorded.
///
/// The first row holds everything up to its bound, and begins where at least one in a hundred is reached; the last one holds what is
/// above the bound that fewer than one in a hundred exceed. So every value is in one row, and a lone outlier makes no ten empty ones.
pub(super) fn rows(histogram: &Histogram, width: usize) -> Vec<String> {
    let total = histogram.count();
    if total == 0 {
        return Vec::new();
    }
    let enough = total.div_ceil(100);
    let first = bounds_ns().find(|bound| histogram.count_up_to(*bound) >= enough);
    let last = bounds_ns().find(|bound| total - histogram.count_up_to(*bound) < enough);
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    let mut cells = Vec::new();
    let mut below = 0;
    for bound in bounds_ns().filter(|bound| (first..=last).contains(bound)) {
        let up_to = histogram.count_up_to(bound);
        let label = if bound == first {
            format!("≤ {}", label(bound))
        } else {
            label(bound)
        };
        cells.push((label, up_to - below));
        below = up_to;
    }
    if total > below {
        cells.push((format!("> {}", label(last)), total - below));
    }
    let most = cells.iter().map(|cell| cell.1).max().unwrap_or(1);
    cells
        .into_iter()
        .map(|(label, count)| {
            format!(
                "{label:>11}  {:<width$}{:>9}",
                bar(count, most, width),
                units::count(count)
            )
        })
        .collect()
}

/// Steps of equal length.
const STEPS: u64 = 10;

/// The rows of the histogram in ten equal steps from the shortest to the longest time, each named by its upper end; one where all are the same.
pub(super) fn equal_steps(histogram: &Histogram, width: usize) -> Vec<String> {
    let (Some(least), Some(most)) = (histogram.min_ns(), histogram.max_ns()) else {
        return Vec::new();
    };
    let steps = if least == most { 1 } else { STEPS };
    let mut below = 0;
    let counts: Vec<_> = (1..=steps)
        .map(|step| {
            let bound =
                least + (most - least) / steps * step + (most - least) % steps * step / steps;
            let up_to = histogram.count_up_to(bound);
            let count = up_to - below;
            below = up_to;
            (bound, count)
        })
        .collect();
    let largest = counts.iter().map(|step| step.1).max().unwrap_or(1);
    let rows = counts.into_iter().map(|(bound, count)| {
        let label = format!("≤ {}", units::duration(bound));
        let bar = bar(count, largest, width);
        format!("{label:>13}  {bar:<width$}{:>9}", units::count(count))
    });
    rows.collect()
}

fn label(bound_ns: u64) -> String {
    if bound_ns < 1_000_000 {
        format!("{} µs", units::three_digits(bound_ns as f64 / 1e3))
    } else {
        format!("{} ms", units::count(bound_ns / 1_000_000))
    }
}

/// A bar of `count ÷ most` of `width` columns; what is not nothing is seen.
fn bar(count: u64, most: u64, width: usize) -> String {
    let eighths = u128::from(count) * 8 * width as u128 / u128::from(most.max(1));
    let eighths = usize::try_from(eighths)
        .unwrap_or(usize::MAX)
        .clamp(usize::from(count > 0), 8 * width);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[(u64, u64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (value, count) in milliseconds {
            for _ in 0..*count {
                histogram.record(value * 1_000_000);
            }
        }
        histogram
    }

    #[test]
    fn bars_are_counted_in_eighths() {
        assert_eq!(
            (bar(0, 80, 10), bar(80, 80, 10), bar(40, 80, 10)),
            (String::new(), "█".repeat(10), "█".repeat(5))
        );
        assert_eq!(
            (bar(1, 1_000_000, 10), bar(12, 80, 10)),
            ("▏".to_owned(), "█▌".to_owned())
        );
    }

    #[test]
    fn every_value_is_in_one_row() {
        let rows = rows(
            &of(&[(5, 50), (8, 50), (20, 200), (60, 100), (100, 8), (3_000, 1)]),
            8,
        );
        assert_eq!(
            rows,
            [
                "     ≤ 8 ms  ████          100",
                "      16 ms                  0",
                "      32 ms  ████████      200",
                "      64 ms  ████          100",
                "     128 ms  ▎               8",
                "   > 128 ms  ▏               1",
            ]
        );
    }

    #[test]
    fn ten_equal_steps_hold_every_value() {
        let rows = equal_steps(&of(&[(1_000, 40), (2_000, 40), (11_000, 20)]), 4);
        assert_eq!(rows.len(), 10);
        let row = |label: &str, bar: &str, count: u64| format!("{label:>13}  {bar:<4}{count:>9}");
        assert_eq!(rows[0], row("≤ 2.00 s", "████", 80));
        assert_eq!(rows[1], row("≤ 3.00 s", "", 0));
        assert_eq!(rows[9], row("≤ 11.0 s", "█", 20));
        assert_eq!(equal_steps(&of(&[(3, 2)]), 4).len(), 1);
        assert_eq!(equal_steps(&Histogram::default(), 4), Vec::<String>::new());
    }

    #[test]
    fn one_bucket_is_one_row_and_nothing_is_none() {
        assert_eq!(rows(&of(&[(3, 2)]), 4), ["     ≤ 4 ms  ████        2"]);
        assert_eq!(rows(&Histogram::default(), 4), Vec::<String>::new());
    }

    #[test]
    fn fast_stores_have_bounds_below_a_millisecond() {
        let mut histogram = Histogram::default();
        histogram.record(200_000);
        histogram.record(20_000);
        assert_eq!(
            rows(&histogram, 2).first().unwrap().trim(),
            "≤ 31.2 µs  ██        1"
        );
    }
}
