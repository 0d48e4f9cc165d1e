//! The report in a terminal: the answer, the matrix, and behind them everything else where it is asked for. 80 columns suffice; wider terminals get the same
//! in fewer lines.
//!
//! Renders words that `wording` chose; owns their layout. Writes nothing: text comes back, painted by the caller's function.

mod answer;
mod matrix;
mod page;
mod rest;
mod single;
mod table;
#[cfg(test)]
mod tests;

use super::wording::facts;
use crate::analysis::metric::Metric;
use crate::analysis::model::Study;
use crate::escape::terminal;
pub(super) use page::Page;
pub(super) use table::{Align, Column, Text, blocks};

/// What a piece of text means; without colour nothing of it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The best of its program and size.
    Best,
    /// Failed.
    Failed,
    /// A heading.
    Heading,
}

/// Puts the escapes of a meaning around a text, or leaves it as it is.
pub type Paint<'a> = &'a dyn Fn(Role, &str) -> String;

/// How a report is shown.
pub struct View<'a> {
    /// Columns of the terminal; 80 where there is none.
    pub width: usize,
    /// Tables to show, in this order.
    pub metrics: &'a [Metric],
    /// Colours.
    pub paint: Paint<'a>,
    /// Whether [`Role::Best`] can be seen.
    pub emphasis: Emphasis,
    /// How much is shown.
    pub extent: Extent,
    /// The command that shows everything.
    pub in_full: &'a str,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The answer and the matrix.
    Answer,
    /// Everything.
    All,
}

/// Whether bold text is bold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// The legend explains it.
    Seen,
    /// There is none to explain.
    Unseen,
}

/// The report as text, each line with its end.
pub fn render_text(studies: &[Study], view: &View<'_>) -> String {
    let mut page = Page::new(view.width, view.paint);
    for (number, study) in studies.iter().enumerate() {
        page.gap();
        render(&mut page, study, (number + 1, studies.len()), view);
    }
    if view.extent == Extent::Answer && !studies.is_empty() {
        page.gap();
        let are_single = studies.iter().all(|study| study.cells.len() == 1);
        page.line(if are_single {
            "All figures, notes and the method:"
        } else {
            "What limits each configuration, failures, notes and the method:"
        });
        page.line(format!("  {}", terminal(view.in_full)));
    }
    page.finish()
}

fn render(page: &mut Page<'_>, study: &Study, (number, of): (usize, usize), view: &View<'_>) {
    let title = terminal(&facts::source(&study.workload));
    page.heading(&if of > 1 {
        format!("Study {number} of {of}: {title}")
    } else {
        title
    });
    if let [report] = study.cells.as_slice() {
        single::render(page, (study, report), view);
    } else {
        answer::render(page, study);
        for metric in view.metrics {
            matrix::of_metric(page, study, *metric);
        }
        page.gap();
        matrix::legend(page, study, view);
    }
    if view.extent == Extent::All {
        rest::render(page, study);
    }
}
