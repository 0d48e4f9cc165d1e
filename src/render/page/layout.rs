//! The document: the answer with its picture, the figures of the first client, and folded up behind them everything else.

use super::charts::{ChartLine, Charts, Spec};
use super::types::{Client, ClientRole, PageChoice, PageData, WayCurve};
use super::{assets, client, closing, parts, text::prose};
use crate::escape;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The whole file.
pub(super) fn document(page: &PageData) -> Markup {
    let mut charts = Charts::default();
    let body = html! {
        (header(page))
        main {
            (answer(page, &mut charts))
            @if !page.clients.is_empty() { (client::figures(page, (0, 2), &mut charts)) }
            (details(page, &mut charts))
        }
        footer.pf-foot { p { (page.made_by) } }
    };
    // Markup itself has none of the letters that hide or turn others: they come from outside.
    let body = PreEscaped(escape::terminal(&body.into_string()));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (escape::terminal(&page.title)) }
                style { (PreEscaped(assets::STYLE)) }
                script { (PreEscaped(assets::FIRST)) }
            }
            body {
                (body)
                script type="application/json" id="pf-charts" { (PreEscaped(assets::inline_json(&charts))) }
                script { (PreEscaped(assets::library())) }
                script { (PreEscaped(assets::SCRIPT)) }
            }
        }
    }
}

fn header(page: &PageData) -> Markup {
    html! {
        header.pf-head {
            div.pf-title {
                h1 {
                    span.pf-over { (prose(&page.label)) }
                    span.pf-hidden { ": " }
                    (prose(&page.headline))
                }
                button.pf-theme type="button" id="pf-theme" { "Light / dark" }
            }
            @if !page.measured.is_empty() { p.pf-lead { (prose(&page.measured)) } }
            noscript { p.pf-note { "Charts need JavaScript; every number is in the tables." } }
        }
    }
}

/// What to run, how sure that is, what to paste, and the picture that shows why.
fn answer(page: &PageData, charts: &mut Charts) -> Markup {
    let first = page.clients.first();
    html! {
        section.pf-answer id="answer" aria-label="Answer" {
            div.pf-words {
                @if page.clients.is_empty() { p { "Nothing was measured, so there is nothing to recommend." } }
                @for sentence in &page.sentences { p { (prose(sentence)) } }
                @for (place, choice) in first.into_iter().flat_map(|client| &client.choices).enumerate() { (chosen(choice, (place == 0).then_some(page.caveats.as_slice()))) }
                @if first.is_none_or(|client| client.choices.is_empty()) { (caveats(&page.caveats)) }
                @if !page.others.is_empty() {
                    h2.pf-sub { (page.others_title) }
                    ul.pf-plain { @for other in &page.others { li { (prose(other)) } } }
                }
            }
            @if let Some(client) = first { (client::picture(page, client, charts)) }
        }
    }
}

/// What limits the answer.
fn caveats(caveats: &[String]) -> Markup {
    html! { @for caveat in caveats { p.pf-caveat { (prose(caveat)) } } }
}

/// A choice; the first one is named by the title, and has what limits all of them beside it.
fn chosen(choice: &PageChoice, limits: Option<&[String]>) -> Markup {
    html! {
        @if limits.is_none() { h2.pf-sub { (choice.label) ": " (prose(&choice.headline)) } }
        p.pf-takes[limits.is_some()] { (prose(&choice.takes)) }
        @if !choice.sure.is_empty() { p.pf-sure { (sure(&choice.sure)) } }
        @for sentence in &choice.sentences { p.pf-more { (prose(sentence)) } }
        @if let Some(limits) = limits { (caveats(limits)) }
        @for snippet in &choice.snippets {
            div.pf-snippet {
                p.pf-label { (snippet.label) }
                pre { code { (words(&snippet.text)) } }
            }
        }
    }
}

/// Longer words are broken anywhere.
const SHORT_WORD: usize = 48;

/// A line to paste, which a narrow page breaks between words: no flag is parted from its dashes.
fn words(text: &str) -> Markup {
    html! {
        @for (place, word) in text.split(' ').enumerate() {
            @if place > 0 { " " }
            @if word.chars().count() <= SHORT_WORD { span.pf-word { (word) } } @else { (word) }
        }
    }
}

/// The word in bold: `Sure: nothing measured …`, `Likely (80 %): …`.
fn sure(sentence: &str) -> Markup {
    let words = ["Sure", "Likely", "Not sure"];
    let said = words
        .into_iter()
        .find(|word| sentence.starts_with(word))
        .unwrap_or_default();
    html! { @if !said.is_empty() { b { (said) } } (prose(&sentence[said.len()..])) }
}

/// Everything that is not needed at once, folded up.
fn details(page: &PageData, charts: &mut Charts) -> Markup {
    html! {
        section id="details" {
            (parts::heading(2, "Details", "details"))
            @if !page.way.is_empty() {
                (parts::fold(("way", "Every step of the tune"), &html! {
                    @for curve in &page.way_curves { (way(curve, charts)) }
                    ol.pf-plain { @for step in &page.way { li { (prose(step)) } } }
                }))
            }
            @if let Some(first) = page.clients.first() { (client::details(page, (0, first), charts)) }
            @for (index, client) in page.clients.iter().enumerate().skip(1) {
                (parts::fold((&client_id(index), &client_title(client)), &html! {
                    @if !client.about.is_empty() { p.pf-lead { (client.about) } }
                    @if let Some(because) = &client.because { p { (prose(because)) } }
                    @for choice in &client.choices { (chosen(choice, None)) }
                    (client::figures(page, (index, 3), charts))
                    (client::priced(page, client, charts))
                    (client::details(page, (index, client), charts))
                }))
            }
            (closing::closing(page))
        }
    }
}

/// What a tune measured and, dashed, what it expected.
fn way(curve: &WayCurve, charts: &mut Charts) -> Markup {
    let lines = curve.lines.iter().map(|line| ChartLine {
        label: line.label.clone(),
        style: line.style.clone(),
        named: false,
        points: line.points.clone(),
    });
    let spec = Spec::Lines {
        x: curve.workers.iter().map(u32::to_string).collect(),
        titles: curve
            .workers
            .iter()
            .map(|workers| format!("{workers} workers"))
            .collect(),
        x_name: "workers",
        lines: lines.collect(),
    };
    let entries: Vec<(String, String)> = curve
        .lines
        .iter()
        .map(|line| (line.label.clone(), line.style.clone()))
        .collect();
    let chart = parts::chart(charts, spec, ("pf-tall", &curve.title));
    html! {
        (parts::panel((&curve.title, ""), curve.unit, &chart))
        (parts::legend(&entries, None))
        @if !curve.left_out.is_empty() {
            p { "What was left out, and why:" }
            ul.pf-plain { @for one in &curve.left_out { li { (prose(one)) } } }
        }
    }
}

fn client_id(index: usize) -> String {
    format!("client-{index}")
}

/// `Client sdk`
fn client_title(client: &Client) -> String {
    let kind = if client.role == ClientRole::Contender {
        "Program"
    } else {
        "Client"
    };
    format!("{kind} {}", client.name)
}
