//! What the records of one sweep share: its identity, and what its contenders do not say of themselves.

use std::collections::BTreeMap;

use super::reduce::{Context, Reduced};
use crate::analysis::model::Place;
use crate::plan::{Layout, Work};
use crate::results::record::Record;

/// The address of a file beside another one.
pub(super) fn sibling(document: &str, name: &str) -> String {
    document.rfind('/').map_or_else(
        || name.to_owned(),
        |slash| format!("{}/{name}", &document[..slash]),
    )
}

/// What contenders of a sweep do not say of themselves.
pub(super) struct SweepShared {
    pub(super) work: Work,
    pub(super) layout: Option<Layout>,
    pub(super) place: Place,
    pub(super) context: Context,
}

/// By sweep, from the first summary of parfetch in it.
pub(super) fn sweep_settings(
    records: &[(String, Record)],
    summaries: &BTreeMap<String, Reduced>,
) -> BTreeMap<SweepKey, SweepShared> {
    let mut found: BTreeMap<SweepKey, SweepShared> = BTreeMap::new();
    for (name, record) in records {
        if found.contains_key(&sweep_of(record)) {
            continue;
        }
        let first = record
            .summaries
            .iter()
            .find_map(|summary| summaries.get(&sibling(name, summary)));
        if let Some((summary, work)) =
            first.and_then(|summary| Some((summary, summary.workload.work?)))
        {
            let settings = SweepShared {
                work,
                layout: summary.workload.layout,
                place: summary.workload.place.clone(),
                context: summary.context.clone(),
            };
            found.insert(sweep_of(record), settings);
        }
    }
    found
}

/// Name, plan and keys of a sweep.
pub(super) type SweepKey = [String; 3];

pub(super) fn sweep_of(record: &Record) -> SweepKey {
    [
        record.sweep.id.clone(),
        record.sweep.plan_sha256.clone(),
        record.sweep.keys_sha256.clone(),
    ]
}
