//! One run, every setting resolved.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::fetch::FetchOptions;
use super::layout::Layout;
use super::selection::Selection;
use super::shard::Shard;
use super::source::ObjectSource;
use super::words::{ClientKind, Mode};
use crate::price::Egress;

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
    /// What it reads from.
    pub source: ObjectSource,
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
