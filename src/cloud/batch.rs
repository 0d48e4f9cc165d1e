//! Calls to AWS Batch: submit an array job, look at it, find it by name, name its failed children, end it.
//!
//! Owns the form of `SubmitJob` (sizes by `resourceRequirements`, as Fargate wants them) and its limits. When a job is submitted again, or waited for, is
//! the caller's.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_batch::Client;
use aws_sdk_batch::types::{
    ArrayProperties, ContainerOverrides, JobStatus, JobSummary, KeyValuePair, KeyValuesPair,
    ResourceRequirement, ResourceType,
};
use serde::Serialize;

use super::Cloud;
use super::error::CloudError;

/// Most children of an array job (Batch API reference, `ArrayProperties`).
pub const MAX_CHILDREN: u32 = 10_000;
/// Most characters of the container overrides of a job on Fargate, which become those of an ECS task (ECS API reference, `TaskOverride`); of the whole
/// request Batch itself would take 30 KiB.
pub const MAX_JOB_OVERRIDES: usize = 8_192;
/// Most jobs of one `DescribeJobs` call (Batch API reference).
const DESCRIBED: usize = 100;
/// Longest name of a job.
pub const MAX_JOB_NAME: usize = 128;

/// One job to be submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRequest {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// Name or ARN of the queue.
    pub queue: String,
    /// Name or ARN of the job definition.
    pub definition: String,
    /// Children; a job of one has no array.
    pub children: u32,
    /// vCPU of each child, as Fargate writes it: `0.25`, `4`.
    pub vcpu: String,
    /// MiB of each child.
    pub memory_mib: u32,
    /// Variables that are set over the definition's, the same for every child.
    pub environment: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

impl JobRequest {
    /// Characters of its overrides as JSON, of which [`MAX_JOB_OVERRIDES`] are taken.
    ///
    /// # Panics
    /// Never: pairs of text are plain data.
    pub fn overrides_length(&self) -> usize {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct NamedValue<'a> {
            name: &'a str,
            value: &'a str,
        }
        let environment: Vec<_> = self
            .environment
            .iter()
            .map(|(name, value)| NamedValue { name, value })
            .collect();
        let overrides = serde_json::json!({
            "containerOverrides": [{ "name": "default", "environment": environment }],
            "cpu": self.vcpu, "memory": self.memory_mib.to_string(),
        });
        overrides.to_string().chars().count()
    }
}

/// A job as Batch describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobSeen {
    /// Its id.
    pub id: String,
    /// `SUBMITTED`, `PENDING`, `RUNNABLE`, `STARTING`, `RUNNING`, `SUCCEEDED`, `FAILED`.
    pub status: String,
    /// Why it is there, in words.
    pub reason: Option<String>,
    /// How many children are where; empty for a job without an array, and before Batch has counted.
    pub children: BTreeMap<String, u64>,
    /// When it ended, in milliseconds since 1970.
    pub stopped: Option<u64>,
    /// Exit code of a job without an array.
    pub exit_code: Option<i32>,
}

/// A child that failed, or a job without an array that did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChildSeen {
    /// Its number, from 0.
    pub index: u32,
    /// Of its last attempt; none when it never ran.
    pub exit_code: Option<i32>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// The calls that a job takes. Tests put faults in their place.
#[async_trait(?Send)]
pub trait Jobs {
    /// Submits a job: its id. Sent once, as Batch would take a second one for another job.
    async fn submit(&self, request: &JobRequest) -> Result<String, CloudError>;
    /// Looks at a job; `None` when Batch does not know it (any more: ended jobs are kept for a week).
    async fn look(&self, id: &str) -> Result<Option<JobSeen>, CloudError>;
    /// Ids of the jobs of this name in a queue, the newest first.
    async fn named(&self, queue: &str, name: &str) -> Result<Vec<String>, CloudError>;
    /// The failed children of an array job, in order.
    async fn failed(&self, id: &str) -> Result<Vec<ChildSeen>, CloudError>;
    /// Ends a job and all its children.
    async fn terminate(&self, id: &str, reason: &str) -> Result<(), CloudError>;
}

/// Batch itself.
#[derive(Clone, Debug)]
pub struct Batch {
    client: Client,
    cloud: Cloud,
}

impl Batch {
    /// Batch in the configuration's region.
    pub fn new(cloud: &Cloud) -> Self {
        Self {
            client: Client::new(cloud.config()),
            cloud: cloud.clone(),
        }
    }

    /// Lists say less than descriptions, which are had for a hundred jobs a call: of more nobody reads why.
    async fn explain(&self, id: &str, children: &mut [ChildSeen]) -> Result<(), CloudError> {
        let wanted: Vec<String> = children
            .iter()
            .filter(|child| child.exit_code.is_none())
            .take(DESCRIBED)
            .map(|child| format!("{id}:{}", child.index))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let what = format!("look at the failed children of the job {id}");
        let call = self.cloud.call(&what, "batch:DescribeJobs");
        let answer = self
            .client
            .describe_jobs()
            .set_jobs(Some(wanted))
            .send()
            .await
            .map_err(|error| call.failed(&error))?;
        for job in answer.jobs() {
            let index = job
                .job_id()
                .and_then(|id| id.rsplit_once(':')?.1.parse::<u32>().ok());
            let Some(child) = children.iter_mut().find(|child| Some(child.index) == index) else {
                continue;
            };
            let container = job.container();
            child.exit_code = container.and_then(aws_sdk_batch::types::ContainerDetail::exit_code);
            child.reason = text(container.and_then(|container| container.reason()))
                .or_else(|| text(job.status_reason()))
                .or_else(|| child.reason.take());
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl Jobs for Batch {
    async fn submit(&self, request: &JobRequest) -> Result<String, CloudError> {
        let what = format!("submit the job {}", request.name);
        let call = self.cloud.call(&what, "batch:SubmitJob");
        let array = (request.children > 1)
            .then(|| i32::try_from(request.children).ok())
            .flatten();
        let asked = self
            .client
            .submit_job()
            .job_name(&request.name)
            .job_queue(&request.queue)
            .job_definition(&request.definition)
            .set_array_properties(array.map(|size| ArrayProperties::builder().size(size).build()))
            .container_overrides(overrides(request))
            .propagate_tags(true)
            .set_tags(Some(request.tags.iter().cloned().collect()));
        // Without a client token a second request is a second job, so the SDK must not send one by itself.
        let once = aws_sdk_batch::Config::builder().retry_config(RetryConfig::disabled());
        let answer = asked
            .customize()
            .config_override(once)
            .send()
            .await
            .map_err(|error| call.failed(&error))?;
        let id = answer
            .job_id()
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        id.ok_or_else(|| call.answered(500, "", "the answer has no job id"))
    }

    async fn look(&self, id: &str) -> Result<Option<JobSeen>, CloudError> {
        let what = format!("look at the job {id}");
        let call = self.cloud.call(&what, "batch:DescribeJobs");
        let answer = self
            .client
            .describe_jobs()
            .jobs(id)
            .send()
            .await
            .map_err(|error| call.failed(&error))?;
        Ok(answer.jobs().first().map(|job| JobSeen {
            id: id.to_owned(),
            status: job.status().map_or("", JobStatus::as_str).to_owned(),
            reason: text(job.status_reason()),
            children: job
                .array_properties()
                .and_then(|array| array.status_summary())
                .map(counts)
                .unwrap_or_default(),
            stopped: job
                .stopped_at()
                .and_then(|time| u64::try_from(time).ok())
                .filter(|time| *time > 0),
            exit_code: job
                .container()
                .and_then(aws_sdk_batch::types::ContainerDetail::exit_code),
        }))
    }

    async fn named(&self, queue: &str, name: &str) -> Result<Vec<String>, CloudError> {
        let what = format!("find the job {name}");
        let call = self.cloud.call(&what, "batch:ListJobs");
        // With a filter, jobs in every status are listed.
        let filter = KeyValuesPair::builder()
            .name("JOB_NAME")
            .values(name)
            .build();
        let mut pages = self
            .client
            .list_jobs()
            .job_queue(queue)
            .filters(filter)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(job) = pages.next().await {
            let job = job.map_err(|error| call.failed(&error))?;
            // Names are compared without regard to case there.
            if job.job_name() == Some(name) {
                found.push((
                    std::cmp::Reverse(job.created_at()),
                    job.job_id().unwrap_or_default().to_owned(),
                ));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    async fn failed(&self, id: &str) -> Result<Vec<ChildSeen>, CloudError> {
        let what = format!("list the failed children of the job {id}");
        let call = self.cloud.call(&what, "batch:ListJobs");
        let mut pages = self
            .client
            .list_jobs()
            .array_job_id(id)
            .job_status(JobStatus::Failed)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(job) = pages.next().await {
            found.extend(child(&job.map_err(|error| call.failed(&error))?));
        }
        found.sort_by_key(|child: &ChildSeen| child.index);
        self.explain(id, &mut found).await?;
        Ok(found)
    }

    async fn terminate(&self, id: &str, reason: &str) -> Result<(), CloudError> {
        let what = format!("end the job {id}");
        let call = self.cloud.call(&what, "batch:TerminateJob");
        self.client
            .terminate_job()
            .job_id(id)
            .reason(reason)
            .send()
            .await
            .map(drop)
            .map_err(|error| call.failed(&error))
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn counts(summary: &std::collections::HashMap<String, i32>) -> BTreeMap<String, u64> {
    summary
        .iter()
        .filter_map(|(status, count)| Some((status.clone(), u64::try_from(*count).ok()?)))
        .collect()
}

/// Children are called `{job id}:{index}`.
fn child(job: &JobSummary) -> Option<ChildSeen> {
    let index = job
        .array_properties()
        .and_then(|array| u32::try_from(array.index()?).ok());
    let index = index.or_else(|| job.job_id()?.rsplit_once(':')?.1.parse().ok())?;
    let container = job.container();
    Some(ChildSeen {
        index,
        exit_code: container.and_then(aws_sdk_batch::types::ContainerSummary::exit_code),
        reason: text(container.and_then(|container| container.reason()))
            .or_else(|| text(job.status_reason())),
    })
}

fn overrides(request: &JobRequest) -> ContainerOverrides {
    let pair =
        |(name, value): &(String, String)| KeyValuePair::builder().name(name).value(value).build();
    let requirement = |kind: ResourceType, value: &str| {
        ResourceRequirement::builder()
            .r#type(kind)
            .value(value)
            .build()
    };
    ContainerOverrides::builder()
        .set_environment(Some(request.environment.iter().map(pair).collect()))
        .resource_requirements(requirement(ResourceType::Vcpu, &request.vcpu))
        .resource_requirements(requirement(
            ResourceType::Memory,
            &request.memory_mib.to_string(),
        ))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_counted_in_characters() {
        let mut request = JobRequest {
            name: "n".to_owned(),
            children: 2,
            vcpu: "1".to_owned(),
            memory_mib: 2_048,
            ..JobRequest::default()
        };
        let empty = request.overrides_length();
        request
            .environment
            .push(("MODE".to_owned(), "async".to_owned()));
        assert_eq!(
            request.overrides_length() - empty,
            r#"{"name":"MODE","value":"async"}"#.len()
        );
    }

    #[test]
    fn a_child_is_known_by_its_id_too() {
        let job = JobSummary::builder()
            .job_id("abc:17")
            .job_name("n")
            .status_reason("Host EC2 terminated")
            .build();
        assert_eq!(
            child(&job),
            Some(ChildSeen {
                index: 17,
                exit_code: None,
                reason: Some("Host EC2 terminated".to_owned())
            })
        );
    }
}
