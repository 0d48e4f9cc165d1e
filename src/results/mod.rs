//! What a run leaves behind: its rows as CSV, its summary as JSON.

pub mod csv;
pub mod outcome;
pub mod summary;
