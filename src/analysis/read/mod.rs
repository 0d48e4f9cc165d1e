//! Documents in, observations out: what a report is made of.
//!
//! Owns which documents count (repetitions, runs of their own), which contradict each other, and what is kept of them. Files are read here; what lies
//! in a bucket is handed in by name. Judges no figure.

mod assemble;
mod found;
mod own_runs;
mod recorded;
mod reduce;
mod shards;
mod sweeps;
mod trend;
mod unfinished;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::assemble::Documents;
pub(super) use self::assemble::order;
pub use self::found::{Problem, ProblemKind};
pub(super) use self::found::{ReadResults, Run};
use self::recorded::{Recorded, recorded};
use self::reduce::{Reduced, reduce};
use super::observation::Observation;
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::results::record::{self, Record};
use crate::results::summary::{self, Summary};
use crate::results::tune::{self, TuneDocument};

/// Takes documents one by one, in any order, and keeps their numbers.
#[derive(Debug, Default)]
pub struct Reader {
    /// Files that were read: the same one by two sources is one document.
    files: BTreeSet<PathBuf>,
    documents: Documents,
    /// Records of places that were read before this one.
    settled: usize,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: Option<String>,
}

impl Reader {
    /// Takes one document. `name` is its path, or its address (`s3://bucket/key`): records find their summaries by it.
    pub fn document(&mut self, name: &str, text: &str) {
        let head: SchemaOnly = match serde_json::from_str(text) {
            Ok(head) => head,
            // Valid JSON that is no object, or whose `schema` is no text, is another kind of document; damaged JSON is an error.
            Err(error) if error.is_data() => {
                self.documents.passed_over += 1;
                return;
            }
            Err(error) => return self.damaged(name, format!("not JSON: {error}")),
        };
        match head.schema.as_deref() {
            Some(record::SCHEMA) => match Record::from_json(text) {
                Ok(record) => self.record(name, record),
                Err(error) => self.damaged(name, error.to_string()),
            },
            Some(summary::SCHEMA) => match Summary::from_json(text) {
                Ok(summary) => self.summary(name, summary),
                Err(error) => self.damaged(name, error.to_string()),
            },
            Some(tune::SCHEMA) => match TuneDocument::from_json(text) {
                Ok(document) => {
                    self.documents.tunes.insert(document.id.clone(), document);
                }
                Err(error) => self.damaged(name, error.to_string()),
            },
            _ => self.documents.passed_over += 1,
        }
    }

    /// Ends a place: of several sweeps that were read from it the newest stays. Whoever wants several names each.
    pub fn keep_newest_sweep(&mut self) {
        let documents = &mut self.documents;
        let records = documents.records.split_off(self.settled);
        let (newest, left) = sweeps::newest(records);
        for (name, record) in &left.records {
            assemble::leave_out(&mut documents.summaries, name, record);
        }
        documents.sweeps_of_places.extend(left.sweeps);
        documents.records.extend(newest);
        self.settled = documents.records.len();
    }

    /// Takes a repetition's record, by the name that it would have as a file.
    pub fn record(&mut self, name: &str, record: Record) {
        self.documents.records.push((name.to_owned(), record));
    }

    /// Takes a run's summary, by the name that it would have as a file.
    pub fn summary(&mut self, name: &str, summary: Summary) {
        self.documents
            .summaries
            .insert(name.to_owned(), reduce(name, summary));
    }

    /// A document that should be there and cannot be read.
    pub fn damaged(&mut self, name: &str, what: String) {
        self.documents.damaged.insert(name.to_owned(), what.clone());
        self.documents.problems.push(Problem {
            document: name.to_owned(),
            what,
            kind: ProblemKind::LeftOut,
        });
    }

    /// Reads a file, or every `.json` file below a folder.
    pub fn path(&mut self, path: &Path) {
        let mut files = Vec::new();
        let mut unreadable = Vec::new();
        json_files(path, NamedBy::ByTheUser, (&mut files, &mut unreadable));
        for (place, error) in unreadable {
            self.damaged(&place.to_string_lossy(), error.to_string());
        }
        for file in files {
            if !self.files.insert(file.clone()) {
                continue;
            }
            let name = file.to_string_lossy();
            self.documents.plans.extend(sweeps::plan_beside(&file));
            match read_text(&file, DOCUMENT_BYTES) {
                Ok(text) => self.document(&name, &text),
                Err(error) => self.damaged(&name, error.to_string()),
            }
        }
    }

    /// Puts records, summaries and shards together.
    pub fn finish(mut self) -> ReadResults {
        unfinished::leave_out_superseded(&mut self.documents.summaries);
        assemble::assemble(self.documents)
    }
}

/// One repetition by itself: its record, and the summaries that it names.
///
/// # Errors
/// Why it has no figures.
pub fn observe(record: Record, summaries: Vec<(String, Summary)>) -> Result<Observation, String> {
    let mut summaries: BTreeMap<String, Reduced> = summaries
        .into_iter()
        .map(|(name, summary)| (name.clone(), reduce(&name, summary)))
        .collect();
    let found = record
        .summaries
        .iter()
        .map(|name| summaries.remove(name))
        .collect();
    let run = recorded(Recorded {
        name: record::FILE_NAME.to_owned(),
        attempts: record.attempt,
        record,
        found,
        sweep: None,
    });
    run.outcome.map_err(|failure| failure.reason)
}

/// Whether a file is read whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    ByTheUser,
    ByAFolder,
}

/// A folder that cannot be read hides nothing but itself.
fn json_files(
    path: &Path,
    named: NamedBy,
    (files, unreadable): (&mut Vec<PathBuf>, &mut Vec<(PathBuf, io::Error)>),
) {
    if path.is_dir() {
        let mut entries = match fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>)
        {
            Ok(entries) => entries,
            Err(error) => return unreadable.push((path.to_owned(), error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        // A link to a folder above would have no end.
        let followed = |entry: &fs::DirEntry| {
            entry
                .file_type()
                .is_ok_and(|kind| !kind.is_symlink() || !entry.path().is_dir())
        };
        for entry in entries.into_iter().filter(followed) {
            json_files(&entry.path(), NamedBy::ByAFolder, (files, unreadable));
        }
        return;
    }
    let is_hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    // A pipe would never end.
    if named == NamedBy::ByTheUser || (is_json && !is_hidden && path.is_file()) {
        files.push(path.to_owned());
    }
}
