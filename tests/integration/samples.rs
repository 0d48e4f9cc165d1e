//! Samples from the outside: which keys of a bucket a sweep and a run fetch, that the whole bucket is predicted, and what does not go together.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use parfetch::internals::{FILE_NAME, Record};

use crate::support::parfetch::{Parfetch, Ran};

/// Two cells, twice, over a bucket with sizes all over.
const SWEEP: [&str; 11] = [
    "sweep",
    "--embedded=objects=2000,size=4KiB,sizes=lognormal",
    "--vcpu",
    "1",
    "--client",
    "lean",
    "--mode",
    "async",
    "--repeat",
    "2",
    "-c1,4",
];

fn sweep(out: &Path, arguments: &[&str]) -> Parfetch {
    Parfetch::new()
        .args(SWEEP)
        .args(["--id", "s"])
        .args(arguments.iter().copied())
        .out(out)
}

fn keys(out: &Path) -> Vec<String> {
    let text = fs::read_to_string(out.join("sweeps/s/keys.tsv")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect()
}

fn record(out: &Path) -> Record {
    let path = out
        .join("sweeps/s/lean-1vcpu-2048mib-async-x4/r01-a1")
        .join(FILE_NAME);
    Record::from_json(&fs::read_to_string(path).unwrap()).unwrap()
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_sweep_fetches_one_sample_and_reports_on_the_whole_bucket() {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(out.path(), &["--sample", "100"]).exits(0);
    assert!(
        ran.stderr
            .contains("(100 of 2,000 keys at random, seed 1) and 1 warm-up = 5 runs, 500 GETs"),
        "{}",
        ran.stderr
    );
    let sampled = keys(out.path());
    assert_eq!(sampled.iter().collect::<BTreeSet<_>>().len(), 100);
    assert!(sampled.is_sorted(), "in the order of the listing");
    let record = record(out.path());
    let sample = record.sweep.sample.unwrap();
    assert_eq!(
        (
            sample.keys,
            sample.of_keys,
            record.sweep.keys,
            sample.of_bytes
        ),
        (100, 2_000, 2_000, record.sweep.bytes)
    );
    assert_eq!(
        (record.failure, record.server.unwrap().gets),
        (None, 100),
        "every repetition fetches the sample"
    );
    let share = sample.bytes.unwrap() as f64 / record.sweep.bytes.unwrap() as f64;
    assert!(
        (0.045..0.055).contains(&share),
        "bytes are in proportion: {share}"
    );
    let folder = out.path().join("sweeps/s");
    let report = Parfetch::new()
        .args(["report", folder.to_str().unwrap(), "--format", "json"])
        .exits(0);
    let study = &json(&report)["studies"][0];
    assert_eq!(
        (
            &study["workload"]["keys"],
            &study["workload"]["sample"]["keys"]
        ),
        (&2_000.into(), &100.into())
    );
    assert_eq!(study["cells"][0]["prediction"]["keys"], 2_000);
    let report = Parfetch::new()
        .args(["report", folder.to_str().unwrap()])
        .exits(0);
    let words = report
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        words.contains("a random sample: 100 of 2,000 keys"),
        "{}",
        report.stdout
    );

    // The same line goes on with the same keys, another sample is another sweep.
    fs::remove_file(
        folder
            .join("lean-1vcpu-2048mib-async-x4/r01-a1")
            .join(FILE_NAME),
    )
    .unwrap();
    sweep(out.path(), &["--sample", "100"]).exits(0);
    assert_eq!(keys(out.path()), sampled);
    let ran = sweep(out.path(), &["--sample", "200"]).exits(2);
    assert!(
        ran.stderr
            .contains("it had `sample = \"100\"`, and now there is `sample = \"200\"`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_seed_of_a_sweep_is_that_of_its_sample() {
    let drawn = |seed: &str| {
        let out = tempfile::tempdir().unwrap();
        sweep(out.path(), &["--sample", "50", "--seed", seed]).exits(0);
        keys(out.path())
    };
    assert_eq!(drawn("7"), drawn("7"));
    assert_ne!(drawn("7"), drawn("8"));
}

#[test]
fn a_sweep_of_a_large_bucket_samples_unasked() {
    let plan = |arguments: &[&str]| {
        Parfetch::new()
            .args(SWEEP)
            .args(arguments.iter().copied())
            .arg("--print-plan")
            .exits(0)
            .stdout
    };
    assert!(plan(&[]).contains("sample = \"auto\"\n"));
    assert!(
        plan(&["--limit", "5"]).contains("limit = 5\n")
            && !plan(&["--limit", "5"]).contains("sample")
    );
    assert!(plan(&["--duration", "1s"]).contains("sample = \"all\"\n"));
    assert!(plan(&["--contender", "a=b"]).contains("sample = \"all\"\n"));
    // 5 s of 4 workers that wait 20 ms for each of these tiny objects: a thousand of them.
    let slow = SWEEP.map(|word| {
        if word.starts_with("--embedded") {
            "--embedded=objects=20000,size=1KiB,ttfb=1ms"
        } else {
            word
        }
    });
    let out = tempfile::tempdir().unwrap();
    let ran = Parfetch::new()
        .args(slow)
        .arg("--dry-run")
        .out(out.path())
        .exits(0);
    assert!(
        ran.stdout
            .contains("(1,000 of 20,000 keys at random, seed 1)"),
        "{}",
        ran.stdout
    );
    let ran = Parfetch::new()
        .args(slow)
        .args(["--dry-run", "--sample", "all"])
        .out(out.path())
        .exits(0);
    assert!(
        ran.stdout
            .contains("2 runs of 20.5 MB and 1 warm-up = 5 runs"),
        "{}",
        ran.stdout
    );
}

#[test]
fn shards_of_a_sweep_divide_its_sample() {
    let Ok(cpus) = std::thread::available_parallelism() else {
        return;
    };
    if cpus.get() < 2 {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let arguments = [
        "--sample", "60", "--shards", "2", "--repeat", "1", "-c1", "--mode", "thread",
    ];
    let two = [
        "sweep",
        "--embedded=objects=500,size=1KiB",
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--id",
        "s",
    ];
    Parfetch::new()
        .args(two)
        .args(arguments)
        .out(out.path())
        .exits(0);
    let path = out.path().join("sweeps/s");
    let cell = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir() && path.join("r01-a1").is_dir())
        .unwrap();
    let record =
        Record::from_json(&fs::read_to_string(cell.join("r01-a1").join(FILE_NAME)).unwrap())
            .unwrap();
    assert_eq!(
        (
            record.failure,
            record.summaries.len(),
            record.server.unwrap().gets
        ),
        (None, 2, 60)
    );
}

/// Shards of a run draw from their own keys, and a report puts sample and bucket together.
#[test]
fn shards_of_a_run_draw_a_sample_each() {
    let out = tempfile::tempdir().unwrap();
    for index in ["0/2", "1/2"] {
        Parfetch::new()
            .args([
                "run",
                "--embedded=objects=1000,size=2KiB",
                "--sample",
                "40",
                "--shard",
                index,
            ])
            .out(out.path())
            .exits(0);
    }
    let report = Parfetch::new()
        .args(["report", out.path().to_str().unwrap(), "--format", "json"])
        .exits(0);
    let workload = &json(&report)["studies"][0]["workload"];
    assert_eq!(
        (
            &workload["keys"],
            &workload["sample"]["keys"],
            &workload["sample"]["bytes"]
        ),
        (&1_000.into(), &80.into(), &(80 * 2_048).into())
    );
}

#[test]
fn what_does_not_go_with_a_sample_is_refused_in_one_line() {
    let said = |words: &[&str]| {
        let ran = Parfetch::new().args(words.iter().copied()).exits(2);
        assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
        ran.stderr.lines().next().unwrap().to_owned()
    };
    let both = "exclude each other: a sample is random over all keys, a limit is the first of them";
    assert_eq!(
        said(&["run", "--embedded", "--sample", "5", "--limit", "5"]),
        format!("error: --sample and --limit {both}")
    );
    assert_eq!(
        said(&["sweep", "--embedded", "--sample", "5", "--limit", "5"]),
        format!("error: --sample and --limit {both}")
    );
    assert_eq!(
        said(&["sweep", "--embedded", "--sample", "5", "--contender", "a=b"]),
        "error: the contender a lists the bucket by itself: a sample does not reach it"
    );
    assert_eq!(
        said(&["sweep", "--embedded", "--sample", "some"]),
        "error: the sample is `some`, which is neither a number of keys nor a size, auto or all"
    );
    let job = ["submit", "--dry-run", "-b", "images", "-n", "2"];
    let ran = Parfetch::new()
        .env("PARFETCH_SAMPLE", "5")
        .args(job)
        .exits(2);
    assert!(
        ran.stderr
            .starts_with("error: PARFETCH_SAMPLE is `5`, and a job fetches every key\nhint: "),
        "{}",
        ran.stderr
    );
}

/// A key file without sizes: a number of keys can be drawn, a number of bytes cannot.
#[test]
fn a_key_file_is_sampled_like_a_listing() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("keys.tsv");
    let keys: Vec<String> = (0..100)
        .map(|number| format!("data/00/{number:09}.bin"))
        .collect();
    fs::write(&file, format!("# parfetch-keys 1\n{}\n", keys.join("\n"))).unwrap();
    let run = |sample: &str| {
        let keys = ["--keys", file.to_str().unwrap(), "--sample", sample];
        Parfetch::new()
            .args([
                "run",
                "--embedded=objects=100,size=1KiB",
                "--output",
                "json",
            ])
            .args(keys)
            .out(out.path())
    };
    let summary = json(&run("10").exits(0));
    assert_eq!(
        (
            &summary["sample"]["keys"],
            &summary["sample"]["of_keys"],
            &summary["sample"]["of_bytes"]
        ),
        (&10.into(), &100.into(), &().into())
    );
    let ran = run("1MB").exits(4);
    assert!(
        ran.stderr
            .contains("error: no size of a key is known\nhint: --sample N takes a number of keys"),
        "{}",
        ran.stderr
    );
}
