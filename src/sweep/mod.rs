//! A sweep: every cell of a matrix, several times, in an order that is fair, each repetition by itself; what came of it stands in a folder.
//!
//! Owns the plan, the order, the folder and the launchers. Runs no fetch itself: repetitions are processes of their own. Judges nothing: that is
//! what reports are for.

mod attempt;
mod clock;
mod drive;
mod environment;
mod fleet;

mod fitting;
mod folder;
mod forecast;
mod job;
mod keep;
mod keys;
mod local;
mod matrix;
mod place;
pub mod plan;
mod setup;
mod summaries;

mod written;

#[cfg(test)]
pub(crate) mod fixture;

pub use drive::{dry_run, sweep};
pub use fleet::{Consent, FleetPlan, OnInterrupt};
pub use job::{Ended, Failed, Forecast, Job, Oversize, World};
pub use local::{Confinement, become_program};
#[cfg(test)]
pub(crate) use matrix::cells;
