//! The three concurrency models. Each keeps a constant number of workers busy with `worker::work`; they differ in what a worker is.
//!
//! Owns the hand-out of keys, the barrier and what happens when a worker dies. Knows nothing of listing, results or what a person sees.

mod board;
mod error;
mod job;
mod local;
mod process;
mod queue;
mod tasks;
mod threads;
mod worker;

use std::sync::Arc;

pub use board::{Board, Gate, GateKeeper};
pub use error::EngineError;
pub use job::{ChildOptions, EngineReport, WorkerJob};
pub use process::child_main;
pub use queue::Queue;

use crate::plan::Mode;
use crate::store::{Clients, StoreError};
use local::LocalChannels;
use worker::WorkerContext;

/// Runs the job. `gate` opens once every worker has its client; the future ends when every worker has ended.
///
/// # Errors
/// Before the epoch at once. Behind it an error of one worker means the same in every mode: no more keys are handed out, fetches in flight end, and their
/// rows are handed over before this returns.
pub async fn run(
    job: WorkerJob,
    board: Arc<Board>,
    gate: Gate,
) -> Result<EngineReport, EngineError> {
    let (queue, runtimes) = (Arc::clone(&job.queue), job.runtimes);
    let ended = match job.mode {
        Mode::Async => match context(job, board, gate) {
            Ok((context, channels)) => tasks::run(context, channels, runtimes).await,
            Err(error) => Err(error.into()),
        },
        Mode::Thread => match context(job, board, gate) {
            Ok((context, channels)) => threads::run(context, channels).await,
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
fn context(
    job: WorkerJob,
    board: Arc<Board>,
    gate: Gate,
) -> Result<(Arc<WorkerContext<Clients>>, LocalChannels), StoreError> {
    let context = WorkerContext {
        factory: Clients::new(job.client, job.recipe, job.feed)?,
        concurrency: job.concurrency.get(),
        fetch: job.fetch,
        items: job.items,
        board,
        gate,
    };
    Ok((
        Arc::new(context),
        LocalChannels {
            queue: job.queue,
            rows: job.rows,
        },
    ))
}
