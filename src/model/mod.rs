//! A model of a platform: a law that says how fast a configuration fetches a bucket, and the summaries that runs on such a platform would leave.
//!
//! It is no measurement, and its figures come from nobody's account. It serves to try what reads results: there the truth is known, which no real
//! platform tells. A model is a TOML file ([`Model`], where every key is described); [`Law`] answers for one configuration, [`simulate`] for a sweep.
//! Draws random numbers from the model's seed alone: the same file gives the same documents.

mod documents;
mod file;
mod law;
mod noise;
mod run;
mod session;

pub use documents::{Asked, Document, simulate};
pub use file::{Corner, Model, ProgramCpu};
pub use law::{Law, Limits, Whole};
pub use run::{Amount, Chance, Ran};
pub use session::ModelSession;
