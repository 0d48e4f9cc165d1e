//! What to run, to paste; the front, and what predictions rest on. The words are `wording`'s.

use super::super::types::{self, PagePrediction, Snippet};
use super::part::ProgramPart;
use super::words;
use crate::analysis::Choice;
use crate::render::wording::{answer, prediction, sections};
use crate::shell;

/// Cheapest and fastest, or both in one; the second in brief, since most of it has been said of the first.
pub(super) fn choices(part: &ProgramPart<'_>) -> Vec<types::PageChoice> {
    let Some(found) = part.recommendation() else {
        return Vec::new();
    };
    let one = |(number, (label, choice)): (usize, (&str, &Choice))| {
        let said = if number == 0 {
            answer::in_full(part.study, choice)
        } else {
            answer::in_brief(part.study, choice)
        };
        let mut sentences = said.rest;
        sentences.extend(answer::against_others(part.study, choice));
        let snippets = if part.program.is_parfetch() {
            let overrides = choice.run_task_overrides.as_ref();
            snippets(choice, overrides.filter(|_| number == 0))
        } else {
            Vec::new()
        };
        let headline = answer::chosen(part.study, choice);
        types::PageChoice {
            label: label.to_owned(),
            headline,
            takes: said.takes,
            sure: said.sure,
            sentences,
            snippets,
        }
    };
    sections::choices(found)
        .into_iter()
        .enumerate()
        .map(one)
        .collect()
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
    std::iter::once(Snippet {
        label: "Environment".to_owned(),
        text: sections::environment(choice),
    })
    .chain(overrides)
    .collect()
}

/// What a cell is chosen as.
pub(super) fn chosen(part: &ProgramPart<'_>, place: usize) -> &'static str {
    let found = part
        .recommendation()
        .map_or_else(Vec::new, sections::choices);
    found
        .into_iter()
        .find(|(_, choice)| choice.cell == place)
        .map_or("", |(label, _)| label)
}

/// Cells that no other beats in predicted time and price of the whole bucket, cheapest first, by the page's count.
pub(super) fn front(part: &ProgramPart<'_>) -> Vec<usize> {
    // The model has the fastest first, and along the front the slower cell is the cheaper one.
    let found = part
        .recommendation()
        .map_or(&[][..], |recommendation| &recommendation.pareto);
    found
        .iter()
        .rev()
        .filter_map(|place| part.places.iter().position(|own| own == place))
        .collect()
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
    for place in chosen.chain(found.pareto.iter().copied()) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let reports = places
        .into_iter()
        .filter_map(|place| part.study.cells.get(place));
    let one = |report: &crate::analysis::CellReport| {
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
