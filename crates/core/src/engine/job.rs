//! What the workers of a run are given, and what the engine measured of them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use super::queue::Queue;
use crate::plan::{ClientKind, FetchOptions, Mode};
use crate::platform::usage::CpuTimes;
use crate::spool::items::Items;
use crate::spool::rows::RowSender;
use crate::store::{CredentialFeed, Recipe};

/// How children are started.
#[derive(Clone, Debug, Default)]
pub struct ChildOptions {
    /// This program.
    pub executable: PathBuf,
    /// The whole environment of a child: nothing that could hold a secret.
    pub environment: Vec<(String, String)>,
}

/// What an engine is told: who fetches what, and how.
#[derive(Clone, Debug)]
pub struct WorkerJob {
    /// Concurrency model.
    pub mode: Mode,
    /// S3 client.
    pub client: ClientKind,
    /// Number of workers.
    pub concurrency: NonZeroU32,
    /// How each object is fetched.
    pub fetch: FetchOptions,
    /// How clients are made.
    pub recipe: Recipe,
    /// Credentials; `None` = unsigned.
    pub feed: Option<CredentialFeed>,
    /// Folder of the items, for children.
    pub spool: PathBuf,
    /// What there is to fetch.
    pub items: Arc<Items>,
    /// Hands them out.
    pub queue: Arc<Queue>,
    /// Where rows go.
    pub rows: RowSender,
    /// Runtimes of mode `async`: one a vCPU.
    pub runtimes: NonZeroU32,
    /// How children are started.
    pub children: ChildOptions,
}

/// What the engine itself measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineReport {
    /// CPU between barrier and end of the workers' own processes other than this one (children); `None` when one of them could not say.
    pub children_fetch: Option<CpuTimes>,
    /// Sum of the children's largest resident sizes; `None` when one of them could not say.
    pub children_rss_bytes: Option<u64>,
    /// Things a person should know: a child died, a worker panicked.
    pub warnings: Vec<String>,
}

impl Default for EngineReport {
    /// No children: they used nothing.
    fn default() -> Self {
        Self {
            children_fetch: Some(CpuTimes::default()),
            children_rss_bytes: Some(0),
            warnings: Vec::new(),
        }
    }
}
