//! Tunes of URLs: the most requests per second are looked for, without a price.

use serde_json::Value;

use super::answering;
use crate::support::scripted::Reply;
use crate::support::strict::Invocation;

const SMALL: [&str; 12] = [
    "tune",
    "--vcpu",
    "1",
    "-m",
    "async",
    "-c",
    "1..4",
    "-z",
    "200ms",
    "--max-runs",
    "4",
    "--output=json",
];

#[test]
fn a_server_is_answered_by_requests_per_second_and_without_a_price() {
    let server = answering(|_| Reply::ok("x"));
    let said = Invocation::bare(&SMALL).args(&[&server.url()]).go();
    said.exits(0);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(found["goal"], "fastest");
    assert_eq!(found["runs"], 4);
    assert_eq!(found["urls"], server.url());
    let fastest = &found["answers"][0]["fastest"];
    assert!(
        fastest["requests_per_s"][1].as_f64().unwrap() > 0.0 && fastest["usd"].is_null(),
        "{fastest}"
    );
    assert!(
        found["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["duration_s"] == 0.2),
        "time ends each run"
    );
}

#[test]
fn no_model_is_fitted_to_a_web_server() {
    let server = answering(|_| Reply::ok("x"));
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let said = Invocation::bare(&SMALL)
        .args(&[&server.url(), "--id", "t", "--out", out])
        .go();
    said.exits(0);
    let folder = format!("{out}/sweeps/t");
    let said = Invocation::bare(&["tune", "--fit", &folder]).go();
    said.exits(2);
    assert_eq!(
        said.stderr.lines().collect::<Vec<_>>(),
        [
            format!("error: {folder}: it measured a web server ({}), and a model is of a bucket's objects", server.url()),
            "hint: no model of it is fitted: `parfetch report` has what was measured of each server".to_owned()
        ]
    );
}

#[test]
fn a_configuration_with_a_failed_request_is_left_out() {
    let server = answering(|_| Reply::error(500, "Oops"));
    let said = Invocation::bare(&SMALL).args(&[&server.url()]).go();
    said.exits(4);
    assert!(
        said.stderr.contains("the first run") && said.stderr.contains("nothing was fetched"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_goal_with_a_price_is_refused() {
    for (words, name) in [
        (["--goal", "cheapest"], "--goal"),
        (["--deadline", "30m"], "--deadline"),
    ] {
        let said = Invocation::bare(&["tune", "http://127.0.0.1:9/"])
            .args(&words)
            .go();
        said.exits(2);
        let message = format!(
            "{name} is for a price, and what the machine of a web server costs is not known"
        );
        assert!(said.stderr.contains(&message), "{}", said.stderr);
    }
}
