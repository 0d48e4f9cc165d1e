//! Sweeps of URLs: names in braces, servers and factors, what goes to each, and what stands of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use parfetch::internals::{FILE_NAME, Record, Summary};

use super::answering;
use crate::support::parfetch::Parfetch;
use crate::support::scripted::{Hold, Reply};
use crate::support::strict::{Invocation, SECRET, Said, TOKEN};

/// One small configuration, twice.
const SMALL: [&str; 9] = [
    "sweep", "--vcpu", "1", "-m", "async", "--repeat", "2", "--id", "s",
];

/// Records below a results folder, warm-ups too, with the summary of each.
fn records(results: &Path) -> Vec<(Record, Summary)> {
    let folders = |dir: &Path| {
        let entries = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let cells = folders(&results.join("sweeps/s"));
    let attempts = cells.iter().flat_map(|cell| folders(cell));
    attempts
        .map(|dir| {
            let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
            let record = Record::from_json(&text(FILE_NAME)).unwrap();
            assert_eq!(record.failure, None, "{}", dir.display());
            let summary = Summary::from_json(&text(&record.summaries[0])).unwrap();
            (record, summary)
        })
        .collect()
}

fn of(said: &Said) -> Vec<(Record, Summary)> {
    records(&said.folder.path().join("parfetch-results"))
}

/// A server of the sweep that is this binary, and a body with a factor.
fn plan(more: &str) -> String {
    let this = std::env::current_exe().unwrap();
    format!(
        "urls = \"http://127.0.0.1:{{port}}/{{endpoint}}\"\nrequests = 20\nconcurrency = [2]\nbody = '{{\"n\": {{n}}}}'\nmethod = \"POST\"\n\
         server_ready = \"/ready\"\nserver_settle = \"0s\"\n{more}\n[factor]\nendpoint = [\"a\", \"b\"]\nn = [1]\n\
         [[server]]\nname = \"web\"\ncommand = \"'{}' --exact servers::acts_as_a_server --ignored --nocapture\"\n\
         [server.environment]\nPORT = \"{{port}}\"\nACTS_AS_A_SERVER = \"200\"\n",
        this.display()
    )
}

#[test]
fn each_configuration_asks_its_own_server_with_its_own_values() {
    let said = Invocation::bare(&SMALL)
        .args(&["--plan", "plan.toml", "-H", &format!("x-key: {SECRET}")])
        .file("plan.toml", plan(""))
        .go();
    said.exits(0);
    let found = of(&said);
    assert_eq!(found.len(), 2 * 2 + 1, "two endpoints twice, and a warm-up");
    let mut asked = BTreeSet::new();
    for (record, summary) in &found {
        let http = record.sweep.http.as_ref().unwrap();
        assert_eq!(
            (http.urls.as_str(), http.requests, http.method.as_str()),
            ("http://127.0.0.1:{port}/{endpoint}", Some(20), "POST")
        );
        assert_eq!(
            (http.headers.as_slice(), http.has_body),
            (&["x-key".to_owned()][..], true)
        );
        let port = record.started_server.as_ref().unwrap().port;
        let endpoint = record.cell.factors.get("endpoint").unwrap();
        let own = summary.settings.http.as_ref().unwrap();
        assert_eq!(own.urls, format!("http://127.0.0.1:{port}/{endpoint}"));
        assert_eq!(summary.totals.unwrap().rows.ok, 20);
        asked.insert(record.cell.factors.to_string());
    }
    assert_eq!(
        asked.into_iter().collect::<Vec<_>>(),
        [
            "server web · endpoint a · n 1",
            "server web · endpoint b · n 1"
        ]
    );
    assert!(said.stderr.contains(" requests/s"), "{}", said.stderr);
    let folder = said.folder.path().join("parfetch-results");
    let csv = Parfetch::new()
        .args([
            "report",
            "--format",
            "csv",
            folder.join("sweeps/s").to_str().unwrap(),
        ])
        .exits(0)
        .stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 2, "one study, whatever the ports: {csv}");
    assert!(
        lines[1].contains("http://127.0.0.1:{port}/{endpoint}"),
        "{csv}"
    );
    // The plan has no value of a header: whoever continues gives it again.
    let written = folder.join("sweeps/s/plan.toml");
    let again = |words: &[&str]| {
        Parfetch::new()
            .args(["sweep", "--id", "s", "--plan", written.to_str().unwrap()])
            .args(words.iter().copied())
            .out(&folder)
    };
    let refused = again(&[]).exits(2).stderr;
    assert!(
        refused.contains(
            "error: header 1 has no value: a plan keeps names alone\nhint: give it again: -H 'x-key: …'"
        ),
        "{refused}"
    );
    again(&["-H", "x-key: other"]).exits(0);
    assert_eq!(records(&folder).len(), 5, "nothing was left to do");
    let other = again(&["-H", "x-key: other", "-n", "21"]).exits(2).stderr;
    assert!(
        other.contains("it had `requests = 20`, and now there is `requests = 21`"),
        "{other}"
    );
}

#[test]
fn a_server_that_runs_elsewhere_is_asked_as_often_as_planned() {
    let hold = Hold::default();
    let of_server = hold.clone();
    let server = answering(move |_| {
        of_server.wait();
        Reply::ok("x")
    });
    let url = format!("{}/{{path}}", server.url());
    let words = [
        &url,
        "-n",
        "5",
        "-c",
        "1,2",
        "--factor",
        "path=a,b?c",
        "-X",
        "PUT",
        "-d",
        "{mode}",
    ];
    let header = format!("authorization: {SECRET} {{path}}");
    let dry = Invocation::bare(&SMALL)
        .args(&words)
        .args(&["--dry-run"])
        .go();
    dry.exits(0);
    assert!(
        dry.stdout.contains("requests: 45 requests"),
        "{}",
        dry.stdout
    );
    assert!(server.requests().is_empty());
    let running = Invocation::bare(&SMALL)
        .args(&words)
        .env(&[
            ("PARFETCH_HEADERS", &header),
            ("AWS_SECRET_ACCESS_KEY", TOKEN),
        ])
        .start();
    server.wait_for(1, |_| true);
    for child in running.children() {
        let argv = fs::read(format!("/proc/{}/cmdline", child.as_raw_nonzero())).unwrap();
        assert!(
            !String::from_utf8_lossy(&argv).contains(SECRET),
            "argv of a child"
        );
    }
    hold.open();
    let said = running.end();
    said.exits(0);
    // Two paths, two numbers of workers, each twice; and a warm-up.
    let requests = server.requests();
    assert_eq!(requests.len(), (2 * 2 * 2 + 1) * 5);
    let mut targets = BTreeMap::new();
    for request in &requests {
        *targets.entry(request.target.as_str()).or_insert(0) += 1;
        let path = request.target.trim_start_matches('/');
        assert_eq!(request.headers["authorization"], format!("{SECRET} {path}"));
        assert_eq!(
            (request.method.as_str(), request.body.as_slice()),
            ("PUT", &b"async"[..])
        );
    }
    assert_eq!(targets, BTreeMap::from([("/a", 25), ("/b?c", 20)]));
    assert!(
        of(&said)
            .iter()
            .all(|(record, _)| record.started_server.is_none())
    );
}

#[test]
fn a_list_of_urls_is_part_of_the_plan_however_long_it_is() {
    const MANY: usize = 5_000;
    let server = answering(|_| Reply::ok("x"));
    let urls: Vec<String> = (0..MANY)
        .map(|number| format!("{}/{number}\r\n", server.url()))
        .collect();
    let said = Invocation::bare(&SMALL)
        .args(&["--urls", "urls.txt", "-c", "8"])
        .file("urls.txt", urls.concat())
        .go();
    said.exits(0);
    let mut times = BTreeMap::new();
    for request in server.requests() {
        *times.entry(request.target).or_insert(0) += 1;
    }
    assert_eq!(times.len(), MANY);
    assert!(
        times.values().all(|times| *times == 3),
        "twice, and in the warm-up"
    );
    let files = said.files();
    let lists: Vec<_> = files
        .iter()
        .filter(|name| name.ends_with("urls.txt"))
        .collect();
    assert_eq!(lists, ["urls.txt"], "the copies of attempts are gone");
    let plan = said.read("parfetch-results/sweeps/s/plan.toml");
    assert_eq!(plan.matches("http://").count(), MANY);
}
