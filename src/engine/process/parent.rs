//! The parent's side of mode `process`: it starts the children, passes ranges out and rows in, and replaces those that die.
//!
//! A child has one range in work, and one in credit while there is plenty. A row counts once it is here; what a child that died, hangs or talks nonsense
//! had not acknowledged is fetched again by another. Credentials go by pipe, never by argument or environment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::stream::{FuturesUnordered, StreamExt};

use super::launch::{Broken, Child};
use super::outstanding::{Busy, Malformed, Outstanding, all_archived};
use super::wire::{Batch, Farewell, FromChild, ToChild, Traffic, signing_news};
use crate::engine::board::{Board, Gate, Phase};
use crate::engine::error::EngineError;
use crate::engine::job::{EngineReport, Job};
use crate::fetch::{Clock, RunClock};
use crate::sample::{ErrorCode, Outcome, Sample};

/// A slot whose children died so often in a row without a single row is given up.
const DEATHS_PER_SLOT: u32 = 3;
/// A key at which so many children died is given up: a row, not an endless loop.
const DEATHS_PER_UNIT: u32 = 2;

/// What the parent's slots share.
struct Floor {
    job: Job,
    board: Arc<Board>,
    /// Slots that have ranges in work; when none has and the queue is empty, all is done.
    busy: Busy,
    /// Keys of which a child may have died, and how many more did while they were at it alone.
    suspects: RefCell<HashMap<u64, u32>>,
    epoch_ns: Cell<Option<u64>>,
    report: RefCell<EngineReport>,
    last_death: RefCell<Option<String>>,
}

/// How one child's service ended.
enum End {
    Bye(Box<Farewell>),
    /// How many keys it had not acknowledged, whether it had sent any row, and how it broke off.
    Died {
        keys: u64,
        worked: bool,
        broken: Broken,
    },
}

/// Why there is no child.
enum NoChild {
    /// It died, or was ended, before it was ready.
    Died(String),
    /// It would be so for every other: its client cannot be made, or no process started.
    Never(EngineError),
}

/// One child's service: what it has in work, and how far it has been told that the run ends.
struct Service<'a> {
    outstanding: Outstanding<'a>,
    clock: RunClock,
    stopping: Stopping,
    worked: bool,
}

/// Runs the job on children. All of it on the caller's runtime: the parent only passes ranges out and rows in.
pub(in crate::engine) async fn run(
    job: Job,
    board: Arc<Board>,
    gate: Gate,
) -> Result<EngineReport, EngineError> {
    let slots = job.concurrency.get();
    let floor = Rc::new(Floor {
        job,
        board,
        busy: Busy::default(),
        suspects: RefCell::default(),
        epoch_ns: Cell::new(None),
        report: RefCell::default(),
        last_death: RefCell::default(),
    });
    let mut running: FuturesUnordered<_> = (0..slots)
        .map(|number| Rc::clone(&floor).slot(number, gate.clone()))
        .collect();
    let mut result = Ok(());
    while let Some(ended) = running.next().await {
        if ended.is_err() {
            if floor.epoch_ns.get().is_none() {
                // Who waits for the epoch waits in vain.
                return ended.map(|()| EngineReport::default());
            }
            floor.job.queue.stop();
            floor.busy.wake();
        }
        result = result.and(ended);
    }
    drop(running);
    result?;
    let report = floor.report.take();
    let unfinished = !floor.job.queue.is_drained() && !floor.is_over();
    match floor.last_death.borrow_mut().take() {
        Some(how) if unfinished => Err(EngineError::ChildrenDied(how)),
        _ => Ok(EngineReport {
            warnings: floor.board.take_warnings(),
            ..report
        }),
    }
}

impl Floor {
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
                End::Bye(bye) => return self.farewell(*bye, child).await,
                End::Died {
                    keys,
                    worked,
                    broken,
                } => {
                    let how = child.autopsy(broken).await;
                    let fate = match (keys, self.is_over()) {
                        (1, true) => "1 fetch is left".to_owned(),
                        (1, false) => "1 fetch goes to another child".to_owned(),
                        (keys, true) => format!("{keys} fetches are left"),
                        (keys, false) => format!("{keys} fetches go to other children"),
                    };
                    self.mourn(
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
                        self.mourn(
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
        let mut patience = child.start_patience();
        let greeted = child.greet(&self.job).await;
        // What it said counts first: a child that could not begin closes its pipe.
        let frame = tokio::select! {
            frame = child.frames.next() => frame,
            broken = patience.lost() => return Err(NoChild::Died(child.autopsy(broken).await)),
        };
        let broken = match (frame, greeted) {
            (Ok(Some(FromChild::Ready)), Ok(())) => {
                self.board.child_began(child.pid);
                return Ok(child);
            }
            (
                Ok(Some(FromChild::Bye(Farewell {
                    failure: Some(failure),
                    ..
                }))),
                _,
            ) => return Err(NoChild::Never(failure.into())),
            (Ok(Some(_)), _) => Broken::Killed("it said something else than «ready»".to_owned()),
            (Ok(None), _) => Broken::Gone("it ended".to_owned()),
            (Err(error), _) => Broken::Killed(error.to_string()),
        };
        Err(NoChild::Died(child.autopsy(broken).await))
    }

    /// Waits until children are ended that do not end by themselves.
    async fn killing(&self) {
        // The board outlives every slot.
        let mut phase = self.board.phase();
        let _gone = phase.wait_for(|phase| *phase == Phase::Killing).await;
    }

    /// True when no more keys are to be fetched: stopped, or the time has passed.
    fn is_over(&self) -> bool {
        self.epoch_ns
            .get()
            .is_some_and(|epoch_ns| self.job.queue.is_over(RunClock { epoch_ns }.now_ns()))
    }

    /// Passes ranges out and takes rows in, until the child says good-bye or dies. Keys of one that dies have gone back when this returns.
    async fn serve(&self, child: &mut Child, clock: RunClock) -> End {
        let outstanding = Outstanding::new(&self.job.queue, &self.busy);
        let mut service = Service {
            outstanding,
            clock,
            stopping: Stopping::No,
            worked: false,
        };
        let mut feed = self.job.feed.clone();
        let (mut news, mut phase, mut patience) =
            (self.busy.subscribe(), self.board.phase(), child.patience());
        // A child that has said all it had to closes its end: what it said is still to be read.
        let mut listens = child.say(&ToChild::Go(clock.epoch_ns)).await.is_ok();
        let broken = loop {
            if listens {
                listens = self.hand_out(child, &mut service).await.is_ok();
            }
            service.outstanding.settle();
            let frame = tokio::select! {
                frame = child.frames.next() => frame,
                _ = news.changed(), if listens => continue,
                _ = phase.changed() => {
                    if *phase.borrow() == Phase::Killing {
                        child.kill();
                    }
                    continue;
                }
                frame = signing_news(&mut feed), if listens => {
                    listens = child.say(&frame).await.is_ok();
                    continue;
                }
                broken = patience.lost() => break broken,
            };
            patience.heard();
            match frame {
                Ok(Some(FromChild::Bye(bye)))
                    if bye.failure.is_some() || service.stopping != Stopping::No =>
                {
                    return End::Bye(Box::new(bye));
                }
                Ok(Some(frame)) => {
                    if let Err(error) = self.hear(child.number, frame, &mut service) {
                        break Broken::Killed(error.to_string());
                    }
                }
                Ok(None) => break Broken::Gone("it closed its pipe".to_owned()),
                Err(error) => break Broken::Killed(error.to_string()),
            }
        };
        if matches!(broken, Broken::Killed(_)) {
            // Before others begin with its keys.
            child.kill();
        }
        let Service {
            mut outstanding,
            worked,
            ..
        } = service;
        let keys = outstanding.fetches();
        self.suspect(&mut outstanding, (child, clock));
        outstanding.died();
        End::Died {
            keys,
            worked,
            broken,
        }
    }

    /// Tops up the child's ranges, and tells it when there is nothing left for anybody.
    async fn hand_out(&self, child: &mut Child, service: &mut Service<'_>) -> io::Result<()> {
        if matches!(
            *self.board.phase().borrow(),
            Phase::Aborting | Phase::Killing
        ) && service.stopping != Stopping::Aborted
        {
            service.stopping = Stopping::Aborted;
            return child.say(&ToChild::Abort).await;
        }
        if self.job.queue.is_over(service.clock.now_ns()) {
            if service.stopping == Stopping::No {
                service.stopping = Stopping::Told;
                child.say(&ToChild::Stop).await?;
                child.say(&ToChild::Finish).await?;
            }
            return Ok(());
        }
        while let Some(range) = service.outstanding.take(service.clock.now_ns()) {
            child.say(&ToChild::Range(range.start, range.end)).await?;
        }
        // A child that dies elsewhere gives its keys back: while any is busy, this one waits.
        service.outstanding.settle();
        if !self.busy.any() && service.stopping == Stopping::No {
            service.stopping = Stopping::Told;
            child.say(&ToChild::Finish).await?;
        }
        Ok(())
    }

    /// Takes what a child that works says. What does not add up is not counted at all.
    fn hear(
        &self,
        number: u32,
        frame: FromChild,
        service: &mut Service<'_>,
    ) -> Result<(), Malformed> {
        match frame {
            FromChild::Rows(batch) => self.take_rows(number, &batch, service),
            FromChild::Pulse(traffic) => self.take_traffic(number, &traffic, service),
            FromChild::Expired(version) => {
                self.job
                    .feed
                    .iter()
                    .for_each(|feed| feed.ask_newer_than(version));
                Ok(())
            }
            FromChild::ClockOffset(seconds) => {
                self.job
                    .feed
                    .iter()
                    .for_each(|feed| feed.clock.set(seconds));
                Ok(())
            }
            FromChild::Ready => Err(Malformed("«ready» twice")),
            FromChild::Bye(_) => Err(Malformed("a good-bye before it was done")),
        }
    }

    /// Acknowledges what a batch covers and passes its rows on.
    fn take_rows(
        &self,
        number: u32,
        batch: &Batch,
        service: &mut Service<'_>,
    ) -> Result<(), Malformed> {
        self.take_traffic(number, &batch.traffic, service)?;
        let rows = service.outstanding.accept((batch, number), |range| {
            all_archived(&self.job.items, range).unwrap_or(false)
        })?;
        service.worked = true;
        let counters = &self.board.counters[usize::try_from(number).expect("a u32 fits")];
        counters
            .ended
            .fetch_add(rows.len() as u64, Ordering::Relaxed);
        counters.failed.fetch_add(
            rows.iter()
                .filter(|row| row.outcome == Outcome::Failed)
                .count() as u64,
            Ordering::Relaxed,
        );
        self.job.rows.send(rows);
        Ok(())
    }

    /// Counts bytes that a child read.
    fn take_traffic(
        &self,
        number: u32,
        traffic: &Traffic,
        service: &mut Service<'_>,
    ) -> Result<(), Malformed> {
        let bytes = service.outstanding.read(traffic, service.clock.now_ns())?;
        self.board.counters[usize::try_from(number).expect("a u32 fits")]
            .bytes
            .fetch_add(bytes, Ordering::Relaxed);
        for (second, bytes) in &traffic.series {
            self.board.series.add(*second, *bytes);
        }
        Ok(())
    }

    /// A child died: it may be what it was at that killed it. A fetch that was given back before, alone, and was in work again is given up after a few.
    fn suspect(&self, outstanding: &mut Outstanding<'_>, (child, clock): (&Child, RunClock)) {
        let Some(front) = outstanding.front() else {
            return;
        };
        let mut suspects = self.suspects.borrow_mut();
        match suspects
            .get_mut(&front.start)
            .filter(|_| front.end - front.start == 1)
        {
            Some(deaths) => {
                *deaths += 1;
                if *deaths >= DEATHS_PER_UNIT {
                    self.give_up(front.start, (child.number, child.pid), clock);
                    outstanding.done_below(front.end);
                }
            }
            None => suspects.extend(front.map(|unit| (unit, 0))),
        }
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
        let mut row = Sample {
            unit,
            outcome: Outcome::Failed,
            attempts: DEATHS_PER_UNIT,
            worker,
            pid,
            end_ns: Some(clock.now_ns()),
            ..Sample::default()
        };
        (0..DEATHS_PER_UNIT).for_each(|_| row.codes.push(ErrorCode::from_word("worker-death")));
        self.job.rows.send(vec![row]);
        let counters = &self.board.counters[usize::try_from(worker).expect("a u32 fits")];
        counters.ended.fetch_add(1, Ordering::Relaxed);
        counters.failed.fetch_add(1, Ordering::Relaxed);
    }

    async fn farewell(&self, bye: Farewell, child: Child) -> Result<(), EngineError> {
        bye.warnings
            .into_iter()
            .for_each(|warning| self.board.note(warning));
        if let Some(failure) = bye.failure {
            return Err(failure.into());
        }
        {
            let mut report = self.report.borrow_mut();
            report.children_fetch = report
                .children_fetch
                .zip(bye.fetch_cpu)
                .map(|(sum, child)| sum + child);
            report.children_rss_bytes = report
                .children_rss_bytes
                .zip(bye.peak_rss_bytes)
                .map(|(sum, child)| sum + child);
        }
        self.board.add_connections(bye.connections);
        child.end().await;
        Ok(())
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

/// How far a child has been told that the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    Told,
    Aborted,
}
