//! Results places that do not take results, before and after the run: nothing is lost.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, SECRET, Said};

const STEM: &str = "result_run_async_1";

/// A store that takes the running summary and nothing more.
fn denied_later() -> Scripted {
    Scripted::start(2, |request| {
        let final_one = request.method == "PUT" && !request.headers.contains_key("if-none-match");
        final_one.then(|| Reply::error(403, "AccessDenied"))
    })
}

/// The command in the hint, typed as it stands with another endpoint in the place of the one that said no.
#[track_caller]
fn upload_as_printed(said: &Said, (from, to): (&Scripted, &Scripted)) {
    let hint = said.lines("hint: ")[0].to_owned();
    let command = hint
        .split("then: parfetch ")
        .nth(1)
        .unwrap()
        .replace(&from.url(), &to.url());
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            &format!("{} {command}", env!("CARGO_BIN_EXE_parfetch")),
        ])
        .current_dir(said.folder.path())
        .env_clear();
    shell
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("HOME", said.folder.path());
    let output = shell.output().unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn results_that_are_denied_are_kept_and_can_be_uploaded_as_printed() {
    for (words, folder) in [
        (&["--out", "my out"][..], "'my out'"),
        (&["--result-prefix", "a/b/"], ""),
    ] {
        let server = denied_later();
        let said = Invocation::run(&server).args(words).go();
        said.exits(5);
        let prefix = if folder.is_empty() { "a/b/" } else { "" };
        let error = format!(
            "results not stored: cannot store s3://results/{prefix}{STEM}.csv: access denied (AccessDenied)"
        );
        assert_eq!(said.lines("error: "), [error]);
        let hint = said.lines("hint: ")[0];
        let kept = format!(
            "grant s3:PutObject to these credentials; {STEM}.csv and {STEM}.json are kept in "
        );
        assert!(
            hint.starts_with(&kept) && hint.contains(&format!("; then: parfetch upload {folder}")),
            "{hint}"
        );
        let logged: Vec<_> = said
            .stderr
            .lines()
            .filter_map(|line| line.split("summary=").nth(1))
            .collect();
        assert_eq!(logged.len(), 1, "{}", said.stderr);
        let logged: serde_json::Value = serde_json::from_str(logged[0]).unwrap();
        assert_eq!(
            (&logged["state"], &logged["totals"]["rows"]["ok"]),
            (&"complete".into(), &2.into())
        );

        let other = Scripted::start(0, |_| None);
        upload_as_printed(&said, (&server, &other));
        let csv = String::from_utf8(
            other
                .stored(&format!("results/{prefix}{STEM}.csv"))
                .unwrap(),
        )
        .unwrap();
        assert_eq!(
            csv.lines()
                .skip(1)
                .map(|line| line.split(',').nth(3).unwrap())
                .collect::<Vec<_>>(),
            ["ok", "ok"]
        );
        let json = other
            .stored(&format!("results/{prefix}{STEM}.json"))
            .unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&json).unwrap(),
            logged
        );
    }
}

#[test]
fn the_log_line_is_there_with_json_logs_too() {
    let said = Invocation::run(&denied_later())
        .args(&["--log-format", "json"])
        .go();
    said.exits(5);
    let line = said
        .stderr
        .lines()
        .find(|line| line.contains("results not stored") && line.starts_with('{'))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let summary: serde_json::Value =
        serde_json::from_str(line["summary"].as_str().unwrap()).unwrap();
    assert_eq!(summary["schema"], "parfetch.run-summary");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let server = Scripted::start(1, |_| None);
    let run = |words: &[&str]| {
        Invocation::run(&server)
            .unset(&["RESULT_BUCKET_NAME"])
            .file("file", "")
            .args(words)
            .go()
    };
    let hint =
        "choose another folder with --out or --spool-dir (PARFETCH_SPOOL_DIR in a container)";
    run(&["-o", "file"]).fails(
        4,
        "cannot write results to file: File exists (os error 17)",
        hint,
    );
    run(&["-o", "file/sub"]).fails(
        4,
        "cannot write results to file/sub: Not a directory (os error 20)",
        hint,
    );
    run(&["-o", "out", "--spool-dir", "missing"]).fails(
        4,
        "cannot use the folder missing: No such file or directory (os error 2)",
        hint,
    );
    assert_eq!(server.requests().len(), 0, "nothing was asked");
}

/// A folder that took the running summary, and takes no CSV.
#[test]
fn an_out_that_takes_no_csv_leaves_the_results_elsewhere() {
    let server = Scripted::start(2, |_| None);
    let broken = |bucket: bool| {
        let mut run = Invocation::run(&server).args(&["-o", "out"]);
        if !bucket {
            run = run.unset(&["RESULT_BUCKET_NAME"]);
        }
        std::fs::create_dir_all(run.folder().join(format!("out/.{STEM}.csv.partial"))).unwrap();
        run.go()
    };
    let said = broken(false);
    said.exits(5);
    let error = format!(
        "results not stored: cannot write results to out/{STEM}.csv: Is a directory (os error 21)"
    );
    assert_eq!(said.lines("error: "), [error]);
    let kept: Vec<_> = said
        .files()
        .into_iter()
        .filter(|name| name.starts_with("parfetch-"))
        .collect();
    assert!(
        kept.len() == 2
            && kept[0].ends_with(&format!("/{STEM}.csv"))
            && kept[1].ends_with(&format!("/{STEM}.json")),
        "{:?}",
        said.files()
    );
    assert_eq!(said.read(&kept[0]).matches(",ok,").count(), 2);
    let folder = said
        .folder
        .path()
        .join(&kept[0])
        .parent()
        .unwrap()
        .display()
        .to_string();
    assert_eq!(
        said.lines("hint: "),
        [format!(
            "{STEM}.csv and {STEM}.json are kept in {folder}, and the summary is in the log as well"
        )]
    );
    assert_eq!(
        said.read(format!("out/{STEM}.json")),
        said.read(&kept[1]),
        "what says «running» is replaced there too"
    );

    let said = broken(true);
    said.exits(0);
    assert!(
        said.lines("warning: ")[0].contains("Is a directory"),
        "{}",
        said.stderr
    );
    assert!(server.stored(&format!("results/{STEM}.csv")).is_some());
}

/// Good results are replaced by results, never by a run that has none.
#[test]
fn a_run_without_rows_leaves_the_earlier_pair() {
    let refuses = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&refuses);
    let server = Scripted::start(2, move |request| {
        (switch.load(Ordering::Relaxed) && request.is_listing())
            .then(|| Reply::error(403, "AccessDenied"))
    });
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let here = |name: &str| std::fs::read_to_string(out.path().join(name)).ok();
    let there = |name: &str| {
        server
            .stored(&format!("results/{name}"))
            .map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let names = [
        format!("{STEM}.csv"),
        format!("{STEM}.json"),
        format!("{STEM}.unfinished.json"),
    ];
    let pair = || [0, 1].map(|number| (here(&names[number]), there(&names[number])));
    let run = || Invocation::run(&server).args(&["-o", folder]).go();

    run().exits(0);
    let good = pair();
    assert!(
        good.iter()
            .all(|(here, there)| here.is_some() && here == there)
    );
    refuses.store(true, Ordering::Relaxed);
    run().exits(4);
    assert_eq!(pair(), good);
    for unfinished in [here(&names[2]).unwrap(), there(&names[2]).unwrap()] {
        assert!(unfinished.contains("\"state\": \"failed\""), "{unfinished}");
    }
    let said = Invocation::bare(&["report", folder]).go();
    assert!(
        said.stdout.contains("1 of 2") || said.stdout.contains("1 failed"),
        "a run that failed shows as one:\n{}\n{}",
        said.stdout,
        said.stderr
    );

    refuses.store(false, Ordering::Relaxed);
    run().exits(0);
    let newer = pair();
    assert!(
        newer != good
            && newer
                .iter()
                .all(|(here, there)| here.is_some() && here == there)
    );
    assert_eq!(
        (here(&names[2]), there(&names[2])),
        (None, None),
        "nothing of this name is left"
    );
}

/// Smaller and larger disks for the spool: whatever fails says so, and a run never ends well without its rows.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_the_spool() {
    let server = Scripted::start(900, |_| None);
    let mut failed = 0;
    for kib in [4, 8, 16, 32, 48, 64, 96, 128, 512] {
        let run = Invocation::run(&server)
            .unset(&["RESULT_BUCKET_NAME"])
            .args(&["-o", "out", "--spool-dir", "spool"]);
        let spool = run.folder().join("spool");
        std::fs::create_dir(&spool).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(&spool)
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: this user may not mount a tmpfs");
            return;
        }
        let said = run.go();
        let left = std::fs::read_dir(&spool).unwrap().count();
        assert!(
            Command::new("umount")
                .arg(&spool)
                .status()
                .unwrap()
                .success()
        );
        if said.status.success() {
            assert_eq!(
                said.read(format!("out/{STEM}.csv")).matches(",ok,").count(),
                900,
                "{kib} KiB"
            );
            assert_eq!(left, 0);
            continue;
        }
        failed += 1;
        assert!(
            matches!(said.status.code(), Some(4 | 5)),
            "{kib} KiB: {}",
            said.stderr
        );
        assert_eq!(
            (said.lines("error: ").len(), said.lines("hint: ").len()),
            (1, 1),
            "{kib} KiB: {}",
            said.stderr
        );
        let is_said = ["No space left on device", " rows need "]
            .iter()
            .any(|text| said.stderr.contains(text));
        assert!(is_said, "{kib} KiB: {}", said.stderr);
        // What ends before the keys are listed leaves nothing: its error says all of it.
        let summary = format!("out/{STEM}.json");
        if said.files().contains(&summary) {
            let summary = said.read(summary);
            assert!(summary.contains("\"state\": \"failed\""), "{kib} KiB");
        } else {
            assert_eq!(said.status.code(), Some(4), "{kib} KiB: {}", said.stderr);
        }
    }
    assert!(
        (1..9).contains(&failed),
        "the sizes span from too little to enough: {failed} of 9 failed"
    );
}

/// Ten minutes of rows have no place here: fetching ends before the disk is full, and every row is kept.
#[test]
#[cfg(target_os = "linux")]
fn a_long_run_ends_before_the_disk_is_full() {
    for results_too in [false, true] {
        let server = Scripted::busy(50, |_| None);
        let out = if results_too { "spool/out" } else { "out" };
        let run = Invocation::run(&server).unset(&["RESULT_BUCKET_NAME"]);
        let run = run.args(&["-o", out, "--spool-dir", "spool", "--duration", "10m"]);
        let spool = run.folder().join("spool");
        std::fs::create_dir(&spool).unwrap();
        let size = if results_too { "size=4m" } else { "size=2m" };
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", size, "tmpfs"])
            .arg(&spool)
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: this user may not mount a tmpfs");
            return;
        }
        let said = run.go();
        let read = |ending: &str| {
            std::fs::read_to_string(said.folder.path().join(format!("{out}/{STEM}.{ending}")))
        };
        let (csv, json) = (read("csv"), read("json"));
        assert!(
            Command::new("umount")
                .arg(&spool)
                .status()
                .unwrap()
                .success()
        );
        said.exits(0);
        let full = said
            .lines("warning: ")
            .into_iter()
            .filter(|line| line.contains("nothing more is fetched, so that no row is lost"))
            .count();
        assert_eq!(full, 1, "{}", said.stderr);
        let summary: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
        let ok = summary["totals"]["rows"]["ok"].as_u64().unwrap();
        assert_eq!(csv.unwrap().matches(",ok,").count() as u64, ok);
        assert!(
            ok > 500 && summary["state"] == "complete",
            "{ok} {}",
            summary["state"]
        );
    }
}

#[test]
fn two_at_once_in_one_folder() {
    let hold = Hold::default();
    let gate = hold.clone();
    let server = Scripted::start(1, move |request| {
        if request.is_listing() {
            gate.wait();
        }
        None
    });
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let first = Invocation::run(&server)
        .unset(&["RESULT_BUCKET_NAME"])
        .args(&["-o", out])
        .start();
    server.wait_for(1, Request::is_listing);
    let second = Invocation::run(&server)
        .unset(&["RESULT_BUCKET_NAME"])
        .args(&["-o", out])
        .go();
    second.fails(
        4,
        &format!("another parfetch is writing {STEM} to {out}"),
        "wait for it, or choose another --tag or --out",
    );
    hold.open();
    first.end().exits(0);
    let mut names: Vec<_> = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            format!(".{STEM}.lock"),
            format!("{STEM}.csv"),
            format!("{STEM}.json")
        ]
    );
}

/// Of an object that is not there, S3 says 403 to whoever may list below a prefix alone: the next command stores what this one could not.
#[test]
fn a_repetition_that_was_not_stored_is_stored_later_also_where_heads_are_refused() {
    let refuses = Arc::new(AtomicBool::new(true));
    let refusing = Arc::clone(&refuses);
    let server = Scripted::start(2, move |request| {
        let is_of_a_repetition = request.path().starts_with("results/sweeps/s/lean-");
        let is_refused = match request.method.as_str() {
            "HEAD" => true,
            "PUT" => refusing.load(Ordering::Relaxed),
            _ => false,
        };
        (is_of_a_repetition && is_refused).then(|| Reply::error(403, "AccessDenied"))
    });
    let out = tempfile::tempdir().unwrap();
    let words = [
        "sweep",
        "s3://source",
        "-r",
        "s3://results",
        "--endpoint-url",
        &server.url(),
        "--vcpu",
        "1",
        "--client",
        "lean",
        "-m",
        "async",
        "-c",
        "1",
        "--repeat",
        "1",
        "--id",
        "s",
        "--out",
        out.path().to_str().unwrap(),
    ];
    let said = Invocation::new(&words).go();
    said.exits(5);
    let stored = |server: &Scripted| {
        let puts = server.requests().into_iter().filter(|request| {
            request.method == "PUT" && request.path().ends_with("/repetition.json")
        });
        let mut keys: Vec<String> = puts.map(|request| request.path().to_owned()).collect();
        keys.dedup();
        keys.retain(|key| server.stored(key).is_some());
        keys
    };
    assert_eq!(stored(&server), [""; 0]);
    refuses.store(false, Ordering::Relaxed);
    Invocation::new(&words).go().exits(0);
    assert_eq!(
        stored(&server),
        ["results/sweeps/s/lean-1vcpu-2048mib-async-x1/r01-a1/repetition.json"]
    );
}
