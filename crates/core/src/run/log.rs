//! What a run collects on its way for its summary, and tells whoever listens at once; and the signal that may end it.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch::Receiver;

use super::background::Background;
use crate::event::RunEvent;
use crate::exit::Signal;
use crate::results::summary::Phases;

/// Times and warnings collected on the way.
pub(super) struct RunLog<'a> {
    pub(super) phases: Phases,
    pub(super) warnings: Vec<String>,
    pub(super) on_event: &'a mut dyn FnMut(&RunEvent),
    pub(super) background: Background,
    /// What work in the background has to say.
    notes: UnboundedReceiver<String>,
    signal: Receiver<Option<Signal>>,
}

impl<'a> RunLog<'a> {
    /// Tells `on_event` everything, first what was noticed before.
    pub(super) fn new(
        on_event: &'a mut dyn FnMut(&RunEvent),
        signal: Receiver<Option<Signal>>,
        warnings: Vec<String>,
    ) -> Self {
        let (send, notes) = unbounded_channel();
        let mut log = Self {
            phases: Phases::default(),
            warnings: Vec::new(),
            on_event,
            background: Background::new(send),
            notes,
            signal,
        };
        for warning in warnings {
            log.warn(warning);
        }
        log
    }

    pub(super) fn event(&mut self, event: &RunEvent) {
        (self.on_event)(event);
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.event(&RunEvent::Warning(warning.clone()));
        self.warnings.push(warning);
    }

    /// Warns of what the summary says in its first sentences too.
    pub(super) fn account(&mut self, warning: String) {
        self.event(&RunEvent::Account(warning.clone()));
        self.warnings.push(warning);
    }

    /// Passes on what was noted in the background.
    pub(super) fn take_notes(&mut self) {
        while let Ok(note) = self.notes.try_recv() {
            self.warn(note);
        }
    }

    /// Set once a signal has come: to be waited for next to work that this log is lent to.
    pub(super) fn signal(&self) -> Receiver<Option<Signal>> {
        self.signal.clone()
    }

    /// The signal, if one has come.
    pub(super) fn signalled(&self) -> Option<Signal> {
        *self.signal.borrow()
    }
}
