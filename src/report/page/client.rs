//! The sections about one client.

use super::charts::{self, Charts, Spec, TIMELINE_FETCHES};
use super::text::size_label;
use super::types::{Client, KeyNumber, PageData, Role};
use super::{matrix, tables};
use crate::units::count;
use maud::{Markup, html};

/// Everything about one client but its recommendation, which stands at the top of the page.
pub(super) fn sections(page: &PageData, index: usize, charts: &mut Charts) -> Markup {
    let client = &page.clients[index];
    html! {
        section.pf-client id={ "pf-client-" (index) } {
            h2 { (if client.role == Role::Contender { "Contender " } else { "Client " }) (client.name) }
            @if !client.about.is_empty() { p.pf-lead { (client.about) } }
            (key_numbers(&client.key_numbers))
            @if client.cells.is_empty() {
                p.pf-lead { "No cell of this client was measured." }
            } @else {
                (throughput(page, client, charts))
                section { h3 { "Every cell" } p.pf-lead { "Median MB/s; columns are workers. Shaded by share of the best cell of the same container size." } (matrix::matrix(page, client)) }
                (price(page, client, charts))
            }
            (histograms(client, charts))
            (series(client, charts))
            (timeline(client, charts))
            @for line in &client.left_out { p.pf-lead { (line) } }
            (predictions(client))
        }
    }
}

fn key_numbers(numbers: &[KeyNumber]) -> Markup {
    html! {
        @if !numbers.is_empty() {
            dl.pf-numbers {
                @for number in numbers {
                    div {
                        dt { (number.label) }
                        dd.pf-large { (number.value) @if !number.unit.is_empty() { " " small { (number.unit) } } }
                        @if !number.note.is_empty() { dd { (number.note) } }
                    }
                }
            }
        }
    }
}

/// A chart's place, with what a screen reader says instead of it.
fn chart(charts: &mut Charts, spec: Spec, (class, label): (&str, &str)) -> Markup {
    let place = charts.add(spec);
    html! { div class={ "pf-chart " (class) } data-pf-chart=(place) role="img" aria-label=(label) {} }
}

/// A title, the unit of the vertical axis and a chart.
fn panel((title, note): (&str, &str), unit: &str, chart: &Markup) -> Markup {
    html! {
        figure.pf-panel {
            figcaption { b { (title) } " " (note) }
            p.pf-unit { (unit) }
            (chart)
        }
    }
}

fn legend(entries: &[(String, String)], bands: Option<&str>) -> Markup {
    html! {
        ul.pf-legend {
            @for (label, style) in entries { li { span.pf-line data-pf-line=(style) {} (label) } }
            @if let Some(words) = bands { li { span.pf-band {} (words) } }
        }
    }
}

fn throughput(page: &PageData, client: &Client, charts: &mut Charts) -> Markup {
    let entries: Vec<_> = charts::line_keys(page, client).into_iter().map(|key| (key.label, key.style)).collect();
    let bands = client.cells.iter().any(|cell| cell.throughput.is_some_and(|rate| rate.range.is_some()));
    let mut panels = Vec::new();
    for (index, size) in page.sizes.iter().enumerate() {
        let Some(spec) = charts::panel(page, client, index) else { continue };
        let note = charts::best_words(client, index).unwrap_or_default();
        let label = format!("{}, client {}: throughput against workers; {note}", size_label(size), client.name);
        panels.push(panel((&size_label(size), &note), "MB/s", &chart(charts, spec, ("pf-small", &label))));
    }
    if let Some(spec) = charts::best_of_each(page, client) {
        let label = format!("Client {}: the best throughput of each mode at each size", client.name);
        panels.push(panel(("Best of each size", "peak of every panel"), "MB/s", &chart(charts, spec, ("pf-small", &label))));
    }
    html! {
        section {
            h3 { "Throughput against concurrency" }
            @if panels.is_empty() {
                p.pf-lead { "No run of this client brought a throughput." }
            } @else {
                p.pf-lead { "Each panel has its own vertical scale, from zero. Compare sizes in the matrix below." }
                (legend(&entries, bands.then_some(&page.interval_label)))
                div.pf-panels { @for panel in panels { (panel) } }
            }
            (tables::cells(page, client))
        }
    }
}

fn price(page: &PageData, client: &Client, charts: &mut Charts) -> Markup {
    let entries: Vec<_> = charts::modes(client).into_iter().enumerate().map(|(i, mode)| (mode.to_owned(), charts::mode_style(mode, i))).collect();
    let label = format!("Client {}: throughput against price of every cell", client.name);
    html! {
        section {
            h3 { "Speed against price" }
            @if let Some(spec) = charts::price(page, client) {
                p.pf-lead {
                    "Up and to the left is better."
                    @if !client.front.is_empty() { " The dashed line joins the cells that no other cell beats in both time and price of the whole bucket; numbers refer to the list below." }
                }
                (legend(&entries, None))
                figure.pf-panel { p.pf-unit { "MB/s" } (chart(charts, spec, ("pf-wide pf-tall", &label))) }
                (tables::front(page, client))
            } @else {
                p.pf-lead { @if client.price_note.is_empty() { "No prices." } @else { (client.price_note) } }
            }
        }
    }
}

fn histograms(client: &Client, charts: &mut Charts) -> Markup {
    let Some(all) = client.histograms.as_ref().filter(|all| all.panels.iter().any(|one| !one.bins.is_empty())) else { return html! {} };
    html! {
        section {
            h3 { "Time to first byte" }
            p.pf-lead { (all.caption) @if all.panels.len() > 1 { " The same scales in every panel." } }
            div.pf-panels {
                @for (i, one) in all.panels.iter().enumerate().filter(|(_, one)| !one.bins.is_empty()) {
                    @let label = format!("{}: distribution of the time to first byte; {}", one.label, one.summary);
                    div {
                        (panel((&one.label, &one.summary), "% of requests", &chart(charts, charts::histogram(all, one, i), ("pf-small", &label))))
                        (tables::bins(one))
                    }
                }
            }
        }
    }
}

fn series(client: &Client, charts: &mut Charts) -> Markup {
    let Some(series) = client.series.as_ref().filter(|series| series.lines.iter().any(|line| !line.mb_per_s.is_empty())) else { return html! {} };
    let entries: Vec<_> = series.lines.iter().enumerate().map(|(i, line)| (line.label.clone(), charts::mode_style(&line.mode, i))).collect();
    let label = format!("Client {}: throughput of every second", client.name);
    html! {
        section {
            h3 { "Second by second" }
            p.pf-lead { (series.caption) }
            (legend(&entries, None))
            figure.pf-panel { p.pf-unit { "MB/s" } (chart(charts, charts::series(series), ("pf-wide", &label))) }
            (tables::seconds(series))
        }
    }
}

fn timeline(client: &Client, charts: &mut Charts) -> Markup {
    let Some(timeline) = client.timeline.as_ref().filter(|timeline| !timeline.fetches.is_empty()) else { return html! {} };
    let left = timeline.fetches.len().saturating_sub(TIMELINE_FETCHES);
    let label = format!("Client {}: what each worker did when", client.name);
    html! {
        section {
            h3 { "Worker timeline" }
            p.pf-lead {
                (timeline.caption) " Pale is waiting for the first byte, solid is the body."
                @if left > 0 { " " (count(u64::try_from(left).unwrap_or(u64::MAX))) " more fetches are not shown." }
            }
            ul.pf-legend {
                @for (class, words) in [("wait", "first byte"), ("body", "body"), ("retried", "retried"), ("failed", "failed")] {
                    li { span.pf-box.{ "pf-box-" (class) } {} (words) }
                }
            }
            figure.pf-panel { p.pf-unit { "worker" } (chart(charts, charts::timeline(timeline), ("pf-wide pf-timeline", &label))) }
            (tables::fetches(timeline))
        }
    }
}

fn predictions(client: &Client) -> Markup {
    html! {
        @if !client.predictions.is_empty() {
            section {
                h3 { "Predictions, and what they rest on" }
                dl.pf-rests {
                    @for prediction in &client.predictions { dt { (prediction.statement) } dd { (prediction.rests_on) } }
                }
            }
        }
    }
}
