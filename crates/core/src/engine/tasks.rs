//! Mode `async`: one single-threaded runtime a vCPU, the workers spread over them as tasks.

use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

use super::error::EngineError;
use super::job::EngineReport;
use super::local::{LocalChannels, run_worker, runtime};
use super::worker::{WorkerContext, WorkerId};
use crate::store::ClientFactory;

/// Runs every worker as a task.
pub(super) async fn run<F: ClientFactory>(
    context: Arc<WorkerContext<F>>,
    channels: LocalChannels,
    runtimes: NonZeroU32,
) -> Result<EngineReport, EngineError> {
    let runtimes = runtimes.get().min(context.concurrency);
    let mut ends = Vec::new();
    for first in 0..runtimes {
        let runtime = runtime()?;
        let (context, channels) = (Arc::clone(&context), channels.clone());
        let (tell, end) = oneshot::channel();
        let body = move || {
            // The receiver is gone only when the run was called off.
            let _called_off = tell.send(serve(&runtime, (&context, &channels), (first, runtimes)));
        };
        std::thread::Builder::new()
            .name(format!("parfetch-{first}"))
            .spawn(body)
            .map_err(|cause| EngineError::system("cannot start a thread", cause))?;
        ends.push(end);
    }
    drop(channels);
    let mut result = Ok(());
    for end in ends {
        let end = end.await.unwrap_or_else(|_| {
            Err(EngineError::system(
                "a runtime's thread ended",
                io::Error::other("panicked"),
            ))
        });
        result = result.and(end);
    }
    result.map(|()| EngineReport {
        warnings: context.board.take_warnings(),
        ..EngineReport::default()
    })
}

/// One runtime: workers `first`, `first + step`, … on this thread. The first error of them, once all have ended.
fn serve<F: ClientFactory>(
    runtime: &Runtime,
    (context, channels): (&Arc<WorkerContext<F>>, &LocalChannels),
    (first, step): (u32, u32),
) -> Result<(), EngineError> {
    LocalSet::new().block_on(runtime, async {
        let mut workers = JoinSet::new();
        for number in
            (first..context.concurrency).step_by(usize::try_from(step).expect("a u32 fits"))
        {
            let (context, channels) = (Arc::clone(context), channels.clone());
            workers.spawn_local(async move {
                let index = usize::try_from(number).expect("a u32 fits");
                run_worker(&context, WorkerId { number, index }, &channels).await
            });
        }
        let mut result = Ok(());
        while let Some(end) = workers.join_next().await {
            result = result.and(end.unwrap_or_else(|panic| {
                Err(EngineError::system(
                    "a worker ended",
                    io::Error::other(panic),
                ))
            }));
        }
        result
    })
}
