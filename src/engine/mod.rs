//! The three concurrency models. Each keeps a constant number of workers busy with `worker::work`; they differ in what a worker is.
//!
//! Owns the hand-out of keys, the barrier and what happens when a worker dies. Knows nothing of listing, results or what a person sees.

mod board;
mod process;
mod queue;
mod tasks;
mod threads;
mod worker;

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

pub use board::{Board, Gate, GateKeeper};
pub use process::{ChildOptions, child_main};
pub use queue::Queue;
pub use worker::Crew;
use worker::LocalStations;

use crate::exit::{Exit, Failure};
use crate::plan::{ClientKind, Limits, Mode, Work};
use crate::platform::usage::CpuTimes;
use crate::spool::items::Items;
use crate::spool::rows::RowSender;
use crate::store::{CredentialFeed, Recipe, Shared, StoreError};

/// What the workers are to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// Concurrency model.
    pub mode: Mode,
    /// S3 client.
    pub client: ClientKind,
    /// Number of workers.
    pub concurrency: NonZeroU32,
    /// Limits of a fetch.
    pub limits: Limits,
    /// CPU work per object.
    pub work: Work,
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

/// Why the workers could not do their job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A worker could not make its client.
    #[error(transparent)]
    Client(#[from] StoreError),
    /// What to fetch could not be read from disk.
    #[error("cannot read the spool file of what to fetch: {0}")]
    Spool(io::Error),
    /// A thread or process could not be started, or ended in a way of its own.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The store answers nobody any more.
    #[error(
        "the store is gone: nobody got a byte or an answer for a long time, while fetches failed"
    )]
    StoreGone,
    /// Every child is dead.
    #[error("every child process died; the last: {0}")]
    ChildrenDied(String),
}

impl EngineError {
    fn system(what: impl Into<String>, cause: io::Error) -> Self {
        Self::System {
            what: what.into(),
            cause,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Client(error) => error.into(),
            EngineError::StoreGone => {
                Self::new(Exit::FetchesFailed, EngineError::StoreGone.to_string())
                    .hint("the rest was not attempted; run again once it answers")
            }
            error @ EngineError::Spool(_) => Self::new(Exit::Unexpected, error.to_string())
                .hint("nothing else may change files in --spool-dir during a run"),
            error @ EngineError::System { .. } => Self::new(Exit::SetUp, error.to_string())
                .hint("a smaller CONCURRENCY needs fewer threads, processes and files"),
            error => Self::new(Exit::Unexpected, error.to_string()),
        }
    }
}

/// A runtime of one thread: what a worker of mode `thread` has for itself, and workers of mode `async` share.
fn runtime() -> Result<tokio::runtime::Runtime, EngineError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| EngineError::system("cannot start a runtime", cause))
}

/// Runs the job. `gate` opens once every worker has its client; the future ends when every worker has ended.
///
/// # Errors
/// Before the epoch at once. Behind it an error of one worker means the same in every mode: no more keys are handed out, fetches in flight end, and their
/// rows are handed over before this returns.
pub async fn run(job: Job, board: Arc<Board>, gate: Gate) -> Result<EngineReport, EngineError> {
    let (queue, runtimes) = (Arc::clone(&job.queue), job.runtimes);
    let ended = match job.mode {
        Mode::Async => match crew(job, board, gate) {
            Ok((crew, stations)) => tasks::run(crew, stations, runtimes).await,
            Err(error) => Err(error.into()),
        },
        Mode::Thread => match crew(job, board, gate) {
            Ok((crew, stations)) => threads::run(crew, stations).await,
            Err(error) => Err(error.into()),
        },
        Mode::Process => process::run(job, board, gate).await,
    };
    if ended.is_err() {
        queue.stop();
    }
    ended
}

/// What workers of this process share, and where their keys come from.
fn crew(
    job: Job,
    board: Arc<Board>,
    gate: Gate,
) -> Result<(Arc<Crew<Shared>>, LocalStations), StoreError> {
    let crew = Crew {
        factory: Shared::new(job.client, job.recipe, job.feed)?,
        concurrency: job.concurrency.get(),
        limits: job.limits,
        work: job.work,
        items: job.items,
        board,
        gate,
    };
    Ok((
        Arc::new(crew),
        LocalStations {
            queue: job.queue,
            rows: job.rows,
        },
    ))
}
