//! The report and a comparison as Markdown (GitHub's): the words and tables of the terminal, every text from outside escaped.

mod comparison;
mod report;
mod write;

use crate::analysis::{Comparison, Study};
use crate::render::form::{Names, ReportForm, ReportScope};

pub struct Markdown;

impl ReportForm for Markdown {
    fn report(&self, studies: &[Study], asked: &ReportScope<'_>) -> String {
        report::render_markdown(studies, asked.metrics)
    }

    fn comparison(&self, comparison: &Comparison, names: Names<'_>) -> String {
        comparison::render_comparison_markdown(comparison, names)
    }
}

#[cfg(test)]
pub(crate) use report::render_markdown;
