//! The limit: N connections on one thread, one request written and its answer read into one buffer, nothing signed, next to nothing parsed. Plain HTTP goes from the socket
//! into the buffer and is counted; https goes through rustls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use parfetch_bench_programs::{Arguments, Phase};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

const BUFFER: usize = 256 * 1024;

fn main() -> Result<(), String> {
    let arguments = Arguments::read()?;
    let line = run(&arguments).map_err(|error| error.to_string())?;
    println!("{line}");
    Ok(())
}

fn run(arguments: &Arguments) -> std::io::Result<String> {
    let (tls, host) = match arguments.endpoint.split_once("://") {
        Some(("http", host)) => (None, host),
        Some(("https", host)) => (Some(tls_config()?), host),
        _ => {
            return Err(wrong(
                "the endpoint is http://HOST:PORT or https://HOST:PORT",
            ));
        }
    };
    let requests: Vec<Vec<u8>> = arguments
        .keys
        .iter()
        .map(|key| {
            format!(
                "GET /{}/{key} HTTP/1.1\r\nhost: {host}\r\n\r\n",
                arguments.bucket
            )
            .into_bytes()
        })
        .collect();
    let mut queue = requests.iter();
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let (mut done, mut bytes) = (0_u64, 0_u64);
    let phase = Phase::begin();
    let mut connections = Vec::new();
    for request in queue.by_ref().take(arguments.concurrency) {
        let mut connection = Connection::open(host, tls.as_ref())?;
        connection.send(request)?;
        connection.socket.set_nonblocking(true)?;
        epoll::add(
            &poll,
            connection.socket.as_fd(),
            epoll::EventData::new_u64(connections.len() as u64),
            epoll::EventFlags::IN,
        )?;
        connections.push(connection);
    }
    let mut busy = connections.len();
    let mut buffer = vec![0; BUFFER];
    let mut events = Vec::with_capacity(connections.len().max(1));
    while busy > 0 {
        events.clear();
        epoll::wait(&poll, spare_capacity(&mut events), None)?;
        for event in &events {
            let connection = &mut connections
                [usize::try_from(event.data.u64()).map_err(|_| wrong("an unknown event"))?];
            let Some(length) = connection.receive(&mut buffer)? else {
                continue;
            };
            done += 1;
            bytes += length;
            match queue.next() {
                Some(request) => connection.send(request)?,
                None => busy -= 1,
            }
        }
    }
    Ok(phase.end(done, bytes))
}

struct Connection {
    socket: TcpStream,
    tls: Option<ClientConnection>,
    answer: Answer,
}

impl Connection {
    fn open(host: &str, tls: Option<&Arc<ClientConfig>>) -> std::io::Result<Self> {
        let address = host
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| wrong("the endpoint has no address"))?;
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let name = host
                    .rsplit_once(':')
                    .map_or(host, |(name, _)| name)
                    .to_owned();
                let name = ServerName::try_from(name).map_err(std::io::Error::other)?;
                let mut session = ClientConnection::new(Arc::clone(config), name)
                    .map_err(std::io::Error::other)?;
                while session.is_handshaking() {
                    session.complete_io(&mut socket)?;
                }
                Some(session)
            }
        };
        Ok(Self {
            socket,
            tls,
            answer: Answer::default(),
        })
    }

    /// A request is far smaller than a socket's buffer, so that it goes out whole.
    fn send(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.answer = Answer::default();
        match &mut self.tls {
            None => self.socket.write_all(request),
            Some(session) => {
                session.writer().write_all(request)?;
                while session.wants_write() {
                    session.write_tls(&mut self.socket)?;
                }
                Ok(())
            }
        }
    }

    /// Reads once; the length of the body when the answer is complete with it.
    fn receive(&mut self, buffer: &mut [u8]) -> std::io::Result<Option<u64>> {
        let read = match self.socket.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            other => other?,
        };
        if read == 0 {
            return Err(wrong("the server closed a connection"));
        }
        let (arrived, spare) = buffer.split_at_mut(read);
        let Some(session) = &mut self.tls else {
            return self.answer.feed(arrived);
        };
        let mut complete = None;
        let mut records = &arrived[..];
        let mut plain = [0; 16 * 1024];
        // What the buffer has not been filled with takes the plaintext; when it is full, there is a smaller one.
        let plain = if spare.len() > plain.len() {
            spare
        } else {
            &mut plain[..]
        };
        while !records.is_empty() {
            session.read_tls(&mut records)?;
            let mut left = session
                .process_new_packets()
                .map_err(std::io::Error::other)?
                .plaintext_bytes_to_read();
            while left > 0 {
                let taken = session.reader().read(plain)?;
                left -= taken;
                complete = self.answer.feed(&plain[..taken])?.or(complete);
            }
        }
        Ok(complete)
    }
}

/// Just enough of an answer to know where it ends.
#[derive(Default)]
struct Answer {
    /// The head so far, where it did not come in one piece.
    head: Vec<u8>,
    length: Option<u64>,
    counted: u64,
}

impl Answer {
    fn feed(&mut self, bytes: &[u8]) -> std::io::Result<Option<u64>> {
        let Some(length) = self.length else {
            return self.head(bytes);
        };
        self.counted += bytes.len() as u64;
        self.complete(length)
    }

    fn head(&mut self, bytes: &[u8]) -> std::io::Result<Option<u64>> {
        if !self.head.is_empty() {
            self.head.extend_from_slice(bytes);
            let joined = std::mem::take(&mut self.head);
            return self.parse(&joined);
        }
        self.parse(bytes)
    }

    fn parse(&mut self, bytes: &[u8]) -> std::io::Result<Option<u64>> {
        // A head is a few hundred bytes, and its end is looked for in them alone.
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            self.head = bytes.to_vec();
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(std::io::Error::other)?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(wrong(head.lines().next().unwrap_or_default()));
        }
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .ok_or_else(|| wrong("an answer without a length"))?;
        self.length = Some(length);
        self.counted = (bytes.len() - end - 4) as u64;
        self.complete(length)
    }

    fn complete(&self, length: u64) -> std::io::Result<Option<u64>> {
        match self.counted.cmp(&length) {
            std::cmp::Ordering::Less => Ok(None),
            std::cmp::Ordering::Equal => Ok(Some(length)),
            std::cmp::Ordering::Greater => Err(wrong("more bytes than announced")),
        }
    }
}

fn tls_config() -> std::io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // Reads SSL_CERT_FILE too.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_protocol_versions(&[&rustls::version::TLS13])
    .map_err(std::io::Error::other)?
    .with_root_certificates(roots)
    .with_no_client_auth();
    Ok(Arc::new(config))
}

fn wrong(what: &str) -> std::io::Error {
    std::io::Error::other(what.to_owned())
}
