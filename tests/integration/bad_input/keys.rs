//! `--keys` that cannot be used.

use sha2::{Digest, Sha256};

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::Invocation;

const HINT: &str = "a key file begins with `# parfetch-keys 1`, has a percent-encoded key a line, and ends with `# sha256 …`";

/// What a run over this key file says, and that it fetched nothing.
#[track_caller]
fn refused(content: &[u8], error: &str) {
    let server = Scripted::start(3, |_| None);
    let said = Invocation::run(&server)
        .file("keys.tsv", content)
        .args(&["--keys", "keys.tsv"])
        .go();
    said.fails(4, error, HINT);
    assert!(
        !server.requests().iter().any(Request::is_fetch),
        "nothing was fetched"
    );
    let summary =
        String::from_utf8(server.stored("results/result_run_async_1.json").unwrap()).unwrap();
    assert!(summary.contains("\"state\": \"failed\""), "{summary}");
}

#[test]
fn bad_lines_are_named_by_their_number() {
    refused(b"", "the key file keys.tsv is empty");
    refused(
        b"k0000\n",
        "key file keys.tsv, line 1: the first line is not `# parfetch-keys 1`",
    );
    refused(
        b"# parfetch-keys 1\nk0000\nk%zz\n",
        "key file keys.tsv, line 3: `%` is not followed by two hex digits (keys are percent-encoded)",
    );
    refused(
        b"# parfetch-keys 1\nk0000\tbig\n",
        "key file keys.tsv, line 2: the size is not a whole number of bytes",
    );
    refused(
        b"# parfetch-keys 1\nk0000\t1\te\tc\tx\n",
        "key file keys.tsv, line 2: there are more than four fields",
    );
    refused(
        b"# parfetch-keys 1\n%FF\n",
        "key file keys.tsv, line 2: the key is not UTF-8",
    );
    refused(
        b"# parfetch-keys 1\n\t5\n",
        "key file keys.tsv, line 2: the key is empty",
    );
    let long = format!("# parfetch-keys 1\n{}\n", "x".repeat(4097));
    refused(
        long.as_bytes(),
        &format!(
            "key file keys.tsv, line 2: the key `{}…` is longer than 4,096 bytes",
            "x".repeat(40)
        ),
    );
    let long = format!("# parfetch-keys 1\n{}\n", "x".repeat(1 << 20));
    refused(
        long.as_bytes(),
        "key file keys.tsv, line 2: the line is longer than 64 KiB",
    );
    refused(
        &vec![0; 100_000],
        "key file keys.tsv, line 1: the first line is not `# parfetch-keys 1`",
    );
    refused(
        b"# parfetch-keys 1\nk0001\nk0001\n",
        "key file keys.tsv, line 3: the key `k0001` is named twice",
    );
}

#[test]
fn a_key_file_that_was_changed() {
    let body = "# parfetch-keys 1\nk0000\t1\n";
    let sum = Sha256::digest(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    let server = Scripted::start(3, |_| None);
    let right = format!("{body}# sha256 {sum}\n");
    Invocation::run(&server)
        .file("keys.tsv", &right)
        .args(&["--keys", "keys.tsv"])
        .go()
        .exits(0);
    let changed = right.replace("k0000", "k0001");
    refused(
        changed.as_bytes(),
        "the checksum of the key file keys.tsv is wrong: it was changed or cut",
    );
    refused(
        format!("{right}k0002\n").as_bytes(),
        "key file keys.tsv, line 4: something follows the checksum",
    );
    let said = Invocation::run(&server)
        .file("keys.tsv", body)
        .args(&["--keys", "keys.tsv", "-t", "cut"])
        .go();
    said.exits(0);
    assert_eq!(
        said.lines("warning: "),
        ["the key file has no checksum line: nobody can tell whether it is whole"]
    );
}

#[test]
fn a_key_file_with_other_line_ends_is_taken() {
    let body = "# parfetch-keys 1\nk0000\t1\n";
    let sum = Sha256::digest(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    let server = Scripted::start(3, |_| None);
    let windows = format!("{body}# sha256 {sum}\n").replace('\n', "\r\n");
    let said = Invocation::run(&server)
        .file("keys.tsv", windows)
        .args(&["--keys", "keys.tsv"])
        .go();
    said.exits(0);
    assert!(said.lines("warning: ").is_empty(), "{}", said.stderr);
}

#[test]
fn a_directory_is_no_key_file() {
    let server = Scripted::start(3, |_| None);
    let said = Invocation::run(&server).args(&["--keys", "."]).go();
    said.fails(
        4,
        "the key file . is a directory",
        "--keys names a file on this machine, or s3://bucket/key",
    );
}

/// As `--keys <(zcat …)` gives it: it can be read once, and has no size.
#[test]
fn a_pipe_is_a_key_file() {
    let server = Scripted::start(3, |_| None);
    let invocation = Invocation::run(&server).args(&["--keys", "keys"]);
    let path = invocation.folder().join("keys");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    let running = invocation.start();
    std::fs::write(&path, "# parfetch-keys 1\nk0000\t1\nk0002\t1\n").unwrap();
    running.end().exits(0);
    let asked: Vec<String> = server
        .requests()
        .iter()
        .filter(|request| request.is_fetch())
        .map(|request| request.path().to_owned())
        .collect();
    assert_eq!(asked, ["source/k0000", "source/k0002"]);
    let said = Invocation::run(&server)
        .args(&["--keys", "/dev/zero", "-t", "endless"])
        .go();
    said.fails(
        4,
        "key file /dev/zero, line 1: the first line is not `# parfetch-keys 1`",
        HINT,
    );
}

#[test]
fn a_key_file_that_is_not_there() {
    let server = Scripted::start(3, |_| None);
    let said = Invocation::run(&server)
        .args(&["--keys", "missing.tsv"])
        .go();
    said.fails(
        4,
        "cannot read the key file missing.tsv: No such file or directory (os error 2)",
        "--keys names a file on this machine, or s3://bucket/key",
    );
    let said = Invocation::run(&server)
        .args(&["--keys", "s3://lists/missing.tsv", "-t", "remote"])
        .go();
    let hint = format!("check its name; the endpoint is {}", server.url());
    said.fails(
        4,
        "cannot read s3://lists/missing.tsv: it does not exist (NoSuchKey)",
        &hint,
    );
}

#[test]
fn an_inventory_of_another_bucket() {
    let manifest = r#"{"sourceBucket": "other", "fileFormat": "CSV", "fileSchema": "Bucket, Key", "files": []}"#;
    let server = Scripted::start(3, move |request| {
        request
            .path()
            .ends_with("manifest.json")
            .then(|| Reply::ok(manifest))
    });
    let said = Invocation::run(&server)
        .args(&["--keys", "s3://lists/i/manifest.json"])
        .go();
    let hint = "--keys takes the manifest.json of a CSV inventory of the source bucket";
    said.fails(
        4,
        "inventory manifest s3://lists/i/manifest.json: it is of bucket other, not of source",
        hint,
    );
}
