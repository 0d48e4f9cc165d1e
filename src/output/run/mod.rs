//! The summary of a run as a person reads it: what happened, what limits it, what to type next, and then the figures, aligned. At most as wide as asked, and
//! in words where colour says something too.

mod answer;
mod figures;
mod limits;
mod next;
mod page;
mod percentiles;
mod price;
mod said;
#[cfg(test)]
mod tests;
mod view;
mod web;

use self::page::RunPage;
pub use self::view::RunView;
use crate::results::summary::Summary;

/// Narrower than this is not tried.
const NARROWEST: usize = 60;

/// The summary, every line with its line end, in lines of at most `width` columns where that is possible; 80 always suffice.
pub fn render_run(summary: &Summary, view: &RunView<'_>) -> String {
    let mut page = RunPage {
        style: view.style,
        width: view.width.max(NARROWEST),
        lines: Vec::new(),
    };
    for said in answer::answer(summary, view) {
        page.say(&said);
    }
    if summary.totals.is_some_and(|totals| totals.rows.sum() > 0) {
        page.lines.push(String::new());
        figures::figures(&mut page, summary);
        page.lines.push(String::new());
    }
    page.results(summary, view.exit_code);
    page.lines.join("\n") + "\n"
}
