//! One HTTP/1.1 connection, plain or TLS: how it is opened, and how one request goes through it.
//!
//! [`Connection`] hides that hyper does it. Request and connection are driven by the worker's own task: nothing is spawned.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;

use super::endpoint::{Endpoint, GetRequest};
use crate::store::attempt::{AttemptError, BodySink, Remedy};
use crate::store::classify::{Stage, transport};
use crate::store::error::{StoreError, StoreErrorKind, element};
use crate::store::trust::read_bundle;

/// Addresses are asked for again after this: S3's DNS answers change every few seconds.
const ADDRESSES_LIVE: Duration = Duration::from_secs(30);
/// At most so much of an error document is kept.
const ERROR_BYTES: usize = 64 * 1024;

/// Opens connections; shared by the workers of a process.
#[derive(Debug)]
pub struct Dialer {
    host: String,
    port: u16,
    timeout: Duration,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    addresses: Mutex<Option<(Arc<[SocketAddr]>, Instant)>>,
}

impl Dialer {
    /// Loads the certificate authorities when the endpoint speaks TLS. Opens nothing.
    pub fn new(endpoint: &Endpoint, timeout: Duration, ca_bundle: Option<&Path>) -> Result<Self, StoreError> {
        let tls = if endpoint.https { Some((Arc::new(tls_config(ca_bundle)?), server_name(&endpoint.host)?)) } else { None };
        Ok(Self { host: endpoint.host.clone(), port: endpoint.port, timeout, tls, addresses: Mutex::new(None) })
    }

    /// A new connection: to the address whose turn it is, so that workers spread over all of them, and past those that do not answer.
    pub(super) async fn connect(&self, turn: u64) -> Result<Connection, AttemptError> {
        let late = || AttemptError::own("connect-timeout", Remedy::Reconnect);
        match tokio::time::timeout(self.timeout, self.dial(turn)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(transport(&error, Stage::Connecting)),
            Err(_elapsed) => Err(late()),
        }
    }

    async fn dial(&self, turn: u64) -> io::Result<Connection> {
        let addresses = self.resolve().await?;
        let count = addresses.len() as u64;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the endpoint's name has no address");
        for step in 0..count {
            let index = usize::try_from((turn + step) % count).unwrap_or_default();
            match self.open(addresses[index]).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        // All of them failed: ask for addresses anew next time.
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Err(last)
    }

    async fn resolve(&self) -> io::Result<Arc<[SocketAddr]>> {
        let known = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((addresses, since)) = known
            && since.elapsed() < ADDRESSES_LIVE
        {
            return Ok(addresses);
        }
        let addresses: Arc<[SocketAddr]> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&addresses), Instant::now()));
        Ok(addresses)
    }

    async fn open(&self, address: SocketAddr) -> io::Result<Connection> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let Some((config, name)) = &self.tls else { return Connection::over(tcp).await };
        let tls = tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await?;
        Connection::over(tls).await
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, StoreError> {
    ServerName::try_from(host.to_owned())
        .map_err(|error| StoreError::new(StoreErrorKind::Tls, format!("`{host}` cannot be checked against a certificate: {error}")))
}

/// TLS as the SDK speaks it (rustls, aws-lc), with HTTP/1.1 alone.
fn tls_config(ca_bundle: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        Some(path) => {
            roots.add_parsable_certificates(read_bundle(path)?);
        }
        // Also reads SSL_CERT_FILE and SSL_CERT_DIR.
        None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    }
    if roots.is_empty() {
        return Err(StoreError::new(StoreErrorKind::Tls, "no certificate authority is trusted on this machine")
            .hint("install ca-certificates, or name a PEM file in AWS_CA_BUNDLE"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.expect("the provider serves TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>>>>;

/// One connection, used for one request after another.
pub(super) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: Option<Driver>,
    used: bool,
    broken: bool,
}

impl Connection {
    async fn over<T>(stream: T) -> io::Result<Self>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
    {
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        Ok(Self { sender, driver: Some(Box::pin(driver)), used: false, broken: false })
    }

    /// Whether another request can be sent.
    pub(super) async fn ready(&mut self) -> bool {
        drive(&mut self.driver, self.sender.ready()).await.is_ok()
    }

    /// Whether the connection may be kept: nothing of the last answer is left on it.
    pub(super) fn reusable(&self) -> bool {
        !self.broken && self.driver.is_some() && !self.sender.is_closed()
    }

    /// Sends one request and drains its answer.
    pub(super) async fn exchange<S: BodySink>(&mut self, request: GetRequest, sink: &mut S) -> Result<(), AttemptError> {
        let reused = std::mem::replace(&mut self.used, true);
        // Until the answer is drained to its end.
        self.broken = true;
        let answer = drive(&mut self.driver, self.sender.send_request(request)).await;
        let answer = answer.map_err(|error| transport(&error, Stage::Waiting { reused }))?;
        let (head, mut body) = answer.into_parts();
        if !head.status.is_success() {
            let document = self.error_document(&mut body).await;
            return Err(AttemptError::answer(head.status.as_u16(), element(&document, "Code").as_deref()));
        }
        let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        sink.head(length);
        while let Some(frame) = drive(&mut self.driver, body.frame()).await {
            match frame {
                Ok(frame) => frame.data_ref().into_iter().for_each(|bytes| sink.chunk(bytes)),
                Err(error) => return Err(transport(&error, Stage::Reading)),
            }
        }
        self.broken = false;
        Ok(())
    }

    /// The body of an answer that is not 2xx; a longer one is cut, and its connection given up.
    async fn error_document(&mut self, body: &mut Incoming) -> Vec<u8> {
        let mut document = Vec::new();
        while let Some(frame) = drive(&mut self.driver, body.frame()).await {
            let Ok(frame) = frame else { return document };
            document.extend_from_slice(frame.data_ref().map_or(&[][..], |bytes| bytes));
            if document.len() > ERROR_BYTES {
                return document;
            }
        }
        self.broken = false;
        document
    }
}

/// Polls `future`, and the connection that it waits for, as one.
async fn drive<F: Future>(driver: &mut Option<Driver>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if let Some(running) = driver
            && running.as_mut().poll(context).is_ready()
        {
            // The connection is over; what it had for the request has been handed on.
            *driver = None;
        }
        future.as_mut().poll(context)
    })
    .await
}
