//! What the records of one sweep share: its identity, its place, and what its contenders do not say of themselves; which of several sweeps is the newest.

use std::collections::BTreeMap;
use std::path::Path;

use super::reduce::{Context, Reduced};
use crate::analysis::model::{OtherSweep, Place};
use crate::plan::{Layout, Work};
use crate::results::PLAN_FILE;
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

/// What one place holds besides its newest sweep.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analysis) struct SweepsOfPlace {
    /// Name of the newest.
    pub(in crate::analysis) newest: String,
    /// The others, the newest first.
    pub(in crate::analysis) others: Vec<OtherSweep>,
}

/// The records of the sweeps that are left out, and what to say of these.
pub(super) struct OlderSweeps {
    pub(super) records: Vec<(String, Record)>,
    pub(super) sweeps: Option<SweepsOfPlace>,
}

/// Divides the records of a place into those of its newest sweep and the others. One that failed before it had figures hides none that has.
pub(super) fn newest(records: Vec<(String, Record)>) -> (Vec<(String, Record)>, OlderSweeps) {
    let mut last: BTreeMap<SweepKey, OtherSweep> = BTreeMap::new();
    for (name, record) in &records {
        let known = last.entry(sweep_of(record)).or_insert_with(|| OtherSweep {
            id: record.sweep.id.clone(),
            last_start: String::new(),
            folder: String::new(),
            is_without_figures: true,
        });
        if record.started_at >= known.last_start {
            known.last_start.clone_from(&record.started_at);
            known.folder = folder(name, &record.sweep.id);
        }
        known.is_without_figures &= record.repetition == 0 || record.failure.is_some();
    }
    let mut sweeps: Vec<(SweepKey, OtherSweep)> = last.into_iter().collect();
    sweeps.sort_by(|(_, one), (_, other)| other.last_start.cmp(&one.last_start));
    let shown = sweeps
        .iter()
        .position(|(_, sweep)| !sweep.is_without_figures);
    if sweeps.is_empty() {
        let nothing = OlderSweeps {
            records: Vec::new(),
            sweeps: None,
        };
        return (records, nothing);
    }
    let (newest, _) = sweeps.remove(shown.unwrap_or(0));
    let others: Vec<OtherSweep> = sweeps.into_iter().map(|(_, sweep)| sweep).collect();
    let (kept, left): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|(_, record)| sweep_of(record) == newest);
    let [newest, ..] = newest;
    let left = OlderSweeps {
        records: left,
        sweeps: (!others.is_empty()).then_some(SweepsOfPlace { newest, others }),
    };
    (kept, left)
}

/// The folder of a sweep: where its name stands in that of a record, `…/ID/CELL/r01-a1/repetition.json`; else that of the record.
fn folder(record: &str, id: &str) -> String {
    let within = format!("/{id}/");
    record.rfind(&within).map_or_else(
        || sibling(record, ""),
        |at| record[..at + within.len() - 1].to_owned(),
    )
}

/// The plan of the sweep that this record of a folder belongs to, by the sweep's name.
pub(super) fn plan_beside(record: &Path) -> Option<(String, String)> {
    if record.file_name()? != crate::results::record::FILE_NAME {
        return None;
    }
    let sweep = record.ancestors().nth(3)?;
    let plan = sweep.join(PLAN_FILE);
    let id = sweep.file_name()?.to_string_lossy().into_owned();
    plan.is_file()
        .then(|| (id, plan.to_string_lossy().into_owned()))
}
