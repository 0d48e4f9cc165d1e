//! Faults of the server: no key is lost or doubled, totals are exact, attempts are counted, with both clients in all three modes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parfetch::internals::FaultCounts;
use parfetch::internals::Limit;
use parfetch::internals::Outcome;
use parfetch::internals::{ClientKind, Mode};

use crate::support::parfetch::Parfetch;
use crate::support::results::Results;

const OBJECTS: u64 = 500;
const SIZE: u64 = 40_000;

/// One fault: its key of `--embedded`, the codes that its attempts get, and how often the server says that it happened.
struct Fault {
    name: &'static str,
    codes: &'static [&'static str],
    injected: fn(&FaultCounts) -> u64,
}

const FAULTS: [Fault; 6] = [
    // Half of the resets come before the head; on a kept connection that is one the server closed meanwhile, for all a client can tell.
    Fault {
        name: "reset",
        codes: &["reset", "stale-connection"],
        injected: |f| f.reset,
    },
    Fault {
        name: "stall",
        codes: &["stalled"],
        injected: |f| f.stall,
    },
    Fault {
        name: "short",
        codes: &["short-body"],
        injected: |f| f.short,
    },
    Fault {
        name: "500",
        codes: &["InternalError"],
        injected: |f| f.internal_error,
    },
    Fault {
        name: "slowdown",
        codes: &["SlowDown"],
        injected: |f| f.slow_down,
    },
    Fault {
        name: "expired",
        codes: &["ExpiredToken"],
        injected: |f| f.expired_token,
    },
];

fn results(fault: &str, (mode, client): (Mode, ClientKind), exit: i32) -> (Results, FaultCounts) {
    let folder = tempfile::tempdir().unwrap();
    // More than 1 % of the objects, whatever chance does.
    let share = if fault == "missing" { "0.1" } else { "0.02" };
    // Short for stalls alone: on a loaded machine a second without a byte is nothing special.
    let patience = if fault == "stall" { "1s" } else { "10s" };
    let ran = Parfetch::new()
        .args([
            "run",
            "--stall-timeout",
            patience,
            "-c",
            "8",
            "-m",
            mode.as_str(),
            "--client",
            client.as_str(),
            "--output",
            "json",
        ])
        .arg(format!(
            "--embedded=objects={OBJECTS},size={SIZE},fault-{fault}={share}"
        ))
        .out(folder.path())
        .exits(exit);
    assert!(ran.stdout.starts_with('{'), "{}", ran.stdout);
    let results = Results::in_folder(folder.path(), &format!("result_run_{mode}_8"));
    let faults = results.summary.server.as_ref().unwrap()["faults"].clone();
    (results, serde_json::from_value(faults).unwrap())
}

fn pairs() -> impl Iterator<Item = (Mode, ClientKind)> {
    Mode::ALL
        .into_iter()
        .flat_map(|mode| ClientKind::ALL.map(|client| (mode, client)))
}

fn every_key_once(results: &Results) {
    assert_eq!(results.rows.len() as u64, OBJECTS);
    assert_eq!(
        results
            .rows
            .iter()
            .map(|row| &row.key)
            .collect::<BTreeSet<_>>()
            .len() as u64,
        OBJECTS
    );
    assert!(
        results.rows.is_sorted_by_key(|row| row.key.clone()),
        "in listing order"
    );
}

fn survives(fault: &Fault) {
    for (mode, client) in pairs() {
        let (results, faults) = results(fault.name, (mode, client), 0);
        let cell = format!("{} {mode} {client}", fault.name);
        every_key_once(&results);
        assert!(
            results
                .rows
                .iter()
                .all(|row| row.outcome == Some(Outcome::Ok) && row.calc_size == Some(SIZE)),
            "{cell}"
        );
        let injected = (fault.injected)(&faults);
        assert!(injected > 0, "{cell}: the fault happened");
        let attempts = results.summary.attempts.as_ref().unwrap();
        let seen = attempts.by_code.values().sum::<u64>();
        assert_eq!(
            attempts.total,
            OBJECTS + seen,
            "{cell}: every attempt is counted: {:?}",
            attempts.by_code
        );
        // A machine that gives a process no time for a second makes stalls of its own; they are counted like the server's.
        assert!(
            seen == injected || fault.name == "stall" && seen > injected,
            "{cell}: {injected} injected, {:?}",
            attempts.by_code
        );
        assert!(
            attempts
                .by_code
                .keys()
                .all(|code| fault.codes.contains(&code.as_str())),
            "{cell}: {:?}",
            attempts.by_code
        );
        assert_eq!(
            results
                .rows
                .iter()
                .map(|row| u64::from(row.attempts.unwrap_or(0)))
                .sum::<u64>(),
            attempts.total,
            "{cell}"
        );
        let totals = results.summary.totals.as_ref().unwrap();
        assert_eq!(
            totals.goodput_bytes,
            OBJECTS * SIZE,
            "{cell}: bytes of failed attempts are no goodput"
        );
        assert!(
            totals.received_bytes.unwrap() >= totals.goodput_bytes,
            "{cell}"
        );
    }
}

/// Objects of two parts, the second of one byte: every fault hits either.
#[test]
fn faults_cost_no_part() {
    const PARTED: u64 = 60;
    const LENGTH: u64 = (1 << 20) + 1;
    for fault in [&FAULTS[0], &FAULTS[2], &FAULTS[4]] {
        for (mode, client) in pairs() {
            let folder = tempfile::tempdir().unwrap();
            Parfetch::new()
                .args([
                    "run",
                    "-c",
                    "8",
                    "-m",
                    mode.as_str(),
                    "--client",
                    client.as_str(),
                    "--part-size",
                    "1MiB",
                    "--order",
                    "shuffled",
                ])
                .arg(format!(
                    "--embedded=objects={PARTED},size={LENGTH},fault-{}=0.08",
                    fault.name
                ))
                .out(folder.path())
                .exits(0);
            let results = Results::in_folder(folder.path(), &format!("result_run_{mode}_8"));
            let cell = format!("{} {mode} {client}", fault.name);
            assert!(
                results.rows.is_sorted_by_key(|row| row.key.clone())
                    && results.rows.len() as u64 == PARTED,
                "{cell}"
            );
            assert!(
                results
                    .rows
                    .iter()
                    .all(|row| row.outcome == Some(Outcome::Ok) && row.calc_size == Some(LENGTH)),
                "{cell}"
            );
            let faults: FaultCounts =
                serde_json::from_value(results.summary.server.as_ref().unwrap()["faults"].clone())
                    .unwrap();
            let injected = (fault.injected)(&faults);
            let attempts = results.summary.attempts.as_ref().unwrap();
            assert!(
                injected > 0 && attempts.total == 2 * PARTED + injected,
                "{cell}: every attempt is counted"
            );
            assert_eq!(attempts.by_code.values().sum::<u64>(), injected, "{cell}");
            assert_eq!(
                results
                    .rows
                    .iter()
                    .map(|row| u64::from(row.attempts.unwrap()))
                    .sum::<u64>(),
                attempts.total,
                "{cell}"
            );
            assert_eq!(
                results.summary.totals.as_ref().unwrap().goodput_bytes,
                PARTED * LENGTH,
                "{cell}"
            );
        }
    }
}

#[test]
fn resets_cost_no_key() {
    survives(&FAULTS[0]);
}

#[test]
fn stalls_cost_no_key() {
    survives(&FAULTS[1]);
}

#[test]
fn short_bodies_cost_no_key() {
    survives(&FAULTS[2]);
}

#[test]
fn internal_errors_cost_no_key() {
    survives(&FAULTS[3]);
}

#[test]
fn throttling_costs_no_key() {
    survives(&FAULTS[4]);
}

#[test]
fn expired_credentials_cost_no_key() {
    survives(&FAULTS[5]);
}

#[test]
fn objects_that_are_gone_are_vanished_and_not_tried_again() {
    for (mode, client) in pairs() {
        let (results, faults) = results("missing", (mode, client), 3);
        every_key_once(&results);
        let vanished = results
            .rows
            .iter()
            .filter(|row| row.outcome == Some(Outcome::Vanished))
            .count() as u64;
        assert!(
            vanished > OBJECTS / 100 && vanished == faults.missing,
            "{mode} {client}"
        );
        assert_eq!(
            results.summary.verdict.as_ref().unwrap().word,
            Limit::Failed,
            "{mode} {client}: more than 1 %"
        );
        assert_eq!(
            results.summary.attempts.as_ref().unwrap().total,
            OBJECTS,
            "{mode} {client}: 404 is not retried"
        );
        let ok = results
            .rows
            .iter()
            .filter(|row| row.outcome == Some(Outcome::Ok))
            .count() as u64;
        assert_eq!(ok + vanished, OBJECTS, "{mode} {client}");
    }
}

/// A server of its own on a port of its own; killed when dropped.
struct Served(Child);

impl Served {
    fn start(port: u16) -> Self {
        let options = format!("objects={OBJECTS},size={SIZE},ttfb=20ms");
        let folder = std::env::temp_dir();
        let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
        command
            .args([
                "serve",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--access-key",
                "away",
                "--options",
                &options,
                "--results-dir",
            ])
            .arg(folder);
        let mut child = command
            .env("PARFETCH_SERVE_SECRET_KEY", "away-secret")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(first.starts_with("export AWS_ENDPOINT_URL="), "{first}");
        Self(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// The store goes away in mid-run and comes back two seconds later on the same port.
fn rides_through(mode: Mode, client: ClientKind) {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = Served::start(port);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
    command
        .env_clear()
        .args([
            "run",
            "-b",
            "source",
            "-c",
            "8",
            "-m",
            mode.as_str(),
            "--client",
            client.as_str(),
            "--out",
        ])
        .arg(folder.path());
    command.envs([
        ("AWS_ACCESS_KEY_ID", "away"),
        ("AWS_SECRET_ACCESS_KEY", "away-secret"),
        ("AWS_REGION", "us-east-1"),
    ]);
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let mut run = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("fetching") {
        line.clear();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "the run begins to fetch"
        );
    }
    drop(server);
    // Being away for so long is what is tried, not a wait for something.
    std::thread::sleep(Duration::from_secs(2));
    let _server = Served::start(port);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0), "{rest}");
    let results = Results::in_folder(folder.path(), &format!("result_run_{mode}_8"));
    every_key_once(&results);
    assert!(
        results
            .rows
            .iter()
            .all(|row| row.outcome == Some(Outcome::Ok) && row.calc_size == Some(SIZE))
    );
    let attempts = results.summary.attempts.as_ref().unwrap();
    assert!(
        attempts.total > OBJECTS && !attempts.by_code.is_empty(),
        "it was away: {attempts:?}"
    );
}

#[test]
fn a_store_that_is_away_for_two_seconds_costs_no_key() {
    for (mode, client) in pairs() {
        rides_through(mode, client);
    }
}

#[test]
fn a_run_that_time_ends_has_a_row_for_every_object_that_was_served() {
    for (mode, client) in pairs() {
        let folder = tempfile::tempdir().unwrap();
        Parfetch::new()
            .args([
                "run",
                "--embedded=objects=300,size=1KiB",
                "--duration",
                "1s",
                "-c",
                "8",
                "-m",
                mode.as_str(),
                "--client",
                client.as_str(),
            ])
            .out(folder.path())
            .exits(0);
        let results = Results::in_folder(folder.path(), &format!("result_run_{mode}_8"));
        assert_eq!(
            results.summary.warnings,
            Vec::<String>::new(),
            "{mode} {client}"
        );
        // The server counts an object a moment after its last byte: the newest of each connection may be missing.
        let gets = results.summary.server.as_ref().unwrap()["gets"]
            .as_u64()
            .unwrap();
        assert!(
            (gets..=gets + 8).contains(&(results.rows.len() as u64)),
            "{mode} {client}: {gets} served, {} rows",
            results.rows.len()
        );
        assert!(
            results.summary.cpu.fetch_user_ns.is_some(),
            "{mode} {client}"
        );
    }
}

#[test]
fn many_workers_are_served_in_each_mode() {
    for (mode, concurrency) in [
        (Mode::Async, 1_024),
        (Mode::Thread, 1_024),
        (Mode::Process, 128),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = concurrency.to_string();
        Parfetch::new()
            .args([
                "run",
                "--embedded=objects=3000,size=1KiB",
                "-m",
                mode.as_str(),
                "-c",
                &text,
            ])
            .out(folder.path())
            .exits(0);
        let results =
            Results::in_folder(folder.path(), &format!("result_run_{mode}_{concurrency}"));
        assert_eq!(
            results.summary.totals.as_ref().unwrap().rows.ok,
            3_000,
            "{mode}"
        );
        let in_flight = results.summary.in_flight.as_ref().unwrap();
        assert!(in_flight.most.unwrap() <= concurrency, "{mode}");
        if mode == Mode::Thread {
            assert!(in_flight.tids > 1 && in_flight.pids == 1, "{in_flight:?}");
        }
    }
}
