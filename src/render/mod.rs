//! The forms of a report and of a comparison: text, Markdown, CSV, JSON and the page, and the words that they share.
//!
//! Owns what a person reads: a wrong word is here, a wrong number in `analysis`. Shows what `analysis` found and computes nothing; writes nothing.

pub(crate) mod csv;
#[cfg(test)]
pub(crate) mod fixture;
mod form;
mod json;
pub(crate) mod markdown;
pub(crate) mod text;
pub(crate) mod wording;

pub mod page;

pub use csv::Csv;
pub use form::{Extent, Names, ReportForm, ReportScope};
pub use json::Json;
pub use markdown::Markdown;
pub use text::{Paint, Role, Terminal, tune_answer, tune_step};
pub use wording::comparison::{comparison_warnings, median_change};
