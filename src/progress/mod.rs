//! What a person sees while a run goes on: a bar on a terminal, lines in a log, or nothing but warnings.
//!
//! Listens to `RunEvent`s and draws; asks nothing, times nothing (elapsed time stands in the events) and never stops a run: what cannot be
//! written to stderr is lost. The only place that knows indicatif.

mod bar;
mod best;
mod display;
mod fill;
mod jobs;
mod json;
mod lines;
mod meter;
mod run;
mod screen;
mod sweep;

pub use display::Display;
pub use fill::FillProgress;
pub use jobs::JobProgress;
pub use run::Progress;
pub use sweep::SweepProgress;
