//! One HTTP/1.1 connection and how one request after another goes through it.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use super::reader::{ResponseReader, Wanted};
use super::wire::Wire;
use crate::store::attempt::{AttemptError, BodySink};
use crate::store::transport::{AttemptPhase, transport};

/// A server that is faster than this thread is left alone after so many bytes, so that the other workers have their turn.
const TURN_BYTES: usize = 4 << 20;

/// One connection, used for one request after another.
pub struct LeanConnection {
    wire: Wire,
    reader: ResponseReader,
    used: bool,
    broken: bool,
    /// Whether the request at hand went out whole, and that was said.
    sent: bool,
}

impl LeanConnection {
    /// Over a connection that is ready for its first request.
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            wire,
            reader: ResponseReader::new(),
            used: false,
            broken: false,
            sent: false,
        }
    }

    /// Whether another request can be sent.
    pub(super) fn ready(&mut self) -> bool {
        self.wire.is_quiet()
    }

    /// Whether the connection may be kept: nothing of the last answer is left on it.
    pub(super) fn reusable(&self) -> bool {
        !self.broken
    }

    /// Sends `request`, which asks for what is `wanted`, and drains its answer into `sink`.
    pub(super) async fn exchange<S: BodySink>(
        &mut self,
        request: &[u8],
        wanted: Wanted,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        let reused = std::mem::replace(&mut self.used, true);
        // Until the answer is drained to its end.
        (self.broken, self.sent) = (true, false);
        self.reader.begin(wanted);
        let result = match self.wire.put(request) {
            Ok(()) => poll_fn(|context| self.poll_exchange(context, sink)).await,
            Err(error) => Err(error),
        };
        if let Some(error) = self.reader.refusal() {
            // What the store said, also when the rest of it is lost.
            self.broken = result.is_err() || !self.is_whole();
            return Err(error);
        }
        match result {
            Ok(()) => {
                self.broken = !self.is_whole();
                Ok(())
            }
            Err(error) if self.reader.has_head() => Err(transport(&error, AttemptPhase::Reading)),
            Err(error) => Err(transport(
                &error,
                AttemptPhase::Waiting {
                    reused: reused && !self.reader.began(),
                },
            )),
        }
    }

    /// When the last answer was given, by the server's clock, in s since 1970; `None` where it was no refusal or does not say.
    pub(super) fn refused_at(&self) -> Option<i64> {
        self.reader.date()
    }

    /// Where the last answer leads, when it was a redirect of a web server; else empty.
    pub(super) fn location(&self) -> &[u8] {
        self.reader.location()
    }

    fn is_whole(&self) -> bool {
        self.reader.persistent() && self.wire.is_sent() && !self.wire.is_closed()
    }

    /// Sends and reads at once: a server may answer before it has the whole request, and close.
    fn poll_exchange<S: BodySink>(
        &mut self,
        context: &mut Context<'_>,
        sink: &mut S,
    ) -> Poll<io::Result<()>> {
        let mut turn = 0;
        // Of no interest if an answer comes all the same; if none does, the end of the connection is next.
        let mut unsent = self.wire.poll_send(context);
        if !self.sent && matches!(unsent, Poll::Ready(Ok(()))) {
            self.sent = true;
            sink.sent();
        }
        while turn < TURN_BYTES {
            let (reader, mut malformed) = (&mut self.reader, None);
            let take = |text: &[u8]| {
                if malformed.is_none() {
                    malformed = reader.feed(text, sink).err();
                }
            };
            let Poll::Ready(received) = self.wire.poll_receive(context, take) else {
                if turn == 0 {
                    // Asked, and nothing had come: that is the tick of whoever watches for stalls.
                    self.wire.expect_anything();
                }
                return Poll::Pending;
            };
            if let Some(malformed) = malformed {
                return Poll::Ready(Err(malformed.into()));
            }
            let length = match (received, unsent) {
                (Ok(length), _) => length,
                // Why nothing could be sent says more than that nothing can be read any more.
                (Err(error), _) if self.reader.began() => return Poll::Ready(Err(error)),
                (Err(_), Poll::Ready(Err(error))) | (Err(error), _) => {
                    return Poll::Ready(Err(error));
                }
            };
            if length == 0 || self.wire.is_closed() {
                return Poll::Ready(self.reader.end(self.wire.end()));
            }
            // Also when the answer is done with: the next one begins with few bytes.
            self.wire.expect(self.reader.left());
            // And TLS may have something to say.
            unsent = self.wire.poll_send(context);
            if self.reader.is_done() {
                return Poll::Ready(Ok(()));
            }
            turn += length;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
