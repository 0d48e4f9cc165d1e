//! What to run, to paste; the front, and what predictions rest on. The words are `wording`'s.

use super::super::types::{self, PagePrediction, Snippet};
use super::part::ProgramPart;
use super::words;
use crate::analysis::{CellReport, Choice};
use crate::render::wording::sections::LabelledChoice;
use crate::render::wording::{answer, others, prediction, sections, tune, tune_steps};
use crate::results::tune::{ProgramAnswer, TuneDocument};
use crate::shell;

/// Cheapest and fastest, or both in one; the second in brief, since most of it has been said of the first.
pub(super) fn choices(part: &ProgramPart<'_>) -> Vec<types::PageChoice> {
    let document = part.study.facts.tune.as_deref();
    let tuned = document.and_then(|document| {
        let mut answers = document.answers.iter();
        let answer = answers.find(|answer| answer.is_of(part.program, part.factors))?;
        Some(tuned(answer, document))
    });
    if let Some(tuned) = tuned {
        return vec![tuned];
    }
    // A single configuration has no answer but its own figures, and they are said.
    let found = part.recommendation().filter(|_| part.study.cells.len() > 1);
    let Some(found) = found else {
        return Vec::new();
    };
    let one = |(number, goal): (usize, LabelledChoice<'_>)| {
        let said = if number == 0 {
            answer::in_full(part.study, goal)
        } else {
            answer::in_brief(part.study, goal)
        };
        let mut sentences = said.rest;
        sentences.extend(others::against_others(part.study, goal.choice));
        let mut next = Vec::new();
        if let Some(again) = said.again {
            // What it says stands above the line.
            match again.line {
                Some(text) => next.push(Snippet {
                    label: again.what,
                    text,
                }),
                None => sentences.push(again.what),
            }
        }
        let overrides = goal.choice.run_task_overrides.as_ref();
        let overrides = overrides.filter(|_| number == 0);
        next.extend(snippets(goal.choice, overrides));
        types::PageChoice {
            label: goal.title(),
            headline: answer::chosen(part.study, goal.choice),
            takes: said.takes,
            sure: said.sure,
            sentences,
            snippets: next,
        }
    };
    sections::choices(found)
        .into_iter()
        .enumerate()
        .map(one)
        .collect()
}

/// The answer of a tune.
fn tuned(answer: &ProgramAnswer, document: &TuneDocument) -> types::PageChoice {
    let words = tune::answer(answer, document);
    let mut sentences = words.sentences.into_iter();
    let snippet = |label: &str, text: String| Snippet {
        label: label.to_owned(),
        text,
    };
    let is_first = document.answers.first() == Some(answer);
    let overrides = words.overrides.map(|text| {
        snippet(
            "Fargate task",
            format!("--overrides {}", shell::word(&text)),
        )
    });
    types::PageChoice {
        label: words.label,
        headline: words.headline,
        takes: sentences.next().unwrap_or_default(),
        sure: sentences.next().unwrap_or_default(),
        sentences: sentences
            .chain(is_first.then(|| tune_steps::effort(document)))
            .collect(),
        snippets: words
            .line
            .map(|line| snippet("Environment", line))
            .into_iter()
            .chain(overrides)
            .collect(),
    }
}

/// The variables, and what `RunTask` takes; that is long, so once. A first look is nothing to paste.
fn snippets(choice: &Choice, overrides: Option<&String>) -> Vec<Snippet> {
    if choice.first_look.is_some() {
        return Vec::new();
    }
    let overrides = overrides.map(|text| Snippet {
        label: "Fargate task".to_owned(),
        text: format!("--overrides {}", shell::word(text)),
    });
    let environment = Snippet {
        label: "Environment".to_owned(),
        text: sections::environment(choice),
    };
    Some(environment)
        .filter(|snippet| !snippet.text.is_empty())
        .into_iter()
        .chain(overrides)
        .collect()
}

/// Cells that no other beats in predicted time and price of the whole bucket, cheapest first, by the page's count.
pub(super) fn front(part: &ProgramPart<'_>) -> Vec<usize> {
    // The model has the fastest first, and along the front the slower cell is the cheaper one.
    let found = part
        .recommendation()
        .map_or(&[][..], |found| sections::front(part.study, found));
    found
        .iter()
        .rev()
        .filter_map(|place| part.places.iter().position(|own| own == place))
        .collect()
}

/// Whether one run over the whole bucket is done before its first minute is over, which is billed.
pub(super) fn is_minimum(report: &CellReport) -> bool {
    let cost = report
        .prediction
        .as_ref()
        .and_then(|found| found.cost.as_ref());
    cost.is_some_and(|cost| cost.is_minimum)
}

/// The cells of the front, and what is recommended besides.
pub(super) fn predictions(part: &ProgramPart<'_>) -> Vec<PagePrediction> {
    let Some(found) = part.recommendation() else {
        return Vec::new();
    };
    let mut places: Vec<usize> = Vec::new();
    let chosen = [&found.cheapest, &found.fastest]
        .into_iter()
        .flatten()
        .map(|choice| choice.cell);
    for place in chosen.chain(sections::front(part.study, found).iter().copied()) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let reports = places
        .into_iter()
        .filter_map(|place| part.study.cells.get(place));
    let one = |report: &CellReport| {
        let found = report.prediction.as_ref()?;
        let statement = format!(
            "{}: {}",
            words::cell(&report.cell),
            prediction::in_brief(found)
        );
        Some(PagePrediction {
            statement,
            rests_on: prediction::rests_on(found),
        })
    };
    reports.filter_map(one).collect()
}
