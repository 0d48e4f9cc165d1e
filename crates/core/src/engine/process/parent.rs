//! The parent's side of mode `process`: it starts the children, passes ranges out and rows in, and replaces those that die.
//!
//! A child has one range in work, and one in credit while there is plenty. A row counts once it is here; what a child that died, hangs or talks nonsense
//! had not acknowledged is fetched again by another. Credentials go by pipe, never by argument or environment.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};

use super::launch::{BrokenChild, Child};
use super::outstanding::Busy;
use super::service::ServiceEnd;
use super::slots::Slots;
use super::wire::{ChildReport, FromChild};
use crate::engine::board::{Board, Gate};
use crate::engine::error::EngineError;
use crate::engine::job::{EngineReport, WorkerJob};
use crate::fetch::RunClock;

/// A slot whose children died so often in a row without a single row is given up.
const DEATHS_PER_SLOT: u32 = 3;

/// Why there is no child.
enum NoChild {
    /// It died, or was ended, before it was ready.
    Died(String),
    /// It would be so for every other: its client cannot be made, or no process started.
    Never(EngineError),
}

/// Runs the job on children. All of it on the caller's runtime: the parent only passes ranges out and rows in.
pub(in crate::engine) async fn run(
    job: WorkerJob,
    board: Arc<Board>,
    gate: Gate,
) -> Result<EngineReport, EngineError> {
    let slots = job.concurrency.get();
    let shared = Rc::new(Slots {
        job,
        board,
        busy: Busy::default(),
        suspects: RefCell::default(),
        epoch_ns: Cell::new(None),
        report: RefCell::default(),
        last_death: RefCell::default(),
    });
    let mut running: FuturesUnordered<_> = (0..slots)
        .map(|number| Rc::clone(&shared).slot(number, gate.clone()))
        .collect();
    let mut result = Ok(());
    while let Some(ended) = running.next().await {
        if ended.is_err() {
            if shared.epoch_ns.get().is_none() {
                // Who waits for the epoch waits in vain.
                return ended.map(|()| EngineReport::default());
            }
            shared.job.queue.stop();
            shared.busy.wake();
        }
        result = result.and(ended);
    }
    drop(running);
    result?;
    let report = shared.report.take();
    let unfinished = !shared.job.queue.is_drained() && !shared.is_over();
    match shared.last_death.borrow_mut().take() {
        Some(how) if unfinished => Err(EngineError::ChildrenDied(how)),
        _ => Ok(EngineReport {
            warnings: shared.board.take_warnings(),
            ..report
        }),
    }
}

impl Slots {
    /// One worker's place: a child, and another one should it die.
    async fn slot(self: Rc<Self>, number: u32, mut gate: Gate) -> Result<(), EngineError> {
        let mut child = self.first(number).await?;
        gate.report(Ok(()));
        let Some(epoch_ns) = gate.epoch().await else {
            return Ok(());
        };
        let clock = RunClock { epoch_ns };
        self.epoch_ns.set(Some(epoch_ns));
        let mut idle_deaths = 0;
        loop {
            let end = self.serve(&mut child, clock).await;
            self.board.child_ended(child.pid);
            match end {
                ServiceEnd::Bye(bye) => return self.end_report(*bye, child).await,
                ServiceEnd::Died {
                    keys,
                    worked,
                    broken,
                } => {
                    let how = child.how_it_ended(broken).await;
                    let fate = match (keys, self.is_over()) {
                        (1, true) => "1 fetch is left".to_owned(),
                        (1, false) => "1 fetch goes to another child".to_owned(),
                        (keys, true) => format!("{keys} fetches are left"),
                        (keys, false) => format!("{keys} fetches go to other children"),
                    };
                    self.note_death(
                        number,
                        format!(
                            "child {} of worker {number} died ({how}); {fate}",
                            child.pid
                        ),
                        how,
                    );
                    idle_deaths = if worked { 0 } else { idle_deaths + 1 };
                }
            }
            child = loop {
                if self.is_over() || idle_deaths >= DEATHS_PER_SLOT {
                    return Ok(());
                }
                let begun = tokio::select! {
                    begun = self.begin(number) => begun,
                    () = self.killing() => return Ok(()),
                };
                match begun {
                    Ok(child) => break child,
                    Err(NoChild::Never(error @ EngineError::Client(_))) => return Err(error),
                    Err(no_child) => {
                        let how = no_child.to_string();
                        self.note_death(
                            number,
                            format!("a child of worker {number} could not be replaced ({how})"),
                            how,
                        );
                        idle_deaths += 1;
                    }
                }
            };
        }
    }

    /// A worker's first child. One that dies before it is ready says nothing of the job: another is started.
    async fn first(&self, number: u32) -> Result<Child, EngineError> {
        let mut deaths = 0;
        loop {
            match self.begin(number).await {
                Ok(child) => return Ok(child),
                Err(NoChild::Never(error)) => return Err(error),
                Err(NoChild::Died(how)) => {
                    deaths += 1;
                    if deaths >= DEATHS_PER_SLOT {
                        return Err(EngineError::system(
                            format!("cannot start child process {number}"),
                            io::Error::other(how),
                        ));
                    }
                    self.board.warn(format!("a child of worker {number} died before it began ({how}); another is started"));
                }
            }
        }
    }

    /// Starts a child and waits until it is ready.
    async fn begin(&self, number: u32) -> Result<Child, NoChild> {
        let mut child = Child::start(&self.job, number).map_err(NoChild::Never)?;
        let mut watchdog = child.start_watchdog();
        let greeted = child.greet(&self.job).await;
        // What it said counts first: a child that could not begin closes its pipe.
        let frame = tokio::select! {
            frame = child.frames.next() => frame,
            broken = watchdog.lost() => return Err(NoChild::Died(child.how_it_ended(broken).await)),
        };
        let broken = match (frame, greeted) {
            (Ok(Some(FromChild::Ready)), Ok(())) => {
                self.board.child_began(child.pid);
                return Ok(child);
            }
            (
                Ok(Some(FromChild::Bye(ChildReport {
                    failure: Some(failure),
                    ..
                }))),
                _,
            ) => return Err(NoChild::Never(failure.into())),
            (Ok(Some(_)), _) => {
                BrokenChild::Killed("it said something other than `ready`".to_owned())
            }
            (Ok(None), _) => BrokenChild::Gone("it ended".to_owned()),
            (Err(error), _) => BrokenChild::Killed(error.to_string()),
        };
        Err(NoChild::Died(child.how_it_ended(broken).await))
    }
}

impl std::fmt::Display for NoChild {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Died(how) => f.write_str(how),
            Self::Never(error) => error.fmt(f),
        }
    }
}
