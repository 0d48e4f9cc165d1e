//! (to come)

pub mod spill;
