//! What a run collects on its way for its summary, and tells whoever listens at once; and what goes wrong beside it.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::engine::{Board, Queue};
use crate::event::RunEvent;
use crate::platform::panics;
use crate::results::summary::Phases;
use crate::spool::rows::Panicked;

/// Times and warnings collected on the way.
pub(super) struct Log<'a> {
    pub(super) phases: Phases,
    pub(super) warnings: Vec<String>,
    pub(super) on_event: &'a mut dyn FnMut(&RunEvent),
    pub(super) beside: Beside,
    /// What the keeper of the credentials has to say.
    notes: UnboundedReceiver<String>,
}

impl<'a> Log<'a> {
    pub(super) fn new(
        on_event: &'a mut dyn FnMut(&RunEvent),
        (notes, beside): (UnboundedReceiver<String>, Beside),
    ) -> Self {
        Self {
            phases: Phases::default(),
            warnings: Vec::new(),
            on_event,
            beside,
            notes,
        }
    }

    pub(super) fn event(&mut self, event: &RunEvent) {
        (self.on_event)(event);
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.event(&RunEvent::Warning(warning.clone()));
        self.warnings.push(warning);
    }

    /// Passes on what was noted beside the run.
    pub(super) fn heed(&mut self) {
        while let Ok(note) = self.notes.try_recv() {
            self.warn(note);
        }
    }
}

/// What runs beside a run: a panic there ends the run, which stores that it failed.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    first_panic: Arc<watch::Sender<Option<String>>>,
    notes: UnboundedSender<String>,
}

impl Beside {
    /// With notes that go there.
    pub(super) fn new(notes: UnboundedSender<String>) -> Self {
        Self {
            first_panic: Arc::new(watch::Sender::new(None)),
            notes,
        }
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
    pub(super) fn stop_at_panic(&self, (queue, board): (&Arc<Queue>, &Arc<Board>)) -> JoinSet<()> {
        let (mut first, queue, board) = (
            self.first_panic.subscribe(),
            Arc::clone(queue),
            Arc::clone(board),
        );
        let mut guard = JoinSet::new();
        guard.spawn(async move {
            if first.wait_for(Option::is_some).await.is_ok() {
                queue.stop();
                board.stop();
            }
        });
        guard
    }
}
