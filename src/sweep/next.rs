//! What decides which repetition comes next, where that follows from what was measured before.

use std::path::Path;

use super::matrix::Planned;
use crate::exit::Failure;
use crate::results::record::Record;

/// A repetition with its record, and the folder that has them.
#[derive(Clone, Copy)]
pub(super) struct MeasuredRun<'a> {
    pub(super) record: &'a Record,
    pub(super) dir: &'a Path,
    /// Whether an earlier command measured it.
    pub(super) when: MeasuredWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MeasuredWhen {
    Now,
    Before,
}

/// Decides from run to run. The same repetitions with the same records lead to the same decisions, so that a sweep that was killed goes on.
pub(super) trait NextRuns {
    /// The next repetition, after everything before it was shown to [`Self::saw`]; none where nothing is left to do.
    fn next(&mut self) -> Option<Planned>;

    /// A repetition that was asked for has its record.
    fn saw(&mut self, measured: MeasuredRun<'_>) -> Result<(), Failure>;
}
