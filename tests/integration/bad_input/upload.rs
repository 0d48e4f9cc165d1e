//! `parfetch upload` that cannot do what it is asked.

use crate::support::scripted::{Reply, Scripted};
use crate::support::strict::{Invocation, Said};

fn upload(server: &Scripted, words: &[&str]) -> Said {
    let run = Invocation::new(&["upload"])
        .args(words)
        .env(&[("AWS_ENDPOINT_URL", &server.url())]);
    std::fs::create_dir_all(run.folder().join("full/sub")).unwrap();
    std::fs::create_dir_all(run.folder().join("empty")).unwrap();
    run.file("full/result_a.csv", "c")
        .file("full/sub/result_b.json", "{}")
        .file("full/notes.txt", "n")
        .file("empty/notes.txt", "n")
        .go()
}

#[test]
fn folders_without_results() {
    let server = Scripted::start(0, |_| None);
    upload(&server, &["missing", "s3://results"]).fails(
        2,
        "missing is not a folder",
        "parfetch upload DIR s3://bucket",
    );
    upload(&server, &["full/notes.txt", "s3://results"]).fails(
        2,
        "full/notes.txt is not a folder",
        "parfetch upload DIR s3://bucket",
    );
    let hint = "results are called result_….csv and result_….json";
    upload(&server, &["empty", "s3://results"]).fails(2, "there are no results in empty", hint);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn targets_that_are_none() {
    let server = Scripted::start(0, |_| None);
    upload(&server, &["full", "results"]).fails(
        2,
        "S3_URI is `results`, which is not s3://bucket/prefix",
        "did you mean `s3://results`?",
    );
    upload(&server, &["full", "s3:///x"]).fails(
        2,
        "S3_URI is `s3:///x`, which names no bucket",
        "write it like s3://images or s3://images/2024/",
    );
    let hint = "parfetch upload DIR s3://bucket, or set RESULT_BUCKET_NAME";
    upload(&server, &["full"]).fails(2, "no results bucket is given", hint);
}

#[test]
fn what_the_bucket_does_not_take_is_not_stored() {
    let server = Scripted::start(0, |request| {
        request
            .puts(".json")
            .then(|| Reply::error(403, "AccessDenied"))
    });
    let error = "results not stored: cannot store s3://results/p/sub/result_b.json: access denied (AccessDenied)";
    upload(&server, &["full", "s3://results/p"]).fails(
        5,
        error,
        "grant s3:PutObject to these credentials",
    );
    assert!(
        server.stored("results/p/result_a.csv").is_some(),
        "what was stored before stays"
    );
}

#[test]
fn results_are_not_replaced_when_that_is_refused() {
    let server = Scripted::start(0, |_| None);
    let said = upload(&server, &["full", "s3://results"]);
    said.exits(0);
    assert_eq!(
        said.stdout,
        "s3://results/result_a.csv\ns3://results/sub/result_b.json\n"
    );
    let error = "results not stored: cannot store s3://results/result_a.csv: there is one already (PreconditionFailed)";
    upload(&server, &["full", "s3://results", "--no-overwrite"]).fails(
        5,
        error,
        "leave --no-overwrite out, or choose another prefix",
    );
}
