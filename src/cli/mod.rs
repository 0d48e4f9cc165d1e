//! The command line and the environment: every flag and variable in one table, and what was typed or set for each.
//!
//! Owns names and help texts. Takes values as they were typed: what they mean is decided in `settings`. The only reader of the environment.

mod again;
mod build;
mod colour;
mod doctor;
mod fill;
mod generated;
mod invocation;
mod letters;
mod pages;
mod parse;
mod places;
mod raw;
mod refusal;
mod reports;
mod run;
mod serve;
mod setting;
mod shared;
mod subcommands;
mod submit;
mod sweeps;
mod tune;
mod upload;
mod values;
mod words;

pub use again::typed_again;
pub use colour::{colours, last_value};
pub use generated::{ManualPage, completions, manual};
pub use invocation::{Confined, Invocation};
pub use pages::SHELLS;
pub use parse::{Unparsed, begins_a_run, parse};
pub(crate) use places::is_web_address;
pub use raw::{Given, Raw};
pub use run::WELCOME;
pub use setting::{Setting, Takes};
pub use shared::EVERYWHERE;
pub use subcommands::{SUBCOMMANDS, Subcommand};
pub use values::{TIP, Variables};

#[cfg(test)]
mod tests;
