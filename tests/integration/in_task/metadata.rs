//! What the container agent says of the task, at the start and at the end of a run; and an agent that does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

const TASK: &str = include_str!("../../data/ecs_task.json");
const STATS: &str = include_str!("../../data/ecs_task_stats.json");
const BASE: &str = "v4/0123456789abcdef0123456789abcdef-2886439692";

/// An agent's answers.
pub(super) fn documents(request: &Request) -> Option<Reply> {
    match request.path().strip_prefix(BASE)? {
        "/task" => Some(Reply::ok(TASK)),
        "/task/stats" => Some(Reply::ok(STATS)),
        _ => None,
    }
}

fn refusal() -> Reply {
    Reply::Answer(429, Vec::new(), b"\"rate limit exceeded\"".to_vec())
}

/// A run with an agent that answers so; the agent with what it was asked.
fn run(agent: &Scripted) -> (Said, Value) {
    let store = Scripted::start(3, |_| None);
    let uri = format!("{}/{BASE}", agent.url());
    let said = Invocation::run(&store)
        .env(&[("ECS_CONTAINER_METADATA_URI_V4", &uri)])
        .args(&["-o", "out"])
        .go();
    said.exits(0);
    let summary = serde_json::from_str(&said.read("out/result_run_async_1.json")).unwrap();
    (said, summary)
}

#[test]
fn the_agent_is_asked_at_the_start_and_at_the_end() {
    let asked = AtomicUsize::new(0);
    let agent = Scripted::start(0, move |request| {
        let later = request.path().ends_with("/stats") && asked.fetch_add(1, Ordering::SeqCst) > 0;
        let later = later.then(|| {
            STATS
                .replace("\"rx_bytes\":83721227", "\"rx_bytes\":93721227")
                .replace("03:13:26.73", "03:13:36.73")
        });
        later.map(Reply::ok).or_else(|| documents(request))
    });
    let (_, summary) = run(&agent);
    let paths: Vec<_> = agent
        .requests()
        .iter()
        .map(|request| request.path().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        paths.iter().filter(|path| *path == "task").count(),
        2,
        "{paths:?}"
    );
    assert_eq!(paths.len(), 4, "{paths:?}");
    let environment = &summary["environment"];
    let (start, end) = (&environment["ecs"], &environment["ecs_at_end"]);
    assert_eq!(
        (&start["interface_rx_bytes"], &end["interface_rx_bytes"]),
        (&83_721_227.into(), &93_721_227.into())
    );
    assert_eq!(
        start["interface_read_utc"],
        "2026-01-02T03:13:26.739041788Z"
    );
    assert_eq!(end["interface_read_utc"], "2026-01-02T03:13:36.739041788Z");
    assert_eq!(
        (
            &environment["vcpu"]["limit_vcpu"],
            &environment["vcpu"]["source"]
        ),
        (&4.0.into(), &"ecs".into())
    );
    // Every fact that the documents hold is there, and what they do not hold is null.
    let unknown: Vec<_> = start
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        unknown,
        ["availability_zone_id", "fault_injection", "stats_error"]
    );
}

#[test]
fn an_agent_that_is_busy_is_asked_again() {
    let refused = AtomicUsize::new(0);
    let agent = Scripted::start(0, move |request| {
        if refused.fetch_add(1, Ordering::SeqCst) < 3 {
            Some(refusal())
        } else {
            documents(request)
        }
    });
    let (said, summary) = run(&agent);
    assert_eq!(
        summary["environment"]["vcpu"]["source"], "ecs",
        "{}",
        summary["environment"]
    );
    assert_eq!(said.lines("warning: "), Vec::<&str>::new());
}

#[test]
fn an_agent_that_gives_nothing_stops_no_run() {
    let hold = Hold::default();
    let gate = hold.clone();
    let silent = Scripted::start(0, move |_| {
        gate.wait();
        None
    });
    let kinds = [
        (
            Scripted::start(0, |_| Some(refusal())),
            "the metadata endpoint answered 429 Too Many Requests: rate limit exceeded",
        ),
        (
            silent,
            "no answer from the metadata endpoint within 5000 ms",
        ),
        (
            Scripted::start(0, |_| Some(Reply::ok("\"not a task\""))),
            "the metadata endpoint answered no JSON object: something else",
        ),
        (
            Scripted::start(0, |_| Some(Reply::Close)),
            "connection to the metadata endpoint failed: ",
        ),
    ];
    for (agent, why) in kinds {
        let (_, summary) = run(&agent);
        let environment = &summary["environment"];
        assert!(
            environment["ecs"].is_null() && environment["ecs_at_end"].is_null(),
            "{why}"
        );
        assert!(
            environment["vcpu"]["ecs_vcpu"].is_null()
                && environment["vcpu"]["limit_vcpu"].is_number(),
            "{why}"
        );
        let notes: Vec<_> = environment["notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|note| note.as_str().unwrap())
            .collect();
        for beginning in [
            "no facts about the ECS task: ",
            "no facts about the ECS task at the end: ",
        ] {
            assert!(
                notes
                    .iter()
                    .any(|note| note.starts_with(&format!("{beginning}{why}"))),
                "{why}: {notes:?}"
            );
        }
    }
    hold.open();
}
