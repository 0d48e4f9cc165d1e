//! The embedded server: a real S3 endpoint on this machine, for trying parfetch out and for measuring what a client costs.
//!
//! It runs as a process of its own (so that its CPU time is not the client's), checks signatures, and holds two buckets: `source`, whose objects
//! are computed from their index and stored nowhere, and `results`, a folder. [`Options`] say what the source holds, how the network behaves and
//! which faults happen. [`Embedded`] is the parent's side of such a process, [`serve_supervised`] the child's, [`serve_standalone`] a person's own.
//!
//! Nothing in here knows of a run; the clients under test know nothing of what is in here.

mod access;
mod backend;
mod body;
mod child;
mod conditions;
mod connection;
mod error;
mod keys;
mod listing;
mod meter;
mod model;
mod multipart;
mod options;
mod pages;
mod parse;
mod path;
mod protocol;
mod reading;
mod results;
mod serve;
mod shortcut;
mod socket;
mod source;
mod statistics;
mod supervised;
mod timer;
mod tls;

#[cfg(test)]
mod tests;

pub use child::Embedded;
pub use error::ServerError;
pub use options::Options;
pub use protocol::{ProcessConfig, Ready, ServerCredentials, TlsFiles};
pub use serve::Server;
pub use statistics::{FaultCounts, ServerReport};
pub use supervised::{serve_standalone, serve_supervised};

/// The bucket with synthetic objects; it can be listed and read, nothing else.
pub const SOURCE_BUCKET: &str = "source";

/// The bucket kept in a folder.
pub const RESULTS_BUCKET: &str = "results";
