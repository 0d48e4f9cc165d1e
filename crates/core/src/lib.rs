//! What parfetch measures and computes with: plain data and prices, stores, the measured path, engines, results, one run, and the statistics.
//!
//! It is a crate of its own because it is optimised where the program around it need not be: all code that a measurement goes through, and all
//! arithmetic on many numbers, is here. Its names serve the program `parfetch` alone and change with any version.

pub mod cell;
pub mod engine;
pub mod escape;
pub mod estimate;
pub mod event;
pub mod exit;
pub mod fetch;
#[cfg(any(test, feature = "fixtures"))]
pub mod fuzz;
pub mod guess;
pub mod law;
pub mod lister;
pub mod model;
pub mod plan;
pub mod platform;
pub mod price;
pub mod results;
pub mod run;
pub mod sample;
pub mod server;
pub mod shell;
pub mod speed;
pub mod spool;
pub mod stats;
pub mod store;
pub mod tune;
pub mod units;
mod words;
