//! What one worker cannot go on after ends the run, in the same way whatever a worker is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parfetch::internals::Outcome;

use super::{MODES, held, results};
use crate::support::scripted::Scripted;
use crate::support::strict::Invocation;

/// A file of this name anywhere below.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            find(&path, name)
        } else {
            Some(path).filter(|path| path.ends_with(name))
        }
    })
}

/// The file of what to fetch is cut while every worker is at its first fetch.
#[test]
fn a_spool_file_that_cannot_be_read_ends_the_run_alike_in_every_mode() {
    for mode in MODES {
        let (server, hold) = held(400, |_| 1);
        let invocation = Invocation::run(&server)
            .args(&["-m", mode, "-c", "4", "--order", "shuffled", "-o", "out"]);
        let folder = invocation.folder().to_owned();
        let running = invocation.start();
        server.wait_for(4, |request| {
            request.is_fetch() && request.path().starts_with("source/k")
        });
        let items = find(&folder, "items.bin").expect("the order of fetching is on disk");
        fs::File::options()
            .write(true)
            .open(items)
            .unwrap()
            .set_len(0)
            .unwrap();
        hold.open();
        let said = running.end();
        said.exits(1);
        assert_eq!(
            said.lines("error: "),
            ["cannot read the spool file of what to fetch: failed to fill whole buffer"],
            "{mode}"
        );
        assert_eq!(
            said.lines("hint: "),
            ["nothing else may change files in --spool-dir during a run"],
            "{mode}"
        );
        let results = results(&said, &format!("result_run_{mode}_4"));
        assert_eq!(
            serde_json::to_value(&results.summary).unwrap()["state"],
            "failed",
            "{mode}"
        );
        let of = |outcome| {
            results
                .rows
                .iter()
                .filter(|row| row.outcome == Some(outcome))
                .count()
        };
        assert_eq!(
            (
                results.rows.len(),
                of(Outcome::Ok) + of(Outcome::NotAttempted)
            ),
            (400, 400),
            "{mode}: no fetch in flight is cut off"
        );
        // Each worker does at most what it had read, and the first to want more all of that. A range is a sixteenth of what is left: the first
        // four have 25, 23, 22 and 20 items.
        assert!(
            (20..=25 + 23 + 22 + 20).contains(&of(Outcome::Ok)),
            "{mode}: {}",
            of(Outcome::Ok)
        );
    }
}

/// Rows cannot be written any more: the disk is full, or (here) a file is as long as it may get.
#[test]
fn rows_that_cannot_be_written_end_the_run_alike_in_every_mode() {
    const KEYS: usize = 8_000; // twice what the writer of rows holds
    // More than the keys need, and less than half of what the rows do.
    let limited = [
        "bash",
        "-c",
        "trap '' XFSZ; ulimit -f 200; exec \"$@\"",
        "bash",
    ];
    for mode in MODES {
        let fetched = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&fetched);
        let server = Scripted::busy(KEYS, move |request| {
            if request.is_fetch() && request.path().starts_with("source/k") {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            None
        });
        let words = [
            "run",
            "-b",
            "source",
            "-r",
            "results",
            "-c",
            "4",
            "-m",
            mode,
            "-o",
            "out",
            "--progress",
            "never",
            "--endpoint-url",
        ];
        let url = server.url();
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", crate::support::strict::SECRET),
            ("AWS_REGION", "us-east-1"),
        ];
        let said = Invocation::under(&limited, &[&words[..], &[url.as_str()]].concat())
            .env(&keys)
            .go();
        said.exits(5);
        assert!(
            said.lines("error: ")[0].starts_with("results not stored: "),
            "{mode}: {}",
            said.stderr
        );
        let state: serde_json::Value =
            serde_json::from_str(&said.read(format!("out/result_run_{mode}_4.json"))).unwrap();
        assert_eq!(state["state"], "failed", "{mode}");
        assert!(
            fetched.load(Ordering::Relaxed) < KEYS,
            "{mode}: no more keys are handed out"
        );
    }
}
