//! The account of a run closes in every mode and in whatever way it ends; what is not a good run does not look like one.

use parfetch::internals::Mode;
use parfetch::internals::{Limit, State, Summary};

use crate::support::parfetch::Parfetch;
use crate::support::results::Results;
use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

const STEM: &str = "result_run_async_16";

/// Plain, in parts, for a time, and one of two shards.
const WAYS: [&[&str]; 5] = [
    &[],
    &["--part-size", "1MiB", "--order", "largest-first"],
    &["--duration", "300ms"],
    &[
        "--duration",
        "300ms",
        "--part-size",
        "1MiB",
        "--order",
        "shuffled",
    ],
    &["--shard", "0/2"],
];

#[test]
fn it_closes_in_every_mode_and_way() {
    for mode in Mode::ALL {
        for (number, way) in WAYS.iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let tag = number.to_string();
            Parfetch::new()
                .args([
                    "run",
                    "--embedded=objects=30,size=2560KiB,archived=0.1",
                    "-c",
                    "3",
                    "-m",
                    mode.as_str(),
                    "--tag",
                    &tag,
                ])
                .args(way.iter().copied())
                .out(folder.path())
                .exits(0);
            let shard = if way.contains(&"--shard") {
                ".shard-0-of-2"
            } else {
                ""
            };
            // Reading them checks the account.
            let results =
                Results::in_folder(folder.path(), &format!("result_{tag}_{mode}_3{shard}"));
            let totals = results.summary.totals.unwrap();
            assert_eq!(results.summary.state, State::Complete, "{mode} {way:?}");
            assert!(
                totals.rows.ok > 0 && totals.rows.archived > 0,
                "{mode} {way:?}: {totals:?}"
            );
            assert_eq!(
                totals.row_bytes.unwrap().ok,
                totals.goodput_bytes,
                "{mode} {way:?}: every object was as listed"
            );
        }
    }
}

#[test]
fn it_closes_when_a_signal_ends_the_run() {
    for mode in Mode::ALL {
        for way in [&[][..], &["--duration", "1h"], &["--shard", "0/2"]] {
            let hold = Hold::default();
            let gate = hold.clone();
            let server = Scripted::start(20, move |request| {
                if request.is_fetch() && is_late(request) {
                    gate.wait();
                }
                None
            });
            let running = Invocation::run(&server)
                .args(&["-m", mode.as_str(), "-c", "2", "-o", "out"])
                .args(way)
                .start();
            server.wait_for(1, is_late);
            running.signal(rustix::process::Signal::INT);
            running.wait_for("warning: interrupted");
            hold.open();
            let said = running.end();
            said.exits(130);
            let shard = if way.contains(&"--shard") {
                ".shard-0-of-2"
            } else {
                ""
            };
            let results = read(&said, &format!("result_run_{mode}_2{shard}"));
            let totals = results.summary.totals.unwrap();
            assert_eq!(results.summary.state, State::Interrupted, "{mode} {way:?}");
            let left = totals.rows.not_attempted;
            if way.contains(&"--duration") {
                assert_eq!(
                    left, 0,
                    "{mode}: what was not begun was not asked for: {totals:?}"
                );
            } else if left > 0 {
                let warning = format!(
                    "{left} of {} objects were not attempted; the first is k",
                    totals.keys_listed
                );
                assert!(
                    said.stderr.contains(&warning),
                    "{mode} {way:?}: {}",
                    said.stderr
                );
                assert!(said.stdout.contains("Not fetched"), "{}", said.stdout);
            }
        }
    }
}

/// All but the first five objects.
fn is_late(request: &Request) -> bool {
    request.path() >= "source/k0005"
}

/// The results that a run left in `out`.
fn read(said: &Said, stem: &str) -> Results {
    Results::in_folder(&said.folder.path().join("out"), stem)
}

/// A run over 100 objects of which the first `gone` are not there.
fn vanished(gone: usize, mode: &str) -> (Said, Summary) {
    let server = Scripted::start(100, move |request| {
        let number: usize = request.path().strip_prefix("source/k")?.parse().ok()?;
        (number < gone).then(|| Reply::error(404, "NoSuchKey"))
    });
    let said = Invocation::run(&server)
        .args(&["-m", mode, "-c", "16", "-o", "out"])
        .go();
    let summary = read(&said, &format!("result_run_{mode}_16")).summary;
    (said, summary)
}

#[test]
fn more_than_one_in_a_hundred_gone_is_no_good_run() {
    for (gone, exit, why) in [
        (1, 0, None),
        (
            2,
            3,
            Some("2 of 100 objects were missing when fetched, which is more than 1 %"),
        ),
        (100, 3, Some("nothing was fetched: 100 missing")),
    ] {
        for mode in ["async", "process"] {
            let (said, summary) = vanished(gone, mode);
            said.exits(exit);
            let verdict = summary.verdict.unwrap();
            assert_eq!(
                (summary.state, verdict.word == Limit::Failed),
                (State::Complete, exit == 3),
                "{mode} {gone}: {verdict:?}"
            );
            if let Some(why) = why {
                assert_eq!(verdict.because[0], why, "{mode}");
                assert!(
                    said.stderr.contains(&format!(
                        "warning: {why}: the figures of this run do not count"
                    )),
                    "{}",
                    said.stderr
                );
            }
        }
    }
}

#[test]
fn nothing_but_archived_objects_is_nothing_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let ran = Parfetch::new()
        .args(["run", "--embedded=objects=7,size=1KiB,archived=1"])
        .out(folder.path())
        .exits(3);
    assert!(
        ran.stderr.contains("nothing was fetched: 7 archived"),
        "{}",
        ran.stderr
    );
    let results = Results::in_folder(folder.path(), STEM);
    assert_eq!(results.summary.verdict.unwrap().word, Limit::Failed);
}
