//! (to come)
pub mod clock;
