//! The one integration binary: linking the SDK once matters. One file a subject; what they share is in `support`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may end where it stands, and says what it skips"
)]

mod account;
mod architecture;
mod arithmetic;
mod bad_input;
mod behaviour;
mod contenders;
mod deployed;
mod doctor;
mod ecs;
mod faults;
mod in_task;
mod listing;
mod money;
mod package;
mod pages;
mod pasted;
mod prices;
mod processes;
mod reference;
mod reports;
mod samples;
mod servers;
mod submit;
mod support;
mod sweeps;
mod tunes;
mod typed;
mod web;
mod words;
