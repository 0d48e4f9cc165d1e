//! What waits on disk while a run goes on: its keys, what it fetches in which order, and its rows, until one pass makes the results of them.

pub mod folder;
pub mod items;
pub mod keys;
pub mod merge;
pub mod room;
pub mod rows;
pub mod spill;
pub mod table;
