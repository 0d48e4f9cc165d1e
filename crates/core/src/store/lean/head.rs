//! The head of an HTTP/1.1 answer: what it says of its body and its connection. Anything that two readers could understand in two ways is an error.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use crate::store::attempt::{ContentRange, content_range, digits};

/// Most bytes of a head.
pub(super) const HEAD_BYTES: usize = 64 * 1024;
/// Most header lines: objects may carry some of their owner's.
const HEADERS: usize = 128;

/// An answer that breaks the rules of HTTP/1.1, or is none to what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MalformedHead(pub(super) &'static str);

impl fmt::Display for MalformedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MalformedHead {}

impl From<MalformedHead> for io::Error {
    fn from(error: MalformedHead) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// By its last chunk.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// A complete head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead<'a> {
    /// HTTP status.
    pub(super) status: u16,
    /// Where the body ends.
    pub(super) framing: Framing,
    /// `Content-Length` in bytes, when there is one.
    pub(super) length: Option<u64>,
    /// `Content-Range`, when there is one that can be read.
    pub(super) range: Option<ContentRange>,
    /// `ETag` as it stands; empty where there is none.
    pub(super) etag: &'a [u8],
    /// `Date` as it stands; empty where there is none.
    pub(super) date: &'a [u8],
    /// `Location` as it stands; empty where there is none.
    pub(super) location: &'a [u8],
    /// Whether the server takes another request on this connection, the body's end apart.
    pub(super) keeps: bool,
    /// Bytes of the head itself.
    pub(super) size: usize,
}

/// Reads a head from the start of `bytes`; `None` while it is not complete. Allocates nothing.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<ResponseHead<'_>>, MalformedHead> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADERS];
    let mut response = Response::new(&mut []);
    let start = &bytes[..bytes.len().min(HEAD_BYTES)];
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        start,
        &mut headers,
    );
    match parsed {
        Ok(Status::Complete(size)) => read(&response, size).map(Some),
        Ok(Status::Partial) if start.len() == HEAD_BYTES => {
            Err(MalformedHead("a head of more than 64 KiB"))
        }
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(MalformedHead("no head of HTTP/1.1")),
    }
}

/// What the header lines say, those of interest alone.
#[derive(Default)]
struct HeaderLines<'a> {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    range: Option<ContentRange>,
    etag: &'a [u8],
    date: &'a [u8],
    location: &'a [u8],
}

impl<'a> HeaderLines<'a> {
    fn read(headers: &[Header<'a>]) -> Result<Self, MalformedHead> {
        let mut lines = Self::default();
        for Header { name, value } in headers {
            if name.eq_ignore_ascii_case("content-length") {
                let length = digits(value.trim_ascii())
                    .ok_or(MalformedHead("a Content-Length that is not a number"))?;
                if lines
                    .length
                    .replace(length)
                    .is_some_and(|earlier| earlier != length)
                {
                    return Err(MalformedHead("two values of Content-Length"));
                }
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                if lines.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(MalformedHead("a Transfer-Encoding other than chunked"));
                }
                lines.chunked = true;
            } else if name.eq_ignore_ascii_case("connection") {
                lines.close |= value
                    .split(|byte| *byte == b',')
                    .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
            } else if name.eq_ignore_ascii_case("content-range") {
                lines.range = content_range(value);
            } else if name.eq_ignore_ascii_case("etag") {
                lines.etag = value;
            } else if name.eq_ignore_ascii_case("date") {
                lines.date = value;
            } else if name.eq_ignore_ascii_case("location") {
                lines.location = value;
            }
        }
        Ok(lines)
    }
}

fn read<'a>(response: &Response<'_, 'a>, size: usize) -> Result<ResponseHead<'a>, MalformedHead> {
    let (Some(status), Some(version)) = (response.code, response.version) else {
        return Err(MalformedHead("no head of HTTP/1.1"));
    };
    if status < 100 {
        return Err(MalformedHead("no head of HTTP/1.1"));
    }
    let head = |framing, lines: &HeaderLines<'a>| ResponseHead {
        status,
        framing,
        length: lines.length,
        range: lines.range,
        etag: lines.etag,
        date: lines.date,
        location: lines.location,
        keeps: version == 1 && !lines.close && status != 101,
        size,
    };
    if matches!(status, 100..=199) {
        return Ok(head(Framing::Length(0), &HeaderLines::default()));
    }
    let lines = HeaderLines::read(response.headers)?;
    let framing = match (lines.chunked, lines.length) {
        (true, Some(_)) => return Err(MalformedHead("both Content-Length and Transfer-Encoding")),
        (true, None) if version == 0 => return Err(MalformedHead("Transfer-Encoding in HTTP/1.0")),
        _ if matches!(status, 204 | 304) => Framing::Length(0),
        (true, None) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    };
    Ok(head(framing, &lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Result<Option<ResponseHead<'static>>, MalformedHead> {
        parse(lines.replace('\n', "\r\n").leak().as_bytes())
    }

    fn framing(lines: &str) -> Option<Framing> {
        of(&format!("HTTP/1.1 200 OK\n{lines}\n"))
            .ok()
            .flatten()
            .map(|head| head.framing)
    }

    #[test]
    fn a_body_ends_where_the_head_says() {
        assert_eq!(framing("Content-Length: 0\n"), Some(Framing::Length(0)));
        assert_eq!(framing("content-length:  12 \n"), Some(Framing::Length(12)));
        assert_eq!(
            framing("Content-Length: 12\nContent-Length: 12\n"),
            Some(Framing::Length(12))
        );
        assert_eq!(
            framing("Content-Length: 18446744073709551615\n"),
            Some(Framing::Length(u64::MAX))
        );
        assert_eq!(
            framing("Transfer-Encoding: Chunked\n"),
            Some(Framing::Chunked)
        );
        assert_eq!(framing("Server: S3\n"), Some(Framing::UntilClose));
    }

    #[test]
    fn a_body_whose_end_is_in_doubt_is_refused() {
        for lines in [
            "Content-Length: 1\nContent-Length: 2\n",
            "Content-Length: +1\n",
            "Content-Length: -1\n",
            "Content-Length: 0x1\n",
            "Content-Length: 1, 1\n",
            "Content-Length: \n",
            "Content-Length: 18446744073709551616\n",
            "Content-Length: 1\nTransfer-Encoding: chunked\n",
            "Transfer-Encoding: gzip, chunked\n",
            "Transfer-Encoding: identity\n",
            "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n",
        ] {
            assert!(
                of(&format!("HTTP/1.1 200 OK\n{lines}\n")).is_err(),
                "{lines}"
            );
        }
        assert!(of("HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n").is_err());
        assert!(of("HTTP/2.0 200 OK\n\n").is_err());
        assert!(of("SSH-2.0-OpenSSH\n").is_err());
        assert!(
            of("HTTP/1.1 000 X\nContent-Length: 0\n\n").is_err()
                && of("HTTP/1.1 099 X\nContent-Length: 0\n\n").is_err()
        );
    }

    #[test]
    fn some_statuses_have_no_body_whatever_they_announce() {
        for status in [100, 103, 204, 304] {
            let head = of(&format!("HTTP/1.1 {status} X\nContent-Length: 5\n\n"))
                .unwrap()
                .unwrap();
            assert_eq!((head.status, head.framing), (status, Framing::Length(0)));
        }
    }

    #[test]
    fn a_connection_is_kept_where_the_server_says_nothing_else() {
        let persistent = |version: &str, lines: &str| {
            let head = of(&format!("HTTP/{version} 200 OK\n{lines}\n"))
                .unwrap()
                .unwrap();
            head.keeps && head.framing != Framing::UntilClose
        };
        assert!(persistent("1.1", "Content-Length: 1\n"));
        assert!(persistent(
            "1.1",
            "Content-Length: 1\nConnection: keep-alive\n"
        ));
        assert!(!persistent(
            "1.1",
            "Content-Length: 1\nConnection: x, CLOSE\n"
        ));
        assert!(!persistent(
            "1.1",
            "Content-Length: 1\nConnection: keep-alive\nConnection: close\n"
        ));
        assert!(!persistent("1.1", ""));
        assert!(!persistent(
            "1.0",
            "Content-Length: 1\nConnection: keep-alive\n"
        ));
    }

    #[test]
    fn a_head_is_complete_or_not_yet_or_too_long() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), Ok(None), "{end}");
        }
        assert_eq!(parse(whole).unwrap().unwrap().size, whole.len());
        let long = |size: usize| {
            let mut head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
            head.resize(size - 4, b'x');
            head.extend(b"\r\n\r\n");
            head
        };
        assert_eq!(parse(&long(HEAD_BYTES)).unwrap().unwrap().size, HEAD_BYTES);
        assert!(parse(&long(HEAD_BYTES + 1)).is_err());
        let many = "h: 1\n".repeat(HEADERS + 1);
        assert!(of(&format!("HTTP/1.1 200 OK\n{many}\n")).is_err());
    }
}
