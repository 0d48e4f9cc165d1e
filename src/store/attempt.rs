//! One HTTP GET for one object: what a client is asked for, and how it says that it failed.
//!
//! Owns the seam between the measured path and the clients. A client never retries.

use super::error::StoreError;
use crate::sample::{ErrorCode, Outcome};

/// What one GET asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The key, verbatim.
    pub key: &'a str,
    /// A part of the object; `None` asks for the whole.
    pub part: Option<Part<'a>>,
}

impl<'a> Target<'a> {
    /// The whole object.
    pub fn whole(key: &'a str) -> Self {
        Self { key, part: None }
    }
}

/// A range of an object's bytes, of one version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// First byte, from 0.
    pub first: u64,
    /// Last byte, itself included.
    pub last: u64,
    /// `ETag` as listed, without its quotes: sent as `If-Match`, so that parts of two versions never make one object. Empty when unknown.
    pub etag: &'a str,
}

impl Part<'_> {
    /// The value of the `Range` header.
    pub(super) fn range(&self) -> String {
        format!("bytes={}-{}", self.first, self.last)
    }

    /// The value of the `If-Match` header, where the entity tag is known and can stand in a header.
    pub(super) fn if_match(&self) -> Option<String> {
        is_sendable(self.etag).then(|| format!("\"{}\"", self.etag))
    }

    /// First and last byte, as [`content_range`] reads them.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.first, self.last)
    }
}

/// A number of decimal digits and nothing else.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// First and last byte that a `Content-Range` of bytes names.
pub(super) fn content_range(value: &[u8]) -> Option<(u64, u64)> {
    let (range, total) = split(value.trim_ascii().strip_prefix(b"bytes ")?, b'/')?;
    let (first, last) = split(range, b'-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let possible = first <= last && (total == b"*" || digits(total)? > last);
    possible.then_some((first, last))
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

/// Whether an entity tag, without its quotes, is known and can stand in a header: only then does `If-Match` go out with a part.
pub fn is_sendable(etag: &str) -> bool {
    !etag.is_empty() && etag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

/// What the measured path wants to know of an answer while it arrives.
pub trait BodySink {
    /// The head of a 2xx answer is complete; its Content-Length in bytes, when it has one.
    fn head(&mut self, content_length: Option<u64>);
    /// Body bytes, as one read returned them.
    fn chunk(&mut self, bytes: &[u8]);
}

/// What helps against a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the fetch ends so.
    Nothing(Outcome),
    /// Wait, then try again.
    BackOff,
    /// Try again at once, on a new connection: the connection was reused and closed before the answer began.
    NewConnection,
    /// There is no connection yet: wait and try again. Bounded by time, not by the number of attempts, because no GET was sent.
    Reconnect,
    /// The credentials expired: refresh them, once.
    Refresh,
}

/// A failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// The code in the row.
    pub code: ErrorCode,
    /// What helps.
    pub remedy: Remedy,
}

impl AttemptError {
    /// An error of this client's own, by its word in [`ErrorCode`].
    pub fn own(word: &str, remedy: Remedy) -> Self {
        Self { code: ErrorCode::from_word(word), remedy }
    }

    /// An answer that is not 2xx: its HTTP status, and the `<Code>` of its body, when there is one.
    pub fn answer(status: u16, code: Option<&str>) -> Self {
        let known = code.and_then(ErrorCode::known).unwrap_or_else(|| ErrorCode::from_status(status));
        let remedy = match (status, code.unwrap_or_default()) {
            (_, "ExpiredToken" | "TokenRefreshRequired") => Remedy::Refresh,
            (_, "InvalidObjectState") => Remedy::Nothing(Outcome::Archived),
            (_, "NoSuchBucket") => Remedy::Nothing(Outcome::Failed),
            (404, _) => Remedy::Nothing(Outcome::Vanished),
            (429 | 500..=599, _) | (400, "RequestTimeout") | (_, "ThrottlingException" | "KMS.ThrottlingException") if status != 501 => {
                Remedy::BackOff
            }
            _ => Remedy::Nothing(Outcome::Failed),
        };
        Self { code: known, remedy }
    }
}

/// A client that fetches objects of one bucket, owned by one worker.
#[expect(async_fn_in_trait, reason = "workers stay on their thread: no Send bound is wanted")]
pub trait ObjectClient {
    /// One GET, drained to its end into `sink`. Dropping the future gives the connection up.
    async fn get<S: BodySink>(&mut self, target: Target<'_>, sink: &mut S) -> Result<(), AttemptError>;

    /// Waits for credentials newer than those of the last attempt.
    async fn refresh_credentials(&mut self);

    /// Connections opened so far; `None` when the client does not tell.
    fn connections_opened(&self) -> Option<u64>;
}

/// Makes the client of each worker.
pub trait ClientFactory: Send + Sync + 'static {
    /// What it makes.
    type Client: ObjectClient;

    /// The client of worker `number`. Opens no connection.
    fn client(&self, number: u32) -> Result<Self::Client, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_retried_only_where_that_can_help() {
        let remedy = |status, code| AttemptError::answer(status, Some(code)).remedy;
        assert_eq!(remedy(503, "SlowDown"), Remedy::BackOff);
        assert_eq!(remedy(500, "InternalError"), Remedy::BackOff);
        assert_eq!(remedy(501, "NotImplemented"), Remedy::Nothing(Outcome::Failed));
        assert_eq!(remedy(403, "AccessDenied"), Remedy::Nothing(Outcome::Failed));
        assert_eq!(remedy(403, "InvalidObjectState"), Remedy::Nothing(Outcome::Archived));
        assert_eq!(remedy(404, "NoSuchKey"), Remedy::Nothing(Outcome::Vanished));
        assert_eq!(remedy(404, "NoSuchBucket"), Remedy::Nothing(Outcome::Failed));
        assert_eq!(remedy(400, "ExpiredToken"), Remedy::Refresh);
        assert_eq!(AttemptError::answer(502, None).code.to_string(), "HTTP502");
    }

    #[test]
    fn a_range_is_read_as_it_stands() {
        let range = |value: &str| content_range(value.as_bytes());
        assert_eq!(range("bytes 0-0/1"), Some((0, 0)));
        assert_eq!(range("bytes 8388608-16777215/20000000"), Some((8_388_608, 16_777_215)));
        assert_eq!(range("bytes 5-9/*"), Some((5, 9)));
        for wrong in ["", "bytes", "bytes */10", "bytes 0-9", "bytes 9-5/10", "bytes 0-10/10", "bytes 0-9/x", "items 0-9/10", "bytes 0-+9/10"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
