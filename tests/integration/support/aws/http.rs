//! A small HTTP server on 127.0.0.1: a thread a connection, one handler for all requests.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::scripted::{Request, read_request};

/// What is said to a request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// `x-amzn-errortype`, which JSON over REST has.
    pub(super) error_type: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            error_type: None,
            body: body.into(),
        }
    }
}

/// The server. Stops taking connections when dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Server {
    /// `handle` answers each request; `None` closes the connection without a word.
    pub(super) fn start(
        listener: TcpListener,
        handle: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (closed, handle) = (Arc::new(AtomicBool::new(false)), Arc::new(handle));
        let server = Self {
            address,
            closed: Arc::clone(&closed),
        };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if closed.load(Ordering::Relaxed) {
                    return;
                }
                let handle = Arc::clone(&handle);
                // A client that goes away in the middle is part of the tests.
                std::thread::spawn(move || exchanges(stream, &*handle));
            }
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

fn exchanges(stream: TcpStream, handle: &impl Fn(&Request) -> Option<Answer>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream)? {
        let Some(answer) = handle(&request) else {
            return Ok(());
        };
        let mut head = format!(
            "HTTP/1.1 {} Said\r\ncontent-type: {}\r\ncontent-length: {}\r\nx-amzn-requestid: {:032x}\r\n",
            answer.status,
            answer.content_type,
            answer.body.len(),
            fastrand::u128(..)
        );
        if let Some(kind) = &answer.error_type {
            head += &["x-amzn-errortype: ", kind, "\r\n"].concat();
        }
        stream
            .get_mut()
            .write_all(&[head.as_bytes(), b"\r\n", &answer.body].concat())?;
    }
    Ok(())
}
