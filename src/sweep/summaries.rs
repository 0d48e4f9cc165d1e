//! The summaries that parfetch left in the folder of an attempt.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::results::place::finished_name;
use crate::results::record::{Record, RepetitionAmount, SweepFacts};
use crate::results::summary::{Flaw, State, Summary, Totals, judge};

/// Names of the summaries in this folder, and what is wrong with them: one is missing, or of a run that did not end, or their account does not close.
pub(super) fn found_in(
    dir: &Path,
    facts: &SweepFacts,
    (shards, amount): (u32, Option<RepetitionAmount>),
) -> (Vec<String>, Option<String>) {
    let names = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // What a run without rows says of itself is under a name of its own, and no result.
    let is_result = |name: &String| {
        name.starts_with("result_")
            && Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "json")
            && finished_name(name).is_none()
    };
    let mut names: Vec<String> = names.filter(is_result).collect();
    names.sort();
    let summaries: Result<Vec<Summary>, String> =
        names.iter().map(|name| complete(dir, name)).collect();
    let wrong = match summaries {
        Err(wrong) => Some(wrong),
        Ok(_) if names.len() != usize::try_from(shards).unwrap_or(usize::MAX) => {
            Some("wrote no summary".to_owned())
        }
        Ok(summaries) => {
            let accounts: Vec<Option<Totals>> = summaries.iter().map(Summary::account).collect();
            let listed = accounts
                .iter()
                .map(|account| account.map_or(0, |account| account.keys_listed));
            facts.other_keys(listed, (shards, amount)).or_else(|| {
                // Of a web server a request that failed is a result, as long as there are good ones.
                let is_result =
                    |flaw: &Flaw| facts.http.is_some() && matches!(flaw, Flaw::Few { .. });
                judge(&accounts)
                    .filter(|flaw| !is_result(flaw))
                    .map(|flaw| flaw.in_words() + &most_frequent_code(&summaries, flaw))
            })
        }
    };
    (names, wrong)
}

/// Whether the server of a sweep answered no request of a repetition, as it broke all connections. That is what was measured, and no mistake in the plan:
/// after one of those there are answers with another status than expected.
pub(super) fn is_unanswered(record: &Record, dir: &Path) -> bool {
    let is_silent = |name: &String| {
        let text = read_text(&dir.join(name), DOCUMENT_BYTES);
        let summary = text.ok().and_then(|text| Summary::from_json(&text).ok());
        summary.is_some_and(|summary| summary.status_codes.is_empty())
    };
    let found = || found_in(dir, &record.sweep, (record.cell.shards, record.amount));
    record.sweep.http.is_some()
        && record.started_server.is_some()
        && record.summaries.iter().all(is_silent)
        && found().1.as_ref() == record.failure.as_ref().map(|failure| &failure.reason)
}

/// ` (most often HTTP500)`, where every fetch failed.
fn most_frequent_code(summaries: &[Summary], flaw: Flaw) -> String {
    let is_all_failed = matches!(flaw, Flaw::Nothing(rows) if rows.failed > 0);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for attempts in summaries
        .iter()
        .filter_map(|summary| summary.attempts.as_ref())
    {
        for (code, count) in &attempts.by_code {
            *counts.entry(code).or_default() += count;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.filter(|_| is_all_failed)
        .map_or_else(String::new, |(code, _)| format!(" (most often {code})"))
}

/// The summary of a run that is complete.
fn complete(dir: &Path, name: &str) -> Result<Summary, String> {
    let text =
        read_text(&dir.join(name), DOCUMENT_BYTES).map_err(|error| format!("{name}: {error}"))?;
    let summary = Summary::from_json(&text).map_err(|error| format!("{name}: {error}"))?;
    match summary.state {
        State::Complete => Ok(summary),
        State::Failed => Err(format!(
            "{name} is of a run that failed{}",
            summary
                .warnings
                .last()
                .map_or_else(String::new, |why| format!(": {why}"))
        )),
        State::Running | State::Interrupted => Err(format!("{name} is of a run that did not end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::{Attempts, Outcomes, fixture};

    #[test]
    fn what_a_run_without_rows_says_is_no_summary_of_a_repetition() {
        let dir = tempfile::tempdir().unwrap();
        let complete = fixture::complete();
        let facts = SweepFacts {
            keys: complete.totals.as_ref().unwrap().keys_listed,
            ..crate::sweep::fixture::facts()
        };
        fs::write(
            dir.path().join("result_a.json"),
            complete.to_json().unwrap(),
        )
        .unwrap();
        fs::write(
            dir.path().join("result_a.unfinished.json"),
            Summary::running(fixture::header()).to_json().unwrap(),
        )
        .unwrap();
        let found = found_in(dir.path(), &facts, (1, None));
        assert_eq!(found, (vec!["result_a.json".to_owned()], None));
    }

    #[test]
    fn where_every_fetch_failed_the_most_frequent_code_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut failed = fixture::complete();
        let totals = failed.totals.as_mut().unwrap();
        let all = totals.rows.sum();
        totals.rows = Outcomes {
            failed: all,
            ..Outcomes::default()
        };
        totals.row_bytes = None;
        let codes = [("ConnectReset", 1), ("HTTP500", all - 1)];
        failed.attempts = Some(Attempts {
            by_code: codes.map(|(code, count)| (code.to_owned(), count)).into(),
            ..Attempts::default()
        });
        let facts = SweepFacts {
            keys: failed.totals.as_ref().unwrap().keys_listed,
            ..crate::sweep::fixture::facts()
        };
        fs::write(dir.path().join("result_a.json"), failed.to_json().unwrap()).unwrap();
        let (_, wrong) = found_in(dir.path(), &facts, (1, None));
        let count = crate::units::count(all);
        assert_eq!(
            wrong.unwrap(),
            format!("nothing was fetched: {count} failed (most often HTTP500)")
        );
    }

    #[test]
    fn a_summary_without_end_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        fs::File::create(dir.path().join("result_a.json"))
            .unwrap()
            .set_len(DOCUMENT_BYTES + 1)
            .unwrap();
        let (_, wrong) = found_in(dir.path(), &crate::sweep::fixture::facts(), (1, None));
        assert_eq!(wrong.unwrap(), "result_a.json: it is larger than 32 MiB");
    }
}
