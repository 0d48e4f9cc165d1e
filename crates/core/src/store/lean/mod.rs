//! parfetch's own client: writes each request and sends it on the worker's own HTTP/1.1 connection. It costs next to nothing, so it measures the platform.
//!
//! Requests for objects are signed ([`RequestWriter`]), those to a web server go out as they are ([`PlainForm`]). Everything else is the same.

mod chunked;
mod connection;
mod dialer;
#[cfg(test)]
mod fixture;
mod form;
mod head;
pub(super) mod micro;
mod plain;
mod reader;
mod request;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use dialer::Dialer;
pub use plain::{RedirectNote, is_same_note};

use super::attempt::{AttemptError, BodySink, ObjectClient, Target};
use super::credentials::CredentialFeed;
use super::http_recipe::HttpRecipe;
use super::recipe::S3Recipe;
use connection::LeanConnection;
use form::WriteRequest;
use plain::PlainForm;
use reader::Wanted;
use request::RequestWriter;

/// A connection that was idle so long is not used again: S3 closes idle connections after 5 to 20 s.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// One worker's client: one connection at a time.
pub struct LeanClient<F = RequestWriter> {
    dialer: Arc<Dialer>,
    form: F,
    /// The request as it goes out; kept for its memory.
    request: Vec<u8>,
    number: u32,
    opened: u64,
    idle: Option<(LeanConnection, Instant)>,
}

/// The same for a web server.
pub type HttpClient = LeanClient<PlainForm>;

impl LeanClient {
    pub(super) fn signing(
        dialer: Arc<Dialer>,
        recipe: &S3Recipe,
        feed: Option<CredentialFeed>,
        number: u32,
    ) -> Self {
        let mut writer = RequestWriter::new(&recipe.endpoint, feed);
        if recipe.access.request_payer {
            writer = writer.requester_pays();
        }
        Self::new(dialer, writer, number)
    }

    /// Asks the bucket itself: `query` is what stands after the question mark, percent-encoded, its parameters sorted by name.
    pub(in crate::store) async fn list<S: BodySink>(
        &mut self,
        query: &str,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        self.form.list(query, &mut self.request);
        self.send(Wanted::Object(None), sink).await
    }
}

impl HttpClient {
    pub(super) fn plain(
        dialer: Arc<Dialer>,
        recipe: &HttpRecipe,
        note: RedirectNote,
        number: u32,
    ) -> Self {
        Self::new(dialer, PlainForm::new(recipe, note), number)
    }
}

impl<F: WriteRequest> LeanClient<F> {
    fn new(dialer: Arc<Dialer>, form: F, number: u32) -> Self {
        Self {
            dialer,
            form,
            request: Vec::new(),
            number,
            opened: 0,
            idle: None,
        }
    }

    /// The kept connection if it can still be used, else a new one.
    async fn connection<S: BodySink>(
        &mut self,
        sink: &mut S,
    ) -> Result<LeanConnection, AttemptError> {
        if let Some((mut connection, since)) = self.idle.take()
            && since.elapsed() < IDLE_LIMIT
            && connection.ready()
        {
            return Ok(connection);
        }
        let turn = u64::from(self.number) + self.opened;
        self.opened += 1;
        // Boxed, because it is rare and large: otherwise every fetch would move it about.
        Box::pin(self.dialer.connect(turn))
            .await
            .inspect(|_| sink.connected())
            .map_err(|error| self.form.unconnected(&error))
    }

    /// Sends the request that was written and drains its answer.
    async fn send<S: BodySink>(
        &mut self,
        wanted: Wanted,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        // Taken out while in use: when this future is dropped half-way, the connection goes with it.
        let mut connection = self.connection(sink).await?;
        let result = connection.exchange(&self.request, wanted, sink).await;
        let result = result.map_err(|error| self.form.failed(error, &connection));
        if connection.reusable() && self.form.keeps_connections() {
            self.idle = Some((connection, Instant::now()));
        }
        result
    }
}

impl<F: WriteRequest> ObjectClient for LeanClient<F> {
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        let wanted = self.form.write(target, &mut self.request);
        self.send(wanted, sink).await
    }

    async fn refresh_credentials(&mut self) {
        self.form.refresh().await;
    }

    fn connections_opened(&self) -> Option<u64> {
        Some(self.opened)
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.form.take_notes()
    }
}

#[cfg(test)]
mod tests;
