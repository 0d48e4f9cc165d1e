//! What closes the page, folded up: what limits each configuration, failures, notes, facts and the method.

use super::parts::fold;
use super::text::prose;
use super::types::PageData;
use crate::render::wording::sections::Explanation;
use maud::{Markup, html};

/// All of it; what has nothing to say is left out.
pub(super) fn closing(page: &PageData) -> Markup {
    html! {
        @for (id, title, list) in [("limits", "What limits each configuration", &page.limits), ("failures", "Failed runs", &page.failures)] {
            @if !list.is_empty() { (fold((id, title), &lines(list))) }
        }
        @if !page.warnings.is_empty() {
            (fold(("notes", "Notes and warnings of the runs"), &html! { ul.pf-list { @for warning in &page.warnings { li { (prose(warning)) } } } }))
        }
        @if !page.facts.is_empty() {
            (fold(("facts", "What was measured"), &html! {
                dl.pf-facts { @for fact in &page.facts { div { dt { (fact.label) } dd { (prose(&fact.value)) } } } }
            }))
        }
        @if !page.method.is_empty() {
            (fold(("method", "How the figures are made"), &html! { @for paragraph in &page.method { p.pf-prose { (prose(paragraph)) } } }))
        }
    }
}

fn lines(list: &[Explanation]) -> Markup {
    html! {
        ul.pf-list {
            @for line in list {
                li { b { (prose(&line.who)) } ": " (prose(&line.word)) @if !line.because.is_empty() { " (" (prose(&line.because)) ")" } }
            }
        }
    }
}
