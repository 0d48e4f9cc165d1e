//! One run: look at the machine, prove the results place, list, start the workers, fetch, write and store the results.
//!
//! Emits [`RunEvent`](crate::event::RunEvent)s and writes nothing for people.

mod account;
mod ahead;
mod arrange;
mod aws;
mod background;
mod capacity;
mod clock;
mod context;
mod drive;
mod embedded;
mod fallback;
mod fetch;
mod finish;
mod gauges;
mod interrupt;
mod listing;
mod log;
mod pass;
mod prepare;
mod price;
mod rows;
mod source;
mod storing;
mod title;
mod unstored;
mod watch;

pub use ahead::foresee;
pub use capacity::most_workers;
pub use context::{RunContext, RunEnd};
pub use drive::run;
pub use embedded::{reached, static_keys};
pub use source::read_body;
pub use unstored::upload_command;
