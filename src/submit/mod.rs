//! A run on many tasks: the keys of a bucket cut into shards of equal bytes, one AWS Batch array job over them, and its end.
//!
//! Owns the division of the keys, the job's folder in the results bucket, the forecast and the wait. Fetches nothing itself: children are `parfetch run`.
//! Puts no results together: that is what reports are for.

mod cut;
mod document;
mod drive;
mod forecast;
mod job;
mod manifest;
mod tally;
mod wait;
mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use document::{JobDocument, Part};
pub use drive::{Ended, World, forecast, submit};
pub use forecast::Forecast;
pub use job::{Afterwards, Division, Job, Queue, Spending};
pub use wait::JobEnd;
