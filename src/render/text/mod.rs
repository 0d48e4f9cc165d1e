//! The report in a terminal: the answer, the matrix, and behind them everything else where it is asked for. 80 columns suffice; wider terminals get the same
//! in fewer lines.
//!
//! Renders words that `wording` chose; owns their layout. Writes nothing: text comes back, painted by the caller's function.

mod answer;
mod comparison;
mod matrix;
mod page;
mod rest;
mod single;
mod table;
#[cfg(test)]
mod tests;
mod tune;
mod view;

use crate::analysis::{Comparison, Study};
use crate::escape::terminal;
use crate::render::form::{Extent, Names, ReportForm, ReportScope};
use page::TextPage;
pub use tune::{tune_answer, tune_step};
pub(crate) use view::View;
pub use view::{Paint, Role};

/// Lines for a terminal.
pub struct Terminal<'a> {
    /// Its columns; 80 where there is none.
    pub width: usize,
    /// Colours.
    pub paint: Paint<'a>,
}

impl ReportForm for Terminal<'_> {
    fn report(&self, studies: &[Study], asked: &ReportScope<'_>) -> String {
        let view = View {
            width: self.width,
            metrics: asked.metrics,
            paint: self.paint,
            extent: asked.extent,
            in_full: asked.in_full,
        };
        render_text(studies, &view)
    }

    fn comparison(&self, comparison: &Comparison, names: Names<'_>) -> String {
        comparison::render_comparison_text(comparison, names, self.width, self.paint)
    }
}

/// The report as text, each line with its end.
pub(crate) fn render_text(studies: &[Study], view: &View<'_>) -> String {
    let mut page = TextPage::new(view.width, view.paint);
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

fn render(page: &mut TextPage<'_>, study: &Study, (number, of): (usize, usize), view: &View<'_>) {
    let title = terminal(&study.workload.title());
    page.heading(&if of > 1 {
        format!("{number} of {of}: {title}")
    } else {
        title
    });
    if let [report] = study.cells.as_slice() {
        single::render(page, (study, report), view);
        if view.extent == Extent::All {
            rest::render(page, study, &[]);
        }
        return;
    }
    answer::render(page, study);
    // With everything else the other tables have a section of their own.
    let first = match view.extent {
        Extent::Answer => view.metrics.len(),
        Extent::All => 1,
    };
    let (first, others) = view.metrics.split_at(first.min(view.metrics.len()));
    for metric in first {
        matrix::of_metric(page, study, *metric);
    }
    page.gap();
    matrix::legend(page, study, first);
    if view.extent == Extent::All {
        rest::render(page, study, others);
    }
}
