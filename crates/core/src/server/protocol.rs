//! What the parent tells the server's process and hears from it: JSON, one message a line, secrets by pipe alone.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::options::Options;
use super::statistics::ServerReport;

/// A pair of keys that requests are signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCredentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token, when requests have to carry one.
    pub session_token: Option<String>,
}

impl fmt::Debug for ServerCredentials {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCredentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// PEM files with which https is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Everything that a server is started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessConfig {
    /// Objects, network and faults.
    pub options: Options,
    /// The folder of the results bucket; made when it is not there.
    pub results_dir: PathBuf,
    /// Host and port to listen on; port 0 = any free one.
    pub address: String,
    /// The only keys that are accepted; none = made up at the start.
    pub credentials: Option<ServerCredentials>,
    /// https instead of http.
    pub tls: Option<TlsFiles>,
    /// Unsigned requests are served too.
    pub anonymous: bool,
    /// Threads that serve, each on one core at most; 0 counts as 1.
    pub threads: u32,
}

impl ProcessConfig {
    /// One thread on any free port of 127.0.0.1, plain http, keys made up.
    pub fn new(options: Options, results_dir: PathBuf) -> Self {
        Self {
            options,
            results_dir,
            address: "127.0.0.1:0".to_owned(),
            credentials: None,
            tls: None,
            anonymous: false,
            threads: 1,
        }
    }
}

/// How a server that is up is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// `http://127.0.0.1:PORT`; buckets stand in the path.
    pub endpoint_url: String,
    /// The keys that it accepts.
    pub credentials: ServerCredentials,
    /// Bucket of the synthetic objects.
    pub source_bucket: String,
    /// Bucket kept in the results folder.
    pub results_bucket: String,
}

/// What the parent asks, once the server is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// Start the counters anew.
    Reset {},
    /// Tell the counters.
    Report {},
}

/// What the server's process answers: one line for the configuration and for each question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It serves.
    Ready(Ready),
    /// It does not serve, and why.
    Failed(String),
    /// The counters are at zero.
    Reset {},
    /// The counters.
    Report(Box<ServerReport>),
}
