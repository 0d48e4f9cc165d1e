//! The machine that a run is on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of the machine.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
pub struct Environment {}
