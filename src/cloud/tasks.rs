//! Tasks of a service that runs containers, as plain data, and the calls that a launcher makes. The words for states and ends are those of ECS.

use async_trait::async_trait;
use serde::Serialize;

use super::error::CloudError;

/// Most characters of the overrides of one `RunTask` call, as JSON (ECS API reference, `TaskOverride`).
pub const MAX_OVERRIDES: usize = 8_192;

/// Which capacity a task takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capacity {
    /// At the list price.
    #[default]
    OnDemand,
    /// Cheaper, and taken back with two minutes' notice.
    Spot,
}

/// Whether a task has a public address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicAddress {
    /// In public subnets it needs one to get its image.
    Enabled,
    /// Behind NAT or endpoints.
    #[default]
    Disabled,
}

/// Where tasks are in the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskNetwork {
    /// Ids of subnets.
    pub subnets: Vec<String>,
    /// Ids of security groups; empty = the VPC's default.
    pub security_groups: Vec<String>,
    /// Whether tasks have a public address.
    pub public_address: PublicAddress,
}

/// One task to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Name or ARN of the cluster.
    pub cluster: String,
    /// ARN of the task definition, with its revision.
    pub definition: String,
    /// The container whose environment is overridden.
    pub container: String,
    /// Where it is in the network.
    pub network: TaskNetwork,
    /// Which capacity it takes.
    pub capacity: Capacity,
    /// vCPU × 1024.
    pub cpu_units: u32,
    /// MiB.
    pub memory_mib: u32,
    /// GiB of ephemeral storage, where that of the definition does not suffice.
    pub storage_gib: Option<u32>,
    /// Variables that are set over the definition's.
    pub environment: Vec<(String, String)>,
    /// What replaces the command of the container; empty = nothing does.
    pub command: Vec<String>,
    /// By what it is found again: at most 128 of `A-Za-z0-9-_/`.
    pub started_by: String,
    /// The same token starts one task, however often it is sent: at most 64 characters.
    pub token: String,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// Characters of a launch's overrides as JSON, of which ECS takes [`MAX_OVERRIDES`].
///
/// # Panics
/// Never: pairs of text are plain data.
pub fn overrides_length(launch: &Launch) -> usize {
    #[derive(Serialize)]
    struct NamedValue<'a> {
        name: &'a str,
        value: &'a str,
    }
    #[derive(Serialize)]
    struct Container<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        command: &'a [String],
        environment: Vec<NamedValue<'a>>,
    }
    #[derive(Serialize)]
    struct Overrides<'a> {
        #[serde(rename = "containerOverrides")]
        containers: [Container<'a>; 1],
        cpu: String,
        memory: String,
        #[serde(rename = "ephemeralStorage", skip_serializing_if = "Option::is_none")]
        storage: Option<Storage>,
    }
    #[derive(Serialize)]
    struct Storage {
        #[serde(rename = "sizeInGiB")]
        gib: u32,
    }
    let environment = launch
        .environment
        .iter()
        .map(|(name, value)| NamedValue { name, value })
        .collect();
    let overrides = Overrides {
        containers: [Container {
            name: &launch.container,
            command: &launch.command,
            environment,
        }],
        cpu: launch.cpu_units.to_string(),
        memory: launch.memory_mib.to_string(),
        storage: launch.storage_gib.map(|gib| Storage { gib }),
    };
    serde_json::to_string(&overrides)
        .expect("pairs of text are plain data")
        .chars()
        .count()
}

/// What came of a `RunTask` call that was answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// The task, which is on its way.
    Task(Box<TaskSeen>),
    /// Nothing was started: `failures[]` of an answer with HTTP 200.
    Refused(Refusal),
}

/// An entry of `failures[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// `Capacity is unavailable at this time…`, `RESOURCE:CPU` …
    pub reason: String,
    /// More of it, when ECS says more.
    pub detail: String,
}

/// When a task was where, in milliseconds since 1970 (UTC); what it has not reached is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskTimes {
    /// `RunTask` was taken.
    pub created: Option<u64>,
    /// Billing begins.
    pub pull_started: Option<u64>,
    /// The image is there.
    pub pull_stopped: Option<u64>,
    /// The container runs.
    pub started: Option<u64>,
    /// It was told to stop, or has ended.
    pub stopping: Option<u64>,
    /// The container has ended.
    pub execution_stopped: Option<u64>,
    /// Billing ends.
    pub stopped: Option<u64>,
}

/// One task as ECS describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskSeen {
    /// Its ARN.
    pub arn: String,
    /// `PROVISIONING`, `PENDING`, `ACTIVATING`, `RUNNING`, `DEACTIVATING`, `STOPPING`, `DEPROVISIONING`, `STOPPED`, `DELETED`.
    pub status: String,
    /// `EssentialContainerExited`, `SpotInterruption` …
    pub stop_code: Option<String>,
    /// Why it stopped, in words.
    pub stopped_reason: Option<String>,
    /// Of the container that was named at the start; missing when it never ran.
    pub exit_code: Option<i32>,
    /// `CannotPullContainerError: …`, `OutOfMemoryError: …`
    pub container_reason: Option<String>,
    /// Whether that container has ended, although nothing stops the task: another container keeps it running.
    pub container_ended: bool,
    /// Names of the other containers, which share its CPU and memory.
    pub sidecars: Vec<String>,
    /// When it was where.
    pub times: TaskTimes,
    /// Such as `us-east-1d`.
    pub availability_zone: Option<String>,
    /// `FARGATE`, `FARGATE_SPOT`.
    pub capacity_provider: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// What a look at tasks found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TasksSeen {
    /// Those that ECS knows.
    pub tasks: Vec<TaskSeen>,
    /// ARNs of those that it does not know: too new, or stopped for an hour.
    pub missing: Vec<String>,
}

/// What matters of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// ARN with its revision.
    pub arn: String,
    /// Its containers.
    pub containers: Vec<DefinedContainer>,
    /// `X86_64`, `ARM64`; none where the definition does not say (it is `X86_64` then).
    pub architecture: Option<String>,
    /// `LINUX`, `WINDOWS_SERVER_2022_CORE` …; none where the definition does not say (it is `LINUX` then).
    pub system: Option<String>,
    /// `ACTIVE`, `INACTIVE`, `DELETE_IN_PROGRESS`.
    pub status: String,
    /// `awsvpc`, `bridge` …
    pub network_mode: String,
    /// Whether ECS found that it can run on Fargate.
    pub is_for_fargate: bool,
    /// GiB of ephemeral storage; none where the definition does not say (a task has 20 then).
    pub storage_gib: Option<u32>,
}

/// A container of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinedContainer {
    /// Its name.
    pub name: String,
    /// Whether it has a size of its own: it does not follow the task's.
    pub is_sized: bool,
    /// Names of the variables that are secrets.
    pub secrets: Vec<String>,
    /// Where its output goes; none where that is not CloudWatch.
    pub log: Option<ContainerLog>,
}

/// Where the output of a container is in CloudWatch Logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerLog {
    /// The log group.
    pub group: String,
    /// The stream of a task is `prefix/container/task`.
    pub prefix: String,
    /// Name of the container.
    pub container: String,
}

impl ContainerLog {
    /// The stream of the task with this ARN.
    pub fn stream(&self, task_arn: &str) -> String {
        let task = task_arn.rsplit('/').next().unwrap_or(task_arn);
        format!("{}/{}/{task}", self.prefix, self.container)
    }
}

/// The calls that a launcher makes. Tests put faults in their place.
#[async_trait(?Send)]
pub trait Tasks {
    /// Starts one task.
    async fn run(&self, launch: &Launch) -> Result<Started, CloudError>;
    /// Looks at tasks, any number of them.
    async fn describe(&self, cluster: &str, arns: &[String]) -> Result<TasksSeen, CloudError>;
    /// Tells a task to stop: SIGTERM, and SIGKILL after its stop time-out.
    async fn stop(&self, cluster: &str, arn: &str, reason: &str) -> Result<(), CloudError>;
    /// ARNs of the tasks with this `startedBy`, running and lately stopped.
    async fn list(&self, cluster: &str, started_by: &str) -> Result<Vec<String>, CloudError>;
    /// The last lines that a task wrote, the oldest first; none where they cannot be read.
    async fn last_lines(&self, _log: &ContainerLog, _task_arn: &str) -> Vec<String> {
        Vec::new()
    }
}

/// One for tests.
#[cfg(test)]
pub(super) fn launch() -> Launch {
    Launch {
        cluster: "c".to_owned(),
        definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/parfetch:7".to_owned(),
        container: "parfetch".to_owned(),
        network: TaskNetwork {
            subnets: vec!["subnet-1".to_owned()],
            ..TaskNetwork::default()
        },
        capacity: Capacity::Spot,
        cpu_units: 4_096,
        memory_mib: 8_192,
        storage_gib: None,
        environment: vec![
            ("MODE".to_owned(), "async".to_owned()),
            ("TAG".to_owned(), "a\"ä".to_owned()),
        ],
        command: Vec::new(),
        started_by: "parfetch/s".to_owned(),
        token: "t".to_owned(),
        tags: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_counted_in_characters_of_their_json() {
        let json = r#"{"containerOverrides":[{"name":"parfetch","environment":[{"name":"MODE","value":"async"},{"name":"TAG","value":"a\"ä"}]}],"cpu":"4096","memory":"8192"}"#;
        assert_eq!(overrides_length(&launch()), json.chars().count());
        let with_disk = Launch {
            storage_gib: Some(39),
            ..launch()
        };
        let more = r#","ephemeralStorage":{"sizeInGiB":39}"#;
        assert_eq!(
            overrides_length(&with_disk),
            (json.to_owned() + more).chars().count()
        );
    }
}
