//! Filling a bucket that answers oddly, or is interrupted.
#![cfg(target_os = "linux")]

use rustix::process::Signal;

use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::Invocation;

fn fill(server: &Scripted, words: &[&str]) -> Invocation {
    Invocation::new(&["fill", "s3://bench/x/"])
        .args(words)
        .env(&[("AWS_ENDPOINT_URL", &server.url())])
}

/// An empty bucket; PUTs of the key with this ending are held back or answered otherwise.
fn empty(request: &Request) -> Option<Reply> {
    request
        .is_listing()
        .then(|| Reply::page(&[], "<IsTruncated>false</IsTruncated>"))
}

#[test]
fn a_signal_ends_it_at_once_and_says_what_is_there() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let hold = Hold::default();
        let gate = hold.clone();
        let server = Scripted::start(0, move |request| {
            if request.puts("000002.bin") {
                gate.wait();
            }
            empty(request)
        });
        let running = fill(&server, &["--objects", "4", "--size", "10", "-c", "1"]).start();
        server.wait_for(1, |request| request.puts("000002.bin"));
        running.signal(signal);
        // It ends although the answer is held back.
        let said = running.end();
        said.exits(code);
        assert_eq!(
            said.lines("error: "),
            ["interrupted: s3://bench/x/ has at least 2 of 4 objects, 40 B"]
        );
        assert_eq!(said.lines("hint: "), ["run the same command to continue"]);
        hold.open();
    }
}

/// What stays of an upload costs money and is seen nowhere.
#[test]
fn what_ends_it_takes_back_uploads_that_were_begun() {
    let (hold, first) = (Hold::default(), Hold::default());
    let gate = hold.clone();
    let server = Scripted::start(0, move |request| {
        let begins = request.method == "POST" && request.target.contains("uploads");
        if request.method == "PUT" && request.target.contains("partNumber=") {
            first.open();
            gate.wait();
        }
        if begins && request.path().ends_with("000001.bin") {
            // Until the other one has an id.
            first.wait();
            return Some(Reply::error(403, "AccessDenied"));
        }
        if begins {
            let body = "<InitiateMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><UploadId>one</UploadId></InitiateMultipartUploadResult>";
            return Some(Reply::ok(body));
        }
        if request.method == "DELETE" {
            Some(Reply::Answer(204, Vec::new(), Vec::new()))
        } else {
            empty(request)
        }
    });
    let said = fill(
        &server,
        &["--objects", "2", "--size", "16777217", "-c", "2"],
    )
    .go();
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["cannot store s3://bench/x/000/000001.bin: access denied (AccessDenied)"]
    );
    let taken_back = server
        .requests()
        .iter()
        .filter(|request| request.method == "DELETE" && request.target.contains("uploadId=one"))
        .count();
    assert_eq!(taken_back, 1);
    hold.open();
}

/// A store that knows no `If-None-Match`: each key is looked at first.
#[test]
fn a_store_without_conditions_is_looked_at_first() {
    let server = Scripted::start(0, |request| {
        if request.method == "PUT" && request.headers.contains_key("if-none-match") {
            return Some(Reply::error(501, "NotImplemented"));
        }
        if request.method == "HEAD" && request.path().ends_with("000001.bin") {
            return Some(Reply::ok("somebody's"));
        }
        empty(request)
    });
    let said = fill(&server, &["--objects", "3", "--size", "10", "-c", "1"]).go();
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["cannot store s3://bench/x/000/000001.bin: there is an object that fill did not make"]
    );
    assert!(server.stored("bench/x/000/000000.bin").is_some());
    assert!(server.stored("bench/x/000/000001.bin").is_none());
}

/// The answer to a PUT was lost, and the SDK sent it again: the object that is in the way is this fill's own.
#[test]
fn an_answer_that_was_lost_is_no_conflict() {
    let server = Scripted::start(0, |request| {
        if request.puts(".bin") {
            return Some(Reply::error(412, "PreconditionFailed"));
        }
        if request.method == "HEAD" {
            let mark = vec![("x-amz-meta-parfetch-fill", "made-1 seed=1".to_owned())];
            return Some(Reply::Answer(200, mark, vec![b'x'; 10]));
        }
        empty(request)
    });
    let said = fill(&server, &["--objects", "1", "--size", "10"]).go();
    said.exits(0);
    assert!(
        said.stdout
            .starts_with("s3://bench/x/ has 1 object, 10 B of this fill: 1 was there before\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn who_may_not_write_is_told_what_is_missing() {
    let server = Scripted::start(0, |request| {
        if request.method == "PUT" {
            Some(Reply::error(403, "AccessDenied"))
        } else {
            empty(request)
        }
    });
    let said = fill(&server, &["--objects", "3", "--size", "10", "-c", "1"]).go();
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["cannot store s3://bench/x/000/000000.bin: access denied (AccessDenied)"]
    );
    assert_eq!(
        said.lines("hint: "),
        ["grant s3:PutObject to these credentials"]
    );
}
