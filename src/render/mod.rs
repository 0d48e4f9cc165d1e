//! The forms of a report and of a comparison: text, Markdown, CSV, JSON and the page, and the words that they share.
//!
//! Owns what a person reads: a wrong word is here, a wrong number in `analysis`. Shows what `analysis` found and computes nothing; writes nothing.

pub(crate) mod compare;
mod csv;
mod json;
mod markdown;
mod text;
pub(crate) mod wording;

pub mod page;

pub use compare::{
    render_comparison_csv, render_comparison_json, render_comparison_markdown,
    render_comparison_text,
};
pub use csv::render_csv;
pub use json::to_json;
pub use markdown::render_markdown;
pub use text::{Emphasis, Extent, Role, View, render_text};
