//! What the charts draw, as tables behind a fold: the page says everything without JavaScript.

use super::charts::TIMELINE_FETCHES;
use super::text::{UNKNOWN, dollars, median, number, range, size_label, whole};
use super::types::{Cell, Client, Histogram, Interval, PageData, Series, Standing, Timeline};
use crate::units::{count, three_digits};
use maud::{Markup, html};

/// A fold with a table in it that scrolls by itself.
fn fold(summary: &str, table: &Markup) -> Markup {
    html! {
        details {
            summary { (summary) }
            div.pf-scroll tabindex="0" role="region" aria-label=(summary) { (table) }
        }
    }
}

/// Every cell with all that is known of it.
pub(super) fn cells(page: &PageData, client: &Client) -> Markup {
    let table = html! {
        table.pf-data {
            thead {
                tr {
                    th scope="col" { "Size" }
                    th scope="col" { "Mode" }
                    @for head in ["Workers", "MB/s", "MB/s, interval", "Seconds", "Seconds, interval", "TTFB p50, ms", "TTFB p99, ms", "Latency p50, ms",
                        "Latency p99, ms", "CPU, s/GB", "Memory, MB", "$ per TB", "Runs", "Attempts", "Errors"] {
                        th.pf-number scope="col" { (head) }
                    }
                    th scope="col" { "Standing" }
                    th scope="col" { "Verdict" }
                    th scope="col" { "What it rests on" }
                }
            }
            tbody {
                @for (index, size) in page.sizes.iter().enumerate() {
                    @for cell in client.cells.iter().filter(|cell| cell.size == index) { (row(&size_label(size), cell)) }
                }
            }
        }
    };
    let shown = client.cells.iter().filter(|cell| cell.size < page.sizes.len()).count();
    let all = if shown == 1 { "The cell".to_owned() } else { format!("All {} cells", count(u64::try_from(shown).unwrap_or(u64::MAX))) };
    fold(&format!("{all} of {} as a table", client.name), &table)
}

fn row(size: &str, cell: &Cell) -> Markup {
    let numbers = [
        count(cell.concurrency),
        median(cell.throughput),
        range(cell.throughput),
        median(cell.seconds),
        range(cell.seconds),
        number(cell.ttfb_p50_ms),
        number(cell.ttfb_p99_ms),
        number(cell.latency_p50_ms),
        number(cell.latency_p99_ms),
        number(cell.cpu_s_per_gb),
        number(cell.memory_mb),
        dollars(cell.usd_per_tb),
        count(u64::from(cell.repetitions)),
        whole(cell.attempts),
        whole(cell.errors),
    ];
    html! {
        tr {
            td { (size) }
            td { (cell.mode) }
            @for number in numbers { td.pf-number { (number) } }
            td { (standing(cell)) }
            td { (cell.verdict) }
            td.pf-long { (cell.verdict_figures) }
        }
    }
}

fn standing(cell: &Cell) -> String {
    let mut words = Vec::new();
    match cell.standing {
        Standing::Best => words.push("best of its size"),
        Standing::Tied => words.push("~ best of its size"),
        Standing::Failed => words.push("failed runs"),
        Standing::Missing => words.push("not run"),
        Standing::Behind => {}
    }
    if cell.failures > 0 && cell.standing != Standing::Failed {
        words.push("failed runs");
    }
    if cell.best_of_mode && cell.standing != Standing::Best {
        words.push("best of its mode");
    }
    if cell.knee {
        words.push("knee");
    }
    words.join(", ")
}

/// The bins of one distribution.
pub(super) fn bins(histogram: &Histogram) -> Markup {
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
    fold(&format!("{} as a table", histogram.label), &table)
}

/// MB/s of every second.
pub(super) fn seconds(series: &Series) -> Markup {
    let length = series.lines.iter().map(|line| line.mb_per_s.len()).max().unwrap_or(0);
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
    fold("Every second as a table", &table)
}

/// Every fetch that the timeline draws.
pub(super) fn fetches(timeline: &Timeline) -> Markup {
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
    fold("Every fetch as a table", &table)
}

/// The list that the numbers of the price chart refer to.
pub(super) fn front(page: &PageData, client: &Client) -> Markup {
    let numbered = client.front.iter().enumerate().filter_map(|(i, place)| Some((i + 1, client.cells.get(*place)?)));
    let cells = numbered.filter_map(|(number, cell)| Some((number, cell, page.sizes.get(cell.size)?)));
    html! {
        ol.pf-front {
            @for (number, cell, size) in cells {
                li value=(number) {
                    (size_label(size)) ", " (cell.mode) ", " (count(cell.concurrency)) " workers: " (speed(cell.throughput)) ", " (dollars(cell.usd_per_tb)) " per TB"
                }
            }
        }
    }
}

fn speed(rate: Option<Interval>) -> String {
    format!("{} MB/s", median(rate))
}
