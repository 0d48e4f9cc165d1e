//! What a control call's answer may cost: bytes and time. The SDK reads documents whole into memory, whatever their length.
//!
//! Objects have no limit of bytes: they are streamed. Error documents are cut in [`super::answer`].

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep};

/// Most bytes of a document, a listing page above all: a thousand keys of 1 KiB, each byte written as an entity of XML, and as much for everything
/// else.
pub(super) const PAGE_BYTES: u64 = 64 << 20;
/// Longest time of a document, in stall time-outs: one that drips would never end.
pub(super) const PAGE_STALLS: u32 = 6;
/// The call whose answer is streamed.
const STREAMED: &str = "GetObject";

/// Bounds the answers to control calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentLimits {
    /// How long a body may bring nothing.
    pub(super) stall: Duration,
}

#[dyn_dispatch_hint]
impl Intercept for DocumentLimits {
    fn name(&self) -> &'static str {
        "DocumentLimits"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let streamed = config
            .load::<Metadata>()
            .is_some_and(|call| call.name() == STREAMED);
        let response = context.response_mut();
        let left = if response.status().is_success() && !streamed {
            PAGE_BYTES
        } else {
            u64::MAX
        };
        let bounded = Bounded::new(response.take_body(), self.stall, left);
        *response.body_mut() = SdkBody::from_body_1_x(bounded);
        Ok(())
    }
}

/// A body that ends in time.
struct Bounded {
    body: SdkBody,
    left: u64,
    stall: Duration,
    over: Pin<Box<Sleep>>,
    /// When all of it has to be there; none for what is streamed.
    deadline: Option<Instant>,
}

impl Bounded {
    fn new(body: SdkBody, stall: Duration, left: u64) -> Self {
        let deadline = (left != u64::MAX).then(|| Instant::now() + stall * PAGE_STALLS);
        Self {
            body,
            left,
            stall,
            over: Box::pin(tokio::time::sleep(stall)),
            deadline,
        }
    }
}

/// Why a body was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unbounded {
    /// It is longer than [`PAGE_BYTES`].
    TooLong,
    /// Nothing came for this time.
    Stalled(Duration),
    /// It was not complete after this time.
    Slow(Duration),
}

impl fmt::Display for Unbounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {} MiB", PAGE_BYTES >> 20),
            Self::Stalled(time) => write!(f, "timed out: nothing came for {time:?}"),
            Self::Slow(time) => write!(f, "timed out: it was not complete after {time:?}"),
        }
    }
}

impl std::error::Error for Unbounded {}

impl Body for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            ready!(this.over.as_mut().poll(context));
            return Poll::Ready(Some(Err(Unbounded::Stalled(this.stall).into())));
        };
        let now = Instant::now();
        if this.deadline.is_some_and(|deadline| now >= deadline) {
            return Poll::Ready(Some(Err(Unbounded::Slow(this.stall * PAGE_STALLS).into())));
        }
        this.over.as_mut().reset(now + this.stall);
        let length = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
            .map_or(0, |data| data.len() as u64);
        let Some(left) = this.left.checked_sub(length) else {
            return Poll::Ready(Some(Err(Unbounded::TooLong.into())));
        };
        this.left = left;
        Poll::Ready(frame)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Collected};

    use super::*;

    fn bounded(body: SdkBody, left: u64) -> Bounded {
        Bounded::new(body, Duration::from_secs(3), left)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_its_bounds() {
        let text = |body: Bounded| async {
            body.collect()
                .await
                .map(Collected::to_bytes)
                .map_err(|error| error.to_string())
        };
        assert_eq!(text(bounded(SdkBody::from("abc"), 3)).await.unwrap(), "abc");
        assert_eq!(
            text(bounded(SdkBody::from("abcd"), 3)).await.unwrap_err(),
            "longer than 64 MiB"
        );
    }

    /// Never brings anything.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_body_ends() {
        let error = bounded(SdkBody::from_body_1_x(Silent), 3)
            .collect()
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&Unbounded::Stalled(Duration::from_secs(3)))
        );
    }

    /// Brings a byte a second, for ever.
    struct Dripping(Pin<Box<Sleep>>);

    impl Body for Dripping {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            ready!(self.0.as_mut().poll(context));
            self.0
                .as_mut()
                .reset(Instant::now() + Duration::from_secs(1));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends() {
        let dripping = || {
            SdkBody::from_body_1_x(Dripping(Box::pin(tokio::time::sleep(Duration::from_secs(
                1,
            )))))
        };
        let begin = Instant::now();
        let error = bounded(dripping(), PAGE_BYTES)
            .collect()
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&Unbounded::Slow(Duration::from_secs(18)))
        );
        assert_eq!(begin.elapsed(), Duration::from_secs(18));
        // An object may take as long as it likes.
        let streamed = bounded(dripping(), u64::MAX).collect();
        assert!(
            tokio::time::timeout(Duration::from_mins(10), streamed)
                .await
                .is_err()
        );
    }
}
