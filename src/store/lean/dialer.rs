//! How connections are opened: addresses, whose turn it is, time limit, TLS.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::connection::Connection;
use super::endpoint::Endpoint;
use super::tls;
use super::wire::Wire;
use crate::store::attempt::{AttemptError, Remedy};
use crate::store::classify::{Stage, transport};
use crate::store::error::StoreError;

/// Addresses are asked for again after this: S3's DNS answers change every few seconds.
const ADDRESSES_LIVE: Duration = Duration::from_secs(30);
/// Addresses that all failed are asked for again, but not when they have just been: where nobody answers, every worker comes this way.
const ADDRESSES_FRESH: Duration = Duration::from_secs(1);

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
        let tls = if endpoint.https { Some((Arc::new(tls::config(ca_bundle)?), tls::server_name(&endpoint.host)?)) } else { None };
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
        let mut known = self.addresses.lock().await;
        if known.as_ref().is_some_and(|(_, since)| since.elapsed() > ADDRESSES_FRESH) {
            *known = None;
        }
        Err(last)
    }

    /// One lookup serves all who wait for it: at the epoch every worker does, and resolvers drop what is too much for them.
    async fn resolve(&self) -> io::Result<Arc<[SocketAddr]>> {
        let mut known = self.addresses.lock().await;
        if let Some((addresses, since)) = &*known
            && since.elapsed() < ADDRESSES_LIVE
        {
            return Ok(Arc::clone(addresses));
        }
        let addresses: Arc<[SocketAddr]> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        *known = Some((Arc::clone(&addresses), Instant::now()));
        Ok(addresses)
    }

    async fn open(&self, address: SocketAddr) -> io::Result<Connection> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let mut wire = Wire::new(tcp, self.tls.as_ref().map(|(config, name)| (config, name.clone())))?;
        poll_fn(|context| wire.poll_ready(context)).await?;
        Ok(Connection::new(wire))
    }
}
