//! An S3 endpoint that answers what a test wants: canned answers where the test says so, a small well-behaved store otherwise.
//!
//! A thread a connection, so that a script may hold an answer back. Checks no signature. Remembers every request; tests wait for one of them
//! instead of sleeping.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A hang that a test guards against, far above anything a loaded machine needs.
pub(crate) const DEADLINE: Duration = Duration::from_mins(10);
/// The same where the next request is all that there is to do.
const SOON: Duration = Duration::from_mins(1);

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// `bucket/key`, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_start_matches('/')
    }

    /// `GET bucket/?list-type=2`, or the older one by `marker`.
    pub(crate) fn is_listing(&self) -> bool {
        self.method == "GET"
            && (self.target.contains("list-type=2") || self.target.contains("marker="))
    }

    /// A GET of an object of the source bucket.
    pub(crate) fn is_fetch(&self) -> bool {
        self.method == "GET" && !self.is_listing()
    }

    /// A PUT of an object whose name ends so.
    pub(crate) fn puts(&self, ending: &str) -> bool {
        self.method == "PUT" && self.path().ends_with(ending)
    }
}

/// What the endpoint does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, extra headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// Closes the connection without a word.
    Close,
}

impl Reply {
    /// 200 with this body.
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    /// An S3 error document.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Canned.</Message><RequestId>1</RequestId></Error>"
        );
        Self::Answer(
            status,
            vec![("content-type", "application/xml".to_owned())],
            body.into_bytes(),
        )
    }

    /// «The bucket is elsewhere.»
    pub(crate) fn elsewhere(status: u16, code: &str, region: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Canned.</Message><Region>{region}</Region></Error>"
        );
        Self::Answer(
            status,
            vec![("x-amz-bucket-region", region.to_owned())],
            body.into_bytes(),
        )
    }

    /// A listing page of these keys, each of one byte.
    pub(crate) fn page(keys: &[&str], truncated: &str) -> Self {
        let contents: String = keys.iter().fold(String::new(), |text, key| {
            text + "<Contents><Key>" + key + "</Key><Size>1</Size><ETag>e</ETag></Contents>"
        });
        Self::ok(format!(
            "<?xml version=\"1.0\"?><ListBucketResult><Name>source</Name><EncodingType>url</EncodingType>{contents}{truncated}</ListBucketResult>"
        ))
    }
}

type Script = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

struct Shared {
    script: Box<Script>,
    keys: Vec<String>,
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
    seen: Mutex<Vec<Request>>,
    news: Condvar,
    turns: Vec<Turn>,
    /// Which requests are remembered.
    remembers: fn(&Request) -> bool,
}

/// What the endpoint is to one connection.
#[derive(Clone)]
pub(crate) enum Turn {
    Plain,
    Tls(Arc<rustls::ServerConfig>),
    /// Takes the connection and says nothing.
    Silent,
    /// Nothing listens any more.
    Refuse,
}

/// The endpoint. Its threads end with the test process.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Scripted {
    /// A store of `count` objects of one byte, in which `script` may answer any request first.
    pub(crate) fn start(
        count: usize,
        script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self::serve(address, count, script, (vec![Turn::Plain], |_| true)).unwrap()
    }

    /// The same, and of fetches it remembers none: there may be very many.
    pub(crate) fn busy(
        count: usize,
        script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self::serve(
            address,
            count,
            script,
            (vec![Turn::Plain], |request| !request.is_fetch()),
        )
        .unwrap()
    }

    /// Without objects, at an address that is known beforehand.
    pub(crate) fn at(
        address: SocketAddr,
        script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(address, 0, script, (vec![Turn::Plain], |_| true))
    }

    /// A store of one object, which is this to its first connection, its second, and so on; the last for all that follow. parfetch's control calls
    /// share the first; every worker opens one of its own.
    pub(crate) fn turns(turns: Vec<Turn>) -> Self {
        Self::serve(
            (Ipv4Addr::LOCALHOST, 0).into(),
            1,
            |_| None,
            (turns, |_| true),
        )
        .unwrap()
    }

    fn serve(
        address: SocketAddr,
        count: usize,
        script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
        (turns, remembers): (Vec<Turn>, fn(&Request) -> bool),
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            keys: (0..count).map(|number| format!("k{number:04}")).collect(),
            stored: Mutex::default(),
            seen: Mutex::default(),
            news: Condvar::new(),
            turns,
            remembers,
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for number in 0.. {
                let turn = server.turns[number.min(server.turns.len() - 1)].clone();
                if matches!(turn, Turn::Refuse) {
                    return;
                }
                let (Ok((stream, _)), shared) = (listener.accept(), Arc::clone(&server)) else {
                    return;
                };
                // A client that goes away in the middle is part of the tests.
                std::thread::spawn(move || shared.connection(stream, &turn));
            }
        });
        Ok(Self { address, shared })
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn url(&self) -> String {
        let scheme = if matches!(self.shared.turns[0], Turn::Tls(_)) {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Waits until `count` requests are such.
    pub(crate) fn wait_for(&self, count: usize, wanted: impl Fn(&Request) -> bool) {
        self.wait_within(DEADLINE, count, wanted);
    }

    /// The same for what follows at once, so that a test of what never comes ends soon.
    pub(crate) fn wait_a_moment_for(&self, count: usize, wanted: impl Fn(&Request) -> bool) {
        self.wait_within(SOON, count, wanted);
    }

    fn wait_within(&self, time: Duration, count: usize, wanted: impl Fn(&Request) -> bool) {
        let end = Instant::now() + time;
        let mut seen = self.shared.seen.lock().unwrap();
        while seen.iter().filter(|request| wanted(request)).count() < count {
            let left = end
                .checked_duration_since(Instant::now())
                .unwrap_or_else(|| panic!("not asked for in time; asked so far: {seen:#?}"));
            seen = self.shared.news.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// What was stored in the results bucket under this name.
    pub(crate) fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.shared.stored.lock().unwrap().get(key).cloned()
    }
}

impl Shared {
    fn connection(&self, mut stream: TcpStream, turn: &Turn) -> io::Result<()> {
        stream.set_nodelay(true)?;
        match turn {
            Turn::Plain => self.exchanges(stream),
            Turn::Tls(config) => {
                let session =
                    rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                self.exchanges(rustls::StreamOwned::new(session, stream))
            }
            Turn::Silent | Turn::Refuse => io::copy(&mut stream, &mut io::sink()).map(drop),
        }
    }

    fn exchanges(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read_request(&mut stream)? {
            if (self.remembers)(&request) {
                self.seen.lock().unwrap().push(request.clone());
                self.news.notify_all();
            }
            let reply = (self.script)(&request).unwrap_or_else(|| self.store(&request));
            let (status, headers, body) = match reply {
                Reply::Answer(status, headers, body) => (status, headers, body),
                Reply::Raw(bytes) => {
                    return stream
                        .get_mut()
                        .write_all(&bytes)
                        .and_then(|()| stream.get_mut().flush());
                }
                Reply::Close => return Ok(()),
            };
            let mut head = format!("HTTP/1.1 {status} Canned\r\n");
            for (name, value) in headers {
                head += &[name, ": ", &value, "\r\n"].concat();
            }
            if status != 204 {
                head += &["content-length: ", &body.len().to_string(), "\r\n"].concat();
            }
            let body = if request.method == "HEAD" {
                Vec::new()
            } else {
                body
            };
            stream
                .get_mut()
                .write_all(&[head.as_bytes(), b"\r\n", &body].concat())?;
            stream.get_mut().flush()?;
        }
        Ok(())
    }

    /// A store with the bucket `source`, and with every other bucket for results.
    fn store(&self, request: &Request) -> Reply {
        let path = request.path().to_owned();
        let mut stored = self.stored.lock().unwrap();
        match request.method.as_str() {
            "GET" if request.is_listing() => {
                let keys: Vec<_> = self.keys.iter().map(String::as_str).collect();
                Reply::page(&keys, "<IsTruncated>false</IsTruncated>")
            }
            "GET" | "HEAD" => match (
                path.strip_prefix("source/")
                    .filter(|key| self.keys.iter().any(|known| known == key)),
                stored.get(&path),
            ) {
                (Some(_), _) => Reply::ok("x"),
                (None, Some(body)) => Reply::ok(body.clone()),
                (None, None) => Reply::error(404, "NoSuchKey"),
            },
            "PUT"
                if request.headers.contains_key("if-none-match") && stored.contains_key(&path) =>
            {
                Reply::error(412, "PreconditionFailed")
            }
            "PUT" => {
                stored.insert(path, request.body.clone());
                Reply::Answer(200, vec![("etag", "\"e\"".to_owned())], Vec::new())
            }
            "DELETE" => {
                stored.remove(&path);
                Reply::Answer(204, Vec::new(), Vec::new())
            }
            _ => Reply::error(501, "NotImplemented"),
        }
    }
}

/// `None` at the end of the connection.
pub(super) fn read_request(
    stream: &mut BufReader<impl Read + Write>,
) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned())
            }
            None => break,
        };
    }
    if headers
        .get("expect")
        .is_some_and(|value| value == "100-continue")
    {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = if headers
        .get("content-encoding")
        .is_some_and(|value| value.contains("aws-chunked"))
    {
        unchunked(&body)
    } else {
        body
    };
    Ok(Some(Request {
        method,
        target,
        headers,
        body,
    }))
}

/// The content of an `aws-chunked` body.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(end) = body.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&body[..end])
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        content.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    content
}

/// Holds answers back until the test opens it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hold(Arc<(Mutex<bool>, Condvar)>);

impl Hold {
    /// Lets every answer go.
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open; for ever when nobody opens it.
    pub(crate) fn wait(&self) {
        let closed = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(closed, |open| !*open).unwrap());
    }
}
