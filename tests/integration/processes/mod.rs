//! Workers that fail, and child processes that are killed, stopped, or wait: no key is lost, none comes twice, and every mode ends alike.
#![cfg(target_os = "linux")]

mod chaos;
mod errors;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use parfetch::internals::Outcome;
use rustix::process::{Signal, kill_process};

use crate::support::parfetch::Parfetch;
use crate::support::results::Results;
use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, Running, Said, gone};

const MODES: [&str; 3] = ["async", "thread", "process"];

fn results(said: &Said, stem: &str) -> Results {
    Results::in_folder(&said.folder.path().join("out"), stem)
}

/// Every key has one row, and was fetched.
#[track_caller]
fn all_fetched(results: &Results, keys: usize) {
    assert_eq!(results.rows.len(), keys);
    assert_eq!(
        results
            .rows
            .iter()
            .map(|row| &row.key)
            .collect::<BTreeSet<_>>()
            .len(),
        keys
    );
    let bad: Vec<_> = results
        .rows
        .iter()
        .filter(|row| row.outcome != Some(Outcome::Ok))
        .map(|row| (&row.key, row.outcome))
        .collect();
    assert!(bad.is_empty(), "{bad:?}: {:?}", results.summary.warnings);
    assert_eq!(
        results.summary.totals.as_ref().unwrap().rows.ok,
        keys as u64
    );
}

/// A listing of so many objects, of these sizes.
fn page(count: usize, size: impl Fn(usize) -> usize) -> Reply {
    let keys = (0..count).map(|place| {
        format!(
            "<Contents><Key>k{place:04}</Key><Size>{}</Size><ETag>e</ETag></Contents>",
            size(place)
        )
    });
    let keys = keys.collect::<Vec<_>>().concat();
    Reply::ok(format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>source</Name>{keys}<IsTruncated>false</IsTruncated></ListBucketResult>"
    ))
}

/// A store of so many objects; the object at place p has `size(p)` bytes, and every fetch waits for the hold.
fn held(count: usize, size: fn(usize) -> usize) -> (Scripted, Hold) {
    let hold = Hold::default();
    let gate = hold.clone();
    let server = Scripted::start(count, move |request| {
        if request.is_listing() {
            return Some(page(count, size));
        }
        let place: usize = request
            .path()
            .strip_prefix("source/k")
            .filter(|_| request.is_fetch())?
            .parse()
            .ok()?;
        gate.wait();
        Some(Reply::ok(vec![0; size(place)]))
    });
    (server, hold)
}

fn fetches(server: &Scripted) -> Vec<String> {
    server
        .requests()
        .iter()
        .filter(|request| request.is_fetch() && request.path().starts_with("source/k"))
        .map(|r| r.path().to_owned())
        .collect()
}

/// As many objects as workers: all of them are in flight at once, whatever a worker is.
#[test]
fn as_many_fetches_are_in_flight_as_there_are_workers() {
    for (mode, order) in MODES
        .into_iter()
        .flat_map(|mode| ["listed", "largest-first"].map(|order| (mode, order)))
    {
        let (server, hold) = held(4, |_| 1);
        // None is asked for twice because its answer is held back.
        let patient = [
            "-m",
            mode,
            "-c",
            "4",
            "--order",
            order,
            "--stall-timeout",
            "10m",
            "-o",
            "out",
        ];
        let running = Invocation::run(&server).args(&patient).start();
        server.wait_for(4, |request| {
            request.is_fetch() && request.path().starts_with("source/k")
        });
        hold.open();
        let said = running.end();
        said.exits(0);
        all_fetched(&results(&said, &format!("result_run_{mode}_4")), 4);
    }
}

/// The largest objects are begun first, each by a worker of its own: one that waits behind another would be the end of the run.
#[test]
fn the_largest_objects_are_in_flight_together() {
    for mode in MODES {
        let (server, hold) = held(12, |place| 100 + (place * 5) % 12);
        let running = Invocation::run(&server)
            .args(&[
                "-m",
                mode,
                "-c",
                "4",
                "--order",
                "largest-first",
                "-o",
                "out",
            ])
            .start();
        server.wait_for(4, |request| {
            request.is_fetch() && request.path().starts_with("source/k")
        });
        let begun: BTreeSet<_> = fetches(&server).into_iter().collect();
        let mut places: Vec<_> = (0..12).collect();
        places.sort_by_key(|place| std::cmp::Reverse((place * 5) % 12));
        let largest: BTreeSet<_> = places[..4]
            .iter()
            .map(|place| format!("source/k{place:04}"))
            .collect();
        assert_eq!(begun, largest, "{mode}");
        hold.open();
        let said = running.end();
        said.exits(0);
        all_fetched(&results(&said, &format!("result_run_{mode}_4")), 12);
    }
}

fn second_fetch(request: &Request) -> bool {
    request.is_fetch() && request.path() == "source/k0001"
}

/// A child that was stopped says nothing any more: it is replaced, and what it had goes to others.
#[test]
fn a_child_that_is_stopped_holds_no_run() {
    let hold = Hold::default();
    let gate = hold.clone();
    let server = Scripted::start(40, move |request| {
        if second_fetch(request) {
            gate.wait();
        }
        None
    });
    let running = Invocation::run(&server)
        .args(&["-m", "process", "-o", "out", "--stall-timeout", "1s"])
        .start();
    server.wait_for(1, second_fetch);
    let child = running.children()[0];
    kill_process(child, Signal::STOP).unwrap();
    hold.open();
    let said = running.end();
    said.exits(0);
    gone(child);
    all_fetched(&results(&said, "result_run_process_1"), 40);
    let warnings = said.lines("warning: ");
    let known = format!(
        "child {} of worker 0 died (it sent nothing for 5s, and was killed); ",
        child.as_raw_nonzero()
    );
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(&known),
        "{warnings:?}"
    );
}

/// Kills the first two children as soon as they are there: most likely before they have said a word.
fn kill_two(running: &Running) {
    let mut killed = BTreeSet::new();
    let deadline = Instant::now() + crate::support::scripted::DEADLINE;
    while killed.len() < 2 {
        assert!(Instant::now() < deadline, "children begin");
        let Some(child) = running.children().first().copied() else {
            continue;
        };
        if killed.insert(child.as_raw_nonzero()) {
            // An error means that it ended by itself.
            let _gone = kill_process(child, Signal::KILL);
        }
    }
}

#[test]
fn a_child_that_is_killed_before_it_begins_is_replaced() {
    let (server, hold) = held(12, |_| 1);
    let running = Invocation::run(&server)
        .args(&["-m", "process", "-o", "out"])
        .start();
    kill_two(&running);
    hold.open();
    let said = running.end();
    said.exits(0);
    all_fetched(&results(&said, "result_run_process_1"), 12);
    let warnings = said.lines("warning: ");
    assert!(
        warnings.iter().all(|warning| warning.contains("died")
            || warning.contains("could not be replaced (signal 9)")),
        "{warnings:?}"
    );
    assert!(!warnings.is_empty());
}

/// The parent is stopped while its children are at work, and half of them die meanwhile: what it then hands to the dead must not be lost.
#[test]
fn a_parent_that_was_stopped_loses_nothing_to_children_that_died_meanwhile() {
    let (server, hold) = held(2_000, |_| 1);
    let running = Invocation::run(&server)
        .args(&["-m", "process", "-c", "8", "-o", "out"])
        .start();
    server.wait_for(8, |request| {
        request.is_fetch() && request.path().starts_with("source/k")
    });
    running.signal(Signal::STOP);
    hold.open();
    // Each does what it has in hand and in credit: until nothing more is asked for.
    let mut before = 0;
    while std::mem::replace(&mut before, fetches(&server).len()) != before {
        std::thread::sleep(Duration::from_millis(100));
    }
    for child in running.children().into_iter().step_by(2) {
        kill_process(child, Signal::KILL).unwrap();
    }
    running.signal(Signal::CONT);
    let said = running.end();
    said.exits(0);
    all_fetched(&results(&said, "result_run_process_8"), 2_000);
}

/// Objects that take longer than a store may be silent, beside fetches that failed: bytes come all the time, in every mode.
#[test]
fn a_slow_run_is_no_store_that_is_gone() {
    let runs = MODES.map(|mode| {
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            Parfetch::new()
                .args([
                    "run",
                    "-c",
                    "24",
                    "-m",
                    mode,
                    "--attempts",
                    "1",
                    "--stall-timeout",
                    "3s",
                ])
                // 11 s, for a silence of 6 s counts as the end. The first 450 KB come at once.
                .arg("--embedded=objects=24,size=1500KB,conn-rate=100KB/s,fault-500=0.2")
                .out(folder.path())
                .exits(3);
            let results = Results::in_folder(folder.path(), &format!("result_run_{mode}_24"));
            assert_eq!(
                serde_json::to_value(&results.summary).unwrap()["state"],
                "complete",
                "{mode}"
            );
            let outcomes: Vec<_> = results.rows.iter().map(|row| row.outcome).collect();
            assert!(
                outcomes.contains(&Some(Outcome::Failed)) && outcomes.contains(&Some(Outcome::Ok)),
                "{mode}: {outcomes:?}"
            );
            outcomes
        })
    });
    let [here, there, children] = runs.map(|run| run.join().unwrap());
    assert!(
        here == there && there == children,
        "what fails is drawn from the keys: the same in every mode"
    );
}
