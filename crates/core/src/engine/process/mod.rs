//! Mode `process`: N children of the same binary, each one worker.
//!
//! A child has one range in work, and one in credit while there is plenty. A row counts once it is here; what a child that died, hangs or talks nonsense
//! had not acknowledged is fetched again by another. Credentials go by pipe, never by argument or environment.

mod child;
mod launch;
mod outstanding;
mod parent;
mod service;
mod slots;
mod wire;

pub use child::child_main;
pub(super) use parent::run;

#[cfg(test)]
mod tests;
