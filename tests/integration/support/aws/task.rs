//! One task of ECS: its states, their times, its program, and what goes wrong with it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parfetch::internals::clock::unix_ms;
use serde_json::{Map, Value, json};

use super::faults::Fault;
use super::process::{Facts, Host, Process, parfetch};
use super::setup::Pace;

/// What `GuardDuty` puts into a task.
const AGENT: &str = "aws-guardduty-agent";

/// The states of a task, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl Status {
    pub(super) fn name(self) -> String {
        format!("{self:?}").to_uppercase()
    }
}

/// Times of a task by their names, in milliseconds since 1970.
type Times = BTreeMap<&'static str, u64>;

/// A task, from `RunTask` on.
pub(super) struct Task {
    pub(super) arn: String,
    /// The last part of the ARN.
    pub(super) id: String,
    /// What was asked for.
    pub(super) request: Value,
    pub(super) definition_arn: String,
    pub(super) revision: u32,
    pub(super) cpu_units: u32,
    pub(super) memory_mib: u32,
    pub(super) storage_gib: u32,
    /// The definition's and the overrides'.
    pub(super) environment: BTreeMap<String, String>,
    /// The container, and what it runs; none for parfetch.
    program: Option<(String, Vec<String>)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) is_spot: bool,
    pub(super) zone: String,
    pub(super) fault: Option<Fault>,
    pub(super) status: Status,
    entered: Instant,
    looks: u32,
    /// Looks to which it is not there yet.
    pub(super) hidden: u32,
    pub(super) has_vanished: bool,
    pub(super) is_to_stop: bool,
    times: Times,
    /// How long its container ran, and how much later its clock is since then, where its family says so.
    ran_ms: Option<u64>,
    later_ms: i64,
    stop_code: Option<String>,
    stopped_reason: Option<String>,
    container_reason: Option<String>,
    exit_code: Option<i32>,
    pub(super) process: Option<Process>,
    kill_at: Option<Instant>,
}

/// What a task begins with.
pub(super) struct Birth {
    pub(super) arn: String,
    pub(super) request: Value,
    pub(super) definition: (String, u32),
    pub(super) size: (u32, u32),
    pub(super) storage_gib: u32,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) program: Option<(String, Vec<String>)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) is_spot: bool,
    pub(super) zone: String,
    pub(super) fault: Option<Fault>,
    pub(super) hidden: u32,
    pub(super) ran_ms: Option<u64>,
}

impl Task {
    pub(super) fn new(birth: Birth) -> Self {
        Self {
            id: birth.arn.rsplit('/').next().unwrap().to_owned(),
            arn: birth.arn,
            request: birth.request,
            definition_arn: birth.definition.0,
            revision: birth.definition.1,
            cpu_units: birth.size.0,
            memory_mib: birth.size.1,
            storage_gib: birth.storage_gib,
            environment: birth.environment,
            program: birth.program,
            tags: birth.tags,
            is_spot: birth.is_spot,
            zone: birth.zone,
            fault: birth.fault,
            status: Status::Provisioning,
            entered: Instant::now(),
            looks: 0,
            hidden: birth.hidden,
            has_vanished: false,
            is_to_stop: false,
            times: BTreeMap::from([("createdAt", unix_ms())]),
            ran_ms: birth.ran_ms,
            later_ms: 0,
            stop_code: None,
            stopped_reason: None,
            container_reason: None,
            exit_code: None,
            process: None,
            kill_at: None,
        }
    }

    /// What tells the task at the metadata endpoint.
    pub(super) fn container_id(&self) -> String {
        format!("{}-2886439692", self.id)
    }

    pub(super) fn exit_code(&self) -> Option<i32> {
        self.exit_code
    }

    fn enter(&mut self, status: Status) {
        (self.status, self.entered, self.looks) = (status, Instant::now(), 0);
    }

    fn stamp(&mut self, name: &'static str) {
        let now = unix_ms().saturating_add_signed(self.later_ms);
        self.times.entry(name).or_insert(now);
    }

    /// Somebody looked at it.
    pub(super) fn looked_at(&mut self) {
        self.looks += 1;
    }

    fn is_due(&self, pace: Pace) -> bool {
        let is_stuck = self.fault == Some(Fault::Stuck(self.status))
            && (self.status > Status::Running || !self.is_to_stop);
        let is_past = match pace {
            Pace::Time(time) => self.entered.elapsed() >= time,
            Pace::Looks(looks) => self.looks >= looks,
        };
        is_past && !is_stuck
    }

    /// Marks it as to be stopped; the first reason counts.
    pub(super) fn stop(&mut self, code: &str, reason: &str) {
        if !self.is_to_stop && self.status < Status::Deactivating {
            self.is_to_stop = true;
            (self.stop_code, self.stopped_reason) =
                (Some(code.to_owned()), Some(reason.to_owned()));
            self.stamp("stoppingAt");
        }
    }

    /// Goes on to the next state when it is time. Answers with what the container is, when it starts.
    pub(super) fn advance(&mut self, host: &Host) -> Option<Facts> {
        if self.status == Status::Running {
            self.watch();
        }
        if self.status == Status::Stopping {
            self.enforce();
        }
        if self.has_vanished || !self.is_due(host.setup.pace) {
            return None;
        }
        match self.status {
            Status::Provisioning | Status::Pending if self.is_to_stop => {
                self.enter(Status::Deprovisioning);
            }
            Status::Provisioning => {
                self.enter(Status::Pending);
                self.stamp("pullStartedAt");
            }
            Status::Pending if self.fault == Some(Fault::CannotPull) => self.fail_to_pull(),
            Status::Pending => {
                self.enter(Status::Activating);
                self.stamp("pullStoppedAt");
            }
            Status::Activating => return Some(self.run(host)),
            Status::Running if self.is_to_stop => self.enter(Status::Deactivating),
            Status::Deactivating => self.terminate(host.setup.stop_timeout),
            Status::Stopping if self.exit_code.is_some() || self.process.is_none() => {
                self.enter(Status::Deprovisioning);
            }
            Status::Deprovisioning => {
                self.enter(Status::Stopped);
                self.stamp("stoppedAt");
                self.has_vanished = self.fault == Some(Fault::Forgotten);
            }
            Status::Running | Status::Stopping | Status::Stopped => {}
        }
        None
    }

    fn fail_to_pull(&mut self) {
        let reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref \
                      123456789012.dkr.ecr.us-east-1.amazonaws.com/parfetch:1.0.0: not found";
        self.stop("TaskFailedToStart", reason);
        self.container_reason = Some(reason.to_owned());
        self.enter(Status::Deprovisioning);
    }

    fn run(&mut self, host: &Host) -> Facts {
        self.enter(Status::Running);
        self.stamp("startedAt");
        let facts = Facts {
            task_arn: self.arn.clone(),
            cpu_units: self.cpu_units,
            memory_mib: self.memory_mib,
            storage_gib: self.storage_gib,
            revision: self.revision,
            zone: self.zone.clone(),
            pull_started: self.times["pullStartedAt"],
            pull_stopped: self.times["pullStoppedAt"],
            started: self.times["startedAt"],
            token: format!("{:032x}", fastrand::u128(..)),
            looks: 0,
            credentials: 0,
        };
        let own = parfetch();
        let words = self.program.as_ref().map_or(&own, |(_, words)| words);
        let id = self.container_id();
        let mut process = Process::start(host, &id, (words, &self.environment), &facts);
        match self.fault {
            Some(Fault::OutOfMemory) => {
                process.kill();
                self.container_reason =
                    Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
            }
            Some(Fault::Spot(code)) => self.stop(code, "Your Spot Task was interrupted."),
            Some(Fault::HostLost) => {
                process.kill();
                self.stop(
                    "InfrastructureHealth",
                    "Host EC2 (instance i-0) terminated.",
                );
            }
            Some(Fault::Vanishes) => {
                process.kill();
                self.has_vanished = true;
            }
            _ => {}
        }
        self.process = Some(process);
        facts
    }

    /// Notices that the container has ended by itself.
    fn watch(&mut self) {
        if self.is_to_stop || self.fault == Some(Fault::Stuck(Status::Running)) {
            return;
        }
        if let Some(code) = self.process.as_mut().and_then(Process::exit_code) {
            self.exit_code = Some(code);
            if self.fault == Some(Fault::KeptRunning) {
                return;
            }
            if let Some(ran_ms) = self.ran_ms {
                let end = self.times["startedAt"] + ran_ms;
                self.later_ms = end.cast_signed() - unix_ms().cast_signed();
            }
            self.stamp("executionStoppedAt");
            self.stop(
                "EssentialContainerExited",
                "Essential container in task exited",
            );
        }
    }

    fn terminate(&mut self, stop_timeout: Duration) {
        self.enter(Status::Stopping);
        if self.exit_code.is_none() {
            self.process.iter_mut().for_each(Process::terminate);
            self.kill_at = Some(Instant::now() + stop_timeout);
        }
    }

    /// SIGKILL for one that does not end by SIGTERM.
    fn enforce(&mut self) {
        let Some(process) = self.process.as_mut().filter(|_| self.exit_code.is_none()) else {
            return;
        };
        let is_late = self.kill_at.is_some_and(|at| Instant::now() >= at);
        if is_late {
            process.kill();
        }
        // Nobody notices the end of one that hangs.
        let code = if self.fault == Some(Fault::Stuck(Status::Running)) {
            is_late.then_some(137)
        } else {
            process.exit_code()
        };
        if code.is_some() {
            let is_known = self.fault != Some(Fault::HostLost);
            self.exit_code = code.filter(|_| is_known);
            self.stamp("executionStoppedAt");
            if !is_known {
                self.process = None;
            }
        }
    }

    /// As `DescribeTasks` tells it.
    pub(super) fn to_json(&self, host: &Host, fields: Fields) -> Value {
        let setup = &host.setup;
        let mut task = Map::new();
        let mut set = |name: &str, value: Value| drop(task.insert(name.to_owned(), value));
        let container_status = match self.status {
            status if status < Status::Running => "PENDING".to_owned(),
            Status::Running if self.exit_code.is_none() => "RUNNING".to_owned(),
            _ if self.exit_code.is_some() || self.process.is_none() => "STOPPED".to_owned(),
            _ => "RUNNING".to_owned(),
        };
        let mut container = json!({
            "containerArn": setup.arn("ecs", &format!("container/{}/{}/b31c78c2-0000-4000-8000-000000000000", setup.name, self.id)),
            "taskArn": self.arn, "name": self.program.as_ref().map_or("parfetch", |(name, _)| name), "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/parfetch:1.0.0",
            "lastStatus": container_status, "networkInterfaces": [], "healthStatus": "UNKNOWN", "cpu": "0",
        });
        if let Some(code) = self.exit_code {
            container["exitCode"] = code.into();
        }
        if let Some(reason) = &self.container_reason {
            container["reason"] = reason.clone().into();
        }
        let mut overrides = self.request["overrides"].clone();
        let mut containers = vec![container];
        if setup.has_agent {
            let mut agent = containers[0].clone();
            agent.as_object_mut().unwrap().remove("reason");
            agent["name"] = AGENT.into();
            agent["exitCode"] = 143.into();
            // In any order: another one at each look, and not the same in both lists.
            let place = usize::from(self.looks.is_multiple_of(2));
            containers.insert(1 - place, agent);
            let listed = overrides["containerOverrides"].as_array_mut().unwrap();
            listed.insert(place, json!({"name": AGENT}));
        }
        set("containers", containers.into());
        set("attachments", json!([]));
        set("availabilityZone", self.zone.clone().into());
        if self.is_spot {
            set("capacityProviderName", "FARGATE_SPOT".into());
        }
        set("clusterArn", setup.cluster_arn().into());
        set("cpu", self.cpu_units.to_string().into());
        set("memory", self.memory_mib.to_string().into());
        set(
            "desiredStatus",
            if self.is_to_stop || self.status > Status::Running {
                "STOPPED"
            } else {
                "RUNNING"
            }
            .into(),
        );
        set("enableExecuteCommand", false.into());
        set("ephemeralStorage", json!({"sizeInGiB": self.storage_gib}));
        set(
            "group",
            self.request["group"]
                .as_str()
                .map_or_else(|| format!("family:{}", setup.name), str::to_owned)
                .into(),
        );
        set("healthStatus", "UNKNOWN".into());
        set("lastStatus", self.status.name().into());
        set("launchType", "FARGATE".into());
        set("overrides", overrides);
        set("platformVersion", "1.4.0".into());
        set("platformFamily", "Linux".into());
        set("taskArn", self.arn.clone().into());
        set("taskDefinitionArn", self.definition_arn.clone().into());
        set("version", 3.into());
        for (name, value) in [
            ("stopCode", &self.stop_code),
            ("stoppedReason", &self.stopped_reason),
        ] {
            if let Some(value) = value {
                set(name, value.clone().into());
            }
        }
        if let Some(started_by) = self.request["startedBy"].as_str() {
            set("startedBy", started_by.into());
        }
        for (name, ms) in &self.times {
            set(name, (*ms as f64 / 1e3).into());
        }
        if fields == Fields::WithTags {
            set(
                "tags",
                self.tags
                    .iter()
                    .map(|(key, value)| json!({"key": key, "value": value}))
                    .collect(),
            );
        }
        Value::Object(task)
    }
}

/// Whether a description has the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    Plain,
    WithTags,
}
