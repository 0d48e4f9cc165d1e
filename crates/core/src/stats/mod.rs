//! Pure arithmetic on what was measured: no I/O, no clock, nothing that knows where a number came from.

pub mod best;
pub mod change;
pub mod family;
pub mod histogram;
pub mod location;
pub mod moderated;
pub mod moment;
pub mod near;
pub mod overlap;
pub mod rank;
pub mod rounds;
pub mod strata;

#[cfg(test)]
mod fixture;

/// Significance level of every test, after correction for the number of comparisons.
pub const ALPHA: f64 = 0.05;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;
