//! What a fleet of tasks is asked to be, resolved.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud::{Capacity, ContainerLog, TaskNetwork};
use crate::estimate::CostConsent;

/// What happens to running tasks when a sweep ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// They are stopped.
    Stop,
    /// They go on; the same sweep finds them again.
    Detach,
}

/// Tasks on Fargate: what, where, how many, how long.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetPlan {
    /// Name or ARN of the cluster.
    pub cluster: String,
    /// Name or ARN of the task definition.
    pub definition: String,
    /// Container whose environment is overridden.
    pub container: String,
    /// Where tasks are in the network.
    pub network: TaskNetwork,
    /// Which capacity they take.
    pub capacity: Capacity,
    /// Tasks at once.
    pub max_tasks: u32,
    /// From the wish to start a task until it runs.
    pub start_limit: Duration,
    /// From then until it ends.
    pub run_limit: Duration,
    /// From its end until it has stopped.
    pub stop_limit: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// The least time of a task's run, when time ends it; zero when it is not known.
    pub least: Duration,
    /// What happens to tasks when the sweep ends early.
    pub on_interrupt: OnInterrupt,
    /// Whether money may be spent.
    pub consent: CostConsent,
    /// Log group of the tasks, for messages.
    pub log_group: Option<String>,
    /// GiB of storage that the task definition gives; none where that is what every task has. Filled in when the account was looked at.
    pub storage_gib: Option<u32>,
    /// What contenders run as, by their names; filled in when the account was looked at.
    pub contenders: BTreeMap<String, ContenderTask>,
}

/// Which definition and container the sweep starts in the place of parfetch's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContenderTask {
    /// ARN of the task definition, with its revision.
    pub definition: String,
    /// Container whose environment and command are overridden.
    pub container: String,
    /// GiB of storage that the definition gives; none where that is what every task has.
    pub storage_gib: Option<u32>,
    /// Where its output goes; none where that is not CloudWatch.
    pub log: Option<ContainerLog>,
}
