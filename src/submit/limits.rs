//! What limits a job first: rates and quotas of AWS that a forecast is held against.

use super::forecast::{JobForecast, PAID_BESIDE_S};
use crate::price::{MINIMUM_SECONDS, storage_gib};
use crate::speed::Bound;

/// GETs per second that S3 serves for each prefix at least (its user guide).
pub const GETS_PER_PREFIX_AND_S: f64 = 5_500.0;
/// Network interfaces of a region (VPC's default quota): a task has one.
pub const INTERFACES: u32 = 5_000;
/// Addresses of the stack's own subnets, two of /20: AWS takes five of each.
pub const ADDRESSES: u32 = 2 * (4_096 - 5);
/// When the stack's job definition ends a child.
pub const CHILD_TIME_OUT_S: f64 = 86_400.0;

impl JobForecast {
    /// What limits the job first, and what else to know; in the order of their weight.
    pub fn limits(&self) -> Vec<JobLimit> {
        let mut limits = Vec::new();
        if self.at_once < self.shards {
            limits.push(JobLimit::Quota);
        }
        let lived = self.slowest.seconds + PAID_BESIDE_S;
        if self.slowest.slow_s + PAID_BESIDE_S > CHILD_TIME_OUT_S {
            limits.push(JobLimit::TimeOut);
        }
        if storage_gib(self.disk_bytes) > self.task_disk_gib {
            limits.push(JobLimit::Disk);
        }
        if self.at_once > INTERFACES {
            limits.push(JobLimit::Interfaces);
        }
        if self.starts_s > 0.0 {
            limits.push(JobLimit::Starts);
        }
        if self.gets_per_s > GETS_PER_PREFIX_AND_S * self.folders.max(1) as f64 {
            limits.push(JobLimit::Prefixes);
        }
        let mean = self.bytes.unwrap_or(0) as f64 / f64::from(self.shards.max(1));
        if self.bytes.is_some() && self.largest as f64 > mean && self.shards > 1 {
            limits.push(JobLimit::LargestObject);
        }
        if lived < MINIMUM_SECONDS && self.shards > 1 {
            limits.push(JobLimit::Minute);
        }
        limits.push(JobLimit::Task(self.slowest.bound));
        limits
    }
}

/// Something that limits a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobLimit {
    /// The queue does not run all children at once.
    Quota,
    /// A child lives for longer than the job definition lets it.
    TimeOut,
    /// A child's keys and rows do not fit on the disk of a task.
    Disk,
    /// More tasks at once than a region has network interfaces.
    Interfaces,
    /// Fargate starts so many tasks one after another.
    Starts,
    /// More GETs per second than S3 serves for so many folders.
    Prefixes,
    /// One object is more than an even share.
    LargestObject,
    /// Tasks live for less than they are paid for.
    Minute,
    /// What holds each task back.
    Task(Bound),
}
