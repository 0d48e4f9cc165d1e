//! Well-formed answers taken apart at random: the same in any pieces, never more than was announced, and whole only where hyper finds the same whole.

use std::cell::Cell;

use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::fuzz::Target;

/// The part of [`SEEDS`]' answer to a request for one.
const ASKED: Part = Part { first: 0, last: 4 };

const SEEDS: [&str; 9] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\nhello world",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Slow Down\r\nContent-Length: 24\r\n\r\n<Code>SlowDown</Code>123",
    "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/11\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2/3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nDate: Wed, 25 Nov 2026 23:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Code\r\n0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
];

const WORDS: [&str; 20] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    "ffffffffffffffff",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Content-Range: bytes 0-4/11\r\n",
    ";",
    ",",
    "\t",
    " ",
    "HTTP/1.1 200 ",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "0\r\n\r\n",
    "0x",
    "-1",
    "+1",
];

/// Lengths of pieces that follow from the bytes, so that a case can be made again.
fn lengths(bytes: &[u8]) -> [usize; 2] {
    let mut random = fastrand::Rng::with_seed(xxh3_64(bytes));
    [random.usize(1..7), random.usize(1..40)]
}

/// What holds for any bytes as the answer to a request for `part`, or for everything. Returns whether they are a whole answer.
pub(super) fn hold(bytes: &[u8], part: Option<Part>) -> bool {
    let whole = read_pieces([bytes], part, ConnectionEnd::Clean);
    assert_eq!(
        whole,
        read_pieces(cut(bytes, &lengths(bytes)), part, ConnectionEnd::Clean),
        "in pieces"
    );
    assert!(
        whole.told.heads.len() <= 1
            && whole.told.body.len() <= bytes.len()
            && whole.document.len() <= DOCUMENT_BYTES
    );
    if let [Some(length)] = whole.told.heads[..] {
        assert!(
            whole.told.body.len() as u64 <= length,
            "no more of a body than was announced"
        );
        assert!(
            !whole.whole || whole.told.body.len() as u64 == length,
            "and no less of a whole one"
        );
    }
    if let (Some(part), true) = (part, whole.whole && (200..300).contains(&whole.status)) {
        assert!(
            whole.told.body.len() as u64 <= part.length() || whole.told.heads == [None],
            "no more of a part than was asked for"
        );
    }
    // A connection that was cut makes nothing whole that its clean end does not, and spoils only what that end alone completes.
    let torn = read_pieces([bytes], part, ConnectionEnd::Cut);
    assert!(
        torn == whole
            || (whole.whole && !torn.whole && whole.told.heads != [Some(0)] && !whole.persistent)
    );
    whole.whole
}

#[test]
fn fuzz_http_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (all, compared) = (Cell::new(0_u64), Cell::new(0_u64));
    let seeds = SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec();
    Target {
        name: "http-answer",
        seeds,
        words: &WORDS,
        cases: 15_000,
    }
    .run(|bytes| {
        hold(bytes, Some(ASKED));
        if hold(bytes, None) {
            runtime.block_on(differential::agrees(bytes));
            compared.set(compared.get() + 1);
        }
        all.set(all.get() + 1);
    });
    assert!(
        all.get() < 1_000 || compared.get() > all.get() / 20,
        "{} of {} were whole: enough to compare",
        compared.get(),
        all.get()
    );
}
