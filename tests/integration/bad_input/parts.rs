//! Parts whose worker dies, that are cut off, or that a store answers with something else.
#![cfg(target_os = "linux")]

use rustix::process::{Signal, kill_process};

use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said, gone};

const MIB: usize = 1 << 20;
/// Bytes of each object: three parts.
const SIZE: usize = 2 * MIB + 9;

/// First and last byte that a request asks for.
fn range(request: &Request) -> Option<(usize, usize)> {
    let (first, last) = request
        .headers
        .get("range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// Two objects of three parts, in which `script` may answer first.
fn store(script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Scripted {
    Scripted::start(2, move |request| {
        if request.is_listing() {
            let Reply::Answer(status, headers, page) =
                Reply::page(&["k0000", "k0001"], "<IsTruncated>false</IsTruncated>")
            else {
                return None;
            };
            let page = String::from_utf8(page)
                .unwrap()
                .replace("<Size>1</Size>", &format!("<Size>{SIZE}</Size>"));
            return Some(Reply::Answer(status, headers, page.into_bytes()));
        }
        script(request).or_else(|| {
            let (first, last) = range(request).filter(|_| request.is_fetch())?;
            let headers = vec![("content-range", format!("bytes {first}-{last}/{SIZE}"))];
            Some(Reply::Answer(206, headers, vec![0; last - first + 1]))
        })
    })
}

fn run(server: &Scripted, mode: &str) -> Invocation {
    Invocation::run(server).args(&["-m", mode, "-o", "out", "--part-size", "1MiB"])
}

/// Size, counted size, outcome, codes and attempts of every row.
fn rows(said: &Said, mode: &str) -> Vec<[String; 5]> {
    let csv = said.read(format!("out/result_run_{mode}_1.csv"));
    let rows = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| std::array::from_fn(|column| row[column + 1].clone()))
        .collect()
}

fn row(counted: usize, outcome: &str, codes: &str, attempts: u32) -> [String; 5] {
    [
        SIZE.to_string(),
        counted.to_string(),
        outcome.to_owned(),
        codes.to_owned(),
        attempts.to_string(),
    ]
}

/// The middle part of the first object.
fn middle(request: &Request) -> bool {
    request.path() == "source/k0000" && range(request) == Some((MIB, 2 * MIB - 1))
}

#[test]
fn a_size_that_no_object_has_is_refused_by_name() {
    let server = Scripted::start(1, |request| {
        let page = "<?xml version=\"1.0\"?><ListBucketResult><Contents><Key>k0000</Key><Size>1152921504606846976</Size></Contents><IsTruncated>false</IsTruncated></ListBucketResult>";
        request.is_listing().then(|| Reply::ok(page))
    });
    let said = run(&server, "async").go();
    let error = "the key `k0000` is listed with 1,152,921,504,606,846,976 bytes, and S3's largest objects have 50 TB";
    said.fails(
        4,
        error,
        "such a listing cannot be trusted: check that the endpoint is one of S3",
    );
    let server = Scripted::start(1, |request| {
        let page = "<?xml version=\"1.0\"?><ListBucketResult><Contents><Key>k0000</Key><Size>50000000000000</Size></Contents><IsTruncated>false</IsTruncated></ListBucketResult>";
        request.is_listing().then(|| Reply::ok(page))
    });
    let tmpfs = |run: &Invocation| {
        std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(run.folder().join("spool"))
            .output()
    };
    let run = run(&server, "async").args(&["--spool-dir", "spool"]);
    let spool = run.folder().join("spool");
    std::fs::create_dir(&spool).unwrap();
    if !tmpfs(&run).is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not mount a tmpfs");
        return;
    }
    let said = run.go();
    assert!(
        std::process::Command::new("umount")
            .arg(&spool)
            .status()
            .unwrap()
            .success()
    );
    said.exits(4);
    assert!(
        said.lines("error: ")[0].starts_with("47,683,716 objects and parts need "),
        "{}",
        said.stderr
    );
}

#[test]
fn every_part_asks_for_its_range_of_the_version_that_was_listed() {
    for (client, mode) in [("lean", "async"), ("sdk", "thread"), ("lean", "process")] {
        let server = store(|_| None);
        let said = run(&server, mode).args(&["--client", client]).go();
        said.exits(0);
        assert_eq!(
            rows(&said, mode),
            vec![row(SIZE, "ok", "", 3); 2],
            "{client}"
        );
        let asked: Vec<_> = server
            .requests()
            .into_iter()
            .filter(|request| request.path().starts_with("source/k"))
            .collect();
        let ranges: Vec<_> = asked
            .iter()
            .map(|request| range(request).unwrap())
            .collect();
        let one = [(0, MIB - 1), (MIB, 2 * MIB - 1), (2 * MIB, SIZE - 1)];
        assert_eq!(ranges, [one, one].concat(), "{client}");
        assert!(
            asked
                .iter()
                .all(|request| request.headers["if-match"] == "\"e\""),
            "{client}"
        );
    }
}

#[test]
fn a_child_that_is_killed_costs_no_part() {
    let hold = Hold::default();
    let gate = hold.clone();
    let server = store(move |request| {
        if middle(request) {
            gate.wait();
        }
        None
    });
    let running = run(&server, "process").start();
    server.wait_for(1, middle);
    let child = running.children()[0];
    kill_process(child, Signal::KILL).unwrap();
    gone(child);
    hold.open();
    let said = running.end();
    said.exits(0);
    assert_eq!(
        rows(&said, "process"),
        vec![row(SIZE, "ok", "", 3); 2],
        "the part that it was at was fetched again, by another"
    );
    let warnings = said.lines("warning: ");
    assert!(
        warnings.len() == 1 && warnings[0].contains("died (signal 9); "),
        "{warnings:?}"
    );
}

#[test]
fn what_was_begun_before_a_signal_is_not_attempted_to_its_end() {
    for mode in ["async", "thread", "process"] {
        let hold = Hold::default();
        let gate = hold.clone();
        let server = store(move |request| {
            if middle(request) {
                gate.wait();
            }
            None
        });
        let running = run(&server, mode).start();
        server.wait_for(1, middle);
        running.signal(Signal::INT);
        running.wait_for("warning: interrupted");
        hold.open();
        let said = running.end();
        said.exits(130);
        let nothing = [
            SIZE.to_string(),
            String::new(),
            "not_attempted".to_owned(),
            String::new(),
            "0".to_owned(),
        ];
        let rows = rows(&said, mode);
        if mode == "process" && rows == [row(SIZE, "ok", "", 3), nothing.clone()] {
            // The child had the last part in credit, and began it before it was told.
            continue;
        }
        assert_eq!(
            rows,
            [row(2 * MIB, "not_attempted", "", 2), nothing],
            "{mode}"
        );
        let summary: serde_json::Value =
            serde_json::from_str(&said.read(format!("out/result_run_{mode}_1.json"))).unwrap();
        assert_eq!(
            (
                &summary["attempts"]["total"],
                &summary["totals"]["goodput_bytes"]
            ),
            (&2.into(), &0.into()),
            "{mode}"
        );
        assert_eq!(summary["totals"]["received_bytes"], 2 * MIB, "{mode}");
    }
}

#[test]
fn one_part_that_fails_fails_its_object() {
    for (reply, codes, attempts) in [
        (Reply::error(403, "AccessDenied"), "AccessDenied", 3),
        (
            Reply::error(412, "PreconditionFailed"),
            "PreconditionFailed",
            3,
        ),
        (Reply::error(500, "InternalError"), "InternalError*2", 4),
    ] {
        let server = store(move |request| middle(request).then(|| reply.clone()));
        let said = run(&server, "async").args(&["--attempts", "2"]).go();
        said.exits(3);
        let failed = row(MIB + 9, "failed", codes, attempts);
        assert_eq!(
            rows(&said, "async"),
            [failed, row(SIZE, "ok", "", 3)],
            "the other parts are fetched all the same"
        );
        let summary: serde_json::Value =
            serde_json::from_str(&said.read("out/result_run_async_1.json")).unwrap();
        assert_eq!(
            summary["totals"]["goodput_bytes"], SIZE,
            "bytes of an object that is not complete are no goodput"
        );
        assert_eq!(summary["totals"]["received_bytes"], SIZE + MIB + 9);
    }
}

#[test]
fn a_store_that_ignores_ranges_is_no_success() {
    for client in ["lean", "sdk"] {
        let server = store(|request| request.is_fetch().then(|| Reply::ok(vec![0; SIZE])));
        let said = run(&server, "async")
            .args(&["--client", client, "--attempts", "1"])
            .go();
        said.exits(3);
        assert!(
            rows(&said, "async").iter().all(|row| row[2] == "failed"),
            "{client}: {:?}",
            rows(&said, "async")
        );
    }
}
