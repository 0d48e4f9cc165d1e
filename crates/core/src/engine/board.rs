//! What the workers of a process share while they run, and the barrier at which they wait for each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::event::Live;
use crate::fetch::{ByteSeries, Counters, Halt};
use crate::store::{StoreError, is_same_note};

/// How the run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum EndPhase {
    #[default]
    Running,
    /// No more keys; fetches in flight go on.
    Stopping,
    /// Fetches in flight are given up.
    Aborting,
    /// Children that have not ended by now are ended.
    Killing,
}

/// Live counters, the one-second series, and the switch that gives fetches up.
#[derive(Debug)]
pub struct Board {
    /// One a worker.
    pub counters: Arc<[Counters]>,
    /// Bytes read in each second.
    pub series: Arc<ByteSeries>,
    /// Gives up fetches in flight.
    pub halt: Arc<Halt>,
    phase: watch::Sender<EndPhase>,
    connections: AtomicU64,
    untold: AtomicBool,
    pids: Mutex<Vec<u32>>,
    warnings: Mutex<Vec<String>>,
}

impl Board {
    /// For so many workers.
    pub fn new(workers: u32) -> Self {
        Self {
            counters: (0..workers).map(|_| Counters::default()).collect(),
            series: Arc::default(),
            halt: Arc::default(),
            phase: watch::Sender::new(EndPhase::Running),
            connections: AtomicU64::new(0),
            untold: AtomicBool::new(false),
            pids: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Where the run is.
    pub fn live(&self) -> Live {
        let sum = |field: fn(&Counters) -> &AtomicU64| {
            self.counters
                .iter()
                .map(|counters| field(counters).load(Ordering::Relaxed))
                .sum()
        };
        Live {
            ended: sum(|c| &c.ended),
            failed: sum(|c| &c.failed),
            bytes: sum(|c| &c.bytes),
        }
    }

    /// Tells children that no more keys come ([`super::Queue::stop`] is what stops the hand-out).
    pub fn stop(&self) {
        self.phase.send_replace(EndPhase::Stopping);
    }

    /// Gives up fetches in flight, here and in children.
    pub fn abort(&self) {
        self.halt.halt();
        self.phase.send_replace(EndPhase::Aborting);
    }

    /// Ends children that did not end when they were told to.
    pub fn kill(&self) {
        self.phase.send_replace(EndPhase::Killing);
    }

    /// Hears of [`Self::stop`], [`Self::abort`] and [`Self::kill`].
    pub(super) fn phase(&self) -> watch::Receiver<EndPhase> {
        self.phase.subscribe()
    }

    /// Adds connections that a worker's client opened.
    pub fn add_connections(&self, opened: u64) {
        self.connections.fetch_add(opened, Ordering::Relaxed);
    }

    /// Connections opened by clients that have ended; `None` when a child died without telling.
    pub fn connections(&self) -> Option<u64> {
        (!self.untold.load(Ordering::Relaxed)).then(|| self.connections.load(Ordering::Relaxed))
    }

    /// A child died: what it opened is not known.
    pub(super) fn connections_untold(&self) {
        self.untold.store(true, Ordering::Relaxed);
    }

    /// The children that run now.
    pub fn child_pids(&self) -> Vec<u32> {
        self.pids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn child_began(&self, pid: u32) {
        self.pids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(pid);
    }

    pub(super) fn child_ended(&self, pid: u32) {
        self.pids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|known| *known != pid);
    }

    /// Something a person should know.
    pub(super) fn warn(&self, warning: String) {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning);
    }

    /// The same, where every worker may find it out: said once.
    pub(super) fn note(&self, note: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.iter().any(|other| is_same_note(other, &note)) {
            warnings.push(note);
        }
    }

    /// What is worth knowing of workers and children, once: of a run that failed, for [`EngineReport`](super::EngineReport) has it otherwise.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The workers' side of the barrier.
#[derive(Clone, Debug)]
pub struct Gate {
    ready: mpsc::UnboundedSender<Result<(), StoreError>>,
    epoch: watch::Receiver<Option<u64>>,
}

/// The run's side of the barrier.
#[derive(Debug)]
pub struct GateKeeper {
    ready: mpsc::UnboundedReceiver<Result<(), StoreError>>,
    epoch: watch::Sender<Option<u64>>,
}

impl Gate {
    /// Both sides.
    pub fn new() -> (Self, GateKeeper) {
        let (ready, waiting) = mpsc::unbounded_channel();
        let (open, epoch) = watch::channel(None);
        (
            Self { ready, epoch },
            GateKeeper {
                ready: waiting,
                epoch: open,
            },
        )
    }

    /// A worker has its client, or could not get one.
    pub(super) fn report(&self, result: Result<(), StoreError>) {
        // Nobody listens any more once the run was called off.
        let _called_off = self.ready.send(result);
    }

    /// Waits for the epoch, in ns of the monotonic clock; `None` when the run was called off.
    pub(super) async fn epoch(&mut self) -> Option<u64> {
        self.epoch
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|epoch| *epoch)
    }
}

impl GateKeeper {
    /// Waits until `workers` workers have their clients.
    pub async fn all_ready(&mut self, workers: u32) -> Result<(), StoreError> {
        for _ in 0..workers {
            match self.ready.recv().await {
                Some(result) => result?,
                // The engine ended before: its own error says why.
                None => return std::future::pending().await,
            }
        }
        Ok(())
    }

    /// Lets all workers begin: their times count from `epoch_ns`, of the monotonic clock.
    pub fn open(&self, epoch_ns: u64) {
        self.epoch.send_replace(Some(epoch_ns));
    }
}
