//! `parfetch sweep` from the outside: what stands in its folder, that it goes on after any end, contenders, and what it refuses.
//!
//! Cells have one vCPU, which every machine can hold by affinity; where there is a quota, half a vCPU too.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parfetch::internals::{FILE_NAME, Record, RepetitionFailure};

use crate::support::parfetch::{Parfetch, Ran};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_parfetch");
/// Two cells, each twice.
const SMALL: [&str; 12] = [
    "sweep",
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

fn sweep(out: &Path, arguments: &[&str]) -> Parfetch {
    Parfetch::new()
        .args(SMALL)
        .args(arguments.iter().copied())
        .out(out)
        .args(["--id", "s"])
}

/// Every record below a sweep's folder, by its place there.
fn records(out: &Path) -> BTreeMap<PathBuf, Record> {
    let mut found = BTreeMap::new();
    let root = out.join("sweeps/s");
    let folders = |dir: &Path| {
        fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect::<Vec<_>>()
    };
    for dir in folders(&root).iter().flat_map(|cell| folders(cell)) {
        if let Ok(text) = fs::read_to_string(dir.join(FILE_NAME)) {
            found.insert(
                dir.strip_prefix(&root).unwrap().to_owned(),
                Record::from_json(&text).unwrap(),
            );
        }
    }
    found
}

/// Cell and repetition of every record that counts.
fn counted(out: &Path) -> Vec<(String, u32)> {
    let mut all: Vec<_> = records(out)
        .values()
        .filter(|record| record.repetition > 0)
        .map(|record| (record.cell.slug(), record.repetition))
        .collect();
    all.sort();
    all
}

fn expected() -> Vec<(String, u32)> {
    let cells = ["lean-1vcpu-2048mib-async-x1", "lean-1vcpu-2048mib-async-x4"];
    cells
        .iter()
        .flat_map(|cell| [1, 2].map(|repetition| ((*cell).to_owned(), repetition)))
        .collect()
}

#[test]
fn every_repetition_leaves_its_results_and_a_record() {
    let out = tempfile::tempdir().unwrap();
    // What a library would read by itself is no setting of a repetition.
    let ran = sweep(out.path(), &[])
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .exits(0);
    assert!(
        ran.stderr.contains(
            "2 configurations × 2 runs of 20.5 kB and 1 warm-up = 5 runs, 100 GETs, 102 kB"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(counted(out.path()), expected());
    let records = records(out.path());
    assert_eq!(records.len(), 5, "and a warm-up");
    for (dir, record) in &records {
        assert_eq!(
            (
                record.failure.as_ref(),
                record.sweep.keys,
                record.summaries.len()
            ),
            (None, 20, 1),
            "{}",
            dir.display()
        );
        let outside = record.outside.unwrap();
        assert!(
            outside.wall_ns > 0 && outside.cpu_user_ns.unwrap() + outside.cpu_sys_ns.unwrap() > 0,
            "{outside:?}"
        );
        assert_eq!(
            record.server.unwrap().gets,
            20,
            "the server was asked for each key once, and counted anew"
        );
        let names = fs::read_dir(out.path().join("sweeps/s").join(dir))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut endings: Vec<_> = names
            .map(|name| name.rsplit('.').next().unwrap().to_owned())
            .collect();
        endings.sort();
        assert_eq!(
            endings,
            ["csv", "json", "json", "lock"],
            "logs of what went well are not kept"
        );
    }
    let mut positions: Vec<u32> = records.values().map(|record| record.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, [0, 1, 2, 3, 4]);
}

#[test]
fn what_is_done_is_not_done_again_and_another_plan_or_key_list_is_refused() {
    let out = tempfile::tempdir().unwrap();
    sweep(out.path(), &[]).exits(0);
    let before: Vec<_> = records(out.path()).into_keys().collect();
    sweep(out.path(), &[]).exits(0);
    assert_eq!(records(out.path()).into_keys().collect::<Vec<_>>(), before);
    let ran = sweep(out.path(), &["--seed", "2"]).exits(2);
    assert!(
        ran.stderr
            .contains("begun with another plan: it had `seed = 1`, and now there is `seed = 2`"),
        "{}",
        ran.stderr
    );
    let keys = out.path().join("sweeps/s/keys.tsv");
    let text = fs::read_to_string(&keys).unwrap();
    fs::write(&keys, text.replace("# sha256 ", "# sha256 0")).unwrap();
    let ran = sweep(out.path(), &[]).exits(2);
    assert!(
        ran.stderr.contains("cannot go on: its key list") && ran.stderr.contains("hint: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn more_repetitions_are_added_to_those_that_are_done() {
    let out = tempfile::tempdir().unwrap();
    let three = |more: &[&str]| {
        let words = SMALL
            .iter()
            .map(|word| if *word == "2" { "3" } else { word });
        Parfetch::new()
            .args(words)
            .args(more.iter().copied())
            .out(out.path())
            .args(["--id", "s"])
    };
    sweep(out.path(), &[]).exits(0);
    let before = records(out.path());
    // Looked at only: the command that began it still continues it.
    three(&["--dry-run"]).exits(0);
    sweep(out.path(), &[]).exits(0);
    assert_eq!(records(out.path()), before);
    let ran = three(&[]).exits(0);
    let after = records(out.path());
    let cells = expected().into_iter().map(|(cell, _)| (cell, 3));
    let mut wanted: Vec<_> = expected().into_iter().chain(cells).collect();
    wanted.sort();
    wanted.dedup();
    assert_eq!(counted(out.path()), wanted);
    assert!(
        before
            .iter()
            .all(|(dir, record)| after.get(dir) == Some(record)),
        "nothing was measured again"
    );
    let counts = after.values().filter(|record| record.repetition > 0);
    let mut positions: Vec<u32> = counts.map(|record| record.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6], "each at a place of its own");
    assert!(
        ran.stderr.contains("(4 done before)") && ran.stdout.contains("6 runs"),
        "{}{}",
        ran.stderr,
        ran.stdout
    );
    let fewer = sweep(out.path(), &[]).exits(2);
    assert!(
        fewer
            .stderr
            .contains("it had `repeat = 3`, and now there is `repeat = 2`"),
        "{}",
        fewer.stderr
    );
}

#[test]
fn what_has_no_room_is_in_every_form_of_the_report() {
    let out = tempfile::tempdir().unwrap();
    // 256 processes need more than 2 GiB.
    let words = [
        "sweep",
        "--embedded=objects=20,size=1KiB",
        "--vcpu",
        "1",
        "--client",
        "lean",
        "-m",
        "process",
        "-c",
        "1,256",
        "--repeat",
        "1",
        "--id",
        "s",
    ];
    let ran = Parfetch::new().args(words).out(out.path()).exits(0);
    let said = "1 configuration (1 vCPU) was left out: so many workers may need more memory, processes or open files than there were";
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined(&ran.stdout).contains(said), "{}", ran.stdout);
    let report = |form: &str| {
        let folder = out.path().to_str().unwrap();
        Parfetch::new()
            .args(["report", "--format", form, folder])
            .exits(0)
            .stdout
    };
    for form in ["json", "md", "html"] {
        assert!(joined(&report(form)).contains(said), "{form}");
    }
    let json: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    let left_out = &json["studies"][0]["facts"]["left_out"][0];
    assert_eq!(
        (&left_out["configurations"], &left_out["reason"]),
        (&1.into(), &"no-room".into())
    );
}

/// All files of a folder, with their lengths.
fn files(of: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(of).unwrap().map(|entry| entry.unwrap()) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path(), entry.metadata().unwrap().len());
        }
    }
    found
}

#[test]
fn a_dry_run_of_a_sweep_that_was_begun_says_what_is_left_and_changes_nothing() {
    let out = tempfile::tempdir().unwrap();
    sweep(out.path(), &[]).exits(0);
    let dry_run = |words: &[&str], code| sweep(out.path(), words).arg("--dry-run").exits(code);
    let said = dry_run(&[], 0).stdout;
    assert!(
        said.contains("\ndone: 4 runs; nothing is left to run\n") && !said.contains("GETs:"),
        "{said}"
    );
    // As after a kill: one repetition has half a result and no record.
    let cut_off = out
        .path()
        .join("sweeps/s/lean-1vcpu-2048mib-async-x4/r02-a1");
    fs::remove_file(cut_off.join(FILE_NAME)).unwrap();
    let before = files(out.path());
    let said = dry_run(&[], 0).stdout;
    assert!(
        said.contains(
            "\ndone: 3 runs; left:\n  1 vCPU · 2 GB · async × 4 · lean\nruns: 1, and 1 warm-up\n"
        ),
        "{said}"
    );
    // How fast this store is was measured.
    let time = said.lines().find_map(|line| line.strip_prefix("time: "));
    assert!(
        time.is_some_and(|time| time.ends_with(", by the runs that were made")),
        "{said}"
    );
    assert_eq!(files(out.path()), before);
    let other = dry_run(&["--seed", "2"], 2);
    assert!(other.stderr.contains("begun with another plan"));
    let ran = sweep(out.path(), &[]).exits(0);
    assert!(ran.stderr.matches("warm-up").count() > 0, "{}", ran.stderr);
    assert_eq!(counted(out.path()), expected());
}

#[test]
fn a_sweep_that_does_not_begin_leaves_nothing() {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(out.path(), &["--prefix", "none/"]).exits(4);
    assert!(
        ran.stderr.contains("there are no keys under"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn order_and_parts_hold_for_every_cell_and_for_the_whole_sweep() {
    let out = tempfile::tempdir().unwrap();
    let layout = ["--part-size", "1MiB", "--order", "largest-first"];
    let sweep = |arguments: &[&str]| {
        let small = SMALL.map(|word| {
            if word.starts_with("--embedded") {
                "--embedded=objects=5,size=2560KiB"
            } else {
                word
            }
        });
        Parfetch::new()
            .args(small)
            .args(arguments.iter().copied())
            .out(out.path())
            .args(["--id", "s"])
    };
    let ran = sweep(&layout).exits(0);
    assert!(
        ran.stderr.contains("= 5 runs, 75 GETs"),
        "each of five objects has three parts: {}",
        ran.stderr
    );
    let root = out.path().join("sweeps/s");
    for (dir, record) in records(out.path()) {
        let summary = fs::read_to_string(root.join(&dir).join(&record.summaries[0])).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(
            (
                &summary["settings"]["order"],
                &summary["settings"]["part_size_bytes"]
            ),
            (&"largest-first".into(), &(1 << 20).into())
        );
        assert_eq!(
            (
                &summary["attempts"]["total"],
                &summary["totals"]["rows"]["ok"]
            ),
            (&15.into(), &5.into())
        );
    }
    let plan = fs::read_to_string(root.join("plan.toml")).unwrap();
    assert!(
        plan.contains("part_size = \"1MiB\"\norder = \"largest-first\"\n"),
        "{plan}"
    );
    let ran = sweep(&layout[..2]).exits(2);
    assert!(
        ran.stderr
            .contains("begun with another plan: it had `order = \"largest-first\"`"),
        "{}",
        ran.stderr
    );
    let ran = Parfetch::new()
        .args(["report"])
        .arg(root.to_str().unwrap())
        .exits(0);
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("largest-first, parts of 1.05 MB"),
        "{}",
        ran.stdout
    );
}

/// Starts a sweep, waits until its first run has ended, and sends it a signal.
fn cut_off(out: &Path, signal: rustix::process::Signal) -> Option<i32> {
    let mut command = Command::new(EXECUTABLE);
    command
        .args(SMALL)
        .args(["--id", "s", "--out"])
        .arg(out)
        .env_clear()
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("run 1/4"))
        .unwrap()
        .unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn a_killed_sweep_goes_on_without_doubling_a_repetition() {
    let out = tempfile::tempdir().unwrap();
    assert_eq!(cut_off(out.path(), rustix::process::Signal::KILL), None);
    let before = records(out.path());
    assert!(
        (2..6).contains(&before.len()),
        "the warm-up and one run at least: {}",
        before.len()
    );
    sweep(out.path(), &[]).exits(0);
    assert_eq!(counted(out.path()), expected());
    let after = records(out.path());
    assert!(
        before.iter().all(|(dir, record)| after[dir] == *record),
        "what was done stays as it was"
    );
}

#[test]
fn what_a_program_started_ends_with_a_killed_sweep() {
    let out = tempfile::tempdir().unwrap();
    let pipe = out.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success(),
        "no pipe"
    );
    // The kernel ends the outer shell alone; the inner one holds the pipe open, and writes where it lives on.
    let app = format!(
        "app:async=/bin/sh -c '/bin/sh -c \"sleep 20; echo it lives\" > {}; true'",
        pipe.display()
    );
    let mut sweep = Command::new(EXECUTABLE)
        .args(SMALL)
        .args(["--id", "s", "--contender", &app, "--out"])
        .arg(out.path())
        .env_clear()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = fs::File::open(&pipe).unwrap();
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut running, &mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_sweep_that_was_told_to_end_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let code = cut_off(out.path(), rustix::process::Signal::INT);
    // It may have been done before the signal came.
    assert!([Some(130), Some(0)].contains(&code), "{code:?}");
    sweep(out.path(), &[]).exits(0);
    assert_eq!(counted(out.path()), expected());
}

/// The records of one program.
fn of<'a>(records: &'a BTreeMap<PathBuf, Record>, program: &str) -> Vec<&'a Record> {
    records
        .values()
        .filter(|record| record.cell.program.name() == program && record.repetition > 0)
        .collect()
}

#[test]
fn contenders_are_measured_from_outside_and_their_results_are_read() {
    let out = tempfile::tempdir().unwrap();
    let good = format!("good:async='{EXECUTABLE}' run");
    sweep(out.path(), &["--contender", &good]).exits(0);
    let records = records(out.path());
    for record in of(&records, "good") {
        let result = record.contender.unwrap();
        assert_eq!(
            (
                record.failure.as_ref(),
                result.objects,
                result.ok,
                result.goodput_bytes
            ),
            (None, Some(20), Some(20), Some(20 * 1024))
        );
        assert!(
            result.fetch_ns < record.outside.unwrap().wall_ns,
            "its own time is part of what was measured from outside"
        );
        assert!(record.outside.unwrap().cpu_user_ns.is_some());
    }
    assert_eq!(of(&records, "good").len(), 4);
}

/// The one record of a warm-up that failed, after what the sweep said of it.
fn failed_warm_up(ran: &Ran, out: &Path, program: &str) -> RepetitionFailure {
    let records = records(out);
    assert!(
        records.values().all(|record| record.repetition == 0),
        "nothing was measured"
    );
    let (dir, record) = records
        .iter()
        .find(|(_, record)| record.cell.program.name() == program)
        .unwrap();
    let hint = ran.stderr.lines().last().unwrap();
    let place = out.join("sweeps/s").join(dir);
    assert!(
        hint.starts_with(&format!(
            "hint: what it wrote is in {}; the same command with --id s tries again",
            place.display()
        )) && place.join("stderr.log").exists(),
        "{hint}"
    );
    record.failure.clone().unwrap()
}

#[test]
fn a_contender_that_does_not_work_ends_the_sweep_before_anything_is_measured() {
    let out = tempfile::tempdir().unwrap();
    let broken = "broken=sh -c 'echo first >&2; echo boom >&2; exit 9'";
    let ran = sweep(out.path(), &["--contender", broken]).exits(4);
    assert!(
        ran.stderr.contains(
            "error: the warm-up (1 vCPU · 2 GB · async × 1 · broken) failed: ended with exit code 9: boom\nhint: what it wrote"
        ),
        "{}",
        ran.stderr
    );
    let failure = failed_warm_up(&ran, out.path(), "broken");
    assert_eq!(
        (failure.reason.as_str(), failure.exit_code),
        ("ended with exit code 9: boom", Some(9))
    );
    assert_eq!(failure.stderr, ["first", "boom"]);

    let out = tempfile::tempdir().unwrap();
    let ran = Parfetch::new()
        .args(SMALL.map(|word| {
            if word == "async" {
                "async,thread"
            } else {
                word
            }
        }))
        .args(["--contender", "silent=true"])
        .out(out.path())
        .args(["--id", "s"])
        .exits(4);
    assert!(
        ran.stderr.contains(
            "tries again; if it does not know the mode async, name the others: --contender silent:thread='…'\n"
        ),
        "{}",
        ran.stderr
    );
    let failure = failed_warm_up(&ran, out.path(), "silent");
    assert!(
        failure.reason.starts_with("stored no result result_s-"),
        "{}",
        failure.reason
    );
}

#[test]
fn a_warm_up_that_does_not_end_says_what_to_change() {
    let out = tempfile::tempdir().unwrap();
    let line = "sweep --embedded=objects=1,size=1KiB,ttfb=10m --vcpu 1 --client lean --mode async -c 1 --run-timeout 1s";
    let ran = Parfetch::new()
        .args(line.split(' '))
        .out(out.path())
        .exits(4);
    assert!(
        ran.stderr
            .contains("failed: did not end within 1.00 s\nhint: a higher --run-timeout"),
        "{}",
        ran.stderr
    );
}

/// Its output has no end, and neither has it: the time limit ends it, and the first and the last of what it wrote are kept.
#[test]
fn a_contender_that_writes_without_end_is_ended_and_its_output_is_short() {
    let out = tempfile::tempdir().unwrap();
    let line = "x".repeat(4_000);
    let endless =
        format!("endless=sh -c 'echo first; echo cause >&2; while :; do echo {line}; done'");
    let words = [
        "sweep",
        "--embedded=objects=20,size=1KiB",
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "1",
        "--repeat",
        "1",
    ];
    let ran = Parfetch::new()
        .args(words)
        .args(["--contender", &endless, "--run-timeout", "10s"])
        .out(out.path())
        .args(["--id", "s"])
        .exits(3);
    assert!(
        ran.stderr.lines().all(|line| line.len() < 1_000),
        "{}",
        ran.stderr
    );
    let records = records(out.path());
    let failure = of(&records, "endless")[0].failure.clone().unwrap();
    assert_eq!(
        (failure.reason.as_str(), failure.exit_code),
        ("did not end within 10.0 s", None)
    );
    assert_eq!(failure.stderr, ["cause"]);
    let (dir, _) = records
        .iter()
        .find(|(_, record)| !record.cell.program.is_parfetch())
        .unwrap();
    let log = fs::read_to_string(out.path().join("sweeps/s").join(dir).join("stdout.log")).unwrap();
    assert!(
        log.starts_with("first\nx") && log.len() <= 2 * (1 << 20) + 100,
        "{}",
        log.len()
    );
}

#[test]
fn a_plan_of_too_many_runs_is_refused_at_once() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("plan.toml");
    let numbers = (1..=1_000)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(",");
    fs::write(
        &plan,
        format!(
            "embedded = \"\"\nconcurrency = [{numbers}]\nshards = [{numbers}]\nrepeat = 1000000\n"
        ),
    )
    .unwrap();
    let ran = Parfetch::new()
        .args(["sweep", "--plan", plan.to_str().unwrap(), "--dry-run"])
        .out(out.path())
        .exits(2);
    let what = "the plan has 18,000,000,000,000 runs (18,000,000 configurations × 1,000,000 repetitions); a sweep has at most 100,000";
    assert_eq!(
        ran.stderr,
        format!("error: {what}\nhint: name fewer values of each factor, or fewer repetitions\n")
    );
}

/// Time ends parfetch's own runs alone: a contender reads its keys once.
#[test]
fn a_forecast_of_a_time_counts_what_a_contender_reads_once() {
    let out = tempfile::tempdir().unwrap();
    let bytes = |words: &[&str]| {
        let words = [&["--duration", "1h", "--dry-run"], words].concat();
        let said = sweep(out.path(), &words).exits(0).stdout;
        let mut lines = said.lines();
        let found = lines.find_map(|line| line.strip_prefix("bytes: ")?.split_once(" per run, "));
        let (all, _) = found.unwrap().1.split_once(" in all ").unwrap();
        all.to_owned()
    };
    assert_eq!(bytes(&["--contender", "mine=true"]), bytes(&[]));
}

#[test]
fn a_contender_that_fetches_something_else_fails() {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(
        out.path(),
        &[
            "--limit",
            "10",
            "--contender",
            &format!("all='{EXECUTABLE}' run"),
        ],
    )
    .exits(4);
    assert!(
        ran.stderr
            .contains("the plan has a limit, which is in no variable of a contender"),
        "{}",
        ran.stderr
    );
    let lean = records(out.path())
        .into_values()
        .find(|record| record.cell.program.is_parfetch())
        .unwrap();
    assert_eq!(lean.server.unwrap().gets, 10);
    let failure = failed_warm_up(&ran, out.path(), "all");
    assert_eq!(failure.reason, "its CSV has 20 rows, and the key list 10");
}

/// As many rows as keys, and other keys.
#[test]
fn a_contender_that_fetches_other_keys_fails() {
    let out = tempfile::tempdir().unwrap();
    sweep(out.path(), &[]).exits(0);
    let listed = fs::read_to_string(out.path().join("sweeps/s/keys.tsv")).unwrap();
    let keys: Vec<&str> = listed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let file = out.path().join("other.tsv");
    fs::write(
        &file,
        format!("# parfetch-keys 1\n{}\n", keys[1..11].join("\n")),
    )
    .unwrap();
    let contender = format!("other='{EXECUTABLE}' run --keys '{}'", file.display());
    let again = tempfile::tempdir().unwrap();
    let ran = sweep(again.path(), &["--limit", "10", "--contender", &contender]).exits(4);
    let failure = failed_warm_up(&ran, again.path(), "other");
    assert_eq!(
        failure.reason,
        "its CSV has other keys than the key list, or a key twice"
    );
    let record = records(again.path())
        .into_values()
        .find(|record| !record.cell.program.is_parfetch())
        .unwrap();
    assert_eq!(record.contender.unwrap().objects, Some(10));
}

#[test]
fn a_sweep_of_objects_that_are_gone_recommends_nothing() {
    let out = tempfile::tempdir().unwrap();
    let gone = SMALL.map(|word| {
        if word.starts_with("--embedded") {
            "--embedded=objects=20,size=1KiB,fault-missing=1"
        } else {
            word
        }
    });
    let ran = Parfetch::new()
        .args(gone)
        .args(["--id", "s"])
        .out(out.path())
        .exits(4);
    assert!(
        ran.stderr.contains("nothing was fetched: 20 missing"),
        "{}",
        ran.stderr
    );
    let record = records(out.path()).into_values().next().unwrap();
    assert_eq!(
        record.failure.unwrap().reason,
        "nothing was fetched: 20 missing"
    );
}

#[test]
fn shards_share_the_keys() {
    let out = tempfile::tempdir().unwrap();
    let Ok(cpus) = std::thread::available_parallelism() else {
        return;
    };
    if cpus.get() < 2 {
        return;
    }
    sweep(out.path(), &["--shards", "2", "--repeat", "1", "-c", "2"]).exits(2);
    let arguments = [
        "sweep",
        "--embedded=objects=20,size=1KiB",
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "thread",
        "-c",
        "2",
        "--shards",
        "2",
    ];
    Parfetch::new()
        .args(arguments)
        .args(["--repeat", "1", "--id", "s"])
        .out(out.path())
        .exits(0);
    let records = records(out.path());
    let record = of(&records, "lean")[0];
    assert_eq!(
        (
            record.failure.as_ref(),
            record.summaries.len(),
            record.server.unwrap().gets
        ),
        (None, 2, 20)
    );
    assert_eq!(record.limited.cpus.len(), 2);
}

/// Whether half a vCPU can be held here.
fn has_quota() -> bool {
    let mut dry = Command::new(EXECUTABLE);
    dry.args([
        "sweep",
        "--embedded=objects=1",
        "--vcpu",
        "0.5",
        "-c",
        "1",
        "--dry-run",
    ])
    .env_clear();
    dry.stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[test]
fn half_a_vcpu_is_never_exceeded() {
    if !has_quota() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let work = "--embedded=objects=16,size=1MiB";
    let arguments = [
        "sweep", work, "--vcpu", "0.5", "--client", "lean", "--mode", "thread", "-c", "4",
        "--work", "sha256", "--repeat", "1",
    ];
    Parfetch::new()
        .args(arguments)
        .args(["--id", "s"])
        .out(out.path())
        .exits(0);
    let records = records(out.path());
    let outside = of(&records, "lean")[0].outside.unwrap();
    let cpu_ns = outside.cpu_user_ns.unwrap() + outside.cpu_sys_ns.unwrap();
    // A quota is given out in periods of 100 ms: one period more than its share is the most.
    assert!(cpu_ns <= outside.wall_ns / 2 + 100_000_000, "{outside:?}");
}

#[test]
fn a_plan_is_printed_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let printed = Parfetch::new()
        .args(SMALL)
        .arg("--print-plan")
        .exits(0)
        .stdout;
    let path = dir.path().join("plan.toml");
    fs::write(&path, &printed).unwrap();
    let again = Parfetch::new()
        .args(["sweep", "--plan", path.to_str().unwrap(), "--print-plan"])
        .exits(0)
        .stdout;
    assert_eq!(again, printed);
    let dry = Parfetch::new()
        .args([
            "sweep",
            "--plan",
            path.to_str().unwrap(),
            "--dry-run",
            "-c",
            "2",
        ])
        .out(dir.path())
        .exits(0);
    assert!(
        dry.stdout.contains("1 configuration × 2 runs")
            && dry.stdout.contains("60 GETs and 1 LIST request\n"),
        "{}",
        dry.stdout
    );
    assert!(!dir.path().join("sweeps").exists(), "nothing was done");
}

#[test]
fn what_cannot_be_a_plan_is_refused_in_one_line() {
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--vcpu", "3"], 2, "error: Fargate has no size of 3 vCPUs"),
        (
            &["--vcpu", "0.5", "--memory", "8192"],
            2,
            "error: Fargate has no 0.5 vCPU with 8192 MiB",
        ),
        (
            &["--vcpu", "32", "--shards", "1000"],
            2,
            "needs 32000 vCPUs, and this machine has",
        ),
        (
            &["-c", "0"],
            2,
            "error: --concurrency: `0` is not a valid value",
        ),
        (
            &["-c", "4,4"],
            2,
            "error: --concurrency: `4` is given twice",
        ),
        (
            &["--contender", "lean=x"],
            2,
            "error: contender `lean`: that is the name of a client",
        ),
        (
            &["--contender", "a='x"],
            2,
            "error: contender `a`: its command has a quote that is not closed",
        ),
        (&["--id", "../x"], 2, "error: --id is `../x`"),
    ];
    for (arguments, code, text) in cases {
        let ran = Parfetch::new()
            .args(["sweep", "--embedded"])
            .args(arguments.iter().copied())
            .exits(code);
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
        assert!(
            ran.stderr
                .lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("hint: ")),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    }
}
