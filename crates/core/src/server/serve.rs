//! The server itself: a listener, and threads with a runtime each that serve the connections dealt to them.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::StdError;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::access::{AccessCheck, Auth, Unsigned};
use super::connection::{ClientConnection, RequestContext, Socket};
use super::error::ServerError;
use super::multipart::Uploads;
use super::protocol::{ProcessConfig, Ready, ServerCredentials};
use super::reading::Backend;
use super::results::ResultsBucket;
use super::shortcut::Shortcut;
use super::source::SourceBucket;
use super::statistics::{ServerReport, Statistics};
use super::timer::{Timer, now_ns};
use super::{RESULTS_BUCKET, SOURCE_BUCKET, socket, tls};

/// Connections that may wait to be accepted: clients open thousands at once.
const BACKLOG: i32 = 4_096;

/// Longest wait for a request's head, and so for the next request on an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);

/// Longest TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long accepting pauses when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server. It ends when it is stopped or dropped.
pub struct Server {
    ready: Ready,
    statistics: Arc<Statistics>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// What every connection needs.
struct ConnectionShared {
    service: S3Service,
    shortcut: Option<Shortcut>,
    statistics: Arc<Statistics>,
    tls: Option<TlsAcceptor>,
    rate: Option<u64>,
}

impl Server {
    /// Listens, and serves on threads of its own.
    ///
    /// # Errors
    /// When the address, the results folder or the TLS files cannot be used, or the options need Linux.
    pub fn start(config: &ProcessConfig) -> Result<Self, ServerError> {
        let options = &config.options;
        if options.connection_rate_bytes_per_s.is_some() && !cfg!(target_os = "linux") {
            return Err(ServerError::NoPacing);
        }
        let count = config.threads.max(1);
        let statistics = Arc::new(Statistics::new(count));
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let results = ResultsBucket::open(&config.results_dir)?;
        let source = Arc::new(SourceBucket::new(options, Arc::clone(&statistics)));
        let failed = |cause| ServerError::Listen {
            address: config.address.clone(),
            cause,
        };
        let listener = listen(&config.address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let credentials = config
            .credentials
            .clone()
            .map_or_else(random_credentials, Ok);
        let credentials = credentials.map_err(|cause| ServerError::Start {
            what: "credentials",
            cause,
        })?;
        let ready = ready(address, &credentials, tls.as_ref());
        let unsigned = if config.anonymous {
            Unsigned::Allowed
        } else {
            Unsigned::Denied
        };
        let shortcut = Shortcut::new(&source, &credentials);
        let service = service(
            Backend {
                source,
                results,
                uploads: Uploads::default(),
            },
            credentials,
            unsigned,
        );
        let rate = options.connection_rate_bytes_per_s;
        let shared = Arc::new(ConnectionShared {
            service,
            shortcut,
            statistics: Arc::clone(&statistics),
            tls,
            rate,
        });
        let (stop, stopped) = watch::channel(false);
        let threads = start_threads(count, listener, (&shared, &stopped)).map_err(|cause| {
            ServerError::Start {
                what: "threads",
                cause,
            }
        })?;
        Ok(Self {
            ready,
            statistics,
            stop,
            threads,
        })
    }

    /// How it is reached.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Starts the counters anew.
    pub fn reset(&self) {
        self.statistics.reset();
    }

    /// What was counted since the start or the last reset.
    pub fn report(&self) -> ServerReport {
        self.statistics.report()
    }

    /// Ends every connection and waits for the threads.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn listen(address: &str) -> io::Result<TcpListener> {
    let address: SocketAddr = address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        None,
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn ready(address: SocketAddr, credentials: &ServerCredentials, tls: Option<&TlsAcceptor>) -> Ready {
    let scheme = if tls.is_some() { "https" } else { "http" };
    Ready {
        endpoint_url: format!("{scheme}://{address}"),
        credentials: credentials.clone(),
        source_bucket: SOURCE_BUCKET.to_owned(),
        results_bucket: RESULTS_BUCKET.to_owned(),
    }
}

/// Keys that nobody can guess.
fn random_credentials() -> io::Result<ServerCredentials> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 56];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text: String = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let (access, secret) = text.split_at(16);
    Ok(ServerCredentials {
        access_key: format!("AKIA{access}"),
        secret_key: secret.to_owned(),
        session_token: None,
    })
}

fn service(backend: Backend, credentials: ServerCredentials, unsigned: Unsigned) -> S3Service {
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_access(AccessCheck {
        token: credentials.session_token.clone(),
        unsigned,
    });
    builder.set_auth(Auth(credentials));
    builder.build()
}

/// The first thread also accepts; connections are dealt in turn.
fn start_threads(
    count: u32,
    listener: TcpListener,
    with: (&Arc<ConnectionShared>, &watch::Receiver<bool>),
) -> io::Result<Vec<JoinHandle<()>>> {
    let (shared, stopped) = with;
    let mut receivers = Vec::new();
    let mut senders = Vec::new();
    for _ in 0..count {
        let (sender, receiver) = mpsc::unbounded_channel();
        senders.push(sender);
        receivers.push(receiver);
    }
    let mut accepting = Some((listener, senders));
    let mut threads = Vec::new();
    for (nth, sockets) in receivers.into_iter().enumerate() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let timer = in_runtime(&runtime, Timer::new)?;
        let accept = accepting.take().map(|(listener, senders)| {
            (
                in_runtime(&runtime, || tokio::net::TcpListener::from_std(listener)),
                senders,
            )
        });
        let accept = accept
            .map(|(listener, senders)| listener.map(|listener| (listener, senders)))
            .transpose()?;
        let worker = Worker {
            sockets,
            shared: Arc::clone(shared),
            timer,
            stopped: stopped.clone(),
        };
        let body = move || runtime.block_on(worker.run(accept));
        threads.push(
            std::thread::Builder::new()
                .name(format!("serve-{nth}"))
                .spawn(body)?,
        );
    }
    Ok(threads)
}

fn in_runtime<T>(runtime: &Runtime, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let _context = runtime.enter();
    make()
}

type Dealer = (
    tokio::net::TcpListener,
    Vec<mpsc::UnboundedSender<TcpStream>>,
);

/// One thread's part.
struct Worker {
    sockets: mpsc::UnboundedReceiver<TcpStream>,
    shared: Arc<ConnectionShared>,
    timer: Timer,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    async fn run(mut self, accept: Option<Dealer>) {
        let mut tasks: JoinSet<()> = JoinSet::new();
        let timer = self.timer.clone();
        tasks.spawn(async move {
            if let Err(error) = timer.drive().await {
                tracing::error!(%error, "the timer of the embedded server failed");
            }
        });
        if let Some(dealer) = accept {
            tasks.spawn(deal(dealer, Arc::clone(&self.shared)));
        }
        loop {
            tokio::select! {
                _ = self.stopped.changed() => return,
                Some(_) = tasks.join_next() => {}
                Some(stream) = self.sockets.recv() => {
                    tasks.spawn(connection(stream, Arc::clone(&self.shared), self.timer.clone()));
                }
            }
        }
    }
}

/// Accepts and deals, for ever.
async fn deal((listener, senders): Dealer, shared: Arc<ConnectionShared>) {
    for sender in senders.iter().cycle() {
        let stream = loop {
            match listener
                .accept()
                .await
                .and_then(|(stream, _)| stream.into_std())
            {
                Ok(stream) => match socket::prepare(&stream, shared.rate) {
                    Ok(()) => break stream,
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the embedded server was dropped");
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "the embedded server cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        shared
            .statistics
            .connections
            .fetch_add(1, Ordering::Relaxed);
        if sender.send(stream).is_err() {
            return;
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<ConnectionShared>, timer: Timer) {
    let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
        return;
    };
    let connection = Arc::new(ClientConnection::new(
        timer,
        Arc::clone(&shared.statistics),
        shared.rate,
    ));
    let socket = Socket::new(stream, Arc::clone(&connection));
    match &shared.tls {
        None => http(socket, &connection, &shared).await,
        Some(acceptor) => {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => http(stream, &connection, &shared).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        }
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: &Arc<ClientConnection>,
    shared: &ConnectionShared,
) {
    let answer = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| {
        let context = RequestContext {
            connection: Arc::clone(connection),
            started_ns: now_ns(),
        };
        async move {
            if let Some(shortcut) = &shared.shortcut
                && request.body().is_end_stream()
                && let Some(answer) = shortcut.answer(&request, &context).await
            {
                return Ok(answer);
            }
            request.extensions_mut().insert(context);
            let answer = shared.service.call(request.map(s3s::Body::from)).await;
            // An error here ends the connection without a head.
            if connection.is_abandoned() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            answer.map_err(|error| io::Error::other(StdError::from(error)))
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), answer).await {
        tracing::trace!(%error, "a connection ended");
    }
}
