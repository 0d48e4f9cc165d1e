//! What a run cost, or would cost as a task on Fargate.

use serde::{Deserialize, Serialize};

use crate::price::Egress;

/// What a run cost, by the list prices of On-Demand capacity in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Price {
    /// All of it.
    pub usd_total: f64,
    /// vCPU and memory of the task, for `billed_s`.
    pub usd_task: f64,
    /// Its ephemeral storage beyond 20 GiB.
    pub usd_storage: f64,
    /// GET, LIST and PUT requests.
    pub usd_requests: f64,
    /// Bytes read from storage classes that charge for it.
    pub usd_retrieval: f64,
    /// Bytes that left the bucket's region; null where `egress` is `none`.
    pub usd_egress: Option<f64>,
    /// The price at the measured rate: the task for the fetch time alone, without the minimum, and everything else; ÷ TB of goodput. Null without goodput.
    pub usd_per_tb: Option<f64>,
    /// The same ÷ a million `ok` fetches. Null without one, and in summaries of versions that did not compute it.
    pub usd_per_million_fetches: Option<f64>,
    /// Seconds that the task is billed for.
    pub billed_s: f64,
    /// Whether these are the minute that Fargate bills at least.
    pub is_minimum: bool,
    /// The task.
    pub task: PricedTask,
    /// Whether the run was elsewhere, and this is what such a task would cost.
    pub is_hypothetical: bool,
    /// GETs that are billed: every attempt but answers of 5xx and connections that failed.
    pub gets: u64,
    /// LIST requests.
    pub lists: u64,
    /// PUTs of the results, parts each.
    pub puts: u64,
    /// The region whose prices of requests were taken: that of the bucket, or us-east-1 where the list has none of it.
    pub requests_of: String,
    /// Where the bytes went, as was asked for.
    pub egress: Egress,
    /// Date of the price list, `2026-11-25`.
    pub prices_dated: String,
}

/// The Fargate task that is paid for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PricedTask {
    /// vCPU.
    pub vcpu: f64,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// `x86_64`, `arm64`.
    pub arch: String,
    /// Region.
    pub region: String,
    /// Ephemeral storage in GiB; null where it is not known, and then nothing is priced for it.
    pub storage_gib: Option<u64>,
}
