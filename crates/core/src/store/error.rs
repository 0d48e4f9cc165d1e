//! Why a control call failed, in one line with its cause once, and what to try.

use std::fmt;

use crate::exit::{Exit, Failure};

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// No credentials, or the provider failed.
    NoCredentials,
    /// 403, also wrong secrets and expired tokens.
    Denied,
    /// The bucket does not exist.
    NoSuchBucket,
    /// The key does not exist.
    NoSuchKey,
    /// If-None-Match: something is there already.
    Exists,
    /// The bucket is in another region.
    OtherRegion,
    /// No connection, or it broke.
    Connection,
    /// Certificates or TLS itself.
    Tls,
    /// No answer in time.
    Timeout,
    /// The store does not know what was asked of it, or a header of it (501, 405, some of 400).
    NotImplemented,
    /// An answer that S3 does not give.
    Protocol,
    /// A file of this machine.
    File,
    /// An object that is larger than a document can be.
    TooLarge,
    /// Anything else.
    Other,
}

/// A control call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What kind.
    pub kind: StoreErrorKind,
    /// One line: what was tried, where, and the cause.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
    /// For [`StoreErrorKind::OtherRegion`]: the region to go to.
    pub region: Option<String>,
}

impl StoreError {
    /// An error without a hint.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            region: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            exit: Exit::SetUp,
            message: error.message,
            hint: error.hint,
        }
    }
}
