//! What an answer may hold before the SDK reads it: its own code reads an error document of any length into memory, and takes every
//! success for the one that it asked for.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::clock::{ClockOffset, offset_from_now};

/// At most so much of an error document is read, by either client: a good one has some hundred bytes.
pub(super) const DOCUMENT_BYTES: usize = 64 * 1024;
/// A refusal by a clock that differs by more, in s, is one for the time of its signature: the SDK takes it for one too.
const SKEWED_S: u64 = 4 * 60;

/// Limits of the answers to one SDK client.
#[derive(Debug)]
pub(super) enum AnswerLimits {
    /// Any call. Error documents are cut. What the SDK corrects its own signatures by is passed on.
    Control(Option<ClockOffset>),
    /// GETs of objects: also, only 200 and, for a part, 206 are a success. Tells whether nothing but the end of the connection ends the last body.
    Fetch(Arc<AtomicBool>),
}

/// What a request was for.
#[derive(Clone, Copy, Debug, Default)]
struct AskedRange {
    /// A part of an object.
    part: bool,
}

impl Storable for AskedRange {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for AnswerLimits {
    fn name(&self) -> &'static str {
        "AnswerLimits"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The request is gone when its answer comes.
        let request = context.request();
        let asked = AskedRange {
            part: request.headers().contains_key("range"),
        };
        config.interceptor_state().store_put(asked);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let asked = config.load::<AskedRange>().copied().unwrap_or_default();
        let response = context.response_mut();
        if !response.status().is_success() {
            if let Self::Control(Some(clock)) = self
                && response.status().as_u16() == 403
                && let Some(offset_s) = response
                    .headers()
                    .get("date")
                    .and_then(|date| http_date(date.as_bytes()))
                    .map(offset_from_now)
                && offset_s.unsigned_abs() > SKEWED_S
            {
                clock.set(offset_s);
            }
            let start = BodyStart {
                body: response.take_body(),
                left: DOCUMENT_BYTES,
            };
            *response.body_mut() = SdkBody::from_body_1_x(start);
            return Ok(());
        }
        match self {
            Self::Control(_) => {}
            Self::Fetch(until_close) => {
                let right = if asked.part { 206 } else { 200 };
                if response.status().as_u16() != right {
                    return Err("a success that does not fit this GET".into());
                }
                let headers = response.headers();
                until_close.store(
                    !headers.contains_key("content-length")
                        && !headers.contains_key("transfer-encoding"),
                    Ordering::Relaxed,
                );
            }
        }
        Ok(())
    }
}

/// The start of a body; the rest is not waited for.
struct BodyStart {
    body: SdkBody,
    left: usize,
}

impl Body for BodyStart {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(mut bytes) => {
                    bytes.truncate(self.left);
                    self.left -= bytes.len();
                    Frame::data(bytes)
                }
                Err(other) => other,
            })
        }))
    }
}

/// An HTTP date, in s since 1970; `None` where it is none.
pub(super) fn http_date(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    DateTime::from_str(text.trim(), Format::HttpDate)
        .ok()
        .map(|date| date.secs())
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn of_an_error_document_without_end_the_start_is_read() {
        let endless = futures::stream::repeat_with(|| {
            Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(vec![b'x'; 1_000])))
        });
        let start = BodyStart {
            body: SdkBody::from_body_1_x(StreamBody::new(endless)),
            left: DOCUMENT_BYTES,
        };
        assert_eq!(
            start.collect().await.unwrap().to_bytes().len(),
            DOCUMENT_BYTES
        );
        let start = BodyStart {
            body: SdkBody::from_body_1_x(Full::new(Bytes::from("<Error/>"))),
            left: DOCUMENT_BYTES,
        };
        assert_eq!(start.collect().await.unwrap().to_bytes(), "<Error/>");
    }

    #[test]
    fn a_date_is_read_or_it_is_none() {
        assert_eq!(
            http_date(b"Thu, 01 Jan 2026 00:00:10 GMT"),
            Some(1_767_225_610)
        );
        for text in [&b""[..], b"soon", b"2026-01-01T00:00:00Z", b"\xff"] {
            assert_eq!(http_date(text), None);
        }
    }
}
