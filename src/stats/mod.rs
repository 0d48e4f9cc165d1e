//! Pure arithmetic on what was measured: no I/O, no clock, nothing that knows where a number came from.

pub mod histogram;
pub mod overlap;
