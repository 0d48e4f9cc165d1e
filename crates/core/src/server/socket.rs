//! Options of the sockets: no delay, the send buffer that costs the least CPU, and the kernel's own pacing.

use std::io;
use std::net::TcpStream;

/// Bytes asked for as send buffer. Larger ones double the CPU time of a gigabyte on loopback (caches), smaller ones starve.
const SEND_BUFFER: usize = 256 << 10;

/// Readies an accepted socket; `rate` is in bytes per second.
pub(super) fn prepare(stream: &TcpStream, rate: Option<u64>) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    socket2::SockRef::from(stream).set_send_buffer_size(SEND_BUFFER)?;
    rate.map_or(Ok(()), |rate| pace(stream, rate))
}

/// Lets the kernel send no faster than `rate` bytes a second, on loopback too.
#[cfg(target_os = "linux")]
fn pace(stream: &TcpStream, rate: u64) -> io::Result<()> {
    Ok(nix::sys::socket::setsockopt(
        stream,
        pacing::MaxPacingRate,
        &rate,
    )?)
}

/// Never reached: a server with a rate is refused where the kernel does not pace.
#[cfg(not(target_os = "linux"))]
fn pace(_: &TcpStream, _: u64) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Bytes that the kernel has taken and not sent; 0 where it does not tell.
#[cfg(target_os = "linux")]
pub(super) fn unsent_bytes(stream: &tokio::net::TcpStream) -> u64 {
    nix::sys::socket::getsockopt(stream, pacing::TcpInfo)
        .map_or(0, |info| u64::from(info[pacing::NOT_SENT]))
}

/// Bytes that the kernel has taken and not sent: not asked for where connections are not paced.
#[cfg(not(target_os = "linux"))]
pub(super) fn unsent_bytes(_: &tokio::net::TcpStream) -> u64 {
    0
}

#[cfg(target_os = "linux")]
mod pacing {
    use nix::libc;

    /// The start of the kernel's `struct tcp_info` as 32-bit words, up to `tcpi_notsent_bytes` (since Linux 4.6); fields are only ever added behind.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct TcpInfo;

    /// Position of `tcpi_notsent_bytes`, 144 bytes in.
    pub(super) const NOT_SENT: usize = 36;

    nix::getsockopt_impl!(
        TcpInfo,
        libc::IPPROTO_TCP,
        libc::TCP_INFO,
        [u32; NOT_SENT + 1],
        nix::sys::socket::sockopt::GetStruct<[u32; NOT_SENT + 1]>
    );

    /// `SO_MAX_PACING_RATE`, which no crate offers by name.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct MaxPacingRate;

    nix::setsockopt_impl!(
        MaxPacingRate,
        libc::SOL_SOCKET,
        libc::SO_MAX_PACING_RATE,
        u64,
        nix::sys::socket::sockopt::SetStruct<'_, u64>
    );
}
