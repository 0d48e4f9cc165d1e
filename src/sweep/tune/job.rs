//! What a tune is asked to do, and what comes of it: plain data.

use std::time::Duration;

use crate::results::tune::TuneDocument;
use crate::sweep::job::{SweepEnd, SweepJob};

/// Keys of the frozen order at most: no tune needs more, and each run reads the list.
pub const MOST_KEYS: u64 = 1_000_000;

/// A tune to be done.
#[derive(Clone, Debug)]
pub struct TuneJob {
    /// The sweep that its runs are; its plan says what is asked, and among which configurations.
    pub sweep: SweepJob,
    pub limits: TuneLimits,
}

/// What it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TuneLimits {
    pub runs: u64,
    /// Of all runs together.
    pub time: Option<Duration>,
    /// Of all runs together.
    pub bytes: Option<u64>,
}

/// How a tune ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneEnd {
    pub ended: SweepEnd,
    pub document: TuneDocument,
}
