//! Mode `thread`: N long-lived jobs on a rayon pool of its own; each owns one single-threaded runtime, and all of its fetches are polled there.

use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::error::EngineError;
use super::job::EngineReport;
use super::local::{LocalChannels, run_worker, runtime};
use super::worker::{WorkerContext, WorkerId};
use crate::store::ClientFactory;

/// Runs every worker on a thread of its own.
pub(super) async fn run<F: ClientFactory>(
    context: Arc<WorkerContext<F>>,
    channels: LocalChannels,
) -> Result<EngineReport, EngineError> {
    let threads = usize::try_from(context.concurrency).expect("a u32 fits");
    // Before any worker waits for the others: for one that has none they would wait for ever.
    let runtimes = (0..threads)
        .map(|_| runtime())
        .collect::<Result<Vec<_>, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("parfetch-{number}"))
        .build();
    let pool = pool.map_err(|error| {
        EngineError::system(
            format!("cannot start {threads} threads"),
            io::Error::other(error),
        )
    })?;
    let (tell, end) = oneshot::channel();
    let shared = Arc::clone(&context);
    let body = move || {
        // `broadcast` runs the job exactly once on every thread of the pool, so N workers have N threads.
        let results =
            pool.broadcast(|context| worker(&shared, &channels, (context.index(), &runtimes)));
        debug_assert_eq!(results.len(), threads);
        let _called_off = tell.send(results.into_iter().collect::<Result<(), EngineError>>());
    };
    std::thread::Builder::new()
        .name("parfetch-pool".to_owned())
        .spawn(body)
        .map_err(|cause| EngineError::system("cannot start a thread", cause))?;
    end.await.unwrap_or_else(|_| {
        Err(EngineError::system(
            "the thread pool ended",
            io::Error::other("panicked"),
        ))
    })?;
    Ok(EngineReport {
        warnings: context.board.take_warnings(),
        ..EngineReport::default()
    })
}

fn worker<F: ClientFactory>(
    context: &WorkerContext<F>,
    channels: &LocalChannels,
    (index, runtimes): (usize, &[Runtime]),
) -> Result<(), EngineError> {
    let number = u32::try_from(index).expect("concurrency is a u32");
    runtimes[index].block_on(run_worker(context, WorkerId { number, index }, channels))
}
