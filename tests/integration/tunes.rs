//! `parfetch tune` from the outside: on a model of a platform and against the embedded server, its folder, its limits, and that it goes on after any end.

use std::fs;
use std::path::Path;

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
fn another_question_takes_another_name() {
    let out = tempfile::tempdir().unwrap();
    on_model(out.path(), &["--max-runs", "1"]).exits(0);
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
