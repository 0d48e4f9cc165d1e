//! What would stop a run here: one check after another, each with a time limit, a result and a hint.
//!
//! Owns the checks and their words. Reads; what it stores to prove that results can be written, it removes again.

mod account;
mod check;
mod checks;
mod examine;
mod forecast;
mod machine;
mod results;
mod source;

pub use check::{Check, CheckInputs, CheckOutcome, Examination, TasksPlace};
pub use checks::Checks;
pub use examine::examine;
