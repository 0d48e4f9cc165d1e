//! The body of a source object: bytes that depend on their position alone, sliced from one buffer, with the faults that bodies can have.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};

use super::connection::RequestContext;
use super::meter::RateLimit;
use super::statistics::Statistics;
use super::timer::{Sleep, now_ns};

/// Length of the buffer, and so the period of the bytes. Chunks of 64 to 256 KiB cost the least to send.
const PERIOD: usize = 256 << 10;

/// Chunks under a shared bandwidth: small, so that connections take turns.
const SHARED_CHUNK: u64 = 64 << 10;

/// Xorshift from a fixed seed: neither compressible nor dependent on any option.
static BYTES: LazyLock<Bytes> = LazyLock::new(|| {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(PERIOD);
    while bytes.len() < PERIOD {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.into()
});

/// How a body breaks off, half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    Reset,
    Stall,
    Short,
}

/// The bytes of a range of an object.
pub(super) struct Body {
    next: u64,
    end: u64,
    breaks: Option<(u64, Break)>,
    flushing: bool,
    meter: Option<Arc<RateLimit>>,
    wait: Option<Sleep>,
    /// Bytes that the meter has already let through.
    granted: u64,
    context: RequestContext,
    statistics: Arc<Statistics>,
}

impl Body {
    pub(super) fn new(
        range: Range<u64>,
        context: RequestContext,
        statistics: Arc<Statistics>,
    ) -> Self {
        if range.is_empty() {
            context.connection.answer_ends(context.started_ns);
        }
        Self {
            next: range.start,
            end: range.end,
            breaks: None,
            flushing: false,
            meter: None,
            wait: None,
            granted: 0,
            context,
            statistics,
        }
    }

    /// Breaks off at the middle of the range.
    pub(super) fn breaking(mut self, how: Option<Break>) -> Self {
        self.breaks = how.map(|how| (self.next + (self.end - self.next) / 2, how));
        self
    }

    /// Shares a bandwidth with other bodies.
    pub(super) fn metered(mut self, meter: Option<Arc<RateLimit>>) -> Self {
        self.meter = meter;
        self
    }

    fn broken(&mut self, how: Break, cx: &Context<'_>) -> Poll<Option<Result<Bytes, StdError>>> {
        if !self.flushing {
            // What was handed out so far goes to the socket first: hyper flushes when a body has nothing to give.
            self.flushing = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match how {
            Break::Stall => Poll::Pending,
            Break::Short => Poll::Ready(None),
            Break::Reset => {
                self.context.connection.reset_when_dropped();
                Poll::Ready(Some(Err(
                    io::Error::from(io::ErrorKind::ConnectionReset).into()
                )))
            }
        }
    }

    fn chunk(&mut self, end: u64) -> Bytes {
        let period = PERIOD as u64;
        let most = if self.granted > 0 {
            self.granted
        } else {
            period
        };
        let start = self.next % period;
        let length = (end - self.next).min(period - start).min(most);
        self.granted = self.granted.saturating_sub(length);
        self.next += length;
        self.statistics
            .sent_bytes
            .fetch_add(length, Ordering::Relaxed);
        if self.next == self.end {
            self.context.connection.answer_ends(self.context.started_ns);
        }
        let at = |position: u64| usize::try_from(position).expect("a position in the buffer");
        BYTES.slice(at(start)..at(start + length))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(wait) = &mut this.wait {
            ready!(Pin::new(wait).poll(cx));
            this.wait = None;
        }
        let end = match this.breaks {
            Some((at, how)) if this.next >= at => return this.broken(how, cx),
            Some((at, _)) => at,
            None => this.end,
        };
        if this.next >= end {
            return Poll::Ready(None);
        }
        if this.granted == 0
            && let Some(meter) = &this.meter
        {
            this.granted = (end - this.next).min(SHARED_CHUNK);
            let now = now_ns();
            let at = meter.reserve(this.granted, now);
            if at > now {
                let mut wait = this.context.connection.timer.until(at);
                if Pin::new(&mut wait).poll(cx).is_pending() {
                    this.wait = Some(wait);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Some(Ok(this.chunk(end))))
    }
}

impl ByteStream for Body {
    /// What was announced, also of a body that will break.
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.end - self.next).unwrap_or(usize::MAX))
    }
}

/// The byte at a position of every source object.
#[cfg(test)]
pub(super) fn byte_at(position: u64) -> u8 {
    BYTES[usize::try_from(position % PERIOD as u64).unwrap()]
}
