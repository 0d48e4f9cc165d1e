//! One repetition in a fleet: its tasks, how they are asked for, and what is written down of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ledger::{Ledger, LedgerEntry};
use super::task::{Task, TaskPhase};
use crate::cloud::Launch;
use crate::sweep::attempt::Attempt;
use crate::sweep::folder::{FolderError, attempt_folder};
use crate::sweep::keys::ExpectedKeys;

/// The tasks of one attempt.
pub(super) struct Repetition {
    pub(super) attempt: Attempt,
    pub(super) tag: String,
    pub(super) launches: Vec<Launch>,
    pub(super) tasks: Vec<Task>,
    pub(super) beside: BTreeSet<String>,
    /// What its figures are read from.
    pub(super) left: LeftResult,
}

/// What the tasks of an attempt leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeftResult {
    /// Summaries of parfetch.
    Summaries,
    /// The CSV of a contender.
    Csv(CsvOfTask),
    /// Nothing: the time of a contender's container is all.
    Time,
}

/// The CSV of a contender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CsvOfTask {
    /// In the results bucket.
    pub(super) key: String,
    /// What it has to say.
    pub(super) expected: ExpectedKeys,
}

impl CsvOfTask {
    /// Where it is put on this machine.
    pub(super) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.key.rsplit('/').next().unwrap_or(&self.key))
    }
}

impl Repetition {
    pub(super) fn label(&self) -> String {
        label(&self.attempt)
    }

    pub(super) fn is_over(&self) -> bool {
        self.tasks
            .iter()
            .all(|task| task.phase() == TaskPhase::Ended)
    }

    pub(super) fn tasks(&self) -> u32 {
        u32::try_from(
            self.tasks
                .iter()
                .filter(|task| task.phase() != TaskPhase::Ended)
                .count(),
        )
        .unwrap_or(u32::MAX)
    }

    /// Writes down which tasks belong to it.
    pub(super) fn note(&self) -> Result<(), FolderError> {
        let entry = |task: &Task| LedgerEntry {
            shard: task.shard,
            tries: task.tries,
            arn: task.arn.clone(),
        };
        Ledger::new(
            self.attempt.started_at.clone(),
            self.tasks.iter().map(entry).collect(),
        )
        .write(&self.attempt.dir)
    }
}

fn label(attempt: &Attempt) -> String {
    format!(
        "{}/{}",
        attempt.cell().slug(),
        attempt_folder(&attempt.todo.planned, attempt.todo.attempt)
    )
}
