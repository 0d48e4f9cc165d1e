//! Calls to ECS: start a task, look at tasks, stop one, find those of a sweep, read a task definition.
//!
//! Owns the request that resizes a task (task-level `overrides.cpu` and `memory`, both always; nothing at the level of the container) and what is kept
//! of an answer. Times are UTC in milliseconds since 1970.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::SdkError;
use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, Compatibility,
    ContainerOverride, DesiredStatus, EphemeralStorage, KeyValuePair, LaunchType,
    NetworkConfiguration, PropagateTags, Tag, Task, TaskField, TaskOverride,
};

use super::Cloud;
use super::definition::defined;
use super::error::{CloudCall, CloudError, CloudErrorKind};
use super::logs::Logs;
use super::tasks::{
    Capacity, ContainerLog, Definition, Launch, PublicAddress, Refusal, Started, TaskNetwork,
    TaskSeen, TaskTimes, Tasks, TasksSeen,
};

/// Most tasks of one `DescribeTasks` call (ECS API reference).
const DESCRIBED_AT_ONCE: usize = 100;

/// ECS itself.
#[derive(Clone, Debug)]
pub struct Ecs {
    client: Client,
    cloud: Cloud,
    logs: Logs,
    /// Of parfetch's own definition.
    container: String,
    /// Of other definitions, by their ARNs.
    others: BTreeMap<String, String>,
}

impl Ecs {
    /// ECS in the configuration's region; of a task's containers, the one of this name says how it ended.
    pub fn new(cloud: &Cloud, container: &str) -> Self {
        Self {
            client: Client::new(cloud.config()),
            cloud: cloud.clone(),
            logs: Logs::new(cloud),
            container: container.to_owned(),
            others: BTreeMap::new(),
        }
    }

    /// Of the tasks of the definition with this ARN, the container of this name says how it ended.
    pub fn add(&mut self, definition_arn: &str, container: &str) {
        self.others
            .insert(definition_arn.to_owned(), container.to_owned());
    }

    fn seen(&self, task: &Task) -> TaskSeen {
        let other = task
            .task_definition_arn()
            .and_then(|arn| self.others.get(arn));
        seen(task, other.unwrap_or(&self.container))
    }

    /// Resolves a family or ARN to the definition that would be run.
    ///
    /// # Errors
    /// When there is none, or the credentials do not allow to look.
    pub async fn definition(&self, name: &str) -> Result<Definition, CloudError> {
        let what = format!("read the task definition {name}");
        let call = self.cloud.call(&what, "ecs:DescribeTaskDefinition");
        let answer = self
            .client
            .describe_task_definition()
            .task_definition(name)
            .send()
            .await
            .map_err(|error| call.failed(&error))?;
        let missing =
            || call.answered(400, "ClientException", "Unable to describe task definition");
        let definition = answer.task_definition().ok_or_else(missing)?;
        let runs_on = definition.runtime_platform().map(|platform| {
            (
                platform.cpu_architecture(),
                platform.operating_system_family(),
            )
        });
        let (architecture, system) = runs_on.unwrap_or_default();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(Definition {
            arn: definition
                .task_definition_arn()
                .ok_or_else(missing)?
                .to_owned(),
            containers: definition
                .container_definitions()
                .iter()
                .map(defined)
                .collect(),
            architecture: architecture.and_then(|known| text(known.as_str())),
            system: system.and_then(|known| text(known.as_str())),
            status: definition
                .status()
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            network_mode: definition
                .network_mode()
                .map_or_else(String::new, |mode| mode.as_str().to_owned()),
            is_for_fargate: definition
                .compatibilities()
                .iter()
                .chain(definition.requires_compatibilities())
                .any(|one| *one == Compatibility::Fargate),
            storage_gib: definition
                .ephemeral_storage()
                .and_then(|storage| u32::try_from(storage.size_in_gib()).ok()),
        })
    }
}

#[async_trait(?Send)]
impl Tasks for Ecs {
    async fn run(&self, launch: &Launch) -> Result<Started, CloudError> {
        let what = format!("run a task of {}", short(&launch.definition));
        let asked = self.cloud.call(&what, "ecs:RunTask");
        let call = self
            .client
            .run_task()
            .cluster(&launch.cluster)
            .task_definition(&launch.definition)
            .count(1);
        let call = match launch.capacity {
            Capacity::OnDemand => call.launch_type(LaunchType::Fargate),
            // Spot is had by a strategy alone.
            Capacity::Spot => call.capacity_provider_strategy(strategy("FARGATE_SPOT", &asked)?),
        };
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let call = call
            .platform_version("LATEST")
            .started_by(&launch.started_by)
            .client_token(&launch.token)
            .enable_ecs_managed_tags(true)
            .propagate_tags(PropagateTags::TaskDefinition)
            .set_tags(Some(launch.tags.iter().map(tag).collect()))
            .network_configuration(network(&launch.network))
            .overrides(overrides(launch));
        // Tried once: of several tries only the last error would be heard, and one before it may have started a task.
        let once = aws_sdk_ecs::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = call
            .customize()
            .config_override(once)
            .send()
            .await
            .map_err(|error| run_failed(&asked, &error))?;
        if let Some(task) = answer.tasks().first() {
            return Ok(Started::Task(Box::new(self.seen(task))));
        }
        let text = |text: Option<&str>| text.unwrap_or_default().trim().to_owned();
        let refusal = answer.failures().first().map(|failure| Refusal {
            reason: text(failure.reason()),
            detail: text(failure.detail()),
        });
        Ok(Started::Refused(refusal.unwrap_or_else(|| Refusal {
            reason: "neither a task nor a reason was given".to_owned(),
            ..Refusal::default()
        })))
    }

    async fn describe(&self, cluster: &str, arns: &[String]) -> Result<TasksSeen, CloudError> {
        let call = self.cloud.call("look at tasks", "ecs:DescribeTasks");
        let mut found = TasksSeen::default();
        for some in arns.chunks(DESCRIBED_AT_ONCE) {
            let asked = self
                .client
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(some.to_vec()))
                .include(TaskField::Tags);
            let answer = asked.send().await.map_err(|error| call.failed(&error))?;
            found
                .tasks
                .extend(answer.tasks().iter().map(|task| self.seen(task)));
            found.missing.extend(
                answer
                    .failures()
                    .iter()
                    .filter_map(|failure| failure.arn().map(str::to_owned)),
            );
        }
        Ok(found)
    }

    async fn stop(&self, cluster: &str, arn: &str, reason: &str) -> Result<(), CloudError> {
        let what = format!("stop the task {}", short(arn));
        let call = self.cloud.call(&what, "ecs:StopTask");
        self.client
            .stop_task()
            .cluster(cluster)
            .task(arn)
            .reason(reason)
            .send()
            .await
            .map(drop)
            .map_err(|error| call.failed(&error))
    }

    async fn list(&self, cluster: &str, started_by: &str) -> Result<Vec<String>, CloudError> {
        let call = self.cloud.call("list tasks", "ecs:ListTasks");
        let mut arns = Vec::new();
        // Those that are to run are what is listed when nothing else is said; of those that have stopped less depends, and AWS's pages say that
        // startedBy goes with no other filter, though it is taken.
        for status in [None, Some(DesiredStatus::Stopped)] {
            let asked = self
                .client
                .list_tasks()
                .cluster(cluster)
                .started_by(started_by)
                .set_desired_status(status.clone());
            let mut pages = asked.into_paginator().items().send();
            while let Some(arn) = pages.next().await {
                match arn.map_err(|error| call.failed(&error)) {
                    Ok(arn) => arns.push(arn),
                    Err(error) if status.is_some() && error.kind == CloudErrorKind::Refused => {
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        arns.sort();
        arns.dedup();
        Ok(arns)
    }

    async fn last_lines(&self, log: &ContainerLog, task_arn: &str) -> Vec<String> {
        self.logs
            .last_lines(&log.group, &log.stream(task_arn))
            .await
    }
}

/// The last part of an ARN.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn run_failed(asked: &CloudCall<'_>, error: &SdkError<RunTaskError>) -> CloudError {
    let mut failed = asked.failed(error);
    if let Some(RunTaskError::ConflictException(conflict)) = error.as_service_error() {
        failed.resources = conflict.resource_ids().to_vec();
    }
    failed
}

fn strategy(
    provider: &str,
    asked: &CloudCall<'_>,
) -> Result<CapacityProviderStrategyItem, CloudError> {
    CapacityProviderStrategyItem::builder()
        .capacity_provider(provider)
        .weight(1)
        .build()
        .map_err(|error| asked.answered(400, "", &error.to_string()))
}

fn network(network: &TaskNetwork) -> NetworkConfiguration {
    let public = match network.public_address {
        PublicAddress::Enabled => AssignPublicIp::Enabled,
        PublicAddress::Disabled => AssignPublicIp::Disabled,
    };
    let groups = Some(network.security_groups.clone()).filter(|groups| !groups.is_empty());
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(network.subnets.clone()))
        .set_security_groups(groups)
        .assign_public_ip(public);
    NetworkConfiguration::builder()
        .set_awsvpc_configuration(vpc.build().ok())
        .build()
}

fn overrides(launch: &Launch) -> TaskOverride {
    let pair =
        |(name, value): &(String, String)| KeyValuePair::builder().name(name).value(value).build();
    let container = ContainerOverride::builder()
        .name(&launch.container)
        .set_command(Some(launch.command.clone()).filter(|command| !command.is_empty()))
        .set_environment(Some(launch.environment.iter().map(pair).collect()));
    let storage = launch
        .storage_gib
        .and_then(|gib| i32::try_from(gib).ok())
        .map(|gib| EphemeralStorage::builder().size_in_gib(gib).build());
    TaskOverride::builder()
        .cpu(launch.cpu_units.to_string())
        .memory(launch.memory_mib.to_string())
        .set_ephemeral_storage(storage)
        .container_overrides(container.build())
        .build()
}

/// What is kept of a task. Its containers are the one of this name, and what AWS or the definition adds, in any order. So are those of its overrides, as
/// AWS lists every container there: they tell nothing.
fn seen(task: &Task, name: &str) -> TaskSeen {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (own, others): (Vec<_>, Vec<_>) = task
        .containers()
        .iter()
        .partition(|container| container.name() == Some(name));
    let own = own.first();
    let has_ended = own.and_then(|own| own.last_status()) == Some("STOPPED");
    TaskSeen {
        arn: task.task_arn().unwrap_or_default().to_owned(),
        status: task.last_status().unwrap_or_default().to_owned(),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        stopped_reason: text(task.stopped_reason()),
        exit_code: own.and_then(|own| own.exit_code()),
        container_reason: text(own.and_then(|own| own.reason())),
        container_ended: has_ended
            && task.last_status() == Some("RUNNING")
            && task.desired_status() == Some("RUNNING"),
        sidecars: others
            .into_iter()
            .filter_map(|other| text(other.name()))
            .collect(),
        times: TaskTimes {
            created: millis(task.created_at()),
            pull_started: millis(task.pull_started_at()),
            pull_stopped: millis(task.pull_stopped_at()),
            started: millis(task.started_at()),
            stopping: millis(task.stopping_at()),
            execution_stopped: millis(task.execution_stopped_at()),
            stopped: millis(task.stopped_at()),
        },
        availability_zone: text(task.availability_zone()),
        // A task that was started by launch type names no provider.
        capacity_provider: text(task.capacity_provider_name())
            .or_else(|| task.launch_type().map(|kind| kind.as_str().to_owned())),
        tags: task
            .tags()
            .iter()
            .filter_map(|tag| {
                Some((
                    tag.key()?.to_owned(),
                    tag.value().unwrap_or_default().to_owned(),
                ))
            })
            .collect(),
    }
}

/// Before 1970 no task was started.
fn millis(time: Option<&DateTime>) -> Option<u64> {
    u64::try_from(time?.to_millis().ok()?)
        .ok()
        .filter(|time| *time > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tasks::launch;

    #[test]
    fn size_is_asked_for_at_the_level_of_the_task_alone() {
        let overrides = overrides(&launch());
        assert_eq!(
            (overrides.cpu(), overrides.memory()),
            (Some("4096"), Some("8192"))
        );
        let container = &overrides.container_overrides()[0];
        assert_eq!(
            (
                container.cpu(),
                container.memory(),
                container.memory_reservation()
            ),
            (None, None, None)
        );
        assert_eq!(
            overrides.ephemeral_storage(),
            None,
            "what the definition has suffices"
        );
        let more = Launch {
            storage_gib: Some(39),
            ..launch()
        };
        let storage = super::overrides(&more).ephemeral_storage().cloned();
        assert_eq!(storage.map(|one| one.size_in_gib()), Some(39));
    }

    #[test]
    fn how_it_ended_is_read_from_the_container_that_was_started() {
        use aws_sdk_ecs::types::Container;
        let other = Container::builder()
            .name("aws-guardduty-agent")
            .exit_code(143)
            .build();
        let own = Container::builder()
            .name("parfetch")
            .exit_code(137)
            .reason("OutOfMemoryError: killed")
            .build();
        let task = Task::builder()
            .task_arn("arn:t")
            .last_status("STOPPED")
            .containers(other)
            .containers(own)
            // AWS lists every container here, its own first.
            .overrides(
                TaskOverride::builder()
                    .container_overrides(
                        ContainerOverride::builder()
                            .name("aws-guardduty-agent")
                            .build(),
                    )
                    .container_overrides(ContainerOverride::builder().name("parfetch").build())
                    .build(),
            )
            .pull_started_at(DateTime::from_millis(1_700_000_000_250))
            .build();
        let seen = seen(&task, "parfetch");
        assert_eq!(seen.sidecars, ["aws-guardduty-agent"]);
        assert_eq!(
            (seen.exit_code, seen.container_reason.as_deref()),
            (Some(137), Some("OutOfMemoryError: killed"))
        );
        assert_eq!(
            seen.times,
            TaskTimes {
                pull_started: Some(1_700_000_000_250),
                ..TaskTimes::default()
            }
        );
    }

    #[test]
    fn a_container_that_ended_beside_one_that_runs_is_seen() {
        use aws_sdk_ecs::types::Container;
        let container =
            |name: &str, status: &str| Container::builder().name(name).last_status(status).build();
        let task = |desired: &str| {
            Task::builder()
                .last_status("RUNNING")
                .desired_status(desired)
                .containers(container("log_router", "RUNNING"))
                .containers(container("parfetch", "STOPPED"))
                .build()
        };
        assert!(seen(&task("RUNNING"), "parfetch").container_ended);
        assert!(!seen(&task("STOPPED"), "parfetch").container_ended);
        assert!(!seen(&task("RUNNING"), "log_router").container_ended);
    }
}
