//! parfetch: how many vCPU, which concurrency model and how much concurrency to read many objects from S3.
//!
//! The crate is layered (ARCHITECTURE.md has the picture): plain data ([`plan`], [`sample`], [`event`], [`price`], [`units`]) at the bottom, pure
//! arithmetic ([`stats`]), S3 and the machine ([`store`], [`platform`]), the measured path ([`fetch`]), the engines, results and the lister, one run,
//! and what a person sees on top. A module imports only from layers below it; a test holds that.

pub mod analysis;
pub mod cell;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod doctor;
pub mod engine;
mod escape;
pub mod event;
pub mod exit;
pub mod fetch;
pub mod fill;
#[cfg(test)]
pub(crate) mod fuzz;
mod guess;
pub mod lister;
pub mod model;
pub mod outlook;
pub mod output;
pub mod pace;
pub mod plan;
pub mod platform;
pub mod price;
pub mod progress;
pub mod render;
pub mod results;
pub mod run;
pub mod sample;
pub mod server;
pub mod settings;
mod shell;
pub mod spool;
pub mod stats;
pub mod store;
pub mod submit;
pub mod sweep;
pub mod units;
mod wrap;
