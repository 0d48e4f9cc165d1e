//! What stands behind the answer, for `--all`: the facts, what limits each configuration, speed-ups, failures, notes, the recommendations in full, and how the
//! figures are made.

use super::answer::to_paste;
use super::matrix;
use super::page::TextPage;
use super::table::{Align, Column, blocks};
use crate::analysis::advice::Recommendation;
use crate::analysis::model::Study;
use crate::escape::terminal;
use crate::render::wording::{advice, answer, facts, method, sections};
use crate::shell;

/// Everything.
pub(super) fn render(page: &mut TextPage<'_>, study: &Study) {
    page.heading("What was measured");
    for (label, parts) in facts::facts(study) {
        page.fact(
            label,
            &parts.iter().map(|part| terminal(part)).collect::<Vec<_>>(),
        );
    }
    let are_several = study.cells.len() > 1;
    if are_several {
        for recommendation in &study.recommendations {
            recommend(page, study, recommendation);
        }
        page.list(
            "The knee: the fewest workers that are as fast as the fastest",
            &sections::knees(study),
        );
        lines(
            page,
            "What limits each configuration",
            &sections::verdicts(study),
        );
        matrix::speed_ups(page, study);
    }
    lines(page, "Failures", &sections::failures(study));
    page.list("Notes", &sections::notes(study));
    page.heading("Method");
    page.paragraph("  ", &format!("{}.", method::in_a_line(study)), 2);
    if are_several {
        page.paragraph("  ", matrix::KNEE_RULE, 2);
    }
    let is_any = study
        .recommendations
        .iter()
        .any(|found| found.fastest.is_some());
    if are_several && is_any {
        page.paragraph("  Recommended is: ", &format!("{}.", advice::RULE), 2);
    }
}

fn lines(page: &mut TextPage<'_>, heading: &str, lines: &[sections::Explanation]) {
    if lines.is_empty() {
        return;
    }
    page.heading(heading);
    for line in lines {
        let because = if line.because.is_empty() {
            String::new()
        } else {
            format!(" ({})", line.because)
        };
        page.paragraph(
            "  ",
            &terminal(&format!("{}: {}{because}", line.who, line.word)),
            4,
        );
    }
}

fn recommend(page: &mut TextPage<'_>, study: &Study, recommendation: &Recommendation) {
    page.heading(&terminal(&format!(
        "Recommendation ({})",
        answer::program(&recommendation.program)
    )));
    if let Some(because) = recommendation.because.as_ref().map(advice::lack) {
        page.paragraph("  ", &terminal(&because), 2);
    }
    for (label, choice) in sections::choices(recommendation) {
        page.paragraph(
            "  ",
            &terminal(&format!("{label}: {}", advice::choice(study, choice))),
            4,
        );
        to_paste(page, choice);
        if let Some(overrides) = &choice.run_task_overrides {
            page.line(format!(
                "  --overrides {}",
                terminal(&shell::word(overrides))
            ));
        }
    }
    if let Some(caveat) = advice::caveat(&study.workload) {
        page.paragraph("  Note: ", &terminal(&caveat), 4);
    }
    let rows = sections::pareto(study, recommendation);
    if rows.len() > 1 {
        page.gap();
        page.line("  Not beaten in both time and price:");
        table_of(page, &sections::PARETO, &rows);
    }
}

/// A small table, indented; its third column is words.
fn table_of<const N: usize>(page: &mut TextPage<'_>, heads: &[&str; N], rows: &[[String; N]]) {
    let column = |(place, head): (usize, &&str)| {
        let align = if place == 2 {
            Align::Left
        } else {
            Align::Right
        };
        Column::of(head, align, rows.iter().map(|row| row[place].clone()))
    };
    let columns: Vec<Column> = heads.iter().enumerate().map(column).collect();
    for line in blocks(&columns, &[], &[], page).concat() {
        page.line(format!("    {line}"));
    }
}
