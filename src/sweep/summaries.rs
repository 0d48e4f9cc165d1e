//! The summaries that parfetch left in the folder of an attempt.

use std::fs;
use std::path::Path;

use crate::results::summary::{State, Summary};

/// Names of the summaries in this folder, and what is wrong with them: one is missing, or of a run that did not end.
pub(super) fn found_in(dir: &Path, shards: u32) -> (Vec<String>, Option<String>) {
    let names = fs::read_dir(dir).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| name.starts_with("result_") && Path::new(name).extension().is_some_and(|ending| ending == "json")).collect();
    names.sort();
    let wrong = names.iter().find_map(|name| match fs::read_to_string(dir.join(name)).map(|text| Summary::from_json(&text)) {
        Ok(Ok(summary)) if summary.state == State::Complete => None,
        Ok(Ok(_)) => Some(format!("{name} is of a run that did not end")),
        Ok(Err(error)) => Some(format!("{name}: {error}")),
        Err(error) => Some(format!("{name}: {error}")),
    });
    let missing = names.len() != usize::try_from(shards).unwrap_or(usize::MAX);
    let wrong = wrong.or_else(|| missing.then(|| "wrote no summary".to_owned()));
    (names, wrong)
}
