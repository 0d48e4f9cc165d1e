//! `parfetch tune` from the outside: on a model of a platform and against the embedded server, its folder, its limits, and that it goes on after any end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use parfetch::internals::{FILE_NAME, Record};
use serde_json::Value;

use crate::support::parfetch::Parfetch;

const MODEL: &str = "[bucket]\nobjects = 20000\n[noise]\nsigma = 0.03\n";

/// A tune named `t` on a model, with the answer as JSON.
fn on_model(out: &Path, words: &[&str]) -> Parfetch {
    let model = out.join("platform.toml");
    fs::write(&model, MODEL).unwrap();
    Parfetch::new()
        .args(["tune", "--on"])
        .arg(format!("model={}", model.display()))
        .args(["--id", "t", "--output", "json"])
        .args(words.iter().copied())
        .out(out)
}

fn answer(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

/// The records of its folder.
fn records(out: &Path) -> Vec<Record> {
    let folders = |dir: &Path| {
        let entries = fs::read_dir(dir).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let root = out.join("sweeps/t");
    folders(&root)
        .iter()
        .flat_map(|cell| folders(cell))
        .filter_map(|dir| fs::read_to_string(dir.join(FILE_NAME)).ok())
        .map(|text| Record::from_json(&text).unwrap())
        .collect()
}

#[test]
fn a_tune_on_a_model_answers_and_leaves_an_ordinary_sweep() {
    let out = tempfile::tempdir().unwrap();
    let ran = on_model(out.path(), &[]).exits(0);
    let found = answer(&ran.stdout);
    let of_lean = &found["answers"][0];
    assert_eq!(
        (&found["schema"], &found["on"], &found["stopped_because"]),
        (&"parfetch.tune".into(), &"model".into(), &"sure".into()),
        "{found:#}"
    );
    assert!(of_lean["confidence"].as_f64().unwrap() >= 0.95);
    let choice = &of_lean["cheapest"];
    let seconds: Vec<f64> = serde_json::from_value(choice["seconds"].clone()).unwrap();
    assert!(seconds.is_sorted() && choice["runs"].as_u64().unwrap() >= 3);
    let runs = usize::try_from(found["runs"].as_u64().unwrap()).unwrap();
    let records = records(out.path());
    assert_eq!(
        (records.len(), found["steps"].as_array().unwrap().len()),
        (runs, runs)
    );
    assert!(
        records
            .iter()
            .all(|record| record.amount.is_some() && record.sweep.on == "model")
    );
    assert_eq!(
        fs::read_to_string(out.path().join("sweeps/t/tune.json")).unwrap(),
        ran.stdout
    );
    let page = fs::read_to_string(out.path().join("sweeps/t/report.html")).unwrap();
    assert!(
        page.contains("What was left out, and why:")
            && page.contains(": even its best configuration is about "),
        "{:#}",
        of_lean["dropped"]
    );
    // Whoever reads it knows that nothing was measured.
    let report = Parfetch::new()
        .arg("report")
        .arg(out.path().join("sweeps/t").to_str().unwrap())
        .exits(0);
    let said = report
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        said.contains("Cheapest with the lean client") && said.contains("nothing was measured"),
        "{said}"
    );
    // One program reads one thing, wherever it is said.
    let folder = out.path().join("sweeps/t");
    let all = Parfetch::new().args(["report", "--all"]);
    let said = all.arg(folder.to_str().unwrap()).exits(0).stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = "the first keys of one random order";
    assert!(
        said.contains(&format!("each run: {read} ·"))
            && said.contains(&format!("Fetched {read}"))
            && !said.contains("every key"),
        "{said}"
    );
}

/// Its first run waits for answers that take a minute.
#[test]
fn a_signal_before_the_first_run_has_ended_is_why_it_stopped() {
    let out = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_parfetch"))
        .args(["tune", "--embedded=objects=100,ttfb=60s", "--vcpu", "1"])
        .args(["-m", "async", "--id", "t", "--out"])
        .arg(out.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("tune t: "))
        .unwrap()
        .unwrap();
    let child_id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(child_id, rustix::process::Signal::INT).unwrap();
    let said = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.status.code(), Some(130), "{stdout}");
    assert!(
        stdout.contains("No run was made. Stopped: it was interrupted."),
        "{stdout}"
    );
}

#[test]
fn limits_hold_to_the_run_and_the_same_line_goes_on_to_the_same_answer() {
    let out = tempfile::tempdir().unwrap();
    let whole = answer(&on_model(out.path(), &[]).exits(0).stdout);
    let other = tempfile::tempdir().unwrap();
    for most in ["1", "9"] {
        let found = answer(
            &on_model(other.path(), &["--max-runs", most])
                .exits(0)
                .stdout,
        );
        assert_eq!(found["stopped_because"], "max-runs");
        assert_eq!(found["runs"].to_string(), most);
        assert_eq!(records(other.path()).len().to_string(), most);
    }
    // What a killed tune leaves of a run is no run.
    let half = other
        .path()
        .join("sweeps/t/lean-1vcpu-2048mib-async-x1/r02-a1");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("result_x.json"), "{").unwrap();
    let again = answer(&on_model(other.path(), &[]).exits(0).stdout);
    assert_eq!(again["answers"], whole["answers"]);
    assert_eq!(again["steps"], whole["steps"]);
}

#[test]
fn a_lower_limit_forgets_no_run_that_was_made() {
    let out = tempfile::tempdir().unwrap();
    let found = |words: &[&str]| answer(&on_model(out.path(), words).exits(0).stdout);
    let nine = found(&["--max-runs", "9"]);
    for limit in [
        ["--max-runs", "4"],
        ["--max-bytes", "1"],
        ["--max-time", "1s"],
    ] {
        let again = found(&limit);
        assert_eq!(again["steps"], nine["steps"], "{limit:?}");
        assert_eq!(again["answers"], nine["answers"], "{limit:?}");
    }
}

#[test]
fn a_limit_below_one_run_is_why_there_is_none() {
    for (limit, word) in [
        (["--max-bytes", "1"], "max-bytes"),
        (["--max-time", "1ms"], "max-time"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let ran = on_model(out.path(), &limit).exits(3);
        assert_eq!(answer(&ran.stdout)["stopped_because"], word);
        for said in ["no run was made, as a limit is less", "with a higher limit"] {
            assert!(ran.stderr.contains(said), "{}", ran.stderr);
        }
    }
}

#[test]
fn bytes_and_time_are_limits_as_well() {
    let out = tempfile::tempdir().unwrap();
    let ran = on_model(out.path(), &["--max-bytes", "20GB"]).exits(0);
    let found = answer(&ran.stdout);
    assert_eq!(found["stopped_because"], "max-bytes");
    assert!(
        found["bytes"].as_u64().unwrap() <= 20_000_000_000,
        "{found:#}"
    );
    let other = tempfile::tempdir().unwrap();
    let found = answer(
        &on_model(other.path(), &["--max-time", "5m"])
            .exits(0)
            .stdout,
    );
    assert_eq!(found["stopped_because"], "max-time");
    assert!(found["seconds"].as_f64().unwrap() < 320.0, "{found:#}");
    assert!(!found["answers"][0]["open"].as_array().unwrap().is_empty());
}

#[test]
fn a_dry_run_leaves_nothing() {
    let out = tempfile::tempdir().unwrap();
    let ran = on_model(out.path(), &["--dry-run"]).exits(0);
    assert!(
        ran.stdout.starts_with("tune t: cheapest of "),
        "{}",
        ran.stdout
    );
    assert!(!out.path().join("sweeps").exists());
}

#[test]
fn a_dry_run_of_a_tune_that_was_begun_says_what_is_left() {
    let out = tempfile::tempdir().unwrap();
    let model = out.path().join("platform.toml");
    on_model(out.path(), &["--max-runs", "9"]).exits(0);
    let before = fs::read_to_string(out.path().join("sweeps/t/tune.json")).unwrap();
    let dry_run = |most: &str| {
        let on = format!("model={}", model.display());
        let words = [
            "tune",
            "--on",
            &on,
            "--id",
            "t",
            "--dry-run",
            "--max-runs",
            most,
        ];
        Parfetch::new().args(words).out(out.path()).exits(0).stdout
    };
    let said = dry_run("9");
    assert!(
        said.ends_with("\ndone: 9 runs; nothing is left to run: a limit is reached\n"),
        "{said}"
    );
    let said = dry_run("20");
    assert!(
        said.contains("\ndone: 9 runs; what may come after them:\nat most, ")
            && said.contains("11 runs"),
        "{said}"
    );
    let after = fs::read_to_string(out.path().join("sweeps/t/tune.json")).unwrap();
    assert_eq!(after, before);
    on_model(out.path(), &[]).exits(0);
    let said = dry_run("150");
    assert!(
        said.ends_with("nothing is left to run: the answer is there\n"),
        "{said}"
    );
}

#[test]
fn a_dry_run_counts_what_contenders_list_and_read() {
    let out = tempfile::tempdir().unwrap();
    let foreseen = |words: &[&str]| {
        let ran = Parfetch::new()
            .args(["tune", "--embedded=objects=3000,size=1KiB", "--dry-run"])
            .args(["--vcpu", "1", "-m", "async", "-c", "1", "--max-runs", "10"])
            .args(words.iter().copied())
            .out(out.path())
            .exits(0);
        let line = |begin: &str| {
            let mut lines = ran.stdout.lines();
            let found = lines.find_map(|line| line.strip_prefix(begin));
            found.unwrap_or_else(|| panic!("{}", ran.stdout)).to_owned()
        };
        let requests = line("requests: ");
        let lists = requests.strip_suffix(" LIST requests").unwrap();
        let lists = lists.rsplit(' ').next().unwrap();
        lists.parse::<u64>().unwrap()
    };
    let (alone, with) = (foreseen(&[]), foreseen(&["--contender", "mine=true"]));
    // Three pages in each of its five runs.
    assert!(with >= alone + 15, "{with} LISTs, and {alone} without it");
}

/// How long a program runs is its own affair: nothing is assumed of it, and its earlier runs say it.
#[test]
fn a_dry_run_says_of_a_contenders_time_what_is_known() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("timed.toml");
    let text = "client = []\nvcpu = [1]\n[[contender]]\nname = \"app\"\ncommand = \"true\"\n[contender.result]\ntime = \"program\"\n";
    fs::write(&plan, text).unwrap();
    let tune = |words: &[&str]| {
        Parfetch::new()
            .args(["tune", "--embedded=objects=20,size=1KiB", "--id", "t"])
            .args(words.iter().copied())
            .out(out.path())
            .exits(0)
            .stdout
    };
    let time = |said: &str| {
        let found = said.lines().find_map(|line| line.strip_prefix("time: "));
        found.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let plan = ["--plan", plan.to_str().unwrap()];
    let both = ["--vcpu", "1", "-m", "async", "-c", "1", "--max-runs", "10"];
    let mine = ["--contender", "mine=true", "--dry-run"];
    assert_eq!(
        time(&tune(&[&both[..], &mine].concat())),
        "about 25 s of the runs of parfetch; how long those of mine take is not known"
    );
    let dry_run = [&plan[..], &["--dry-run"]].concat();
    assert_eq!(time(&tune(&dry_run)), "not known, as it is what app takes");
    tune(&[&plan[..], &["--max-runs", "2"]].concat());
    let said = time(&tune(&dry_run));
    assert!(
        said.starts_with("about ") && said.ends_with(" s, by the runs of app that were made"),
        "{said}"
    );
}

#[test]
fn another_question_takes_another_name() {
    let out = tempfile::tempdir().unwrap();
    let begun = on_model(out.path(), &["--max-runs", "1"]).exits(0);
    let first = &answer(&begun.stdout)["answers"][0];
    assert_eq!(
        (&first["confidence"], &first["first_look_runs"]),
        (&serde_json::Value::Null, &1.into()),
        "of one run nothing is sure"
    );
    let ran = on_model(out.path(), &["--max-runs", "1", "--goal", "fastest"]).exits(2);
    assert!(
        ran.stderr
            .contains("it had `goal = \"cheapest\"`, and now there is `goal = \"fastest\"`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_model_that_is_none_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let model = out.path().join("wrong.toml");
    fs::write(&model, "[store]\nfirst_bite_s = 1\n").unwrap();
    let ran = Parfetch::new()
        .args(["tune", "--on"])
        .arg(format!("model={}", model.display()))
        .out(out.path())
        .exits(2);
    assert!(
        ran.stderr.contains("unknown field `first_bite_s`"),
        "{}",
        ran.stderr
    );
}

/// Against a server that answers at once: what matters is that each run fetches the first keys of one order.
#[test]
fn runs_on_this_machine_fetch_the_first_keys_of_one_order() {
    let out = tempfile::tempdir().unwrap();
    let ran = Parfetch::new()
        .args(["tune", "--embedded=objects=200,size=1KiB,ttfb=1ms"])
        .args([
            "--vcpu",
            "1",
            "-m",
            "async",
            "-c",
            "1..8",
            "--max-runs",
            "4",
        ])
        .args(["--id", "t", "--output", "json"])
        .out(out.path())
        .exits(0);
    let found = answer(&ran.stdout);
    assert_eq!(found["runs"], 4, "{}", ran.stderr);
    assert!(
        found["answers"][0]["cheapest"]["seconds"][1]
            .as_f64()
            .unwrap()
            > 0.0
    );
    // Runs of 200 ms at most: a first look, of which nobody is sure.
    let of_lean = &found["answers"][0];
    assert!(of_lean["first_look_s"].as_f64().unwrap() < 1.0);
    assert!(of_lean["confidence"].is_null(), "{of_lean:#}");
    // As many as its records say, without those that the server shared.
    let cpus = |record: Record| match record.limited.shared_with_server {
        Some(true) => 0,
        _ => record.limited.cpus.len(),
    };
    let most = records(out.path()).into_iter().map(cpus).max();
    assert_eq!(found["client_cpus"].as_u64(), most.map(|most| most as u64));
    for record in records(out.path()) {
        assert!(record.failure.is_none(), "{:?}", record.failure);
        assert!(record.amount.unwrap().keys.unwrap() <= 200);
    }
    let keys = fs::read_to_string(out.path().join("sweeps/t/keys.tsv")).unwrap();
    let keys: Vec<&str> = keys.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(keys.len(), 200);
    assert!(!keys.is_sorted(), "a random order");
}

#[test]
fn the_model_that_fits_a_tune_is_like_the_one_that_it_ran_on() {
    let out = tempfile::tempdir().unwrap();
    on_model(out.path(), &["--goal", "fastest"]).exits(0);
    let folder = out.path().join("sweeps/t");
    let fitted = Parfetch::new()
        .args(["tune", "--fit", folder.to_str().unwrap()])
        .exits(0)
        .stdout;
    let number = |key: &str| -> f64 {
        let line = fitted.lines().find_map(|line| line.strip_prefix(key));
        let value = line.unwrap_or_else(|| panic!("{key}: {fitted}"));
        value.trim_start_matches(" = ").parse().unwrap()
    };
    // 2.5 MB: 20 ms and 27.8 ms at 90 MB/s.
    let one_s = number("first_byte_s") + number("mean_bytes") / number("connection_bytes_per_s");
    assert!((0.043..0.053).contains(&one_s), "{one_s}: {fitted}");
    let again = out.path().join("fitted.toml");
    fs::write(&again, &fitted).unwrap();
    let ran = Parfetch::new()
        .args(["tune", "--on"])
        .arg(format!("model={}", again.display()))
        .args(["--max-runs", "8", "--output", "json", "--id", "again"])
        .out(out.path())
        .exits(0);
    assert_eq!(answer(&ran.stdout)["objects"], 20_000);
}

#[test]
fn what_is_not_in_a_model_is_said() {
    let out = tempfile::tempdir().unwrap();
    let sweep = |words: &[&str]| {
        let all = "sweep --id s --vcpu 1 -m async --repeat 1";
        let ran = Parfetch::new()
            .args(all.split(' '))
            .args(words.iter().copied());
        ran.out(out.path()).exits(0)
    };
    let executable = env!("CARGO_BIN_EXE_parfetch");
    let app = format!("app='{executable}' {{act}}");
    sweep(&[
        "--embedded=objects=400,size=64KiB,ttfb=2ms",
        "-c",
        "1,2,4,8",
        "--client",
        "lean,sdk",
        "--factor",
        "act=run",
        "--contender",
        &app,
    ]);
    let fit = |code| {
        let folder = out.path().join("sweeps/s");
        Parfetch::new()
            .args(["tune", "--fit", folder.to_str().unwrap()])
            .exits(code)
    };
    let fitted = fit(0);
    // One of each number of workers, of lean alone.
    let begin = "# A model that fits 4 runs of ";
    assert!(fitted.stdout.starts_with(begin), "{}", fitted.stdout);
    for line in [
        "app: 4 configurations with factors (act), and a model has none",
        "sdk: a model has one client of parfetch, here lean",
    ] {
        assert!(
            fitted
                .stderr
                .contains(&format!("warning: not in the model: {line}\n"))
                && fitted.stdout.contains(&format!("# Not in it: {line}\n")),
            "{}{}",
            fitted.stderr,
            fitted.stdout
        );
    }
}

/// A program that knows nothing of parfetch: its run takes as long as its variables say, and 4 workers are the best.
fn power(tenths: u32) -> String {
    let work = format!("a * {tenths} / VCPUS");
    format!(
        "embedded = \"objects=20,size=1KiB\"\nvcpu = [1, 2]\nclient = []\nconcurrency = [1, 2, 4, 8]\nrepeat = 6\n\
         [tune]\ngoal = \"fastest\"\n\
         [[contender]]\nname = \"power\"\n\
         command = \"sh -c 'case $WORKERS in 1) a=8;; 2) a=4;; 4) a=1;; *) a=3;; esac; sleep $(({work} / 10)).$(({work} % 10))'\"\n\
         [contender.environment]\nWORKERS = \"{{concurrency}}\"\nVCPUS = \"{{vcpu}}\"\n[contender.result]\ntime = \"program\"\n"
    )
}

/// Its time is that of its whole process. What parfetch took to list, once and for all runs, is no part of it.
#[test]
fn the_time_of_a_program_has_no_listing_of_parfetch_s_own() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("timed.toml");
    let text = "client = []\nvcpu = [1]\n[[contender]]\nname = \"app\"\ncommand = \"sleep 0.1\"\n[contender.result]\ntime = \"program\"\n";
    fs::write(&plan, text).unwrap();
    let ran = Parfetch::new()
        .args([
            "tune",
            "--embedded=objects=20,size=1KiB,list-delay=6s",
            "--id",
            "t",
        ])
        .args(["--plan", plan.to_str().unwrap(), "--output", "json"])
        .out(out.path())
        .exits(0);
    let found = answer(&ran.stdout);
    let [_, middle, _] = [0, 1, 2].map(|at| {
        found["answers"][0]["cheapest"]["seconds"][at]
            .as_f64()
            .unwrap()
    });
    assert!(middle < 6.0, "{found:#}");
}

#[test]
fn a_program_that_is_only_timed_gets_the_right_size() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("power.toml");
    fs::write(&plan, power(2)).unwrap();
    let plan = plan.to_str().unwrap();
    let tune = |words: &[&str]| {
        Parfetch::new()
            .args(["tune", "--plan", plan, "--id", "t", "--output", "json"])
            .args(words.iter().copied())
            .out(out.path())
    };
    // Less than one list: what the program reads is not known, and ends nothing.
    let ran = tune(&["--max-bytes", "1KB"]).exits(0);
    let said = "the plan's repeat is not used: a tune chooses how often each configuration runs";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let found = answer(&ran.stdout);
    let best = &found["answers"][0]["fastest"];
    // What it read is not known.
    let step = &found["steps"][0];
    assert_eq!(
        (
            &found["answers"][0]["is_timed_alone"],
            &found["bytes"],
            &best["usd_requests"]
        ),
        (&true.into(), &0.into(), &serde_json::Value::Null),
        "{found:#}"
    );
    assert!(
        step["seen"]["objects_per_s"].is_null() && step["seen"]["bytes_per_s"].is_null(),
        "{step:#}"
    );
    assert!(
        step["expected_s"].is_number()
            && ran.stderr.contains(" a run")
            && !ran.stderr.contains("B/s"),
        "{step:#}\n{}",
        ran.stderr
    );
    // Nothing on its page counts objects.
    let page = fs::read_to_string(out.path().join("sweeps/t/report.html")).unwrap();
    for wrong in [
        "objects/s<",
        "every key once",
        "is not in these prices",
        "Prices per",
        "repetition of each configuration planned",
    ] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    // The plan that it wrote down is the same tune.
    let written = out.path().join("sweeps/t/plan.toml");
    let again = Parfetch::new()
        .args(["tune", "--plan", written.to_str().unwrap(), "--id", "t"])
        .args(["--output", "json"])
        .out(out.path())
        .exits(0);
    assert_eq!(answer(&again.stdout)["answers"], found["answers"]);
    // No model is made up of what it read.
    let folder = out.path().join("sweeps/t");
    let fit = Parfetch::new().args(["tune", "--fit", folder.to_str().unwrap()]);
    let said = "nothing is left for a model: power: its time alone is known, and a model is of what is read";
    let refused = fit.exits(2).stderr;
    assert!(refused.contains(said), "{refused}");
}

/// By a tune and by a sweep of every configuration. A machine that does other work hides what takes tenths of a second: then once more with seconds.
#[test]
fn the_right_size_of_a_program_that_is_only_timed_is_found() {
    let cpus = std::thread::available_parallelism().unwrap().get();
    let vcpu = if cpus >= 2 { 2.0 } else { 1.0 };
    let mut said = String::new();
    for tenths in [2, 20] {
        let out = tempfile::tempdir().unwrap();
        let plan = out.path().join("power.toml");
        let measured = |command: &str, words: &[&str]| {
            Parfetch::new()
                .args([command, "--plan", plan.to_str().unwrap()])
                .args(words.iter().copied())
                .out(out.path())
                .exits(0)
                .stdout
        };
        fs::write(&plan, power(tenths)).unwrap();
        let tuned = answer(&measured("tune", &["--id", "t", "--output", "json"]));
        let every = power(tenths).replace("[tune]\ngoal = \"fastest\"\n", "");
        fs::write(&plan, every).unwrap();
        let swept = measured("sweep", &["--id", "all", "--vcpu", "1"]);
        let best = &tuned["answers"][0]["fastest"];
        let is_found = best["vcpu"] == vcpu
            && best["concurrency"] == 4
            && tuned["stopped_because"] == "sure"
            && swept.contains("for power: 1 vCPU, 2 GB, process × 4\n");
        if is_found {
            return;
        }
        said = format!("{tuned:#}\n{swept}");
    }
    panic!("{said}");
}

#[test]
fn a_failure_with_fewer_workers_drops_none_that_worked() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("plan.toml");
    // Two workers work, slowly; one worker is faster, and fails from then on.
    let mark = out.path().join("mark").display().to_string();
    let script = format!(
        "if [ {{concurrency}} = 2 ]; then touch {mark}; sleep 0.5; elif [ -e {mark} ]; then exit 1; fi"
    );
    let text = format!(
        "client = []\n[[contender]]\nname = \"app\"\ncommand = \"/bin/sh -c '{script}'\"\n[contender.result]\ntime = \"program\"\n"
    );
    fs::write(&plan, text).unwrap();
    let ran = Parfetch::new()
        .args(["tune", "--embedded=objects=5,size=1KiB", "--vcpu", "1"])
        .args(["-m", "async", "-c", "1..2", "--id", "t", "--output", "json"])
        .args(["--max-runs", "7", "--plan", plan.to_str().unwrap()])
        .out(out.path())
        .exits(0);
    let found = answer(&ran.stdout);
    let steps = found["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["failure"].is_string() && step["concurrency"] == 1),
        "{found:#}"
    );
    assert_eq!(found["answers"][0]["program"], "app");
    assert_eq!(
        found["answers"][0]["cheapest"]["concurrency"], 2,
        "{found:#}"
    );
}

#[test]
fn what_a_tune_cannot_take_of_a_plan_is_refused_in_one_line() {
    let out = tempfile::tempdir().unwrap();
    let plan = out.path().join("plan.toml");
    let plan = plan.to_str().unwrap();
    let tune = |words: &[&str]| {
        let ran = Parfetch::new().args(["tune", "--embedded=objects=5", "--plan", plan]);
        ran.args(words.iter().copied())
            .out(out.path())
            .exits(2)
            .stderr
    };
    assert!(tune(&[]).starts_with(&format!("error: cannot read the plan {plan}: ")));
    fs::write(plan, "duration = '5s'\n").unwrap();
    assert_eq!(
        tune(&[]),
        format!(
            "error: the plan {plan} has `duration`, which does not go with a tune: a tune chooses by itself how much each run fetches\n\
             hint: remove it from the file, or measure the plan with `parfetch sweep --plan {plan}`\n"
        )
    );
}

#[test]
fn a_sweep_adds_configurations_to_the_folder_of_a_tune() {
    let out = tempfile::tempdir().unwrap();
    let source = "--embedded=objects=200,size=1KiB,ttfb=1ms";
    let tune = |words: &[&str]| {
        Parfetch::new()
            .args(["tune", source, "--vcpu", "1", "-m", "async", "-c", "1..8"])
            .args(["--id", "t", "--output", "json", "--max-runs", "4"])
            .args(words.iter().copied())
            .out(out.path())
    };
    let before = answer(&tune(&[]).exits(0).stdout);
    let sweep = |words: &[&str]| {
        let all = "sweep --id t --vcpu 1 --client lean -m thread";
        let ran = Parfetch::new().args(all.split(' '));
        ran.args(words.iter().copied()).out(out.path())
    };
    let more = [source, "-c", "16", "--limit", "150", "--repeat", "2"];
    let added = sweep(&more).exits(0);
    assert!(added.stdout.contains("thread"), "{}", added.stdout);
    let of_thread = |records: &[Record]| {
        let own = records
            .iter()
            .filter(|one| one.cell.concurrency == 16 && one.repetition > 0);
        own.map(|one| (one.amount.unwrap().keys, one.failure.is_none()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_thread(&records(out.path())), [(Some(150), true); 2]);
    let places = records(out.path());
    let places: std::collections::BTreeSet<u32> =
        places.iter().map(|record| record.position).collect();
    assert_eq!(places.len(), 4 + 3, "each run has a place of its own");
    let dry_run = |words: &[&str]| sweep(words).arg("--dry-run").exits(0).stdout;
    let said = dry_run(&more);
    assert!(
        said.contains("\nadds to the tune t\ndone: 2 runs; nothing is left to run\n"),
        "{said}"
    );
    let said = dry_run(&[source, "-c", "32", "--repeat", "1"]);
    assert!(
        said.contains("sweep t: 1 configuration × 1 run of 5.00 s and 1 warm-up = 2 runs;"),
        "{said}"
    );
    assert_eq!(records(out.path()).len(), 4 + 3);
    // What is there is not measured again, and by itself a run is as long as the tune's.
    sweep(&more).exits(0);
    assert_eq!(records(out.path()).len(), 4 + 3);
    sweep(&[source, "-c", "32", "--repeat", "1"]).exits(0);
    let longer = records(out.path());
    let longer = longer
        .iter()
        .find(|one| one.cell.concurrency == 32)
        .unwrap();
    assert_eq!(longer.amount.unwrap().duration_ns, Some(5_000_000_000));
    // The tune is as it was.
    assert_eq!(answer(&tune(&[]).exits(0).stdout)["steps"], before["steps"]);
    for (words, message) in [
        (
            &[source, "--sample", "20"][..],
            "the tune has an order of keys of its own, so there is no other sample",
        ),
        (&[source, "--shards", "2"], "a tune has no shards"),
        (
            &[
                source,
                "--factor",
                "build=a,b",
                "--contender",
                "app=./{build}",
            ],
            "its requests, servers or factors are others",
        ),
        (
            &[source, "--order", "shuffled"],
            "its work, part size or order is another",
        ),
        (
            &["--embedded=objects=5"],
            "it reads --embedded=objects=5, and the tune --embedded=objects=200,size=1KiB,ttfb=1ms",
        ),
    ] {
        let said = sweep(words).exits(2).stderr;
        assert!(
            said.starts_with(&format!(
                "error: t is a tune, and this sweep cannot add to it: {message}\nhint: "
            )),
            "{said}"
        );
    }
}
