//! `DescribeTasks`, `ListTasks`, `StopTask` and `DescribeTaskDefinition`.

use serde_json::{Value, json};

use super::fail::Fail;
use super::process::Host;
use super::run_task::{cluster, revision_of};
use super::state::State;
use super::task::{Fields, Status, Task};

/// Most tasks of a page of a listing, small so that there are several.
const PAGE: usize = 10;

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Answers a call. Each task that is named has been looked at then.
pub(super) fn describe_tasks(
    host: &Host,
    state: &mut State,
    request: &Value,
) -> Result<Value, Fail> {
    cluster(&host.setup, request)?;
    let names: Vec<_> = texts(&request["tasks"]).collect();
    if names.is_empty() || names.len() > 100 {
        return Err(Fail::parameter("Tasks cannot be empty, and are at most 100.").violation());
    }
    let fields = if texts(&request["include"]).any(|field| field == "TAGS") {
        Fields::WithTags
    } else {
        Fields::Plain
    };
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        if let Some(task) = state
            .tasks
            .iter_mut()
            .find(|task| task.is_called(name))
            .and_then(Task::shown)
        {
            tasks.push(task.to_json(host, fields));
            task.looked_at();
        } else {
            let id = name.rsplit('/').next().unwrap();
            failures.push(json!({"arn": host.setup.arn("ecs", &format!("task/{}/{id}", host.setup.name)), "reason": "MISSING"}));
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

/// Answers a call, a page at a time.
pub(super) fn list_tasks(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    cluster(&host.setup, request)?;
    let wanted = request["desiredStatus"].as_str().unwrap_or("RUNNING");
    if host.setup.lists_by_one_filter
        && request["startedBy"].is_string()
        && request["desiredStatus"].is_string()
    {
        return Err(Fail::parameter(
            "startedBy cannot go together with another filter.",
        ));
    }
    if request["startedBy"].is_string()
        && ["family", "serviceName", "containerInstance"]
            .iter()
            .any(|name| request[*name].is_string())
    {
        return Err(
            Fail::parameter("startedBy cannot go together with another filter.").violation(),
        );
    }
    let started_by = |task: &Task| {
        request["startedBy"].is_null() || request["startedBy"] == task.request["startedBy"]
    };
    let matches = |task: &&mut Task| {
        started_by(task)
            && (if task.is_stopping() {
                "STOPPED"
            } else {
                "RUNNING"
            }) == wanted
    };
    let arns: Vec<_> = state
        .tasks
        .iter_mut()
        .filter(matches)
        .filter_map(|task| Some(task.shown()?.arn.clone()))
        .collect();
    let from: usize = request["nextToken"]
        .as_str()
        .map_or(Some(0), |token| token.parse().ok())
        .ok_or_else(|| Fail::parameter("Invalid token."))?;
    let most = request["maxResults"]
        .as_i64()
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(PAGE);
    let page: Vec<_> = arns.iter().skip(from).take(most).collect();
    let mut answer = json!({"taskArns": page});
    if from + page.len() < arns.len() {
        answer["nextToken"] = (from + page.len()).to_string().into();
    }
    Ok(answer)
}

/// Answers a call. A task that has stopped already is no error.
pub(super) fn stop_task(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    cluster(&host.setup, request)?;
    let name = request["task"].as_str().unwrap_or_default();
    let task = state
        .tasks
        .iter_mut()
        .find(|task| task.is_called(name) && !task.has_vanished);
    let task = task.ok_or_else(|| Fail::parameter("The referenced task was not found."))?;
    let reason = request["reason"].as_str().unwrap_or("Task stopped by user");
    task.stop("UserInitiated", reason);
    Ok(json!({"task": task.to_json(host, Fields::Plain)}))
}

/// Answers a call.
pub(super) fn describe_definition(
    host: &Host,
    _: &mut State,
    request: &Value,
) -> Result<Value, Fail> {
    let setup = &host.setup;
    let name = request["taskDefinition"].as_str().unwrap_or_default();
    if let Some(family) = setup.family_of(name) {
        return Ok(json!({"taskDefinition": family.describe(setup), "tags": []}));
    }
    let revision = revision_of(setup, name)
        .ok_or_else(|| Fail::client("Unable to describe task definition."))?;
    let environment: Vec<_> = setup
        .environment
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let (cpu, memory) = setup.size;
    let mut described = json!({
        "taskDefinitionArn": format!("{}:{revision}", setup.definition_arn()),
        "family": setup.name, "revision": revision, "status": "ACTIVE", "networkMode": "awsvpc",
        "cpu": cpu.to_string(), "memory": memory.to_string(),
        "requiresCompatibilities": ["FARGATE"], "compatibilities": ["EC2", "FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "taskRoleArn": "arn:aws:iam::123456789012:role/parfetch-TaskRole", "executionRoleArn": "arn:aws:iam::123456789012:role/parfetch-ExecutionRole",
        "volumes": [{"name": "scratch", "host": {}}], "placementConstraints": [], "registeredAt": 1_767_323_045.5,
        "containerDefinitions": [{
            "name": "parfetch", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/parfetch:1.0.0", "cpu": 0, "essential": true,
            "stopTimeout": 120, "portMappings": [], "environment": environment, "volumesFrom": [], "user": "65532:65532", "readonlyRootFilesystem": true,
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": false}],
        }],
    });
    if setup.storage_gib > 20 {
        described["ephemeralStorage"] = json!({"sizeInGiB": setup.storage_gib});
    }
    Ok(json!({"taskDefinition": described, "tags": []}))
}

impl Task {
    fn is_called(&self, name: &str) -> bool {
        name == self.arn || name == self.id
    }

    fn is_stopping(&self) -> bool {
        self.is_to_stop || self.status > Status::Running
    }

    /// The task, unless nobody knows it yet or any more.
    fn shown(&mut self) -> Option<&mut Self> {
        if self.hidden > 0 {
            self.hidden -= 1;
            return None;
        }
        (!self.has_vanished).then_some(self)
    }
}
