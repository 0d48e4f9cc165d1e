//! How a row of the results ended, seen with its key: the one rule that the CSV and the summary share.

use crate::sample::{KeyRecord, Outcome, Sample};

/// The outcome of a row: an archived object that nobody tried to fetch is `archived`, not `not_attempted`.
pub fn outcome(key: &KeyRecord, sample: &Sample) -> Outcome {
    match sample.outcome {
        Outcome::NotAttempted if key.is_archived() => Outcome::Archived,
        outcome => outcome,
    }
}

/// True when a worker began on it.
pub const fn was_attempted(sample: &Sample) -> bool {
    sample.attempts > 0 || sample.start_ns.is_some()
}
