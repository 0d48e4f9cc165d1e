//! One job of Batch: an array's children or a single one, each a program with its attempts.

use std::collections::BTreeMap;
use std::time::Instant;

use parfetch::internals::clock::unix_ms;
use serde_json::{Value, json};

use super::faults::{Fault, Rule, Start, take};
use super::process::{Facts, Host, Process, parfetch};
use super::retry::Retry;
use super::setup::Pace;
use super::state::Bucket;

/// The states of a job, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum JobStatus {
    Submitted,
    Pending,
    Runnable,
    Starting,
    Running,
    Succeeded,
    Failed,
}

impl JobStatus {
    pub(super) const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Pending,
        Self::Runnable,
        Self::Starting,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
    ];

    pub(super) fn name(self) -> String {
        format!("{self:?}").to_uppercase()
    }

    pub(super) fn is_over(self) -> bool {
        self >= Self::Succeeded
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt {
    pub(super) started: Option<u64>,
    pub(super) stopped: Option<u64>,
    pub(super) exit_code: Option<i32>,
    /// Of the container.
    pub(super) reason: Option<String>,
    pub(super) status_reason: String,
}

/// One program: a child of an array, or the whole job.
pub(super) struct Child {
    pub(super) status: JobStatus,
    pub(super) attempts: Vec<Attempt>,
    pub(super) is_told_to_end: Option<String>,
    pub(super) started: Option<u64>,
    entered: Instant,
    fault: Option<Fault>,
    process: Option<Process>,
    kill_at: Option<Instant>,
}

/// What Batch says of an attempt that took too long. It is not tried again.
const OUT_OF_TIME: &str = "Job attempt duration exceeded timeout";

/// What jobs share with the rest of the account.
pub(super) struct Around<'a> {
    pub(super) rules: &'a mut [Rule],
    pub(super) containers: &'a mut BTreeMap<String, Facts>,
    pub(super) launches: &'a mut Bucket,
}

/// A job, from `SubmitJob` on.
pub(super) struct Job {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) request: Value,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) cpu_units: u32,
    pub(super) memory_mib: u32,
    /// None: no array.
    pub(super) size: Option<u32>,
    pub(super) created: u64,
    pub(super) hidden: u32,
    pub(super) retry: Retry,
    /// It failed before it had children: its summary counts none of them.
    pub(super) is_stillborn: bool,
    pub(super) children: Vec<Child>,
}

impl Child {
    pub(super) fn new() -> Self {
        Self {
            status: JobStatus::Submitted,
            attempts: Vec::new(),
            is_told_to_end: None,
            started: None,
            entered: Instant::now(),
            fault: None,
            process: None,
            kill_at: None,
        }
    }

    fn enter(&mut self, status: JobStatus) {
        (self.status, self.entered) = (status, Instant::now());
    }

    /// Ends it as soon as it can be.
    pub(super) fn end(&mut self, reason: &str, host: &Host) {
        if self.status.is_over() || self.is_told_to_end.is_some() {
            return;
        }
        self.is_told_to_end = Some(reason.to_owned());
        self.process.iter_mut().for_each(Process::terminate);
        self.kill_at = Some(Instant::now() + host.setup.stop_timeout_of_batch);
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process
            .as_ref()
            .filter(|_| self.status == JobStatus::Running)
            .map(Process::pid)
    }

    /// Notes the end of an attempt, and whether another follows.
    fn attempt_ended(&mut self, attempt: Attempt, retry: &Retry) {
        (self.process, self.kill_at) = (None, None);
        let is_good = attempt.exit_code == Some(0) && self.is_told_to_end.is_none();
        let again = !is_good
            && self.is_told_to_end.is_none()
            && retry.allows(&attempt, self.attempts.len() + 1);
        self.attempts.push(attempt);
        self.enter(match (is_good, again) {
            (true, _) => JobStatus::Succeeded,
            (false, true) => JobStatus::Runnable,
            (false, false) => JobStatus::Failed,
        });
    }

    /// Whether the attempt that runs has ended.
    fn watch(&mut self, retry: &Retry) {
        if self.kill_at.is_some_and(|at| Instant::now() >= at) {
            self.process.iter_mut().for_each(Process::kill);
        }
        let Some(code) = self.process.as_mut().and_then(Process::exit_code) else {
            return;
        };
        let (reason, status_reason) = match (self.fault, &self.is_told_to_end) {
            (_, Some(reason)) => (None, reason.as_str()),
            (Some(Fault::OutOfMemory), _) => (
                Some("OutOfMemoryError: Container killed due to memory usage".to_owned()),
                "Essential container in task exited",
            ),
            (Some(Fault::Spot(_)), _) => (None, "Your Spot Task was interrupted."),
            _ => (None, "Essential container in task exited"),
        };
        let status_reason = status_reason.to_owned();
        self.attempt_ended(
            Attempt {
                started: self.started,
                stopped: Some(unix_ms()),
                exit_code: Some(code),
                reason,
                status_reason,
            },
            retry,
        );
    }
}

impl Job {
    /// The id of a child, or of the job that has none.
    pub(super) fn id_of(&self, index: usize) -> String {
        if self.size.is_some() {
            format!("{}:{index}", self.id)
        } else {
            self.id.clone()
        }
    }

    /// The state of the whole.
    pub(super) fn status(&self) -> JobStatus {
        if self.is_stillborn {
            return JobStatus::Failed;
        }
        let all = || self.children.iter().map(|child| child.status);
        match self.size {
            None => self.children[0].status,
            Some(_) if all().all(JobStatus::is_over) => all().max().unwrap(),
            Some(_) if all().all(|status| status == JobStatus::Submitted) => JobStatus::Submitted,
            Some(_) => JobStatus::Pending,
        }
    }

    /// Children by state.
    pub(super) fn summary(&self) -> Value {
        let count = |status: JobStatus| {
            self.children
                .iter()
                .filter(|child| child.status == status)
                .count()
        };
        JobStatus::ALL
            .into_iter()
            .map(|status| (status.name(), json!(count(status))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Lets time pass. Whether anything changed.
    pub(super) fn advance(&mut self, host: &Host, mut around: Around<'_>) -> bool {
        let mut has_changed = false;
        let busy =
            |child: &Child| [JobStatus::Starting, JobStatus::Running].contains(&child.status);
        let mut units = self.children.iter().filter(|child| busy(child)).count()
            * usize::try_from(self.cpu_units).unwrap();
        let most = usize::try_from(host.setup.max_vcpus).unwrap() * 1_024;
        for index in 0..self.children.len() {
            let before = self.children[index].status;
            if before.is_over() {
                continue;
            }
            let is_room = units + usize::try_from(self.cpu_units).unwrap() <= most;
            self.step((index, is_room), host, &mut around);
            let after = self.children[index].status;
            if before == JobStatus::Runnable && after == JobStatus::Starting {
                units += usize::try_from(self.cpu_units).unwrap();
            }
            has_changed |= before != after;
        }
        has_changed
    }

    fn step(&mut self, (index, is_room): (usize, bool), host: &Host, around: &mut Around<'_>) {
        let is_due = |child: &Child| match host.setup.pace {
            Pace::Time(time) => child.entered.elapsed() >= time,
            Pace::Looks(_) => true,
        };
        let child = &mut self.children[index];
        match child.status {
            JobStatus::Running => child.watch(&self.retry),
            status if child.is_told_to_end.is_some() && status < JobStatus::Running => {
                child.enter(JobStatus::Failed);
            }
            JobStatus::Submitted if is_due(child) => child.enter(JobStatus::Runnable),
            JobStatus::Runnable if is_room => child.enter(JobStatus::Starting),
            JobStatus::Starting if is_due(child) && around.launches.take() => {
                let start = Start {
                    number: 0,
                    tags: &[],
                    child: Some(u32::try_from(index).unwrap()),
                };
                let fault = take(around.rules, &start, |_| true);
                self.start((index, fault), host, around.containers);
            }
            _ => {}
        }
    }

    fn start(
        &mut self,
        (index, fault): (usize, Option<Fault>),
        host: &Host,
        containers: &mut BTreeMap<String, Facts>,
    ) {
        let (id, now) = (self.id_of(index), unix_ms());
        let attempt = self.children[index].attempts.len() + 1;
        self.children[index].fault = fault;
        if fault == Some(Fault::CannotPull) {
            let reason = Some("CannotPullContainerError: pull image manifest has been retried 5 time(s): not found".to_owned());
            let ended = Attempt {
                reason,
                status_reason: "Task failed to start".to_owned(),
                stopped: Some(now),
                ..Attempt::default()
            };
            return self.children[index].attempt_ended(ended, &self.retry);
        }
        let task = format!("{}-{index}-{attempt}", self.id);
        let facts = Facts {
            task_arn: host
                .setup
                .arn("ecs", &format!("task/AWSBatch-{}/{task}", host.setup.name)),
            cpu_units: self.cpu_units,
            memory_mib: self.memory_mib,
            storage_gib: host.setup.storage_gib,
            revision: host.setup.revision,
            zone: format!("{}a", host.setup.region),
            pull_started: now,
            pull_stopped: now,
            started: now,
            token: format!("{:032x}", fastrand::u128(..)),
            looks: 0,
            credentials: 0,
        };
        let mut environment = self.environment.clone();
        let mut set = |name: &str, value: String| drop(environment.insert(name.to_owned(), value));
        set("AWS_BATCH_JOB_ID", id);
        set("AWS_BATCH_JOB_ATTEMPT", attempt.to_string());
        set("AWS_BATCH_JQ_NAME", host.setup.name.clone());
        set("AWS_BATCH_CE_NAME", host.setup.name.clone());
        if self.size.is_some() {
            set("AWS_BATCH_JOB_ARRAY_INDEX", index.to_string());
        }
        let mut process = Process::start(host, &task, (&parfetch(), &environment), &facts);
        match fault {
            Some(Fault::OutOfMemory) => process.kill(),
            Some(Fault::Spot(_)) => process.terminate(),
            _ => {}
        }
        containers.insert(task, facts);
        let child = &mut self.children[index];
        (child.process, child.started) = (Some(process), Some(now));
        child.enter(JobStatus::Running);
        if fault == Some(Fault::OutOfTime) {
            child.end(OUT_OF_TIME, host);
        }
    }
}
