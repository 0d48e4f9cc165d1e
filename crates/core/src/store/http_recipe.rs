//! How requests to a web server are made: resolved once in the parent, sent to children by pipe. Headers and body may be secrets, and nothing shows them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use super::error::{StoreError, StoreErrorKind};
use crate::plan::{HostPort, HttpHeader, HttpSource, Limits, Method, StatusSet, WebOrigin};

/// The body of every request.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyBytes(pub Vec<u8>);

impl fmt::Debug for BodyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// How requests to a web server are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpRecipe {
    pub(super) origin: WebOrigin,
    /// Where connections go, in turn: the addresses of each name, looked up once.
    pub(super) servers: Vec<Vec<SocketAddr>>,
    pub(super) method: Method,
    pub(super) headers: Vec<HttpHeader>,
    pub(super) body: BodyBytes,
    pub(super) keep_alive: bool,
    pub(super) expect: StatusSet,
    pub(super) limits: Limits,
    pub(super) ca_bundle: Option<PathBuf>,
}

/// A web server whose addresses are known.
#[derive(Clone, Debug)]
pub struct HttpReached {
    /// How requests are made.
    pub recipe: HttpRecipe,
    /// How many addresses there are.
    pub addresses: usize,
    /// How long it took to look them up.
    pub lookup_ns: u64,
}

/// What of a request its source does not say.
#[derive(Clone, Debug)]
pub struct HttpSetup {
    /// The server that the URLs name.
    pub origin: WebOrigin,
    /// The body, read.
    pub body: BodyBytes,
    /// Time limits.
    pub limits: Limits,
    /// Certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl HttpRecipe {
    /// Looks the server's names up: once, so that no request waits for it.
    ///
    /// # Errors
    /// When a name has no address.
    pub async fn reach(source: &HttpSource, setup: HttpSetup) -> Result<HttpReached, StoreError> {
        let HttpSetup {
            origin,
            body,
            limits,
            ca_bundle,
        } = setup;
        let own = HostPort {
            host: origin.host.clone(),
            port: origin.port,
        };
        let names = if source.connect_to.is_empty() {
            std::slice::from_ref(&own)
        } else {
            &source.connect_to
        };
        let begin = Instant::now();
        let mut servers = Vec::new();
        for name in names {
            servers.push(look_up(name).await?);
        }
        let lookup_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Ok(HttpReached {
            addresses: servers.iter().map(Vec::len).sum(),
            lookup_ns,
            recipe: Self {
                origin,
                servers,
                method: source.method.clone(),
                headers: source.headers.clone(),
                body,
                keep_alive: source.keep_alive,
                expect: source.expect,
                limits,
                ca_bundle,
            },
        })
    }

    /// The server that the URLs name: whose certificate is checked.
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            https: self.origin.https,
            host: self.origin.host.clone(),
            port: self.origin.port,
            authority: self.origin.authority(),
            base_path: String::new(),
            signing_region: String::new(),
        }
    }
}

async fn look_up(name: &HostPort) -> Result<Vec<SocketAddr>, StoreError> {
    let failed = |cause: &str| {
        StoreError::new(
            StoreErrorKind::Connection,
            format!("cannot find an address of {}: {cause}", name.host),
        )
        .hint("check the name; --connect-to HOST:PORT connects to another address")
    };
    let found = tokio::net::lookup_host((name.host.as_str(), name.port)).await;
    let found: Vec<_> = found.map_err(|error| failed(&error.to_string()))?.collect();
    if found.is_empty() {
        return Err(failed("there is none"));
    }
    Ok(found)
}
