//! A port of this machine: a free one, whether anybody accepts connections, and what is answered there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one answer may take: a server that hangs is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read: its status is in the first line.
const HEAD: usize = 4_096;

/// A port on which nobody listens now.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

async fn connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Whether anybody accepts connections.
pub(super) async fn accepts(port: u16) -> bool {
    matches!(timeout(ANSWER, connect(port)).await, Ok(Ok(_)))
}

/// Asks for a path; the error is what came instead of a code from 200 to 299.
pub(super) async fn status_of(port: u16, path: &str) -> Result<(), String> {
    timeout(ANSWER, ask(port, path))
        .await
        .unwrap_or_else(|_| Err(format!("{path} gave no answer")))
}

async fn ask(port: u16, path: &str) -> Result<(), String> {
    let mut stream = connect(port)
        .await
        .map_err(|_| "nothing listens on its port".to_owned())?;
    let broken = |error: io::Error| format!("{path} gave no answer: {error}");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    let mut piece = [0; 512];
    loop {
        let read = stream.read(&mut piece).await.map_err(broken)?;
        head.extend_from_slice(&piece[..read]);
        let mut headers = [httparse::EMPTY_HEADER; 0];
        let mut answer = httparse::Response::new(&mut headers);
        // With no room for headers it stops at the first, when the status is known.
        let _stopped = answer.parse(&head);
        match answer.code {
            Some(200..=299) => return Ok(()),
            Some(code) => return Err(format!("{path} answers {code}")),
            None if read == 0 || head.len() > HEAD => {
                return Err(format!("{path} gave no answer of HTTP"));
            }
            None => {}
        }
    }
}
