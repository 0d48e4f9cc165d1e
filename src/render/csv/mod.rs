//! The report and a comparison as CSV for other programs: one row a cell, in base units that the columns name.

mod comparison;
mod report;
mod sheet;

use crate::analysis::{Comparison, Study};
use crate::render::form::{Names, ReportForm, ReportScope};

pub struct Csv;

impl ReportForm for Csv {
    fn report(&self, studies: &[Study], _: &ReportScope<'_>) -> String {
        report::render_csv(studies)
    }

    fn comparison(&self, comparison: &Comparison, _: Names<'_>) -> String {
        comparison::render_comparison_csv(comparison)
    }
}

pub(crate) use report::render_csv;
