//! One accepted connection: the socket wrapped so that a reset can be forced and so that it is known when an answer has left for the kernel.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::socket;
use super::statistics::Statistics;
use super::timer::{Timer, now_ns};

/// What the handlers of a connection's requests share with its socket.
pub(super) struct ClientConnection {
    /// The timer of the runtime that the connection lives on.
    pub(super) timer: Timer,
    statistics: Arc<Statistics>,
    /// Bytes a second that the kernel lets through.
    rate: Option<u64>,
    reset: AtomicBool,
    closing: AtomicBool,
    /// Set while a whole answer waits to be handed to the kernel: when its request had been read.
    ended: AtomicBool,
    started_ns: Mutex<u64>,
}

/// Travels with a request to its handler.
#[derive(Clone)]
pub(super) struct RequestContext {
    pub(super) connection: Arc<ClientConnection>,
    /// When the request's head had been read, on [`now_ns`]'s clock.
    pub(super) started_ns: u64,
}

impl ClientConnection {
    pub(super) fn new(timer: Timer, statistics: Arc<Statistics>, rate: Option<u64>) -> Self {
        Self {
            timer,
            statistics,
            rate,
            reset: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            started_ns: Mutex::new(0),
        }
    }

    /// The socket is to end with a reset (RST) once it is dropped.
    pub(super) fn reset_when_dropped(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// The request in hand gets no answer at all: the connection ends now.
    pub(super) fn abandon(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// True once [`ClientConnection::abandon`] was called.
    pub(super) fn is_abandoned(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The last byte of a GET's answer is on its way to the socket; the next complete flush ends its service time.
    pub(super) fn answer_ends(&self, started_ns: u64) {
        *self
            .started_ns
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = started_ns;
        self.ended.store(true, Ordering::Relaxed);
    }

    /// All that was written has gone to the kernel, which holds back what a paced connection may not send yet: that time is part of the service.
    fn flushed(&self, stream: &TcpStream) {
        if self.ended.swap(false, Ordering::Relaxed) {
            let started = *self
                .started_ns
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let now = now_ns();
            let held_ns = self.rate.map_or(0, |rate| {
                socket::unsent_bytes(stream) * 1_000_000_000 / rate
            });
            // A thread that was put aside between the two readings saw an old time and few bytes left: it is at least as late as now.
            let end = if self.rate.is_some() {
                (now + held_ns).max(now_ns())
            } else {
                now
            };
            self.statistics.served(end.saturating_sub(started));
        }
    }
}

/// The socket of a [`ClientConnection`].
pub(super) struct Socket {
    stream: TcpStream,
    connection: Arc<ClientConnection>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, connection: Arc<ClientConnection>) -> Self {
        Self { stream, connection }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.reset.load(Ordering::Relaxed) {
            // A socket closed with a linger time of zero sends RST. Failing that it closes cleanly, which is a fault too.
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper (and the TLS layer) flush only once everything that they held has been written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.connection.flushed(&self.stream);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
