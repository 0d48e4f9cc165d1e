//! Why an embedded server could not be started, asked or stopped.

use std::io;
use std::path::PathBuf;

/// A failure of the embedded server or of its process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address could not be listened on.
    #[error("listen on {address}")]
    Listen {
        /// As asked for.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The folder of the results bucket could not be made or used.
    #[error("use the results folder {}", path.display())]
    ResultsFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key file could not be used.
    #[error("use the TLS file {}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The option needs another operating system.
    #[error("serve with conn-rate (or network=s3): pacing of connections needs Linux")]
    NoPacing,
    /// A thread, a runtime or a timer could not be made.
    #[error("start the embedded server: {what}")]
    Start {
        /// What could not be made.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The server's process could not be run.
    #[error("run {} as the embedded server", path.display())]
    Spawn {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server's process said why it does not serve.
    #[error("start the embedded server: {0}")]
    Refused(String),
    /// The pipe to the server's process broke, or its answer is not one.
    #[error("talk to the embedded server: {0}")]
    Pipe(String),
}
