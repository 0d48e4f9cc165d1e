//! The summaries that parfetch left in the folder of an attempt.

use std::fs;
use std::path::Path;

use crate::results::record::SweepFacts;
use crate::results::summary::{Flaw, State, Summary, Totals, judge};

/// Names of the summaries in this folder, and what is wrong with them: one is missing, or of a run that did not end, or their account does not close.
pub(super) fn found_in(dir: &Path, (facts, shards): (&SweepFacts, u32)) -> (Vec<String>, Option<String>) {
    let names = fs::read_dir(dir).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| name.starts_with("result_") && Path::new(name).extension().is_some_and(|ending| ending == "json")).collect();
    names.sort();
    let accounts: Result<Vec<Option<Totals>>, String> = names.iter().map(|name| account(dir, name)).collect();
    let wrong = match accounts {
        Err(wrong) => Some(wrong),
        Ok(_) if names.len() != usize::try_from(shards).unwrap_or(usize::MAX) => Some("wrote no summary".to_owned()),
        Ok(accounts) => {
            let listed = accounts.iter().map(|account| account.map_or(0, |account| account.keys_listed));
            facts.other_keys(listed, shards).or_else(|| judge(&accounts).map(Flaw::in_words))
        }
    };
    (names, wrong)
}

/// The account of a run that is complete.
fn account(dir: &Path, name: &str) -> Result<Option<Totals>, String> {
    let text = fs::read_to_string(dir.join(name)).map_err(|error| format!("{name}: {error}"))?;
    let summary = Summary::from_json(&text).map_err(|error| format!("{name}: {error}"))?;
    match summary.state {
        State::Complete => Ok(summary.account()),
        State::Failed => Err(format!("{name} is of a run that failed{}", summary.warnings.last().map_or_else(String::new, |why| format!(": {why}")))),
        State::Running | State::Interrupted => Err(format!("{name} is of a run that did not end")),
    }
}
