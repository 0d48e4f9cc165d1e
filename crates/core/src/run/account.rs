//! The account of a run at its end, told to whoever watches: what was asked for against what became of it.
//!
//! Judges nothing itself: [`Totals::flaw`] does, for runs, sweeps and reports alike.

use super::log::RunLog;
use super::pass::Findings;
use crate::results::summary::{Flaw, NotAsListed, RunFacts, State, Totals};
use crate::units;

/// Warns of what is missing, and of figures that do not count; sets the state where the rows themselves are wrong. True when all is well.
/// `cause` is why the engine could not go on.
pub(super) fn close(
    facts: &mut RunFacts,
    log: &mut RunLog<'_>,
    found: &Findings,
    cause: Option<String>,
) -> bool {
    let Some(totals) = found.summariser.totals(facts) else {
        return true;
    };
    let written = found.written;
    let is_doubled = written != found.fetches;
    if is_doubled {
        facts.state = State::Failed;
        log.warn(format!(
            "workers handed in {} fetches, and the rows hold {}: the account does not add up; this is an error in parfetch",
            units::count(written),
            units::count(found.fetches)
        ));
    }
    let first = found.first_left.as_ref().map_or_else(String::new, |key| {
        format!("; the first is {}", key.escape_debug())
    });
    let flaw = totals.flaw(facts.state);
    // Where fetches failed that was said, with their codes.
    let is_said =
        |flaw: &Flaw| matches!(flaw, Flaw::Nothing(_) | Flaw::Few { .. }) && totals.rows.failed > 0;
    if let Some(flaw) = flaw.filter(|flaw| !is_said(flaw)) {
        let words = flaw.in_words_of(facts.header.settings.noun());
        let not = "the figures of this run do not count";
        if flaw.is_incomplete() {
            log.warn(format!("{words}{first}: {not}"));
        } else {
            log.account(format!("{words}: {not}"));
        }
    }
    if let Some(missing) =
        missing(&totals, facts.header.settings.noun()).filter(|_| facts.state != State::Complete)
    {
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        log.warn(format!("{missing}{first}{cause}"));
    }
    flaw.is_none() && !is_doubled
}

/// Warns of objects that were not fetched, and of those that are not the ones that were listed.
pub(super) fn failures(log: &mut RunLog<'_>, found: &Findings) {
    if found.failed > 0 {
        let more = if found.failed > found.named.len() as u64 {
            ", …"
        } else {
            ""
        };
        log.account(format!(
            "{} of {} fetches failed: {}{more}",
            units::count(found.failed),
            units::count(found.attempted),
            found.named.join(", ")
        ));
    }
    if found.vanished > 0 {
        log.account(format!(
            "{} of the fetches found no object: listed, and gone since",
            found.vanished
        ));
    }
    if let Some(first) = &found.first_not_as_listed {
        let NotAsListed { rows, size, etag } = found.summariser.not_as_listed();
        let differ: Vec<_> = [(size, "another size"), (etag, "another ETag")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} with {what}", units::count(count)))
            .collect();
        log.warn(format!(
            "{} of {} fetches found another object than was listed ({}): the first is {first}; list again, and let nobody write to the bucket meanwhile",
            units::count(rows),
            units::count(found.attempted),
            differ.join(", ")
        ));
    }
}

/// `17 of 20 objects were not attempted`; objects that the time cut off are not missing.
fn missing(totals: &Totals, noun: &str) -> Option<String> {
    let count = totals.rows.not_attempted.saturating_sub(totals.cut_by_time);
    (count > 0).then(|| {
        format!(
            "{} of {} {} not attempted",
            units::count(count),
            units::plural(totals.rows.sum(), noun),
            units::were(count)
        )
    })
}
