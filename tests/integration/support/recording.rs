//! A way to a store that remembers which requests went through it: bytes pass as they are, so that signatures hold. It can also hold a request back, or
//! lose its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use super::scripted::Hold;

/// What becomes of a request.
pub(crate) enum Passing {
    Through,
    /// The store gets it, and the connection ends before its answer.
    AnswerLost,
    /// The store gets it once this is open.
    Held(Hold),
}

/// Decides by the head of a request.
type Rule = dyn Fn(&str) -> Passing + Send + Sync;

/// Listens on 127.0.0.1. Its threads end with the test process.
pub(crate) struct Recording {
    pub(crate) url: String,
    /// Who asks (`task`, `caller`), and `GET /bucket/key?query`.
    seen: Arc<Mutex<BTreeSet<(&'static str, String)>>>,
}

impl Recording {
    /// In front of `http://HOST:PORT`.
    pub(crate) fn before(url: &str) -> Self {
        Self::ruled(url, |_| Passing::Through)
    }

    /// The same; what becomes of a request is said by its head.
    pub(crate) fn ruled(url: &str, rule: impl Fn(&str) -> Passing + Send + Sync + 'static) -> Self {
        let rule: Arc<Rule> = Arc::new(rule);
        let store = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let recording = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::clone(&seen),
        };
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(server) = TcpStream::connect(&store) else {
                    return;
                };
                let (back_from, back_to) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (seen, rule) = (Arc::clone(&seen), Arc::clone(&rule));
                let lost = Arc::new(AtomicBool::new(false));
                let is_lost = Arc::clone(&lost);
                std::thread::spawn(move || pass((client, server), &seen, &*rule, &lost));
                std::thread::spawn(move || answers(back_from, back_to, &is_lost));
            }
        });
        recording
    }

    pub(crate) fn requests(&self) -> BTreeSet<(&'static str, String)> {
        self.seen.lock().unwrap().clone()
    }
}

/// From the client to the store: remembers the first line of each request.
fn pass(
    (mut client, mut server): (TcpStream, TcpStream),
    seen: &Mutex<BTreeSet<(&'static str, String)>>,
    rule: &Rule,
    lost: &AtomicBool,
) {
    let (mut bytes, mut head, mut body) = ([0; 1 << 14], Vec::new(), 0_usize);
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        for byte in &bytes[..count] {
            if body > 0 {
                body -= 1;
                continue;
            }
            head.push(*byte);
            if head.ends_with(b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&head).into_owned();
                let mut lines = text.lines();
                let words: Vec<&str> = lines.next().unwrap().split(' ').collect();
                let headers: BTreeMap<String, &str> = lines
                    .filter_map(|line| line.split_once(':'))
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
                    .collect();
                // Credentials of a role have a token, and those of the person here have none.
                let is_task = headers.contains_key("x-amz-security-token");
                let by = if is_task { "task" } else { "caller" };
                seen.lock().unwrap().insert((by, words[..2].join(" ")));
                let length = headers.get("content-length");
                body = length.map_or(0, |length| length.parse().unwrap());
                match rule(&text) {
                    Passing::Through => {}
                    Passing::AnswerLost => lost.store(true, SeqCst),
                    Passing::Held(hold) => hold.wait(),
                }
                head.clear();
            }
        }
        if server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // Either may have gone already.
    let _gone = server.shutdown(std::net::Shutdown::Write);
}

fn answers(mut server: TcpStream, mut client: TcpStream, lost: &AtomicBool) {
    let mut bytes = [0; 1 << 14];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        if lost.load(SeqCst) {
            let _gone = client.shutdown(std::net::Shutdown::Both);
            return;
        }
        if client.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    let _gone = client.shutdown(std::net::Shutdown::Write);
}
