//! The report and a comparison as JSON documents for other programs.

mod comparison;
mod report;

use serde::Serialize;

use crate::analysis::{Comparison, Study};
use crate::render::form::{Names, ReportForm, ReportScope};

pub struct Json;

impl ReportForm for Json {
    fn report(&self, studies: &[Study], _: &ReportScope<'_>) -> String {
        indented(&report::document(studies))
    }

    fn comparison(&self, comparison: &Comparison, names: Names<'_>) -> String {
        indented(&comparison::document(comparison, names))
    }
}

/// With a line end.
fn indented(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).expect("texts, numbers and lists of them") + "\n"
}
