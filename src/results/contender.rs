//! What a record says of a contender, from its CSV: what it fetched, and what its optional columns of times say. Plain data; FORMAT.md describes every
//! field.

use serde::{Deserialize, Serialize};

use super::summary::Distributions;

/// What a contender's CSV says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContenderResult {
    /// The time in its header: its own fetch time, starting its workers included.
    pub fetch_ns: u64,
    /// Rows.
    pub objects: u64,
    /// Rows that say `ok`; where there is no outcome, those whose counted size is the announced one.
    pub ok: u64,
    /// Bytes of those rows.
    pub goodput_bytes: u64,
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
