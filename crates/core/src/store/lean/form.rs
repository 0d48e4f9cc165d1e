//! What differs between a signed request for an object and a request to a web server.

use std::io;

use super::connection::LeanConnection;
use super::reader::Wanted;
use super::request::RequestWriter;
use crate::store::attempt::{AttemptError, Remedy, Target};
use crate::store::transport::{AttemptPhase, transport};

/// How requests are written, and what their answers mean.
#[expect(
    async_fn_in_trait,
    reason = "one worker owns it and waits for it, as for its client"
)]
pub trait WriteRequest {
    /// Writes the request for `target` into `out`, in the place of what is there; what its answer is held against.
    fn write(&mut self, target: Target<'_>, out: &mut Vec<u8>) -> Wanted;

    /// An attempt that got no connection.
    fn unconnected(&mut self, error: &io::Error) -> AttemptError;

    /// An attempt that failed on this connection.
    fn failed(&mut self, error: AttemptError, connection: &LeanConnection) -> AttemptError;

    /// Whether a connection is kept for the next request.
    fn keeps_connections(&self) -> bool;

    /// Waits for credentials newer than those of the last request.
    async fn refresh(&mut self);

    /// What a person should know of the answers so far, once.
    fn take_notes(&mut self) -> Vec<String>;
}

impl WriteRequest for RequestWriter {
    fn write(&mut self, target: Target<'_>, out: &mut Vec<u8>) -> Wanted {
        self.get(target, out);
        Wanted::Object(target.part)
    }

    fn unconnected(&mut self, error: &io::Error) -> AttemptError {
        transport(error, AttemptPhase::Connecting)
    }

    fn failed(&mut self, error: AttemptError, connection: &LeanConnection) -> AttemptError {
        let is_corrected = error.is_clock_skew()
            && connection
                .refused_at()
                .is_some_and(|date| self.correct_clock(date));
        let remedy = if is_corrected {
            Remedy::ClockCorrected
        } else {
            error.remedy
        };
        AttemptError { remedy, ..error }
    }

    fn keeps_connections(&self) -> bool {
        true
    }

    async fn refresh(&mut self) {
        RequestWriter::refresh(self).await;
    }

    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}
