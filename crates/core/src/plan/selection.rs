//! Which keys are fetched: where they come from, and which part of them.

use std::num::NonZeroU64;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::shard::Shard;
use super::uri::S3Uri;

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// Every page of `ListObjectsV2`.
    Listing,
    /// A key file on this machine.
    File(PathBuf),
    /// A key file, or the `manifest.json` of an S3 Inventory, in a bucket.
    Object(S3Uri),
    /// A folder of key files in a bucket, one a shard ([`Shard::key_file`]): the shard's own, and all of it.
    Folder(S3Uri),
}

/// How many keys a random sample has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SampleSize {
    /// So many keys.
    Keys(NonZeroU64),
    /// As many keys as have so many bytes together, and no more.
    Bytes(NonZeroU64),
    /// Enough for [`AUTO_SECONDS`], and no more than [`AUTO_BYTES`].
    Auto,
}

/// Seconds that the fastest configuration of a sweep is to fetch for, at least, with a sample of size `auto`.
pub const AUTO_SECONDS: f64 = 5.0;
/// Most bytes of a sample of size `auto`.
pub const AUTO_BYTES: NonZeroU64 = NonZeroU64::new(2_000_000_000).unwrap();
/// Seed of a sample, where none is given.
pub const SAMPLE_SEED: u64 = 1;

/// A random sample of the keys, in proportion within size classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeySample {
    /// How large it is.
    pub size: SampleSize,
    /// What it is drawn with: the same keys and the same seed give the same sample.
    pub seed: u64,
}

impl Selection {
    /// Everything that there is.
    pub fn of(source: KeySource) -> Self {
        Self {
            source,
            prefix: String::new(),
            limit: None,
            sample: None,
            shard: None,
        }
    }
}

/// Which keys are fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Selection {
    /// Where the keys come from.
    pub source: KeySource,
    /// Only keys that begin with this; empty = all.
    pub prefix: String,
    /// The first so many keys (after prefix and shard).
    pub limit: Option<u64>,
    /// A random sample of the keys (after prefix and shard); never with `limit`.
    #[serde(default)]
    pub sample: Option<KeySample>,
    /// Only this part of the keys.
    pub shard: Option<Shard>,
}
