//! What a record says of a contender: what it fetched and what its optional columns of times say, from its CSV; or how long it took. Plain data; FORMAT.md describes every
//! field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::summary::Distributions;

/// What a contender's CSV says, or how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContenderResult {
    /// The time in its header: its own fetch time, starting its workers included. Without a CSV the time of the whole program: of its process on this
    /// machine; on ECS from the start of its container to its end, in ECS's own words, which are exact to a second or two.
    pub fetch_ns: u64,
    /// Rows; null where it writes no CSV, so that what it read is not known.
    pub objects: Option<u64>,
    /// Rows that say `ok`; where there is no outcome, those whose counted size is the announced one. Null without a CSV.
    pub ok: Option<u64>,
    /// Bytes of those rows; null without a CSV.
    pub goodput_bytes: Option<u64>,
}

impl ContenderResult {
    /// Of a program that writes no CSV.
    pub const fn timed(fetch_ns: u64) -> Self {
        Self {
            fetch_ns,
            objects: None,
            ok: None,
            goodput_bytes: None,
        }
    }
}

/// What a contender was told of its configuration: what runs it so again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContenderSettings {
    /// Variables that follow from the configuration.
    pub environment: BTreeMap<String, String>,
    /// Words that replace the command of its container on ECS; what does not follow from the configuration stands in braces. Empty = the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// What the columns of times in a contender's CSV say, in its own time. Of rows with `StartNs` and `EndNs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContenderTimes {
    /// Such rows.
    pub timed: u64,
    /// Times of those that are `ok`.
    pub distributions: Distributions,
    /// Sum of all their times ÷ fetch time.
    pub in_flight_mean: Option<f64>,
    /// Most that were open at one instant.
    pub in_flight_most: u64,
    /// Last start − first start.
    pub start_spread_ns: Option<u64>,
    /// Last end − first end.
    pub end_spread_ns: Option<u64>,
    /// Distinct values of `Pid`; null without the column.
    pub pids: Option<u64>,
    /// Distinct values of `Tid` in a process; null without the column.
    pub tids: Option<u64>,
}
