//! Connections over loopback: what comes through, what is kept, and what every way to break is called.

use std::cell::RefCell;
use std::io::Write as _;
use std::pin::pin;
use std::thread::JoinHandle;
use std::time::Duration;

use super::fixture::{Peer, Told, authority};
use super::*;
use crate::plan::{Access, ClientKind, Limits};
use crate::sample::Outcome;
use crate::store::attempt::{BodyHead, ClientFactory as _, Part, Remedy};
use crate::store::endpoint::Endpoint;
use crate::store::recipe::Recipe;
use crate::store::transport::{AttemptPhase, transport};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
/// A hang that a test guards against, far above anything a loaded machine needs.
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Tls13,
    Tls12,
}

const KINDS: [Kind; 3] = [Kind::Plain, Kind::Tls13, Kind::Tls12];

/// A connection to a server that speaks by `script`.
async fn connected<T: Send + 'static>(
    kind: Kind,
    script: impl FnOnce(Peer) -> T + Send + 'static,
) -> (LeanConnection, JoinHandle<T>) {
    let (authority, config) = authority(if kind == Kind::Tls12 {
        &rustls::version::TLS12
    } else {
        &rustls::version::TLS13
    });
    let config = (kind != Kind::Plain).then(|| Arc::new(config));
    let (address, thread) = Peer::serve(config, script);
    let mut bundle = tempfile::NamedTempFile::new().unwrap();
    bundle.write_all(authority.pem().as_bytes()).unwrap();
    let dialer = Dialer::new(
        &endpoint(kind, ("127.0.0.1", address.port())),
        Some(DEADLINE),
        Some(bundle.path()),
    )
    .unwrap();
    (dialer.connect(0).await.unwrap(), thread)
}

fn endpoint(kind: Kind, (host, port): (&str, u16)) -> Endpoint {
    Endpoint {
        https: kind != Kind::Plain,
        host: host.to_owned(),
        port,
        authority: format!("{host}:{port}"),
        base_path: "/".to_owned(),
        signing_region: "us-east-1".to_owned(),
    }
}

/// Bodies of `length` bytes, no two alike at any place that matters.
fn body(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn answer(body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

async fn get(connection: &mut LeanConnection) -> (Result<(), AttemptError>, Told) {
    let mut told = Told::default();
    let exchange = connection.exchange(GET, Wanted::Object(None), &mut told);
    let result = tokio::time::timeout(DEADLINE, exchange).await.unwrap();
    (result, told)
}

/// The word for what happened, and what helps.
fn named((result, _): (Result<(), AttemptError>, Told)) -> (String, Remedy) {
    let error = result.unwrap_err();
    (error.code.to_string(), error.remedy)
}

fn backs_off(word: &str) -> (String, Remedy) {
    (word.to_owned(), Remedy::BackOff)
}

#[tokio::test]
async fn one_connection_carries_bodies_of_any_length() {
    const LENGTHS: [usize; 7] = [0, 1, 16_383, 16_385, 0, 300_000, 8 << 20];
    for kind in KINDS {
        let (mut connection, thread) = connected(kind, |mut peer| {
            for length in LENGTHS {
                assert_eq!(peer.request(), GET);
                peer.say(&answer(&body(length)));
            }
            peer.outlive();
        })
        .await;
        for length in LENGTHS {
            assert!(connection.ready(), "{kind:?}: tickets do not count");
            let (result, told) = get(&mut connection).await;
            assert_eq!((result, told.heads), (Ok(()), vec![Some(length as u64)]));
            assert!(told.body == body(length), "{kind:?} {length}");
            assert!(connection.reusable());
        }
        drop(connection);
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer() {
    for kind in KINDS {
        for clean in [true, false] {
            for used in [false, true] {
                for begun in [false, true] {
                    let (mut connection, thread) = connected(kind, move |mut peer| {
                        if used {
                            peer.request();
                            peer.say(&answer(b"x"));
                        }
                        peer.request();
                        if begun {
                            peer.say(b"HTTP/1.1 2");
                        }
                        if clean {
                            peer.part();
                        }
                    })
                    .await;
                    if used {
                        assert_eq!(get(&mut connection).await.0, Ok(()));
                        assert!(connection.ready());
                    }
                    let stale = ("stale-connection".to_owned(), Remedy::NewConnection);
                    let expected = if used && !begun {
                        stale
                    } else {
                        backs_off("reset")
                    };
                    assert_eq!(
                        named(get(&mut connection).await),
                        expected,
                        "{kind:?} clean {clean} used {used} begun {begun}"
                    );
                    assert!(!connection.reusable());
                    thread.join().unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_is_cut_is_short_whoever_cut_it() {
    let lost = |kind, clean, start: &'static str| async move {
        let (mut connection, thread) = connected(kind, move |mut peer| {
            peer.request();
            peer.say(start.as_bytes());
            if clean {
                peer.part();
                // Nobody waits for the end of a connection on which nothing more comes.
                peer.outlive();
            }
        })
        .await;
        let read = get(&mut connection).await;
        assert!(!connection.reusable());
        drop(connection);
        thread.join().unwrap();
        read
    };
    for kind in KINDS {
        for clean in [true, false] {
            let length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789";
            let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n";
            for start in [length, chunked] {
                let read = lost(kind, clean, start).await;
                assert_eq!(read.1.body, b"123456789");
                assert_eq!(named(read), backs_off("short-body"), "{kind:?} {clean}");
            }
            let read = lost(kind, clean, "HTTP/1.1 200 OK\r\n\r\n123456789").await;
            assert_eq!(read.1.body, b"123456789");
            if clean || kind == Kind::Plain {
                assert_eq!(read.0, Ok(()), "{kind:?}: the end is the end");
            } else {
                assert_eq!(
                    named(read),
                    backs_off("short-body"),
                    "{kind:?}: anybody can cut a connection"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_reset_is_named_so() {
    for kind in KINDS {
        let (mut connection, thread) = connected(kind, |mut peer| {
            peer.request();
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
            socket2::SockRef::from(&*peer.tcp())
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        })
        .await;
        assert_eq!(named(get(&mut connection).await), backs_off("reset"));
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn what_is_no_http_is_named_so() {
    let wrong = [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/2\r\nContent-Length: 1\r\n\r\nx",
    ];
    for kind in KINDS {
        for bytes in wrong {
            let (mut connection, thread) = connected(kind, move |mut peer| {
                peer.request();
                peer.say(bytes.as_bytes());
                peer.outlive();
            })
            .await;
            assert_eq!(
                named(get(&mut connection).await),
                backs_off("protocol"),
                "{bytes}"
            );
            assert!(!connection.reusable());
            drop(connection);
            thread.join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_part_must_be_the_one_that_was_asked_for() {
    for (range, good) in [("bytes 5-9/20", true), ("bytes 0-4/20", false)] {
        let (mut connection, thread) = connected(Kind::Plain, move |mut peer| {
            peer.request();
            peer.say(format!("HTTP/1.1 206 Partial Content\r\nContent-Range: {range}\r\nContent-Length: 5\r\n\r\n12345").as_bytes());
            peer.outlive();
        })
        .await;
        let (part, mut told) = (Part { first: 5, last: 9 }, Told::default());
        let result = connection
            .exchange(GET, Wanted::Object(Some(part)), &mut told)
            .await;
        assert_eq!(
            (result.is_ok(), told.body == b"12345", connection.reusable()),
            (good, good, good)
        );
        drop(connection);
        thread.join().unwrap();
    }
}

/// The kernel may wait for many bytes at once; those that came must be told all the same while more do not come.
#[tokio::test]
async fn a_body_that_stops_short_of_the_mark_is_told_to_whoever_asks() {
    const SENT: usize = 300_100;
    // The rest is what one read may take at once: no other follows to set things right again.
    const ALL: usize = SENT + 256 * 1024;
    for kind in KINDS {
        let (go_on, may_go_on) = std::sync::mpsc::channel();
        let (mut connection, thread) = connected(kind, move |mut peer| {
            peer.request();
            let bytes = answer(&body(ALL));
            let start = bytes.len() - ALL;
            peer.say(&bytes[..start + 300_000]);
            peer.say(&bytes[start + 300_000..start + SENT]);
            may_go_on.recv().unwrap();
            peer.say(&bytes[start + SENT..]);
            peer.request();
            peer.say(&answer(b"x"));
            peer.outlive();
        })
        .await;
        let told = RefCell::new(Told::default());
        {
            let mut sink = Shared(&told);
            let mut exchange = pin!(connection.exchange(GET, Wanted::Object(None), &mut sink));
            let mut tick = tokio::time::interval(Duration::from_millis(1));
            let asked = async {
                loop {
                    tokio::select! {
                        result = &mut exchange => return result,
                        _ = tick.tick() => {}
                    }
                    if told.borrow().body.len() == SENT {
                        go_on.send(()).unwrap();
                    }
                }
            };
            let result = tokio::time::timeout(DEADLINE, asked).await.unwrap();
            assert_eq!(result, Ok(()));
        }
        assert!(told.into_inner().body == body(ALL));
        assert_eq!(
            get(&mut connection).await.1.body,
            b"x",
            "without being asked"
        );
        drop(connection);
        thread.join().unwrap();
    }
}

struct Shared<'a>(&'a RefCell<Told>);

impl BodySink for Shared<'_> {
    fn head(&mut self, head: &BodyHead<'_>) {
        self.0.borrow_mut().head(head);
    }

    fn chunk(&mut self, bytes: &[u8]) {
        self.0.borrow_mut().chunk(bytes);
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_as_good_as_it_was() {
    let document = "<Error><Code>NoSuchKey</Code></Error>";
    for kind in KINDS {
        let (mut connection, thread) = connected(kind, move |mut peer| {
            for close in ["", "Connection: close\r\n"] {
                peer.request();
                let length = document.len();
                let head = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n{close}Content-Length: {length}\r\n\r\n");
                peer.say(head.as_bytes());
                peer.say(document.as_bytes());
            }
            peer.outlive();
        })
        .await;
        for reusable in [true, false] {
            assert_eq!(
                named(get(&mut connection).await),
                ("NoSuchKey".to_owned(), Remedy::Nothing(Outcome::Vanished))
            );
            assert_eq!(connection.reusable(), reusable, "{kind:?}");
        }
        drop(connection);
        thread.join().unwrap();
    }
}

/// More than any socket takes: the answer comes while the request is still on its way, and is read all the same.
#[tokio::test]
async fn an_answer_that_does_not_wait_for_the_whole_request_is_read() {
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(16 << 20));
    for kind in KINDS {
        let (mut connection, thread) = connected(kind, |mut peer| {
            peer.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 34\r\n\r\n<Error><Code>TooBig</Code></Error>");
            // Reads nothing until the client has had its answer and gone.
            peer
        })
        .await;
        let exchange = connection
            .exchange(long.as_bytes(), Wanted::Object(None), &mut Told::default())
            .await;
        assert_eq!(exchange.unwrap_err(), AttemptError::answer(400, None));
        assert!(!connection.reusable(), "half a request is on it");
        drop(connection);
        drop(thread.join().unwrap());
    }
}

/// What a server, or somebody before it, puts behind a complete answer must not be read as the answer to the next request.
#[tokio::test]
async fn bytes_behind_an_answer_are_nobodys_answer() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".to_vec();
    for kind in KINDS {
        for first in [answer(b"x"), answer(b""), chunked.clone()] {
            let both = [first, answer(b"of another")].concat();
            let (mut connection, thread) = connected(kind, move |mut peer| {
                peer.request();
                peer.say(&both);
                peer.outlive();
            })
            .await;
            let (result, told) = get(&mut connection).await;
            assert!(result.is_ok() && told.body.len() <= 1, "{kind:?}");
            // In the same read, or in one that comes later.
            let noticed = async {
                while connection.reusable() && connection.ready() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(DEADLINE, noticed).await.unwrap();
            drop(connection);
            thread.join().unwrap();
        }
    }
}

#[tokio::test]
async fn what_happens_to_an_idle_connection_is_noticed_before_it_is_used() {
    for kind in KINDS {
        for event in ["closed", "cut", "text"] {
            let (mut connection, thread) = connected(kind, move |mut peer| {
                peer.request();
                peer.say(&answer(b"x"));
                match event {
                    "closed" => peer.part(),
                    "cut" => return,
                    _ => peer.say(b"HTTP/1.1 408 Request Timeout\r\n\r\n"),
                }
                peer.outlive();
            })
            .await;
            assert_eq!(get(&mut connection).await.0, Ok(()));
            // Until it is there: the runtime looks at its sockets between two turns.
            let noticed = async {
                while connection.reusable() && connection.ready() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(DEADLINE, noticed).await.expect(event);
            drop(connection);
            thread.join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_record_that_was_tampered_with_is_an_error_and_the_server_is_told() {
    for kind in [Kind::Tls13, Kind::Tls12] {
        let (mut connection, thread) = connected(kind, |mut peer| {
            peer.request();
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
            peer.tcp()
                .write_all(&[&[23, 3, 3, 0, 40][..], &[1; 40]].concat())
                .unwrap();
            let Peer::Tls(tls) = &mut peer else {
                panic!("TLS")
            };
            std::io::Read::read(tls, &mut [0])
                .unwrap_err()
                .downcast::<rustls::Error>()
                .unwrap()
        })
        .await;
        let read = get(&mut connection).await;
        assert_eq!(
            (&read.1.body[..], connection.reusable()),
            (&b"123"[..], false)
        );
        assert_eq!(named(read), backs_off("tls"));
        drop(connection);
        assert_eq!(
            thread.join().unwrap(),
            rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)
        );
    }
}

#[tokio::test]
async fn strangers_get_no_request() {
    let (known, config) = authority(&rustls::version::TLS13);
    let (other, _) = authority(&rustls::version::TLS13);
    let config = Arc::new(config);
    for (trusted, host) in [(&known, "localhost"), (&other, "127.0.0.1")] {
        let (address, thread) = Peer::serve(Some(Arc::clone(&config)), |mut peer| {
            let Peer::Tls(tls) = &mut peer else {
                panic!("TLS")
            };
            std::io::Read::read(tls, &mut [0])
                .unwrap_err()
                .downcast::<rustls::Error>()
                .unwrap()
        });
        let mut bundle = tempfile::NamedTempFile::new().unwrap();
        bundle.write_all(trusted.pem().as_bytes()).unwrap();
        let dialer = Dialer::new(
            &endpoint(Kind::Tls13, (host, address.port())),
            Some(DEADLINE),
            Some(bundle.path()),
        )
        .unwrap();
        let error = transport(
            &dialer.connect(0).await.err().unwrap(),
            AttemptPhase::Connecting,
        );
        assert_eq!(
            (error.code.to_string(), error.remedy),
            ("tls".to_owned(), Remedy::Nothing(Outcome::Failed)),
            "{host}"
        );
        assert!(
            matches!(thread.join().unwrap(), rustls::Error::AlertReceived(_)),
            "and is told why"
        );
    }
}

/// Each fetch moves its future into the watchdog: what is rare and large (connecting, the SDK) must be elsewhere.
#[test]
fn the_future_of_a_fetch_is_small() {
    let limits = Limits {
        attempts: 1,
        connect_timeout: Some(DEADLINE),
        stall_timeout: Some(DEADLINE),
        fetch_timeout: None,
    };
    let recipe = Recipe::S3(S3Recipe {
        bucket: "b".to_owned(),
        access: Access::default(),
        region: "us-east-1".to_owned(),
        endpoint_url: None,
        path_style: true,
        fips: None,
        dual_stack: None,
        limits,
        endpoint: endpoint(Kind::Plain, ("127.0.0.1", 1)),
    });
    let shared = crate::store::clients::Clients::new(ClientKind::Lean, recipe, None).unwrap();
    let (mut client, mut told) = (shared.client(0).unwrap(), Told::default());
    let size = size_of_val(&client.get(Target::whole("k"), &mut told));
    assert!(size <= 1_024, "{size} bytes");
}
