//! The account of a run at its end, told to whoever watches: what was asked for against what became of it.
//!
//! Judges nothing itself: [`Totals::flaw`] does, for runs, sweeps and reports alike.

use super::Log;
use super::finish::Tail;
use crate::results::summary::{Flaw, RunFacts, State, Totals};
use crate::units;

/// Warns of what is missing, and of figures that do not count; sets the state where the rows themselves are wrong. True when all is well.
/// `written` is how many fetches workers handed in; `cause`, why the engine could not go on.
pub(super) fn close((facts, log): (&mut RunFacts, &mut Log<'_>), tail: &Tail, written: u64, cause: Option<String>) -> bool {
    let Some(totals) = tail.summariser.totals(facts) else { return true };
    let is_doubled = written != tail.fetches;
    if is_doubled {
        facts.state = State::Failed;
        log.warn(format!(
            "workers handed in {} fetches, and the rows hold {}: the account does not add up; this is an error in parfetch",
            units::count(written),
            units::count(tail.fetches)
        ));
    }
    let first = tail.first_left.as_ref().map_or_else(String::new, |key| format!("; the first is {}", key.escape_debug()));
    let flaw = totals.flaw(facts.state);
    // Where fetches failed that was said, with their codes.
    let is_said = |flaw: &Flaw| matches!(flaw, Flaw::Nothing(_) | Flaw::Few { .. }) && totals.rows.failed > 0;
    if let Some(flaw) = flaw.filter(|flaw| !is_said(flaw)) {
        let first = if flaw.is_incomplete() { first.as_str() } else { "" };
        log.warn(format!("{}{first}: the figures of this run do not count", flaw.in_words()));
    }
    if let Some(missing) = missing(&totals).filter(|_| facts.state != State::Complete) {
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        log.warn(format!("{missing}{first}{cause}"));
    }
    flaw.is_none() && !is_doubled
}

/// `17 of 20 objects were not attempted`; objects that the time cut off are not missing.
fn missing(totals: &Totals) -> Option<String> {
    let count = totals.rows.not_attempted.saturating_sub(totals.cut_by_time);
    (count > 0).then(|| format!("{} of {} objects were not attempted", units::count(count), units::count(totals.rows.sum())))
}
