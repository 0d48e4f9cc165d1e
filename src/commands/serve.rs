//! `parfetch serve`.

use crate::cli::Raw;
use crate::exit::{Exit, Failure};

/// Runs it for a person.
pub(super) fn main(_raw: &Raw) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Unexpected, "to come"))
}

/// Runs it for a parent process.
pub(super) fn supervised() -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Unexpected, "to come"))
}
