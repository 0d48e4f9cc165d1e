//! What the account looks like in which a test runs: names, quotas, pace, faults.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::scripted::Hold;
use super::super::source::Source;
use super::family::Family;
use super::faults::{Fault, On, Rule, Trouble};

/// When a state gives way to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// After this time.
    Time(Duration),
    /// After so many looks at the task.
    Looks(u32),
}

/// An account with one cluster, one definition, one stack, one queue.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) region: String,
    pub(crate) account: String,
    /// Name of stack, cluster, family, queue and job definition, as the template has it.
    pub(crate) name: String,
    /// The latest revision of the definition; those before it are there too.
    pub(crate) revision: u32,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    /// Of the definition's container.
    pub(crate) environment: BTreeMap<String, String>,
    /// Of the definition.
    pub(crate) size: (u32, u32),
    /// GiB of storage, of the definition.
    pub(crate) storage_gib: u32,
    /// vCPU on demand and on Spot; none: the account has no value of its own, and the default holds.
    pub(crate) quota: [Option<f64>; 2],
    pub(crate) default_quota: f64,
    /// Whether the quota is enforced, and how it is said.
    pub(crate) quota_form: super::faults::Form,
    pub(crate) pace: Pace,
    /// Looks and listings to which a new task is not there yet.
    pub(crate) hidden: u32,
    /// From SIGTERM to SIGKILL: what the task definition says.
    pub(crate) stop_timeout: Duration,
    /// The same in Batch, which takes no such setting.
    pub(crate) stop_timeout_of_batch: Duration,
    /// Whether AWS puts a container of its own into each task, and before the definition's: `GuardDuty`.
    pub(crate) has_agent: bool,
    /// Whether `startedBy` must be the only filter of a listing, as AWS's pages say.
    pub(crate) lists_by_one_filter: bool,
    /// Tasks that Fargate starts at once, and each second from then on: `RunTask` is throttled beyond that, and children of Batch wait.
    pub(crate) launches: (u32, u32),
    /// The keys that a task's credentials are.
    pub(crate) keys: (String, String),
    /// How long they live.
    pub(crate) credentials_life: Duration,
    pub(crate) stack_status: String,
    /// Beside those of the template.
    pub(crate) outputs: BTreeMap<String, String>,
    /// Of the Batch queue.
    pub(crate) max_vcpus: u32,
    /// So many array jobs fail before they have children.
    pub(crate) stillborn_jobs: usize,
    /// Task definitions of other programs.
    pub(crate) families: Vec<Family>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) troubles: Vec<Trouble>,
    /// Good answers to this operation wait until the test lets them go.
    pub(crate) held: Option<(&'static str, Hold)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            name: "parfetch".to_owned(),
            revision: 7,
            subnets: vec![
                "subnet-0123456789abcdef0".to_owned(),
                "subnet-0123456789abcdef1".to_owned(),
            ],
            security_groups: vec!["sg-0123456789abcdef0".to_owned()],
            environment: BTreeMap::new(),
            size: (1_024, 2_048),
            storage_gib: 20,
            quota: [Some(64.0), Some(64.0)],
            default_quota: 6.0,
            quota_form: super::faults::Form::Failure,
            pace: Pace::Time(Duration::from_millis(5)),
            hidden: 1,
            stop_timeout: Duration::from_mins(2),
            stop_timeout_of_batch: Duration::from_secs(30),
            has_agent: false,
            lists_by_one_filter: false,
            launches: (100, 20),
            keys: ("AKIDTASK".to_owned(), "secret".to_owned()),
            credentials_life: Duration::from_hours(6),
            stack_status: "CREATE_COMPLETE".to_owned(),
            outputs: BTreeMap::new(),
            max_vcpus: 16,
            stillborn_jobs: 0,
            families: Vec::new(),
            rules: Vec::new(),
            troubles: Vec::new(),
            held: None,
        }
    }
}

impl Setup {
    /// As the template makes it for the buckets of this source.
    pub(crate) fn over(source: &Source) -> Self {
        let pairs = [
            ("BUCKET_NAME", source.bucket.as_str()),
            ("RESULT_BUCKET_NAME", &source.results),
            ("PARFETCH_RESULT_PREFIX", "parfetch/"),
            ("PARFETCH_PREFIX", &source.prefix),
            ("PARFETCH_PROGRESS", "never"),
        ];
        let environment = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let keys = (
            source.endpoint.access_key.clone(),
            source.endpoint.secret_key.clone(),
        );
        let outputs = [
            ("SourceBucket", &source.bucket),
            ("SourcePrefix", &source.prefix),
            ("ResultsBucket", &source.results),
        ];
        let outputs = outputs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        Self {
            environment,
            keys,
            outputs,
            ..Self::default()
        }
    }

    /// This goes wrong with every such start.
    pub(crate) fn fault(self, on: On, fault: Fault) -> Self {
        self.fault_times(on, fault, u32::MAX)
    }

    /// This goes wrong so often.
    pub(crate) fn fault_times(mut self, on: On, fault: Fault, times: u32) -> Self {
        self.rules.push(Rule {
            on,
            fault,
            left: times,
        });
        self
    }

    /// So many calls of this operation fail, after the first `skip`.
    pub(crate) fn trouble(
        mut self,
        operation: &str,
        fault: Fault,
        [skip, times]: [u32; 2],
    ) -> Self {
        self.troubles.push(Trouble {
            operation: operation.to_owned(),
            skip,
            left: times,
            fault,
        });
        self
    }

    /// An ARN of this account: `arn("ecs", "cluster/parfetch")`.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.region, self.account
        )
    }

    pub(crate) fn cluster_arn(&self) -> String {
        self.arn("ecs", &format!("cluster/{}", self.name))
    }

    /// Without a revision.
    pub(crate) fn definition_arn(&self) -> String {
        self.arn("ecs", &format!("task-definition/{}", self.name))
    }

    pub(crate) fn queue_arn(&self) -> String {
        self.arn("batch", &format!("job-queue/{}", self.name))
    }

    pub(crate) fn job_definition_arn(&self) -> String {
        self.arn("batch", &format!("job-definition/{}", self.name))
    }
}
