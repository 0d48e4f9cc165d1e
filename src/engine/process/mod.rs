//! Mode `process`: N children of the same binary, each one worker. This file is the parent's side.
//!
//! A child has one range in work and one in credit. A row counts once it is here; what a child that died had not acknowledged is fetched again by
//! another. Credentials go by pipe, never by argument or environment.

mod child;
mod launch;
mod wire;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

pub use child::child_main;
pub use launch::ChildOptions;

use super::board::{Board, Gate, Phase};
use super::{EngineError, EngineReport, Job};
use crate::fetch::{Clock, RunClock};
use crate::sample::{ErrorCode, Outcome, Sample};
use crate::store::{CredentialFeed, KeySet, StoreError, StoreErrorKind};
use launch::Child;
use wire::{Batch, Farewell, FromChild, ToChild};

/// Ranges a child has at most: one in work, one in credit.
const RANGES_PER_CHILD: usize = 2;
/// A slot whose children died so often in a row without a single row is given up.
const DEATHS_PER_SLOT: u32 = 3;
/// A key at which so many children died is given up: a row, not an endless loop.
const DEATHS_PER_UNIT: u32 = 2;

/// What the parent's slots share.
struct Floor {
    job: Job,
    board: Arc<Board>,
    /// Slots that have ranges in work; when none has and the queue is empty, all is done.
    busy: watch::Sender<usize>,
    /// Keys of which a child may have died, and how many more did while they were at it alone.
    suspects: RefCell<HashMap<u64, u32>>,
    epoch_ns: Cell<Option<u64>>,
    report: RefCell<EngineReport>,
    last_death: RefCell<Option<String>>,
}

/// How one child's service ended.
enum End {
    Bye(Box<Farewell>),
    /// How many keys it had not acknowledged, whether it had sent any row, and how it looked.
    Died {
        keys: u64,
        worked: bool,
        how: String,
    },
}

/// Runs the job on children. All of it on the caller's runtime: the parent only passes ranges out and rows in.
pub(super) async fn run(job: Job, board: Arc<Board>, gate: Gate) -> Result<EngineReport, EngineError> {
    let slots = job.concurrency.get();
    let floor = Rc::new(Floor {
        job,
        board,
        busy: watch::channel(0).0,
        suspects: RefCell::default(),
        epoch_ns: Cell::new(None),
        report: RefCell::default(),
        last_death: RefCell::default(),
    });
    let mut running: FuturesUnordered<_> = (0..slots).map(|number| Rc::clone(&floor).slot(number, gate.clone())).collect();
    while let Some(ended) = running.next().await {
        ended?;
    }
    drop(running);
    let report = floor.report.take();
    let unfinished = !floor.job.queue.is_drained() && !floor.is_over();
    match floor.last_death.borrow_mut().take() {
        Some(how) if unfinished => Err(EngineError::ChildrenDied(how)),
        _ => Ok(EngineReport { warnings: report.warnings.into_iter().chain(floor.board.take_warnings()).collect(), ..report }),
    }
}

impl Floor {
    /// One worker's place: a child, and another one should it die.
    async fn slot(self: Rc<Self>, number: u32, mut gate: Gate) -> Result<(), EngineError> {
        let mut child = Child::start(&self.job, number).await?;
        self.board.child_began(child.pid);
        let ready = self.wait_until_ready(&mut child).await;
        gate.report(ready.as_ref().map(drop).map_err(Clone::clone));
        ready?;
        let Some(epoch_ns) = gate.epoch().await else { return Ok(()) };
        let clock = RunClock { epoch_ns };
        self.epoch_ns.set(Some(epoch_ns));
        let mut idle_deaths = 0;
        loop {
            let end = self.serve(&mut child, clock).await;
            self.board.child_ended(child.pid);
            match end {
                End::Bye(bye) => return self.farewell(*bye, child).await,
                End::Died { keys, worked, how } => {
                    let how = child.autopsy(how).await;
                    let fate = if self.is_over() { "are left" } else { "go to other children" };
                    self.mourn(number, format!("child {} of worker {number} died ({how}); {keys} fetches {fate}", child.pid), how);
                    idle_deaths = if worked { 0 } else { idle_deaths + 1 };
                }
            }
            child = loop {
                if self.is_over() || idle_deaths >= DEATHS_PER_SLOT {
                    return Ok(());
                }
                match self.replacement(number).await {
                    Ok(child) => break child,
                    Err(how) => {
                        self.mourn(number, format!("a child of worker {number} could not be replaced ({how})"), how);
                        idle_deaths += 1;
                    }
                }
            };
        }
    }

    /// Another child for a worker whose child died.
    async fn replacement(&self, number: u32) -> Result<Child, String> {
        let mut child = Child::start(&self.job, number).await.map_err(|error| error.to_string())?;
        self.wait_until_ready(&mut child).await.map_err(|error| error.message)?;
        self.board.child_began(child.pid);
        Ok(child)
    }

    /// True when no more keys are to be fetched: stopped, or the time has passed.
    fn is_over(&self) -> bool {
        self.epoch_ns.get().is_some_and(|epoch_ns| self.job.queue.is_over(RunClock { epoch_ns }.now_ns()))
    }

    async fn wait_until_ready(&self, child: &mut Child) -> Result<(), StoreError> {
        let unexpected = |what: String| StoreError::new(StoreErrorKind::Other, format!("a child process could not begin: {what}"));
        match child.frames.next().await {
            Ok(Some(FromChild::Ready)) => Ok(()),
            Ok(Some(FromChild::Bye(Farewell { error: Some((message, hint)), .. }))) => {
                let error = StoreError::new(StoreErrorKind::Other, message);
                Err(StoreError { hint, ..error })
            }
            Ok(Some(_)) => Err(unexpected("it said something else than «ready»".to_owned())),
            Ok(None) => Err(unexpected(child.autopsy("it ended".to_owned()).await)),
            Err(error) => Err(unexpected(error.to_string())),
        }
    }

    /// Passes ranges out and takes rows in, until the child says good-bye or dies. Keys of one that dies have gone back when this returns.
    async fn serve(&self, child: &mut Child, clock: RunClock) -> End {
        let mut work = VecDeque::new();
        let mut feed = self.job.feed.clone();
        let (mut busy, mut phase) = (self.busy.subscribe(), self.board.phase());
        let (mut worked, stopping) = (false, Cell::new(Stopping::No));
        let presence = Presence { floor: self, counted: Cell::new(false) };
        // A child that has said all it had to closes its end: what it said is still to be read.
        let mut listens = child.say(&ToChild::Go(clock.epoch_ns)).await.is_ok();
        let how = loop {
            if listens {
                listens = self.hand_out(child, &mut work, (clock, &stopping)).await.is_ok();
            }
            presence.set_busy(!work.is_empty());
            let frame = tokio::select! {
                frame = child.frames.next() => frame,
                _ = busy.changed(), if listens => continue,
                _ = phase.changed() => {
                    if *phase.borrow() == Phase::Killing {
                        child.kill();
                    }
                    continue;
                }
                keys = newer(&mut feed), if listens => {
                    listens = child.say(&ToChild::Credentials(keys)).await.is_ok();
                    continue;
                }
            };
            match frame {
                Ok(Some(FromChild::Rows(batch))) => {
                    worked = true;
                    self.take_rows(child.number, batch, &mut work);
                }
                Ok(Some(FromChild::Expired(version))) => self.job.feed.iter().for_each(|feed| feed.ask_newer_than(version)),
                Ok(Some(FromChild::Bye(bye))) => return End::Bye(Box::new(bye)),
                Ok(Some(FromChild::Ready)) => {}
                Ok(None) => break "it closed its pipe".to_owned(),
                Err(error) => break error.to_string(),
            }
        };
        let keys = work.iter().map(|range| range.end - range.start).sum();
        // While this slot still counts as busy, so that others wait for them.
        self.give_back(work, (child, clock));
        End::Died { keys, worked, how }
    }

    /// Tops up the child's credit, and tells it when there is nothing left for anybody.
    async fn hand_out(
        &self,
        child: &mut Child,
        work: &mut VecDeque<Range<u64>>,
        (clock, stopping): (RunClock, &Cell<Stopping>),
    ) -> std::io::Result<()> {
        if matches!(*self.board.phase().borrow(), Phase::Aborting | Phase::Killing) && stopping.get() != Stopping::Aborted {
            stopping.set(Stopping::Aborted);
            return child.say(&ToChild::Abort).await;
        }
        let now = clock.now_ns();
        if self.job.queue.is_over(now) {
            if stopping.replace(Stopping::Told.max(stopping.get())) == Stopping::No {
                child.say(&ToChild::Stop).await?;
                child.say(&ToChild::Finish).await?;
            }
            return Ok(());
        }
        while work.len() < RANGES_PER_CHILD
            && let Some(range) = self.job.queue.take(clock.now_ns())
        {
            child.say(&ToChild::Range(range.start, range.end)).await?;
            work.push_back(range);
        }
        // A child that dies elsewhere gives its keys back: while any is busy, this one waits.
        let others = *self.busy.borrow();
        if work.is_empty() && others == 0 && stopping.replace(Stopping::Told) == Stopping::No {
            child.say(&ToChild::Finish).await?;
        }
        Ok(())
    }

    /// Acknowledges what a batch covers and passes its rows on.
    fn take_rows(&self, number: u32, batch: Batch, work: &mut VecDeque<Range<u64>>) {
        if let Some(front) = work.front_mut() {
            front.start = batch.through.clamp(front.start, front.end);
            if front.is_empty() {
                work.pop_front();
            }
        }
        let rows: Vec<Sample> = batch.rows.chunks_exact(Sample::ENCODED_LEN).map(Sample::decode).collect();
        let counters = &self.board.counters[usize::try_from(number).expect("a u32 fits")];
        counters.ended.fetch_add(rows.len() as u64, Ordering::Relaxed);
        counters.failed.fetch_add(rows.iter().filter(|row| row.outcome == Outcome::Failed).count() as u64, Ordering::Relaxed);
        for (second, bytes) in batch.series {
            self.board.series.add(second, bytes);
            counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        self.job.rows.send(rows);
    }

    /// The keys of a child that died go back, unless one of them kills children: a key that was given back before, alone, and was in work again.
    fn give_back(&self, work: VecDeque<Range<u64>>, (child, clock): (&Child, RunClock)) {
        let mut suspects = self.suspects.borrow_mut();
        for (position, mut range) in work.into_iter().enumerate() {
            if position == 0 && range.end - range.start == 1 && suspects.contains_key(&range.start) {
                let deaths = suspects.entry(range.start).or_default();
                *deaths += 1;
                if *deaths >= DEATHS_PER_UNIT {
                    self.give_up(range.start, (child.number, child.pid), clock);
                    range.start += 1;
                }
            } else if position == 0 {
                suspects.extend(range.clone().map(|unit| (unit, 0)));
            }
            self.job.queue.give_back(range);
        }
        // Those who wait for work look again.
        self.busy.send_modify(|_| {});
    }

    /// A child is gone: what it used is not known, and sums without it would be too small.
    fn mourn(&self, number: u32, warning: String, how: String) {
        tracing::info!(worker = number, how, "child process died");
        self.board.warn(warning);
        self.board.connections_untold();
        *self.last_death.borrow_mut() = Some(how);
        let mut report = self.report.borrow_mut();
        (report.children_fetch, report.children_rss_bytes) = (None, None);
    }

    fn give_up(&self, unit: u64, (worker, pid): (u32, u32), clock: RunClock) {
        let mut row =
            Sample { unit, outcome: Outcome::Failed, attempts: DEATHS_PER_UNIT, worker, pid, end_ns: Some(clock.now_ns()), ..Sample::default() };
        (0..DEATHS_PER_UNIT).for_each(|_| row.codes.push(ErrorCode::from_word("worker-death")));
        self.job.rows.send(vec![row]);
        let counters = &self.board.counters[usize::try_from(worker).expect("a u32 fits")];
        counters.ended.fetch_add(1, Ordering::Relaxed);
        counters.failed.fetch_add(1, Ordering::Relaxed);
    }

    async fn farewell(&self, bye: Farewell, child: Child) -> Result<(), EngineError> {
        if let Some((message, _)) = bye.error {
            return Err(EngineError::system("a child process stopped", std::io::Error::other(message)));
        }
        {
            let mut report = self.report.borrow_mut();
            report.children_fetch = report.children_fetch.zip(bye.fetch_cpu).map(|(sum, child)| sum + child);
            report.children_rss_bytes = report.children_rss_bytes.zip(bye.peak_rss_bytes).map(|(sum, child)| sum + child);
            report.warnings.extend(bye.warnings);
        }
        self.board.add_connections(bye.connections);
        child.end().await;
        Ok(())
    }
}

/// The next credentials; never, when requests are unsigned.
async fn newer(feed: &mut Option<CredentialFeed>) -> KeySet {
    match feed {
        Some(feed) => feed.next().await.as_ref().clone(),
        None => std::future::pending().await,
    }
}

/// How far a child has been told that the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stopping {
    No,
    Told,
    Aborted,
}

/// Counts this slot as busy or not, and as not busy when its child is gone.
struct Presence<'a> {
    floor: &'a Floor,
    counted: Cell<bool>,
}

impl Presence<'_> {
    fn set_busy(&self, busy: bool) {
        if self.counted.replace(busy) != busy {
            self.floor.busy.send_modify(|count| *count = if busy { *count + 1 } else { *count - 1 });
        }
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.set_busy(false);
    }
}
