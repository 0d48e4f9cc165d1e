//! What a run leaves: the spool files while it goes on, then the timing CSV and the summary.

pub mod keys;
pub mod rows;
pub mod place;
