//! What the integration tests share.

pub mod scripted;
pub mod strict;
