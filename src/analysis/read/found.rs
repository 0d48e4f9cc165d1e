//! What was read: repetitions, and lines about documents that do not count.

use std::collections::BTreeMap;

use serde::Serialize;

use super::reduce::Context;
use super::sweeps::SweepsOfPlace;
use crate::analysis::model::{FailedRepetition, Workload};
use crate::analysis::observation::Observation;
use crate::cell::Cell;
use crate::results::tune::TuneDocument;

/// A line about a document that could not be read, or that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which document.
    pub document: String,
    /// What is wrong with it, in one line.
    pub what: String,
    /// Of which kind it is.
    pub kind: ProblemKind,
}

/// What a problem means for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// It is left out, and the rest stands.
    LeftOut,
    /// The same repetition stands there twice, and which of them is right nobody knows.
    Duplicate,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadResults {
    /// Every repetition that counts, in the order of cells and repetitions.
    pub(in crate::analysis) runs: Vec<Run>,
    /// Lines for the user; with any of them the command does not end well.
    pub problems: Vec<Problem>,
    /// JSON documents of other kinds.
    pub passed_over: u64,
    /// Where several sweeps lay in one place: what was left out there.
    pub(in crate::analysis) sweeps_of_places: Vec<SweepsOfPlace>,
    /// By the name of a sweep, its plan's file, where it lies beside its results.
    pub(in crate::analysis) plans: BTreeMap<String, String>,
    /// By its name, the document of a tune.
    pub(in crate::analysis) tunes: BTreeMap<String, TuneDocument>,
}

impl ReadResults {
    /// Repetitions that count, failed ones too.
    pub fn repetitions(&self) -> usize {
        self.runs.len()
    }
}

/// One repetition of one cell of one workload.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analysis) struct Run {
    pub(in crate::analysis) workload: Workload,
    pub(in crate::analysis) cell: Cell,
    pub(in crate::analysis) outcome: Result<Observation, FailedRepetition>,
    pub(in crate::analysis) context: Context,
}

impl Run {
    /// UTC of its start.
    pub(in crate::analysis) fn started_at(&self) -> &str {
        match &self.outcome {
            Ok(observation) => &observation.started_at,
            Err(failure) => &failure.started_at,
        }
    }
}
