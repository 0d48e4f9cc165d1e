//! The calls of Batch.

use parfetch::internals::clock::unix_ms;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::job::{Attempt, Child, Job, JobStatus};
use super::process::Host;
use super::retry::Retry;
use super::size;
use super::state::State;

/// Bytes of a submission.
const PAYLOAD: usize = 30 << 10;
/// Jobs of a page of a listing.
const PAGE: usize = 50;

/// Answers a call.
pub(super) fn submit_job(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    let setup = &host.setup;
    check(request).map_err(Fail::violation)?;
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    if ![&setup.name, &setup.queue_arn()]
        .iter()
        .any(|known| *known == text("jobQueue"))
    {
        return Err(Fail::client(format!(
            "JobQueue {} not found.",
            text("jobQueue")
        )));
    }
    let definition = text("jobDefinition");
    let named = definition
        .strip_prefix(&setup.job_definition_arn())
        .or_else(|| definition.strip_prefix(&setup.name));
    let is_known = |rest: &str| {
        rest.is_empty()
            || rest.strip_prefix(':').is_some_and(|number| {
                number
                    .parse()
                    .is_ok_and(|number: u32| number <= setup.revision)
            })
    };
    if !named.is_some_and(is_known) {
        return Err(Fail::client(format!(
            "JobDefinition {definition} not found."
        )));
    }
    let (cpu_units, memory_mib) = size_of(request, setup.size).map_err(Fail::violation)?;
    let mut environment = setup.environment.clone();
    // Batch may leave out an empty variable of a definition.
    environment.retain(|_, value| !value.is_empty());
    for pair in request["containerOverrides"]["environment"]
        .as_array()
        .into_iter()
        .flatten()
    {
        environment.insert(
            pair["name"].as_str().unwrap_or_default().to_owned(),
            pair["value"].as_str().unwrap_or_default().to_owned(),
        );
    }
    let size = request["arrayProperties"]["size"]
        .as_u64()
        .map(|size| u32::try_from(size).unwrap());
    let random = format!("{:032x}", fastrand::u128(..));
    let id = format!(
        "{}-{}-{}-{}-{}",
        &random[..8],
        &random[8..12],
        &random[12..16],
        &random[16..20],
        &random[20..]
    );
    let name = text("jobName").to_owned();
    let is_stillborn = state.jobs.len() < setup.stillborn_jobs;
    let born = if is_stillborn { 0 } else { size.unwrap_or(1) };
    let children = (0..born).map(|_| Child::new()).collect();
    let answer =
        json!({"jobArn": setup.arn("batch", &format!("job/{id}")), "jobName": name, "jobId": id});
    let (created, hidden, retry) = (unix_ms(), setup.hidden, Retry::of(request));
    let request = request.clone();
    state.jobs.push(Job {
        id,
        name,
        request,
        environment,
        cpu_units,
        memory_mib,
        size,
        created,
        hidden,
        retry,
        is_stillborn,
        children,
    });
    Ok(answer)
}

/// Rules of the documentation.
fn check(request: &Value) -> Result<(), Fail> {
    if request.to_string().len() > PAYLOAD {
        return Err(Fail::client("The payload of a job is 30 KiB at most."));
    }
    // They become those of an ECS task.
    if request["containerOverrides"].to_string().chars().count() > 8_192 {
        return Err(Fail::client(
            "Container Overrides length must be at most 8192",
        ));
    }
    let name = request["jobName"].as_str().unwrap_or_default();
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if name.is_empty()
        || name.len() > 128
        || !is_plain
        || !name.as_bytes()[0].is_ascii_alphanumeric()
    {
        return Err(Fail::client(
            "Job name should match valid pattern: letters, numbers, hyphens and underscores, at most 128, the first alphanumeric.",
        ));
    }
    if let Some(array) = request.get("arrayProperties")
        && !array["size"]
            .as_i64()
            .is_some_and(|size| (2..=10_000).contains(&size))
    {
        return Err(Fail::client("Array size must be between 2 and 10000."));
    }
    let overrides = &request["containerOverrides"];
    let names = overrides["environment"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| pair["name"].as_str());
    if names.clone().any(|name| name.starts_with("AWS_BATCH")) {
        return Err(Fail::client(
            "Environment variables must not start with AWS_BATCH.",
        ));
    }
    if let Some(secret) = names.clone().find(|name| {
        ["SECRET", "ACCESS_KEY", "SESSION_TOKEN"]
            .iter()
            .any(|part| name.contains(part))
    }) {
        return Err(Fail::client(format!(
            "the variable {secret} must not be among the overrides: everybody who may look at jobs reads them"
        )));
    }
    if overrides.get("vcpus").is_some() || overrides.get("memory").is_some() {
        return Err(Fail::client(
            "vcpus and memory are not applicable to jobs on Fargate; use resourceRequirements.",
        ));
    }
    if request
        .get("retryStrategy")
        .is_some_and(|retry| !(1..=10).contains(&retry["attempts"].as_i64().unwrap_or(1)))
    {
        return Err(Fail::client("Attempts must be between 1 and 10."));
    }
    if request
        .get("timeout")
        .is_some_and(|timeout| timeout["attemptDurationSeconds"].as_i64().unwrap_or(0) < 60)
    {
        return Err(Fail::client("attemptDurationSeconds must be at least 60."));
    }
    if request["tags"].as_object().is_some_and(|tags| {
        tags.len() > 50
            || tags
                .keys()
                .any(|key| key.to_ascii_lowercase().starts_with("aws:"))
    }) {
        return Err(Fail::client(
            "At most 50 tags, none of which begins with aws:.",
        ));
    }
    Ok(())
}

fn size_of(request: &Value, (cpu, memory): (u32, u32)) -> Result<(u32, u32), Fail> {
    let required = request["containerOverrides"]["resourceRequirements"].as_array();
    let of = |kind: &str| {
        required
            .into_iter()
            .flatten()
            .find(|one| one["type"] == kind)
            .and_then(|one| one["value"].as_str())
    };
    let pair = (
        of("VCPU").map_or(Some(cpu), size::units),
        of("MEMORY").map_or(Some(memory), |mib| mib.parse().ok()),
    );
    match pair {
        (Some(cpu), Some(memory)) if size::exists(cpu, memory) => Ok((cpu, memory)),
        _ => Err(Fail::client(
            "Fargate resource requirements (VCPU, MEMORY) are not a supported combination.",
        )),
    }
}

/// A job or a child of it that an id names.
fn find<'a>(jobs: &'a mut [Job], id: &str) -> Option<(&'a mut Job, Option<usize>)> {
    let (parent, index) = id
        .split_once(':')
        .map_or((id, None), |(parent, index)| (parent, Some(index)));
    let job = jobs.iter_mut().find(|job| job.id == parent)?;
    let index = match index {
        Some(index) => Some(
            index
                .parse()
                .ok()
                .filter(|index| *index < job.children.len() && job.size.is_some())?,
        ),
        None => None,
    };
    Some((job, index))
}

/// Answers a call. Jobs that are not known are left out.
pub(super) fn describe_jobs(
    host: &Host,
    state: &mut State,
    request: &Value,
) -> Result<Value, Fail> {
    let ids: Vec<_> = request["jobs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if ids.is_empty() || ids.len() > 100 {
        return Err(Fail::client("1 to 100 jobs are described at once.").violation());
    }
    let details = ids
        .into_iter()
        .filter_map(|id| find(&mut state.jobs, id).map(|(job, index)| detail(host, job, index)));
    Ok(json!({"jobs": details.collect::<Vec<_>>()}))
}

/// Answers a call.
pub(super) fn list_jobs(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    let (queue, array) = (request["jobQueue"].as_str(), request["arrayJobId"].as_str());
    if queue.is_some() == array.is_some() {
        return Err(Fail::client(
            "Exactly one of jobQueue, arrayJobId and multiNodeJobId is given.",
        )
        .violation());
    }
    let filters = request["filters"]
        .as_array()
        .filter(|filters| !filters.is_empty());
    if filters.is_some() && queue.is_none() {
        return Err(Fail::client("Filters go with jobQueue alone.").violation());
    }
    if queue.is_some_and(|queue| queue != host.setup.name && queue != host.setup.queue_arn()) {
        return Err(Fail::client("JobQueue not found."));
    }
    // Without a state only those that run are listed; with filters, all.
    let status = request["jobStatus"].as_str().or(if filters.is_some() {
        None
    } else {
        Some("RUNNING")
    });
    let mut found = Vec::new();
    if let Some((job, _)) = array.and_then(|id| find(&mut state.jobs, id)) {
        found.extend((0..job.children.len()).map(|index| summary(host, job, Some(index))));
    }
    for job in state.jobs.iter_mut().filter(|_| queue.is_some()) {
        let is_hidden = job.hidden > 0;
        job.hidden = job.hidden.saturating_sub(1);
        if !is_hidden
            && filters
                .into_iter()
                .flatten()
                .all(|filter| passes(job, filter))
        {
            found.push(summary(host, job, None));
        }
    }
    found.retain(|job| status.is_none_or(|status| job["status"] == status));
    let from: usize = request["nextToken"]
        .as_str()
        .map_or(Some(0), |token| token.parse().ok())
        .ok_or_else(|| Fail::client("Invalid token."))?;
    let most = request["maxResults"]
        .as_u64()
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(PAGE)
        .clamp(1, 100);
    let mut answer =
        json!({"jobSummaryList": found.iter().skip(from).take(most).collect::<Vec<_>>()});
    if from + most < found.len() {
        answer["nextToken"] = (from + most).to_string().into();
    }
    Ok(answer)
}

fn passes(job: &Job, filter: &Value) -> bool {
    let matches = |value: &Value| {
        let value = value.as_str().unwrap_or_default().to_lowercase();
        let name = job.name.to_lowercase();
        value
            .strip_suffix('*')
            .map_or(name == value, |beginning| name.starts_with(beginning))
    };
    filter["name"] == "JOB_NAME"
        && filter["values"]
            .as_array()
            .into_iter()
            .flatten()
            .any(matches)
}

/// Answers a call: children that run get SIGTERM, those that do not run are over.
pub(super) fn terminate_job(
    host: &Host,
    state: &mut State,
    request: &Value,
) -> Result<Value, Fail> {
    end(host, state, (request, JobStatus::Running))
}

/// Answers a call: what has started goes on.
pub(super) fn cancel_job(host: &Host, state: &mut State, request: &Value) -> Result<Value, Fail> {
    end(host, state, (request, JobStatus::Runnable))
}

fn end(
    host: &Host,
    state: &mut State,
    (request, last): (&Value, JobStatus),
) -> Result<Value, Fail> {
    let reason = request["reason"].as_str().unwrap_or_default();
    if reason.is_empty() {
        return Err(Fail::client("Reason cannot be empty.").violation());
    }
    // A job that is not known, or is over, is no error.
    if let Some((job, index)) = find(
        &mut state.jobs,
        request["jobId"].as_str().unwrap_or_default(),
    ) {
        let wanted = job
            .children
            .iter_mut()
            .enumerate()
            .filter(|(place, _)| index.is_none_or(|index| index == *place));
        wanted
            .filter(|(_, child)| child.status <= last)
            .for_each(|(_, child)| child.end(reason, host));
    }
    Ok(json!({}))
}

fn summary(host: &Host, job: &Job, index: Option<usize>) -> Value {
    let detail = detail(host, job, index);
    let kept = [
        "jobArn",
        "jobId",
        "jobName",
        "createdAt",
        "status",
        "statusReason",
        "startedAt",
        "stoppedAt",
        "jobDefinition",
    ];
    let mut kept: Map<_, _> = kept
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), detail.get(name)?.clone())))
        .collect();
    if job.size.is_some() {
        let array = index.map_or_else(
            || json!({"size": job.size}),
            |index| json!({"index": index}),
        );
        kept.insert("arrayProperties".to_owned(), array);
    }
    Value::Object(kept)
}

fn detail(host: &Host, job: &Job, index: Option<usize>) -> Value {
    let own = index.or(if job.size.is_none() { Some(0) } else { None });
    let (id, status) = own.map_or((job.id.clone(), job.status()), |index| {
        (job.id_of(index), job.children[index].status)
    });
    let mut detail = json!({
        "jobArn": host.setup.arn("batch", &format!("job/{id}")), "jobId": id, "jobName": job.name, "jobQueue": host.setup.queue_arn(),
        "jobDefinition": format!("{}:{}", host.setup.job_definition_arn(), host.setup.revision), "status": status.name(), "createdAt": job.created,
        "platformCapabilities": ["FARGATE"], "parameters": {}, "dependsOn": [],
    });
    if let Some(tags) = job.request.get("tags") {
        detail["tags"] = tags.clone();
    }
    if let Some(index) = own {
        of_child(&mut detail, &job.children[index]);
    } else {
        of_array(&mut detail, job);
    }
    match (job.size, index) {
        (Some(_), Some(index)) => {
            detail["arrayProperties"] = json!({"index": index, "statusSummary": {}});
        }
        (Some(size), None) => {
            detail["arrayProperties"] = json!({"size": size, "statusSummary": job.summary()});
        }
        (None, _) => {}
    }
    detail
}

fn of_array(detail: &mut Value, job: &Job) {
    let ends = || job.children.iter().flat_map(|child| &child.attempts);
    if let Some(first) = ends().filter_map(|attempt| attempt.started).min() {
        detail["startedAt"] = first.into();
    }
    if let Some(last) = ends()
        .filter_map(|attempt| attempt.stopped)
        .max()
        .filter(|_| job.status().is_over())
    {
        detail["stoppedAt"] = last.into();
    }
    if job.status() == JobStatus::Failed {
        detail["statusReason"] = "Array Child Job failed".into();
    }
}

fn of_child(detail: &mut Value, child: &Child) {
    let attempt = |attempt: &Attempt| {
        let mut container = json!({"networkInterfaces": []});
        for (name, value) in [
            ("exitCode", attempt.exit_code.map(Value::from)),
            ("reason", attempt.reason.clone().map(Value::from)),
        ] {
            if let Some(value) = value {
                container[name] = value;
            }
        }
        let mut attempt_json =
            json!({"container": container, "statusReason": attempt.status_reason});
        for (name, time) in [
            ("startedAt", attempt.started),
            ("stoppedAt", attempt.stopped),
        ] {
            if let Some(time) = time {
                attempt_json[name] = time.into();
            }
        }
        attempt_json
    };
    let attempts: Vec<_> = child.attempts.iter().map(attempt).collect();
    if let Some(last) = attempts.last() {
        detail["container"] = last["container"].clone();
        detail["statusReason"] = last["statusReason"].clone();
    }
    if child.status.is_over() {
        if let Some(reason) = &child.is_told_to_end {
            detail["statusReason"] = reason.clone().into();
        }
        detail["stoppedAt"] = child
            .attempts
            .last()
            .and_then(|last| last.stopped)
            .unwrap_or(0)
            .into();
    }
    if let Some(started) = child.started {
        detail["startedAt"] = started.into();
    }
    detail["attempts"] = attempts.into();
}
