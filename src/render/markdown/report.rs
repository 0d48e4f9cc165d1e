//! The report as Markdown.

use std::fmt::Write as _;

use super::write::{grid, heading, item, list, paragraph};
use crate::analysis::advice::Recommendation;
use crate::analysis::metric::{Better, Metric};
use crate::analysis::model::{CellReport, Study};
use crate::escape::markdown;
use crate::render::wording::again::next_command;
use crate::render::wording::matrix::{Choose, Row, Shown, Table, legend, shown, tables};
use crate::render::wording::number::{self, Scale, UNKNOWN};
use crate::render::wording::served::WebAnswer;
use crate::render::wording::speed_ups::speed_ups;
use crate::render::wording::{advice, answer, facts, method, others, sections};
use crate::shell;
use crate::units;

/// The report as Markdown, with tables of these metrics in this order.
pub(crate) fn render_markdown(studies: &[Study], metrics: &[Metric]) -> String {
    let mut text = String::from("# parfetch report\n");
    for study in studies {
        render(&mut text, study, metrics);
    }
    text
}

fn render(text: &mut String, study: &Study, metrics: &[Metric]) {
    heading(text, "##", &study.workload.title());
    for (label, parts) in facts::facts(study) {
        item(
            text,
            &format!("**{label}:** {}", markdown(&parts.join(" · "))),
        );
    }
    if let Some(sweeps) = others::other_sweeps(study) {
        item(text, &markdown(&sweeps));
    }
    // The answer comes first.
    for recommendation in &study.recommendations {
        recommend(text, study, recommendation);
    }
    of_web_server(text, study);
    for metric in metrics {
        of_metric(text, study, *metric);
    }
    let mut marks = legend(study, metrics);
    marks.push("– not run or not known".to_owned());
    marks.push("best from: the fewest workers with ~ (the knee)".to_owned());
    let mut legends: Vec<String> = tables(study)
        .iter()
        .filter_map(|table| Some(table.per(study)?.legend(study)))
        .collect();
    legends.dedup();
    marks.extend(legends);
    paragraph(text, &markdown(&marks.join(" · ")));
    paragraph(
        text,
        &format!("Method: {}.", markdown(&method::in_a_line(study))),
    );
    list(
        text,
        "The knee: the fewest workers that are as fast as the fastest",
        &sections::knees(study),
    );
    lines(
        text,
        "What limits each configuration",
        &sections::verdicts(study),
    );
    for found in speed_ups(study) {
        heading(text, "###", &found.title);
        matrix(
            text,
            (&found.table, None),
            (Scale::RATIO, &|cell| found.of(cell)),
        );
    }
    lines(text, "Failures", &sections::failures(study));
    list(text, "Notes", &sections::notes(study));
}

/// Which configuration of a web server answers most requests a second.
fn of_web_server(text: &mut String, study: &Study) {
    let Some(web) = WebAnswer::of(study) else {
        return;
    };
    heading(text, "###", web.title);
    let said = match &web.said {
        Ok(most) => format!("{}. {}", most.headline, most.in_full()),
        Err(nothing) => (*nothing).to_owned(),
    };
    paragraph(text, &markdown(&said));
}

fn of_metric(text: &mut String, study: &Study, asked: Metric) {
    for table in tables(study) {
        let metric = table.metric(asked);
        let lower = if metric.better() == Better::Lower {
            ", lower is better"
        } else {
            ""
        };
        let (scale, name) = table.shown_as(study, metric);
        let programs: Vec<&str> = table
            .programs
            .iter()
            .map(|program| program.name())
            .collect();
        heading(
            text,
            "###",
            &format!(
                "{name}, {}{lower}: median (95 % interval)",
                programs.join(" and ")
            ),
        );
        let cell = |cell: Option<&CellReport>| shown(study, cell, metric);
        let per = table.per(study).map_or("", |per| per.short);
        matrix(text, (&table, Some(per)), (scale, &cell));
    }
}

/// With the knee and its price where there is a unit of it.
fn matrix(
    text: &mut String,
    (table, per): (&Table<'_>, Option<&str>),
    (scale, cell): (Scale, Choose<'_>),
) {
    let mut heads: Vec<String> = ["vCPUs", "GB", "mode"].map(str::to_owned).into();
    if table.with_shards {
        heads.insert(2, "shards".to_owned());
    }
    heads.extend(
        table
            .concurrencies
            .iter()
            .map(|concurrency| format!("×{concurrency}")),
    );
    if let Some(per) = per {
        heads.push("best from".to_owned());
        heads.extend((!per.is_empty()).then(|| markdown(per)));
    }
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            let mut cells = labels(row, table);
            cells.extend(row.cells.iter().map(|found| text_of(&cell(*found), scale)));
            if let Some(per) = per {
                cells.push(
                    row.curve
                        .knee
                        .map_or_else(|| UNKNOWN.to_owned(), |knee| knee.to_string()),
                );
                let usd = || {
                    row.usd
                        .map_or_else(|| UNKNOWN.to_owned(), units::three_digits)
                };
                cells.extend((!per.is_empty()).then(usd));
            }
            cells
        })
        .collect();
    let left = heads.iter().position(|head| head == "mode").unwrap_or(0);
    grid(text, &heads, &rows, left);
}

fn labels(row: &Row<'_>, table: &Table<'_>) -> Vec<String> {
    let (cpu, memory, shards) = row.size();
    let mut labels = vec![number::vcpu(cpu), number::memory(memory)];
    if table.with_shards {
        labels.push(shards.to_string());
    }
    labels.push(markdown(&row.label));
    labels
}

fn text_of(shown: &Shown, scale: Scale) -> String {
    match shown {
        Shown::Nothing => UNKNOWN.to_owned(),
        Shown::Failed => "!".to_owned(),
        Shown::Figure {
            value,
            interval,
            marks,
            is_chosen,
        } => {
            let (value, half) = (
                scale.apply(*value),
                interval.map(|interval| scale.apply(interval.half_width())),
            );
            let decimals = number::decimals(std::iter::once(value), half.into_iter());
            let fixed = |value: f64| units::fixed(number::certain(value, half), decimals);
            let within = interval.map_or_else(String::new, |interval| {
                let ends = [interval.low, interval.high].map(|end| fixed(scale.apply(end)));
                format!(" ({})", ends.join("–"))
            });
            let figure = format!("{}{within}{}", fixed(value), markdown(marks));
            if *is_chosen {
                format!("**{figure}**")
            } else {
                figure
            }
        }
    }
}

fn lines(text: &mut String, title: &str, lines: &[sections::Explanation]) {
    if lines.is_empty() {
        return;
    }
    heading(text, "###", title);
    for line in lines {
        let because = if line.because.is_empty() {
            String::new()
        } else {
            format!(": {}", markdown(&line.because))
        };
        item(
            text,
            &format!(
                "{}: **{}**{because}",
                markdown(&line.who),
                markdown(&line.word)
            ),
        );
    }
}

fn recommend(text: &mut String, study: &Study, recommendation: &Recommendation) {
    let whose = answer::whose(&recommendation.program);
    heading(text, "###", &format!("What to run {whose}"));
    if let Some(because) = recommendation.because.as_ref().map(advice::lack) {
        item(text, &markdown(&because));
    }
    let mut said = None;
    for goal in sections::choices(recommendation) {
        let choice = goal.choice;
        let words = markdown(&advice::choice(study, goal));
        item(text, &format!("**{}:** {words}", goal.title()));
        // A first look is nothing to paste, but the way to more is.
        if let Some(again) = next_command(study, choice) {
            let is_said = said.as_ref() == Some(&again);
            if !is_said {
                item(text, &markdown(&again.what));
                if let Some(line) = &again.line {
                    code(text, std::slice::from_ref(line));
                }
            }
            said = Some(again);
            continue;
        }
        let overrides = choice.run_task_overrides.iter();
        let overrides =
            overrides.map(|overrides| format!("--overrides {}", shell::word(overrides)));
        let variables = Some(sections::environment(choice)).filter(|text| !text.is_empty());
        let lines: Vec<String> = variables.into_iter().chain(overrides).collect();
        if !lines.is_empty() {
            code(text, &lines);
        }
        for faster in others::against_others(study, choice) {
            item(text, &markdown(&faster));
        }
    }
    if let Some(caveat) = advice::caveat(&study.workload) {
        item(text, &markdown(&caveat));
    }
    let rows: Vec<Vec<String>> = sections::pareto(study, recommendation)
        .into_iter()
        .map(|row| row.map(|cell| markdown(&cell)).into())
        .collect();
    if rows.len() > 1 {
        paragraph(
            text,
            "No other configuration is both faster and cheaper than one of these:",
        );
        grid(
            text,
            &sections::pareto_heads(study, recommendation).map(markdown),
            &rows,
            2,
        );
    }
    if recommendation.cheapest.is_some() || recommendation.fastest.is_some() {
        paragraph(text, &format!("({})", markdown(advice::rule(study))));
    }
}

/// Lines to paste, indented below an item, behind a fence that none of them can close.
fn code(text: &mut String, lines: &[String]) {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| crate::escape::terminal(line))
        .collect();
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`'))
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(text, "  {fence}sh").expect("a String takes all");
    for line in lines {
        writeln!(text, "  {line}").expect("a String takes all");
    }
    writeln!(text, "  {fence}").expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::{hostile, sketch};

    #[test]
    fn a_report() {
        insta::assert_snapshot!(render_markdown(&[sketch()], &[Metric::Throughput]));
    }

    #[test]
    fn names_are_text() {
        let text = render_markdown(&[hostile()], &[Metric::Throughput]);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        let (mut is_code, mut columns) = (false, None);
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            for markup in ['<', '[', '*', '`'] {
                let bare = line
                    .replace(&format!("\\{markup}"), "")
                    .replace("**", "")
                    .replace("`~`", "")
                    .replace("`!`", "");
                assert!(
                    is_code || line.trim_start().starts_with("```") || !bare.contains(markup),
                    "{line}"
                );
            }
            // Every row of a table has the columns of its head.
            let count = line
                .starts_with('|')
                .then(|| line.replace("\\|", "").matches('|').count());
            assert!(
                count.is_none() || columns.is_none() || count == columns,
                "{line}"
            );
            columns = count;
        }
        assert!(text.contains("=a\\|b\\<script\\>"), "{text}");
    }

    #[test]
    fn a_fence_is_longer_than_the_backticks_within() {
        let mut text = String::new();
        code(&mut text, &["a ````b".to_owned()]);
        assert_eq!(text, "  `````sh\n  a ````b\n  `````\n");
    }
}
