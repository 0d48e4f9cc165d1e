//! The summary of a run: one versioned JSON document that says what was asked, where it ran and what was measured.
//!
//! Owns the document's types (its JSON Schema is generated from them), how it is computed from facts and rows in one streaming pass, and
//! the verdict. Writes no file. FORMAT.md describes every field.

mod account;
mod collect;
mod document;
mod facts;
mod figures;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixture;
mod judge;
mod parts;
mod price;
mod sampled;
mod settings;
pub mod thresholds;
mod verdict;
mod web;
mod workers;

pub use account::{Flaw, judge};
pub use collect::Summariser;
#[cfg(any(test, feature = "fixtures"))]
pub use collect::summarise;
pub use document::{SCHEMA, Summary};
pub use facts::{
    CpuFacts, FetchFacts, Header, ListingFacts, PassFacts, RunFacts, ServerFacts, State,
};
pub use parts::{
    Attempts, Distributions, Interface, Memory, NotAsListed, Outcomes, Phases, SIZE_CLASS_BOUNDS,
    Series, StorageClass, Totals, fetched_classes,
};
pub use price::{Price, PricedTask};
pub use sampled::{SampleClass, SampleFacts};
pub use verdict::{Finding, Limit, Verdict};
pub use web::{HttpSettings, RequestSteps, StepTimes};
