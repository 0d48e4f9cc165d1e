//! What came is not what was listed, or is no object at all.

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

/// So many that one of them is less than 1 %.
const OBJECTS: usize = 150;
const LISTED: usize = 3_000;
/// Three parts.
const LARGE: usize = 3 << 20;
const CLIENTS: [&str; 2] = ["lean", "sdk"];

/// The object of which the tests are.
fn odd(request: &Request) -> bool {
    request.path() == "source/k0003"
}

/// Objects of 3,000 bytes, in which `script` may answer first.
fn store(script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Scripted {
    store_of(LISTED, script)
}

fn store_of(
    listed: usize,
    script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
) -> Scripted {
    Scripted::start(OBJECTS, move |request| {
        if request.is_listing() {
            let keys: Vec<_> = (0..OBJECTS).map(|number| format!("k{number:04}")).collect();
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            let Reply::Answer(status, headers, page) =
                Reply::page(&keys, "<IsTruncated>false</IsTruncated>")
            else {
                return None;
            };
            let page = String::from_utf8(page)
                .unwrap()
                .replace("<Size>1</Size>", &format!("<Size>{listed}</Size>"));
            return Some(Reply::Answer(status, headers, page.into_bytes()));
        }
        script(request).or_else(|| {
            request
                .path()
                .starts_with("source/k")
                .then(|| tagged(200, "\"e\"", listed))
        })
    })
}

fn tagged(status: u16, etag: &str, length: usize) -> Reply {
    Reply::Answer(status, vec![("etag", etag.to_owned())], vec![b'x'; length])
}

/// A 200 of a server that gives no length; `lines` are further header lines.
fn raw(lines: &str, body: &[u8]) -> Reply {
    Reply::Raw(
        [
            format!("HTTP/1.1 200 OK\r\nETag: \"e\"\r\n{lines}\r\n").as_bytes(),
            body,
        ]
        .concat(),
    )
}

fn run(server: &Scripted, client: &str) -> Said {
    Invocation::run(server)
        .args(&[
            "--client",
            client,
            "--attempts",
            "2",
            "-c",
            "4",
            "-o",
            "out",
        ])
        .go()
}

/// Counted size, outcome and codes of the odd one.
fn row(said: &Said) -> (String, String, String) {
    let csv = said.read("out/result_run_async_4.csv");
    let line = csv
        .lines()
        .find(|line| line.starts_with("k0003,"))
        .unwrap()
        .to_owned();
    let fields: Vec<_> = line.split(',').map(str::to_owned).collect();
    (fields[2].clone(), fields[3].clone(), fields[4].clone())
}

fn not_as_listed(said: &Said) -> serde_json::Value {
    let summary: serde_json::Value =
        serde_json::from_str(&said.read("out/result_run_async_4.json")).unwrap();
    summary["totals"]["not_as_listed"].clone()
}

fn fields(counted: usize, outcome: &str, codes: &str) -> (String, String, String) {
    (counted.to_string(), outcome.to_owned(), codes.to_owned())
}

/// A summary has no keys, and what fails first is not always the first of the listing: the sentence is of the rows.
#[test]
fn the_sentence_of_a_failure_names_an_object_and_why_in_every_mode() {
    for mode in ["async", "thread", "process"] {
        let refused = |request: &Request| {
            ["source/k0003", "source/k0100", "source/k0120"].contains(&request.path())
        };
        let server =
            store(move |request| refused(request).then(|| Reply::error(403, "AccessDenied")));
        let said = Invocation::run(&server)
            .args(&["-m", mode, "--attempts", "1", "-c", "4", "-o", "out"])
            .go();
        let text = said
            .exits(3)
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.contains("3 of 150 objects could not be fetched (AccessDenied: k0003, and 2 others). Exit code 3."), "{mode}: {text}");
    }
}

/// What the warning says, what comes, and how many bytes of it are counted.
type Case = (&'static str, fn() -> Reply, usize);

#[test]
fn an_object_of_another_size_or_etag_is_counted_and_said() {
    let chunked = || {
        raw(
            "Transfer-Encoding: chunked\r\n",
            &[b"3e8\r\n".as_slice(), &[b'x'; 1_000], b"\r\n0\r\n\r\n"].concat(),
        )
    };
    let cases: [Case; 5] = [
        ("1 with another size", || tagged(200, "\"e\"", 1_000), 1_000),
        ("1 with another size", || tagged(200, "e", 5_000), 5_000),
        (
            "1 with another ETag",
            || tagged(200, "\"f\"", LISTED),
            LISTED,
        ),
        (
            "1 with another size, 1 with another ETag",
            || tagged(200, "W/\"f\"", 0),
            0,
        ),
        ("1 with another size", || raw("", &[b'x'; 5_000]), 5_000),
    ];
    let check = |client: &str, what: &str, reply: Reply, counted: usize| {
        let server = store(move |request| odd(request).then(|| reply.clone()));
        let said = run(&server, client);
        said.exits(0);
        assert_eq!(row(&said), fields(counted, "ok", ""), "{client} {what}");
        let end = "the first is k0003; list again, and let nobody write to the bucket meanwhile";
        let warning =
            format!("1 of {OBJECTS} fetches found another object than was listed ({what}): {end}");
        assert_eq!(said.lines("warning: "), [warning], "{client}");
        let counts = not_as_listed(&said);
        let of = |word| u64::from(what.contains(word));
        assert_eq!(
            counts,
            serde_json::json!({"rows": 1, "size": of("size"), "etag": of("ETag")}),
            "{client}"
        );
    };
    for client in CLIENTS {
        for (what, reply, counted) in cases {
            check(client, what, reply(), counted);
        }
        check(client, "1 with another size", chunked(), 1_000);
    }
}

#[test]
fn a_body_that_was_cut_is_never_an_object() {
    let replies: [fn() -> Reply; 3] = [
        || raw("", &[b'x'; 1_000]),
        || {
            raw(
                "Transfer-Encoding: chunked\r\n",
                &[b"3e8\r\n".as_slice(), &[b'x'; 1_000], b"\r\n"].concat(),
            )
        },
        || raw("Content-Length: 3000\r\n", &[b'x'; 1_000]),
    ];
    for client in CLIENTS {
        for reply in replies {
            let server = store(move |request| odd(request).then(reply));
            let said = run(&server, client);
            said.exits(3);
            assert_eq!(
                row(&said),
                fields(1_000, "failed", "short-body*2"),
                "{client}"
            );
        }
    }
}

#[test]
fn an_error_document_in_a_200_fails_with_its_code() {
    for client in CLIENTS {
        for (code, codes) in [
            ("SlowDown", "SlowDown*2"),
            ("AccessDenied", "AccessDenied"),
            ("NeverHeardOf", "error-document"),
        ] {
            let server = store(move |request| {
                let Reply::Answer(_, headers, document) = Reply::error(503, code) else {
                    return None;
                };
                odd(request).then_some(Reply::Answer(200, headers, document))
            });
            let said = run(&server, client);
            said.exits(3);
            let (_, outcome, found) = row(&said);
            assert_eq!(
                (outcome.as_str(), found.as_str()),
                ("failed", codes),
                "{client}"
            );
        }
    }
}

#[test]
fn a_success_that_is_none_of_a_get_is_no_object() {
    let range = |status, length: usize| {
        Reply::Answer(
            status,
            vec![("content-range", format!("bytes 0-{}/{LISTED}", length - 1))],
            vec![b'x'; length],
        )
    };
    let replies = [
        Reply::Answer(204, Vec::new(), Vec::new()),
        Reply::Raw(
            format!("HTTP/1.1 204 No Content\r\nContent-Length: {LISTED}\r\n\r\n").into_bytes(),
        ),
        tagged(203, "\"e\"", LISTED),
        tagged(206, "\"e\"", LISTED),
        range(206, 1_000),
        range(200, 1_000),
    ];
    for client in CLIENTS {
        for reply in replies.clone() {
            let server = store(move |request| odd(request).then(|| reply.clone()));
            let said = run(&server, client);
            said.exits(3);
            let (_, outcome, codes) = row(&said);
            assert_eq!(
                (outcome.as_str(), codes.as_str()),
                ("failed", "protocol*2"),
                "{client}"
            );
        }
    }
}

/// The part of an object of `size` bytes that a request asks for, as a good server answers.
fn part_of(request: &Request, size: usize) -> Option<Reply> {
    let (first, last) = request
        .headers
        .get("range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    if first >= size {
        return Some(Reply::error(416, "InvalidRange"));
    }
    let last = last.min(size - 1);
    let headers = vec![
        ("content-range", format!("bytes {first}-{last}/{size}")),
        ("etag", "\"e\"".to_owned()),
    ];
    Some(Reply::Answer(206, headers, vec![b'x'; last - first + 1]))
}

#[test]
fn an_object_of_another_size_than_its_parts_were_made_for_is_never_ok() {
    for client in CLIENTS {
        // Longer: its last bytes are in no part. Shorter: within the second part, and within the first.
        for (size, codes) in [
            (2 * LARGE, "size-changed*3"),
            (LARGE / 2, "size-changed*2;InvalidRange"),
            (9, "size-changed;InvalidRange*2"),
        ] {
            let server = store_of(LARGE, move |request| {
                part_of(request, if odd(request) { size } else { LARGE })
                    .filter(|_| request.is_fetch())
            });
            let said = Invocation::run(&server)
                .args(&[
                    "--client",
                    client,
                    "-c",
                    "4",
                    "-o",
                    "out",
                    "--part-size",
                    "1MiB",
                    "--limit",
                    "5",
                ])
                .go();
            said.exits(3);
            let (_, outcome, found) = row(&said);
            assert_eq!(
                (outcome.as_str(), found.as_str()),
                ("failed", codes),
                "{client} {size}"
            );
            assert!(
                said.stderr.contains("found another object than was listed (1 with another size): the first is k0003; list again"),
                "{}",
                said.stderr
            );
            assert_eq!(
                not_as_listed(&said),
                serde_json::json!({"rows": 1, "size": 1, "etag": 0})
            );
        }
    }
}

#[test]
fn an_object_that_was_replaced_is_said_when_its_parts_are_refused() {
    for client in CLIENTS {
        let server = store_of(LARGE, move |request| {
            let replaced = request.is_fetch() && odd(request);
            if replaced {
                Some(Reply::error(412, "PreconditionFailed"))
            } else {
                part_of(request, LARGE).filter(|_| request.is_fetch())
            }
        });
        let said = Invocation::run(&server)
            .args(&[
                "--client",
                client,
                "-c",
                "4",
                "-o",
                "out",
                "--part-size",
                "1MiB",
                "--limit",
                "5",
            ])
            .go();
        said.exits(3);
        assert_eq!(
            not_as_listed(&said),
            serde_json::json!({"rows": 1, "size": 0, "etag": 1}),
            "{client}"
        );
    }
}

#[test]
fn of_an_error_document_without_end_the_start_is_read() {
    let mut document = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>".to_vec();
    document.resize(1 << 20, b'x');
    for client in CLIENTS {
        let document = document.clone();
        let server = store(move |request| {
            // The server promises 3 GB and breaks off after the first MiB: whoever wants all of it has nothing.
            let head = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: 3000000000\r\n\r\n".as_slice();
            odd(request).then(|| Reply::Raw([head, &document].concat()))
        });
        let said = run(&server, client);
        said.exits(3);
        let (_, outcome, codes) = row(&said);
        assert_eq!(
            (outcome.as_str(), codes.as_str()),
            ("failed", "AccessDenied"),
            "{client}"
        );
    }
}

/// The SDK reads what comes: nobody lists a thousand keys in 65 MiB.
#[test]
fn a_header_that_the_sdk_cannot_read_is_named_once() {
    let ways = [
        ("async", "sdk", "Last-Modified"),
        ("process", "sdk", "Last-Modified"),
        ("async", "sdk", "x-amz-meta-"),
        ("async", "lean", "Last-Modified"),
    ];
    for (mode, client, header) in ways {
        let server = store(move |request| {
            // A name in Latin-1, as older tools stored it.
            let line: &[u8] = if header == "x-amz-meta-" {
                b"x-amz-meta-owner: J\xfcrgen"
            } else {
                b"Last-Modified: yesterday"
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nConnection: close\r\nContent-Length: {LISTED}\r\n"
            );
            request
                .path()
                .starts_with("source/k")
                .then(|| Reply::Raw([head.as_bytes(), line, b"\r\n\r\n", &[b'x'; LISTED]].concat()))
        });
        let said = Invocation::run(&server)
            .args(&[
                "--client", client, "-m", mode, "-c", "4", "-o", "out", "--limit", "8",
            ])
            .go();
        if client == "lean" {
            said.exits(0);
            assert_eq!(said.lines("warning: "), Vec::<&str>::new());
            continue;
        }
        said.exits(3);
        let csv = said.read(format!("out/result_run_{mode}_4.csv"));
        assert_eq!(
            csv.lines()
                .filter(|line| line.contains(",failed,protocol,1,"))
                .count(),
            8,
            "{csv}"
        );
        let note = format!(
            "the SDK cannot read the header `{header}` of an answer, and gives the object up (protocol); --client lean does not read it"
        );
        assert_eq!(
            said.lines("warning: ")
                .into_iter()
                .filter(|line| *line == note)
                .count(),
            1,
            "{}",
            said.stderr
        );
    }
}

#[test]
fn a_checksum_that_is_wrong_has_a_code_of_its_own() {
    let server = store(|request| {
        let headers = vec![
            ("etag", "\"e\"".to_owned()),
            ("x-amz-checksum-crc32", "AAAAAA==".to_owned()),
        ];
        odd(request).then(|| Reply::Answer(200, headers, vec![b'x'; LISTED]))
    });
    let said = run(&server, "sdk");
    said.exits(3);
    let (_, outcome, codes) = row(&said);
    assert_eq!((outcome.as_str(), codes.as_str()), ("failed", "checksum*2"));
}
