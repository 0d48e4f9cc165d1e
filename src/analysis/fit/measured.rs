//! What was measured of a program: what the law is fitted to.

use crate::law::LawPoint;

/// The objects of the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::analysis) struct Objects {
    pub(in crate::analysis) count: f64,
    pub(in crate::analysis) mean_bytes: f64,
}

/// What is fetched in all cells, and by which kind of program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::analysis) struct Subject {
    pub(in crate::analysis) objects: Objects,
    pub(in crate::analysis) is_contender: bool,
}

/// What a configuration took of its processor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::analysis) struct CpuOfObject {
    /// Logarithm of the seconds of an object.
    pub(in crate::analysis) log_s: f64,
    /// Share of its vCPU that was used.
    pub(in crate::analysis) share: f64,
}

/// One configuration.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analysis) struct Measured {
    pub(in crate::analysis) at: LawPoint,
    /// Logarithm of objects a second, of all tasks together.
    pub(in crate::analysis) log_rate: f64,
    /// Of that, by its repetitions.
    pub(in crate::analysis) variance: f64,
    pub(in crate::analysis) cpu: Option<CpuOfObject>,
}
