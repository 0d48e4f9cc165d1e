//! A sweep: every cell of a matrix, several times, in an order that is fair, each repetition by itself; what came of it stands in a folder.
//!
//! Owns the plan, the order, the folder and the launchers. Runs no fetch itself: repetitions are processes of their own. Judges nothing: that is
//! what reports are for.

mod added;
mod attempt;
mod begin;
mod contender;
mod contender_result;
mod drive;
mod driver;
mod ecs;
mod enough;
mod environment;
pub mod factors;
mod first_run;
mod fleet;

mod fitting;
mod folder;
mod forecast;
pub mod header;
mod job;
mod keep;
mod keys;
mod launcher;
mod local;
pub mod matrix;
mod memory;
mod next;
mod place;
pub mod plan;
mod remaining;
pub mod requests;
mod room;
mod setup;
mod summaries;
mod time_left;
mod too_little;
mod tune;
mod tune_plan;

mod written;

#[cfg(test)]
pub(crate) mod fixture;
mod model;

pub use drive::{dry_run, sweep};
pub use fleet::{FleetPlan, OnInterrupt};
pub use job::{Failed, Oversize, RunsLeft, SweepContext, SweepEnd, SweepForecast, SweepJob};
pub use keys::KeyOrder;
pub use launcher::PlaceFacts;
pub use local::{Confinement, become_program, end_with_sweep};
#[cfg(test)]
pub(crate) use matrix::cells;
pub use place::SweepPlace;
pub use too_little::Mend;
pub use tune::{
    FittedModel, MOST_KEYS, TuneEnd, TuneForecast, TuneJob, TuneLimits, dry_run_tune, fit, tune,
};
