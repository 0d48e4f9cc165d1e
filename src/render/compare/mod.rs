//! The forms of a comparison.

mod forms;
pub(crate) mod text;

pub use forms::{render_comparison_csv, render_comparison_json, render_comparison_markdown};
pub use text::render_comparison_text;
