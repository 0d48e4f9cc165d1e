//! What a form of the report is: one name for all of them, so that a new one is a file of its own.

use crate::analysis::{Comparison, Metric, Study};

/// A form that a report and a comparison are written in.
pub trait ReportForm {
    /// All of these studies.
    fn report(&self, studies: &[Study], asked: &ReportScope<'_>) -> String;

    /// One set of results against another.
    fn comparison(&self, comparison: &Comparison, names: Names<'_>) -> String;
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The answer and the matrix.
    Answer,
    /// Everything.
    All,
}

/// What of a report is shown; forms for programs show everything.
#[derive(Clone, Copy, Debug)]
pub struct ReportScope<'a> {
    /// Tables to show, in this order.
    pub metrics: &'a [Metric],
    /// How much is shown.
    pub extent: Extent,
    /// The command that shows everything.
    pub in_full: &'a str,
}

/// How two sets of results are called, and how much of their comparison is shown.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The one.
    pub base: &'a str,
    /// The other.
    pub new: &'a str,
    /// Whether probabilities and the method are shown too.
    pub extent: Extent,
}
