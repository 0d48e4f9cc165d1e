//! The `lean` client: signs each GET and sends it on the worker's own HTTP/1.1 connection. It costs next to nothing, so it measures the platform.

mod chunked;
mod connection;
mod dialer;
#[cfg(test)]
mod fixture;
mod head;
pub(super) mod micro;
mod reader;
mod request;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use dialer::Dialer;

use super::attempt::{AttemptError, BodySink, ObjectClient, Part, Remedy, Target};
use super::credentials::CredentialFeed;
use super::recipe::Recipe;
use connection::LeanConnection;
use request::RequestWriter;

/// A connection that was idle so long is not used again: S3 closes idle connections after 5 to 20 s.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// One worker's client: one connection at a time.
pub struct LeanClient {
    dialer: Arc<Dialer>,
    writer: RequestWriter,
    /// The request as it goes out; kept for its memory.
    request: Vec<u8>,
    number: u32,
    opened: u64,
    idle: Option<(LeanConnection, Instant)>,
}

impl LeanClient {
    pub(super) fn new(
        dialer: Arc<Dialer>,
        recipe: &Recipe,
        feed: Option<CredentialFeed>,
        number: u32,
    ) -> Self {
        let mut writer = RequestWriter::new(&recipe.endpoint, feed);
        if recipe.access.request_payer {
            writer = writer.requester_pays();
        }
        Self {
            dialer,
            writer,
            request: Vec::new(),
            number,
            opened: 0,
            idle: None,
        }
    }

    /// The kept connection if it can still be used, else a new one.
    async fn connection(&mut self) -> Result<LeanConnection, AttemptError> {
        if let Some((mut connection, since)) = self.idle.take()
            && since.elapsed() < IDLE_LIMIT
            && connection.ready()
        {
            return Ok(connection);
        }
        let turn = u64::from(self.number) + self.opened;
        self.opened += 1;
        // Boxed, because it is rare and large: otherwise every fetch would move it about.
        Box::pin(self.dialer.connect(turn)).await
    }

    /// Sends the request that was written and drains its answer.
    async fn send<S: BodySink>(
        &mut self,
        part: Option<Part>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        // Taken out while in use: when this future is dropped half-way, the connection goes with it.
        let mut connection = self.connection().await?;
        let mut result = connection.exchange(&self.request, part, sink).await;
        if let Err(error) = &mut result
            && error.is_clock_skew()
            && connection
                .refused_at()
                .is_some_and(|date| self.writer.correct_clock(date))
        {
            error.remedy = Remedy::ClockCorrected;
        }
        if connection.reusable() {
            self.idle = Some((connection, Instant::now()));
        }
        result
    }

    /// Asks the bucket itself: `query` is what stands after the question mark, percent-encoded, its parameters sorted by name.
    pub(in crate::store) async fn list<S: BodySink>(
        &mut self,
        query: &str,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        self.writer.list(query, &mut self.request);
        self.send(None, sink).await
    }
}

impl ObjectClient for LeanClient {
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        self.writer.get(target, &mut self.request);
        self.send(target.part, sink).await
    }

    async fn refresh_credentials(&mut self) {
        self.writer.refresh().await;
    }

    fn connections_opened(&self) -> Option<u64> {
        Some(self.opened)
    }
}

#[cfg(test)]
mod tests;
