//! The answer at the top of the page, and what closes it: caveats, notes, limits, facts.

use super::super::types::{Fact, PageData};
use super::part::{PartKey, programs};
use super::way;
use crate::analysis::{CellReport, Metric, Recommendation, Study};
use crate::render::wording::sentence::sentence;
use crate::render::wording::served::WebAnswer;
use crate::render::wording::{
    advice, answer, facts, notes, number, others, sections, single, tune, tune_served, tune_steps,
};
use crate::results::tune::TuneDocument;
use crate::units;

/// The page without its clients.
pub(super) fn head(study: &Study) -> PageData {
    let source = study.workload.title();
    let first = programs(study)
        .into_iter()
        .next()
        .and_then(|program| of_program(study, program));
    let mut page = match study.cells.as_slice() {
        [report] => of_one(study, report),
        _ => PageData {
            measured: format!("{source} · {}", answer::what_was_measured(study)),
            others: others(study),
            ..of_several(study, first)
        },
    };
    if let Some(document) = &study.facts.tune {
        let added = others::added(study).into_iter();
        page = PageData {
            others_title: others::ADDED.to_owned(),
            others: added.map(|found| others::in_a_line(study, found)).collect(),
            ..of_tune(study, document, page)
        };
    }
    page.title = format!("{}: {}", page.label, page.headline);
    // A single configuration has said so already.
    let clocks = if study.cells.len() > 1 {
        facts::clocks(study)
    } else {
        Vec::new()
    };
    page.caveats = others::other_sweeps(study)
        .into_iter()
        .chain(answer::elsewhere(&study.workload).map(str::to_owned))
        .chain(notes::own_times(study))
        .chain(clocks.iter().map(|note| sentence(note)))
        .collect();
    page.caveats
        .extend(answer::on_fargate(&study.workload).map(|line| format!("`{line}`")));
    page.cautions = notes::cautions(study);
    page.limits = sections::verdicts(study);
    page.failures = sections::failures(study);
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

fn of_program<'a>(study: &'a Study, key: PartKey<'_>) -> Option<&'a Recommendation> {
    study
        .recommendations
        .iter()
        .find(|found| (&found.program, &found.factors) == key)
}

fn why_nothing(first: Option<&Recommendation>) -> Vec<String> {
    first
        .and_then(|found| found.because.as_ref())
        .map(|because| sentence(&advice::lack(because)))
        .into_iter()
        .collect()
}

/// What stands above the answer, and the answer.
fn of_several(study: &Study, first: Option<&Recommendation>) -> PageData {
    let source = study.workload.title();
    if let Some(web) = WebAnswer::of(study) {
        return of_web_server(web, &source);
    }
    let goal = first.and_then(|found| Some((found, sections::choices(found).into_iter().next()?)));
    let Some((found, goal)) = goal else {
        return PageData {
            label: source,
            headline: "nothing to recommend".to_owned(),
            sentences: why_nothing(first),
            ..PageData::default()
        };
    };
    let whose = answer::whose(&found.program);
    PageData {
        label: format!("{} {whose} · {source}", goal.title()),
        headline: answer::chosen(study, goal.choice),
        sentences: why_nothing(first),
        others_title: others::others_title(study).to_owned(),
        ..PageData::default()
    }
}

/// A tune has its own answer: that of its first program, or of the fastest server.
fn of_tune(study: &Study, document: &TuneDocument, page: PageData) -> PageData {
    let Some(first) = tune_served::first(document) else {
        return page;
    };
    let words = tune::answer(first, document);
    PageData {
        label: format!("{} · {}", words.label, study.workload.title()),
        headline: words.headline,
        sentences: tune_served::best(document).into_iter().collect(),
        way: tune_steps::way(document),
        way_curves: way::curves(document),
        ..page
    }
}

/// Which configuration of a web server answers most requests a second.
fn of_web_server(web: WebAnswer, source: &str) -> PageData {
    let (headline, sentences) = match web.said {
        Ok(most) => (most.headline, most.sentences),
        Err(nothing) => (nothing.to_owned(), Vec::new()),
    };
    PageData {
        label: format!("{} · {source}", web.title),
        headline,
        sentences,
        ..PageData::default()
    }
}

/// A single configuration has no answer but its own figures.
fn of_one(study: &Study, report: &CellReport) -> PageData {
    let source = study.workload.title();
    let metric = if report.is_timed_alone() {
        Metric::FetchTime
    } else {
        study.workload.rate()
    };
    let rate = report.figure(metric).map_or_else(
        || "no run ended well".to_owned(),
        |figure| match metric {
            Metric::RequestsPerS => format!("{} requests/s", units::three_digits(figure.median)),
            Metric::FetchTime => format!("{} a run", number::time(figure.median)),
            _ => units::rate(figure.median),
        },
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
        .map(|found| others::in_a_line(study, found))
        .collect()
}
