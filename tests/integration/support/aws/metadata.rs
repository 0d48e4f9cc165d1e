//! The metadata endpoint, version 4, and the credentials of tasks.

use parfetch::internals::clock::{unix_ms, utc_text};
use serde_json::{Value, json};

use super::super::scripted::Request;
use super::http::Answer;
use super::process::{Facts, Host};

const TASK: &str = include_str!("../../../data/ecs_task.json");
const STATS: &str = include_str!("../../../data/ecs_task_stats.json");

/// Answers `GET /v4/{id}…`. `facts` are those of the container with that id.
pub(super) fn metadata(host: &Host, (id, path): (&str, &str), facts: Option<&mut Facts>) -> Answer {
    let Some(facts) = facts else {
        return refusal(
            404,
            &format!("V4 metadata handler: unable to get container '{id}'"),
        );
    };
    facts.looks += 1;
    let task = task(host, id, facts);
    match path {
        "" => json_answer(&task["Containers"][0]),
        "/task" | "/taskWithTags" => json_answer(&task),
        "/stats" => json_answer(&stats(id)[id]),
        "/task/stats" => json_answer(&stats(id)),
        _ => refusal(404, "404 page not found"),
    }
}

fn json_answer(value: &Value) -> Answer {
    Answer::new(200, "application/json", value.to_string())
}

/// The agent's errors are strings of JSON.
fn refusal(status: u16, text: &str) -> Answer {
    Answer::new(status, "application/json", Value::from(text).to_string())
}

fn task(host: &Host, id: &str, facts: &Facts) -> Value {
    let setup = &host.setup;
    let mut task: Value = serde_json::from_str(TASK).unwrap();
    let revision = facts.revision.to_string();
    task["Cluster"] = setup.cluster_arn().into();
    task["TaskARN"] = facts.task_arn.clone().into();
    task["Family"] = setup.name.clone().into();
    task["Revision"] = revision.clone().into();
    // The task's in vCPU.
    task["Limits"] =
        json!({"CPU": f64::from(facts.cpu_units) / 1_024.0, "Memory": facts.memory_mib});
    // In MiB, and a little more than it was asked for.
    task["EphemeralStorageMetrics"]["Reserved"] = (facts.storage_gib * 1_024 + 16).into();
    task["PullStartedAt"] = utc_text(facts.pull_started).into();
    task["PullStoppedAt"] = utc_text(facts.pull_stopped).into();
    task["AvailabilityZone"] = facts.zone.clone().into();
    task["ClockDrift"]["ReferenceTimestamp"] = utc_text(unix_ms()).into();
    let container = &mut task["Containers"][0];
    container["DockerId"] = id.into();
    for name in ["CreatedAt", "StartedAt"] {
        container[name] = utc_text(facts.started).into();
    }
    container["Labels"]["com.amazonaws.ecs.task-arn"] = facts.task_arn.clone().into();
    container["Labels"]["com.amazonaws.ecs.task-definition-family"] = setup.name.clone().into();
    container["Labels"]["com.amazonaws.ecs.task-definition-version"] = revision.into();
    task
}

fn stats(id: &str) -> Value {
    let fixture: Value = serde_json::from_str(STATS).unwrap();
    let mut one = fixture
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .clone();
    one["id"] = id.into();
    one["read"] = utc_text(unix_ms()).into();
    // Its interface is this machine's loopback, so that counters grow.
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap();
    let loopback = devices
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"))
        .unwrap();
    let counters: Vec<u64> = loopback
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    one["networks"]["eth1"]["rx_bytes"] = counters[0].into();
    one["networks"]["eth1"]["tx_bytes"] = counters[8].into();
    json!({id: one})
}

/// Answers `GET /v2/credentials/{id}`.
pub(super) fn credentials(host: &Host, request: &Request, facts: Option<&mut Facts>) -> Answer {
    let Some(facts) = facts else {
        return refusal(
            400,
            "InvalidIdInRequest: CredentialsV2Request: Credentials not found",
        );
    };
    if request.headers.get("authorization") != Some(&facts.token) {
        return refusal(401, "the authorization token is not the container's");
    }
    facts.credentials += 1;
    let life = u64::try_from(host.setup.credentials_life.as_millis()).unwrap();
    let (access, secret) = &host.setup.keys;
    json_answer(&json!({
        "RoleArn": format!("arn:aws:iam::{}:role/{}-TaskRole", host.setup.account, host.setup.name),
        "AccessKeyId": access,
        "SecretAccessKey": secret,
        "Token": format!("token-of-{}", facts.token),
        "Expiration": utc_text(unix_ms() + life),
    }))
}
