//! What both programs share: their arguments, the key list, and the one line of JSON that they print.

use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// `PROGRAM ENDPOINT BUCKET KEYS CONCURRENCY`.
pub struct Arguments {
    pub endpoint: String,
    pub bucket: String,
    /// Keys as they stand in the key file: these programs want none that needs an escape.
    pub keys: Vec<String>,
    pub concurrency: usize,
}

impl Arguments {
    pub fn read() -> Result<Self, String> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let [endpoint, bucket, path, concurrency] = given.as_slice() else {
            return Err("usage: PROGRAM ENDPOINT BUCKET KEYS CONCURRENCY".to_owned());
        };
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let keys = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split('\t').next())
            .map(str::to_owned)
            .collect();
        let concurrency = concurrency
            .parse()
            .map_err(|_| format!("concurrency: {concurrency}"))?;
        Ok(Self {
            endpoint: endpoint.clone(),
            bucket: bucket.clone(),
            keys,
            concurrency,
        })
    }
}

/// The fetch phase: between [`Phase::begin`] and [`Phase::end`].
pub struct Phase {
    begun: Instant,
    cpu_ns: i64,
}

impl Phase {
    pub fn begin() -> Self {
        Self {
            cpu_ns: cpu_ns(),
            begun: Instant::now(),
        }
    }

    /// The line that the driver reads.
    pub fn end(self, requests: u64, bytes: u64) -> String {
        let wall_ns = self.begun.elapsed().as_nanos();
        let whole = cpu_ns();
        let fetch = whole - self.cpu_ns;
        let peak = peak_rss_bytes().map_or("null".to_owned(), |bytes| bytes.to_string());
        format!(
            r#"{{"requests":{requests},"bytes":{bytes},"wall_ns":{wall_ns},"cpu_fetch_ns":{fetch},"cpu_whole_ns":{whole},"peak_rss_bytes":{peak}}}"#
        )
    }
}

/// User and system time of this process so far.
fn cpu_ns() -> i64 {
    let usage: Usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage of oneself cannot fail");
    usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds()
}

/// The largest resident set of this program. What `wait4` tells is at least that of whoever started it.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}
