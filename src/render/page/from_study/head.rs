//! The answer at the top of the page, and what closes it: caveats, notes, limits, facts.

use super::super::types::{Fact, Line, PageData};
use super::programs;
use super::words::sentence;
use crate::analysis::{CellReport, Metric, Recommendation, Study};
use crate::cell::Program;
use crate::render::wording::{answer, facts, sections, single};
use crate::units;

/// Beginnings of the model's notes that say how prices and tests are made, not what limits the numbers.
const ABOUT_PRICES: [&str; 2] = ["prices ", "through a NAT"];
const ABOUT_TESTS: &str = "tests hold";
/// Notes on prices that there are not: the place of the price says so.
const NO_PRICE: &str = "no price";

/// The page without its clients.
pub(super) fn head(study: &Study) -> PageData {
    let source = facts::source(&study.workload);
    let first = programs(study)
        .into_iter()
        .next()
        .and_then(|program| of_program(study, program));
    let mut page = match study.cells.as_slice() {
        [report] => of_one(study, report),
        _ => PageData {
            measured: format!("{source} · {}", answer::what_was_measured(study)),
            sentences: first
                .and_then(|found| found.because.as_deref())
                .map(sentence)
                .into_iter()
                .collect(),
            others: others(study),
            ..of_several(study, first)
        },
    };
    page.title = format!("{}: {}", page.label, page.headline);
    // A single configuration has said so already.
    let clocks = if study.cells.len() > 1 {
        facts::clocks(study)
    } else {
        Vec::new()
    };
    page.caveats = answer::elsewhere(&study.workload)
        .map(str::to_owned)
        .into_iter()
        .chain(clocks.iter().map(|note| sentence(note)))
        .collect();
    page.caveats
        .extend(answer::on_fargate(&study.workload).map(|line| format!("`{line}`")));
    page.cautions = study
        .notes
        .iter()
        .filter(|note| !is_how(note))
        .map(|note| sentence(note))
        .collect();
    page.limits = sections::verdicts(study).into_iter().map(line).collect();
    page.failures = sections::failures(study).into_iter().map(line).collect();
    page.warnings = sections::notes(study)
        .iter()
        .skip(study.notes.len())
        .map(|note| sentence(note))
        .collect();
    page.facts = facts::facts(study)
        .into_iter()
        .map(|(label, parts)| Fact {
            label: label.to_owned(),
            value: parts.join(" · "),
        })
        .collect();
    page
}

fn line(line: sections::Line) -> Line {
    Line {
        who: line.who,
        word: line.word,
        because: line.because,
    }
}

fn of_program<'a>(study: &'a Study, program: &Program) -> Option<&'a Recommendation> {
    study
        .recommendations
        .iter()
        .find(|found| found.program == *program)
}

/// What stands above the answer, and the answer.
fn of_several(study: &Study, first: Option<&Recommendation>) -> PageData {
    let source = facts::source(&study.workload);
    let choice = first.and_then(|found| sections::choices(found).into_iter().next());
    let Some((label, choice)) = choice else {
        return PageData {
            label: source,
            headline: "nothing to recommend".to_owned(),
            ..PageData::default()
        };
    };
    let label = match &choice.first_look {
        Some(_) => format!("A first look: {} for {source}", label.to_lowercase()),
        None => format!("{label} for {source}"),
    };
    PageData {
        label,
        headline: answer::chosen(study, choice),
        ..PageData::default()
    }
}

/// A single configuration has no answer but its own figures.
fn of_one(study: &Study, report: &CellReport) -> PageData {
    let source = facts::source(&study.workload);
    let rate = report.figure(Metric::Throughput).map_or_else(
        || "no run ended well".to_owned(),
        |figure| units::rate(figure.median),
    );
    let workers = sections::factors(
        report.cell.mode,
        report.cell.concurrency,
        report.cell.shards,
    );
    let mut sentences = single::sentences(study, report);
    sentences.push(single::what_it_cannot_say(report));
    PageData {
        label: source,
        headline: format!("{rate} with {workers}"),
        measured: single::what_was_run(study, report),
        sentences,
        ..PageData::default()
    }
}

/// Programs beside the first, a line each.
fn others(study: &Study) -> Vec<String> {
    let rest = programs(study).into_iter().skip(1);
    rest.filter_map(|program| of_program(study, program))
        .map(|found| answer::in_a_line(study, found))
        .collect()
}

fn is_how(note: &str) -> bool {
    note.starts_with(ABOUT_TESTS)
        || note.starts_with(NO_PRICE)
        || ABOUT_PRICES
            .iter()
            .any(|beginning| note.starts_with(beginning))
}

/// Notes of the study on how its prices and tests are made.
pub(super) fn how(study: &Study) -> (Vec<String>, Vec<String>) {
    let notes = study.notes.iter().filter(|note| is_how(note));
    let (tests, prices): (Vec<&String>, Vec<&String>) =
        notes.partition(|note| note.starts_with(ABOUT_TESTS));
    let sentences = |notes: Vec<&String>| notes.into_iter().map(|note| sentence(note)).collect();
    (sentences(tests), sentences(prices))
}
