//! Why a control call failed, in one line with its cause once, and what to try.

use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::distrust::{self, Distrust};
use crate::exit::{Exit, Failure};
use crate::plan::names::{is_region, shown};

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

/// What a call was about, for its message.
pub(super) struct Call {
    /// `list s3://bucket/prefix`
    pub(super) what: String,
    /// The endpoint, for hints.
    pub(super) endpoint: Option<String>,
}

impl Call {
    /// Puts an SDK error into words.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let Some(response) = error
            .raw_response()
            .filter(|_| matches!(error, SdkError::ServiceError(_)))
        else {
            return self.no_answer(error);
        };
        let status = response.status().as_u16();
        let body = response.body().bytes().unwrap_or_default();
        let code = error
            .code()
            .map(str::to_owned)
            .or_else(|| element(body, "Code"));
        let region = response
            .headers()
            .get("x-amz-bucket-region")
            .map(str::to_owned)
            .or_else(|| element(body, "Region"));
        let text = error
            .message()
            .map(str::to_owned)
            .or_else(|| element(body, "Message"))
            .map(|text| limited(&text));
        self.answer(Answer {
            status,
            code: code.as_deref().unwrap_or_default(),
            text: text.as_deref().unwrap_or_default(),
            region,
        })
    }

    fn answer(&self, answer: Answer<'_>) -> StoreError {
        use StoreErrorKind as Kind;
        let Answer {
            status,
            code,
            text,
            mut region,
        } = answer;
        let named = if code.is_empty() {
            format!("HTTP {status}")
        } else {
            code.to_owned()
        };
        let at = self
            .endpoint
            .clone()
            .unwrap_or_else(|| "AWS's own".to_owned());
        let what = &self.what;
        let (kind, cause, hint) = match (status, code) {
            (
                301 | 307 | 400,
                "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
            )
            | (301, _) => {
                let place = match region.as_deref() {
                    None => "another region".to_owned(),
                    Some(name) if is_region(name) => format!("region {name}"),
                    Some(name) => format!("another region, which the answer calls {}", shown(name)),
                };
                // What is no region's name must not get into a signature.
                region = region.filter(|name| is_region(name));
                (
                    Kind::OtherRegion,
                    format!("the bucket is in {place} ({named})"),
                    "set AWS_REGION to the bucket's region".to_owned(),
                )
            }
            (_, "NoSuchBucket") => (
                Kind::NoSuchBucket,
                format!("the bucket does not exist ({named})"),
                format!("check the bucket's name; the endpoint is {at}"),
            ),
            (412, _) | (409, "ConditionalRequestConflict") => (
                Kind::Exists,
                format!("there is one already ({named})"),
                "choose another --tag".to_owned(),
            ),
            (404, _) => (
                Kind::NoSuchKey,
                format!("it does not exist ({named})"),
                format!("check its name; the endpoint is {at}"),
            ),
            (_, "ExpiredToken" | "TokenRefreshRequired") => (
                Kind::Denied,
                format!("the session token expired ({named})"),
                "get new credentials, then run again".to_owned(),
            ),
            (_, "SignatureDoesNotMatch") => (
                Kind::Denied,
                format!("the secret access key is wrong ({named})"),
                "check AWS_SECRET_ACCESS_KEY".to_owned(),
            ),
            (_, "InvalidToken") => (
                Kind::Denied,
                format!("the session token is not valid there ({named})"),
                format!("check AWS_SESSION_TOKEN; the endpoint is {at}"),
            ),
            (_, "InvalidAccessKeyId") => (
                Kind::Denied,
                format!("the access key is not known there ({named})"),
                format!("check AWS_ACCESS_KEY_ID; the endpoint is {at}"),
            ),
            (_, "RequestTimeTooSkewed") => (
                Kind::Denied,
                format!("this machine's clock is wrong ({named})"),
                "set the clock".to_owned(),
            ),
            (403 | 401, _) => (
                Kind::Denied,
                format!("access denied ({named})"),
                format!("grant {} to these credentials", self.permission()),
            ),
            (400, "InvalidArgument" | "InvalidRequest") if names_a_header(text) => {
                let cause = format!("{} ({named})", text.trim_end_matches('.'));
                (
                    Kind::NotImplemented,
                    cause,
                    format!("check that the endpoint is one of S3: {at}"),
                )
            }
            (405 | 501, _) | (_, "NotImplemented") => (
                Kind::NotImplemented,
                format!("the store does not know this request ({named})"),
                format!("check that the endpoint is one of S3: {at}"),
            ),
            (200..=299, "") => (
                Kind::Protocol,
                "the answer is not S3's".to_owned(),
                format!("check that the endpoint is one of S3: {at}"),
            ),
            _ => {
                let cause = if text.is_empty() {
                    named
                } else {
                    format!("{} ({named})", text.trim_end_matches('.'))
                };
                let hint = match status {
                    429 | 500.. if status != 501 => {
                        "the store is busy or broken: try again later, or with more --attempts"
                            .to_owned()
                    }
                    _ => format!("check that the endpoint is right: {at}"),
                };
                (Kind::Other, cause, hint)
            }
        };
        StoreError {
            kind,
            message: format!("cannot {what}: {cause}"),
            hint: Some(hint),
            region,
        }
    }

    fn permission(&self) -> &'static str {
        match self.what.split(' ').next() {
            Some("list") => "s3:ListBucket",
            Some("store") => "s3:PutObject",
            Some("copy") => "s3:GetObject on the source and s3:PutObject on the target",
            _ => "s3:GetObject",
        }
    }

    /// No answer came: no connection, TLS, time, or something that is not S3.
    fn no_answer<E>(&self, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        use StoreErrorKind as Kind;
        let what = &self.what;
        let at = self
            .endpoint
            .as_ref()
            .map_or_else(String::new, |url| format!(" at {url}"));
        let chain = chain(error);
        let deepest = chain
            .last()
            .map(|text| {
                text.trim_start_matches("invalid peer certificate: ")
                    .to_owned()
            })
            .unwrap_or_default();
        let is = |word: &str| {
            chain
                .iter()
                .any(|text| text.to_ascii_lowercase().contains(word))
        };
        let distrusted = distrust::of(&chain);
        let (kind, cause, hint) = if is("longer than 64 mib") {
            (
                Kind::Protocol,
                format!("the answer{at} is longer than 64 MiB"),
                "check that the endpoint is one of S3",
            )
        } else if matches!(error, SdkError::ResponseError(_)) && !is("timed out") {
            (
                Kind::Protocol,
                format!("the answer{at} is not S3's"),
                "check that the endpoint is one of S3",
            )
        } else if let Some(Distrust { what, hint }) = distrusted {
            (
                Kind::Tls,
                format!("the certificate{at} {what} ({deepest})"),
                hint,
            )
        } else if is("invalidcontenttype") || is("corrupt message") || is("tls") || is("handshake")
        {
            (
                Kind::Tls,
                format!("no TLS{at} ({deepest})"),
                "the endpoint may speak plain HTTP: try http:// in the endpoint's URL",
            )
        } else if is("credentials") && !matches!(error, SdkError::TimeoutError(_)) {
            (
                Kind::NoCredentials,
                format!("no usable credentials ({deepest})"),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a --profile, or give the task a role",
            )
        } else if is("connection refused") {
            (
                Kind::Connection,
                format!("the connection{at} was refused"),
                "check the endpoint's URL and that the server runs",
            )
        } else if is("dns error") || is("failed to lookup address") {
            (
                Kind::Connection,
                format!("the host name{at} is not known ({deepest})"),
                "check the endpoint's URL or the region",
            )
        } else if matches!(error, SdkError::TimeoutError(_)) || is("timed out") || is("timeout") {
            (
                Kind::Timeout,
                format!("no answer in time{at}"),
                "check the endpoint, security groups and routes; --connect-timeout and --stall-timeout set the limits",
            )
        } else if is("invalid http version")
            || is("parse")
            || is("incomplete")
            || is("connection closed")
            || is("reset")
        {
            (
                Kind::Protocol,
                format!("no HTTP answer{at} ({deepest})"),
                "the endpoint may speak TLS: try https:// in the endpoint's URL",
            )
        } else {
            (
                Kind::Other,
                deepest,
                "check the endpoint's URL and that the server runs",
            )
        };
        StoreError {
            kind,
            message: format!("cannot {what}: {cause}"),
            hint: Some(hint.to_owned()),
            region: None,
        }
    }
}

struct Answer<'a> {
    status: u16,
    code: &'a str,
    text: &'a str,
    region: Option<String>,
}

/// Whether a refusal is about what a request carries beside its object: gateways know fewer headers than S3.
fn names_a_header(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["header", "checksum", "x-amz-", "if-none-match", "trailer"]
        .iter()
        .any(|word| text.contains(word))
}

/// What a server says, cut to what a person reads.
fn limited(text: &str) -> String {
    /// Characters of a longer one that are shown.
    const MOST: usize = 500;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        text.chars().take(MOST).chain(['…']).collect()
    }
}

/// The text of every error in the chain, outermost first.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect()
}

/// Whether the body is an S3 error document, or the start of one: XML whose first element is `Error`.
pub(super) fn is_error_document(body: &[u8]) -> bool {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(body);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => return start.local_name().as_ref() == b"Error",
            Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_)) => {}
            Ok(Event::Text(text)) if text.trim_ascii().is_empty() => {}
            _ => return false,
        }
    }
}

/// The text of the first `<name>` in an S3 error document; `None` where the body is not such a document.
pub(super) fn element(xml: &[u8], name: &str) -> Option<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => inside = start.local_name().as_ref() == name.as_bytes(),
            Event::Text(text) if inside => {
                return Some(text.decode().ok()?.trim().to_owned()).filter(|text| !text.is_empty());
            }
            Event::End(_) => inside = false,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    fn answer(status: u16, code: &str) -> StoreError {
        Call {
            what: "list s3://imagse".to_owned(),
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
        }
        .answer(Answer {
            status,
            code,
            text: "Long story.",
            region: None,
        })
    }

    #[test]
    fn a_missing_bucket_reads_as_the_design_shows_it() {
        let error = answer(404, "NoSuchBucket");
        assert_eq!(
            error.message,
            "cannot list s3://imagse: the bucket does not exist (NoSuchBucket)"
        );
        assert_eq!(
            error.hint.unwrap(),
            "check the bucket's name; the endpoint is http://127.0.0.1:9000"
        );
    }

    #[test]
    fn the_cause_stands_once() {
        assert_eq!(
            answer(403, "AccessDenied").message,
            "cannot list s3://imagse: access denied (AccessDenied)"
        );
        assert_eq!(
            answer(400, "Odd").message,
            "cannot list s3://imagse: Long story (Odd)"
        );
        assert_eq!(
            answer(502, "").message,
            "cannot list s3://imagse: Long story (HTTP 502)"
        );
    }

    #[test]
    fn elements_of_an_error_document_are_found() {
        let xml = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message><Region>eu-west-1</Region></Error>";
        assert_eq!(element(xml, "Code").as_deref(), Some("SlowDown"));
        assert_eq!(element(xml, "Region").as_deref(), Some("eu-west-1"));
        assert_eq!(element(b"not xml", "Code"), None);
    }

    #[test]
    fn fuzz_error_documents() {
        let words = &[
            "<Code>",
            "</Code>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "&amp;",
            "&#0;",
            "<?",
            "?>",
            "<!DOCTYPE",
            ">",
            "<a:Code>",
        ];
        let seed = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message><Region>eu-west-1</Region></Error>";
        Target {
            name: "error-document",
            seeds: vec![seed.to_vec()],
            words,
            cases: 30_000,
        }
        .run(|bytes| {
            let found = element(bytes, "Code");
            assert!(found.is_none_or(|code| !code.is_empty() && code.len() <= 3 * bytes.len()));
        });
    }
}
