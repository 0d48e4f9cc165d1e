//! What stands behind the answer, for `--all`: the facts, what limits each configuration, speed-ups, failures, notes, the recommendations in full, and how the
//! figures are made.

use super::answer::to_paste;
use super::matrix;
use super::page::TextPage;
use super::table::{Align, Column, blocks};
use crate::analysis::Metric;
use crate::analysis::advice::Recommendation;
use crate::analysis::model::Study;
use crate::escape::terminal;
use crate::render::wording::{advice, answer, facts, method, sections, selection};

/// Everything, with the tables of these metrics.
pub(super) fn render(page: &mut TextPage<'_>, study: &Study, metrics: &[Metric]) {
    page.section("What was measured");
    for (label, parts) in facts::facts(study) {
        page.fact(
            label,
            &parts.iter().map(|part| terminal(part)).collect::<Vec<_>>(),
        );
    }
    let are_several = study.cells.len() > 1;
    if are_several {
        if study.workload.http.is_none() {
            page.section("The answer in full");
        }
        for recommendation in &study.recommendations {
            recommend(page, study, recommendation);
        }
        if let Some(caveat) = advice::caveat(&study.workload) {
            page.gap();
            page.paragraph("  Note: ", &terminal(&caveat), 4);
        }
        let knees = sections::knees(study);
        lines(
            page,
            "What limits each configuration",
            &sections::verdicts(study),
        );
        if !knees.is_empty() {
            page.gap();
        }
        for knee in knees {
            page.paragraph("  ", &terminal(&knee), 4);
        }
        figures(page, study, metrics);
    }
    lines(page, "Failures", &sections::failures(study));
    let notes = sections::notes(study);
    if !notes.is_empty() {
        page.section("Notes");
    }
    for note in notes {
        page.paragraph("  - ", &terminal(&note), 4);
    }
    page.section("Method");
    page.paragraph("  ", &format!("{}.", method::in_a_line(study)), 2);
    if are_several {
        page.paragraph("  ", matrix::KNEE_RULE, 2);
    }
    let is_any = study
        .recommendations
        .iter()
        .any(|found| found.fastest.is_some());
    if are_several && is_any {
        page.paragraph(
            "  Recommended is: ",
            &format!("{}.", advice::rule(study)),
            2,
        );
    }
}

/// Tables of other metrics and of speed-ups, without those that say nothing.
fn figures(page: &mut TextPage<'_>, study: &Study, metrics: &[Metric]) {
    page.section("Other figures of each configuration");
    let (shown, left_out) = selection::worth_showing(study, metrics);
    for metric in shown {
        matrix::of_metric(page, study, metric);
    }
    matrix::speed_ups(page, study);
    if let Some(left_out) = left_out {
        page.gap();
        page.paragraph("", &terminal(&left_out), 2);
    }
}

fn lines(page: &mut TextPage<'_>, heading: &str, lines: &[sections::Explanation]) {
    if lines.is_empty() {
        return;
    }
    page.section(heading);
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
    let whose = answer::whose(&recommendation.program);
    page.heading(&terminal(&format!("What to run {whose}")));
    if let Some(because) = recommendation.because.as_ref().map(advice::lack) {
        page.paragraph("  ", &terminal(&because), 2);
    }
    for goal in sections::choices(recommendation) {
        let words = format!("{}: {}", goal.title(), advice::choice(study, goal));
        page.paragraph("  ", &terminal(&words), 4);
        to_paste(page, goal.choice);
        if let Some(overrides) = &goal.choice.run_task_overrides {
            page.overrides(overrides);
        }
    }
    let rows = sections::pareto(study, recommendation);
    if rows.len() > 1 {
        page.gap();
        page.line("  No other configuration is both faster and cheaper than one of these:");
        table_of(page, &sections::pareto_heads(study, recommendation), &rows);
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
