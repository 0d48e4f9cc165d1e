//! What the account holds at a moment: tasks, jobs, tokens, what was asked and what was wrong with it.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use super::faults::{Rule, Trouble};
use super::job::{Around, Job};
use super::process::{Facts, Host};
use super::task::{Status, Task};

/// A call as it came, and what it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Value,
    /// The error's name; none when it went well.
    pub(crate) error: Option<&'static str>,
}

/// All that changes.
pub(super) struct State {
    pub(super) tasks: Vec<Task>,
    /// By client token: parameters, and the task's place.
    pub(super) tokens: BTreeMap<String, (Value, usize)>,
    /// Client tokens in the order in which they were first seen.
    pub(super) seen: Vec<String>,
    pub(super) jobs: Vec<Job>,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    /// By the container's id.
    pub(super) containers: BTreeMap<String, Facts>,
    pub(super) rules: Vec<Rule>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) launches: Bucket,
    /// The answer that is about to be given gets lost.
    pub(super) is_answer_lost: bool,
}

impl State {
    pub(super) fn new(host: &Host) -> Self {
        let setup = &host.setup;
        Self {
            tasks: Vec::new(),
            tokens: BTreeMap::new(),
            seen: Vec::new(),
            jobs: Vec::new(),
            calls: Vec::new(),
            violations: Vec::new(),
            containers: BTreeMap::new(),
            rules: setup.rules.clone(),
            troubles: setup.troubles.clone(),
            launches: Bucket::new(setup.launches),
            is_answer_lost: false,
        }
    }

    /// Lets time pass. Whether anything changed.
    pub(super) fn advance(&mut self, host: &Host) -> bool {
        let mut has_changed = false;
        for task in &mut self.tasks {
            let before = task.status;
            if let Some(facts) = task.advance(host) {
                self.containers.insert(task.container_id(), facts);
            }
            has_changed |= task.status != before;
        }
        for job in &mut self.jobs {
            let around = Around {
                rules: &mut self.rules,
                containers: &mut self.containers,
                launches: &mut self.launches,
            };
            has_changed |= job.advance(host, around);
        }
        has_changed
    }

    /// vCPU × 1024 of tasks that are not stopped, on demand or on Spot.
    pub(super) fn units_in_flight(&self, is_spot: bool) -> u32 {
        let counted = |task: &&Task| {
            task.is_spot == is_spot && task.status != Status::Stopped && !task.has_vanished
        };
        self.tasks
            .iter()
            .filter(counted)
            .map(|task| task.cpu_units)
            .sum()
    }
}

/// What is allowed: so many at once, so many more each second.
pub(super) struct Bucket {
    most: f64,
    rate: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new((most, rate): (u32, u32)) -> Self {
        Self {
            most: f64::from(most),
            rate: f64::from(rate),
            tokens: f64::from(most),
            filled: Instant::now(),
        }
    }

    /// Whether one more is allowed now.
    pub(super) fn take(&mut self) -> bool {
        let now = Instant::now();
        self.tokens = self
            .most
            .min(self.tokens + self.rate * now.duration_since(self.filled).as_secs_f64());
        self.filled = now;
        let is_allowed = self.tokens >= 1.0;
        if is_allowed {
            self.tokens -= 1.0;
        }
        is_allowed
    }
}
