//! One HTTP GET for one object: what a client is asked for, and how it says that it failed.
//!
//! Owns the seam between the measured path and the clients. A client never retries.

use super::document::{element, is_error_document};
use super::error::StoreError;
use crate::sample::{ErrorCode, Outcome, THROTTLES};

/// What one GET asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The key, verbatim.
    pub key: &'a str,
    /// A part of the object; `None` asks for the whole.
    pub part: Option<Part>,
    /// Size of the whole object as listed, in bytes; `None` where that is not known.
    pub size: Option<u64>,
    /// `ETag` as listed, without its quotes; empty when unknown. Sent as `If-Match` with a part, so that parts of two versions never make one object.
    pub etag: &'a str,
}

impl<'a> Target<'a> {
    /// The whole object, of which nothing else is known.
    pub fn whole(key: &'a str) -> Self {
        Self {
            key,
            part: None,
            size: None,
            etag: "",
        }
    }

    /// The value of the `If-Match` header: with a part, where the entity tag is known and can stand in a header.
    pub(super) fn if_match(&self) -> Option<String> {
        (self.part.is_some() && is_sendable(self.etag)).then(|| format!("\"{}\"", self.etag))
    }
}

/// A range of an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First byte, from 0.
    pub first: u64,
    /// Last byte, itself included.
    pub last: u64,
}

impl Part {
    /// The value of the `Range` header.
    pub(super) fn range(self) -> String {
        format!("bytes={}-{}", self.first, self.last)
    }

    /// Bytes of it.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether an answer with these bytes is the part, or all that the object holds of it: the object may be shorter than it was listed.
    pub(super) fn is_answered_by(self, range: ContentRange) -> bool {
        let cut = range.last < self.last && range.total == Some(range.last + 1);
        range.first == self.first && (range.last == self.last || cut)
    }
}

/// What a `Content-Range` of bytes says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// First byte, from 0.
    pub(super) first: u64,
    /// Last byte, itself included.
    pub(super) last: u64,
    /// Size of the whole object in bytes, where the server says it.
    pub(super) total: Option<u64>,
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

/// Reads a `Content-Range` of bytes.
pub(super) fn content_range(value: &[u8]) -> Option<ContentRange> {
    let (range, total) = split(value.trim_ascii().strip_prefix(b"bytes ")?, b'/')?;
    let (first, last) = split(range, b'-')?;
    let (first, last) = (digits(first)?, digits(last)?);
    let total = if total == b"*" {
        None
    } else {
        Some(digits(total)?)
    };
    let possible = first <= last && total.is_none_or(|total| total > last);
    possible.then_some(ContentRange { first, last, total })
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

/// Whether an entity tag, without its quotes, is known and can stand in a header: only then does `If-Match` go out with a part.
pub fn is_sendable(etag: &str) -> bool {
    !etag.is_empty()
        && etag
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

/// What the head of an answer says of its body and its object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyHead<'a> {
    /// `Content-Length` in bytes, when there is one.
    pub length: Option<u64>,
    /// Whether nothing but the end of the connection ends the body: one that was cut looks like a whole one.
    pub until_close: bool,
    /// Size of the whole object in bytes, where the answer is a part and says it.
    pub total: Option<u64>,
    /// `ETag` as it came; empty where there is none.
    pub etag: &'a [u8],
}

/// What the measured path wants to know of an answer while it arrives.
pub trait BodySink {
    /// A connection was opened for this request and is ready, TLS included. Not called on one that was used before.
    fn connected(&mut self) {}
    /// The request was handed to the system whole.
    fn sent(&mut self) {}
    /// The head of the answer is complete, whatever it says.
    fn answered(&mut self, _status: u16) {}
    /// There was an answer with this status; when its head was complete is not known.
    fn refused(&mut self, _status: u16) {}
    /// The head of a 2xx answer is complete.
    fn head(&mut self, head: &BodyHead<'_>);
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
    /// The store's clock shows another time, which the client has taken over for its signatures: try again at once, [`CLOCK_CORRECTIONS`] times at the most.
    ClockCorrected,
}

/// How often a fetch is signed anew with the store's time: once, and once more for a clock that moves meanwhile.
pub const CLOCK_CORRECTIONS: u32 = 2;

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
        Self {
            code: ErrorCode::from_word(word),
            remedy,
        }
    }

    /// An answer that is not 2xx: its HTTP status, and the `<Code>` of its body, when there is one.
    pub fn answer(status: u16, code: Option<&str>) -> Self {
        let known = code
            .and_then(ErrorCode::known)
            .unwrap_or_else(|| ErrorCode::from_status(status));
        let remedy = match (status, code.unwrap_or_default()) {
            (_, "ExpiredToken" | "TokenRefreshRequired") => Remedy::Refresh,
            (_, "InvalidObjectState") => Remedy::Nothing(Outcome::Archived),
            (_, "NoSuchBucket") | (501, _) => Remedy::Nothing(Outcome::Failed),
            (404, _) => Remedy::Nothing(Outcome::Vanished),
            (429 | 500..=599, _) | (400, "RequestTimeout") => Remedy::BackOff,
            // What no status says.
            (_, code) if THROTTLES.contains(&(code, 400)) => Remedy::BackOff,
            _ => Remedy::Nothing(Outcome::Failed),
        };
        Self {
            code: known,
            remedy,
        }
    }

    /// An answer of a web server that was not expected. Its body is no document of S3, and a 404 says nothing of a listing.
    pub fn unexpected(status: u16) -> Self {
        let remedy = match status {
            429 | 500..=599 => Remedy::BackOff,
            _ => Remedy::Nothing(Outcome::Failed),
        };
        Self {
            code: ErrorCode::from_status(status),
            remedy,
        }
    }

    /// Whether the store refused a signature for its time.
    pub(super) fn is_clock_skew(self) -> bool {
        self.code == ErrorCode::from_word("RequestTimeTooSkewed")
    }

    /// What the S3 error document in the body of a 200 stands for, as if it had come with its own status; `None` where `body` is no such document.
    pub fn of_document(body: &[u8]) -> Option<Self> {
        if !is_error_document(body) {
            return None;
        }
        let code = element(body, "Code").unwrap_or_default();
        let throttle = THROTTLES.iter().find(|(throttle, _)| *throttle == code);
        let status = match (throttle, code.as_str()) {
            (Some((_, status)), _) => *status,
            (None, "InternalError") => 500,
            (None, "NoSuchKey" | "NoSuchVersion") => 404,
            (None, _) => 400,
        };
        let error = Self::answer(status, Some(&code));
        // Nobody answered with the status that a code without a number would be named after.
        Some(if ErrorCode::known(&code).is_some() {
            error
        } else {
            Self {
                code: ErrorCode::from_word("error-document"),
                ..error
            }
        })
    }
}

/// A client that fetches objects of one bucket, owned by one worker.
#[expect(
    async_fn_in_trait,
    reason = "one worker owns a client and waits for it: nothing asks whether its futures may change threads"
)]
pub trait ObjectClient {
    /// One GET, drained to its end into `sink`. Dropping the future gives the connection up.
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError>;

    /// Waits for credentials newer than those of the last attempt.
    async fn refresh_credentials(&mut self);

    /// Connections opened so far; `None` when the client does not tell.
    fn connections_opened(&self) -> Option<u64>;

    /// What a person should know of the answers so far, once each.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
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
        assert_eq!(
            remedy(501, "NotImplemented"),
            Remedy::Nothing(Outcome::Failed)
        );
        assert_eq!(
            remedy(403, "AccessDenied"),
            Remedy::Nothing(Outcome::Failed)
        );
        assert_eq!(
            remedy(403, "InvalidObjectState"),
            Remedy::Nothing(Outcome::Archived)
        );
        assert_eq!(remedy(404, "NoSuchKey"), Remedy::Nothing(Outcome::Vanished));
        assert_eq!(
            remedy(404, "NoSuchBucket"),
            Remedy::Nothing(Outcome::Failed)
        );
        assert_eq!(remedy(400, "ExpiredToken"), Remedy::Refresh);
        assert_eq!(AttemptError::answer(502, None).code.to_string(), "HTTP502");
    }

    #[test]
    fn an_error_document_in_a_200_counts_as_the_answer_that_it_should_have_been() {
        let of = |code: &str| {
            let error = AttemptError::of_document(
                format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>").as_bytes(),
            )
            .unwrap();
            (error.code.to_string(), error.remedy)
        };
        let failed = Remedy::Nothing(Outcome::Failed);
        assert_eq!(of("SlowDown"), ("SlowDown".to_owned(), Remedy::BackOff));
        assert_eq!(
            of("InternalError"),
            ("InternalError".to_owned(), Remedy::BackOff)
        );
        assert_eq!(
            of("NoSuchKey"),
            ("NoSuchKey".to_owned(), Remedy::Nothing(Outcome::Vanished))
        );
        assert_eq!(of("AccessDenied"), ("AccessDenied".to_owned(), failed));
        assert_eq!(of("NeverHeardOf"), ("error-document".to_owned(), failed));
        assert_eq!(of(""), ("error-document".to_owned(), failed));
        for body in [
            "",
            "x",
            "<html><Error/></html>",
            "<Errors/>",
            "<?xml version=\"1.0\"?>",
            "text <Error><Code>SlowDown</Code></Error>",
        ] {
            assert_eq!(AttemptError::of_document(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_part_is_answered_by_its_bytes_or_by_all_that_is_left_of_them() {
        let answered = |first, last, total| {
            Part {
                first: 10,
                last: 19,
            }
            .is_answered_by(ContentRange { first, last, total })
        };
        assert!(
            answered(10, 19, Some(100)) && answered(10, 19, None) && answered(10, 15, Some(16))
        );
        assert!(
            !answered(10, 15, Some(100))
                && !answered(10, 15, None)
                && !answered(9, 19, Some(100))
                && !answered(10, 20, Some(21))
        );
    }

    #[test]
    fn a_range_is_read_as_it_stands() {
        let range = |value: &str| {
            content_range(value.as_bytes())
                .map(|ContentRange { first, last, total }| (first, last, total))
        };
        assert_eq!(range("bytes 0-0/1"), Some((0, 0, Some(1))));
        assert_eq!(
            range("bytes 8388608-16777215/20000000"),
            Some((8_388_608, 16_777_215, Some(20_000_000)))
        );
        assert_eq!(range("bytes 5-9/*"), Some((5, 9, None)));
        for wrong in [
            "",
            "bytes",
            "bytes */10",
            "bytes 0-9",
            "bytes 9-5/10",
            "bytes 0-10/10",
            "bytes 0-9/x",
            "items 0-9/10",
            "bytes 0-+9/10",
        ] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
