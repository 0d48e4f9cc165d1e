//! (to come)

pub mod overlap;
