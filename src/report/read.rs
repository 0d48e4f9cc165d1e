//! Documents in, observations out: what a report is made of.

use super::model::Failure;
use super::observation::Observation;

/// A line about a document that could not be read, or that contradicts another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which document.
    pub document: String,
    /// What is wrong with it, in one line.
    pub what: String,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Repetitions that ended well.
    pub observations: Vec<Observation>,
    /// Repetitions that did not.
    pub failures: Vec<Failure>,
    /// Lines for the user; with any of them the command does not end well.
    pub problems: Vec<Problem>,
    /// JSON documents of other kinds.
    pub passed_over: u64,
}
