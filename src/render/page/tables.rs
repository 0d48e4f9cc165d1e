//! What the charts draw, as tables: the page says everything without JavaScript.

use super::parts::table_fold;
use super::runs::TIMELINE_FETCHES;
use super::text::{dollars, median, number, range, size_label, whole};
use super::types::{Client, PageCell, PageData, PageHistogram, PageSeries, PageStanding, Timeline};
use crate::render::wording::number::UNKNOWN;
use crate::units::{count, three_digits};
use maud::{Markup, html};

/// The head of the price, behind which stands what it is per.
const PRICE: &str = "Tasks, $";
/// The head of the rate, in whose place stands its unit.
const RATE: &str = "";

/// Heads of the numbers of a configuration.
const NUMBERS: [&str; 14] = [
    "Workers",
    RATE,
    "95 % interval",
    "Time, s",
    "TTFB p50, ms",
    "TTFB p99, ms",
    "Latency p50, ms",
    "Latency p99, ms",
    "CPU, s/GB",
    "Memory, MB",
    PRICE,
    "Runs",
    "Requests",
    "Failed objects",
];

/// Every configuration with all that is known of it, a line each; what a word rests on stands under the details.
pub(super) fn cells(page: &PageData, client: &Client) -> Markup {
    let table = html! {
        table.pf-data.pf-every {
            thead {
                tr {
                    th scope="col" { "Size" }
                    th scope="col" { "Mode" }
                    @for head in NUMBERS { th.pf-number scope="col" { (named(client, head)) } }
                    th scope="col" { "Limit" }
                    th scope="col" { "Marks" }
                }
            }
            tbody {
                @for (index, size) in page.sizes.iter().enumerate() {
                    @for cell in client.cells.iter().filter(|cell| cell.size == index) { (row(&size_label(size), cell)) }
                }
            }
        }
    };
    let shown = client
        .cells
        .iter()
        .filter(|cell| cell.size < page.sizes.len())
        .count();
    table_fold(
        &format!(
            "All {} configurations of {} as a table",
            count(u64::try_from(shown).unwrap_or(u64::MAX)),
            client.name
        ),
        &table,
    )
}

/// A head with the unit of this program.
fn named(client: &Client, head: &str) -> String {
    match head {
        RATE => client.rate_unit.as_str().to_owned(),
        PRICE => format!("{PRICE} per {}", client.price_unit),
        _ => head.to_owned(),
    }
}

fn numbers(cell: &PageCell) -> [String; NUMBERS.len()] {
    [
        count(cell.concurrency),
        median(cell.throughput),
        range(cell.throughput),
        median(cell.seconds),
        number(cell.ttfb_p50_ms),
        number(cell.ttfb_p99_ms),
        number(cell.latency_p50_ms),
        number(cell.latency_p99_ms),
        number(cell.cpu_s_per_gb),
        number(cell.memory_mb),
        dollars(cell.usd),
        count(u64::from(cell.repetitions)),
        whole(cell.attempts),
        whole(cell.errors),
    ]
}

fn row(size: &str, cell: &PageCell) -> Markup {
    html! {
        tr {
            td { (size) }
            td { (cell.mode) }
            @for number in numbers(cell) { td.pf-number { (number) } }
            td { (cell.limit) }
            td { (standing(cell)) }
        }
    }
}

/// The figures of the only configuration, below each other.
pub(super) fn one(client: &Client) -> Markup {
    html! {
        @for cell in &client.cells {
            dl.pf-facts {
                @for (head, number) in NUMBERS.iter().zip(numbers(cell)).filter(|(_, number)| number != UNKNOWN) {
                    div { dt { (named(client, head)) } dd { (number) } }
                }
            }
        }
    }
}

fn standing(cell: &PageCell) -> String {
    let mut words = Vec::new();
    if !cell.chosen.is_empty() {
        words.push(cell.chosen.as_str());
    }
    for (letter, word) in [('c', "as cheap"), ('f', "as fast")] {
        if cell.mark.contains(letter) {
            words.push(word);
        }
    }
    if cell.knee {
        words.push("best from here");
    } else if cell.as_fast {
        words.push("~ as fast as the fastest of its row");
    }
    match cell.standing {
        PageStanding::Missing => words.push("not run"),
        PageStanding::Failed | PageStanding::Highest | PageStanding::Measured => {}
    }
    let failed = failed_words(cell);
    words.extend(failed.as_deref());
    words.join(", ")
}

/// `failed runs`, `failed requests`; none where nothing failed: `!`.
pub(super) fn failed_words(cell: &PageCell) -> Option<String> {
    let of_runs = cell.failures > 0 || cell.standing == PageStanding::Failed;
    let of_fetches = cell.errors.is_some_and(|errors| errors > 0);
    let words = [(of_runs, "runs"), (of_fetches, cell.rate_unit.fetched())];
    let words = words.iter().filter(|(is_so, _)| *is_so);
    let words: Vec<_> = words.map(|(_, what)| *what).collect();
    (!words.is_empty()).then(|| format!("failed {}", words.join(" and ")))
}

/// The bins of one distribution.
pub(super) fn bins(client: &Client, histogram: &PageHistogram) -> Markup {
    let table = html! {
        table.pf-data {
            thead { tr { @for head in ["From, ms", "To, ms", "Requests", "%"] { th.pf-number scope="col" { (head) } } } }
            tbody {
                @for bin in &histogram.bins {
                    tr {
                        td.pf-number { (three_digits(bin.from_ms)) }
                        td.pf-number { (three_digits(bin.to_ms)) }
                        td.pf-number { (count(bin.count)) }
                        td.pf-number { (three_digits(bin.percent)) }
                    }
                }
                @for mark in &histogram.marks { tr { td { (mark.label) } td.pf-number { (three_digits(mark.at_ms)) } td {} td {} } }
            }
        }
    };
    table_fold(
        &format!("{}, {}, as a table", client.name, histogram.label),
        &table,
    )
}

/// MB/s of every second.
pub(super) fn seconds(client: &Client, series: &PageSeries) -> Markup {
    let length = series
        .lines
        .iter()
        .map(|line| line.mb_per_s.len())
        .max()
        .unwrap_or(0);
    let table = html! {
        table.pf-data {
            thead { tr { th.pf-number scope="col" { "Second" } @for line in &series.lines { th.pf-number scope="col" { (line.label) ", MB/s" } } } }
            tbody {
                @for second in 0..length {
                    tr {
                        td.pf-number { (second) }
                        @for line in &series.lines { td.pf-number { (number(line.mb_per_s.get(second).copied())) } }
                    }
                }
            }
        }
    };
    table_fold(
        &format!("Every second of {} as a table", client.name),
        &table,
    )
}

/// Every fetch that the timeline draws.
pub(super) fn fetches(client: &Client, timeline: &Timeline) -> Markup {
    let keys = timeline.fetches.iter().any(|fetch| !fetch.key.is_empty());
    let table = html! {
        table.pf-data.pf-fetches {
            thead {
                tr {
                    @for head in ["Worker", "Start, s", "First byte, s", "End, s", "Attempts"] { th.pf-number scope="col" { (head) } }
                    th scope="col" { "Outcome" }
                    @if keys { th scope="col" { "Key" } }
                }
            }
            tbody {
                @for fetch in timeline.fetches.iter().take(TIMELINE_FETCHES) {
                    tr {
                        td { (fetch.worker) }
                        td { (format!("{:.3}", fetch.start_s)) }
                        td { (fetch.first_byte_s.map_or_else(|| UNKNOWN.to_owned(), |at| format!("{at:.3}"))) }
                        td { (format!("{:.3}", fetch.end_s)) }
                        td { (fetch.attempts) }
                        td { (fetch.outcome) }
                        @if keys { td.pf-text.pf-long { (fetch.key) } }
                    }
                }
            }
        }
    };
    table_fold(
        &format!("Every fetch of {} as a table", client.name),
        &table,
    )
}

/// Configurations that no other one beats in both time and price, cheapest first.
pub(super) fn front(page: &PageData, client: &Client) -> Markup {
    let cells = client
        .front
        .iter()
        .filter_map(|place| client.cells.get(*place));
    html! {
        ol.pf-front {
            @for (cell, size) in cells.filter_map(|cell| Some((cell, page.sizes.get(cell.size)?))) {
                li {
                    (size_label(size)) ", " (cell.mode) ", " (count(cell.concurrency)) " workers: " (speed(cell)) ", "
                    (dollars(cell.usd)) " per " (client.price_unit)
                }
            }
        }
    }
}

fn speed(cell: &PageCell) -> String {
    format!("{} {}", median(cell.throughput), cell.rate_unit.as_str())
}
