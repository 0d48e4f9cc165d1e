//! The bytes of one connection: a socket, what is still to be sent, and TLS or nothing between them and HTTP. One loop serves both.
//!
//! A thread has one receive buffer for all its connections, so that their number costs no cache; it is never held while waiting.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::reader::ConnectionEnd;
use super::tls::Tls;

/// Most bytes of one read: fits the second-level cache of a CPU.
const READ_BYTES: usize = 256 * 1024;
/// Room in front of them for what the read before left over: a TLS record and its header.
const HELD_BYTES: usize = 20 * 1024;
/// More than that is left over only in a handshake, whose messages may span many records.
const MOST_HELD_BYTES: usize = 256 * 1024;

/// Bytes that are waited for while a body has a long way to go: a wake-up costs more than they do. Less than one read takes.
const MARK_BYTES: usize = 192 * 1024;
/// A connection that has more than that to say while nothing is asked of it is not idle.
const IDLE_READS: u32 = 4;

thread_local! {
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; HELD_BYTES + READ_BYTES].into_boxed_slice());
}

/// What is between HTTP and the socket.
enum Layer {
    Plain,
    Tls(Box<Tls>),
}

impl Layer {
    fn open(
        &mut self,
        wire: &mut [u8],
        out: &mut Vec<u8>,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        match self {
            Self::Plain => {
                take(wire);
                Ok(wire.len())
            }
            Self::Tls(tls) => tls.open(wire, out, take),
        }
    }
}

/// One connection below HTTP.
pub(super) struct Wire {
    tcp: TcpStream,
    layer: Layer,
    /// To be sent, of which `sent` bytes are.
    out: Vec<u8>,
    sent: usize,
    /// Received and not yet of use: part of a record.
    held: Vec<u8>,
    /// For so many bytes the kernel waits before it says that there is something to read.
    low_water: usize,
}

impl Wire {
    /// Over a connected socket; with TLS, which [`poll_ready`](Self::poll_ready) readies, when a name is given.
    pub(super) fn new(
        tcp: TcpStream,
        tls: Option<(&Arc<ClientConfig>, ServerName<'static>)>,
    ) -> io::Result<Self> {
        let layer = match tls {
            None => Layer::Plain,
            Some((config, name)) => Layer::Tls(Box::new(Tls::new(config, name)?)),
        };
        let mut wire = Self {
            tcp,
            layer,
            out: Vec::new(),
            sent: 0,
            held: Vec::new(),
            low_water: 1,
        };
        // TLS speaks first.
        wire.layer.open(&mut [], &mut wire.out, |_| {})?;
        Ok(wire)
    }

    /// Puts `text` behind what is to be sent.
    pub(super) fn put(&mut self, text: &[u8]) -> io::Result<()> {
        match &mut self.layer {
            Layer::Plain => self.out.extend_from_slice(text),
            Layer::Tls(tls) => {
                let done = tls.seal(text, &mut self.held, &mut self.out)?;
                self.held.drain(..done);
            }
        }
        Ok(())
    }

    /// Sends what the socket takes; ready when nothing is left.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            match ready!(Pin::new(&mut self.tcp).poll_write(context, &self.out[self.sent..])) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(sent) => self.sent += sent,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.out.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Hands the text of one read to `take`; how many bytes were read, 0 at the end of the connection.
    pub(super) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        ROOM.with_borrow_mut(|room| {
            let mut space = ReadBuf::new(&mut room[HELD_BYTES..]);
            ready!(Pin::new(&mut self.tcp).poll_read(context, &mut space))?;
            let length = space.filled().len();
            Poll::Ready(self.received(room, length, take).map(|()| length))
        })
    }

    /// How much of a body is still to come. The kernel may wait for more than a byte only while it is sure to get it: what is held here does not
    /// come again.
    pub(super) fn expect(&mut self, left: u64) {
        let is_sure = left.saturating_sub(self.held.len() as u64) >= 2 * MARK_BYTES as u64;
        self.wait_for(if is_sure { MARK_BYTES } else { 1 });
    }

    /// Takes whatever comes: nothing came for a while, and what did must be counted before that is called a stall.
    pub(super) fn expect_anything(&mut self) {
        self.wait_for(1);
    }

    fn wait_for(&mut self, bytes: usize) {
        if bytes != self.low_water {
            self.low_water = bytes;
            low_water(&self.tcp, bytes);
        }
    }

    /// As [`poll_receive`](Self::poll_receive), for what is there already. Asks the kernel only when tokio knows of something to read: [`WouldBlock`](io::ErrorKind::WouldBlock)
    /// otherwise.
    fn try_receive(&mut self, take: impl FnMut(&[u8])) -> io::Result<usize> {
        ROOM.with_borrow_mut(|room| {
            let length = self.tcp.try_read(&mut room[HELD_BYTES..])?;
            self.received(room, length, take).map(|()| length)
        })
    }

    /// `length` bytes were read to their place in `room`.
    fn received(
        &mut self,
        room: &mut [u8],
        length: usize,
        take: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let held = self.held.len();
        let opened = if held <= HELD_BYTES {
            let wire = &mut room[HELD_BYTES - held..HELD_BYTES + length];
            wire[..held].copy_from_slice(&self.held);
            let done = self.layer.open(wire, &mut self.out, take);
            done.map(|done| {
                self.held.clear();
                self.held.extend_from_slice(&wire[done..]);
            })
        } else {
            self.held
                .extend_from_slice(&room[HELD_BYTES..HELD_BYTES + length]);
            let done = self.layer.open(&mut self.held, &mut self.out, take);
            done.map(|done| _ = self.held.drain(..done))
        };
        if opened.is_err() {
            // The alert, if the socket takes it: there is nothing to be done when it does not.
            let _unsent = self.tcp.try_write(&self.out[self.sent..]);
        }
        if self.held.len() > MOST_HELD_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                rustls::Error::General("a handshake without end".to_owned()),
            ));
        }
        opened
    }

    /// Readies TLS. What it has to say last goes out with the first request.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let _waits = self.poll_send(context)?;
            if let Layer::Tls(tls) = &self.layer
                && !tls.is_ready()
            {
                let mut early = false;
                let length = ready!(self.poll_receive(context, |text| early |= !text.is_empty()))?;
                if length == 0 || early {
                    let kind = if early {
                        io::ErrorKind::InvalidData
                    } else {
                        io::ErrorKind::UnexpectedEof
                    };
                    return Poll::Ready(Err(kind.into()));
                }
                continue;
            }
            return Poll::Ready(Ok(()));
        }
    }

    /// Whether TLS said that nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        matches!(&self.layer, Layer::Tls(tls) if tls.is_closed())
    }

    /// Whether the end of the connection is one that the server meant: TLS says so itself, and without it there is no other sign.
    pub(super) fn end(&self) -> ConnectionEnd {
        if matches!(self.layer, Layer::Plain) || self.is_closed() {
            ConnectionEnd::Clean
        } else {
            ConnectionEnd::Cut
        }
    }

    /// Whether everything was sent.
    pub(super) fn is_sent(&self) -> bool {
        self.out.is_empty()
    }

    /// Whether an idle connection is as it was left: not closed, and without a word that nobody asked for. Session tickets are none; half a record may be
    /// anything.
    pub(super) fn is_quiet(&mut self) -> bool {
        for _ in 0..IDLE_READS {
            let mut text = false;
            match self.try_receive(|bytes| text |= !bytes.is_empty()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return !self.is_closed() && self.held.is_empty();
                }
                Ok(length) if length > 0 && !text => {}
                _ => return false,
            }
        }
        false
    }
}

/// Sets how many bytes make a socket readable. Where that cannot be set it stays at one, and costs a little.
#[cfg(target_os = "linux")]
fn low_water(tcp: &TcpStream, bytes: usize) {
    let bytes = i32::try_from(bytes).expect("a few bytes");
    let _refused = nix::sys::socket::setsockopt(tcp, option::ReceiveLowWater, &bytes);
}

#[cfg(not(target_os = "linux"))]
fn low_water(_: &TcpStream, _: usize) {}

#[cfg(target_os = "linux")]
mod option {
    use nix::libc;

    /// `SO_RCVLOWAT`, which no crate offers by name.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct ReceiveLowWater;

    nix::setsockopt_impl!(
        ReceiveLowWater,
        libc::SOL_SOCKET,
        libc::SO_RCVLOWAT,
        i32,
        nix::sys::socket::sockopt::SetStruct<'_, i32>
    );
}
