//! Repetitions as tasks of a service that runs containers: started, watched and stopped; what they found comes through the results bucket.
//!
//! Owns every rule of when a task is started, looked at, given up, and what that may cost. Nothing that it starts is left behind: a task that is past a
//! deadline is stopped, and so are all when the sweep ends early, unless it was asked to leave them; then the next sweep of this id finds them. Which
//! service that is stands behind [`crate::cloud::Tasks`], whose words for states and ends are those of ECS.

mod abandon;
mod budget;
mod collect;
mod definition;
mod disk;
mod ending;
mod launcher;
mod ledger;
mod look;
mod plan;
mod repetition;
mod start;
mod state;
mod task;

pub(super) use budget::{Budget, TaskPrice};
pub(super) use definition::{DEFAULT_ARCHITECTURE, DefinitionRules, contender_task};
pub use plan::{ContenderTask, FleetPlan, OnInterrupt};
pub(super) use state::{AccountLimits, Fleet, VcpuQuota};

#[cfg(test)]
mod tests;
