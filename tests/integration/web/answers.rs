//! Requests as they go out, and answers of every kind.

use parfetch::internals::Outcome;
use parfetch::internals::{CsvRow, Mode};

use super::{STEM, answering, results, run};
use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::Invocation;

/// How a row ended: outcome, error codes, status and size.
type RowEnd<'a> = (Option<Outcome>, &'a str, Option<u16>, Option<u64>);

fn ends(rows: &[CsvRow]) -> Vec<RowEnd<'_>> {
    rows.iter()
        .map(|row| (row.outcome, row.error_codes.as_str(), row.status, row.size))
        .collect()
}

#[test]
fn a_list_of_urls_is_not_one_of_keys() {
    let server = answering(|_| Reply::ok("hello"));
    let said = Invocation::bare(&["run", &server.url(), "-n", "2"]).go();
    said.exits(0);
    assert!(said.stderr.contains("listed 1 URL, in "), "{}", said.stderr);
}

#[test]
fn exactly_as_many_requests_go_out_as_were_asked_for_in_every_mode() {
    for mode in Mode::ALL {
        let server = answering(|_| Reply::ok("hello"));
        let (one, other) = (
            format!("{}/a//b?c=%20&d", server.url()),
            format!("{}/", server.url()),
        );
        let said = run(&[&one, &other, "-n", "10", "-c", "3", "-m", mode.as_str()]);
        said.exits(0);
        let requests = server.requests();
        assert_eq!(requests.len(), 10, "hey sends nine");
        let targets = |target: &str| {
            requests
                .iter()
                .filter(|request| request.target == target)
                .count()
        };
        assert_eq!(
            (targets("/a//b?c=%20&d"), targets("/")),
            (5, 5),
            "round and round, verbatim"
        );
        for request in &requests {
            assert_eq!(request.method, "GET");
            assert_eq!(request.headers["host"], server.address.to_string());
            assert!(request.headers["user-agent"].starts_with("parfetch/"));
            assert_eq!(request.headers.len(), 2, "{:?}", request.headers);
        }
        let found = results(&said, &format!("result_run_{mode}_3"));
        assert_eq!(found.rows.len(), 10);
        for (place, row) in found.rows.iter().enumerate() {
            assert_eq!(
                (row.key.as_str(), row.round),
                (
                    if place % 2 == 0 {
                        one.as_str()
                    } else {
                        other.as_str()
                    },
                    Some(place as u64 / 2)
                )
            );
            assert_eq!(
                (row.outcome, row.size, row.calc_size, row.status),
                (Some(Outcome::Ok), Some(5), Some(5), Some(200))
            );
            assert!(
                row.start_ns <= row.sent_ns
                    && row.sent_ns <= row.head_ns
                    && row.head_ns <= row.first_byte_ns
                    && row.first_byte_ns <= row.end_ns
            );
        }
        let opened = found
            .rows
            .iter()
            .filter(|row| row.connected_ns.is_some())
            .count() as u64;
        let summary = &found.summary;
        assert_eq!(
            summary.attempts.as_ref().unwrap().connections_opened,
            Some(opened)
        );
        assert!(opened <= 3, "a connection serves many requests");
        assert_eq!(summary.status_codes.get("200"), Some(&10));
        let steps = summary.steps.unwrap();
        assert_eq!((steps.connect.count, steps.wait.count), (opened, 10));
        assert_eq!(summary.region, None);
        assert_eq!(summary.endpoint.as_deref(), Some(server.url().as_str()));
        assert!(
            said.stdout.starts_with("10 requests in "),
            "{}",
            said.stdout
        );
        let text = said.stdout.replace('\n', " ");
        assert!(
            text.contains("requests/s")
                && text.contains("(a closed loop)")
                && !text.contains("MB/s"),
            "{}",
            said.stdout
        );
    }
}

#[test]
fn method_headers_and_body_go_out_as_they_were_given() {
    let server = answering(|_| Reply::Answer(201, Vec::new(), b"made".to_vec()));
    let url = format!("{}/items", server.url());
    let said = run(&[
        &url,
        "-n",
        "2",
        "-X",
        "post",
        "-d",
        "{\"a\": 1}\n",
        "-H",
        "Content-Type: application/json",
        "-H",
        "Host: app.example",
        "--no-keep-alive",
        "-c",
        "1",
    ]);
    said.exits(0);
    for request in server.requests() {
        assert_eq!(
            (request.method.as_str(), request.body.as_slice()),
            ("POST", &b"{\"a\": 1}\n"[..])
        );
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        assert_eq!(
            (header("content-type"), header("host"), header("connection")),
            (Some("application/json"), Some("app.example"), Some("close"))
        );
    }
    let found = results(&said, "result_run_async_1");
    assert!(
        found
            .rows
            .iter()
            .all(|row| row.connected_ns.is_some() && row.status == Some(201)),
        "{:?}",
        found.rows
    );
    let http = found.summary.settings.http.unwrap();
    assert_eq!(
        (
            http.method.as_str(),
            http.headers,
            http.has_body,
            http.keep_alive
        ),
        (
            "POST",
            vec!["content-type".to_owned(), "host".to_owned()],
            true,
            false
        )
    );
}

#[test]
fn answers_that_are_not_expected_are_failed_rows_and_nothing_else() {
    let status = |request: &Request| match request.path() {
        "gone" => Reply::error(404, "NoSuchKey"),
        "broken" => Reply::Answer(500, Vec::new(), vec![b'x'; 200_000]),
        "busy" => Reply::Answer(503, Vec::new(), Vec::new()),
        "moved" => Reply::Answer(
            302,
            vec![("location", "https://elsewhere.example/login".to_owned())],
            Vec::new(),
        ),
        "none" => Reply::Answer(204, Vec::new(), Vec::new()),
        _ => Reply::ok("x"),
    };
    let server = answering(status);
    let urls = ["gone", "broken", "busy", "moved", "moved", "none", "fine"]
        .map(|path| format!("{}/{path}", server.url()));
    let mut words: Vec<&str> = urls.iter().map(String::as_str).collect();
    words.extend(["-c", "1"]);
    let said = run(&words);
    said.exits(3);
    let found = results(&said, "result_run_async_1");
    let (ok, failed) = (Some(Outcome::Ok), Some(Outcome::Failed));
    assert_eq!(
        ends(&found.rows),
        [
            (
                failed,
                "HTTP404",
                Some(404),
                Some(found.rows[0].size.unwrap())
            ),
            (failed, "HTTP500", Some(500), Some(200_000)),
            (failed, "HTTP503", Some(503), Some(0)),
            (failed, "HTTP302", Some(302), Some(0)),
            (failed, "HTTP302", Some(302), Some(0)),
            (ok, "", Some(204), None),
            (ok, "", Some(200), Some(1)),
        ]
    );
    assert_eq!(
        server.requests().len(),
        7,
        "no answer is asked for again, and no redirect followed"
    );
    assert_eq!(
        found.summary.attempts.as_ref().unwrap().connections_opened,
        Some(1),
        "errors leave the connection as it was"
    );
    let redirects: Vec<_> = said
        .lines("warning: ")
        .into_iter()
        .filter(|line| line.contains("redirect"))
        .collect();
    assert_eq!(
        redirects,
        [
            "the server redirects to `https://elsewhere.example/login` (HTTP302), and redirects are not followed: ask for that URL instead"
        ]
    );
    let codes: Vec<_> = found
        .summary
        .status_codes
        .iter()
        .map(|(code, count)| format!("{code}={count}"))
        .collect();
    assert_eq!(
        codes,
        ["200=1", "204=1", "302=2", "404=1", "500=1", "503=1"]
    );
    words.extend(["--expect", "2xx,3xx,404,500,503"]);
    let said = run(&words);
    said.exits(0);
    assert!(
        results(&said, "result_run_async_1")
            .rows
            .iter()
            .all(|row| row.outcome == ok)
    );
}

#[test]
fn a_head_has_no_body_and_chunks_have_no_size() {
    let server = answering(|request| match (request.method.as_str(), request.path()) {
        ("HEAD", _) => Reply::ok("hello"),
        (_, "whole") => Reply::Raw(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                .to_vec(),
        ),
        _ => Reply::Raw(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
        ),
    });
    let url = |path: &str| format!("{}/{path}", server.url());
    let said = run(&[&url("x"), "-X", "HEAD", "-n", "3", "-c", "1"]);
    said.exits(0);
    let found = results(&said, "result_run_async_1");
    assert!(
        found
            .rows
            .iter()
            .all(|row| (row.size, row.calc_size) == (None, Some(0))),
        "{:?}",
        found.rows
    );
    assert_eq!(found.summary.attempts.unwrap().connections_opened, Some(1));
    // A connection for each, as the server closes its connections.
    let said = run(&[&url("whole"), &url("cut"), "-c", "1", "--no-keep-alive"]);
    said.exits(3);
    let rows = results(&said, "result_run_async_1").rows;
    assert_eq!(
        ends(&rows),
        [
            (Some(Outcome::Ok), "", Some(200), None),
            (Some(Outcome::Failed), "short-body", Some(200), None)
        ]
    );
    assert_eq!(rows[0].calc_size, Some(5));
}

#[test]
fn only_what_may_be_repeated_goes_out_again_on_a_connection_that_was_closed() {
    for (method, codes) in [
        ("GET", ["", "stale-connection"]),
        ("POST", ["", "stale-connection"]),
    ] {
        // Closes every connection at its second request.
        let count = std::sync::atomic::AtomicU64::new(0);
        let server = answering(move |_| {
            if count
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
                .is_multiple_of(2)
            {
                Reply::ok("x")
            } else {
                Reply::Close
            }
        });
        let url = server.url();
        let said = run(&[&url, "-n", "2", "-c", "1", "-X", method]);
        let is_repeated = method == "GET";
        said.exits(if is_repeated { 0 } else { 3 });
        let rows = results(&said, "result_run_async_1").rows;
        assert_eq!([&rows[0].error_codes, &rows[1].error_codes], codes);
        assert_eq!(
            rows[1].attempts,
            Some(if is_repeated { 2 } else { 1 }),
            "counted"
        );
        assert_eq!(server.requests().len(), if is_repeated { 3 } else { 2 });
    }
}

#[test]
fn replicas_take_turns() {
    let (one, other) = (answering(|_| Reply::ok("1")), answering(|_| Reply::ok("2")));
    let said = run(&[
        "http://app.example/x",
        "-n",
        "20",
        "-c",
        "4",
        "--connect-to",
        &format!("{},{}", one.address, other.address),
    ]);
    said.exits(0);
    let served = [&one, &other].map(|server| server.requests().len());
    assert_eq!(served.iter().sum::<usize>(), 20);
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
    assert!(
        one.requests()
            .iter()
            .all(|request| request.headers["host"] == "app.example")
    );
    assert_eq!(
        results(&said, "result_run_async_4")
            .summary
            .resolved_addresses,
        Some(2)
    );
}

#[test]
fn results_go_to_a_bucket_too_and_urls_come_from_one() {
    let store = Scripted::start(0, |_| None);
    let server = answering(|_| Reply::ok("x"));
    let at = store.url();
    let said = crate::support::strict::Invocation::new(&[
        "run",
        "--progress",
        "never",
        &server.url(),
        "-n",
        "3",
        "-r",
        "s3://results/web",
        "--endpoint-url",
        &at,
    ])
    .go();
    said.exits(0);
    assert!(store.stored(&format!("results/web/{STEM}.csv")).is_some());
    let list = format!("# two\r\n{0}/a\r\n\r\n{0}/b\r\n", server.url());
    let store = Scripted::start(0, move |request| {
        (request.path() == "lists/urls.txt" && request.method == "GET")
            .then(|| Reply::ok(list.clone()))
    });
    let said = crate::support::strict::Invocation::new(&[
        "run",
        "--progress",
        "never",
        "--urls",
        "s3://lists/urls.txt",
        "--endpoint-url",
        &store.url(),
    ])
    .go();
    said.exits(0);
    assert_eq!(results(&said, STEM).rows.len(), 2);
    let targets: Vec<_> = server.requests()[3..]
        .iter()
        .map(|request| request.target.clone())
        .collect();
    assert!(
        targets.contains(&"/a".to_owned()) && targets.contains(&"/b".to_owned()),
        "{targets:?}"
    );
}

#[test]
fn a_redirect_is_said_once_whatever_the_mode() {
    for mode in Mode::ALL {
        // To another place each time, and each child finds its own.
        let asked = std::sync::atomic::AtomicU64::new(0);
        let server = answering(move |_| {
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Reply::Answer(302, vec![("location", format!("/{number}"))], Vec::new())
        });
        let said = run(&[&server.url(), "-n", "30", "-c", "3", "-m", mode.as_str()]);
        said.exits(3);
        let redirects = said.lines("warning: the server redirects to `/");
        assert_eq!(redirects.len(), 1, "{mode}: {}", said.stderr);
    }
}
