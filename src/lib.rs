//! parfetch: how many vCPU, which concurrency model and how much concurrency to read many objects from S3.
//!
//! The crate is layered (ARCHITECTURE.md has the picture): plain data (`plan`, `sample`, `event`, `price`, `units`) at the bottom, pure
//! arithmetic (`stats`), S3 and the machine (`store`, `platform`), the measured path (`fetch`), the engines, results and the lister, one run,
//! and what a person sees on top. A module imports only from layers below it; a test holds that.

mod analysis;
mod cell;
mod cli;
mod cloud;
mod commands;
mod doctor;
mod engine;
mod escape;
mod estimate;
mod event;
mod exit;
mod fetch;
mod fill;
#[cfg(test)]
mod fuzz;
mod guess;
mod law;
mod lister;
mod model;
mod output;
mod plan;
mod platform;
mod price;
mod progress;
mod render;
mod results;
mod run;
mod sample;
mod server;
mod settings;
mod shell;
mod speed;
mod spool;
mod stats;
mod store;
mod submit;
mod sweep;
mod tune;
mod units;
mod words;
mod wrap;

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
