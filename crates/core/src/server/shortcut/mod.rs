//! The short way of the one request that a benchmark sends a million times: a signed GET of a whole source object, answered past s3s.
//!
//! s3s takes 40 % more CPU for it, which would make the server the limit of a client that is cheap. Only requests that leave no doubt come through
//! here, their signature checked; every other one, also one with a wrong signature, is left to s3s, which knows what to say to it.

use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::Body;
use s3s::stream::DynByteStream;
use sha2::{Digest, Sha256};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::SOURCE_BUCKET;
use super::connection::RequestContext;
use super::protocol::ServerCredentials;
use super::reading::CONTENT_TYPE as BINARY;
use super::source::SourceBucket;
use crate::platform::clock;

/// SHA-256 of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// What is never encoded in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// `X-Amz-Date`.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
/// Room for a canonical request of ordinary length.
const CANONICAL_BYTES: usize = 512;
/// How far the clocks may be apart: what s3s allows.
const SKEW_MS: u64 = 900_000;
/// When every source object changed last, as `Last-Modified`.
const MODIFIED: HeaderValue = HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT");
/// The query that AWS's own clients send with a GET of an object: it changes nothing.
const SDK_QUERY: &str = "x-id=GetObject";
/// Headers that change nothing about the answer. A request with any other is left to s3s.
const HARMLESS: &[&str] = &[
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "connection",
    "authorization",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-user-agent",
    "x-amz-checksum-mode",
    "x-amz-request-payer",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
];

/// Answers what it can.
pub(super) struct Shortcut {
    source: Arc<SourceBucket>,
    access_key: String,
    secret_key: String,
    /// The signing key last derived, by `day/region`.
    signing: Mutex<Option<(String, Hmac<Sha256>)>>,
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    access_key: &'a str,
    day: &'a str,
    region: &'a str,
    names: &'a str,
    signature: [u8; 32],
}

impl Shortcut {
    /// None where a request's answer takes more than finding the object: with a session token to check, or with faults.
    pub(super) fn new(source: &Arc<SourceBucket>, credentials: &ServerCredentials) -> Option<Self> {
        let ServerCredentials {
            access_key,
            secret_key,
            session_token,
        } = credentials;
        (session_token.is_none() && source.always_answers()).then(|| Self {
            source: Arc::clone(source),
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            signing: Mutex::default(),
        })
    }

    /// The answer to a GET of a whole object that is there, when it is signed as it must be; else none.
    pub(super) async fn answer<B>(
        &self,
        request: &Request<B>,
        context: &RequestContext,
    ) -> Option<Response<Body>> {
        let path = request.uri().path();
        let key = path
            .strip_prefix('/')?
            .strip_prefix(SOURCE_BUCKET)?
            .strip_prefix('/')
            .filter(|key| !key.is_empty())?;
        let (encoded, key) = (key, percent_decode_str(key).decode_utf8().ok()?);
        let query = request.uri().query().unwrap_or_default();
        let plain = request.method() == Method::GET
            && ["", SDK_QUERY].contains(&query)
            && is_canonical(encoded, &key);
        if !plain
            || !request
                .headers()
                .keys()
                .all(|name| HARMLESS.contains(&name.as_str()))
        {
            return None;
        }
        self.check((path, query), request.headers())?;
        self.source.keys.find(&key)?;
        // Cannot fail, as this source always answers.
        let facts = self.source.find(&key, context).await.ok()?;
        let mut answer = Response::new(Body::from(DynByteStream::from(self.source.body(
            0..facts.size,
            context.clone(),
            None,
        ))));
        let headers = answer.headers_mut();
        headers.insert(CONTENT_LENGTH, facts.size.into());
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(BINARY));
        headers.insert(
            ETAG,
            HeaderValue::from_str(&format!("\"{}\"", facts.tag.value())).ok()?,
        );
        headers.insert(LAST_MODIFIED, MODIFIED);
        Some(answer)
    }

    /// Some when the signature of a GET without a body is right.
    fn check(&self, (path, query): (&str, &str), headers: &HeaderMap) -> Option<()> {
        let authorization = Authorization::read(single(headers, AUTHORIZATION.as_str())?)?;
        let date = single(headers, "x-amz-date")?;
        let payload = single(headers, "x-amz-content-sha256")
            .filter(|sum| [EMPTY_SHA256, UNSIGNED].contains(sum))?;
        let near = unix_ms(date)?.abs_diff(clock::unix_ms()) <= SKEW_MS;
        if !near
            || authorization.access_key != self.access_key
            || !date.starts_with(authorization.day)
        {
            return None;
        }
        let signed = |name: &HeaderName| {
            !must_be_signed(name)
                || authorization
                    .names
                    .split(';')
                    .any(|signed| signed == name.as_str())
        };
        if !headers.keys().all(signed) {
            return None;
        }
        let mut canonical = String::with_capacity(CANONICAL_BYTES);
        canonical.extend(["GET\n", path, "\n", query, "\n"]);
        for name in authorization.names.split(';') {
            canonical.extend([name, ":", single(headers, name)?, "\n"]);
        }
        canonical.extend(["\n", authorization.names, "\n", payload]);
        let scope = format!(
            "{}/{}/s3/aws4_request",
            authorization.day, authorization.region
        );
        let mut digest = [0; 64];
        hex::encode_to_slice(Sha256::digest(canonical), &mut digest).ok()?;
        let key = self.signing_key(authorization.day, authorization.region);
        let key = key
            .chain_update(format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n"))
            .chain_update(digest);
        key.verify_slice(&authorization.signature).ok()
    }

    fn signing_key(&self, day: &str, region: &str) -> Hmac<Sha256> {
        let mut kept = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, key)) = &*kept
            && known.split_once('/') == Some((day, region))
        {
            return key.clone();
        }
        let keyed = |key: &[u8]| {
            Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length")
        };
        let first = keyed(format!("AWS4{}", self.secret_key).as_bytes());
        let key = [day, region, "s3", "aws4_request"]
            .iter()
            .fold(first, |key, text| {
                keyed(&key.chain_update(text).finalize().into_bytes())
            });
        *kept = Some((format!("{day}/{region}"), key.clone()));
        key
    }
}

impl<'a> Authorization<'a> {
    /// `AWS4-HMAC-SHA256 Credential=…/…/…/s3/aws4_request, SignedHeaders=…, Signature=…`, and nothing else.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text
            .strip_prefix("AWS4-HMAC-SHA256 ")?
            .split(',')
            .map(str::trim_ascii_start);
        let mut part = |name: &str| parts.next()?.strip_prefix(name);
        let (scope, names, signature) = (
            part("Credential=")?,
            part("SignedHeaders=")?,
            part("Signature=")?,
        );
        let mut scope = scope.split('/');
        let (access_key, day, region) = (scope.next()?, scope.next()?, scope.next()?);
        let complete = parts.next().is_none()
            && scope.eq(["s3", "aws4_request"])
            && day.len() == 8
            && names.split(';').is_sorted_by(|a, b| a < b);
        complete.then_some(())?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(signature, &mut bytes).ok()?;
        Some(Self {
            access_key,
            day,
            region,
            names,
            signature: bytes,
        })
    }
}

/// Of the headers that a GET has, those that a signature must cover.
fn must_be_signed(name: &HeaderName) -> bool {
    name.as_str() == "host" || name.as_str().starts_with("x-amz-")
}

/// The value of a header that is there once and stands in the canonical request as it is.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    let as_it_is = !value.starts_with(' ') && !value.ends_with(' ') && !value.contains("  ");
    (values.next().is_none() && as_it_is).then_some(value)
}

/// Whether an encoded key is what encoding it anew gives: then it stands in the canonical request as it is.
fn is_canonical(encoded: &str, key: &str) -> bool {
    let mut rest = encoded;
    utf8_percent_encode(key, PATH).all(|piece| {
        rest.strip_prefix(piece)
            .inspect(|after| rest = after)
            .is_some()
    }) && rest.is_empty()
}

fn unix_ms(date: &str) -> Option<u64> {
    let seconds = PrimitiveDateTime::parse(date, DATE)
        .ok()?
        .assume_utc()
        .unix_timestamp();
    u64::try_from(seconds).ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests;
