//! S3 says no.

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

/// A run against an endpoint that answers so; also at the most talkative log level, which must say no secret either.
fn run(script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> (Scripted, Said) {
    let server = Scripted::start(3, script);
    Invocation::run(&server)
        .env(&[
            ("PARFETCH_LOG_LEVEL", "trace"),
            ("PARFETCH_ATTEMPTS", "2"),
            ("RESULT_BUCKET_NAME", "elsewhere"),
        ])
        .go();
    let said = Invocation::run(&server)
        .env(&[("PARFETCH_ATTEMPTS", "2")])
        .go();
    (server, said)
}

fn listing(reply: Reply) -> (Scripted, Said) {
    run(move |request| request.is_listing().then(|| reply.clone()))
}

fn storing(reply: Reply) -> (Scripted, Said) {
    run(move |request| (request.method == "PUT").then(|| reply.clone()))
}

#[test]
fn a_missing_source_bucket() {
    let (server, said) = listing(Reply::error(404, "NoSuchBucket"));
    let hint = format!("check the bucket's name; the endpoint is {}", server.url());
    said.fails(
        4,
        "cannot list s3://source: the bucket does not exist (NoSuchBucket)",
        &hint,
    );
    let summary =
        String::from_utf8(server.stored("results/result_run_async_1.json").unwrap()).unwrap();
    assert!(
        summary.contains("\"state\": \"failed\""),
        "a run that failed does not stand there as running: {summary}"
    );
    assert_eq!(said.files(), Vec::<String>::new());
}

#[test]
fn a_missing_results_bucket_before_anything_is_listed() {
    let (server, said) = storing(Reply::error(404, "NoSuchBucket"));
    let hint = format!("check the bucket's name; the endpoint is {}", server.url());
    said.fails(4, "cannot store s3://results/result_run_async_1.json: the bucket does not exist (NoSuchBucket)", &hint);
    assert!(
        !server.requests().iter().any(Request::is_listing),
        "the results place is proved first"
    );
}

#[test]
fn denied() {
    let (_, said) = listing(Reply::error(403, "AccessDenied"));
    said.fails(
        4,
        "cannot list s3://source: access denied (AccessDenied)",
        "grant s3:ListBucket to these credentials",
    );
    let (_, said) = storing(Reply::error(403, "AccessDenied"));
    let error = "cannot store s3://results/result_run_async_1.json: access denied (AccessDenied)";
    said.fails(4, error, "grant s3:PutObject to these credentials");
}

#[test]
fn wrong_credentials() {
    let say = |status: u16, code: &str, (cause, hint): (&str, &str)| {
        let (server, said) = listing(Reply::error(status, code));
        let hint = hint.replace("URL", &server.url());
        said.fails(
            4,
            &format!("cannot list s3://source: {cause} ({code})"),
            &hint,
        );
    };
    say(
        403,
        "SignatureDoesNotMatch",
        (
            "the secret access key is wrong",
            "check AWS_SECRET_ACCESS_KEY",
        ),
    );
    say(
        403,
        "InvalidAccessKeyId",
        (
            "the access key is not known there",
            "check AWS_ACCESS_KEY_ID; the endpoint is URL",
        ),
    );
    say(
        400,
        "ExpiredToken",
        (
            "the session token expired",
            "get new credentials, then run again",
        ),
    );
    say(
        400,
        "InvalidToken",
        (
            "the session token is not valid there",
            "check AWS_SESSION_TOKEN; the endpoint is URL",
        ),
    );
    say(
        403,
        "RequestTimeTooSkewed",
        ("this machine's clock is wrong", "set the clock"),
    );
}

#[test]
fn an_answer_that_nobody_expected_still_has_a_hint() {
    let (server, said) = listing(Reply::error(501, "NotImplemented"));
    let hint = format!("check that the endpoint is one of S3: {}", server.url());
    said.fails(
        4,
        "cannot list s3://source: the store does not know this request (NotImplemented)",
        &hint,
    );
    let (server, said) = listing(Reply::error(418, "Teapot"));
    let hint = format!("check that the endpoint is right: {}", server.url());
    said.fails(4, "cannot list s3://source: Canned (Teapot)", &hint);
    let (server, said) = listing(Reply::Answer(
        200,
        Vec::new(),
        b"<html>Welcome</html>".to_vec(),
    ));
    let hint = format!("check that the endpoint is one of S3: {}", server.url());
    said.fails(4, "cannot list s3://source: the answer is not S3's", &hint);
    let (server, said) = listing(Reply::Answer(
        404,
        Vec::new(),
        b"<html>Not here</html>".to_vec(),
    ));
    let hint = format!("check its name; the endpoint is {}", server.url());
    said.fails(
        4,
        "cannot list s3://source: it does not exist (HTTP 404)",
        &hint,
    );
}

#[test]
fn a_store_that_is_busy_is_asked_again_and_then_named() {
    let (server, said) = listing(Reply::error(503, "SlowDown"));
    let hint = "the store is busy or broken: try again later, or with more --attempts";
    said.fails(4, "cannot list s3://source: Canned (SlowDown)", hint);
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| request.is_listing())
            .count(),
        4,
        "two runs of two attempts each"
    );
}

/// Both buckets are in eu-west-1; who signs for another region is told so.
fn elsewhere(status: u16, code: &'static str) -> impl Fn(&Request) -> Option<Reply> {
    move |request| {
        let right = request
            .headers
            .get("authorization")
            .is_some_and(|value| value.contains("/eu-west-1/s3/aws4_request"));
        (!right).then(|| Reply::elsewhere(status, code, "eu-west-1"))
    }
}

#[test]
fn a_wrong_region_is_corrected_and_the_run_goes_on() {
    for client in ["lean", "sdk"] {
        for (status, code) in [
            (301, "PermanentRedirect"),
            (400, "AuthorizationHeaderMalformed"),
            (307, "TemporaryRedirect"),
        ] {
            let server = Scripted::start(3, elsewhere(status, code));
            let said = Invocation::run(&server).args(&["--client", client]).go();
            said.exits(0);
            assert_eq!(
                said.lines("warning: "),
                ["s3://source is in eu-west-1, not in us-east-1: requests go there"]
            );
            assert!(server.stored("results/result_run_async_1.csv").is_some());
            let summary =
                String::from_utf8(server.stored("results/result_run_async_1.json").unwrap())
                    .unwrap();
            assert!(
                summary.contains("\"region\": \"eu-west-1\",\n  \"endpoint\""),
                "{client} {status}: {summary}"
            );
        }
    }
}

#[test]
fn a_region_that_is_not_told_ends_the_run() {
    let (_, said) = listing(Reply::error(301, "PermanentRedirect"));
    let error = "cannot list s3://source: the bucket is in another region (PermanentRedirect)";
    said.fails(4, error, "set AWS_REGION to the bucket's region");
    let (_, said) = listing(Reply::elsewhere(301, "PermanentRedirect", "us-east-1"));
    let error = "cannot list s3://source: the bucket is in region us-east-1 (PermanentRedirect)";
    said.fails(4, error, "set AWS_REGION to the bucket's region");
}

#[test]
fn results_of_the_same_name_are_not_replaced_when_that_is_refused() {
    let server = Scripted::start(1, |_| None);
    Invocation::run(&server).go().exits(0);
    let first = server.stored("results/result_run_async_1.json");
    let said = Invocation::run(&server).args(&["--no-overwrite"]).go();
    let error = "there are results called s3://results/result_run_async_1.csv already";
    said.fails(
        4,
        error,
        "choose another --tag, or leave --no-overwrite out",
    );
    assert_eq!(server.stored("results/result_run_async_1.json"), first);
    let said = Invocation::run(&server).go();
    said.exits(0);
    assert_eq!(
        said.lines("warning: "),
        ["results of an earlier run will be replaced: s3://results/result_run_async_1.json"]
    );
}

#[test]
fn objects_that_are_denied_are_rows_and_exit_3() {
    for mode in ["async", "thread", "process"] {
        for client in ["lean", "sdk"] {
            let server = Scripted::start(3, |request| {
                (request.is_fetch() && request.path() == "source/k0001")
                    .then(|| Reply::error(403, "AccessDenied"))
            });
            let said = Invocation::run(&server)
                .args(&["-m", mode, "--client", client])
                .go();
            said.exits(3);
            assert_eq!(
                said.lines("warning: "),
                ["1 of 3 fetches failed: k0001 (AccessDenied)"],
                "{mode} {client}"
            );
            let csv = String::from_utf8(
                server
                    .stored(&format!("results/result_run_{mode}_1.csv"))
                    .unwrap(),
            )
            .unwrap();
            let outcomes: Vec<_> = csv
                .lines()
                .skip(1)
                .map(|line| line.split(',').nth(3).unwrap())
                .collect();
            assert_eq!(outcomes, ["ok", "failed", "ok"], "{csv}");
        }
    }
}
