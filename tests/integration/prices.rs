//! What a run cost, through the program: requests as the store counted them, the task's size and time, egress, and why there is no price.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

const TASK: &str = include_str!("../data/ecs_task.json");
const STATS: &str = include_str!("../data/ecs_task_stats.json");
const BASE: &str = "v4/0123456789abcdef0123456789abcdef-2886439692";
const SUMMARY: &str = "out/result_run_async_1.json";

/// An agent whose task is this.
fn agent(task: String) -> Scripted {
    Scripted::start(0, move |request| {
        match request.path().strip_prefix(BASE)? {
            "/task" => Some(Reply::ok(task.clone())),
            "/task/stats" => Some(Reply::ok(STATS)),
            _ => None,
        }
    })
}

fn run(store: &Scripted, variables: &[(&str, &str)]) -> (Said, Value) {
    let said = Invocation::run(store)
        .env(variables)
        .args(&["-o", "out"])
        .go();
    said.exits(0);
    let summary = serde_json::from_str(&said.read(SUMMARY)).unwrap();
    (said, summary)
}

#[track_caller]
fn close(found: &Value, expected: f64) {
    let found = found
        .as_f64()
        .unwrap_or_else(|| panic!("{found} is not a number"));
    assert!(
        (found - expected).abs() <= expected.abs() * 1e-9,
        "{found} instead of {expected}"
    );
}

/// The lines of the summary that say the price.
fn price_lines(said: &Said) -> String {
    let lines = said
        .stdout
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("Price "));
    let text: Vec<&str> = lines
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with("          "))
        .map(|(_, line)| line.trim())
        .collect();
    text.join(" ")
}

/// Requests are those that the store saw, and what it refused with 5xx is not paid for.
#[test]
fn requests_are_priced_as_the_store_counted_them() {
    let refused = AtomicBool::new(false);
    let store = Scripted::start(5, move |request: &Request| {
        let first = request.is_fetch()
            && request.path().starts_with("source/")
            && !refused.swap(true, Ordering::SeqCst);
        first.then(|| Reply::error(503, "SlowDown"))
    });
    let (said, summary) = run(&store, &[]);
    let seen = store.requests();
    let count = |wanted: &dyn Fn(&Request) -> bool| {
        seen.iter().filter(|request| wanted(request)).count() as u64
    };
    let price = &summary["price"];
    assert_eq!(
        price["gets"],
        count(&|request| request.is_fetch() && request.path().starts_with("source/")) - 1,
        "one was refused"
    );
    assert_eq!(price["lists"], count(&Request::is_listing));
    assert_eq!(price["puts"], count(&|request| request.method == "PUT"));
    assert_eq!(
        (&price["gets"], &price["lists"], &price["puts"]),
        (&5.into(), &1.into(), &3.into())
    );
    close(&price["usd_requests"], (5.0 * 0.0004 + 4.0 * 0.005) / 1e3);
    close(
        &price["usd_total"],
        price["usd_task"].as_f64().unwrap() + price["usd_requests"].as_f64().unwrap(),
    );
    assert_eq!(
        (&price["usd_egress"], &price["egress"], &summary["no_price"]),
        (&Value::Null, &"none".into(), &Value::Null)
    );
    assert!(
        price_lines(&said).starts_with("Price        $"),
        "{}",
        said.stdout
    );
    assert!(price_lines(&said).contains("no egress"), "{}", said.stdout);
}

/// Elsewhere than on Fargate the price says which task it is the price of, and a short run is that of a minute.
#[test]
fn a_run_on_this_machine_is_priced_as_the_task_that_would_hold_it() {
    let store = Scripted::start(3, |_| None);
    let (said, summary) = run(&store, &[]);
    let (price, task) = (&summary["price"], &summary["price"]["task"]);
    let (vcpu, gb) = (
        task["vcpu"].as_f64().unwrap(),
        task["memory_mib"].as_f64().unwrap() / 1_024.0,
    );
    assert!(
        vcpu >= summary["environment"]["vcpu"]["limit_vcpu"]
            .as_f64()
            .unwrap()
    );
    assert!(
        task["memory_mib"].as_f64().unwrap() * 1_048_576.0
            >= 2.0 * summary["memory"]["peak_pss_bytes"].as_f64().unwrap()
    );
    assert_eq!(
        (
            &price["is_hypothetical"],
            &price["is_minimum"],
            &task["region"]
        ),
        (&true.into(), &true.into(), &"us-east-1".into())
    );
    if task["arch"] == "x86_64" {
        close(&price["usd_task"], (vcpu * 0.04048 + gb * 0.004_445) / 60.0);
    }
    let lines = price_lines(&said);
    assert!(
        lines.contains("billed for one minute, the minimum")
            && lines.contains("if it ran on Fargate as"),
        "{lines}"
    );
    // The report of this one run says the same.
    let folder = said.folder.path().join("out");
    let report = |form: &[&str]| {
        let words: Vec<&str> = ["report", folder.to_str().unwrap()]
            .into_iter()
            .chain(form.iter().copied())
            .collect();
        let said = Invocation::new(&words).go();
        said.exits(0);
        said.stdout
    };
    let reported: Value = serde_json::from_str(&report(&["--format", "json"])).unwrap();
    let cost = &reported["studies"][0]["cells"][0]["cost"];
    close(&cost["usd_task"], price["usd_task"].as_f64().unwrap());
    close(&cost["usd_requests"], (3.0 * 0.0004 + 0.005) / 1e3);
    let text = report(&[]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, cost) = words
        .split_once("On Fargate, one run would cost $")
        .unwrap_or_else(|| panic!("{text}"));
    assert!(
        cost.contains(": task $") && cost.contains(", requests $"),
        "{text}"
    );
    assert!(
        !text.contains("knee") && !text.contains("Holm") && !text.contains("NAT"),
        "a report of one run: {text}"
    );
}

#[test]
fn a_task_on_fargate_is_priced_by_its_own_size_and_from_its_pull() {
    let store = Scripted::start(3, |_| None);
    // 100 s from the start of the pull to that of the container, and 50 GiB of storage.
    let task = TASK
        .replace(
            "2026-01-02T03:04:05.031284568Z",
            "2026-01-02T03:02:30.728610677Z",
        )
        .replace("20496", "51216");
    let agent = agent(task);
    let uri = format!("{}/{BASE}", agent.url());
    let (said, summary) = run(&store, &[("ECS_CONTAINER_METADATA_URI_V4", &uri)]);
    let price = &summary["price"];
    let billed_s = price["billed_s"].as_f64().unwrap();
    let phases = summary["phases"].as_object().unwrap();
    let process_s = phases
        .iter()
        .filter(|(name, _)| *name != "ordering_ns")
        .filter_map(|(_, ns)| ns.as_f64())
        .sum::<f64>()
        / 1e9;
    close(&price["billed_s"], (100.0 + process_s).ceil());
    assert_eq!(
        (&price["is_hypothetical"], &price["is_minimum"]),
        (&false.into(), &false.into())
    );
    assert_eq!(
        (
            &price["task"]["vcpu"],
            &price["task"]["memory_mib"],
            &price["task"]["storage_gib"]
        ),
        (&4.0.into(), &8_192.into(), &50.into())
    );
    if price["task"]["arch"] == "x86_64" {
        close(
            &price["usd_task"],
            billed_s / 3_600.0 * (4.0 * 0.04048 + 8.0 * 0.004_445),
        );
    }
    close(&price["usd_storage"], billed_s / 3_600.0 * 30.0 * 0.000_111);
    let lines = price_lines(&said);
    assert!(
        lines.contains("Fargate, 4 vCPU")
            && lines.contains("storage")
            && !lines.contains("if it ran"),
        "{lines}"
    );
}

#[test]
fn egress_is_priced_where_it_is_asked_for() {
    let store = Scripted::start(4, |_| None);
    for (to, usd_per_gb) in [("internet", 0.09), ("region", 0.02)] {
        let (said, summary) = run(&store, &[("PARFETCH_EGRESS", to)]);
        let price = &summary["price"];
        let bytes = summary["totals"]["received_bytes"].as_f64().unwrap();
        close(&price["usd_egress"], bytes / 1_073_741_824.0 * usd_per_gb);
        let parts =
            ["usd_task", "usd_requests", "usd_egress"].map(|name| price[name].as_f64().unwrap());
        close(&price["usd_total"], parts.iter().sum());
        assert_eq!(
            (&price["egress"], &summary["settings"]["egress"]),
            (&to.into(), &to.into())
        );
        assert!(price_lines(&said).contains("egress to"), "{}", said.stdout);
    }
    let said = Invocation::run(&store).args(&["--egress", "world"]).go();
    said.exits(2);
    assert!(
        said.stderr
            .contains("`world` is not one of none, internet, region"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_region_without_a_price_says_what_is_missing() {
    let store = Scripted::start(2, |_| None);
    // Fargate is in the list, requests are not.
    let (said, summary) = run(&store, &[("AWS_REGION", "eu-north-1")]);
    assert_eq!(
        (
            &summary["price"]["requests_of"],
            &summary["price"]["task"]["region"]
        ),
        (&"us-east-1".into(), &"eu-north-1".into())
    );
    assert!(
        price_lines(&said).contains("requests priced as in us-east-1"),
        "{}",
        said.stdout
    );
    for (variables, why) in [
        (
            vec![
                ("AWS_REGION", "eu-north-1"),
                ("PARFETCH_EGRESS", "internet"),
            ],
            "no price of egress to the internet from eu-north-1",
        ),
        (
            vec![("AWS_REGION", "xx-north-9")],
            "no price of Fargate on ",
        ),
    ] {
        let (said, summary) = run(&store, &variables);
        assert_eq!(summary["price"], Value::Null);
        assert!(
            summary["no_price"].as_str().unwrap().contains(why),
            "{}",
            summary["no_price"]
        );
        assert!(price_lines(&said).contains(why), "{}", said.stdout);
    }
}

#[test]
fn another_price_list_replaces_the_built_in_one() {
    let store = Scripted::start(2, |_| None);
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    };
    let list = format!(
        "dated = \"2031-02-03\"\n[[fargate]]\nregion = \"xx-north-9\"\narch = \"{arch}\"\nusd_per_vcpu_hour = 60\nusd_per_gb_hour = 0\nsource = \"s\"\n\
         [[s3]]\nregion = \"xx-north-9\"\nstorage_class = \"STANDARD\"\nusd_per_1000_get = 1000\nusd_per_1000_list = 0\nusd_per_gb_retrieved = 0\nsource = \"s\"\n"
    );
    let with = |list: &str| {
        Invocation::run(&store)
            .env(&[
                ("AWS_REGION", "xx-north-9"),
                ("PARFETCH_PRICES", "mine.toml"),
            ])
            .file("mine.toml", list)
    };
    let said = with(&list).args(&["-o", "out"]).go();
    said.exits(0);
    let summary: Value = serde_json::from_str(&said.read(SUMMARY)).unwrap();
    let price = &summary["price"];
    close(&price["usd_task"], price["task"]["vcpu"].as_f64().unwrap());
    close(&price["usd_requests"], 2.0);
    assert_eq!(price["prices_dated"], "2031-02-03");
    let said = with("dated = 1").go();
    said.exits(2);
    assert!(
        said.stderr.contains("cannot read the prices mine.toml"),
        "{}",
        said.stderr
    );
}

/// Fields that the runs of this test do not fill everywhere.
const NOT_HERE: [&str; 14] = [
    // The machine's control groups say it, where it has some.
    ".cpu.throttled_ns",
    ".environment.memory.cgroup_bytes",
    ".environment.pids_current",
    ".environment.pids_max",
    ".environment.vcpu.cgroup_vcpu",
    // Tests of the metadata fill it with an agent that has no statistics.
    ".environment.ecs.stats_error",
    ".environment.ecs_at_end.stats_error",
    // What was typed, and other tests type.
    ".settings.access.ca_bundle",
    ".settings.access.profile",
    ".settings.selection.source.file",
    ".settings.selection.source.folder.bucket",
    ".settings.selection.source.folder.key",
    ".settings.selection.source.object.bucket",
    ".settings.selection.source.object.key",
];

/// The names of the fields that have a value somewhere in this document, `a.b`, whatever array or map they are in.
fn filled(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                filled(value, &format!("{at}.{name}"), into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| filled(item, at, into)),
        _ => {
            into.insert(at.to_owned());
        }
    }
}

/// The same names as the schema has them.
fn promised(schema: &Value, (node, at): (&Value, &str), into: &mut BTreeSet<String>) {
    let node = match node.get("$ref").and_then(Value::as_str) {
        Some(link) => schema.pointer(link.trim_start_matches('#')).unwrap(),
        None => node,
    };
    for choice in ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|kind| node.get(*kind)?.as_array())
        .flatten()
    {
        promised(schema, (choice, at), into);
    }
    if let Some(items) = node.get("items") {
        promised(schema, (items, at), into);
    }
    let Some(properties) = node.get("properties").and_then(Value::as_object) else {
        if node
            .get("type")
            .is_some_and(|kind| kind != "null" && kind != "array" && kind != "object")
        {
            into.insert(at.to_owned());
        }
        return;
    };
    for (name, property) in properties {
        promised(schema, (property, &format!("{at}.{name}")), into);
    }
}

/// A run with everything that is told of requests by themselves.
fn of_a_web_server(server: &Scripted) -> Said {
    let url = format!("{}/source/k0000", server.url());
    let address = server.url().replace("http://", "");
    let words = [
        ["run", &url],
        ["-n", "2"],
        ["-c", "1"],
        ["-H", "x-a: b"],
        ["--connect-to", &address],
        ["-o", "out"],
    ];
    Invocation::bare(words.as_flattened()).go()
}

/// A field that only a fixture fills is a promise that no run keeps: the price was one.
#[test]
fn every_field_of_a_summary_is_filled_by_some_run() {
    let mut found = BTreeSet::new();
    let mut add = |said: &Said, name: &str| {
        filled(
            &serde_json::from_str(&said.read(name)).unwrap(),
            "",
            &mut found,
        );
    };
    let task = TASK.replace(
        "\"LaunchType\"",
        "\"AvailabilityZoneID\":\"use1-az4\",\"FaultInjectionEnabled\":false,\"LaunchType\"",
    );
    let agent = agent(task);
    let uri = format!("{}/{BASE}", agent.url());
    let refused = AtomicBool::new(false);
    let store = Scripted::start(5, move |request: &Request| {
        let first = request.is_fetch()
            && request.path().starts_with("source/")
            && !refused.swap(true, Ordering::SeqCst);
        first.then(|| Reply::error(503, "SlowDown"))
    });
    let all = [
        "-o",
        "out",
        "--spool-dir",
        ".",
        "--egress",
        "internet",
        "--order",
        "shuffled",
        "--part-size",
        "1MiB",
        "--timeout",
        "1m",
        "--shard",
        "0/1",
        "--limit",
        "4",
    ];
    let said = Invocation::run(&store)
        .env(&[("ECS_CONTAINER_METADATA_URI_V4", &uri)])
        .args(&all)
        .go();
    said.exits(0);
    add(&said, "out/result_run_async_1.shard-0-of-1.json");
    let said = Invocation::run(&store)
        .env(&[("AWS_REGION", "xx-north-9")])
        .args(&["-o", "out", "--duration", "50ms"])
        .go();
    said.exits(0);
    add(&said, SUMMARY);
    for sample in ["50", "60KB"] {
        let said = Invocation::new(&[
            "run",
            "--embedded=objects=2000,size=1KiB",
            "-o",
            "out",
            "-c",
            "2",
            "--sample",
            sample,
        ])
        .go();
        said.exits(0);
        add(&said, "out/result_run_async_2.json");
    }
    let said = of_a_web_server(&store);
    said.exits(0);
    add(&said, "out/result_run_async_1.json");
    let schema: Value = serde_json::from_str(include_str!("../../schema/summary-v1.json")).unwrap();
    let mut wanted = BTreeSet::new();
    promised(&schema, (&schema, ""), &mut wanted);
    assert!(
        wanted.len() > 150,
        "the schema was walked: {}",
        wanted.len()
    );
    let is_found = |name: &String| {
        found
            .iter()
            .any(|found| found == name || found.starts_with(&format!("{name}.")))
    };
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|name| !is_found(name) && !NOT_HERE.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no run fills {missing:#?}");
}
