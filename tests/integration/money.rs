//! Bytes and money from the outside: what is asked for before it is fetched, and what holds while it is.
//!
//! The server listens on 127.0.0.1. Its address is given as 0.0.0.0, which Linux connects to this machine as well, and which is no loopback address: so it
//! stands for a store elsewhere.

use std::fs;
use std::path::Path;

use parfetch::internals::{State, Summary};

use crate::support::parfetch::{Parfetch, Ran};
use crate::support::source::{Source, Store};

/// 30 GB, of which nothing is fetched.
const MUCH: &str = "objects=100,size=300MB";

fn elsewhere(source: &Source, command: &str) -> Parfetch {
    let at = &source.endpoint;
    Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", &at.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
        .env("AWS_REGION", &at.region)
        .env("AWS_ENDPOINT_URL", &at.url.replace("127.0.0.1", "0.0.0.0"))
        .env("BUCKET_NAME", &source.bucket)
        .arg(command)
}

fn sweep(source: &Source, out: &Path) -> Parfetch {
    let words = [
        "--vcpu", "1", "--client", "lean", "--mode", "async", "-c", "1,4", "--repeat", "2", "--id",
        "s",
    ];
    elsewhere(source, "sweep").args(words).out(out)
}

fn first_lines(ran: &Ran) -> (String, String) {
    let mut lines = ran
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error: "));
    (
        lines.next().unwrap_or_default().to_owned(),
        lines.next().unwrap_or_default().to_owned(),
    )
}

fn summary(out: &Path) -> Summary {
    Summary::from_json(&fs::read_to_string(out.join("result_run_async_16.json")).unwrap()).unwrap()
}

#[test]
fn a_run_of_much_is_asked_for_and_says_how_to_allow_it() {
    let source = Store::serving(MUCH);
    let out = tempfile::tempdir().unwrap();
    let ran = elsewhere(&source, "run").out(out.path()).exits(2);
    let (error, hint) = first_lines(&ran);
    assert_eq!(
        error,
        "error: this run fetches 30.0 GB from s3://source/: allow it with --yes, or up to a size with --max-bytes SIZE"
    );
    assert_eq!(
        hint,
        "hint: --dry-run only looks; --sample, --limit or --prefix fetch less"
    );
    assert!(
        !out.path().join("result_run_async_16.csv").exists(),
        "nothing was fetched"
    );
    assert_eq!(summary(out.path()).state, State::Failed);
    // Less of it needs no question.
    elsewhere(&source, "run")
        .args(["--sample", "1"])
        .args(["--duration", "1ms"])
        .out(out.path())
        .exits(0);
}

#[test]
fn a_limit_of_bytes_allows_what_is_below_it_and_nothing_above() {
    let source = Store::serving("objects=40,size=1MB");
    let out = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        elsewhere(&source, "run")
            .args(words.iter().copied())
            .out(out.path())
    };
    let (error, _) = first_lines(&run(&["--max-bytes", "39MB"]).exits(2));
    assert_eq!(
        error,
        "error: this run fetches 40.0 MB from s3://source/, and --max-bytes is 39.0 MB"
    );
    let (error, _) = first_lines(&run(&["--max-bytes", "39MB", "--yes"]).exits(2));
    assert_eq!(
        error,
        "error: this run fetches 40.0 MB from s3://source/, and --max-bytes is 39.0 MB"
    );
    run(&["--max-bytes", "40MB"]).exits(0);
    // It holds on this machine as well.
    Parfetch::run(&source)
        .env("PARFETCH_MAX_BYTES", "39MB")
        .out(out.path())
        .exits(2);
    let (error, _) = first_lines(&run(&["--max-bytes", "lots"]).exits(2));
    assert_eq!(
        error,
        "error: --max-bytes is `lots`, which is not a size above 0"
    );
}

/// How much fits into a time is not known beforehand: there the limit holds while the run fetches.
#[test]
fn a_run_that_time_ends_stops_at_its_limit_of_bytes() {
    let source = Store::serving("objects=40,size=1MB,conn-rate=5MB");
    let out = tempfile::tempdir().unwrap();
    let ran = Parfetch::run(&source)
        .env("PARFETCH_PROGRESS", "auto")
        .args(["--duration", "1h", "--max-bytes", "10MB"])
        .out(out.path())
        .exits(0);
    assert!(
        ran.stderr
            .contains("warning: nothing more is handed out: 10.0 MB of --max-bytes are used up"),
        "{}",
        ran.stderr
    );
    let totals = summary(out.path()).totals.unwrap();
    // 16 fetches are in flight at the end.
    assert!(
        (10_000_000..60_000_000).contains(&totals.goodput_bytes),
        "{totals:?}"
    );
}

#[test]
fn a_dry_run_of_a_run_fetches_and_writes_nothing() {
    let source = Store::serving(MUCH);
    let out = tempfile::tempdir().unwrap();
    let ran = elsewhere(&source, "run")
        .args(["--dry-run", "-c", "4"])
        .exits(0);
    assert!(
        ran.stdout
            .starts_with("bytes: 30.0 GB\nrequests: 100 GETs and 1 LIST request\ntime: "),
        "{}",
        ran.stdout
    );
    elsewhere(&source, "run")
        .arg("--dry-run")
        .out(out.path())
        .exits(0);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    let sampled = elsewhere(&source, "run")
        .args(["--dry-run", "--sample", "3GB", "--part-size", "100MiB"])
        .exits(0);
    assert!(
        sampled.stdout.contains("bytes: 3.00 GB\nrequests: 30 GETs"),
        "{}",
        sampled.stdout
    );
}

#[test]
fn a_sweep_of_much_is_asked_for_as_a_whole() {
    // A sample has 1.8 GB: five runs of it have 9 GB, and all keys 5 × 30 GB.
    let source = Store::serving(MUCH);
    let out = tempfile::tempdir().unwrap();
    let dry = sweep(&source, out.path()).arg("--dry-run").exits(0);
    assert!(
        dry.stdout.contains(" and 1 warm-up = 5 runs, ")
            && dry
                .stdout
                .contains("\n  1 vCPU · 2 GB · async × 1, 4 · lean\nbytes: "),
        "{}",
        dry.stdout
    );
    let all = sweep(&source, out.path())
        .args(["--sample", "all", "--dry-run"])
        .exits(0);
    assert!(
        all.stdout.contains(
            "bytes: 30.0 GB per run, 150 GB in all 5 runs\nrequests: 500 GETs and 1 LIST request\n"
        ),
        "{}",
        all.stdout
    );
    let (error, _) = first_lines(
        &sweep(&source, out.path())
            .args(["--sample", "all"])
            .exits(2),
    );
    assert_eq!(
        error,
        "error: this sweep fetches 150 GB from s3://source/: allow it with --yes, or up to a size with --max-bytes SIZE"
    );
    let (error, _) = first_lines(
        &sweep(&source, out.path())
            .args(["--sample", "all", "--max-bytes", "149GB"])
            .exits(2),
    );
    assert_eq!(
        error,
        "error: this sweep fetches 150 GB from s3://source/, and --max-bytes is 149 GB"
    );
    assert!(
        !out.path()
            .join("sweeps/s/lean-1vcpu-2048mib-async-x1")
            .exists(),
        "nothing was started"
    );
}

/// What a killed part of a sweep fetched is gone: the limit is that of one command, and counts what it starts.
#[test]
fn a_sweep_starts_no_run_beyond_its_limit() {
    let source = Store::serving("objects=20,size=100KB");
    let out = tempfile::tempdir().unwrap();
    // The plan is five runs of 2 MB; the limit leaves no room for a run that is tried again, so it is not below the plan.
    sweep(&source, out.path())
        .args(["--max-bytes", "10MB"])
        .exits(0);
    // Rounds of a time are not known before: the second run finds nothing left.
    let timed = tempfile::tempdir().unwrap();
    let ran = sweep(&source, timed.path())
        .args(["--duration", "300ms", "--max-bytes", "1MB"])
        .exits(3);
    let (error, hint) = first_lines(&ran);
    assert_eq!(
        error, "error: --max-bytes is used up after 0 runs: another one would go beyond",
        "{}",
        ran.stderr
    );
    assert_eq!(
        hint,
        "hint: to continue, run the same command with --id s; it counts its bytes anew"
    );
}

/// What an earlier command made, nobody agrees to again.
#[test]
fn a_tune_that_continues_asks_for_what_is_left() {
    // 200 MB, which a run reads as a whole, as it is assumed.
    let source = Store::serving("objects=200,size=1MB");
    let out = tempfile::tempdir().unwrap();
    let tune = |words: &[&str]| {
        let all = "--vcpu 1 -m async -c 1,64 --duration 30s --id t";
        let tune = elsewhere(&source, "tune").args(all.split(' '));
        tune.args(words.iter().copied()).out(out.path())
    };
    let asked = || first_lines(&tune(&["--max-runs", "150"]).exits(2)).0;
    let all = "error: this tune fetches about 30.0 GB from s3://source/: ";
    assert!(asked().starts_with(all), "{}", asked());
    tune(&["--max-runs", "2"]).exits(0);
    let left = "error: this tune fetches about 29.6 GB from s3://source/: ";
    assert!(asked().starts_with(left), "{}", asked());
}

/// Without its id, the same command is another sweep: what was measured would be measured again.
#[test]
fn what_ends_a_sweep_early_names_the_id_that_continues_it() {
    let source = Store::serving("objects=20,size=100KB");
    let out = tempfile::tempdir().unwrap();
    let words = [
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
        "--duration",
        "100ms",
    ];
    let begin = || elsewhere(&source, "sweep").args(words).out(out.path());
    let (_, hint) = first_lines(&begin().args(["--max-bytes", "1MB"]).exits(3));
    let id = hint
        .strip_prefix("hint: to continue, run the same command with --id ")
        .and_then(|rest| rest.split(';').next())
        .unwrap_or_else(|| panic!("{hint}"));
    begin().args(["--max-bytes", "10GB", "--id", id]).exits(0);
    let sweeps = fs::read_dir(out.path().join("sweeps")).unwrap().count();
    assert_eq!(sweeps, 1, "the same sweep was continued");
}
