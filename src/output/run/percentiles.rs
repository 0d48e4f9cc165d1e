//! Times of fetches: their percentiles in a table, and their histogram on a wide terminal.

use super::page::RunPage;
use crate::output::bars;
use crate::results::summary::Distributions;
use crate::stats::histogram::Snapshot;
use crate::units;

/// What stands where nothing is known.
pub(super) const UNKNOWN: &str = "–";
/// Rows whose percentiles are all closer than this are one.
const NEARLY: f64 = 0.03;
/// From so many columns on there is room for the histogram.
const WIDE: usize = 100;
/// Columns beside the bars of the histogram, and the longest bar.
const BESIDE_BARS: usize = 50;
const LONGEST_BAR: usize = 60;

/// A column of the percentiles: its head, the fewest times of which it says something, and its value.
struct Percentile {
    head: &'static str,
    fewest: u64,
    value: fn(&Snapshot) -> Option<u64>,
}

const fn percentile(
    head: &'static str,
    fewest: u64,
    value: fn(&Snapshot) -> Option<u64>,
) -> Percentile {
    Percentile {
        head,
        fewest,
        value,
    }
}

const PERCENTILES: [Percentile; 6] = [
    percentile("p10", 10, |times| times.p10_ns),
    percentile("p50", 1, |times| times.p50_ns),
    percentile("p90", 10, |times| times.p90_ns),
    percentile("p99", 100, |times| times.p99_ns),
    percentile("p99.9", 1_000, |times| times.p99_9_ns),
    percentile("max", 1, |times| times.max_ns),
];

/// A row each for what differs; below them a histogram where there is room for one.
pub(super) fn percentiles(page: &mut RunPage, all: &Distributions) {
    let columns: Vec<&Percentile> = PERCENTILES
        .iter()
        .filter(|column| all.latency.count >= column.fewest)
        .collect();
    if columns.is_empty() {
        return;
    }
    page.lines.push(String::new());
    let heads: Vec<String> = columns
        .iter()
        .map(|column| format!("{:>9}", column.head))
        .collect();
    page.lines.push(format!("  {:<13}{}", "", heads.concat()));
    // Of small objects the first byte is nearly all there is; without retries a fetch is its one attempt.
    let differ = |one: &Snapshot, other: &Snapshot| {
        columns
            .iter()
            .any(|column| far_apart((column.value)(one), (column.value)(other)))
    };
    let mut rows = if differ(&all.ttfb, &all.latency) {
        vec![("TTFB", &all.ttfb), ("Latency", &all.latency)]
    } else {
        vec![("TTFB, latency", &all.latency)]
    };
    if differ(&all.latency, &all.fetch_duration) {
        rows.push(("With retries", &all.fetch_duration));
    }
    for (label, times) in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| format!("{:>9}", duration((column.value)(times))))
            .collect();
        page.lines.push(format!("  {label:<13}{}", cells.concat()));
    }
    if page.width >= WIDE {
        histogram(page, &all.latency);
    }
}

fn far_apart(one: Option<u64>, other: Option<u64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) as f64 > NEARLY * one as f64,
        (one, other) => one != other,
    }
}

fn histogram(page: &mut RunPage, latency: &Snapshot) {
    let Ok(histogram) = latency.histogram() else {
        return;
    };
    let rows = bars::rows(&histogram, (page.width - BESIDE_BARS).min(LONGEST_BAR));
    if !rows.is_empty() {
        page.lines
            .extend([String::new(), "  Requests by latency".to_owned()]);
        page.lines.extend(rows);
    }
}

/// So many times as long as the fastest the slowest may be for equal steps between them: otherwise nearly all would be in one.
const ALIKE: u64 = 32;

/// Ten equal steps from the fastest to the slowest, or powers of two where these are far apart.
pub(super) fn equal_steps(page: &mut RunPage, latency: &Snapshot) {
    let (Ok(histogram), Some(least), Some(most)) =
        (latency.histogram(), latency.min_ns, latency.max_ns)
    else {
        return;
    };
    let width = page
        .width
        .saturating_sub(BESIDE_BARS)
        .clamp(10, LONGEST_BAR);
    let rows = if most < least.saturating_mul(ALIKE) {
        bars::equal_steps(&histogram, width)
    } else {
        bars::rows(&histogram, width)
    };
    if latency.count > 1 && !rows.is_empty() {
        page.lines
            .extend([String::new(), "  Requests by latency".to_owned()]);
        page.lines.extend(rows);
    }
}

fn duration(time: Option<u64>) -> String {
    time.map_or_else(|| UNKNOWN.to_owned(), units::duration)
}
