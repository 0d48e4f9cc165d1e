//! A sweep: every cell of a matrix, several times, in an order that is fair, each repetition by itself; what came of it stands in a folder.
//!
//! Owns the plan, the order, the folder and the launchers. Runs no fetch itself: repetitions are processes of their own. Judges nothing: that is
//! what reports are for.

mod drive;
mod folder;
mod keys;
mod local;
mod matrix;
pub mod plan;
mod setup;

#[cfg(test)]
pub(crate) mod fixture;

pub use drive::{Ended, Failed, Forecast, Job, Oversize, World, dry_run, sweep};
pub use folder::FolderError;
pub use local::{Confinement, become_program};
pub use matrix::{Planned, cells, order};
