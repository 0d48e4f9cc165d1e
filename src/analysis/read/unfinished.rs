//! Summaries of runs without rows, beside those of the same runs with rows.

use std::collections::BTreeMap;

use super::reduce::Reduced;
use crate::results::place::finished_name;

/// What a run says of itself before it has rows stays where its credentials may not remove it: it counts as long as nothing newer of it is beside it.
pub(super) fn leave_out_superseded(summaries: &mut BTreeMap<String, Reduced>) {
    let is_of_the_same_run = |name: &str, reduced: &Reduced| {
        finished_name(name)
            .and_then(|finished| summaries.get(&finished))
            .is_some_and(|newer| newer.started_at == reduced.started_at)
    };
    let superseded: Vec<String> = summaries
        .iter()
        .filter(|(name, reduced)| is_of_the_same_run(name, reduced))
        .map(|(name, _)| name.clone())
        .collect();
    for name in superseded {
        summaries.remove(&name);
    }
}
