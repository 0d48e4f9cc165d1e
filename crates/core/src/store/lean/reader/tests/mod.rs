//! Answers whole, in pieces, cut, and wrong.

mod differential;
mod fuzz;

use proptest::prelude::*;

use super::*;
use crate::store::attempt::Remedy;
use crate::store::lean::fixture::Told;

/// Everything that can be seen of a read answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    told: Told,
    status: u16,
    document: Vec<u8>,
    persistent: bool,
    /// Complete; or wrong, or cut.
    whole: bool,
}

const PART: Part = Part {
    first: 10,
    last: 14,
};

/// Feeds the pieces; then the connection ends like that, unless the answer is complete.
fn read_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    part: Option<Part>,
    end: ConnectionEnd,
) -> Read {
    let (mut reader, mut told) = (ResponseReader::new(), Told::default());
    reader.begin(Wanted::Object(part));
    let mut result = Ok(());
    for piece in pieces {
        if result.is_ok() {
            result = reader.feed(piece, &mut told).map_err(io::Error::from);
        }
    }
    if result.is_ok() && !reader.is_done() {
        result = reader.end(end);
    }
    let document = reader.document.clone();
    Read {
        told,
        status: reader.status,
        document,
        persistent: reader.persistent(),
        whole: result.is_ok(),
    }
}

fn read(bytes: &[u8]) -> Read {
    read_pieces([bytes], None, ConnectionEnd::Cut)
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {}\r\n\r\n{body}", head.replace('\n', "\r\n")).into_bytes()
}

fn code(bytes: &[u8]) -> String {
    let mut reader = ResponseReader::new();
    reader.begin(Wanted::Object(None));
    let _wrong = reader.feed(bytes, &mut Told::default());
    reader.refusal().unwrap().code.to_string()
}

#[test]
fn a_body_of_known_length() {
    let read = read(&answer("200 OK\nContent-Length: 5", "hello"));
    let told = Told {
        heads: vec![Some(5)],
        totals: vec![None],
        etags: vec![Vec::new()],
        body: b"hello".to_vec(),
    };
    assert_eq!(
        read,
        Read {
            told,
            status: 200,
            document: Vec::new(),
            persistent: true,
            whole: true
        }
    );
}

#[test]
fn a_chunked_body() {
    let read = read(&answer(
        "200 OK\nTransfer-Encoding: chunked",
        "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n",
    ));
    assert_eq!(
        (read.told.heads, read.told.body),
        (vec![None], b"hello!".to_vec())
    );
    assert!(read.whole && read.persistent);
}

#[test]
fn a_body_that_the_end_of_the_connection_ends() {
    let bytes = answer("200 OK", "hello");
    let clean = read_pieces([&bytes[..]], None, ConnectionEnd::Clean);
    assert!(clean.whole && !clean.persistent && clean.told.body == b"hello");
    assert!(
        !read_pieces([&bytes[..]], None, ConnectionEnd::Cut).whole,
        "somebody may have cut it"
    );
}

#[test]
fn bodies_of_no_bytes() {
    let empty = read(&answer("200 OK\nContent-Length: 0", ""));
    assert_eq!(
        (empty.told.heads, empty.whole, empty.persistent),
        (vec![Some(0)], true, true)
    );
    let read = read(&answer("200 OK\nTransfer-Encoding: chunked", "0\r\n\r\n"));
    assert_eq!((read.told.heads, read.whole), (vec![None], true));
    assert_eq!(
        code(&answer("304 Not Modified\nContent-Length: 9", "")),
        "HTTP304"
    );
}

#[test]
fn a_success_that_is_none_of_a_get_is_refused() {
    for head in [
        "204 No Content",
        "204 No Content\nContent-Length: 3",
        "203 X\nContent-Length: 0",
        "201 Created\nContent-Length: 0",
    ] {
        let read = read(&answer(head, ""));
        assert_eq!(
            (read.told.heads, read.whole, read.persistent),
            (Vec::new(), false, false),
            "{head}"
        );
    }
}

#[test]
fn the_sink_is_told_what_the_head_says_of_the_object() {
    let whole = read(&answer("200 OK\nETag: \"abc-2\"\nContent-Length: 0", "")).told;
    assert_eq!(
        (whole.etags, whole.totals),
        (vec![b"\"abc-2\"".to_vec()], vec![None])
    );
    let bytes = answer(
        "206 X\neTag: W/\"a\"\nContent-Range: bytes 10-12/13\nContent-Length: 3",
        "abc",
    );
    for cut in 0..bytes.len() {
        let part = read_pieces(
            [&bytes[..cut], &bytes[cut..]],
            Some(PART),
            ConnectionEnd::Cut,
        );
        assert!(part.whole, "as much of the part as there is: {cut}");
        assert_eq!(
            (part.told.etags, part.told.totals),
            (vec![b"W/\"a\"".to_vec()], vec![Some(13)])
        );
    }
}

#[test]
fn answers_on_their_way_are_dropped() {
    let bytes = [
        answer("100 Continue", ""),
        answer("103 Early Hints\nLink: x\nContent-Length: 7", ""),
        answer("200 OK\nContent-Length: 1", "x"),
    ]
    .concat();
    let whole = read(&bytes);
    assert_eq!(
        (whole.status, &whole.told.heads[..], &whole.told.body[..]),
        (200, &[Some(1)][..], &b"x"[..])
    );
    for at in 0..bytes.len() {
        assert_eq!(
            read_pieces([&bytes[..at], &bytes[at..]], None, ConnectionEnd::Cut),
            whole
        );
    }
    assert_eq!(
        code(&answer("101 Switching Protocols\nUpgrade: h2c", "")),
        "HTTP101"
    );
    assert!(!read(&answer("101 Switching Protocols", "")).persistent);
}

#[test]
fn a_head_split_at_every_byte_and_into_single_ones() {
    let bytes = answer(
        "200 OK\nx-amz-id-2: abc\nContent-Length: 5\nServer: S3",
        "hello",
    );
    let whole = read(&bytes);
    assert!(whole.whole && whole.persistent);
    for at in 0..bytes.len() {
        assert_eq!(
            read_pieces([&bytes[..at], &bytes[at..]], None, ConnectionEnd::Cut),
            whole,
            "{at}"
        );
    }
    assert_eq!(
        read_pieces(bytes.chunks(1), None, ConnectionEnd::Cut),
        whole
    );
}

#[test]
fn a_head_that_comes_whole_is_read_where_it_is() {
    let (mut reader, mut told) = (ResponseReader::new(), Told::default());
    for _ in 0..3 {
        reader.begin(Wanted::Object(None));
        reader
            .feed(&answer("200 OK\nContent-Length: 5", "hello"), &mut told)
            .unwrap();
        assert!(reader.persistent());
    }
    assert_eq!(
        (reader.split.capacity(), reader.document.capacity()),
        (0, 0),
        "nothing was allocated"
    );
    assert_eq!(told.body.len(), 15);
}

#[test]
fn a_head_is_never_longer_than_its_limit() {
    let long = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; HEAD_BYTES]].concat();
    for size in [1, 1000, HEAD_BYTES - 1, HEAD_BYTES, long.len()] {
        let mut reader = ResponseReader::new();
        reader.begin(Wanted::Object(None));
        let fed: usize = long
            .chunks(size)
            .take_while(|piece| reader.feed(piece, &mut Told::default()).is_ok())
            .map(<[u8]>::len)
            .sum();
        assert!(
            fed < long.len() && reader.split.len() <= HEAD_BYTES,
            "{size}: {fed}"
        );
    }
}

#[test]
fn a_body_cut_at_any_byte_is_not_whole() {
    for bytes in [
        answer("200 OK\nContent-Length: 5", "hello"),
        answer(
            "200 OK\nTransfer-Encoding: chunked",
            "5\r\nhello\r\n0\r\nT: 1\r\n\r\n",
        ),
        answer(
            "206 Partial Content\nContent-Length: 5\nContent-Range: bytes 10-14/20",
            "hello",
        ),
    ] {
        let part = bytes.starts_with(b"HTTP/1.1 206").then_some(PART);
        assert!(read_pieces([&bytes[..]], part, ConnectionEnd::Clean).whole);
        for at in 0..bytes.len() {
            let cut = read_pieces([&bytes[..at]], part, ConnectionEnd::Clean);
            assert!(!cut.whole && !cut.persistent, "{at}");
        }
    }
}

#[test]
fn a_part_is_what_was_asked_for_or_an_error() {
    let whole =
        |head: &str, part| read_pieces([&answer(head, "hello")[..]], part, ConnectionEnd::Clean);
    assert!(
        whole(
            "206 Partial Content\nContent-Range: bytes 10-14/20\nContent-Length: 5",
            Some(PART)
        )
        .whole
    );
    assert!(
        whole(
            "206 Partial Content\nContent-Range: bytes 10-14/*\nContent-Length: 5",
            Some(PART)
        )
        .whole
    );
    for head in [
        "200 OK\nContent-Length: 5",
        "200 OK\nContent-Range: bytes 10-14/20\nContent-Length: 5",
        "206 Partial Content\nContent-Length: 5",
        "206 Partial Content\nContent-Range: bytes 11-15/20\nContent-Length: 5",
        "206 Partial Content\nContent-Range: bytes 10-13/20\nContent-Length: 5",
        "206 Partial Content\nContent-Range: bytes 10-14/14\nContent-Length: 5",
        "206 Partial Content\nContent-Range: bytes 10-14/20\nContent-Length: 6",
        "206 Partial Content\nContent-Range: bytes 10-14/20\nContent-Length: 0",
        "204 No Content",
    ] {
        let read = whole(head, Some(PART));
        assert!(!read.whole && read.told == Told::default(), "{head}");
    }
    assert!(
        !whole(
            "206 Partial Content\nContent-Range: bytes 0-4/20\nContent-Length: 5",
            None
        )
        .whole
    );
    assert!(
        !whole(
            "200 OK\nContent-Range: bytes 0-4/20\nContent-Length: 5",
            None
        )
        .whole
    );
    assert_eq!(
        whole(
            "416 Range Not Satisfiable\nContent-Range: bytes */5\nContent-Length: 5",
            Some(PART)
        )
        .status,
        416
    );
}

#[test]
fn what_the_store_says_instead_of_a_body_is_kept_for_its_code() {
    let document = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>";
    let length = format!("503 Slow Down\nContent-Length: {}", document.len());
    let read = read(&answer(&length, document));
    assert_eq!(
        (read.told, read.persistent, read.whole),
        (Told::default(), true, true)
    );
    assert_eq!(read.document, document.as_bytes());
    let chunked = format!("{:x}\r\n{document}\r\n0\r\n\r\n", document.len());
    for bytes in [
        answer(&length, document),
        answer("503 Slow Down", document),
        answer("503 Slow Down\nTransfer-Encoding: chunked", &chunked),
    ] {
        assert_eq!(code(&bytes), "SlowDown");
    }
    assert_eq!(
        code(&answer(&length, &document[..20])),
        "HTTP503",
        "cut before its code"
    );
    assert_eq!(
        code(&answer("503 Slow Down\nContent-Length: 0", "")),
        "HTTP503"
    );
    let mut reader = ResponseReader::new();
    reader.begin(Wanted::Object(None));
    reader
        .feed(
            &answer("404 Not Found\nContent-Length: 0", ""),
            &mut Told::default(),
        )
        .unwrap();
    assert_eq!(
        reader.refusal().unwrap().remedy,
        Remedy::Nothing(crate::sample::Outcome::Vanished)
    );
    reader.begin(Wanted::Object(None));
    assert_eq!(reader.refusal(), None, "the next answer is another one");
}

#[test]
fn an_endless_error_document_is_given_up() {
    for framing in [
        "Content-Length: 9999999",
        "Transfer-Encoding: chunked",
        "X: y",
    ] {
        let start = if framing.starts_with('T') {
            "fffff\r\n"
        } else {
            ""
        };
        let bytes = [
            answer(&format!("500 Oops\n{framing}"), start),
            vec![b'x'; 2 * DOCUMENT_BYTES],
        ]
        .concat();
        for size in [1, 999, bytes.len()] {
            let read = read_pieces(bytes.chunks(size), None, ConnectionEnd::Cut);
            assert!(
                read.whole && !read.persistent && read.document.len() == DOCUMENT_BYTES,
                "{framing} {size}"
            );
        }
    }
}

#[test]
fn bytes_behind_an_answer_end_the_connection() {
    let mut bytes = answer("200 OK\nContent-Length: 5", "hello");
    assert!(read(&bytes).persistent);
    bytes.push(b'\n');
    let read = read(&bytes);
    assert!(read.whole && !read.persistent && read.told.body == b"hello");
}

#[test]
fn whether_the_answer_began_is_known() {
    let mut reader = ResponseReader::new();
    reader.begin(Wanted::Object(None));
    assert!(!reader.began() && !reader.has_head() && reader.end(ConnectionEnd::Clean).is_err());
    reader.begin(Wanted::Object(None));
    reader.feed(b"H", &mut Told::default()).unwrap();
    assert!(reader.began() && !reader.has_head());
    reader
        .feed(
            &answer("200 OK\nContent-Length: 1", "")[1..],
            &mut Told::default(),
        )
        .unwrap();
    assert!(reader.has_head() && !reader.is_done());
}

/// An answer as a server may give it, and its body.
fn answers() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let body = prop::collection::vec(any::<u8>(), 0..300);
    let names = prop::collection::vec(("[a-z][a-z0-9-]{0,9}", "[ -~]{0,20}"), 0..4);
    let sizes = prop::collection::vec(1..60_usize, 1..5);
    (
        body,
        names,
        sizes,
        0..3_u8,
        prop::option::of("[ -~]{1,9}"),
        0..3_usize,
    )
        .prop_map(|(body, names, sizes, framing, aside, on_the_way)| {
            let mut bytes = answer("103 Early Hints", "").repeat(on_the_way);
            bytes.extend(b"HTTP/1.1 200 OK\r\n");
            bytes.extend(
                names
                    .iter()
                    .flat_map(|(name, value)| format!("x-{name}: {value}\r\n").into_bytes()),
            );
            match framing {
                0 => {
                    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                    bytes.extend(&body);
                }
                1 => {
                    bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                    let mut left = &body[..];
                    for size in sizes.into_iter().cycle() {
                        let (chunk, rest) = left.split_at(size.min(left.len()));
                        let aside = aside
                            .as_ref()
                            .map(|text| format!(";{text}"))
                            .unwrap_or_default();
                        bytes.extend(format!("{:x}{aside}\r\n", chunk.len()).bytes());
                        left = rest;
                        if chunk.is_empty() {
                            break;
                        }
                        bytes.extend(chunk.iter().chain(b"\r\n"));
                    }
                    bytes.extend(
                        aside
                            .map(|text| format!("t: {text}\r\n"))
                            .unwrap_or_default()
                            .bytes()
                            .chain(*b"\r\n"),
                    );
                }
                _ => {
                    bytes.extend(b"\r\n");
                    bytes.extend(&body);
                }
            }
            (bytes, body)
        })
}

/// Lengths of pieces, used one after another until there is nothing left.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

proptest! {
    #[test]
    fn any_pieces_of_an_answer_read_as_the_whole((bytes, body) in answers(), lengths in prop::collection::vec(1..80_usize, 1..8)) {
        let whole = read_pieces([&bytes[..]], None, ConnectionEnd::Clean);
        prop_assert!(whole.whole && whole.told.heads.len() == 1);
        prop_assert_eq!(&whole.told.body, &body);
        prop_assert_eq!(read_pieces(cut(&bytes, &lengths), None, ConnectionEnd::Clean), whole);
    }

    #[test]
    fn any_bytes_at_all_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), head in any::<bool>()) {
        let start = if head { &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..] } else { b"" };
        fuzz::hold(&[start, &bytes].concat(), None);
    }
}

/// What is wanted of a web server that was asked so.
fn web(method: &str) -> Wanted {
    Wanted::Answer(AnswerRule {
        expect: "2xx,404".parse().unwrap(),
        is_head: method == "HEAD",
    })
}

/// The reader, and what it told, after an answer that came byte by byte.
fn answered(wanted: Wanted, text: &[u8]) -> (ResponseReader, Told) {
    let (mut reader, mut told) = (ResponseReader::new(), Told::default());
    reader.begin(wanted);
    for byte in text {
        reader.feed(&[*byte], &mut told).unwrap();
    }
    (reader, told)
}

#[test]
fn every_answer_of_a_web_server_is_read_to_its_end() {
    for (head, code) in [
        ("200 OK", None),
        ("206 Partial Content\nContent-Range: bytes 0-4/10", None),
        ("201 Created", None),
        ("404 Not Found", None),
        ("403 Forbidden", Some("HTTP403")),
        ("503 Busy", Some("HTTP503")),
    ] {
        let body = "<Error><Code>NoSuchKey</Code></Error>";
        let length = body.len();
        let text = answer(&format!("{head}\nContent-Length: {length}"), body);
        let (reader, told) = answered(web("GET"), &text);
        assert_eq!(told.body, body.as_bytes(), "{head}");
        assert_eq!(told.heads, [Some(length as u64)]);
        let refused = reader.refusal().map(|error| error.code.to_string());
        assert_eq!(refused.as_deref(), code, "{head}");
        assert!(reader.persistent());
    }
}

#[test]
fn an_answer_that_has_no_body_announces_none() {
    let wanted = Wanted::Answer(AnswerRule {
        expect: "304,204".parse().unwrap(),
        is_head: false,
    });
    for head in [
        "304 Not Modified\nContent-Length: 77",
        "304 Not Modified",
        "204 No Content",
    ] {
        let (reader, told) = answered(wanted, &answer(head, ""));
        assert_eq!((reader.is_done(), told.heads), (true, vec![None]), "{head}");
        assert!(reader.refusal().is_none() && reader.persistent(), "{head}");
    }
}

#[test]
fn an_answer_to_a_head_ends_with_its_head() {
    for lines in [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Server: x",
    ] {
        let (reader, told) = answered(web("HEAD"), &answer(&format!("200 OK\n{lines}"), ""));
        assert!(reader.is_done() && reader.persistent(), "{lines}");
        assert_eq!((told.heads, told.body), (vec![None], Vec::new()));
    }
    let (reader, _) = answered(web("HEAD"), &answer("200 OK\nConnection: close", ""));
    assert!(!reader.persistent());
}

#[test]
fn a_redirect_says_where_to_and_only_so_much() {
    let long = "x".repeat(2_000);
    let text = answer(
        &format!("302 Found\nLocation: /{long}\nContent-Length: 0"),
        "",
    );
    let (mut reader, _) = answered(web("GET"), &text);
    assert_eq!(reader.location().len(), 1_024);
    assert_eq!(reader.refusal().unwrap().code.to_string(), "HTTP302");
    reader.begin(web("GET"));
    assert!(reader.location().is_empty(), "of the last answer");
    let (reader, _) = answered(
        web("GET"),
        &answer("200 OK\nLocation: /x\nContent-Length: 0", ""),
    );
    assert!(reader.location().is_empty());
}
