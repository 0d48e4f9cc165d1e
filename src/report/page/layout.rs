//! The document: head, title and facts, recommendations, the clients' sections, and what closes the page.

use super::types::{Client, Fact, PageData, Role};
use super::{assets, charts::Charts, client};
use crate::escape;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The whole file.
pub(super) fn document(page: &PageData) -> Markup {
    let mut charts = Charts::default();
    let body = html! {
        (header(page))
        main {
            (recommendations(page))
            @for index in 0..page.clients.len() { (client::sections(page, index, &mut charts)) }
            (closing(page))
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
                script { (PreEscaped(assets::LIBRARY)) }
                script { (PreEscaped(assets::SCRIPT)) }
            }
        }
    }
}

fn header(page: &PageData) -> Markup {
    html! {
        header.pf-head {
            div.pf-title {
                div {
                    h1 { (page.title) }
                    @if !page.subtitle.is_empty() { p.pf-lead { (page.subtitle.join(" · ")) } }
                }
                button.pf-theme type="button" id="pf-theme" { "Light / dark" }
            }
            @if !page.facts.is_empty() { dl.pf-facts { (facts(&page.facts)) } }
            @if !page.cautions.is_empty() { ul.pf-cautions { @for caution in &page.cautions { li { (caution) } } } }
            noscript { p.pf-note { "Charts need JavaScript; every number is in the tables." } }
        }
    }
}

fn facts(facts: &[Fact]) -> Markup {
    html! { @for fact in facts { div { dt { (fact.label) } dd { (fact.value) } } } }
}

fn recommendations(page: &PageData) -> Markup {
    html! {
        section.pf-advice {
            h2 { "Recommendation" }
            @if page.clients.is_empty() {
                p.pf-lead { "Nothing was measured, so there is nothing to recommend." }
            }
            @for client in &page.clients { (recommendation(client)) }
            @if page.clients.len() > 1 {
                nav.pf-nav aria-label="Clients" {
                    @for (index, client) in page.clients.iter().enumerate() {
                        a href={ "#pf-client-" (index) } { (kind(client)) " " (client.name) }
                    }
                    a href="#pf-how" { "How it was measured" }
                }
            }
        }
    }
}

fn kind(client: &Client) -> &'static str {
    match client.role {
        Role::Own => "Client",
        Role::Contender => "Contender",
    }
}

fn recommendation(client: &Client) -> Markup {
    let advice = &client.recommendation;
    html! {
        article.pf-card {
            p.pf-who { (kind(client)) " " b { (client.name) } }
            h3 { (advice.headline) }
            @for sentence in &advice.sentences { p { (sentence) } }
            @if !advice.snippets.is_empty() {
                div.pf-snippets {
                    @for snippet in &advice.snippets {
                        div.pf-snippet {
                            p.pf-label { (snippet.label) }
                            pre { code { (snippet.text) } }
                        }
                    }
                }
            }
        }
    }
}

fn closing(page: &PageData) -> Markup {
    html! {
        section.pf-client id="pf-how" {
            h2 { "How it was measured" }
            @if !page.warnings.is_empty() {
                section { h3 { "Warnings" } ul.pf-list { @for warning in &page.warnings { li { (warning) } } } }
            }
            @for (title, list) in [("Settings", &page.settings), ("Environment", &page.environment)] {
                @if !list.is_empty() { section { h3 { (title) } dl.pf-facts { (facts(list)) } } }
            }
            @if !page.method.is_empty() { section { h3 { "Method" } @for paragraph in &page.method { p.pf-prose { (paragraph) } } } }
        }
    }
}
