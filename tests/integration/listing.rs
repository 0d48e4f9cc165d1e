//! Listing: many streams give what one stream gives, and pages are asked for again as objects are.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use parfetch::internals::KeyFile;
use parfetch::internals::{Access, ClientKind, KeySource, Limits, Selection};
use parfetch::internals::{Bucket, Session, StaticCredentials};
use parfetch::internals::{Listed, list_keys};

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::source::{Source, Store};
use crate::support::strict::{Invocation, Said};

fn everything() -> Selection {
    Selection {
        source: KeySource::Listing,
        prefix: String::new(),
        limit: None,
        sample: None,
        shard: None,
    }
}

/// What parfetch lists of a source.
fn listed(
    source: &Source,
    client: ClientKind,
    selection: &Selection,
) -> (Listed, Vec<(String, u64)>) {
    let at = &source.endpoint;
    let access = Access {
        endpoint_url: Some(at.url.clone()),
        region: Some(at.region.clone()),
        ..Access::default()
    };
    let keys = StaticCredentials {
        access_key: at.access_key.clone(),
        secret_key: at.secret_key.clone(),
    };
    let spool = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listed = runtime.block_on(async {
        let session = Session::load(&access, Limits::default(), Some(keys))
            .await
            .unwrap();
        let (_keeper, feed) = session.credentials().await.unwrap().unwrap();
        let mut bucket = Bucket::new(&session, &source.bucket).pages_by(client, Some(feed));
        Box::pin(list_keys(&mut bucket, selection, spool.path(), |_| {}))
            .await
            .unwrap()
    });
    let left: Vec<_> = std::fs::read_dir(spool.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "records and offsets alone: {left:?}");
    let file = KeyFile::open(spool.path()).unwrap();
    (
        listed,
        file.iter()
            .map(|record| record.unwrap())
            .map(|record| (record.key, record.size.unwrap()))
            .collect(),
    )
}

#[test]
fn many_streams_list_what_one_lists() {
    for (options, pages) in [
        ("objects=20000,prefixes=200,page=100", 200),
        ("objects=20000,page=100", 200),
        (
            "objects=20000,prefixes=1,page=100,size=1KB,sizes=lognormal",
            200,
        ),
        ("objects=2500,keys=awkward,page=20", 125),
    ] {
        let source = Store::serving(options);
        let (listed, found) = self::listed(&source, ClientKind::Lean, &everything());
        assert!(
            found == source.objects,
            "{options}: {} of {}",
            found.len(),
            source.objects.len()
        );
        assert_eq!(
            listed.bytes,
            Some(source.objects.iter().map(|(_, size)| size).sum())
        );
        // Small ranges cost up to as many requests again; METHODOLOGY says what they are.
        assert!(
            (pages..2 * pages + 100).contains(&listed.pages),
            "{options}: {} pages",
            listed.pages
        );
    }
}

#[test]
fn the_sdk_lists_the_same_with_many_streams() {
    let source = Store::serving("objects=3000,prefixes=60,page=25,keys=awkward");
    let (_, found) = listed(&source, ClientKind::Sdk, &everything());
    assert!(found == source.objects);
    let folder = Selection {
        prefix: "p0007/".to_owned(),
        ..everything()
    };
    let (_, found) = listed(&source, ClientKind::Lean, &folder);
    assert!(!found.is_empty() && found.iter().all(|(key, _)| key.starts_with("p0007/")));
}

#[test]
fn a_limit_leaves_the_rest_unlisted() {
    let source = Store::serving("objects=20000,prefixes=200,page=100");
    let (listed, found) = listed(
        &source,
        ClientKind::Lean,
        &Selection {
            limit: Some(4_321),
            ..everything()
        },
    );
    assert!(found == source.objects[..4_321]);
    // How far the other streams come meanwhile is chance; all of it would be 250 pages and more.
    assert!(listed.pages < 230, "{}", listed.pages);
}

/// A bucket whose second page is what `second` says, one time after another, the last for ever.
fn two_pages(second: Vec<Reply>) -> Scripted {
    let asked = AtomicUsize::new(0);
    Scripted::start(2, move |request: &Request| {
        match (
            request.is_listing(),
            request.target.contains("continuation-token="),
        ) {
            (true, false) => Some(Reply::page(
                &["k0000"],
                "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
            )),
            (true, true) => {
                Some(second[asked.fetch_add(1, Ordering::Relaxed).min(second.len() - 1)].clone())
            }
            _ => None,
        }
    })
}

/// A run over these, by one stream.
fn run(second: Vec<Reply>) -> (Scripted, Said) {
    let server = two_pages(second);
    let said = Invocation::run(&server)
        .args(&["--limit", "3", "--stall-timeout", "30s"])
        .go();
    (server, said)
}

fn second() -> Reply {
    Reply::page(&["k0001"], "<IsTruncated>false</IsTruncated>")
}

fn asked(server: &Scripted) -> usize {
    server
        .requests()
        .iter()
        .filter(|request| request.is_listing())
        .count()
}

#[test]
fn pages_are_asked_for_again_as_objects_are() {
    let cut_off = || Reply::ok("<ListBucketResult><Contents><Key>k00");
    let (server, said) = run(vec![
        Reply::error(503, "SlowDown"),
        Reply::Close,
        cut_off(),
        Reply::error(500, "InternalError"),
        second(),
    ]);
    said.exits(0);
    assert_eq!(asked(&server), 6);
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| request.is_fetch())
            .count(),
        2
    );
}

#[test]
fn a_page_that_cannot_be_had_says_what_the_sdk_says() {
    let (server, said) = run(vec![Reply::error(503, "SlowDown")]);
    said.fails(
        4,
        "cannot list s3://source: Canned (SlowDown)",
        "the store is busy or broken: try again later, or with more --attempts",
    );
    assert_eq!(asked(&server), 1 + 5 + 1);
    let (server, said) = run(vec![Reply::error(403, "AccessDenied")]);
    said.fails(
        4,
        "cannot list s3://source: access denied (AccessDenied)",
        "grant s3:ListBucket to these credentials",
    );
    assert_eq!(asked(&server), 1 + 1 + 1);
    let (server, said) = run(vec![Reply::ok(
        "<ListBucketResult><Contents><Key>k0001</Key></Contents>",
    )]);
    said.fails(
        4,
        "cannot list s3://source: the answer is not a whole listing page (it ends early)",
        UNREADABLE_HINT,
    );
    assert_eq!(asked(&server), 1 + 5 + 1);
    // Neither `start-after` nor `marker` leads on: the first page comes again.
    let (server, said) = run(vec![Reply::page(
        &["k0001"],
        "<IsTruncated>true</IsTruncated>",
    )]);
    assert!(said.stderr.contains("cannot list s3://source: page 3 does not begin behind the last key of the page before it"), "{}", said.stderr);
    assert!(
        said.stderr.contains("name its keys in a file with --keys"),
        "{}",
        said.stderr
    );
    assert_eq!(asked(&server), 4);
}

/// A gateway that refuses what it does not know: asked once more without, and its keys are what stands in the document.
#[test]
fn a_store_that_cannot_encode_keys_is_asked_for_them_as_they_are() {
    for client in ["lean", "sdk"] {
        let page = |key: &str, rest: &str| {
            format!(
                "<ListBucketResult><Contents><Key>{key}</Key><Size>1</Size></Contents>{rest}</ListBucketResult>"
            )
        };
        let first = page(
            "a%20b+&amp;",
            "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
        );
        let second = page("c\u{20}d&#x9;", "<IsTruncated>false</IsTruncated>");
        let server = Scripted::start(2, move |request| {
            match (request.is_listing(), &request.target) {
                (false, _) => None,
                (true, target) if target.contains("encoding-type") => {
                    Some(Reply::error(400, "InvalidArgument"))
                }
                (true, target) if target.contains("continuation-token=") => {
                    Some(Reply::ok(second.clone()))
                }
                (true, _) => Some(Reply::ok(first.clone())),
            }
        });
        let said = Invocation::run(&server)
            .args(&["--client", client, "-o", "out"])
            .go();
        said.exits(3);
        let csv = said.read("out/result_run_async_1.csv");
        let keys: Vec<&str> = csv
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap())
            .collect();
        assert_eq!(keys, ["a%20b+&", "c d\t"], "{client}");
        assert_eq!(asked(&server), 3, "{client}: one was refused");
    }
    // Of a store that refuses both, the first answer is told.
    let (server, said) = one_page(
        vec![
            Reply::error(400, "InvalidArgument"),
            Reply::error(400, "OddWithout"),
        ],
        "lean",
    );
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["cannot list s3://source: Canned (InvalidArgument)"]
    );
    assert_eq!(asked(&server), 2);
}

/// An endpoint whose answers to these requests are a byte now and then, for ever: no stall, and no end. In chunks: of a body of known length `lean`
/// does not wake for a byte.
fn dripping(drips: fn(&str) -> bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || drip(stream.unwrap(), drips));
        }
    });
    url
}

/// Ends with the connection.
fn drip(mut stream: TcpStream, drips: fn(&str) -> bool) -> Option<()> {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            request.push(byte[0]);
        }
        let page = "<ListBucketResult><Contents><Key>a</Key></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
        let is_slow = drips(&String::from_utf8_lossy(&request));
        if !is_slow {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            )
            .ok()?;
            continue;
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .ok()?;
        loop {
            stream.write_all(b"1\r\n \r\n").ok()?;
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn a_page_that_drips_is_given_up() {
    let first: fn(&str) -> bool = |_| true;
    let second: fn(&str) -> bool = |request| request.contains("continuation-token=");
    for drips in [first, second] {
        let words = [
            "--out",
            "out",
            "--limit",
            "3",
            "--attempts",
            "1",
            "--stall-timeout",
            "500ms",
        ];
        let said = Invocation::run_at(&dripping(drips))
            .unset(&["RESULT_BUCKET_NAME"])
            .args(&words)
            .go();
        said.exits(4);
        assert!(
            said.lines("error: ")[0].starts_with("cannot list s3://source: no answer in time at "),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn a_key_of_a_megabyte_is_refused_by_its_beginning() {
    for client in ["lean", "sdk"] {
        let (server, said) = one_page(
            vec![Reply::page(
                &["k0000", &"k".repeat(1 << 20)],
                "<IsTruncated>false</IsTruncated>",
            )],
            client,
        );
        said.exits(4);
        let error = format!(
            "cannot list s3://source: the key `{}…` is longer than 4,096 bytes",
            "k".repeat(40)
        );
        assert_eq!(said.lines("error: "), [error], "{}", said.stderr.len());
        assert!(!server.requests().iter().any(Request::is_fetch));
    }
}

const UNREADABLE_HINT: &str =
    "check that the endpoint is one of S3, and what stands between it and this machine";

/// A run whose one page comes by the SDK: of `replies`, one after the other, the last for ever.
fn one_page(replies: Vec<Reply>, client: &str) -> (Scripted, Said) {
    let count = AtomicUsize::new(0);
    let server = Scripted::start(2, move |request: &Request| {
        request
            .is_listing()
            .then(|| replies[count.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1)].clone())
    });
    let said = Invocation::run(&server)
        .args(&["--client", client, "--stall-timeout", "30s"])
        .go();
    (server, said)
}

#[test]
fn the_first_page_is_read_strictly_too() {
    let whole = || Reply::page(&["k0000", "k0001"], "<IsTruncated>false</IsTruncated>");
    // The end of the document is missing, and its length agrees.
    let between = || {
        Reply::ok(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k0000</Key></Contents>",
        )
    };
    let in_key =
        || Reply::ok("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k00");
    for client in ["lean", "sdk"] {
        let (server, said) = one_page(vec![between(), in_key(), whole()], client);
        said.exits(0);
        assert_eq!(
            (
                asked(&server),
                server
                    .requests()
                    .iter()
                    .filter(|request| request.is_fetch())
                    .count()
            ),
            (3, 2),
            "{client}"
        );
        let (server, said) = one_page(vec![in_key()], client);
        said.fails(
            4,
            "cannot list s3://source: the answer is not a whole listing page (it ends early)",
            UNREADABLE_HINT,
        );
        assert_eq!(asked(&server), 5, "{client}");
        // The SDK's own parser reads `k0` there.
        let comment = Reply::ok(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k0<!-- x -->000</Key></Contents></ListBucketResult>",
        );
        let (server, said) = one_page(vec![comment], client);
        said.exits(0);
        assert!(
            server
                .requests()
                .iter()
                .any(|request| request.path() == "source/k0000"),
            "{client}"
        );
    }
}

#[test]
fn a_page_without_end_is_given_up() {
    let huge = Reply::ok(vec![b' '; (64 << 20) + 1]);
    for client in ["lean", "sdk"] {
        let (server, said) = one_page(vec![huge.clone()], client);
        let error = format!(
            "cannot list s3://source: the answer at {} is longer than 64 MiB",
            server.url()
        );
        said.fails(4, &error, "check that the endpoint is one of S3");
    }
    // By `lean`, behind the first page.
    let (server, said) = run(vec![huge]);
    let error = format!(
        "cannot list s3://source: the answer at {} is longer than 64 MiB",
        server.url()
    );
    said.fails(4, &error, "check that the endpoint is one of S3");
    assert_eq!(asked(&server), 1 + 1 + 1);
    // What matters of an error stands in its first 64 KiB.
    let long = [
        &b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"[..],
        &vec![b' '; 1 << 20],
    ]
    .concat();
    let (_, said) = one_page(vec![Reply::Answer(403, Vec::new(), long)], "sdk");
    said.fails(
        4,
        "cannot list s3://source: access denied (AccessDenied)",
        "grant s3:ListBucket to these credentials",
    );
}

#[test]
fn a_store_without_tokens_is_listed_by_the_last_key() {
    let keys: Vec<String> = (0..7).map(|number| format!("k{number:04}")).collect();
    for parameter in ["start-after=", "marker="] {
        for client in ["lean", "sdk"] {
            let all = keys.clone();
            let server = Scripted::start(7, move |request: &Request| {
                let after = request
                    .target
                    .split(['?', '&'])
                    .find_map(|pair| pair.strip_prefix(parameter))
                    .unwrap_or_default();
                let rest: Vec<&str> = all
                    .iter()
                    .map(String::as_str)
                    .filter(|key| *key > after)
                    .collect();
                let more = format!("<IsTruncated>{}</IsTruncated>", rest.len() > 3);
                request
                    .is_listing()
                    .then(|| Reply::page(&rest[..rest.len().min(3)], &more))
            });
            Invocation::run(&server)
                .args(&["--client", client])
                .go()
                .exits(0);
            assert_eq!(
                server
                    .requests()
                    .iter()
                    .filter(|request| request.is_fetch())
                    .count(),
                7,
                "{parameter} {client}"
            );
        }
    }
}
