//! The sections of a summary: plain data, units in the names, null for what is not known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::price::StoredClass;
use crate::sample::{ErrorCode, is_archived_class};
use crate::stats::histogram::Snapshot;

/// How long each part of a run took; null for a part that was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phases {
    /// Process start to the beginning of the listing.
    pub start_up_ns: Option<u64>,
    /// Listing every key, or reading the key file; putting them in order and dividing them, where that was asked.
    pub listing_ns: Option<u64>,
    /// Of it, putting keys in order and dividing them; null where they are fetched whole and as listed.
    pub ordering_ns: Option<u64>,
    /// Looking up the addresses of a web server, once for the whole run; null for S3.
    pub lookup_ns: Option<u64>,
    /// Starting the workers, until every one has built its client.
    pub worker_start_ns: Option<u64>,
    /// Epoch to the last end of a fetch.
    pub fetch_ns: Option<u64>,
    /// Writing and storing the results, until this summary was made: its own way to the bucket cannot be in it.
    pub write_back_ns: Option<u64>,
}

/// How many rows ended how, or the bytes of those rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcomes {
    /// Read to the end and as long as announced.
    pub ok: u64,
    /// Given up.
    pub failed: u64,
    /// Listed, and gone when fetched.
    pub vanished: u64,
    /// In a storage class that needs a restore.
    pub archived: u64,
    /// Never handed to a worker.
    pub not_attempted: u64,
}

/// Rows whose object, as far as the answers told, is not the one that was listed: the bucket changed since, or the store's listing is not true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotAsListed {
    /// All of them.
    pub rows: u64,
    /// Those with another size.
    pub size: u64,
    /// Those with another `ETag`.
    pub etag: u64,
}

/// Objects and bytes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Totals {
    /// Keys to fetch, after prefix, shard, and limit or sample.
    pub keys_listed: u64,
    /// Their size as listed; null where the source does not say.
    pub listed_bytes: Option<u64>,
    /// How many times the keys were begun to be gone through, the last times perhaps in part.
    pub rounds: u64,
    /// Objects asked for, which is how many rows there must be: the keys; in a run that time ends (`--duration`) those of each round that workers
    /// began in time, and archived ones once. Null in summaries of 0.1.0.
    #[serde(default)]
    pub asked_objects: Option<u64>,
    /// Their size as listed, which is what `row_bytes` must add up to; null where the source does not say.
    #[serde(default)]
    pub asked_bytes: Option<u64>,
    /// Of the rows not attempted, objects in parts that were begun when the time of `--duration` was up.
    #[serde(default)]
    pub cut_by_time: u64,
    /// Rows by outcome.
    pub rows: Outcomes,
    /// Rows whose object is not the one that was listed; null in summaries of versions that did not look.
    pub not_as_listed: Option<NotAsListed>,
    /// Bytes of these rows by outcome, as listed, where known; `goodput_bytes` is what really came of those that are `ok`. Null in summaries of 0.1.0.
    #[serde(default)]
    pub row_bytes: Option<Outcomes>,
    /// Body bytes of the fetches that ended `ok`.
    pub goodput_bytes: u64,
    /// Body bytes read from sockets, failed attempts too.
    pub received_bytes: Option<u64>,
}

/// What follows from totals and times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rates {
    /// Received bytes ÷ fetch time.
    pub throughput_bytes_per_s: Option<f64>,
    /// Bytes of `ok` fetches ÷ fetch time.
    pub goodput_bytes_per_s: Option<f64>,
    /// Bytes of `ok` fetches that came within the active window ÷ active window. A body that straddles the window's end counts by the
    /// share of its time (first byte to end) that lies inside.
    pub active_window_bytes_per_s: Option<f64>,
    /// Attempts ÷ fetch time.
    pub requests_per_s: Option<f64>,
    /// `ok` fetches within the active window ÷ active window; one that straddles its end counts by the share of its time inside.
    pub active_window_fetches_per_s: Option<f64>,
    /// `ok` fetches × the fastest of them ÷ fetch time: how many fetches a server worked on at once, if each took it as long as the fastest. An estimate.
    pub served_side_by_side: Option<f64>,
    /// (fetch time − active window) ÷ fetch time: how much of the time went by with workers idle at the end. Of a run that time ends (`--duration`) the
    /// part after the first worker's last fetch: until then all are busy.
    pub tail_share: Option<f64>,
}

/// Body bytes by the second in which the socket read returned them, failed attempts too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// Length of one interval: 1,000,000,000.
    pub interval_ns: u64,
    /// Bytes of each interval since the epoch; the last one may be cut short.
    pub bytes: Vec<u64>,
    /// Fetches that ended `ok` in each interval, parts each; empty in summaries of versions that did not count them.
    #[serde(default)]
    pub fetches: Vec<u64>,
}

/// Times of the fetches that ended `ok`. Failed ones are counted elsewhere: their time says how long it took to give up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Distributions {
    /// Last attempt handed to the client → first body bytes.
    pub ttfb: Snapshot,
    /// Last attempt handed to the client → body complete.
    pub latency: Snapshot,
    /// First attempt handed to the client → body complete: retries and back-off included.
    pub fetch_duration: Snapshot,
}

/// Upper ends of the size classes, in bytes; what is larger is in one more class.
pub const SIZE_CLASS_BOUNDS: [u64; 5] = [16 << 10, 128 << 10, 1 << 20, 8 << 20, 64 << 20];

/// The `ok` fetches of one range of sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SizeClass {
    /// The largest size of the class; null for the class without an upper end.
    pub up_to_bytes: Option<u64>,
    /// Fetches.
    pub objects: u64,
    /// Their body bytes.
    pub bytes: u64,
    /// Median latency.
    pub latency_p50_ns: Option<u64>,
    /// 99th percentile of the latency.
    pub latency_p99_ns: Option<u64>,
}

/// The keys of one storage class, each counted once whatever the number of rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StorageClass {
    /// Keys.
    pub objects: u64,
    /// Their size as listed, where known.
    pub bytes: u64,
}

/// The storage classes whose keys are fetched, for their prices: nothing is asked for an archived key.
pub fn fetched_classes(classes: &BTreeMap<String, StorageClass>) -> Vec<StoredClass<'_>> {
    let fetched = classes.iter().filter(|(name, _)| !is_archived_class(name));
    fetched
        .map(|(name, class)| StoredClass {
            name,
            objects: class.objects,
            bytes: class.bytes,
        })
        .collect()
}

/// How much really went on at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InFlight {
    /// Sum of all fetch durations ÷ fetch time. Parts of one object count each.
    pub mean: Option<f64>,
    /// Most fetches open at one instant. Parts of one object count each.
    pub most: Option<u32>,
    /// The first start of the worker that began last − that of the one that began first.
    pub first_start_spread_ns: Option<u64>,
    /// The last end of the worker that finished last − that of the one that finished first.
    pub last_end_spread_ns: Option<u64>,
    /// Distinct processes that fetched.
    pub pids: u64,
    /// Distinct threads that fetched.
    pub tids: u64,
}

/// HTTP attempts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attempts {
    /// All of them, and tries to connect that failed.
    pub total: u64,
    /// Fetches that took more than one.
    pub retried_fetches: u64,
    /// Time between attempts, summed over all workers.
    pub backoff_ns: u64,
    /// Failed attempts by error code.
    pub by_code: std::collections::BTreeMap<String, u64>,
    /// Failed attempts whose code says «too fast».
    pub throttles: u64,
    /// Connections opened.
    pub connections_opened: Option<u64>,
}

impl Attempts {
    /// Answers that said "too fast" and came from KMS, which S3 asks to decrypt.
    pub fn throttles_of_kms(&self) -> u64 {
        let of_kms = self.by_code.get("KMS.ThrottlingException");
        of_kms.copied().unwrap_or(0)
    }

    /// Failed attempts that AWS does not bill: answers of 5xx, and connections that were not made.
    pub fn unpaid(&self) -> u64 {
        let is_unpaid = |word: &str| {
            let status = word
                .strip_prefix("HTTP")
                .and_then(|status| status.parse().ok());
            status
                .map_or_else(|| ErrorCode::from_word(word), ErrorCode::from_status)
                .is_unpaid()
        };
        self.by_code
            .iter()
            .filter(|(word, _)| is_unpaid(word))
            .map(|(_, count)| count)
            .sum()
    }
}

/// Processor time. Fetch phase: between barrier and end, of every process of the run, as each reported it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CpuTime {
    /// Fetch phase, user.
    pub fetch_user_ns: Option<u64>,
    /// Fetch phase, system.
    pub fetch_sys_ns: Option<u64>,
    /// Whole run, user.
    pub whole_user_ns: Option<u64>,
    /// Whole run, system.
    pub whole_sys_ns: Option<u64>,
    /// CPU seconds of the fetch phase ÷ GB received.
    pub s_per_gb: Option<f64>,
    /// CPU microseconds of the fetch phase ÷ attempts.
    pub us_per_request: Option<f64>,
    /// CPU time of the fetch phase ÷ fetch time: how many vCPU were busy.
    pub used_vcpu: Option<f64>,
    /// How many vCPU there were; how that was found is part of the environment.
    pub limit_vcpu: Option<f64>,
    /// Time in which the kernel held the run back; null where it does not say, as on Fargate.
    pub throttled_ns: Option<u64>,
}

/// Memory of every process of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Memory {
    /// Largest sum of the processes' PSS that a sample found.
    pub peak_pss_bytes: Option<u64>,
    /// How many samples were taken.
    pub samples: u64,
    /// Sum of each process's largest RSS, shared pages counted once for each.
    pub peak_rss_bytes: Option<u64>,
}

/// Bytes that network interfaces counted during the fetch phase, headers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interface {
    /// Received, without loopback.
    pub rx_bytes: Option<u64>,
    /// Sent, without loopback.
    pub tx_bytes: Option<u64>,
    /// Received by the loopback interface.
    pub loopback_rx_bytes: Option<u64>,
}
