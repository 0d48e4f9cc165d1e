//! Why a control call failed, in words: from the store's answer, or from what came in its place.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::distrust::{self, Distrust};
use super::document::element;
use super::error::{StoreError, StoreErrorKind};
use super::provider::why_none;
use crate::plan::names::{is_region, shown};

/// What a call was about, for its message.
pub(super) struct ControlCall {
    /// `list s3://bucket/prefix`
    pub(super) what: String,
    /// The endpoint, for hints.
    pub(super) endpoint: Option<String>,
}

impl ControlCall {
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
        self.answer(StoreAnswer {
            status,
            code: code.as_deref().unwrap_or_default(),
            text: text.as_deref().unwrap_or_default(),
            region,
        })
    }

    fn answer(&self, answer: StoreAnswer<'_>) -> StoreError {
        let Reason { kind, cause, hint } = self
            .elsewhere(&answer)
            .or_else(|| self.denied(&answer))
            .unwrap_or_else(|| self.unexpected(&answer));
        // What is no region's name must not get into a signature.
        let is_usable = |name: &String| kind != StoreErrorKind::OtherRegion || is_region(name);
        StoreError {
            kind,
            message: format!("cannot {}: {cause}", self.what),
            hint: Some(hint),
            region: answer.region.filter(is_usable),
        }
    }

    /// The endpoint, as hints name it.
    fn at(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS's own")
    }

    /// It is in another place, is not there, or is there already.
    fn elsewhere(&self, answer: &StoreAnswer<'_>) -> Option<Reason> {
        let (named, at) = (answer.named(), self.at());
        let (kind, cause, hint) = match (answer.status, answer.code) {
            (
                301 | 307 | 400,
                "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
            )
            | (301, _) => {
                let place = match answer.region.as_deref() {
                    None => "another region".to_owned(),
                    Some(name) if is_region(name) => format!("region {name}"),
                    Some(name) => format!("another region, which the answer calls {}", shown(name)),
                };
                (
                    StoreErrorKind::OtherRegion,
                    format!("the bucket is in {place} ({named})"),
                    "set AWS_REGION to the bucket's region".to_owned(),
                )
            }
            (_, "NoSuchBucket") => (
                StoreErrorKind::NoSuchBucket,
                format!("the bucket does not exist ({named})"),
                format!("check the bucket's name; the endpoint is {at}"),
            ),
            (412, _) | (409, "ConditionalRequestConflict") => (
                StoreErrorKind::Exists,
                format!("there is one already ({named})"),
                "choose another --tag".to_owned(),
            ),
            (404, _) => (
                StoreErrorKind::NoSuchKey,
                format!("it does not exist ({named})"),
                format!("check its name; the endpoint is {at}"),
            ),
            _ => return None,
        };
        Some(Reason { kind, cause, hint })
    }

    /// The credentials, or what they may do.
    fn denied(&self, answer: &StoreAnswer<'_>) -> Option<Reason> {
        let at = self.at();
        let (cause, hint) = match (answer.status, answer.code) {
            (_, "ExpiredToken" | "TokenRefreshRequired") => (
                "the session token expired",
                "get new credentials, then run again".to_owned(),
            ),
            (_, "SignatureDoesNotMatch") => (
                "the secret access key is wrong",
                "check AWS_SECRET_ACCESS_KEY".to_owned(),
            ),
            (_, "InvalidToken") => (
                "the session token is not valid there",
                format!("check AWS_SESSION_TOKEN; the endpoint is {at}"),
            ),
            (_, "InvalidAccessKeyId") => (
                "the access key is not known there",
                format!("check AWS_ACCESS_KEY_ID; the endpoint is {at}"),
            ),
            (_, "RequestTimeTooSkewed") => {
                ("this machine's clock is wrong", "set the clock".to_owned())
            }
            (403 | 401, _) => (
                "access denied",
                format!("grant {} to these credentials", self.permission()),
            ),
            _ => return None,
        };
        Some(Reason {
            kind: StoreErrorKind::Denied,
            cause: format!("{cause} ({})", answer.named()),
            hint,
        })
    }

    /// The store does not know the request, is broken, or is none.
    fn unexpected(&self, answer: &StoreAnswer<'_>) -> Reason {
        let (status, named, text) = (answer.status, answer.named(), answer.text);
        let is_s3 = format!("check that the endpoint is one of S3: {}", self.at());
        let said = || format!("{} ({named})", text.trim_end_matches('.'));
        let (kind, cause, hint) = match (status, answer.code) {
            (400, "InvalidArgument" | "InvalidRequest") if names_a_header(text) => {
                (StoreErrorKind::NotImplemented, said(), is_s3)
            }
            (405 | 501, _) | (_, "NotImplemented") => (
                StoreErrorKind::NotImplemented,
                format!("the store does not know this request ({named})"),
                is_s3,
            ),
            (200..=299, "") => (
                StoreErrorKind::Protocol,
                "the answer is not S3's".to_owned(),
                is_s3,
            ),
            _ => {
                let cause = if text.is_empty() {
                    named.clone()
                } else {
                    said()
                };
                let hint = match status {
                    400 if answer.code == "InvalidBucketName" => {
                        "a bucket's name has lower-case letters, digits, - and .".to_owned()
                    }
                    429 | 500.. if status != 501 => {
                        "the store is busy or broken: try again later, or with more --attempts"
                            .to_owned()
                    }
                    _ => format!("check that the endpoint is right: {}", self.at()),
                };
                (StoreErrorKind::Other, cause, hint)
            }
        };
        Reason { kind, cause, hint }
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
        } else if let Some(why) = why_none(error) {
            (
                Kind::NoCredentials,
                format!("no usable credentials: {why}"),
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

struct StoreAnswer<'a> {
    status: u16,
    code: &'a str,
    text: &'a str,
    region: Option<String>,
}

impl StoreAnswer<'_> {
    /// Its code, or its status where it has none.
    fn named(&self) -> String {
        if self.code.is_empty() {
            format!("HTTP {}", self.status)
        } else {
            self.code.to_owned()
        }
    }
}

/// Why a call failed, and what to try.
struct Reason {
    kind: StoreErrorKind,
    cause: String,
    hint: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> StoreError {
        ControlCall {
            what: "list s3://imagse".to_owned(),
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
        }
        .answer(StoreAnswer {
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
}
