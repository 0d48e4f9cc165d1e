//! `parfetch report` and `parfetch compare` from the outside: what they read, every form, names that are markup elsewhere, and how they end.
//!
//! The fixtures are records of contenders, which say everything of a repetition without a summary; one test reports a sweep that really ran.

use std::fs;
use std::io::pipe;
use std::path::Path;
use std::process::Stdio;

use crate::support::scripted::{Reply, Scripted};
use crate::support::source::Store;
use crate::support::strict::{Invocation, Said};

/// Text that means something to a terminal, to Markdown, to a browser and to a spreadsheet.
const HOSTILE: &str = "=a|b<script>alert(1)</script>`c`\n*d*\u{1b}[2J[x](http://evil.example)";

/// A record of one repetition of the contender at this rate of MB/s: 8 GB in 3,200 objects.
fn record(contender: &str, (concurrency, repetition): (u32, u32), mb_per_s: f64) -> String {
    let seconds = 8_000.0 / mb_per_s;
    let fetch_ns = format!("{:.0}", seconds * 1e9).parse::<u64>().unwrap();
    let value = serde_json::json!({
        "schema": "parfetch.repetition", "version": 1, "tool_version": "0.1.0",
        "sweep": {
            "id": "study-1", "plan_sha256": "p", "keys_sha256": "0123456789abcdef", "on": "local", "seed": 1, "repetitions": 6, "bucket": "images",
            "prefix": "", "limit": 3200, "duration_ns": null, "region": "us-east-1", "endpoint": null, "embedded": null, "keys": 32000,
            "bytes": 80_000_000_000_u64, "storage_classes": {}, "listing_ns": 4_000_000_000_u64,
        },
        "cell": {
            "program": {"contender": contender}, "cpu_units": 1024, "memory_mib": 2048, "mode": "thread", "concurrency": concurrency, "shards": 1,
        },
        "repetition": repetition, "attempt": 1, "position": repetition, "started_at": format!("2026-11-20T10:00:{repetition:02}Z"),
        "limited": {"cpu": "cgroup-v2", "memory": null, "cpus": [0, 1], "machine_cpus": 2, "shared_with_server": null},
        "failure": null,
        "outside": {
            "wall_ns": fetch_ns + 1_000_000_000, "cpu_user_ns": fetch_ns / 4, "cpu_sys_ns": fetch_ns / 4, "peak_pss_bytes": 40_000_000, "pss_samples": 3,
            "throttled_ns": 0,
        },
        "contender": {"fetch_ns": fetch_ns, "objects": 3200, "ok": 3200, "goodput_bytes": 8_000_000_000_u64},
        "summaries": [], "server": null,
    });
    value.to_string()
}

/// Six repetitions around each of these rates, at concurrency 1, 2, 4, …, into a folder.
fn fill(folder: &Path, contender: &str, rates: &[f64]) {
    for (place, rate) in (0..).zip(rates) {
        for (repetition, by) in (1..).zip([0.99, 0.995, 0.999, 1.001, 1.005, 1.01]) {
            let concurrency = 2_u32.pow(place);
            let at = folder.join(format!("x{concurrency}/r{repetition:02}-a1"));
            fs::create_dir_all(&at).unwrap();
            fs::write(
                at.join("repetition.json"),
                record(contender, (concurrency, repetition), rate * by),
            )
            .unwrap();
        }
    }
}

fn report(words: &[&str]) -> Invocation {
    Invocation::new(&["report"]).args(words)
}

/// Compares `base` and `new`, which hold these rates.
fn compare(base: &[f64], new: &[f64], words: &[&str]) -> Said {
    let run = Invocation::new(&["compare", "base", "new"]).args(words);
    fill(&run.folder().join("base"), "python", base);
    fill(&run.folder().join("new"), "python", new);
    run.go()
}

/// Whatever lines it is broken into.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_answer_comes_first_and_says_how_to_see_the_rest() {
    let run = report(&["a folder"]);
    fill(
        &run.folder().join("a folder"),
        "python",
        &[100.0, 200.0, 201.0],
    );
    let said = run.go();
    said.exits(0);
    let place = |text: &str| {
        said.stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text} is missing:\n{}", said.stdout))
    };
    assert!(
        place("Cheapest") < place("Throughput, MB/s")
            && place("Throughput, MB/s") < place("best from: the fewest workers"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout
            .ends_with("\n  parfetch report 'a folder' --all\n"),
        "{}",
        said.stdout
    );
    for not in ["Holm", "Verdict", "Method"] {
        assert!(!said.stdout.contains(not), "{not}: {}", said.stdout);
    }
}

#[test]
fn a_folder_becomes_a_report() {
    let run = report(&["out", "--all", "--metric", "throughput"]);
    fill(&run.folder().join("out"), "python", &[100.0, 200.0, 201.0]);
    let said = run.go();
    said.exits(0);
    assert_eq!(said.stderr, "");
    let row = said
        .stdout
        .lines()
        .find(|line| line.starts_with("    1  python"))
        .unwrap();
    // From 0.99 to 1.01 of each.
    let close: String = row.split_whitespace().collect();
    assert!(
        close.contains("99–101") && close.contains("198–202") && close.contains("199–203"),
        "{row}"
    );
    assert!(
        words(&said.stdout).contains("median of 6 runs")
            && words(&said.stdout).contains("(96.9 % with 6)"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout
            .lines()
            .all(|line| line.chars().count() <= 80 || line.contains("--overrides")),
        "{}",
        said.stdout
    );
    assert!(!said.stdout.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn every_form_says_the_same() {
    let run = |words: &[&str]| {
        let run = report(&["out"]).args(words);
        fill(&run.folder().join("out"), "python", &[100.0, 200.0]);
        let said = run.go();
        said.exits(0);
        said
    };
    assert!(
        run(&["--format", "md"])
            .stdout
            .contains("| 1 | 2 | python | 100 (99–101) |")
    );
    let csv = run(&["--format", "csv"]).stdout;
    assert!(
        csv.starts_with("study,source,") && csv.lines().count() == 3 && csv.contains("\r\n"),
        "{csv}"
    );
    let json: serde_json::Value = serde_json::from_str(&run(&["--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], "parfetch.report");
    let all = run(&["--all"]).stdout;
    assert!(
        words(&all).contains("peak memory, MB (40.0 everywhere)")
            && all.contains("Fetch time, s")
            && all.contains("TTFB p50, ms (not known)"),
        "{all}"
    );
    let said = run(&["--format", "csv", "--out", "cells.csv"]);
    assert_eq!((said.stdout.as_str(), said.read("cells.csv")), ("", csv));
}

#[test]
fn names_are_text_in_every_form() {
    for format in ["text", "md", "csv", "json"] {
        let run = report(&["out", "--format", format]);
        fill(&run.folder().join("out"), HOSTILE, &[63.0]);
        let said = run.go();
        said.exits(0);
        assert!(
            format == "csv" || !said.stdout.contains('\u{1b}'),
            "{format}: {}",
            said.stdout
        );
        match format {
            "md" => {
                let mut is_code = false;
                for line in said.stdout.lines() {
                    is_code ^= line.trim_start().starts_with("```");
                    assert!(is_code || !line.replace("\\<", "").contains('<'), "{line}");
                }
            }
            "csv" => assert!(said.stdout.contains(",\"'=a|b"), "{}", said.stdout),
            _ => {}
        }
    }
}

#[test]
fn a_sweep_that_ran_is_reported() {
    let arguments = [
        "--embedded=objects=20,size=1KiB",
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "1,4",
        "--repeat",
        "2",
    ];
    let run = Invocation::new(&["sweep", "--out", "out", "--id", "s"]).args(&arguments);
    let folder = run.folder().to_owned();
    let said = run.go();
    said.exits(0);
    let out = folder.join("out");
    let said = report(&[out.to_str().unwrap(), "--all"]).go();
    said.exits(0);
    assert!(
        said.stdout.contains("lean client") && said.stdout.contains("median of 2 runs"),
        "{}",
        said.stdout
    );
    assert!(
        words(&said.stdout).contains("2 repetitions give no 95 % interval: that takes 6"),
        "{}",
        said.stdout
    );
}

#[test]
fn what_is_below_a_prefix_of_a_bucket_is_read() {
    let source = Store::Embedded.empty();
    let s3 = source.s3();
    for (repetition, rate) in (1..).zip([99.0, 100.0, 101.0]) {
        let key = |folder: &str| format!("sweeps/{folder}/r0{repetition}/repetition.json");
        s3.put(
            (&source.results, &key("a")),
            record("python", (1, repetition), rate).into_bytes(),
        )
        .unwrap();
        // The beginning of a name is not its folder.
        s3.put(
            (&source.results, &key("ab")),
            record("other", (1, repetition), 1.0).into_bytes(),
        )
        .unwrap();
    }
    s3.put(
        (&source.results, "sweeps/a/notes.txt"),
        b"no result".to_vec(),
    )
    .unwrap();
    let at = &source.endpoint;
    let reported = |prefix: &str| {
        let run = report(&[
            &format!("s3://{}/{prefix}", source.results),
            "--format",
            "csv",
        ]);
        run.unset(&["AWS_SESSION_TOKEN"])
            .env(&[
                ("AWS_ENDPOINT_URL", &at.url),
                ("AWS_ACCESS_KEY_ID", &at.access_key),
                ("AWS_SECRET_ACCESS_KEY", &at.secret_key),
            ])
            .go()
    };
    let said = reported("sweeps/a");
    said.exits(0);
    assert!(
        said.stdout.lines().count() == 2 && said.stdout.contains(",100000000,"),
        "{}",
        said.stdout
    );
    let name = format!("there are no results in s3://{}/nothing", source.results);
    reported("nothing").exits(2);
    assert!(reported("nothing").stderr.contains(&name));
}

#[test]
fn what_is_not_there_is_said_with_what_would_be() {
    let hint = "results are JSON files that `parfetch run` and `parfetch sweep` wrote; name the file, its folder, or s3://bucket/prefix";
    report(&["missing"])
        .go()
        .fails(2, "missing does not exist", hint);
    let run = report(&["empty"]);
    fs::create_dir(run.folder().join("empty")).unwrap();
    run.go().fails(2, "there are no results in empty", hint);
    report(&["a", "--prices", "none.toml"]).go().exits(2);
    report(&["a", "--metric", "speed"]).go().exits(2);
    report(&[]).go().exits(2);
}

#[test]
fn what_cannot_be_read_is_a_warning() {
    let run = report(&["out"]);
    fill(&run.folder().join("out"), "python", &[63.0]);
    fs::write(run.folder().join("out/broken.json"), "{").unwrap();
    let said = run.go();
    said.exits(0);
    let warnings = said.lines("warning: ");
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("out/broken.json: not JSON"),
        "{warnings:?}"
    );
}

/// None of them may have an end.
#[test]
fn devices_and_pipes_are_no_results() {
    let hint = "results are JSON files that `parfetch run` and `parfetch sweep` wrote; name the file, its folder, or s3://bucket/prefix";
    for words in [
        &["report", "/dev/zero"][..],
        &["compare", "/dev/zero", "/dev/zero"],
    ] {
        Invocation::new(words)
            .go()
            .fails(2, "/dev/zero is neither a file nor a folder", hint);
    }
    // It is /dev/null here.
    report(&["/dev/stdin"])
        .go()
        .fails(2, "/dev/stdin is neither a file nor a folder", hint);
    let run = report(&["pipe"]);
    fifo(&run.folder().join("pipe"));
    run.go()
        .fails(2, "pipe is neither a file nor a folder", hint);
    // In a folder it is passed over, as whatever else is no result.
    let run = report(&["out"]);
    fill(&run.folder().join("out"), "python", &[63.0]);
    fifo(&run.folder().join("out/pipe.json"));
    let said = run.go();
    said.exits(0);
    assert_eq!(said.lines("warning: "), Vec::<&str>::new());
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
}

#[test]
fn files_without_end_are_given_up_in_one_line() {
    let said = report(&["out", "--prices", "/dev/zero"]);
    fill(&said.folder().join("out"), "python", &[63.0]);
    said.go().fails(
        2,
        "cannot read the prices /dev/zero: it is larger than 16 MiB",
        "the form is that of crates/core/data/prices.toml",
    );
    let sweep = Invocation::new(&["sweep", "--plan", "/dev/zero", "--print-plan"]).go();
    sweep.fails(
        2,
        "cannot read the plan /dev/zero: it is larger than 16 MiB",
        "`parfetch sweep --print-plan` writes one",
    );
    let server = Scripted::start(1, |_| None);
    let run = Invocation::run(&server)
        .env(&[("AWS_CA_BUNDLE", "/dev/zero")])
        .go();
    run.fails(
        4,
        "cannot read the certificates in /dev/zero: it is larger than 16 MiB",
        "--ca-bundle (AWS_CA_BUNDLE) names a PEM file",
    );
}

#[test]
fn a_document_that_is_too_large_is_left_out() {
    let run = report(&["out"]);
    fill(&run.folder().join("out"), "python", &[63.0]);
    // Of one byte more than a document can have, and none of them on the disk.
    fs::File::create(run.folder().join("out/large.json"))
        .unwrap()
        .set_len((32 << 20) + 1)
        .unwrap();
    let said = run.go();
    said.exits(0);
    assert_eq!(
        said.lines("warning: "),
        ["out/large.json: it is larger than 32 MiB"]
    );
}

/// One whose listing says so, and one that has grown since: neither fills memory or disk.
#[test]
fn an_object_that_is_too_large_is_left_out() {
    let entry =
        |key: &str, size: u64| format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>");
    let page = [
        entry("a.json", 7),
        entry("b.json", (32 << 20) + 1),
        entry("c.json", 7),
    ]
    .concat();
    let page =
        format!("<ListBucketResult>{page}<IsTruncated>false</IsTruncated></ListBucketResult>");
    let server = Scripted::start(1, move |request| {
        match request.path().rsplit('/').next().unwrap() {
            "a.json" => Some(Reply::ok(record("python", (1, 1), 63.0))),
            "b.json" => panic!("it is not asked for"),
            "c.json" => Some(Reply::ok(vec![b' '; (32 << 20) + 1])),
            _ => Some(Reply::ok(page.clone())),
        }
    });
    let said = report(&["s3://results"])
        .env(&[("AWS_ENDPOINT_URL", &server.url())])
        .go();
    said.exits(0);
    let mut warnings = said.lines("warning: ");
    warnings.sort_unstable();
    let expected = [
        "s3://results/b.json: it is larger than 32 MiB",
        "s3://results/c.json: cannot read s3://results/c.json: it is larger than 32 MiB",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn a_repetition_that_is_there_twice_is_refused() {
    let run = report(&["one", "two"]);
    fill(&run.folder().join("one"), "python", &[63.0]);
    fill(&run.folder().join("two"), "python", &[63.0]);
    let said = run.go();
    said.exits(2);
    assert_eq!(said.lines("warning: "), Vec::<&str>::new());
    let error = said.lines("error: ")[0];
    assert!(error.ends_with("; and 5 more"), "{error}");
    assert!(
        error.contains("one/x1/r01-a1/repetition.json")
            && error.contains("two/x1/r01-a1/repetition.json"),
        "{error}"
    );
}

#[test]
fn nothing_changed_is_said_of_every_cell() {
    let said = compare(&[63.0, 126.0], &[63.0, 126.0], &["--fail-over", "0"]);
    said.exits(0);
    assert!(
        said.stdout
            .contains("No clear difference between base and new in 2 configurations."),
        "{}",
        said.stdout
    );
}

#[test]
fn a_loss_ends_with_code_6_when_that_is_asked_for() {
    let said = compare(&[63.0, 126.0], &[63.0, 113.4], &["--fail-over", "5"]);
    said.exits(6);
    assert!(
        said.stdout.contains("-10.0 %")
            && said
                .stdout
                .contains("new is 10 % slower than base in 1 of 2 configurations"),
        "{}",
        said.stdout
    );
    let error = said.lines("error: ")[0];
    assert!(
        error.starts_with("1 of 2 configurations lost more than 5 %; the worst is 1 vCPU · 2 GB · thread × 2 · python (-10.0 %"),
        "{error}"
    );
    compare(&[63.0, 126.0], &[63.0, 113.4], &["--fail-over", "15"]).exits(0);
    compare(&[63.0, 126.0], &[63.0, 113.4], &[]).exits(0);
    // More time is a loss too.
    compare(
        &[63.0, 126.0],
        &[63.0, 113.4],
        &["--fail-over", "5", "--metric", "fetch_time"],
    )
    .exits(6);
}

#[test]
fn forms_of_a_comparison() {
    let forms =
        |format: &str| compare(&[63.0, 126.0, 200.0], &[63.0, 113.4], &["--format", format]);
    assert!(forms("md").exits(0).stdout.contains("| **-10.0 %** |"));
    assert!(forms("csv").exits(0).stdout.contains(",worse,"));
    let said = forms("json");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["comparisons"],
        2
    );
    let warnings = said.lines("warning: ");
    assert!(
        warnings[0].starts_with("base and new ran at different times")
            && warnings[1].contains("with --programs"),
        "{warnings:?}"
    );
    assert_eq!(
        warnings[2..],
        ["1 configuration in base alone: 1 vCPU · 2 GB · thread × 4 · python"]
    );
}

#[test]
fn nothing_in_common_is_an_error() {
    let run = Invocation::new(&["compare", "base", "new"]);
    fill(&run.folder().join("base"), "python", &[63.0]);
    fill(&run.folder().join("new"), "ruby", &[63.0]);
    let hint = "configurations match when program (or --programs), vCPU, memory, mode, concurrency and shards are the same";
    let said = run.go();
    said.fails(
        2,
        "base and new have no configuration with throughput in common",
        hint,
    );
    assert_eq!(
        said.lines("warning: ").len(),
        2,
        "what each set has alone: {}",
        said.stderr
    );
    Invocation::new(&["compare", "base"]).go().exits(2);
}

#[test]
fn a_set_is_not_compared_with_itself() {
    let run = Invocation::new(&["compare", "base", "./base/"]);
    fill(&run.folder().join("base"), "python", &[63.0]);
    run.go().fails(
        2,
        "base and ./base/ are the same results: nothing differs",
        "name two sweeps, or two programs of one sweep: parfetch compare SWEEP --programs OLD,NEW",
    );
}

#[test]
fn sets_of_other_objects_are_not_compared() {
    let run = Invocation::new(&["compare", "base", "new"]);
    fill(&run.folder().join("base"), "python", &[63.0]);
    fill(&run.folder().join("new"), "python", &[63.0]);
    let new = run.folder().join("new/x1");
    for repetition in fs::read_dir(new).unwrap() {
        let document = repetition.unwrap().path().join("repetition.json");
        let mut record: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&document).unwrap()).unwrap();
        record["sweep"]["bucket"] = "videos".into();
        record["sweep"]["bytes"] = 1.into();
        fs::write(&document, record.to_string()).unwrap();
    }
    let said = run.go();
    said.exits(2);
    let error = said.lines("error: ")[0];
    assert!(
        error
            .starts_with("base and new fetched different objects, which cannot be compared: s3://"),
        "{error}"
    );
}

#[test]
fn two_programs_of_one_place_are_compared_without_the_time() {
    let run = Invocation::new(&["compare", "both", "--programs", "old,new"]);
    fill(&run.folder().join("both/old"), "old", &[63.0, 126.0]);
    fill(&run.folder().join("both/new"), "new", &[63.0, 113.4]);
    let said = run.go();
    said.exits(0);
    for part in [
        "Base         old\n",
        "New          new\n",
        "new is 10 % slower than old in 1 of 2 configurations",
        "-10.0 %",
    ] {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
    assert!(!said.stdout.contains("different times"), "{}", said.stdout);
    let run = Invocation::new(&["compare", "both", "--programs", "old,other"]);
    fill(&run.folder().join("both"), "old", &[63.0]);
    run.go().fails(
        2,
        "--programs: there is no program other; the programs are old",
        "name two sweeps, or two programs of one sweep: parfetch compare SWEEP --programs OLD,NEW",
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for words in [
        &["report", "base"][..],
        &["compare", "base", "new", "--format", "json"][..],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let run = Invocation::new(words);
        fill(&run.folder().join("base"), "python", &[63.0]);
        fill(&run.folder().join("new"), "python", &[63.0]);
        let (mut child, _folder) = run.start_into(Stdio::from(writer));
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}");
    }
}
