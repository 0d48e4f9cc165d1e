//! Signals: what is there is stored and marked, and nothing lives on.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::scripted::{DEADLINE, Hold, Request, Scripted};
use crate::support::strict::{Invocation, Running, SECRET, Said, children_of, gone};

const MODES: [&str; 3] = ["async", "thread", "process"];
const SAID: &str = "warning: interrupted";

/// A store whose answers to slow requests wait for the hold.
fn held_back(
    count: usize,
    slow: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> (Scripted, Hold) {
    let hold = Hold::default();
    let gate = hold.clone();
    let server = Scripted::start(count, move |request| {
        if slow(request) {
            gate.wait();
        }
        None
    });
    (server, hold)
}

fn second_fetch(request: &Request) -> bool {
    request.is_fetch() && request.path() == "source/k0001"
}

fn run(server: &Scripted, mode: &str) -> Invocation {
    Invocation::run(server).args(&["-m", mode, "-o", "out"])
}

/// Outcome and codes of every row, and that its processes are gone.
fn rows(said: &Said, mode: &str) -> Vec<(String, String)> {
    let csv = said.read(format!("out/result_run_{mode}_1.csv"));
    let rows = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .collect::<Vec<_>>();
    rows.iter()
        .filter_map(|row| Pid::from_raw(row[12].parse().ok()?))
        .for_each(gone);
    rows.iter()
        .map(|row| (row[3].to_owned(), row[4].to_owned()))
        .collect()
}

fn state(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).unwrap()["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn puts(server: &Scripted) -> Vec<String> {
    let puts = server
        .requests()
        .into_iter()
        .filter(|request| request.method == "PUT");
    puts.map(|request| request.path().rsplit('.').next().unwrap().to_owned())
        .collect()
}

fn pair(outcome: &str, codes: &str) -> (String, String) {
    (outcome.to_owned(), codes.to_owned())
}

#[test]
fn a_fetch_in_flight_may_end_and_the_rest_is_not_attempted() {
    for mode in MODES {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let (server, hold) = held_back(4, second_fetch);
            let running = run(&server, mode).start();
            server.wait_for(1, second_fetch);
            running.signal(signal);
            running.wait_for(SAID);
            hold.open();
            let said = running.end();
            said.exits(code);
            let mut rows = rows(&said, mode);
            let third = rows.remove(2);
            assert_eq!(
                rows,
                [pair("ok", ""), pair("ok", ""), pair("not_attempted", "")],
                "{mode} {code}: {}",
                said.stderr
            );
            // A child has one key in credit, and may begin it before it hears of the signal.
            assert!(
                third == pair("not_attempted", "")
                    || (mode, &third) == ("process", &pair("ok", "")),
                "{third:?}"
            );
            let left = if third.0 == "ok" {
                "1 of 4 objects was not attempted; the first is k0003"
            } else {
                "2 of 4 objects were not attempted; the first is k0002"
            };
            assert_eq!(
                said.lines("warning: "),
                [
                    "interrupted: no new fetches start, partial results are stored",
                    left
                ]
            );
            assert_eq!(
                state(&said.read(format!("out/result_run_{mode}_1.json"))),
                "interrupted"
            );
            let stored = server
                .stored(&format!("results/result_run_{mode}_1.json"))
                .unwrap();
            assert_eq!(state(&String::from_utf8(stored).unwrap()), "interrupted");
            assert_eq!(
                puts(&server),
                ["json", "json", "csv"],
                "the small one first: time may be short"
            );
        }
    }
}

#[test]
fn a_run_whose_time_is_up_ends_as_by_sigterm() {
    for mode in MODES {
        let (server, _hold) = held_back(3, second_fetch);
        let said = run(&server, mode)
            .args(&["--stall-timeout", "10m", "--run-timeout", "1s"])
            .start()
            .end();
        said.exits(143);
        assert!(
            said.stderr
                .contains("the run has taken 1s, all that --run-timeout allows: it ends now"),
            "{}",
            said.stderr
        );
        assert_eq!(rows(&said, mode)[0], pair("ok", ""), "{mode}");
        assert_eq!(
            state(&said.read(format!("out/result_run_{mode}_1.json"))),
            "interrupted"
        );
    }
}

#[test]
fn a_fetch_that_does_not_end_is_given_up() {
    for mode in MODES {
        let (server, _hold) = held_back(3, second_fetch);
        let running = run(&server, mode).args(&["--stall-timeout", "10m"]).start();
        server.wait_for(1, second_fetch);
        running.signal(Signal::TERM);
        let said = running.end();
        said.exits(143);
        let expected = [
            pair("ok", ""),
            pair("failed", "interrupted"),
            pair("not_attempted", ""),
        ];
        assert_eq!(rows(&said, mode), expected, "{mode}: {}", said.stderr);
        assert_eq!(puts(&server), ["json", "json", "csv"]);
    }
}

#[test]
fn while_listing() {
    for (mode, (signal, code)) in MODES
        .into_iter()
        .flat_map(|mode| [(Signal::INT, 130), (Signal::TERM, 143)].map(|how| (mode, how)))
    {
        let (server, _hold) = held_back(3, Request::is_listing);
        let running = run(&server, mode).start();
        server.wait_for(1, Request::is_listing);
        running.signal(signal);
        let said = running.end();
        said.exits(code);
        assert_eq!(rows(&said, mode), []);
        assert_eq!(
            state(&said.read(format!("out/result_run_{mode}_1.json"))),
            "interrupted"
        );
        let stored = server
            .stored(&format!("results/result_run_{mode}_1.json"))
            .unwrap();
        assert_eq!(state(&String::from_utf8(stored).unwrap()), "interrupted");
        assert_eq!(puts(&server), ["json", "json", "csv"]);
    }
}

/// Every fetch has ended: the summary is whole, and must not wait for a CSV that may take longer than there is time.
#[test]
fn while_the_csv_is_stored() {
    for mode in MODES {
        let (server, hold) = held_back(3, |request| request.puts(".csv"));
        let running = run(&server, mode).start();
        server.wait_for(1, |request| request.puts(".csv"));
        running.signal(Signal::TERM);
        server.wait_a_moment_for(2, |request| request.puts(".json"));
        let early = server
            .requests()
            .into_iter()
            .rfind(|request| request.puts(".json"))
            .unwrap();
        let early: serde_json::Value = serde_json::from_slice(&early.body).unwrap();
        let warning = "told to end while the results were being stored: every fetch had ended; the CSV may be missing";
        assert_eq!(
            (&early["state"], &early["totals"]["rows"]["ok"]),
            (&"complete".into(), &3.into()),
            "{mode}"
        );
        assert_eq!(early["warnings"], serde_json::json!([warning]), "{mode}");
        hold.open();
        let said = running.end();
        // Nothing is missing: Batch would start the child again for 143.
        said.exits(0);
        assert_eq!(said.lines("warning: "), [warning]);
        assert_eq!(rows(&said, mode), vec![pair("ok", ""); 3]);
        assert_eq!(puts(&server), ["json", "csv", "json", "json"], "{mode}");
        assert!(
            server
                .stored(&format!("results/result_run_{mode}_1.csv"))
                .is_some()
        );
        let stored = server
            .stored(&format!("results/result_run_{mode}_1.json"))
            .unwrap();
        assert_eq!(state(&String::from_utf8(stored).unwrap()), "complete");
    }
}

/// The pass over the rows takes long for millions of them: it is held here at its beginning.
#[test]
fn while_the_csv_is_written() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let server = Scripted::start(3, |_| None);
        let (running, fifo) = held_at("csv", run(&server, "async"));
        let held = open_once_read(&fifo);
        running.signal(signal);
        let warning = "told to end while the results were being stored: every fetch had ended; the CSV may be missing";
        running.wait_for(warning);
        // Without its rows nothing is known but that: whoever kills it now leaves no run that goes on for ever.
        server.wait_a_moment_for(2, |request| request.puts(".json"));
        let early = server
            .requests()
            .into_iter()
            .rfind(|request| request.puts(".json"))
            .unwrap();
        let early: serde_json::Value = serde_json::from_slice(&early.body).unwrap();
        assert_eq!(
            (&early["state"], &early["totals"], &early["warnings"]),
            (
                &"interrupted".into(),
                &().into(),
                &serde_json::json!([warning])
            )
        );
        drop(held);
        let said = running.end();
        said.exits(code);
        assert_eq!(said.lines("warning: "), [warning]);
        assert_eq!(rows(&said, "async"), vec![pair("ok", ""); 3]);
        assert_eq!(
            puts(&server),
            ["json", "json", "json", "csv"],
            "the small one first: time may be short"
        );
        let stored = server.stored("results/result_run_async_1.json").unwrap();
        assert_eq!(state(&String::from_utf8(stored).unwrap()), "complete");
    }
}

/// Nothing that the process does keeps a second signal from ending it: here a thread that waits for a file, for ever.
#[test]
fn a_second_signal_ends_what_does_not_end_by_itself() {
    for embedded in [false, true] {
        let server = Scripted::start(3, |_| None);
        let invocation = if embedded {
            let args = [
                "run",
                "--embedded=objects=3,size=1KiB",
                "-o",
                "out",
                "-c",
                "1",
                "--progress",
                "never",
            ];
            Invocation::bare(&args)
        } else {
            run(&server, "process")
        };
        let (running, fifo) = held_at("csv", invocation);
        let _held = open_once_read(&fifo);
        let children = running.children();
        assert_eq!(
            children.len(),
            usize::from(embedded),
            "the workers have ended"
        );
        running.signal(Signal::TERM);
        running.wait_for("warning: told to end while");
        running.signal(Signal::INT);
        let said = running.end();
        said.exits(130);
        assert_eq!(
            said.lines("error: "),
            ["ended at once by a second signal"],
            "{}",
            said.stderr
        );
        children.into_iter().for_each(gone);
    }
}

/// A sample of many keys takes a while: it is held here before its first key. The thread that draws is waited for, so that nothing is left behind.
#[test]
fn while_a_sample_is_drawn() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = Scripted::start(3, |_| None);
        let (running, fifo) = held_at("draw", run(&server, "async").args(&["--sample", "2"]));
        let held = open_once_read(&fifo);
        running.signal(signal);
        drop(held);
        let said = running.end();
        said.exits(code);
        assert_eq!(
            state(&said.read("out/result_run_async_1.json")),
            "interrupted"
        );
        assert!(
            !server.requests().iter().any(Request::is_fetch),
            "no object was fetched"
        );
        let left: Vec<_> = said
            .files()
            .into_iter()
            .filter(|name| !name.starts_with("out/"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "the spool folder is gone");
    }
}

/// A pipe that nobody writes to: opening it and reading it take for ever.
#[test]
fn while_a_key_file_is_read() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = Scripted::start(3, |_| None);
        let invocation = run(&server, "async").args(&["--keys", "keys"]);
        fifo(&invocation.folder().join("keys"));
        let summary = invocation.folder().join("out/result_run_async_1.json");
        let running = invocation.start();
        // Written last before the keys are read.
        until(|| summary.exists());
        running.signal(signal);
        let said = running.end();
        said.exits(code);
        assert_eq!(
            state(&said.read("out/result_run_async_1.json")),
            "interrupted"
        );
        assert_eq!(puts(&server), ["json", "json", "csv"]);
    }
}

/// To lay out the parts of millions of objects takes long: it is held here at its beginning.
#[test]
fn while_parts_are_laid_out() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = Scripted::start(3, |_| None);
        let (running, fifo) = held_at(
            "layout",
            run(&server, "async").args(&["--part-size", "1MiB"]),
        );
        let held = open_once_read(&fifo);
        running.signal(signal);
        running.wait_for(SAID);
        drop(held);
        let said = running.end();
        said.exits(code);
        assert_eq!(rows(&said, "async"), []);
        assert_eq!(
            state(&said.read("out/result_run_async_1.json")),
            "interrupted"
        );
        assert!(!server.requests().iter().any(Request::is_fetch));
        assert_eq!(puts(&server), ["json", "json", "csv"]);
    }
}

#[test]
fn a_sweep_and_a_job_that_read_their_keys() {
    let server = Scripted::start(3, |_| None);
    let url = server.url();
    let sweep = [
        "sweep",
        "-b",
        "source",
        "--keys",
        "keys",
        "--vcpu",
        "1",
        "-m",
        "async",
        "--client",
        "lean",
        "-c",
        "1",
        "--endpoint-url",
        &url,
    ];
    let submit = [
        "submit",
        "--dry-run",
        "-b",
        "source",
        "--keys",
        "keys",
        "--shards",
        "2",
        "--vcpu",
        "1",
        "--endpoint-url",
        &url,
    ];
    for words in [&sweep[..], &submit] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let invocation = Invocation::new(words).env(&[("RESULT_BUCKET_NAME", "results")]);
            let path = invocation.folder().join("keys");
            fifo(&path);
            let running = invocation.start();
            let _held = open_once_read(&path);
            running.signal(signal);
            let said = running.end();
            said.exits(code);
            assert!(
                said.lines("error: ")[0].starts_with("interrupted before"),
                "{words:?}: {}",
                said.stderr
            );
        }
    }
}

/// Commands that store nothing end at the first signal.
#[test]
fn reports_and_uploads_end_at_once() {
    for words in [
        &["report", "s3://results"][..],
        &["compare", "s3://results", "s3://results"],
        &["upload", "full", "s3://results"],
    ] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let (server, _hold) = held_back(0, |_| true);
            let invocation = Invocation::new(words).env(&[("AWS_ENDPOINT_URL", &server.url())]);
            std::fs::create_dir(invocation.folder().join("full")).unwrap();
            let running = invocation.file("full/result_a.json", "{}").start();
            server.wait_for(1, |_| true);
            running.signal(signal);
            let said = running.end();
            said.exits(code);
            assert_eq!(
                said.lines("error: "),
                ["interrupted"],
                "{words:?}: {}",
                said.stderr
            );
        }
    }
    // Not even a file that has no end to be waited for keeps it.
    let invocation = Invocation::new(&["report", "full", "--prices", "prices"]);
    let path = invocation.folder().join("prices");
    fifo(&path);
    let running = invocation.start();
    let _held = open_once_read(&path);
    running.signal(Signal::TERM);
    running.end().exits(143);
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

#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until somebody reads the pipe, who then waits until what is returned is dropped.
#[track_caller]
fn open_once_read(fifo: &Path) -> File {
    // Without waiting it is refused as long as nobody reads.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let open = || {
        File::options()
            .write(true)
            .custom_flags(flags)
            .open(fifo)
            .ok()
    };
    let file = std::cell::OnceCell::new();
    until(|| open().is_some_and(|opened| file.set(opened).is_ok()));
    file.into_inner().unwrap()
}

/// Starts a run that waits at this point of it; the pipe at which it waits.
fn held_at(point: &str, invocation: Invocation) -> (Running, PathBuf) {
    let path = invocation.folder().join("held");
    fifo(&path);
    let fault = format!("{point}=wait:{}", path.display());
    (
        invocation.env(&[("PARFETCH_TEST_FAULT", &fault)]).start(),
        path,
    )
}

/// Process 1 of a container gets no signal that it does not listen to, and nobody else buries what its children leave.
#[test]
fn as_the_first_process_of_a_container() {
    let unshare = ["unshare", "-rpf", "--mount-proc", "--kill-child"];
    let permitted = std::process::Command::new(unshare[0])
        .args(&unshare[1..])
        .arg("true")
        .output();
    if !permitted.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine permits no process namespaces (unshare -rpf --mount-proc)");
        return;
    }
    for mode in MODES {
        let (server, hold) = held_back(4, second_fetch);
        let url = server.url();
        let words = [
            "run",
            "-b",
            "source",
            "-r",
            "results",
            "-c",
            "1",
            "-m",
            mode,
            "--progress",
            "never",
            "--endpoint-url",
            &url,
        ];
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
        ];
        let running = Invocation::under(&unshare, &words).env(&keys).start();
        server.wait_for(1, second_fetch);
        let first = children_of(running.pid())[0];
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", first.as_raw_nonzero())).unwrap();
        let pids = status
            .lines()
            .find_map(|line| line.strip_prefix("NSpid:"))
            .unwrap();
        assert_eq!(pids.split_whitespace().last(), Some("1"), "{pids}");
        kill_process(first, Signal::TERM).unwrap();
        running.wait_for(SAID);
        hold.open();
        running.end().exits(143);
        gone(first);
        let stored = server
            .stored(&format!("results/result_run_{mode}_1.json"))
            .unwrap();
        assert_eq!(
            state(&String::from_utf8(stored).unwrap()),
            "interrupted",
            "{mode}"
        );
        assert_eq!(puts(&server), ["json", "json", "csv"], "{mode}");
    }
}

#[test]
fn before_the_results_place_is_proved() {
    let (server, _hold) = held_back(3, |request| request.method == "PUT");
    let running = run(&server, "async").start();
    server.wait_for(1, |request| request.method == "PUT");
    running.signal(Signal::INT);
    let said = running.end();
    said.fails(
        130,
        "interrupted before anything was listed",
        "nothing was fetched; results in the results place, if any, say `running`",
    );
}

/// The bucket has it already that the run goes on: when the answer comes late, the run still says how it ended.
#[test]
fn while_the_results_place_is_proved() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let hold = Hold::default();
        let first = hold.clone();
        let server = Scripted::start(3, move |request| {
            if request.method == "PUT"
                && asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0
            {
                first.wait();
            }
            None
        });
        let running = run(&server, "async").start();
        server.wait_for(1, |request| request.method == "PUT");
        running.signal(signal);
        running.wait_for("interrupted: no new fetches start");
        hold.open();
        let said = running.end();
        said.exits(code);
        assert_eq!(puts(&server), ["json", "json", "csv"]);
        let stored = server.stored("results/result_run_async_1.json").unwrap();
        assert_eq!(state(&String::from_utf8(stored).unwrap()), "interrupted");
        assert_eq!(
            state(&said.read("out/result_run_async_1.json")),
            "interrupted"
        );
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    for mode in MODES {
        let (server, _hold) = held_back(3, second_fetch);
        let running = run(&server, mode).args(&["--stall-timeout", "10m"]).start();
        server.wait_for(1, second_fetch);
        let children = running.children();
        assert_eq!(children.len(), usize::from(mode == "process"));
        running.signal(Signal::TERM);
        running.wait_for(SAID);
        running.signal(Signal::INT);
        let said = running.end();
        said.exits(130);
        assert_eq!(
            said.lines("error: "),
            ["ended at once by a second signal"],
            "{}",
            said.stderr
        );
        assert_eq!(
            said.lines("hint: "),
            ["the summary in the results place still says `running`"]
        );
        children.into_iter().for_each(gone);
        assert_eq!(puts(&server), ["json"]);
    }
}

#[test]
fn children_leave_an_interrupt_to_their_parent() {
    let (server, hold) = held_back(3, second_fetch);
    let running = run(&server, "process").start();
    server.wait_for(1, second_fetch);
    for child in running.children() {
        for file in ["environ", "cmdline"] {
            let shown = std::fs::read(format!("/proc/{}/{file}", child.as_raw_nonzero())).unwrap();
            assert!(
                !String::from_utf8_lossy(&shown).contains(SECRET),
                "credentials go by pipe"
            );
        }
        kill_process(child, Signal::INT).unwrap();
    }
    hold.open();
    let said = running.end();
    said.exits(0);
    assert_eq!(
        rows(&said, "process"),
        [pair("ok", ""), pair("ok", ""), pair("ok", "")]
    );
    assert_eq!(said.lines("warning: "), Vec::<&str>::new());
}

#[test]
fn children_do_not_outlive_a_parent_that_is_killed() {
    let (server, _hold) = held_back(40, Request::is_fetch);
    let running = Invocation::run(&server)
        .args(&["-m", "process", "-c", "4", "-o", "out"])
        .start();
    server.wait_for(4, Request::is_fetch);
    let children = running.children();
    assert_eq!(children.len(), 4);
    running.signal(Signal::KILL);
    assert_eq!(running.end().status.code(), None);
    children.into_iter().for_each(gone);
}

#[test]
fn a_child_that_is_killed_costs_no_key() {
    let (server, hold) = held_back(30, second_fetch);
    let running = run(&server, "process").start();
    server.wait_for(1, second_fetch);
    let child = running.children()[0];
    kill_process(child, Signal::KILL).unwrap();
    gone(child);
    hold.open();
    let said = running.end();
    said.exits(0);
    assert_eq!(rows(&said, "process"), vec![pair("ok", ""); 30]);
    let warnings = said.lines("warning: ");
    let known = format!(
        "child {} of worker 0 died (signal 9); ",
        child.as_raw_nonzero()
    );
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(&known),
        "{warnings:?}"
    );
}
