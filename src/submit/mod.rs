//! A run on many tasks: the keys of a bucket cut into shards of equal bytes, one AWS Batch array job over them, and its end.
//!
//! Owns the division of the keys, the job's folder in the results bucket, the forecast and the wait. Fetches nothing itself: children are `parfetch run`.
//! Puts no results together: that is what reports are for.

mod allowed;
mod claim;
mod cut;
mod document;
mod drive;
mod forecast;
mod job;
mod limits;
mod listing;
mod manifest;
mod money;
mod noted;
mod redo;
mod tally;
mod wait;
mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use document::{JobDocument, ShardKeys};
pub use drive::{SubmitContext, SubmitOutcome, forecast, submit};
pub use forecast::JobForecast;
pub use job::{Afterwards, BatchJob, Division, JobQueue};
pub use wait::JobEnd;
