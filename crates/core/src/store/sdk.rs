//! The `sdk` client: aws-sdk-s3 as it comes, its own retries apart. It measures what a program on the SDK gets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::SdkConfig;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::types::RequestPayer;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::answer::{AnswerLimits, http_date};
use super::attempt::{
    AttemptError, BodyHead, BodySink, ObjectClient, Part, Remedy, Target, content_range,
};
use super::clock::offset_from_now;
use super::credentials::CredentialFeed;
use super::document::element;
use super::recipe::S3Recipe;
use super::transport::{AttemptPhase, find, transport};
use crate::sample::Outcome;

/// One worker's SDK client, with connections of its own, as in the study.
pub struct SdkClient {
    client: aws_sdk_s3::Client,
    bucket: String,
    payer: Option<RequestPayer>,
    feed: Option<CredentialFeed>,
    /// Version of the credentials of the last attempt.
    seen: u64,
    /// Headers that the SDK could not read.
    unread: BTreeSet<String>,
    /// Whether nothing but the end of the connection ends the last answer's body.
    until_close: Arc<AtomicBool>,
}

impl SdkClient {
    pub(super) fn new(config: &SdkConfig, recipe: &S3Recipe, feed: Option<CredentialFeed>) -> Self {
        let until_close = Arc::default();
        let config = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(recipe.path_style)
            .interceptor(AnswerLimits::Fetch(Arc::clone(&until_close)))
            // One policy for both clients, counted: the measured path retries.
            .retry_config(RetryConfig::disabled());
        let config = if feed.is_none() {
            config.allow_no_auth()
        } else {
            config
        };
        Self {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            bucket: recipe.bucket.clone(),
            payer: recipe
                .access
                .request_payer
                .then_some(RequestPayer::Requester),
            feed,
            seen: 0,
            unread: BTreeSet::new(),
            until_close,
        }
    }
}

impl ObjectClient for SdkClient {
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        self.seen = self.feed.as_ref().map_or(0, |feed| feed.newest().version);
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(target.key)
            .set_request_payer(self.payer.clone());
        let request = request
            .set_range(target.part.map(Part::range))
            .set_if_match(target.if_match());
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                if let Some(raw) = error.raw_response() {
                    sink.refused(raw.status().as_u16());
                }
                return Err(self.failed(&error));
            }
        };
        // `store::answer` lets no other success through.
        sink.answered(if target.part.is_some() { 206 } else { 200 });
        let range = answer
            .content_range()
            .map(|range| content_range(range.as_bytes()));
        let right = match (target.part, range) {
            (None, None) => true,
            (Some(part), Some(Some(range))) => part.is_answered_by(range),
            _ => false,
        };
        if !right {
            // The whole instead of a part would be counted once more with every part; a part instead of the whole would look like a short object.
            return Err(AttemptError::own("protocol", Remedy::BackOff));
        }
        sink.head(&BodyHead {
            length: answer
                .content_length()
                .and_then(|length| u64::try_from(length).ok()),
            until_close: self.until_close.load(Ordering::Relaxed),
            total: range.flatten().and_then(|range| range.total),
            etag: answer.e_tag().unwrap_or_default().as_bytes(),
        });
        let mut body = answer.body;
        while let Some(chunk) = body.next().await {
            match chunk {
                Ok(bytes) => sink.chunk(&bytes),
                Err(error) => return Err(in_body(&error)),
            }
        }
        Ok(())
    }

    async fn refresh_credentials(&mut self) {
        if let Some(feed) = &mut self.feed {
            // The client's provider is the feed itself: it reads the new ones from there.
            let _newer = feed.newer_than(self.seen).await;
        }
    }

    fn connections_opened(&self) -> Option<u64> {
        None
    }

    fn take_notes(&mut self) -> Vec<String> {
        let note = |header| {
            format!(
                "the SDK cannot read the header `{header}` of an answer, and gives the object up (protocol); --client lean does not read it"
            )
        };
        std::mem::take(&mut self.unread)
            .into_iter()
            .map(note)
            .collect()
    }
}

impl SdkClient {
    fn failed(&mut self, error: &SdkError<GetObjectError, HttpResponse>) -> AttemptError {
        let sorted = failed(error);
        self.unread.extend(unread_header(error));
        let date = error
            .raw_response()
            .and_then(|response| http_date(response.headers().get("date")?.as_bytes()));
        match (date, &self.feed) {
            // The SDK itself signs by the clock of the last answer from now on; the others need not find out by themselves, and a person is to know.
            (Some(date), Some(feed)) if sorted.is_clock_skew() => {
                feed.clock.set(offset_from_now(date));
                AttemptError {
                    remedy: Remedy::ClockCorrected,
                    ..sorted
                }
            }
            _ => sorted,
        }
    }
}

/// The header at which the SDK failed. It says so in words alone: «from header» or «from prefix header», and its name in backticks.
fn unread_header(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
        let text = error.to_string();
        let (_, rest) = text.split_once("header `")?;
        Some(rest.split('`').next()?.to_owned())
    })
}

fn failed(error: &SdkError<GetObjectError, HttpResponse>) -> AttemptError {
    match error {
        SdkError::ServiceError(service) => {
            let raw = service.raw();
            match raw.status().as_u16() {
                // A header that the SDK cannot read: it would not read it the next time either.
                200..=299 => AttemptError::own("protocol", Remedy::Nothing(Outcome::Failed)),
                status => {
                    // A document that was cut is none to the SDK.
                    let code = error
                        .code()
                        .map(str::to_owned)
                        .or_else(|| element(raw.body().bytes()?, "Code"));
                    AttemptError::answer(status, code.as_deref())
                }
            }
        }
        SdkError::ResponseError(response) => match response.raw().status().as_u16() {
            200..=299 => AttemptError::own("protocol", Remedy::BackOff),
            status => AttemptError::answer(status, None),
        },
        SdkError::TimeoutError(_) => AttemptError::own("timeout", Remedy::BackOff),
        SdkError::DispatchFailure(dispatch) => {
            let Some(connector) = dispatch.as_connector_error() else {
                return AttemptError::own("other", Remedy::BackOff);
            };
            // hyper's pool itself retries what a reused connection lost before it was sent, so what is seen here was on its way.
            let phase = if is_connecting(connector) {
                AttemptPhase::Connecting
            } else {
                AttemptPhase::Waiting { reused: false }
            };
            match transport(connector, phase) {
                error if connector.is_timeout() && phase == AttemptPhase::Connecting => {
                    AttemptError {
                        remedy: Remedy::Reconnect,
                        ..error
                    }
                    .named("connect-timeout")
                }
                error => error,
            }
        }
        _ => AttemptError::own("other", Remedy::BackOff),
    }
}

impl AttemptError {
    fn named(self, word: &str) -> Self {
        Self {
            code: crate::sample::ErrorCode::from_word(word),
            ..self
        }
    }
}

/// True when the error came before there was a connection.
fn is_connecting(error: &(dyn std::error::Error + 'static)) -> bool {
    let pooled = find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    pooled
        || std::iter::successors(Some(error), |error| error.source())
            .any(|error| error.to_string().contains("connect timeout"))
}

fn in_body(error: &(dyn std::error::Error + 'static)) -> AttemptError {
    let sorted = transport(error, AttemptPhase::Reading);
    let said = |word: &str| {
        std::iter::successors(Some(error), |error| error.source())
            .any(|error| error.to_string().contains(word))
    };
    match sorted.code.to_string().as_str() {
        "other" | "protocol" if said("content-length") || said("Content-Length") => {
            AttemptError::own("short-body", Remedy::BackOff)
        }
        "other" | "protocol" if said("minimum throughput") => {
            AttemptError::own("stalled", Remedy::BackOff)
        }
        "other" | "protocol" if said("checksum mismatch") => {
            AttemptError::own("checksum", Remedy::BackOff)
        }
        _ => sorted,
    }
}
