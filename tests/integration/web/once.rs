//! Exactly once: many URLs, every mode, and a server that does everything that servers do wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use parfetch::internals::{Mode, Outcome};

use super::results;
use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::Invocation;

const MANY: usize = 100_000;

/// What the server did with each URL.
struct Served {
    good: Vec<AtomicU8>,
    requests: AtomicU64,
}

fn number(request: &Request) -> Option<usize> {
    request.target.strip_prefix("/?")?.parse().ok()
}

/// Every so many requests it breaks off, is busy, or says half of an answer; otherwise it answers well.
fn reply(tally: &Served, request: &Request) -> Option<Reply> {
    let number = number(request)?;
    let turn = tally.requests.fetch_add(1, Ordering::Relaxed);
    Some(match turn {
        _ if turn % 211 == 17 => Reply::Close,
        _ if turn % 307 == 23 => Reply::Answer(503, Vec::new(), Vec::new()),
        _ if turn % 401 == 31 => Reply::Answer(500, Vec::new(), b"oh".to_vec()),
        _ if turn % 503 == 41 => {
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())
        }
        _ => {
            tally.good[number].fetch_add(1, Ordering::Relaxed);
            Reply::ok(number.to_string())
        }
    })
}

fn every_url_has_one_good_answer_and_one_row(mode: Mode) {
    let tally = Arc::new(Served {
        good: (0..MANY).map(|_| AtomicU8::new(0)).collect(),
        requests: AtomicU64::new(0),
    });
    let shared = Arc::clone(&tally);
    let server = Scripted::busy(0, move |request| reply(&shared, request));
    let urls: Vec<String> = (0..MANY)
        .map(|number| format!("{}/?{number}\n", server.url()))
        .collect();
    let urls = urls.concat();
    let said = Invocation::bare(&[
        "run",
        "--progress",
        "never",
        "--urls",
        "urls.txt",
        "--attempts",
        "10",
        "-c",
        "8",
        "-m",
        mode.as_str(),
    ])
    .file("urls.txt", urls)
    .go();
    said.exits(0);
    for (number, good) in tally.good.iter().enumerate() {
        assert_eq!(good.load(Ordering::Relaxed), 1, "/?{number}");
    }
    let found = results(&said, &format!("result_run_{mode}_8"));
    assert_eq!(found.rows.len(), MANY);
    for (number, row) in found.rows.iter().enumerate() {
        assert!(row.key.ends_with(&format!("/?{number}")), "{}", row.key);
        let digits = number.to_string().len() as u64;
        assert_eq!(
            (row.outcome, row.calc_size, row.round),
            (Some(Outcome::Ok), Some(digits), Some(0))
        );
    }
    let attempts = found.summary.attempts.unwrap();
    assert_eq!(
        attempts.total,
        tally.requests.load(Ordering::Relaxed),
        "no request is hidden"
    );
    assert!(
        attempts.by_code.values().sum::<u64>() > 500,
        "{:?}",
        attempts.by_code
    );
}

#[test]
fn in_mode_async() {
    every_url_has_one_good_answer_and_one_row(Mode::Async);
}

#[test]
fn in_mode_thread() {
    every_url_has_one_good_answer_and_one_row(Mode::Thread);
}

#[test]
fn in_mode_process() {
    every_url_has_one_good_answer_and_one_row(Mode::Process);
}
