//! The report in a terminal: matrix, verdicts, what to run. 80 columns suffice; wider terminals get the same in fewer lines.
//!
//! Renders words that `wording` chose; owns their layout. Writes nothing: text comes back, painted by the caller's function.

mod matrix;
mod page;
mod table;
#[cfg(test)]
mod tests;

use super::advice::Recommendation;
use super::metric::Metric;
use super::model::Study;
use super::wording::{facts, sections};
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
    /// To be read with care.
    Caution,
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
    page.finish()
}

fn render(page: &mut Page<'_>, study: &Study, (number, of): (usize, usize), view: &View<'_>) {
    let title = terminal(&facts::source(&study.workload));
    page.heading(&if of > 1 { format!("Study {number} of {of}: {title}") } else { title });
    for (label, parts) in facts::facts(study) {
        page.fact(label, &parts.iter().map(|part| terminal(part)).collect::<Vec<_>>());
    }
    for metric in view.metrics {
        matrix::of_metric(page, study, *metric);
    }
    page.gap();
    matrix::legend(page, study, view);
    page.paragraph("method: ", &facts::method(study), 2);
    list(page, "Knees", &sections::knees(study));
    lines(page, "Verdicts", &sections::verdicts(study));
    matrix::speed_ups(page, study);
    lines(page, "Failures", &sections::failures(study));
    list(page, "Notes", &sections::notes(study));
    for recommendation in &study.recommendations {
        recommend(page, study, recommendation);
    }
    let mut rules: Vec<&str> = study.recommendations.iter().filter(|found| found.fastest.is_some()).map(|found| found.rule).collect();
    rules.dedup();
    for rule in rules {
        page.gap();
        page.paragraph("rule: ", rule, 2);
    }
}

/// Sentences below a heading; nothing where there are none.
fn list(page: &mut Page<'_>, heading: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    page.heading(heading);
    for sentence in sentences {
        page.paragraph("  - ", &terminal(sentence), 4);
    }
}

fn lines(page: &mut Page<'_>, heading: &str, lines: &[sections::Line]) {
    if lines.is_empty() {
        return;
    }
    page.heading(heading);
    for line in lines {
        let because = if line.because.is_empty() { String::new() } else { format!(" ({})", line.because) };
        page.paragraph("  ", &terminal(&format!("{}: {}{because}", line.who, line.word)), 4);
    }
}

fn recommend(page: &mut Page<'_>, study: &Study, recommendation: &Recommendation) {
    let program = recommendation.program.name();
    let what = if recommendation.program.is_parfetch() { "client" } else { "contender" };
    page.heading(&terminal(&format!("Recommendation ({what} {program})")));
    if let Some(because) = &recommendation.because {
        page.paragraph("  ", &terminal(because), 2);
    }
    for (label, choice) in sections::choices(recommendation) {
        page.paragraph("  ", &terminal(&format!("{label}: {}", choice.words)), 4);
        // To be pasted: never broken.
        page.line(format!("    {}", terminal(&sections::environment(choice))));
        if let Some(overrides) = &choice.run_task_overrides {
            page.line(format!("    --overrides {}", terminal(&sections::shell(overrides))));
        }
    }
    if let Some(caveat) = &recommendation.caveat {
        page.paragraph("  note: ", &terminal(caveat), 4);
    }
    let rows = sections::pareto(study, recommendation);
    if rows.len() > 1 {
        page.gap();
        page.line("  Not beaten in both time and price:");
        table_of(page, &sections::PARETO, &rows);
    }
}

/// A small table, indented; its third column is words.
fn table_of<const N: usize>(page: &mut Page<'_>, heads: &[&str; N], rows: &[[String; N]]) {
    let column = |(place, head): (usize, &&str)| {
        let align = if place == 2 { Align::Left } else { Align::Right };
        Column::of(head, align, rows.iter().map(|row| row[place].clone()))
    };
    let columns: Vec<Column> = heads.iter().enumerate().map(column).collect();
    for line in blocks(&columns, &[], &[], page).concat() {
        page.line(format!("    {line}"));
    }
}
