//! Pure arithmetic on what was measured: no I/O, no clock, nothing that knows where a number came from.

pub mod best;
pub mod change;
pub mod family;
pub mod histogram;
pub mod location;
pub mod moment;
pub mod overlap;
pub mod rank;
pub mod rounds;
pub mod strata;

#[cfg(test)]
mod fixture;
