//! parfetch: how many vCPU, which concurrency model and how much concurrency to read many objects from S3.
//!
//! It is layered (ARCHITECTURE.md has the picture). What measures and computes is `parfetch-core`: plain data at the bottom, pure arithmetic, S3 and the
//! machine, the measured path, the engines, results and the lister, one run. Here are sweeps, reports, settings, and what a person sees. A module
//! imports only from layers below it; a test holds that.

mod analysis;
mod cli;
mod cloud;
mod commands;
mod doctor;
mod fill;
mod output;
mod progress;
mod render;
mod settings;
mod submit;
mod sweep;
mod wrap;

use parfetch_core::{
    cell, engine, escape, estimate, event, exit, guess, law, lister, model, plan, platform, price,
    results, run, sample, server, shell, speed, spool, stats, store, tune, units,
};

#[cfg(test)]
use parfetch_core::fuzz;

pub use commands::main;

/// What the tests and benchmarks of this repository use besides the program; nobody else may: it changes with any version.
#[doc(hidden)]
pub mod internals {
    pub use crate::cli::{
        EVERYWHERE, SUBCOMMANDS, Setting, Subcommand, Takes, Unparsed, Variables, parse,
    };
    pub use crate::lister::{KeyFileWriter, Listed, list as list_keys};
    pub use crate::plan::{Access, ClientKind, KeySource, Limits, Mode, Selection};
    pub use crate::platform::clock;
    pub use crate::results::csv::{CsvReader, CsvRow, CsvWriter};
    pub use crate::results::record::{FILE_NAME, Record, RepetitionFailure};
    pub use crate::results::summary::{Limit, Outcomes, State, Summary};
    pub use crate::sample::{ErrorCode, KeyRecord, Outcome, Sample};
    pub use crate::server::{FaultCounts, ProcessConfig, Server};
    pub use crate::spool::keys::KeyFile;
    pub use crate::store::micro::{Reading, Signing, scan_page};
    pub use crate::store::{Bucket, Session, StaticCredentials};
    pub use crate::submit::{JobDocument, ShardKeys};
}
