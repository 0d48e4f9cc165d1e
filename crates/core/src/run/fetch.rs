//! The fetch phase: start the workers, open the barrier, wait for their end.

use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use super::background::HandOut;
use super::clock;
use super::gauges::Gauges;
use super::log::RunLog;
use super::rows::row_writer;
use super::watch::{FetchWatch, GiveUp, Silence};
use crate::engine::{
    self, Board, ChildOptions, EngineError, EngineReport, Gate, GateKeeper, Queue, WorkerJob,
};
use crate::event::RunEvent;
use crate::exit::{Exit, Failure};
use crate::lister::Listed;
use crate::plan::RunPlan;
use crate::platform::clock::now_ns;
use crate::platform::wait::comes;
use crate::platform::{Sources, fault};
use crate::server::Embedded;
use crate::spool::items::{Items, LaidOut};
use crate::spool::keys::KeyFile;
use crate::spool::room::Room;
use crate::spool::rows::{RowFile, RowSender};
use crate::spool::table::Handed;
use crate::store::{CredentialFeed, Recipe};

/// What the fetch phase needs.
pub(super) struct FetchPhase<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) listed: Listed,
    pub(super) keys: Arc<KeyFile>,
    pub(super) items: Arc<Items>,
    pub(super) laid_out: LaidOut,
    pub(super) spool: &'a Path,
    /// Where the results are written.
    pub(super) results: &'a Path,
    /// Bytes of a key in the mean.
    pub(super) key_bytes: u64,
    pub(super) recipe: Recipe,
    pub(super) feed: Option<CredentialFeed>,
    pub(super) children: ChildOptions,
    pub(super) runtimes: NonZeroU32,
    /// Bytes behind which nothing more is handed out.
    pub(super) most_bytes: Option<u64>,
    pub(super) server: Option<&'a mut Embedded>,
    pub(super) sources: &'a Sources,
}

/// What the fetch phase left.
pub(super) struct Fetched {
    pub(super) keys: Arc<KeyFile>,
    pub(super) rows: io::Result<RowFile>,
    /// Items in a round.
    pub(super) items: u64,
    /// How far the queue handed out, and what of it was left.
    pub(super) handed: Handed,
    pub(super) gauges: Gauges,
    pub(super) engine: Result<EngineReport, EngineError>,
}

impl FetchPhase<'_> {
    pub(super) async fn run(mut self, log: &mut RunLog<'_>) -> Result<Fetched, Failure> {
        let (plan, items, keys) = (self.plan, self.laid_out.items, Arc::clone(&self.keys));
        let (sources, most_bytes) = (self.sources, self.most_bytes);
        let (units, until_ns) = (self.units(), self.until_ns());
        let give_up = GiveUp::of(plan);
        let what = if self.laid_out.divided > 0 {
            "objects and parts"
        } else {
            plan.source.noun()
        };
        let mut server = self.server.take();
        let hand_out = HandOut {
            queue: Arc::new(self.queue()),
            board: Arc::new(Board::new(plan.concurrency.get())),
        };
        let HandOut { queue, board } = hand_out.clone();
        let background = log.background.clone();
        let (writer, rows) = row_writer(self.spool, self.room(), hand_out.clone(), background)?;
        let _stops = log.background.stop_at_panic(hand_out);
        let clock = self.feed.as_ref().map(|feed| feed.clock.clone());
        let (gate, mut keeper) = Gate::new();
        let begin = now_ns();
        let job = self.job(Arc::clone(&queue), rows);
        let mut engine = std::pin::pin!(engine::run(job, Arc::clone(&board), gate));
        ready(&mut engine, &mut keeper, plan.concurrency, log).await?;
        log.phases.worker_start_ns = Some(now_ns().saturating_sub(begin));
        if let Some(server) = &mut server {
            server
                .reset()
                .await
                .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        }
        fault::point("fetch");
        log.event(&RunEvent::Fetching {
            units,
            what,
            duration_ns: until_ns,
            concurrency: plan.concurrency.get(),
        });
        let mut gauges = Gauges::at_epoch(sources, &board);
        let watch = FetchWatch {
            keeper: &keeper,
            queue: &queue,
            board: &board,
            silence: Silence::new(&plan.source, &plan.fetch.limits),
            give_up,
            most_bytes,
        };
        let engine = watch.until_end(&mut engine, &mut gauges, log).await;
        if engine.is_err() {
            board
                .take_warnings()
                .into_iter()
                .for_each(|warning| log.warn(warning));
        }
        gauges.at_end(&queue, server).await;
        if let Some(warning) = clock.and_then(|clock| clock::warning(clock.newest())) {
            log.warn(warning);
        }
        log.event(&RunEvent::Progress {
            live: board.live(),
            elapsed_ns: gauges.elapsed_ns(),
        });
        log.event(&RunEvent::Fetched);
        Ok(Fetched {
            keys,
            rows: writer.finish(),
            items,
            handed: queue.handed(),
            gauges,
            engine,
        })
    }

    /// When handing out stops, in a run that time ends.
    fn until_ns(&self) -> Option<u64> {
        // All archived: there is nothing to go round.
        self.plan
            .duration
            .filter(|_| self.listed.archived < self.listed.keys)
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    fn queue(&self) -> Queue {
        let concurrency = self.plan.concurrency.get();
        let queue = Queue::new(self.round_units(), concurrency, self.until_ns());
        // A request may take many minutes: nobody holds one that another could begin.
        if self.plan.layout.is_one_by_one() || self.plan.source.http().is_some() {
            queue.one_by_one()
        } else {
            queue
        }
    }

    /// Each item once, or as many as were asked for.
    fn round_units(&self) -> u64 {
        self.plan.source.requests().unwrap_or(self.laid_out.items)
    }

    /// How many fetches there will be; `None` in a run that time ends.
    fn units(&self) -> Option<u64> {
        // Only where the keys themselves are the items are archived ones among them.
        let units = if self.plan.layout.is_plain() {
            self.round_units() - self.listed.archived
        } else {
            self.laid_out.items
        };
        self.until_ns().is_none().then_some(units)
    }

    fn room(&self) -> Room {
        Room {
            spool: self.spool.to_owned(),
            results: self.results.to_owned(),
            key_bytes: self.key_bytes,
            workers: u64::from(self.plan.concurrency.get()),
            rows: self.units(),
            duration: self.plan.duration,
        }
    }

    fn job(self, queue: Arc<Queue>, rows: RowSender) -> WorkerJob {
        let plan = self.plan;
        WorkerJob {
            mode: plan.mode,
            client: plan.client,
            concurrency: plan.concurrency,
            fetch: plan.fetch,
            recipe: self.recipe,
            feed: self.feed,
            spool: self.spool.to_owned(),
            items: self.items,
            queue,
            rows,
            runtimes: self.runtimes,
            children: self.children,
        }
    }
}

/// Waits until every worker has its client.
async fn ready(
    engine: &mut (impl Future<Output = Result<EngineReport, EngineError>> + Unpin),
    keeper: &mut GateKeeper,
    concurrency: NonZeroU32,
    log: &RunLog<'_>,
) -> Result<(), Failure> {
    let mut signal = log.signal();
    tokio::select! {
        ended = engine => Err(match ended {
            Err(error) => error.into(),
            Ok(_) => Failure::new(Exit::Unexpected, "the workers ended before they began"),
        }),
        ready = keeper.all_ready(concurrency.get()) => Ok(ready?),
        came = comes(&mut signal) => Err(Failure::new(came.exit(), "interrupted before the first fetch")),
    }
}
