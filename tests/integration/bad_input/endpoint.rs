//! Endpoints that do not answer as S3 does.

use std::net::TcpListener;

use crate::support::scripted::{Reply, Scripted, Turn};
use crate::support::strict::Invocation;

/// Limits that end a run soon.
const SHORT: &[&str] = &[
    "--attempts",
    "2",
    "--connect-timeout",
    "200ms",
    "--stall-timeout",
    "300ms",
];

const ROUTES: &str = "check the endpoint, security groups and routes; --connect-timeout and --stall-timeout set the limits";

/// An address at which nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn an_endpoint_that_refuses() {
    let url = format!("http://{}", nobody());
    let said = Invocation::run_at(&url).args(SHORT).go();
    let error = format!(
        "cannot store s3://results/result_run_async_1.json: the connection at {url} was refused"
    );
    said.fails(
        4,
        &error,
        "check the endpoint's URL and that the server runs",
    );
    let said = Invocation::run_at(&url)
        .unset(&["RESULT_BUCKET_NAME"])
        .args(SHORT)
        .args(&["-o", "out"])
        .go();
    said.fails(
        4,
        &format!("cannot list s3://source: the connection at {url} was refused"),
        "check the endpoint's URL and that the server runs",
    );
}

/// Services other than S3, by a variable of their own or by that of all; what must not show does not.
#[test]
fn an_endpoint_of_another_service_that_refuses_is_named() {
    let at = nobody();
    let url = format!("http://me:SECRET@{at}/path");
    let ecs =
        "sweep s3://source --on ecs --cluster c --task-definition d --subnets s-1 -r s3://results";
    for (words, variable, own, error) in [
        (
            "submit s3://source --stack st -n 2",
            "AWS_ENDPOINT_URL_CLOUDFORMATION",
            "AWS_ENDPOINT_URL_CLOUDFORMATION",
            "cannot read the stack st in us-east-1",
        ),
        (
            ecs,
            "AWS_ENDPOINT_URL_ECS",
            "AWS_ENDPOINT_URL_ECS",
            "cannot read the task definition d",
        ),
        (
            ecs,
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_ECS",
            "cannot read the task definition d",
        ),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let said = Invocation::new(&words)
            .env(&[
                ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
                (variable, &url),
            ])
            .go();
        said.exits(4);
        let errors = said.lines("error: ");
        assert!(
            errors.len() == 1 && errors[0].starts_with(&format!("{error} at http://{at}: ")),
            "{}",
            said.stderr
        );
        assert_eq!(
            said.lines("hint: "),
            [format!(
                "check this endpoint, which {own}, AWS_ENDPOINT_URL or a profile sets, and that the server runs"
            )]
        );
        assert!(!said.stderr.contains("SECRET"), "{}", said.stderr);
    }
}

#[test]
fn an_endpoint_that_accepts_and_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let said = Invocation::run_at(&url).args(SHORT).go();
        said.fails(
            4,
            &format!(
                "cannot store s3://results/result_run_async_1.json: no answer in time at {url}"
            ),
            ROUTES,
        );
    }
}

#[test]
fn an_endpoint_that_falls_silent_while_fetching() {
    for mode in ["async", "process"] {
        for client in ["lean", "sdk"] {
            let hold = crate::support::scripted::Hold::default();
            let gate = hold.clone();
            let server = Scripted::start(2, move |request| {
                if request.is_fetch() {
                    gate.wait();
                }
                None
            });
            let said = Invocation::run(&server)
                .args(SHORT)
                .args(&["-m", mode, "--client", client])
                .go();
            hold.open();
            said.exits(3);
            assert_eq!(
                said.lines("warning: "),
                ["2 of 2 fetches failed: k0000 (stalled*2), k0001 (stalled*2)"],
                "{mode} {client}"
            );
        }
    }
}

#[test]
fn an_endpoint_that_is_gone_once_it_listed() {
    for client in ["lean", "sdk"] {
        let server = Scripted::start(1, |request| request.is_fetch().then_some(Reply::Close));
        let said = Invocation::run(&server)
            .args(SHORT)
            .args(&["--client", client])
            .go();
        said.exits(3);
        assert_eq!(
            said.lines("warning: "),
            ["1 of 1 fetches failed: k0000 (reset*2)"],
            "{client}"
        );
    }
}

/// Each kind of silence that a worker's own connection can meet is bounded.
#[test]
fn an_endpoint_that_refuses_or_is_silent_once_it_listed() {
    for client in ["lean", "sdk"] {
        for (turn, code) in [
            (Turn::Refuse, "connect-refused"),
            (Turn::Silent, "stalled*2"),
        ] {
            let server = Scripted::turns(vec![Turn::Plain, turn]);
            let said = Invocation::run(&server)
                .unset(&["RESULT_BUCKET_NAME"])
                .args(SHORT)
                .args(&["-o", "out", "--client", client])
                .go();
            said.exits(3);
            let warnings = said.lines("warning: ");
            assert!(
                warnings.len() == 1
                    && warnings[0].starts_with("1 of 1 fetches failed")
                    && warnings[0].contains(code),
                "{client}: {warnings:?}"
            );
        }
    }
}

#[test]
fn a_host_name_that_nobody_knows() {
    let said = Invocation::run_at("http://nobody.invalid").args(SHORT).go();
    said.exits(4);
    let error = said.lines("error: ");
    let known = "cannot store s3://results/result_run_async_1.json: the host name at http://nobody.invalid is not known";
    assert!(
        error.len() == 1 && error[0].starts_with(known),
        "{}",
        said.stderr
    );
    assert_eq!(
        said.lines("hint: "),
        ["check the endpoint's URL or the region"]
    );
}

#[test]
fn plain_http_where_tls_is_spoken() {
    let tls = Scripted::turns(vec![
        super::tls::Authority::new("parfetch tests").server("127.0.0.1"),
    ]);
    let url = format!("http://{}", tls.address);
    let said = Invocation::run_at(&url).args(SHORT).go();
    said.exits(4);
    let error = said.lines("error: ");
    let known =
        format!("cannot store s3://results/result_run_async_1.json: no HTTP answer at {url} (");
    assert!(
        error.len() == 1 && error[0].starts_with(&known),
        "{}",
        said.stderr
    );
    assert_eq!(
        said.lines("hint: "),
        ["the endpoint may speak TLS: try https:// in the endpoint's URL"]
    );
}

#[test]
fn tls_where_plain_http_is_spoken() {
    let server = Scripted::start(1, |_| None);
    let url = format!("https://{}", server.address);
    let said = Invocation::run_at(&url).args(SHORT).go();
    said.exits(4);
    let error = said.lines("error: ");
    let known = format!("cannot store s3://results/result_run_async_1.json: no TLS at {url} (");
    assert!(
        error.len() == 1 && error[0].starts_with(&known),
        "{}",
        said.stderr
    );
    assert_eq!(
        said.lines("hint: "),
        ["the endpoint may speak plain HTTP: try http:// in the endpoint's URL"]
    );
}

#[test]
fn listings_that_cannot_be_right() {
    let wrong = |page: Reply, error: &str| {
        let server = Scripted::start(1, move |request| request.is_listing().then(|| page.clone()));
        let said = Invocation::run(&server).go();
        said.exits(4);
        assert_eq!(
            said.lines("error: "),
            [format!("cannot list s3://source: {error}")]
        );
        assert_eq!(said.lines("hint: ").len(), 1);
        let summary =
            String::from_utf8(server.stored("results/result_run_async_1.json").unwrap()).unwrap();
        assert!(
            summary.contains("\"state\": \"failed\"") && summary.contains(error),
            "{summary}"
        );
        assert!(
            !server
                .requests()
                .iter()
                .any(super::super::support::scripted::Request::is_fetch)
        );
    };
    let ignored = "page 2 does not begin behind the last key of the page before it: the store sends no continuation token, and ignores `start-after` and `marker`";
    wrong(
        Reply::page(&["a"], "<IsTruncated>true</IsTruncated>"),
        ignored,
    );
    let again = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    wrong(
        Reply::page(&[], again),
        "page 2 repeats its continuation token",
    );
    wrong(
        Reply::page(&["a", "b", "b"], ""),
        "the key `b` is named twice",
    );
    wrong(
        Reply::page(&["b", "a", "b"], ""),
        "the key `b` is named twice",
    );
    wrong(
        Reply::page(&["a", "%FF"], ""),
        "the answer is not a whole listing page (a key is not UTF-8)",
    );
}

#[test]
fn a_circle_of_pages_is_noticed_by_its_keys() {
    let server = Scripted::start(1, |request| {
        let token = if request.target.contains("continuation-token=x") {
            "y"
        } else {
            "x"
        };
        let more = format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        );
        request
            .is_listing()
            .then(|| Reply::page(&[if token == "x" { "a" } else { "b" }], &more))
    });
    let said = Invocation::run(&server).go();
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["cannot list s3://source: the key `a` is named twice"]
    );
}
