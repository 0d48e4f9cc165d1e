//! What runs next to a run: a panic there ends the run, which stores that it failed.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::engine::{Board, Queue};
use crate::platform::panics;
use crate::spool::rows::Panicked;

/// Ends the hand-out of keys, here and in children. Fetches in flight go on.
#[derive(Clone)]
pub(super) struct HandOut {
    pub(super) queue: Arc<Queue>,
    pub(super) board: Arc<Board>,
}

impl HandOut {
    pub(super) fn stop(&self) {
        self.queue.stop();
        self.board.stop();
    }
}

/// Collects what work in the background has to say: warnings, and the first panic.
#[derive(Clone, Debug)]
pub(super) struct Background {
    first_panic: Arc<watch::Sender<Option<String>>>,
    notes: UnboundedSender<String>,
}

impl Background {
    /// Warnings go to `notes`.
    pub(super) fn new(notes: UnboundedSender<String>) -> Self {
        Self {
            first_panic: Arc::new(watch::Sender::new(None)),
            notes,
        }
    }

    /// Where warnings for the run's log go.
    pub(super) fn notes(&self) -> UnboundedSender<String> {
        self.notes.clone()
    }

    /// A warning for the run's log.
    pub(super) fn warn(&self, warning: String) {
        // The run has ended: nobody reads it.
        let _over = self.notes.send(warning);
    }

    /// The first panic's line.
    pub(super) fn panic(&self) -> Option<String> {
        self.first_panic.borrow().clone()
    }

    /// Does `work`, and notices its panic.
    pub(super) async fn watch(self, work: impl Future<Output = ()>) {
        if let Err(payload) = AssertUnwindSafe(work).catch_unwind().await {
            self.note(panics::caught(&*payload));
        }
    }

    /// Notices a panic of the thread that writes rows.
    pub(super) fn note_panic(&self, error: &io::Error) {
        if let Some(Panicked(line)) = error.get_ref().and_then(|error| error.downcast_ref()) {
            self.note(line.clone());
        }
    }

    fn note(&self, line: String) {
        self.first_panic.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(line);
            is_first
        });
    }

    /// Stops handing out at the first panic, as long as what is returned lives.
    pub(super) fn stop_at_panic(&self, hand_out: HandOut) -> JoinSet<()> {
        let mut first = self.first_panic.subscribe();
        let mut guard = JoinSet::new();
        guard.spawn(async move {
            if first.wait_for(Option::is_some).await.is_ok() {
                hand_out.stop();
            }
        });
        guard
    }
}
