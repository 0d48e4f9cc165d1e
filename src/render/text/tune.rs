//! The answer of a tune in a terminal.

use super::page::TextPage;
use super::view::{Paint, Role};
use crate::escape::terminal;
use crate::render::wording::{tune, tune_served, tune_steps};
use crate::results::tune::TuneDocument;
use crate::units;

/// The answer of each program, what it took, and what it cannot say.
pub fn tune_answer(document: &TuneDocument, (width, paint): (usize, Paint<'_>)) -> String {
    let mut page = TextPage::new(width, paint);
    answers(&mut page, document);
    for left_out in &document.left_out {
        let sentence = units::upper_first(&left_out.in_words());
        page.paragraph("Note: ", &terminal(&format!("{sentence}.")), 2);
    }
    if let Some(note) = tune::no_contrast(document) {
        page.paragraph("Note: ", &note, 2);
    }
    page.finish()
}

pub(super) fn answers(page: &mut TextPage<'_>, document: &TuneDocument) {
    if let Some(best) = tune_served::best(document) {
        page.gap();
        page.paragraph("", &terminal(&best), 2);
    }
    for answer in &document.answers {
        page.gap();
        let said = tune::answer(answer, document);
        page.line((page.paint)(Role::Best, &terminal(&said.title())));
        for sentence in &said.sentences {
            page.paragraph("  ", &terminal(sentence), 2);
        }
        if let Some(line) = &said.line {
            page.line(format!("  {}", terminal(line)));
        }
        if let Some(overrides) = &said.overrides {
            page.overrides(overrides);
        }
    }
    page.gap();
    page.paragraph("", &terminal(&tune_steps::effort(document)), 2);
    if let Some(note) = tune::elsewhere(document) {
        page.paragraph("Note: ", note, 2);
    }
}

/// One step in a line.
pub fn tune_step(step: &crate::results::tune::TuneStep, document: &TuneDocument) -> String {
    terminal(&tune_steps::step(step, document))
}
