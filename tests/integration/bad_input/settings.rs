//! Settings that cannot be right are refused before anything is asked of S3.

use std::io::Read;
use std::process::Stdio;

use crate::support::scripted::Scripted;
use crate::support::strict::Invocation;

const HELP: &str = "`parfetch --help` and `parfetch COMMAND --help` show what there is";

/// What `run -b source -o out` and these words and variables say.
#[track_caller]
fn refused(words: &[&str], variables: &[(&str, &str)], (error, hint): (&str, &str)) {
    let said = Invocation::new(&["run", "-o", "out"])
        .env(&[("BUCKET_NAME", "source")])
        .env(variables)
        .args(words)
        .go();
    said.fails(2, error, hint);
    assert_eq!(
        (said.stdout.as_str(), said.files()),
        ("", Vec::new()),
        "{error}"
    );
}

#[test]
fn a_source_bucket_is_needed() {
    for variables in [&[][..], &[("BUCKET_NAME", "")][..]] {
        let said = Invocation::new(&["--out", "out"]).env(variables).go();
        said.fails(2, "no source bucket is given", "name it, like `parfetch s3://images`, or set BUCKET_NAME; `parfetch run --embedded` needs none");
    }
}

#[test]
fn a_place_for_results_is_needed() {
    let said = Invocation::new(&[])
        .env(&[
            ("BUCKET_NAME", "source"),
            ("RESULT_BUCKET_NAME", ""),
            ("PARFETCH_OUT", ""),
        ])
        .go();
    said.fails(
        2,
        "no place for the results is given",
        "-r s3://results or --out DIR names one, or set RESULT_BUCKET_NAME",
    );
}

#[test]
fn concurrency_is_a_number_that_the_mode_serves() {
    let hint =
        |most: u32, mode: &str| format!("workers of mode {mode}: a whole number from 1 to {most}");
    for bad in ["0", "1000000000"] {
        refused(
            &[],
            &[("CONCURRENCY", bad)],
            (
                &format!("CONCURRENCY is {bad}, outside 1 to 65535"),
                &hint(65_535, "async"),
            ),
        );
    }
    for bad in ["-1", "abc", "1.5", "1e3", "99999999999999999999999"] {
        let error =
            format!("--concurrency is `{bad}`, which is not a whole number from 1 to 65535");
        refused(&["-c", bad], &[], (&error, &hint(65_535, "async")));
    }
    for (most, mode) in [(65_535, "async"), (4_096, "thread"), (1_024, "process")] {
        let more = (most + 1).to_string();
        refused(
            &["-c", &more, "-m", mode],
            &[],
            (
                &format!("--concurrency is {more}, outside 1 to {most}"),
                &hint(most, mode),
            ),
        );
    }
}

#[test]
fn words_are_those_of_the_table() {
    let word = |words: &[&str], error: &str, hint: &str| refused(words, &[], (error, hint));
    refused(
        &[],
        &[("MODE", "fiber")],
        (
            "MODE: `fiber` is not one of async, thread, process",
            "`parfetch run --help` explains --mode",
        ),
    );
    word(
        &["--client", "go"],
        "--client: `go` is not one of lean, sdk",
        "`parfetch run --help` explains --client",
    );
    word(
        &["--log-level", "loud"],
        "--log-level is `loud`, which is not one of error, warn, info, debug, trace",
        "`parfetch run --help` explains --log-level",
    );
    let maybe = (
        "PARFETCH_NO_OVERWRITE is `maybe`, which is neither yes nor no",
        "use 1, true, yes, on or 0, false, no, off",
    );
    refused(&[], &[("PARFETCH_NO_OVERWRITE", "maybe")], maybe);
    word(
        &["--shard", "3/3"],
        "--shard: `3/3` is not I/N with I from 0 to N-1",
        "`parfetch run --help` explains --shard",
    );
    word(
        &["--duration", "5"],
        "--duration is `5`, which is not a length of time above 0",
        "write it like 500ms, 10s, 20m or 1h 30m",
    );
    word(
        &["--order", "random"],
        "--order: `random` is not one of listed, largest-first, shuffled",
        "`parfetch run --help` explains --order",
    );
    let parts = "write it like 8MiB: parts have 1 MiB at least";
    word(
        &["--part-size", "much"],
        "--part-size is `much`, which is not a size",
        parts,
    );
    word(
        &["--part-size", "1MB"],
        "--part-size is 1MB, less than 1 MiB",
        parts,
    );
    refused(
        &[],
        &[("PARFETCH_PART_SIZE", "0")],
        ("PARFETCH_PART_SIZE is 0, less than 1 MiB", parts),
    );
    word(
        &["--attempts", "11"],
        "--attempts is 11, outside 1 to 10",
        "HTTP attempts per object: a whole number from 1 to 10",
    );
}

#[test]
fn a_tag_is_part_of_a_name() {
    let hint = "a tag has 1 to 64 of A-Z a-z 0-9 . _ -";
    for bad in ["a/b", "..\\x", "ä", "a b", &"x".repeat(65)] {
        refused(
            &[],
            &[("TAG", bad)],
            (
                &format!("TAG is `{bad}`, which cannot be part of a result's name"),
                hint,
            ),
        );
    }
}

#[test]
fn a_bucket_is_a_name_alone() {
    refused(
        &["-b", "source/logs"],
        &[],
        (
            "--bucket is `source/logs`, which is not a bucket's name",
            "--bucket takes the name alone; --prefix narrows it down",
        ),
    );
    refused(
        &[],
        &[("BUCKET_NAME", "s3://source")],
        (
            "BUCKET_NAME is `s3://source`, which is not a bucket's name",
            "BUCKET_NAME takes the name alone; --prefix narrows it down",
        ),
    );
    refused(
        &[],
        &[("RESULT_BUCKET_NAME", "results/x")],
        (
            "RESULT_BUCKET_NAME is `results/x`, which is not a bucket's name",
            "RESULT_BUCKET_NAME takes the name alone; --result-prefix goes in front of the results' names, and --out keeps them in a folder",
        ),
    );
}

#[test]
fn an_endpoint_is_a_url() {
    for bad in ["http://", "ftp://h", "http://h:99999", "http://h h"] {
        refused(
            &[],
            &[("AWS_ENDPOINT_URL", bad)],
            (
                &format!("AWS_ENDPOINT_URL is `{bad}`, which is not a URL"),
                "write it like http://127.0.0.1:9000 or https://s3.example.com",
            ),
        );
    }
}

#[test]
fn an_endpoint_shows_no_password() {
    let said = (
        "--endpoint-url holds a user name or password",
        "write it like http://127.0.0.1:9000 or https://s3.example.com",
    );
    refused(
        &["--endpoint-url", "https://me:hidden@s3.example.com"],
        &[],
        said,
    );
}

#[test]
fn a_key_file_in_a_bucket_has_a_key() {
    refused(
        &["--keys", "s3://lists"],
        &[],
        (
            "--keys: `s3://lists` names no key",
            "write s3://bucket/key, or the path of a file",
        ),
    );
}

#[test]
fn results_do_not_go_where_they_would_be_listed() {
    let same = [
        ("RESULT_BUCKET_NAME", "source"),
        ("PARFETCH_RESULT_PREFIX", "logs/"),
        ("PARFETCH_PREFIX", "lo"),
    ];
    refused(
        &[],
        &same,
        (
            "results would go to s3://source/logs/result_run_async_16.csv, which is under the listed prefix of the source",
            "use another results bucket, or a folder that the source does not list: -r s3://bucket/folder; --allow-results-in-source overrides",
        ),
    );
    let server = Scripted::start(1, |_| None);
    let said = Invocation::run(&server)
        .env(&[("RESULT_BUCKET_NAME", "source")])
        .args(&["--allow-results-in-source"])
        .go();
    said.exits(0);
    assert_eq!(
        said.lines("warning: results would go to s3://source/result_run_async_1.csv")
            .len(),
        1,
        "{}",
        said.stderr
    );
    let said = Invocation::run(&server)
        .env(&[("RESULT_BUCKET_NAME", "source"), ("PARFETCH_PREFIX", "k")])
        .go();
    said.exits(0);
    assert_eq!(said.stderr.matches("under the listed prefix").count(), 0);
}

#[test]
fn what_is_unknown_is_named() {
    let say = |words: &[&str], error: &str, hint: &str| {
        Invocation::new(words).go().fails(2, error, hint);
    };
    say(&["--nope"], "unexpected argument '--nope' found", HELP);
    say(
        &["run", "--concurency", "3"],
        "unexpected argument '--concurency' found",
        "did you mean `--concurrency`?",
    );
    let commands = "`parfetch --help` lists the commands; a bucket to fetch is written s3://BUCKET";
    say(&["frobnicate"], "`frobnicate` is not a command", commands);
    say(
        &["uplaod", "x"],
        "`uplaod` is not a command",
        "did you mean `upload`?",
    );
    refused(
        &["-m", "asink"],
        &[],
        (
            "--mode: `asink` is not one of async, thread, process",
            "did you mean `async`?",
        ),
    );
    say(
        &["-b"],
        "--bucket has no value",
        "write it like --bucket NAME",
    );
    say(
        &["run", "stray"],
        "SOURCE is `stray`, which is not s3://bucket/prefix",
        "did you mean `s3://stray`?",
    );
    say(
        &["run", "s3://b", "stray"],
        "`stray` is one source too many",
        "a run reads one bucket; only URLs may be several",
    );
    say(
        &["upload"],
        "no folder is given",
        "parfetch upload DIR s3://bucket",
    );
}

#[test]
fn a_source_and_a_place_for_results_are_typed_as_words() {
    let server = Scripted::start(3, |_| None);
    for words in [
        &["s3://source/k", "-r", "s3://results/laptop"][..],
        &["run", "-r", "s3://results/laptop", "s3://source/k"],
    ] {
        let said = Invocation::new(words)
            .env(&[
                ("AWS_ENDPOINT_URL", &server.url()),
                ("BUCKET_NAME", "other"),
                ("PARFETCH_PREFIX", "x"),
            ])
            .go();
        said.exits(0);
        assert!(
            server
                .stored("results/laptop/result_run_async_16.csv")
                .is_some(),
            "{}",
            said.stdout
        );
    }
    assert!(
        server
            .requests()
            .iter()
            .filter(|request| request.is_listing())
            .all(|request| request.target.contains("prefix=k"))
    );
}

#[test]
fn a_flag_wins_and_an_empty_variable_is_unset() {
    let server = Scripted::start(3, |_| None);
    let empty = [
        "MODE",
        "TAG",
        "PARFETCH_CLIENT",
        "PARFETCH_LIMIT",
        "PARFETCH_SHARD",
        "PARFETCH_OUT",
        "PARFETCH_NO_OVERWRITE",
        "AWS_PROFILE",
    ];
    let empty = empty.into_iter().chain([
        "AWS_CA_BUNDLE",
        "AWS_ENDPOINT_URL_S3",
        "AWS_DEFAULT_REGION",
        "HTTPS_PROXY",
        "AWS_REGION",
    ]);
    let empty: Vec<_> = empty.map(|name| (name, "")).collect();
    let said = Invocation::run(&server)
        .env(&empty)
        .env(&[("CONCURRENCY", "2")])
        .args(&["--concurrency", "3"])
        .go();
    said.exits(0);
    assert_eq!(
        said.stderr
            .lines()
            .filter(|line| !line.starts_with("parfetch s3://"))
            .collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    assert!(
        server.stored("results/result_run_async_3.csv").is_some(),
        "{}",
        said.stdout
    );
}

#[test]
fn a_proxy_is_refused_by_lean_and_only_where_it_would_be_used() {
    let https = ("AWS_ENDPOINT_URL", "https://s3.example.com");
    refused(
        &[],
        &[https, ("HTTPS_PROXY", "http://127.0.0.1:1")],
        (
            "HTTPS_PROXY is set, and the client lean goes through no proxy",
            "use --client sdk (PARFETCH_CLIENT=sdk), or name the endpoint's host in NO_PROXY",
        ),
    );
    refused(
        &[],
        &[("https_proxy", "http://127.0.0.1:1")],
        (
            "https_proxy is set, and the client lean goes through no proxy",
            "use --client sdk (PARFETCH_CLIENT=sdk), or name the endpoint's host in NO_PROXY",
        ),
    );
    let server = Scripted::start(1, |_| None);
    Invocation::run(&server)
        .env(&[("HTTPS_PROXY", "http://127.0.0.1:1")])
        .go()
        .exits(0);
    refused(
        &[],
        &[
            ("AWS_ENDPOINT_URL", &server.url()),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
        ],
        (
            "HTTP_PROXY is set, and the client lean goes through no proxy",
            "use --client sdk (PARFETCH_CLIENT=sdk), or name the endpoint's host in NO_PROXY",
        ),
    );
    Invocation::run(&server)
        .env(&[
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", "127.0.0.1"),
        ])
        .go()
        .exits(0);
}

#[test]
fn embedded_says_what_it_does_not_use() {
    let said = Invocation::new(&[
        "--embedded=objects=2,size=1",
        "--progress",
        "never",
        "-c",
        "1",
    ])
    .env(&[
        ("BUCKET_NAME", "source"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("RESULT_BUCKET_NAME", "results"),
    ])
    .go();
    said.exits(0);
    let warnings = said.lines("warning: ");
    assert_eq!(
        warnings,
        [
            "BUCKET_NAME `source` is not used: the embedded server's own bucket is fetched",
            "AWS_ENDPOINT_URL is not used: --embedded brings its own endpoint",
            "RESULT_BUCKET_NAME `results` is not used: with --embedded results go to ./parfetch-results",
        ]
    );
    let said = Invocation::new(&["--embedded=objects=many"]).go();
    assert_eq!(
        (
            said.status.code(),
            said.lines("error: ").len(),
            said.lines("hint: ").len()
        ),
        (Some(2), 1, 1),
        "{}",
        said.stderr
    );
}

#[test]
fn a_closed_stdout_is_no_failure() {
    for words in [
        &["--help"][..],
        &["run", "--help"],
        &["run", "-h"],
        &["--version"],
        &["completions", "bash"],
        &["man", "run"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_parfetch"));
        let child = command
            .args(words)
            .stdout(Stdio::from(writer))
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(
            (child.status.code(), child.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{words:?}"
        );
    }
}

#[test]
fn a_summary_that_nobody_reads_is_no_failure() {
    let server = Scripted::start(1, |_| None);
    for output in ["text", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (mut running, _folder) = Invocation::run(&server)
            .args(&["--output", output])
            .start_into(Stdio::from(writer));
        let mut stderr = String::new();
        running
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert_eq!(
            (running.wait().unwrap().code(), stderr.contains("error")),
            (Some(0), false),
            "{stderr}"
        );
    }
}
