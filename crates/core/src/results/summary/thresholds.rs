//! From which figures on something counts as the limit: of a single run, and of the repetitions of a cell in a report, by the same numbers.

/// Share of its threads' time above which the server was the limit.
pub const SERVER_SHARE: f64 = 0.80;
/// Share of the vCPU limit from which the processor was the limit.
pub const CPU_SHARE: f64 = 0.95;
/// Share of the vCPU limit from which nothing is said of the network: a quota in bursts, or threads that share their work unevenly, flatten a curve as well,
/// and Fargate shows neither.
pub const BUSY_SHARE: f64 = 0.70;
/// Share of the time from which the CPU quota was the limit.
pub const QUOTA_SHARE: f64 = 0.10;
/// Share of throttled attempts from which S3 was the limit.
pub const S3_SHARE: f64 = 0.01;
/// Share of the fetch time from which the tail was the limit.
pub const TAIL_SHARE: f64 = 0.20;
