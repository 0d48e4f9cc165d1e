//! `RunTask`: the rules that the model does not hold, the client token, the quota, and the task itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fail::Fail;
use super::faults::{Fault, Form, Start, take};
use super::process::Host;
use super::setup::Setup;
use super::size;
use super::state::State;
use super::task::{Birth, Fields, Task};

const QUOTA: &str = "You've reached the limit on the number of vCPUs you can run concurrently";
const TASK_QUOTA: &str = "You've reached the limit on the number of tasks you can run concurrently";
const ABOVE: &str = "The requested CPU configuration is above your limit";
const CAPACITY: &str = "Capacity is unavailable at this time. Please try again later or in a different availability zone";

/// Answers a call.
pub(super) fn run_task(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    if !state.launches.take() {
        return Err(Fail::throttled());
    }
    let setup = &host.setup;
    check(setup, request).map_err(Fail::violation)?;
    let token = request["clientToken"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    check_token(&token).map_err(Fail::violation)?;
    cluster(setup, request)?;
    let definition = definition(setup, request)?;
    network(setup, request)?;
    let size = size_of(setup, request)?;
    let storage_gib = storage_of(setup, request).map_err(Fail::violation)?;
    if !state.seen.contains(&token) {
        state.seen.push(token.clone());
    }
    let number = state.seen.iter().position(|seen| *seen == token).unwrap() + 1;
    let tags = tags(request);
    let start = Start {
        number,
        tags: &tags,
        child: None,
    };
    if let Some(fault) = take(&mut state.rules, &start, Fault::is_of_the_call) {
        return refused(fault);
    }
    let mut parameters = request.clone();
    parameters.as_object_mut().unwrap().remove("clientToken");
    if let Some((before, place)) = state.tokens.get(&token) {
        let task = &state.tasks[*place];
        if *before == parameters {
            return Ok(started(host, task));
        }
        let mut conflict = Fail::new(
            400,
            "ConflictException",
            "The client token was used with other parameters.",
        );
        conflict
            .more
            .insert("resourceIds".to_owned(), json!([task.arn]));
        return Err(conflict);
    }
    let is_spot = request["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT";
    if let Some(fault) = over_quota(host, state, (is_spot, size.0)) {
        return refused(fault);
    }
    let fault = take(&mut state.rules, &start, |fault| !fault.is_of_the_call());
    state.is_answer_lost = fault == Some(Fault::LostAnswer);
    let id = format!("{:032x}", fastrand::u128(..));
    let zone = format!(
        "{}{}",
        setup.region,
        if state.tasks.len().is_multiple_of(2) {
            "a"
        } else {
            "b"
        }
    );
    let arn = setup.arn("ecs", &format!("task/{}/{id}", setup.name));
    let environment = environment(setup, request);
    let program = program(setup, request);
    let family = setup.family_of(request["taskDefinition"].as_str().unwrap_or_default());
    let ran_ms = family.and_then(|family| family.ran_ms);
    let task = Task::new(Birth {
        arn,
        request: request.clone(),
        definition,
        size,
        storage_gib,
        ran_ms: ran_ms.map(|of| of(&environment)),
        environment,
        program,
        tags,
        is_spot,
        zone,
        fault,
        hidden: setup.hidden,
    });
    state.tokens.insert(token, (parameters, state.tasks.len()));
    state.tasks.push(task);
    Ok(started(host, state.tasks.last().unwrap()))
}

fn started(host: &Host, task: &Task) -> Value {
    json!({"tasks": [task.to_json(host, Fields::WithTags)], "failures": []})
}

fn refused(fault: Fault) -> Result<Value, Fail> {
    let failure = |reason: &str| Ok(json!({"tasks": [], "failures": [{"reason": reason}]}));
    let said = |form: Form, text: &str| {
        if form == Form::Failure {
            failure(text)
        } else {
            Err(Fail::client(text))
        }
    };
    match fault {
        Fault::Capacity => failure(CAPACITY),
        Fault::Quota(form) => said(form, QUOTA),
        Fault::TaskQuota(form) => said(form, TASK_QUOTA),
        Fault::AboveLimit(form) => said(form, ABOVE),
        other => Err(call_fault(other)),
    }
}

/// What any call can be answered.
pub(super) fn call_fault(fault: Fault) -> Fail {
    match fault {
        Fault::Throttled => Fail::throttled(),
        Fault::ServerError => Fail::server(),
        Fault::AccessDenied => Fail::new(
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/u is not authorized to perform this.",
        ),
        Fault::Ec2Throttled => Fail::parameter(
            "Error retrieving security group information for [sg-0123456789abcdef0]: Request limit exceeded. (ErrorCode: 400)",
        ),
        Fault::NoProvider => Fail::parameter("The specified capacity provider was not found."),
        Fault::Blocked => Fail::new(
            400,
            "BlockedException",
            "Your account is currently blocked.",
        ),
        Fault::MissingDefinition => Fail::client("TaskDefinition not found."),
        other => panic!("{other:?} is not of a call"),
    }
}

fn over_quota(host: &Host, state: &State, (is_spot, units): (bool, u32)) -> Option<Fault> {
    let setup = &host.setup;
    let quota = setup.quota[usize::from(is_spot)].unwrap_or(setup.default_quota) * 1_024.0;
    if f64::from(units) > quota {
        return Some(Fault::AboveLimit(setup.quota_form));
    }
    (f64::from(state.units_in_flight(is_spot) + units) > quota)
        .then_some(Fault::Quota(setup.quota_form))
}

/// Rules of the documentation.
fn check(setup: &Setup, request: &Value) -> Result<(), Fail> {
    let text = |name: &str| request[name].as_str();
    if !(1..=10).contains(&request["count"].as_i64().unwrap_or(1)) {
        return Err(Fail::parameter(
            "Count cannot be less than 1 or greater than 10.",
        ));
    }
    if request["count"].as_i64().unwrap_or(1) > 1 {
        return Err(Fail::parameter(
            "this account starts tasks one by one: what differs between them is in their overrides",
        ));
    }
    if request
        .get("overrides")
        .is_some_and(|overrides| overrides.to_string().chars().count() > 8_192)
    {
        return Err(Fail::parameter(
            "TaskOverride must be at most 8192 characters.",
        ));
    }
    let strategy = request["capacityProviderStrategy"].as_array();
    match (text("launchType"), strategy) {
        (Some(_), Some(_)) => {
            return Err(Fail::parameter(
                "Cannot specify both launch type and capacity provider strategy.",
            ));
        }
        (Some("FARGATE"), None) => {}
        (None, Some(items)) => check_strategy(items)?,
        _ => {
            return Err(Fail::parameter(
                "No Container Instances were found in your cluster.",
            ));
        }
    }
    let is_plain = |text: &str| {
        text.len() <= 128
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
    };
    if !text("startedBy").is_none_or(is_plain) {
        return Err(Fail::parameter(
            "Invalid startedBy: letters, numbers, hyphens, underscores and slashes, at most 128.",
        ));
    }
    let keys: Vec<_> = request["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| tag["key"].as_str().unwrap_or_default())
        .collect();
    if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
        return Err(Fail::parameter("Duplicate tag keys found."));
    }
    if keys
        .iter()
        .any(|key| key.is_empty() || key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(Fail::parameter(
            "Tag keys are not empty and do not begin with aws:.",
        ));
    }
    check_containers(setup, request)
}

fn check_strategy(items: &[Value]) -> Result<(), Fail> {
    if items.is_empty()
        || items.len() > 20
        || items
            .iter()
            .all(|item| item["weight"].as_i64().unwrap_or(0) == 0)
    {
        return Err(Fail::parameter(
            "A capacity provider strategy has 1 to 20 items, one of them with a weight above 0.",
        ));
    }
    if items.iter().any(|item| {
        !["FARGATE", "FARGATE_SPOT"]
            .contains(&item["capacityProvider"].as_str().unwrap_or_default())
    }) {
        return Err(Fail::parameter(
            "The specified capacity provider was not found.",
        ));
    }
    Ok(())
}

fn check_containers(setup: &Setup, request: &Value) -> Result<(), Fail> {
    let family = setup.family_of(request["taskDefinition"].as_str().unwrap_or_default());
    let known = family.map_or("parfetch", |family| family.container.as_str());
    let overrides = request["overrides"]["containerOverrides"].as_array();
    for container in overrides.into_iter().flatten() {
        if container["name"] != known {
            return Err(Fail::parameter(format!(
                "Override for container named {} is not a container in the TaskDefinition.",
                container["name"]
            )));
        }
        let names: Vec<_> = container["environment"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| &pair["name"])
            .collect();
        if let Some(twice) = names
            .iter()
            .enumerate()
            .find(|(place, name)| names[..*place].contains(name))
        {
            return Err(Fail::parameter(format!(
                "the variable {} stands there twice",
                twice.1
            )));
        }
        let is_secret = |name: &str| {
            ["SECRET", "ACCESS_KEY", "SESSION_TOKEN", "PASSWORD"]
                .iter()
                .any(|part| name.contains(part))
        };
        if let Some(name) = names.iter().find(|name| {
            name.as_str()
                .is_none_or(|name| name.is_empty() || is_secret(name))
        }) {
            return Err(Fail::parameter(format!(
                "the variable {name} must not be among the overrides: everybody who may look at tasks reads them"
            )));
        }
    }
    Ok(())
}

fn check_token(token: &str) -> Result<(), Fail> {
    let is_good =
        (1..=64).contains(&token.len()) && token.bytes().all(|byte| (33..=126).contains(&byte));
    is_good.then_some(()).ok_or_else(|| {
        Fail::parameter("clientToken must have 1 to 64 characters of ASCII 33 to 126.")
    })
}

/// The cluster has to be there.
pub(super) fn cluster(setup: &Setup, request: &Value) -> Result<(), Fail> {
    let name = request["cluster"].as_str().unwrap_or("default");
    if name == setup.name || name == setup.cluster_arn() {
        return Ok(());
    }
    Err(Fail::new(
        400,
        "ClusterNotFoundException",
        "Cluster not found.",
    ))
}

fn definition(setup: &Setup, request: &Value) -> Result<(String, u32), Fail> {
    let name = request["taskDefinition"].as_str().unwrap_or_default();
    if let Some(family) = setup.family_of(name) {
        return Ok((family.arn(setup), 1));
    }
    let revision = revision_of(setup, name).ok_or_else(|| call_fault(Fault::MissingDefinition))?;
    Ok((format!("{}:{revision}", setup.definition_arn()), revision))
}

/// The revision that a family, a family with a revision, or an ARN names. What an ARN without a revision means is written nowhere.
pub(super) fn revision_of(setup: &Setup, name: &str) -> Option<u32> {
    if name == setup.name {
        return Some(setup.revision);
    }
    let rest = name
        .strip_prefix(&setup.definition_arn())
        .or_else(|| name.strip_prefix(&setup.name))?;
    rest.strip_prefix(':')?
        .parse()
        .ok()
        .filter(|revision| (1..=setup.revision).contains(revision))
}

fn network(setup: &Setup, request: &Value) -> Result<(), Fail> {
    let config = &request["networkConfiguration"]["awsvpcConfiguration"];
    let names = |name: &str| {
        config[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
    };
    let (subnets, groups) = (names("subnets"), names("securityGroups"));
    if subnets.is_empty() {
        let text = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
        return Err(Fail::parameter(text).violation());
    }
    if subnets.len() > 16 || groups.len() > 5 {
        return Err(Fail::parameter("At most 16 subnets and 5 security groups.").violation());
    }
    if let Some(unknown) = subnets
        .iter()
        .find(|name| !setup.subnets.iter().any(|known| known == *name))
    {
        return Err(Fail::parameter(format!(
            "The subnet ID '{unknown}' does not exist"
        )));
    }
    if let Some(unknown) = groups
        .iter()
        .find(|name| !setup.security_groups.iter().any(|known| known == *name))
    {
        return Err(Fail::parameter(format!(
            "The security group '{unknown}' does not exist"
        )));
    }
    Ok(())
}

fn size_of(setup: &Setup, request: &Value) -> Result<(u32, u32), Fail> {
    let overrides = &request["overrides"];
    let cpu = overrides["cpu"]
        .as_str()
        .map_or(Some(setup.size.0), size::cpu_units);
    let memory = overrides["memory"]
        .as_str()
        .map_or(Some(setup.size.1), size::memory_mib);
    match (cpu, memory) {
        (Some(cpu), Some(memory)) if size::exists(cpu, memory) => Ok((cpu, memory)),
        _ => Err(Fail::client("No Fargate configuration exists for given values.").violation()),
    }
}

fn storage_of(setup: &Setup, request: &Value) -> Result<u32, Fail> {
    let asked = &request["overrides"]["ephemeralStorage"]["sizeInGiB"];
    match asked.as_u64() {
        None => Ok(setup.storage_gib),
        Some(gib @ 21..=200) => Ok(u32::try_from(gib).unwrap()),
        Some(_) => Err(Fail::parameter(
            "The minimum supported value of ephemeral storage is 21 GiB and the maximum supported value is 200 GiB.",
        )),
    }
}

fn tags(request: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut tags: Vec<_> = request["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| (text(&tag["key"]), text(&tag["value"])))
        .collect();
    if request["enableECSManagedTags"] == true {
        tags.push(("aws:ecs:clusterName".to_owned(), "parfetch".to_owned()));
    }
    tags
}

/// What the container runs, with the override of its command; none for parfetch.
fn program(setup: &Setup, request: &Value) -> Option<(String, Vec<String>)> {
    let family = setup.family_of(request["taskDefinition"].as_str().unwrap_or_default())?;
    let command = request["overrides"]["containerOverrides"][0]["command"].as_array();
    let command = command.map_or_else(
        || family.command.clone(),
        |words| {
            let words = words.iter().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        },
    );
    let words = family.entry.iter().cloned().chain(command).collect();
    Some((family.container.clone(), words))
}

fn environment(setup: &Setup, request: &Value) -> BTreeMap<String, String> {
    let family = setup.family_of(request["taskDefinition"].as_str().unwrap_or_default());
    let mut environment = family.map_or_else(
        || setup.environment.clone(),
        |family| family.environment.iter().cloned().collect(),
    );
    let pairs = request["overrides"]["containerOverrides"][0]["environment"].as_array();
    for pair in pairs.into_iter().flatten() {
        environment.insert(
            pair["name"].as_str().unwrap_or_default().to_owned(),
            pair["value"].as_str().unwrap_or_default().to_owned(),
        );
    }
    environment
}
