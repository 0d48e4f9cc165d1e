//! What a command line asks for.

use std::ffi::OsString;
use std::path::PathBuf;

use super::raw::Raw;

#[derive(Clone, Debug)]
pub enum Invocation {
    /// `run`, also without its name.
    Run(Raw),
    /// `upload DIR [s3://…]`.
    Upload(Raw),
    /// `doctor [s3://…]`.
    Doctor(Raw),
    /// `fill s3://…`.
    Fill(Raw),
    /// `report SOURCE…`.
    Report(Raw),
    /// `compare BASE NEW`.
    Compare(Raw),
    /// `serve`.
    Serve(Raw),
    /// The embedded server of a run, spoken to through its pipes.
    ServeSupervised,
    /// `tune`.
    Tune(Raw),
    /// `sweep`.
    Sweep(Raw),
    /// `submit`.
    Submit(Raw),
    /// `completions SHELL`.
    Completions(Raw),
    /// `man [COMMAND]`.
    Man(Raw),
    /// A child of `--mode process`.
    Worker,
    /// A process that ends what a killed sweep left.
    Guard,
    /// A process that holds itself to a size before it becomes a program.
    Confined(Confined),
}

/// How a process is to hold itself, and what it becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confined {
    /// Control groups to enter.
    pub groups: Vec<PathBuf>,
    /// Numbers of CPUs.
    pub cpus: Vec<u32>,
    /// Process id of the parent.
    pub parent: Option<u32>,
    /// Program and arguments.
    pub command: Vec<OsString>,
}
