//! The `lean` client: signs each GET and sends it on the worker's own HTTP/1.1 connection. It costs next to nothing, so it measures the platform.

mod connection;
mod endpoint;
#[expect(dead_code, reason = "the receive path that sends it comes next")]
mod request;
mod sign;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use connection::Dialer;
pub use endpoint::Endpoint;

use super::attempt::{AttemptError, BodySink, ObjectClient, Target};
use super::credentials::CredentialFeed;
use super::recipe::Recipe;
use connection::Connection;
use endpoint::{GetRequest, RequestHead};
use sign::Signer;

/// A connection that was idle so long is not used again: S3 closes idle connections after 5 to 20 s.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// One worker's client: one connection at a time.
pub struct LeanClient {
    dialer: Arc<Dialer>,
    head: RequestHead,
    signer: Signer,
    number: u32,
    opened: u64,
    idle: Option<(Connection, Instant)>,
}

impl LeanClient {
    pub(super) fn new(dialer: Arc<Dialer>, recipe: &Recipe, feed: Option<CredentialFeed>, number: u32) -> Self {
        let head = RequestHead::new(&recipe.endpoint, recipe.access.request_payer);
        Self { dialer, head, signer: Signer::new(&recipe.endpoint.signing_region, feed), number, opened: 0, idle: None }
    }

    /// The kept connection if it can still be used, else a new one.
    async fn connection(&mut self) -> Result<Connection, AttemptError> {
        if let Some((mut connection, since)) = self.idle.take()
            && since.elapsed() < IDLE_LIMIT
            && connection.ready().await
        {
            return Ok(connection);
        }
        let turn = u64::from(self.number) + self.opened;
        self.opened += 1;
        self.dialer.connect(turn).await
    }
    /// Sends a signed request and drains its answer.
    async fn send<S: BodySink>(&mut self, request: GetRequest, sink: &mut S) -> Result<(), AttemptError> {
        // Taken out while in use: when this future is dropped half-way, the connection goes with it.
        let mut connection = self.connection().await?;
        let result = connection.exchange(request, sink).await;
        if connection.reusable() {
            self.idle = Some((connection, Instant::now()));
        }
        result
    }

    /// Asks the bucket itself: `query` is what stands after the question mark, percent-encoded, its parameters sorted by name.
    #[expect(dead_code, reason = "for the listing")]
    pub(in crate::store) async fn list<S: BodySink>(&mut self, query: &str, sink: &mut S) -> Result<(), AttemptError> {
        let request = self.signer.sign(self.head.list(query));
        self.send(request, sink).await
    }
}

impl ObjectClient for LeanClient {
    async fn get<S: BodySink>(&mut self, target: Target<'_>, sink: &mut S) -> Result<(), AttemptError> {
        let request = self.signer.sign(self.head.get(target));
        self.send(request, sink).await
    }

    async fn refresh_credentials(&mut self) {
        self.signer.refresh().await;
    }

    fn connections_opened(&self) -> Option<u64> {
        Some(self.opened)
    }
}
