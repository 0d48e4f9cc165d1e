//! A sweep's arithmetic recomputed from its CSVs by a script that shares nothing with the report: medians, intervals, rates, tail, the whole bucket, price.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::strict::Invocation;

#[test]
fn another_program_computes_the_same_from_the_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let has_scipy = Command::new("python3")
        .args(["-c", "import scipy, tomllib"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_scipy {
        println!("passed over: python3 (3.11 or later) with scipy is not here");
        return;
    }
    let sweep = root.join("tests/arithmetic/sweep");
    let run = Invocation::new(&["report", sweep.to_str().unwrap(), "--format", "json"]);
    let folder = tempfile::tempdir().unwrap();
    let said = run.go();
    said.exits(0);
    let report = folder.path().join("report.json");
    fs::write(&report, &said.stdout).unwrap();
    let output = Command::new("python3")
        .arg(root.join("tests/arithmetic/sweep.py"))
        .args([&sweep, &report, &root.join("crates/core/data/prices.toml")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("2 configurations, 0 differences"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
