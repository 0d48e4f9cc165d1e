//! What a run collects on its way for its summary, and tells whoever listens at once.

use tokio::sync::mpsc::UnboundedReceiver;

use crate::event::RunEvent;
use crate::results::summary::Phases;

/// Times and warnings collected on the way.
pub(super) struct Log<'a> {
    pub(super) phases: Phases,
    pub(super) warnings: Vec<String>,
    pub(super) on_event: &'a mut dyn FnMut(&RunEvent),
    /// What the keeper of the credentials has to say.
    notes: UnboundedReceiver<String>,
}

impl<'a> Log<'a> {
    pub(super) fn new(on_event: &'a mut dyn FnMut(&RunEvent), notes: UnboundedReceiver<String>) -> Self {
        Self { phases: Phases::default(), warnings: Vec::new(), on_event, notes }
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
