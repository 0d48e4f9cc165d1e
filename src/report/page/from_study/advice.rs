//! What to run, in words and to paste; the front, the price that it is by, and predictions.

use super::super::types::{Prediction, Recommendation, Snippet};
use super::Part;
use super::words::{self, sentence};
use crate::report::{Choice, Metric};

/// The cheapest cell, else the fastest, with the other as the alternative; the model's sentences.
pub(super) fn recommendation(part: &Part<'_>) -> Recommendation {
    let Some(found) = part.recommendation() else {
        return Recommendation { headline: "Nothing to recommend".to_owned(), ..Recommendation::default() };
    };
    let mut sentences = Vec::new();
    let Some(first) = found.cheapest.as_ref().or(found.fastest.as_ref()) else {
        sentences.extend(found.because.as_deref().map(sentence));
        return Recommendation { headline: "Nothing to recommend".to_owned(), sentences, snippets: Vec::new() };
    };
    // The first sentence is the cell.
    let (headline, rest) = first.words.split_once(". ").unwrap_or((&first.words, ""));
    let other = found.fastest.as_ref().filter(|fastest| fastest.cell != first.cell);
    let label = match (&found.cheapest, other) {
        (None, _) => "The fastest cell.",
        (Some(_), None) => "The cheapest cell, and the fastest.",
        (Some(_), Some(_)) => "The cheapest cell.",
    };
    sentences.push(format!("{label} {rest}").trim_end().to_owned());
    sentences.extend(other.map(|fastest| format!("Fastest: {}", fastest.words)));
    sentences.extend(found.because.as_deref().map(sentence));
    // The overrides are of a task of parfetch.
    sentences.extend(found.caveat.as_deref().map(sentence));
    let snippets = if part.program.is_parfetch() { snippets(first, other) } else { Vec::new() };
    Recommendation { headline: headline.to_owned(), sentences, snippets }
}

fn snippets(first: &Choice, other: Option<&Choice>) -> Vec<Snippet> {
    let of = |choice: &Choice, which: &str| {
        let overrides = choice.run_task_overrides.clone().map(|text| Snippet { label: format!("RunTask --overrides{which}"), text });
        std::iter::once(Snippet { label: format!("Environment{which}"), text: environment(choice) }).chain(overrides).collect::<Vec<_>>()
    };
    of(first, "").into_iter().chain(other.into_iter().flat_map(|other| of(other, ", fastest"))).collect()
}

fn environment(choice: &Choice) -> String {
    let lines: Vec<String> = choice.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.join("\n")
}

/// Cells that no other beats in predicted time and price of the whole bucket, cheapest first, by the page's count.
pub(super) fn front(part: &Part<'_>) -> Vec<usize> {
    // The model has the fastest first, and along the front the slower cell is the cheaper one.
    let found = part.recommendation().map_or(&[][..], |recommendation| &recommendation.pareto);
    found.iter().rev().filter_map(|place| part.places.iter().position(|own| own == place)).collect()
}

/// Names the price, or says why there is none.
pub(super) fn price_note(part: &Part<'_>) -> String {
    if part.reports().any(|report| report.figure(Metric::UsdPerTb).is_some()) {
        return "dollars per TB read".to_owned();
    }
    let why = part.study.notes.iter().find(|note| note.starts_with("no price"));
    why.map_or_else(|| "No price: no cell has both a size and a rate.".to_owned(), |note| sentence(note))
}

/// The cells of the front, and what is recommended besides.
pub(super) fn predictions(part: &Part<'_>) -> Vec<Prediction> {
    let Some(found) = part.recommendation() else { return Vec::new() };
    let mut places: Vec<usize> = Vec::new();
    let chosen = [&found.cheapest, &found.fastest].into_iter().flatten().map(|choice| choice.cell);
    for place in chosen.chain(found.pareto.iter().copied()) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let reports = places.into_iter().filter_map(|place| part.study.cells.get(place));
    let one = |report: &crate::report::CellReport| {
        let prediction = report.prediction.as_ref()?;
        let statement = format!("{}: {}", words::cell(&report.cell), words::predicted(prediction));
        Some(Prediction { statement, rests_on: words::rests_on(prediction) })
    };
    reports.filter_map(one).collect()
}
