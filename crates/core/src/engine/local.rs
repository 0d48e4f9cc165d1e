//! Workers of this process: the keys of tasks and threads come from the queue, and their rows go to the writer.

use std::io;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;

use super::error::EngineError;
use super::queue::Queue;
use super::worker::{WorkerChannel, WorkerContext, WorkerId, work};
use crate::sample::Sample;
use crate::spool::rows::{RowBuffer, RowSender};
use crate::store::{ClientFactory, StoreError, StoreErrorKind};

/// A runtime of one thread: what a worker of mode `thread` has for itself, and workers of mode `async` share.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, EngineError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| EngineError::system("cannot start a runtime", cause))
}

/// Makes a channel for each worker of this process.
#[derive(Clone, Debug)]
pub(super) struct LocalChannels {
    pub(super) queue: Arc<Queue>,
    pub(super) rows: RowSender,
}

/// Keys from the queue, rows to the writer: the channel of tasks and threads.
pub(super) struct LocalChannel {
    queue: Arc<Queue>,
    rows: RowBuffer,
}

impl LocalChannels {
    pub(super) fn channel(&self) -> LocalChannel {
        LocalChannel {
            queue: Arc::clone(&self.queue),
            rows: self.rows.buffer(),
        }
    }
}

impl WorkerChannel for LocalChannel {
    async fn next(&mut self, now_ns: u64) -> Option<Range<u64>> {
        self.queue.take(now_ns)
    }

    async fn done(&mut self, row: Sample) {
        self.rows.push(row);
    }

    fn is_over(&self, now_ns: u64) -> bool {
        self.queue.is_over(now_ns)
    }

    fn leave(&mut self, rest: Range<u64>) {
        self.queue.leave(rest);
    }

    /// Dropping the buffer hands it over.
    async fn close(&mut self) {}
}

/// One worker of this process, from its client to its last row. When it fails, no other gets any more keys: in every mode an error ends the run so.
pub(super) async fn run_worker<F: ClientFactory>(
    context: &WorkerContext<F>,
    id: WorkerId,
    channels: &LocalChannels,
) -> Result<(), EngineError> {
    let ended = AssertUnwindSafe(work(context, id, channels.channel()))
        .catch_unwind()
        .await;
    let result = ended.unwrap_or_else(|_| {
        // Who waits at the gate must not wait for this one.
        context.gate.report(Err(StoreError::new(
            StoreErrorKind::Other,
            format!("worker {} panicked before it began", id.number),
        )));
        Err(EngineError::system(
            format!("worker {} ended", id.number),
            io::Error::other("panicked"),
        ))
    });
    if result.is_err() {
        channels.queue.stop();
    }
    result
}
