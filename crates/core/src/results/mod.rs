//! What a run leaves, as FORMAT.md promises it: its rows as CSV, its summary as JSON, the record of a repetition, and the place where they are kept.

mod contender;
pub mod csv;
mod document;
mod error;
pub mod files;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;
mod left_out;
mod limited;
pub mod place;
pub mod record;
pub mod summary;
pub mod tune;
pub mod upload;

/// Where runs, sweeps and tunes leave their results unless told otherwise.
pub const DEFAULT_OUT: &str = "./parfetch-results";
/// Name of the plan in the folder of a sweep.
pub const PLAN_FILE: &str = "plan.toml";
