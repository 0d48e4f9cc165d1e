//! What every section is made of: headings with an anchor, folds, tables that scroll, places of charts, legends.

use super::charts::{Charts, Spec};
use maud::{Markup, PreEscaped, html};

/// A heading that can be linked to; the id is that of its section.
pub(super) fn heading(level: u8, title: &str, id: &str) -> Markup {
    html! {
        (PreEscaped(format!("<h{level} class=\"pf-heading\">")))
        (title)
        a.pf-anchor href={ "#" (id) } aria-label={ "Link to " (title) } { "#" }
        (PreEscaped(format!("</h{level}>")))
    }
}

/// A section that is folded up; it opens by its id in the address too.
pub(super) fn fold((id, title): (&str, &str), inside: &Markup) -> Markup {
    html! {
        details.pf-fold id=(id) {
            summary { (title) }
            div.pf-inside {
                a.pf-anchor href={ "#" (id) } aria-label={ "Link to " (title) } { "#" }
                (inside)
            }
        }
    }
}

/// A table that scrolls by itself, under a head that stays.
pub(super) fn scrolling(name: &str, table: &Markup) -> Markup {
    html! { div.pf-scroll tabindex="0" role="region" aria-label=(name) { (table) } }
}

/// A fold within a section, with such a table in it.
pub(super) fn table_fold(title: &str, table: &Markup) -> Markup {
    html! { details { summary { (title) } (scrolling(title, table)) } }
}

/// A chart's place, with what a screen reader says instead of it.
pub(super) fn chart(charts: &mut Charts, spec: Spec, (class, label): (&str, &str)) -> Markup {
    let place = charts.add(spec);
    html! { div class={ "pf-chart " (class) } data-pf-chart=(place) role="img" aria-label=(label) {} }
}

/// A title, the unit of the vertical axis and a chart.
pub(super) fn panel((title, note): (&str, &str), unit: &str, chart: &Markup) -> Markup {
    html! {
        figure.pf-panel {
            figcaption { b { (title) } " " (note) }
            p.pf-unit { (unit) }
            (chart)
        }
    }
}

/// Which colour and dashes are what.
pub(super) fn legend(entries: &[(String, String)], bars: Option<&str>) -> Markup {
    html! {
        ul.pf-legend {
            @for (label, style) in entries { li { span.pf-line data-pf-line=(style) {} (label) } }
            @if let Some(words) = bars { li { span.pf-bar {} (words) } }
        }
    }
}
