//! CloudWatch Logs: what containers wrote.

use serde_json::{Value, json};

use super::fail::Fail;
use super::process::Host;
use super::state::State;

/// Answers a call: the last lines of a stream, whose name is `prefix/container/task`.
pub(super) fn get_log_events(
    host: &Host,
    state: &mut State,
    request: &Value,
) -> Result<Value, Fail> {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let missing = || {
        Fail::new(
            400,
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        )
    };
    let known = host
        .setup
        .families
        .iter()
        .find(|family| text("logGroupName") == format!("/{}", family.name))
        .ok_or_else(missing)?;
    let id = text("logStreamName")
        .strip_prefix(&format!("ecs/{}/", known.container))
        .ok_or_else(missing)?;
    let task = state
        .tasks
        .iter()
        .find(|task| task.id == id)
        .ok_or_else(missing)?;
    let log = host.folder.join(task.container_id()).join("log");
    let written = std::fs::read(log).map_err(|_| missing())?;
    let written = String::from_utf8_lossy(&written).into_owned();
    let lines: Vec<&str> = written.lines().collect();
    let most = usize::try_from(request["limit"].as_u64().unwrap_or(10_000)).unwrap();
    let events: Vec<_> = lines[lines.len().saturating_sub(most)..]
        .iter()
        .map(|line| json!({"timestamp": 1_767_323_045_000_u64, "message": line, "ingestionTime": 1_767_323_045_000_u64}))
        .collect();
    Ok(json!({"events": events, "nextForwardToken": "f/0", "nextBackwardToken": "b/0"}))
}
