//! A model of a platform: a law that says how fast a configuration fetches a bucket, and the summaries that runs on such a platform would leave.
//!
//! It is no measurement, and its figures come from nobody's account. It serves to try what reads results: there the truth is known, which no real
//! platform tells. A model is a TOML file ([`Model`], where every key is described); [`Law`] answers for one configuration, [`simulate_run`] for one run of a
//! sweep.
//! Draws random numbers from the model's seed alone: the same file gives the same documents.

mod documents;
mod effects;
mod figures;
mod file;
mod law;
mod noise;
mod run;
#[cfg(any(test, feature = "fixtures"))]
mod session;
#[cfg(any(test, feature = "fixtures"))]
mod whole;

#[cfg(any(test, feature = "fixtures"))]
pub use documents::Document;
#[cfg(any(test, feature = "fixtures"))]
pub use documents::{AskedSweep, simulate};
pub use documents::{RunOnModel, simulate_run};
pub use effects::ByMode;
#[cfg(any(test, feature = "fixtures"))]
pub use effects::Corner;
pub use file::{MOST_OBJECTS, Model, ProgramCpu};
pub use law::Law;
#[cfg(any(test, feature = "fixtures"))]
pub use law::RateLimits;
#[cfg(any(test, feature = "fixtures"))]
pub use run::{Chance, Ran, RunAmount};
#[cfg(any(test, feature = "fixtures"))]
pub use session::ModelSession;
#[cfg(any(test, feature = "fixtures"))]
pub use whole::Whole;
