//! What every worker does, whatever it is: take a range, fetch its items one after another, hand the rows on.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;

use super::board::{Board, Gate};
use super::error::EngineError;
use crate::fetch::{ByteMeter, Clock, Fetcher, RunClock, Watchdog, WorkerIdentity};
use crate::plan::FetchOptions;
use crate::sample::{ErrorCode, Outcome, Sample};
use crate::spool::items::Items;
use crate::store::{ClientFactory, ObjectClient};

/// A unit at which the worker panicked so often is given up: a row, not an endless loop. So is a worker that panics so often without taking one.
const PANICS_PER_UNIT: u32 = 2;

/// What all workers of a process share.
#[derive(Debug)]
pub(super) struct WorkerContext<F> {
    /// Makes clients.
    pub factory: F,
    /// Workers of the run, in all processes.
    pub concurrency: u32,
    /// How each object is fetched.
    pub fetch: FetchOptions,
    /// What there is to fetch.
    pub items: Arc<Items>,
    /// Counters.
    pub board: Arc<Board>,
    /// Barrier.
    pub gate: Gate,
}

/// One worker's number in the run, and its place on the board of its process.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkerId {
    pub(super) number: u32,
    pub(super) index: usize,
}

/// Where a worker's keys come from and its rows go.
pub(super) trait WorkerChannel {
    /// The next range; `None` ends the worker.
    async fn next(&mut self, now_ns: u64) -> Option<Range<u64>>;
    /// A row is done.
    async fn done(&mut self, row: Sample);
    /// The rest of a range is to be left.
    fn is_over(&self, now_ns: u64) -> bool;
    /// The worker leaves the rest of its range, as all is over.
    fn leave(&mut self, rest: Range<u64>);
    /// The worker ends: hand over what is left.
    async fn close(&mut self);
}

/// One worker, from its client to its last row. A panic costs no key: the worker goes on where it was, with a new client.
///
/// # Errors
/// A key file that cannot be read, a client that cannot be made (the first is told at the gate as well), panics without end. Rows are handed over first.
pub(super) async fn work<F: ClientFactory, S: WorkerChannel>(
    context: &WorkerContext<F>,
    id: WorkerId,
    mut channel: S,
) -> Result<(), EngineError> {
    let mut gate = context.gate.clone();
    let client = context
        .factory
        .client(id.number)
        .inspect_err(|error| gate.report(Err(error.clone())))?;
    gate.report(Ok(()));
    let Some(epoch_ns) = gate.epoch().await else {
        return Ok(());
    };
    let clock = RunClock { epoch_ns };
    let worker = RunningWorker { context, id, clock };
    let result = worker.shifts(client, &mut channel).await;
    channel.close().await;
    result
}

/// One worker from the epoch on.
struct RunningWorker<'a, F> {
    context: &'a WorkerContext<F>,
    id: WorkerId,
    clock: RunClock,
}

impl<F: ClientFactory> RunningWorker<'_, F> {
    /// Shift after shift, until there is nothing left.
    async fn shifts<S: WorkerChannel>(
        &self,
        mut client: F::Client,
        channel: &mut S,
    ) -> Result<(), EngineError> {
        let Self { context, id, clock } = self;
        let hand = Cell::new((0, 0));
        let mut panics = ((u64::MAX, 0), 0);
        loop {
            let mut fetcher = self.fetcher(client);
            let shift = AssertUnwindSafe(shift(&mut fetcher, channel, (&context.items, &hand)))
                .catch_unwind()
                .await;
            fetcher.meter.flush();
            if let Some(opened) = fetcher.client.connections_opened() {
                context.board.add_connections(opened);
            }
            fetcher
                .client
                .take_notes()
                .into_iter()
                .for_each(|note| context.board.note(note));
            if let Ok(result) = shift {
                return result.map_err(EngineError::Spool);
            }
            let (unit, end) = hand.get();
            panics = (
                hand.get(),
                if panics.0 == hand.get() {
                    panics.1 + 1
                } else {
                    1
                },
            );
            let at_fetch = unit < end;
            // With nothing in hand the next number is another worker's.
            let place = if at_fetch {
                format!("at fetch {unit}")
            } else {
                "between two fetches".to_owned()
            };
            context.board.warn(format!(
                "worker {} panicked {place} and continues",
                id.number
            ));
            if panics.1 >= PANICS_PER_UNIT {
                if !at_fetch {
                    return Err(EngineError::system(
                        format!("worker {} ended", id.number),
                        io::Error::other("it panicked between two fetches again"),
                    ));
                }
                give_up(channel, (unit, clock.now_ns()), &fetcher.identity).await;
                fetcher.meter.ended(1);
                hand.set((unit + 1, end));
            }
            client = context.factory.client(id.number)?;
        }
    }

    fn fetcher(&self, client: F::Client) -> Fetcher<F::Client, RunClock> {
        let Self { context, id, clock } = self;
        Fetcher {
            client,
            clock: *clock,
            options: context.fetch,
            meter: ByteMeter::new(
                Arc::clone(&context.board.counters),
                id.index,
                Arc::clone(&context.board.series),
            ),
            watchdog: Watchdog::new(
                Arc::clone(&context.board.halt),
                &context.fetch.limits,
                context.concurrency,
            ),
            identity: WorkerIdentity {
                worker: id.number,
                pid: std::process::id(),
                tid: crate::platform::usage::thread_id(),
            },
            random: fastrand::Rng::new(),
        }
    }
}

/// The row of a key at which the worker panics again and again.
async fn give_up<S: WorkerChannel>(
    channel: &mut S,
    (unit, now_ns): (u64, u64),
    identity: &WorkerIdentity,
) {
    let WorkerIdentity { worker, pid, tid } = *identity;
    let mut row = Sample {
        unit,
        outcome: Outcome::Failed,
        attempts: PANICS_PER_UNIT,
        worker,
        pid,
        tid,
        end_ns: Some(now_ns),
        ..Sample::default()
    };
    (0..PANICS_PER_UNIT).for_each(|_| row.codes.push(ErrorCode::from_word("worker-panic")));
    channel.done(row).await;
}

/// Fetches until there is nothing left. `hand` is the range in hand: its start is the item being fetched.
async fn shift<C: ObjectClient, S: WorkerChannel>(
    fetcher: &mut Fetcher<C, RunClock>,
    channel: &mut S,
    (items, hand): (&Items, &Cell<(u64, u64)>),
) -> io::Result<()> {
    loop {
        let (mut unit, mut end) = hand.get();
        if unit >= end {
            // What was read so far must be in the series before a child sends it.
            fetcher.meter.flush();
            match channel.next(fetcher.clock.now_ns()).await {
                Some(range) => (unit, end) = (range.start, range.end),
                None => return Ok(()),
            }
            hand.set((unit, end));
        }
        // A range may go over the end of a round: read up to there.
        let number = unit % items.count();
        let count = (end - unit).min(items.count() - number);
        for item in items.read(number..number + count)?.iter() {
            if channel.is_over(fetcher.clock.now_ns()) {
                channel.leave(unit..end);
                return Ok(());
            }
            if !item.record.is_archived() {
                let row = fetcher.fetch(unit, item.target()).await;
                fetcher
                    .meter
                    .ended(u64::from(row.outcome == Outcome::Failed));
                channel.done(row).await;
            }
            unit += 1;
            hand.set((unit, end));
        }
    }
}

#[cfg(test)]
mod tests;
