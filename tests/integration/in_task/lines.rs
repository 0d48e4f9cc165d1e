//! A log for programs: with `--log-format json` every line of stderr is one object, and `--emf` adds one of metrics.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

type Object = Map<String, Value>;

/// Every line of stderr as an object; those of the log apart from one of metrics.
fn lines(said: &Said) -> (Vec<Object>, Option<Object>) {
    let objects = said
        .stderr
        .lines()
        .map(|line| match serde_json::from_str(line) {
            Ok(Value::Object(object)) => object,
            _ => panic!("no object: {line}\n{}", said.stderr),
        });
    let (mut metrics, lines): (Vec<_>, Vec<_>) =
        objects.partition(|object| object.contains_key("_aws"));
    for line in &lines {
        for name in ["timestamp", "level", "message"] {
            assert!(line[name].is_string(), "{name}: {line:?}");
        }
        assert!(
            ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()),
            "{line:?}"
        );
    }
    assert!(metrics.len() <= 1);
    (lines, metrics.pop())
}

fn with_level<'a>(lines: &'a [Object], level: &str) -> Vec<&'a Object> {
    lines.iter().filter(|line| line["level"] == level).collect()
}

#[test]
fn a_run_of_eleven_seconds_tells_how_far_it_is() {
    let server = Scripted::busy(3, |request| {
        if request.is_fetch() {
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    });
    let json = [
        "--progress",
        "auto",
        "--log-format",
        "json",
        "--log-level",
        "trace",
        "--emf",
        "team/parfetch",
        "--output",
        "json",
    ];
    let said = Invocation::run(&server)
        .args(&json)
        .args(&["--duration", "11s"])
        .go();
    said.exits(0);
    let summary: Value = serde_json::from_str(&said.stdout).unwrap();
    let (lines, metrics) = lines(&said);
    let told = |name: &str| {
        lines
            .iter()
            .filter(|line| line.contains_key(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("listed_bytes")[0]["listed_objects"], 3);
    // After ten seconds, and at the end.
    let progress = told("fetched_objects");
    assert_eq!(progress.len(), 2, "{}", said.stderr);
    assert!(
        progress[0]["elapsed_s"].as_f64().unwrap() >= 10.0
            && progress[0]["left_s"].as_f64().unwrap() <= 1.0
    );
    assert!(progress[0]["bytes_per_s"].as_f64().unwrap() > 0.0);
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["state"], &end["exit_code"], &end["failed"]),
        (&"complete".into(), &0.into(), &0.into())
    );
    assert_eq!(
        (&end["ok"], &end["goodput_bytes"]),
        (
            &summary["totals"]["rows"]["ok"],
            &summary["totals"]["goodput_bytes"]
        )
    );
    assert_eq!(end["result_key"], "result_run_async_1.json");
    assert_eq!(progress[1]["fetched_objects"], end["ok"]);
    let metrics = metrics.unwrap();
    assert_eq!(
        metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"],
        "team/parfetch"
    );
    assert_eq!(
        (&metrics["OkObjects"], &metrics["Throughput"]),
        (&end["ok"], &end["throughput_bytes_per_s"])
    );
    assert_eq!(
        (&metrics["Mode"], &metrics["Concurrency"]),
        (&"async".into(), &"1".into())
    );
}

#[test]
fn warnings_errors_and_hints_are_objects_too() {
    let server = Scripted::start(3, |request| {
        (request.path() == "source/k0001").then(|| Reply::error(403, "AccessDenied"))
    });
    let said = Invocation::run(&server)
        .env(&[
            ("PARFETCH_LOG_FORMAT", "json"),
            ("PARFETCH_EMF", "parfetch"),
        ])
        .go();
    said.exits(3);
    let (all, metrics) = lines(&said);
    assert_eq!(metrics.unwrap()["FailedObjects"], 1);
    let failed = with_level(&all, "WARN");
    assert_eq!(
        failed[0]["message"],
        "1 of 3 fetches failed: k0001 (AccessDenied)"
    );
    assert_eq!(
        (
            &all.last().unwrap()["exit_code"],
            &all.last().unwrap()["failed"]
        ),
        (&3.into(), &1.into())
    );
    assert!(
        with_level(&all, "INFO").is_empty(),
        "--progress never: {}",
        said.stderr
    );

    let gone = Invocation::run_at("http://127.0.0.1:1")
        .args(&[
            "--log-format",
            "json",
            "--connect-timeout",
            "100ms",
            "--attempts",
            "1",
        ])
        .go();
    gone.exits(4);
    let all = lines(&gone).0;
    let errors = with_level(&all, "ERROR");
    assert_eq!(
        (
            errors.len(),
            &errors[0]["exit_code"],
            errors[0]["hint"].is_string()
        ),
        (1, &4.into(), true),
        "{}",
        gone.stderr
    );

    let wrong = Invocation::bare(&["--log-format=json", "--no-such-flag"]).go();
    wrong.exits(2);
    assert_eq!(lines(&wrong).0[0]["exit_code"], 2);
}

#[test]
fn results_that_are_not_stored_are_objects_too() {
    let server = Scripted::start(3, |request| {
        request
            .puts(".csv")
            .then(|| Reply::error(403, "AccessDenied"))
    });
    let said = Invocation::run(&server)
        .args(&["--log-format", "json"])
        .go();
    said.exits(5);
    let all = lines(&said).0;
    let errors = with_level(&all, "ERROR");
    assert!(
        errors.iter().any(|line| line["message"]
            .as_str()
            .unwrap()
            .starts_with("results not stored: ")),
        "{}",
        said.stderr
    );
    assert!(errors.iter().any(|line| {
        line.get("summary")
            .is_some_and(|text| text.as_str().unwrap().contains("parfetch.run-summary"))
    }));
}

#[test]
fn without_the_format_a_log_is_for_people() {
    let server = Scripted::start(1, |_| None);
    let said = Invocation::run(&server)
        .args(&["--emf", "parfetch", "--progress", "auto"])
        .go();
    said.exits(0);
    let (metrics, rest): (Vec<_>, Vec<_>) =
        said.stderr.lines().partition(|line| line.starts_with('{'));
    assert_eq!(metrics.len(), 1);
    assert!(
        rest.iter()
            .any(|line| line.starts_with("fetched 1/1 objects")),
        "{}",
        said.stderr
    );
    assert!(!said.stdout.contains("_aws"));
    Invocation::run(&server)
        .args(&["--emf", "AWS/S3"])
        .go()
        .exits(2);
}

#[test]
fn a_run_that_is_interrupted_ends_with_its_line() {
    use rustix::process::Signal;
    let server = Scripted::start(400, |request| {
        if request.is_fetch() {
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    });
    let running = Invocation::run(&server)
        .args(&["--log-format", "json", "--emf", "parfetch"])
        .start();
    server.wait_for(3, Request::is_fetch);
    running.signal(Signal::TERM);
    let said = running.end();
    said.exits(143);
    let (all, metrics) = lines(&said);
    let end = all.last().unwrap();
    assert_eq!(
        (&end["state"], &end["exit_code"], &end["level"]),
        (&"interrupted".into(), &143.into(), &"WARN".into()),
        "{}",
        said.stderr
    );
    let metrics = metrics.unwrap();
    assert!(
        metrics["NotAttemptedObjects"].as_u64().unwrap() > 0 && !metrics.contains_key("Throughput")
    );
}
