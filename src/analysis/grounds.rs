//! What a verdict was judged by, as data: `render` says it in words.

use super::notes::CurveNote;
use crate::cell::Cell;

/// What a verdict was judged by.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground {
    /// Why a repetition failed.
    Failure(String),
    /// Share of its threads' time that the server used.
    ServerShare(f64),
    /// CPU.
    CpuShare {
        /// Share of the limit that was used.
        share: f64,
        /// The limit.
        vcpu: f64,
        /// By the whole program, not by fetching alone.
        of_whole: bool,
    },
    /// Share of the time for which the CPU quota held it back.
    QuotaShare(f64),
    /// Share of the attempts that were throttled.
    ThrottledShare(f64),
    /// Share of the fetch time that the tail took.
    TailShare(f64),
    /// Its throughput is not known.
    NoThroughput,
    /// Its curve has one concurrency.
    OneConcurrency,
    /// A higher concurrency is significantly faster, by this share.
    Faster {
        /// That one.
        concurrency: u32,
        /// By this share.
        gain: f64,
    },
    /// A higher concurrency is faster, and no test shows it.
    PerhapsFaster {
        /// That one.
        concurrency: u32,
        /// By this share.
        gain: f64,
        /// In all of so many runs of each, which are too few for a test; `None` when chance would do as well.
        in_all: Option<usize>,
    },
    /// Its curve has no knee.
    NoKnee(Option<CurveNote>),
    /// It is the best of its curve or lies behind it, more workers are slower, and its CPU is not full.
    Falls,
    /// The plateau is too narrow to be one.
    Rising,
    /// Its rate is flat.
    Flat {
        /// From this concurrency.
        from: u32,
        /// To this one.
        to: u32,
        /// Why that need not be the network.
        doubt: Option<Doubt>,
    },
}

/// Why a plateau need not be the network's.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// The store is on the same machine: there is no network.
    SameMachine,
    /// Whether the program read anything is not known.
    ReadUnknown,
    /// How busy the CPU was is not known.
    CpuUnknown,
    /// This share of the vCPU was used.
    Busy(f64),
    /// S3 throttled this concurrency.
    Throttled(u32),
    /// Another cell of the same size is faster.
    FasterInSize {
        /// That one.
        cell: Cell,
        /// By this share.
        gain: f64,
        /// Whether a test shows it among so many cells.
        is_significant: bool,
    },
}
