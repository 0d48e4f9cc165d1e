//! Why an embedded server could not be started, asked or stopped.

use std::io;
use std::path::PathBuf;

/// A failure of the embedded server or of its process; the text holds the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address could not be listened on.
    #[error("listen on {address}: {cause}")]
    Listen {
        /// As asked for.
        address: String,
        /// Why.
        cause: io::Error,
    },
    /// The folder of the results bucket could not be made or used.
    #[error("use the results folder {}: {cause}", path.display())]
    ResultsFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
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
    #[error("start the embedded server: {what}: {cause}")]
    Start {
        /// What could not be made.
        what: &'static str,
        /// Why.
        cause: io::Error,
    },
    /// The server's process could not be run.
    #[error("run {} as the embedded server: {cause}", path.display())]
    Spawn {
        /// The binary.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The server's process said why it does not serve.
    #[error("start the embedded server: {0}")]
    Refused(String),
    /// The pipe to the server's process broke, or its answer is not one.
    #[error("talk to the embedded server: {0}")]
    Pipe(String),
}
