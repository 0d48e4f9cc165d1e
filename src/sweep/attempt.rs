//! One attempt at a repetition, and what places and the driver tell each other about it. Plain data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::matrix::Planned;
use crate::cell::Cell;
use crate::exit::Failure;
use crate::results::record::{Limited, Record, SCHEMA, SweepFacts, VERSION};

/// What the reason of a repetition begins with that was ended by its time limit.
pub(super) const OUT_OF_TIME: &str = "did not end within";

/// A run that is still to be done.
#[derive(Clone, Debug)]
pub(super) struct Todo {
    pub(super) planned: Planned,
    /// Which try at it, from 1.
    pub(super) attempt: u32,
    /// Its number among all runs, from 1; none for a warm-up.
    pub(super) number: Option<u64>,
    /// Attempts before it that the platform broke.
    pub(super) broken: u32,
}

/// One attempt at a repetition, in its folder.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) todo: Todo,
    pub(super) dir: PathBuf,
    pub(super) started_at: String,
}

impl Attempt {
    pub(super) fn cell(&self) -> &Cell {
        &self.todo.planned.cell
    }

    /// Its record, as far as it is known before anything of it has ended.
    pub(super) fn record(&self, facts: &SweepFacts, limited: Limited) -> Record {
        Record {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            sweep: facts.clone(),
            cell: self.cell().clone(),
            repetition: self.todo.planned.repetition,
            attempt: self.todo.attempt,
            position: self.todo.planned.position,
            amount: self.todo.planned.amount,
            started_at: self.started_at.clone(),
            limited,
            failure: None,
            outside: None,
            contender: None,
            contender_times: None,
            contender_settings: None,
            summaries: Vec::new(),
            server: None,
            started_server: None,
            tasks: Vec::new(),
            beside: Vec::new(),
        }
    }
}

/// Letters of a contender's last line that are part of the reason.
const LETTERS: usize = 200;

/// The reason with the last line that a program wrote: mostly it says why it ended, as `ModuleNotFoundError: No module named 'boto3'`.
pub(super) fn with_last_line(reason: &str, line: &str) -> String {
    let line: String = line.trim().chars().take(LETTERS).collect();
    format!("{reason}: {line}")
}

/// Why a cell cannot run at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CannotRun {
    /// Whether it is more than the place has at all, so that a default plan leaves it out.
    pub(super) is_too_large: bool,
    pub(super) failure: Failure,
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) attempt: Attempt,
    pub(super) record: Record,
}

/// What comes of waiting.
#[derive(Debug)]
pub(super) enum Awaited {
    /// One attempt has ended.
    Finished(Box<Finished>),
    /// A signal came first.
    Stopped,
    /// The money is used up; nothing runs any more.
    Spent,
}

/// A task that was stopped with its sweep, and has no record: its price counts all the same when the sweep goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stopped {
    /// vCPU × 1024.
    pub(super) cpu_units: u32,
    /// MiB.
    pub(super) memory_mib: u32,
    /// GiB; where a version before this one stopped it, not known to be more than is free.
    #[serde(default)]
    pub(super) storage_gib: u32,
    /// What it is billed for.
    pub(super) billed_s: f64,
}
