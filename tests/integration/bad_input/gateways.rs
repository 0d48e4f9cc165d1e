//! Results on gateways that know less than S3: what they refuse is left out, once, and the rest of the promise is kept.

use std::collections::BTreeMap;

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::Invocation;

fn has_checksum(request: &Request) -> bool {
    request.headers.keys().any(|name| name.contains("checksum"))
}

/// Backblaze B2's words.
fn unsupported() -> Reply {
    let body = "<?xml version=\"1.0\"?><Error><Code>InvalidArgument</Code><Message>Unsupported header 'x-amz-sdk-checksum-algorithm' received for this API call</Message></Error>";
    Reply::Answer(
        400,
        vec![("content-type", "application/xml".to_owned())],
        body.into(),
    )
}

fn puts(server: &Scripted) -> Vec<Request> {
    server
        .requests()
        .into_iter()
        .filter(|request| request.method == "PUT")
        .collect()
}

#[test]
fn a_store_without_checksum_headers_gets_none_after_the_first() {
    for client in ["lean", "sdk"] {
        let server = Scripted::start(3, |request| {
            (request.method == "PUT" && has_checksum(request)).then(unsupported)
        });
        Invocation::run(&server)
            .args(&["--client", client])
            .go()
            .exits(0);
        assert!(
            server.stored("results/result_run_async_1.csv").is_some()
                && server.stored("results/result_run_async_1.json").is_some()
        );
        assert_eq!(
            puts(&server)
                .iter()
                .filter(|request| has_checksum(request))
                .count(),
            1,
            "it is remembered"
        );
    }
}

#[test]
fn the_switch_of_the_sdk_is_honoured() {
    let server = Scripted::start(1, |request| {
        (request.method == "PUT" && has_checksum(request)).then(unsupported)
    });
    Invocation::run(&server)
        .env(&[("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")])
        .go()
        .exits(0);
    assert!(puts(&server).iter().all(|request| !has_checksum(request)));
}

#[test]
fn a_store_that_does_not_know_conditions_is_asked_first() {
    let start = || {
        Scripted::start(2, |request| {
            request
                .headers
                .contains_key("if-none-match")
                .then(|| Reply::error(501, "NotImplemented"))
        })
    };
    let server = start();
    Invocation::run(&server)
        .args(&["--no-overwrite"])
        .go()
        .exits(0);
    let again = Invocation::run(&server).args(&["--no-overwrite"]).go();
    again.exits(4);
    assert!(
        again
            .stderr
            .contains("there are results called s3://results/result_run_async_1.csv already"),
        "{}",
        again.stderr
    );
    assert!(
        server
            .requests()
            .iter()
            .any(|request| request.method == "HEAD"
                && request.path() == "results/result_run_async_1.json")
    );
    // Without that promise results are replaced, with the usual warning.
    let said = Invocation::run(&server).go();
    said.exits(0);
    assert!(
        said.stderr
            .contains("results of an earlier run will be replaced"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_store_that_takes_no_parts_gets_a_large_file_whole() {
    let server = Scripted::start(0, |request| {
        request
            .target
            .contains("uploads")
            .then(|| Reply::error(501, "NotImplemented"))
    });
    // More than one part of 8 MiB.
    let big = vec![b'x'; 9_000_000];
    let kept = BTreeMap::from([
        ("out/result_a_async_1.csv", big.clone()),
        ("out/result_a_async_1.json", b"{}".to_vec()),
    ]);
    let mut invocation = Invocation::new(&["upload", "out", "s3://results"])
        .env(&[("AWS_ENDPOINT_URL", &server.url())]);
    std::fs::create_dir(invocation.folder().join("out")).unwrap();
    for (name, content) in &kept {
        invocation = invocation.file(name, content);
    }
    invocation.go().exits(0);
    let stored = server.stored("results/result_a_async_1.csv").unwrap();
    assert!(stored == big, "{} bytes", stored.len());
}
