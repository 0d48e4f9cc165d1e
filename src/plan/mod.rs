//! What a run is asked to do, validated: the plain types that every layer above reads.
//!
//! Owns the words of the settings ([`Mode`], [`ClientKind`], [`Work`] …) and nothing that does anything: no I/O, no clocks, no AWS types.

mod access;
mod layout;
pub mod names;
pub mod ranges;
mod selection;
pub(crate) mod variables;

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::price::Egress;
pub use access::Access;
pub use layout::{Layout, MIN_PART_SIZE, Order, SHUFFLE_SEED};
pub use selection::{
    AUTO_BYTES, AUTO_SECONDS, KeySample, KeySource, SAMPLE_SEED, SampleSize, Selection,
};

/// The concurrency model: what one worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One async task a worker, on one single-threaded runtime a vCPU.
    Async,
    /// One OS thread a worker.
    Thread,
    /// One child process a worker.
    Process,
}

impl Mode {
    /// Every mode, in the order in which tables show them.
    pub const ALL: [Self; 3] = [Self::Async, Self::Thread, Self::Process];

    /// The most workers that this mode serves.
    pub const fn max_concurrency(self) -> u32 {
        match self {
            Self::Async => 65_535,
            Self::Thread => 4_096,
            Self::Process => 1_024,
        }
    }

    /// The word that stands in settings, file names and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Thread => "thread",
            Self::Process => "process",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of async, thread, process"))
    }
}

/// Which S3 client fetches the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// parfetch's own: costs next to nothing, so it measures the platform.
    Lean,
    /// `aws-sdk-s3` as it comes: measures what a program on the SDK gets.
    Sdk,
}

impl ClientKind {
    /// Both clients.
    pub const ALL: [Self; 2] = [Self::Lean, Self::Sdk];

    /// The word that stands in settings and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::Sdk => "sdk",
        }
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ClientKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of lean, sdk"))
    }
}

/// CPU work done on every byte of a body, to find where the models cross over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Count the bytes only.
    #[default]
    None,
    /// MD5 of the body.
    Md5,
    /// SHA-256 of the body.
    Sha256,
    /// CRC-64/NVME of the body.
    Crc64nvme,
}

impl Work {
    const ALL: [Self; 4] = [Self::None, Self::Md5, Self::Sha256, Self::Crc64nvme];

    /// The word that stands in settings and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Crc64nvme => "crc64nvme",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|work| work.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of none, md5, sha256, crc64nvme"))
    }
}

/// One of `count` disjoint parts of the keys: those whose XXH3-64 modulo `count` is `index`, or those of a key file of its own
/// ([`KeySource::Folder`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many shards there are.
    pub count: NonZeroU32,
}

impl Shard {
    /// Name of its key file in a folder of them: `00003-of-00008.tsv`.
    pub fn key_file(self) -> String {
        format!("{:05}-of-{:05}.tsv", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not I/N with I from 0 to N-1");
        let (index, count) = text.split_once('/').ok_or_else(bad)?;
        let index: u32 = index.parse().map_err(|_| bad())?;
        let count: NonZeroU32 = count.parse().map_err(|_| bad())?;
        if index >= count.get() {
            return Err(bad());
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// `s3://bucket/key` (the key may be empty).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct S3Uri {
    /// The bucket.
    pub bucket: String,
    /// The key or key prefix, without the slash that follows the bucket.
    pub key: String,
}

impl S3Uri {
    /// Whether a listing of `prefix` has what is stored under `name` behind this one.
    pub fn is_listed_with(&self, name: &str, prefix: &Self) -> bool {
        self.bucket == prefix.bucket && format!("{}{name}", self.key).starts_with(&prefix.key)
    }
}

impl FromStr for S3Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| format!("`{text}` does not begin with s3://"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(format!("`{text}` names no bucket"));
        }
        names::check_bucket(bucket)
            .map_err(|wrong| format!("the bucket {}; {}", wrong.what, wrong.hint))?;
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Time limits of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// HTTP GETs for one object at the most, 1 to [`MAX_ATTEMPTS`].
    pub attempts: u32,
    /// Longest time to a connection (name, TCP, TLS).
    pub connect_timeout: Duration,
    /// Longest time without a byte. Also how long a worker keeps trying to connect to a store that refuses.
    pub stall_timeout: Duration,
    /// Longest time of one fetch, all attempts and back-off; none by default.
    pub fetch_timeout: Option<Duration>,
}

/// The most attempts that can be asked for: every error code of a fetch stands in its row, and rows are of a fixed size.
pub const MAX_ATTEMPTS: u32 = 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 5,
            connect_timeout: Duration::from_secs(3),
            stall_timeout: Duration::from_secs(10),
            fetch_timeout: None,
        }
    }
}

/// How each object is fetched: passed whole from the plan to the worker, so that another setting of a fetch touches its users alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchOptions {
    /// Time limits and attempts.
    pub limits: Limits,
    /// CPU work on its bytes.
    pub work: Work,
}

/// Where results go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Destination {
    /// The results bucket.
    pub bucket: Option<String>,
    /// Put in front of every result's name in the bucket.
    pub prefix: String,
    /// A folder on this machine, kept.
    pub out: Option<PathBuf>,
    /// Where spool files and, without `out`, results wait for their upload.
    pub spool_dir: Option<PathBuf>,
    /// Refuse to replace results of the same name.
    pub no_overwrite: bool,
}

/// One run, every setting resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// Source bucket.
    pub bucket: String,
    /// Which of its keys.
    pub selection: Selection,
    /// Number of workers.
    pub concurrency: NonZeroU32,
    /// Concurrency model.
    pub mode: Mode,
    /// S3 client.
    pub client: ClientKind,
    /// Label in the results' names.
    pub tag: String,
    /// How S3 is reached.
    pub access: Access,
    /// How each object is fetched.
    pub fetch: FetchOptions,
    /// Go round the keys until this time has passed since the epoch.
    pub duration: Option<Duration>,
    /// Order and parts.
    pub layout: Layout,
    /// Where results go.
    pub destination: Destination,
    /// Where the bytes go that are read: for the price alone.
    pub egress: Egress,
}

/// The name of a run's results without an ending: `result_{TAG}_{MODE}_{CONCURRENCY}`, with `.shard-I-of-N` when sharded.
pub fn result_stem(tag: &str, mode: Mode, concurrency: u32, shard: Option<Shard>) -> String {
    match shard {
        Some(Shard { index, count }) => {
            format!("result_{tag}_{mode}_{concurrency}.shard-{index}-of-{count}")
        }
        None => format!("result_{tag}_{mode}_{concurrency}"),
    }
}

impl RunPlan {
    /// The name of this run's results: [`result_stem`].
    pub fn result_stem(&self) -> String {
        result_stem(
            &self.tag,
            self.mode,
            self.concurrency.get(),
            self.selection.shard,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_takes_an_index_below_its_count() {
        assert_eq!("2/3".parse::<Shard>().unwrap().to_string(), "2/3");
        assert_eq!(
            "2/10000".parse::<Shard>().unwrap().key_file(),
            "00002-of-10000.tsv"
        );
        for bad in ["3/3", "-1/3", "1", "1/0", "a/b", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    #[test]
    fn s3_uri_splits_at_the_first_slash() {
        let uri: S3Uri = "s3://b/a//c".parse().unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key.as_str()), ("b", "a//c"));
        assert_eq!("s3://b".parse::<S3Uri>().unwrap().key, "");
        assert!("s3:///x".parse::<S3Uri>().is_err());
        assert!("http://b".parse::<S3Uri>().is_err());
    }

    #[test]
    fn words_survive_a_round_trip() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        }
        for work in Work::ALL {
            assert_eq!(work.to_string().parse::<Work>().unwrap(), work);
        }
        assert_eq!(
            "fiber".parse::<Mode>().unwrap_err(),
            "`fiber` is not one of async, thread, process"
        );
    }
}
