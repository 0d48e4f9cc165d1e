//! What a run leaves: spool files while it goes on, then its rows as CSV and its summary as JSON, and the place where they are kept.

pub mod csv;
pub mod files;
pub mod items;
pub mod keys;
pub mod lines;
pub mod merge;
pub mod outcome;
pub mod place;
pub mod record;
pub mod room;
pub mod rows;
pub mod spill;
pub mod spool;
pub mod summary;
pub mod table;
pub mod upload;
