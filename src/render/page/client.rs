//! The sections about one client: the picture beside the answer, the figures, and what is folded up behind them.

use super::charts::{Charts, Spec};
use super::curves::GreyLines;
use super::parts::{chart, fold, heading, legend, panel};
use super::runs::TIMELINE_FETCHES;
use super::text::{prose, size_label, unbroken};
use super::types::{Client, ClientRole, PageData, RateUnit};
use super::{curves, runs};
use super::{matrix, tables};
use crate::units::{count, three_digits};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Panels that are shown at once; the others are folded up.
const PANELS: usize = 6;

/// From so many times on another program's lines would press those that are asked about flat.
const FAR_ABOVE: f64 = 3.0;

/// Throughput against workers at the size that was chosen, where that shows why. Of a program that somebody brought it does, as the question is how many
/// workers it needs. So it is where a minute is billed whatever the rate, as prices by rate then say another thing than the answer; and where there are
/// no prices.
fn of_workers(page: &PageData, client: &Client) -> Option<(usize, GreyLines, Spec)> {
    let is_brought = client.role == ClientRole::Contender;
    let size = client.answer_size.unwrap_or(0);
    let behind = match yardstick(page, client) {
        Some(other) if highest(other, size) < FAR_ABOVE * highest(client, size) => {
            GreyLines::Yardstick
        }
        _ => GreyLines::Contenders,
    };
    if !is_brought && !client.is_minimum && curves::price(page, client).is_some() {
        return None;
    }
    page.sizes.get(size)?;
    Some((size, behind, curves::panel(page, (client, behind), size)?))
}

/// parfetch's own client, which shows what could be reached.
fn yardstick<'a>(page: &'a PageData, client: &Client) -> Option<&'a Client> {
    let mut others = page.clients.iter();
    others
        .find(|other| client.role == ClientRole::Contender && other.role == ClientRole::Own)
        .filter(|other| other.rate_unit == client.rate_unit)
}

fn highest(client: &Client, size: usize) -> f64 {
    let cells = client.cells.iter().filter(|cell| cell.size == size);
    let rates = cells.filter_map(|cell| Some(cell.throughput?.median));
    rates.fold(0.0, f64::max)
}

/// The one picture that shows why: throughput against workers, else speed against price.
pub(super) fn picture(page: &PageData, client: &Client, charts: &mut Charts) -> Markup {
    let Some((size, behind, spec)) = of_workers(page, client) else {
        return curves::price(page, client).map_or_else(
            || html! {},
            |spec| price(page, (client, "Why: speed against price"), (spec, charts)),
        );
    };
    let title = format!(
        "{}: throughput against workers, {}",
        client.name,
        size_label(&page.sizes[size])
    );
    let grey = yardstick(page, client).filter(|_| behind == GreyLines::Yardstick);
    html! {
        section.pf-why id="why" {
            (panel((&title, ""), client.rate_unit.as_str(), &chart(charts, spec, ("pf-tall", &title))))
            (legend(&entries(page, client, behind), interval(page, client)))
            @if let Some(other) = grey { p.pf-fine { "Grey: what parfetch’s own " (other.name) " client reaches in the same size." } }
            @if let Some(why) = &client.no_price { p.pf-fine { (prose(why)) } }
        }
    }
}

/// What the bars of its charts are; none where there are none.
fn interval<'a>(page: &'a PageData, client: &Client) -> Option<&'a str> {
    let has_bars = client
        .cells
        .iter()
        .any(|cell| cell.throughput.is_some_and(|rate| rate.range.is_some()));
    has_bars.then_some(page.interval_label.as_str())
}

/// Speed against price as a section of its own, for a client that is folded up.
pub(super) fn priced(page: &PageData, client: &Client, charts: &mut Charts) -> Markup {
    if let Some(spec) = curves::price(page, client) {
        return price(page, (client, "Speed against price"), (spec, charts));
    }
    html! { @if let Some(why) = &client.no_price { p.pf-lead { (prose(why)) } } }
}

fn price(
    page: &PageData,
    (client, title): (&Client, &str),
    (spec, charts): (Spec, &mut Charts),
) -> Markup {
    let entries: Vec<_> = curves::modes(client)
        .into_iter()
        .enumerate()
        .map(|(i, mode)| (mode.to_owned(), curves::mode_style(mode, i)))
        .collect();
    let label = format!(
        "{title}: throughput of every configuration of {} against its price per {}",
        client.name, client.price_unit
    );
    html! {
        section.pf-why id=[title.starts_with("Why").then_some("why")] {
            (panel((title, "up and to the left is better"), client.rate_unit.as_str(), &chart(charts, spec, ("pf-tall", &label))))
            (legend(&entries, None))
            p.pf-fine {
                @if client.front.len() > 1 { "Dashed: configurations that no other one beats in both time and price. " }
                @for cell in client.cells.iter().filter(|cell| !cell.chosen.is_empty()) {
                    @if let Some(usd) = cell.usd { (cell.chosen) ": $" (three_digits(usd)) " per " (client.price_unit) ". " }
                }
                @if client.is_minimum && client.rate_unit != RateUnit::RunsPerH { "The minute that every task is billed for at least is not in these prices, and is in those of the answer. " }
                @for note in &page.price_notes { (prose(note)) " " }
            }
        }
    }
}

/// Throughput against workers and the matrix. `level` is that of their headings.
pub(super) fn figures(page: &PageData, (index, level): (usize, u8), charts: &mut Charts) -> Markup {
    let client = &page.clients[index];
    let id = |name: &str| {
        if index == 0 {
            name.to_owned()
        } else {
            format!("{name}-{index}")
        }
    };
    if client.cells.is_empty() {
        return html! { p.pf-lead { "No configuration of this client was measured." } };
    }
    html! {
        (throughput(page, (client, index), (&id("throughput"), level), charts))
        @if client.cells.len() > 1 {
            section id=(id("configurations")) {
                (heading(level, "Every configuration", &id("configurations")))
                p.pf-lead { "Median throughput in " (client.rate_unit.as_str()) "; columns are workers. Shaded by share of the highest of the same size." }
                (matrix::matrix(page, client))
                (tables::cells(page, client))
                @if index == 0 && !page.csv.is_empty() { (csv(page)) }
            }
        } @else {
            section id=(id("configurations")) {
                (heading(level, "Figures", &id("configurations")))
                (tables::one(client))
                @if index == 0 && !page.csv.is_empty() { (csv(page)) }
            }
        }
    }
}

/// The file is in the page, so that it is there without a network and without JavaScript.
fn csv(page: &PageData) -> Markup {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(&page.csv);
    html! {
        p.pf-download {
            a download="parfetch-report.csv" href={ "data:text/csv;base64," (data) } { "Download all figures as CSV" }
            span.pf-fine { " Medians and intervals of every metric, in base units." }
        }
    }
}

fn entries(page: &PageData, client: &Client, behind: GreyLines) -> Vec<(String, String)> {
    curves::line_keys(page, client, behind)
        .into_iter()
        .map(|key| (key.label, key.style))
        .collect()
}

fn throughput(
    page: &PageData,
    (client, index): (&Client, usize),
    (id, level): (&str, u8),
    charts: &mut Charts,
) -> Markup {
    // Those with a choice first, then the smallest: the others are folded up.
    let mut sizes: Vec<usize> = (0..page.sizes.len())
        .filter(|size| curves::panel(page, (client, GreyLines::Contenders), *size).is_some())
        .collect();
    let chosen: BTreeSet<usize> = client
        .cells
        .iter()
        .filter(|cell| !cell.chosen.is_empty())
        .map(|cell| cell.size)
        .collect();
    let best = curves::best_of_each(page, client);
    let room = PANELS - usize::from(best.is_some());
    sizes.sort_by_key(|size| (!chosen.contains(size), *size));
    let mut more = sizes.split_off(sizes.len().min(room));
    sizes.sort_unstable();
    more.sort_unstable();
    let cautions: &[String] = if index == 0 { &page.cautions } else { &[] };
    // The only size stands beside the answer already.
    let is_shown = index == 0 && sizes.len() == 1 && of_workers(page, client).is_some();
    if is_shown || sizes.is_empty() && best.is_none() {
        let notes = if is_shown {
            client.notes.as_slice()
        } else {
            &[]
        };
        return html! {
            @if !notes.is_empty() || !cautions.is_empty() {
                section {
                    @for note in notes { p.pf-lead { (prose(note)) } }
                    (limits(cautions))
                }
            }
        };
    }
    let shown: Vec<Markup> = sizes
        .into_iter()
        .map(|size| of_size(page, (client, size), charts))
        .collect();
    let best = best.map(|spec| {
        let label = format!(
            "{}: the highest throughput of each mode at each size",
            client.name
        );
        panel(
            ("Highest of each size", "of every panel"),
            client.rate_unit.as_str(),
            &chart(charts, spec, ("pf-small", &label)),
        )
    });
    let more: Vec<Markup> = more
        .into_iter()
        .map(|size| of_size(page, (client, size), charts))
        .collect();
    html! {
        section id=(id) {
            (heading(level, "Throughput against workers", id))
            p.pf-lead { b { (client.name) } ". Each panel has a scale of its own, from zero." @for note in &client.notes { " " (prose(note)) } }
            (limits(cautions))
            (legend(&entries(page, client, GreyLines::Contenders), interval(page, client)))
            div.pf-panels { @for panel in &shown { (panel) } @if let Some(best) = &best { (best) } }
            @if !more.is_empty() {
                details { summary { (count(more.len() as u64)) " more sizes" } div.pf-panels { @for panel in &more { (panel) } } }
            }
        }
    }
}

/// What limits the figures.
fn limits(cautions: &[String]) -> Markup {
    html! { @if !cautions.is_empty() { ul.pf-cautions { @for caution in cautions { li { (prose(caution)) } } } } }
}

fn of_size(page: &PageData, (client, index): (&Client, usize), charts: &mut Charts) -> Markup {
    let (Some(size), Some(spec)) = (
        page.sizes.get(index),
        curves::panel(page, (client, GreyLines::Contenders), index),
    ) else {
        return html! {};
    };
    let (title, note) = (
        unbroken(&size_label(size)),
        unbroken(&curves::best_words(client, index).unwrap_or_default()),
    );
    let label = format!(
        "{title}, client {}: throughput against workers; {note}",
        client.name
    );
    panel(
        (&title, &note),
        client.rate_unit.as_str(),
        &chart(charts, spec, ("pf-small", &label)),
    )
}

/// Charts of single runs and what predictions rest on, each folded up.
pub(super) fn details(
    page: &PageData,
    (index, client): (usize, &Client),
    charts: &mut Charts,
) -> Markup {
    let id = |name: &str| {
        if index == 0 {
            name.to_owned()
        } else {
            format!("{name}-{index}")
        }
    };
    // Its picture may be another one.
    let has_other_picture =
        index == 0 && (client.role == ClientRole::Contender || client.is_minimum);
    html! {
        @if has_other_picture && curves::price(page, client).is_some() { (fold(("price", "Speed against price"), &priced(page, client, charts))) }
        @if let Some(chart) = histograms(client, charts) { (fold((&id("first-byte"), "Time to first byte"), &chart)) }
        @if let Some(chart) = series(client, charts) { (fold((&id("seconds"), "Second by second"), &chart)) }
        @if let Some(chart) = timeline(client, charts) { (fold((&id("timeline"), "Worker timeline"), &chart)) }
        @if client.front.len() > 1 { (fold((&id("front"), "Not beaten in both time and price"), &tables::front(page, client))) }
        @if !client.predictions.is_empty() {
            (fold((&id("predictions"), "What the times of the whole bucket rest on"), &html! {
                dl.pf-rests { @for prediction in &client.predictions { dt { (prose(&prediction.statement)) } dd { (prose(&prediction.rests_on)) } } }
            }))
        }
        @for line in &client.left_out { p.pf-lead { (line) } }
    }
}

fn histograms(client: &Client, charts: &mut Charts) -> Option<Markup> {
    let all = runs::drawn_histograms(client)?;
    Some(html! {
        p.pf-lead { (prose(&all.caption)) @if all.panels.len() > 1 { " The same scales in every panel." } }
        div.pf-panels {
            @for (i, one) in all.panels.iter().enumerate().filter(|(_, one)| !one.bins.is_empty()) {
                @let label = format!("{}: distribution of the time to first byte; {}", one.label, one.summary);
                div {
                    (panel((&one.label, &one.summary), "% of requests", &chart(charts, runs::histogram(all, one, i), ("pf-small", &label))))
                    (tables::bins(client, one))
                }
            }
        }
    })
}

fn series(client: &Client, charts: &mut Charts) -> Option<Markup> {
    let series = runs::drawn_series(client)?;
    let entries: Vec<_> = series
        .lines
        .iter()
        .enumerate()
        .map(|(i, line)| (line.label.clone(), curves::mode_style(&line.mode, i)))
        .collect();
    let label = format!("Client {}: throughput of every second", client.name);
    Some(html! {
        p.pf-lead { (prose(&series.caption)) }
        (legend(&entries, None))
        (panel(("Throughput of every second", ""), "MB/s", &chart(charts, runs::series(series), ("pf-wide", &label))))
        (tables::seconds(client, series))
    })
}

fn timeline(client: &Client, charts: &mut Charts) -> Option<Markup> {
    let timeline = runs::drawn_timeline(client)?;
    let left = timeline.fetches.len().saturating_sub(TIMELINE_FETCHES);
    let label = format!("Client {}: what each worker did when", client.name);
    Some(html! {
        p.pf-lead {
            (prose(&timeline.caption)) " Pale is waiting for the first byte, solid is the body."
            @if left > 0 { " " (count(u64::try_from(left).unwrap_or(u64::MAX))) " more fetches are not shown." }
        }
        ul.pf-legend {
            @for (class, words) in [("wait", "first byte"), ("body", "body"), ("retried", "retried"), ("failed", "failed")] {
                li { span.pf-box.{ "pf-box-" (class) } {} (words) }
            }
        }
        (panel(("What each worker did", ""), "worker", &chart(charts, runs::timeline(timeline), ("pf-wide pf-timeline", &label))))
        (tables::fetches(client, timeline))
    })
}
