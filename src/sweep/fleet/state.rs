//! What a fleet knows, and what of it follows without a call: whom it has room for, what runs cost.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::budget::Budget;
use super::collect::{TaskResults, billed_so_far_s};
use super::plan::FleetPlan;
use super::repetition::Repetition;
use super::task::TaskLimits;
use crate::cell::Cell;
use crate::cloud::Tasks;
use crate::price::MINIMUM_SECONDS;
use crate::results::record::SweepFacts;
use crate::sweep::attempt::Stopped;
use crate::sweep::environment::ResultsLocation;

/// How long ECS may not know a task that it has just started.
const SETTLE: Duration = Duration::from_mins(1);

/// Tags of a task: by them it is found again.
pub(super) const TAGS: [&str; 5] = [
    "parfetch:sweep",
    "parfetch:cell",
    "parfetch:repetition",
    "parfetch:attempt",
    "parfetch:shard",
];

/// vCPU that may run at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sweep) struct VcpuQuota {
    pub(in crate::sweep) vcpu: f64,
    /// Whether the account said so, or a new account's is taken.
    pub(in crate::sweep) is_known: bool,
}

/// What the account allows.
#[derive(Clone, Copy, Debug)]
pub(in crate::sweep) struct AccountLimits {
    pub(in crate::sweep) quota: VcpuQuota,
    pub(in crate::sweep) budget: Budget,
}

/// What belongs to one sweep alone.
pub(super) struct SweepTasks {
    pub(super) stored: ResultsLocation,
    pub(super) results: Box<dyn TaskResults>,
    pub(super) started_by: String,
    /// Tasks of this sweep that ECS knew at its start, by the values of [`TAGS`].
    pub(super) found: BTreeMap<Vec<String>, String>,
}

impl SweepTasks {
    pub(super) fn new(
        facts: &SweepFacts,
        stored: ResultsLocation,
        results: Box<dyn TaskResults>,
    ) -> Self {
        let whole = [
            facts.id.as_str(),
            &facts.plan_sha256,
            &facts.keys_sha256,
            &stored.bucket,
            &stored.prefix,
        ]
        .join("\n");
        let hash = crate::lister::sha256_hex(whole.as_bytes());
        let started_by = format!("parfetch/{}/{}", facts.id.replace('.', "_"), &hash[..8]);
        Self {
            stored,
            results,
            started_by,
            found: BTreeMap::new(),
        }
    }
}

/// Tasks that run repetitions.
pub(in crate::sweep) struct Fleet {
    pub(super) calls: Box<dyn Tasks>,
    pub(super) plan: FleetPlan,
    pub(super) task_limits: TaskLimits,
    pub(super) quota: VcpuQuota,
    pub(super) budget: Budget,
    pub(super) own: Option<SweepTasks>,
    pub(super) repetitions: Vec<Repetition>,
    /// Sizes (units, MiB) that the account does not take, and why.
    pub(super) closed: BTreeMap<(u32, u32), String>,
    pub(super) last_start: Option<Instant>,
    /// Tasks that were stopped with the sweep.
    pub(super) without_record: Vec<Stopped>,
    /// Until the next look; longer after looks that failed.
    pub(super) look_delay: Duration,
    /// Whether it was said which other containers its tasks have.
    pub(super) names_sidecars: bool,
    /// Warnings for the start of the sweep.
    pub(in crate::sweep) notes: Vec<String>,
    /// What its prices are of, as ECS calls it.
    pub(in crate::sweep) architecture: String,
}

impl Fleet {
    pub(in crate::sweep) fn new(
        calls: Box<dyn Tasks>,
        plan: FleetPlan,
        limits: AccountLimits,
    ) -> Self {
        let FleetPlan {
            poll,
            start_limit,
            run_limit,
            stop_limit,
            ..
        } = plan;
        let task_limits = TaskLimits {
            poll,
            start: start_limit,
            run: run_limit,
            stop: stop_limit,
            settle: SETTLE.min(start_limit),
        };
        Self {
            calls,
            plan,
            task_limits,
            quota: limits.quota,
            budget: limits.budget,
            own: None,
            repetitions: Vec::new(),
            closed: BTreeMap::new(),
            last_start: None,
            without_record: Vec::new(),
            look_delay: poll,
            names_sidecars: false,
            notes: Vec::new(),
            architecture: String::new(),
        }
    }

    pub(super) fn has_room_for(&self, cell: &Cell) -> bool {
        let tasks: u32 = self.repetitions.iter().map(Repetition::tasks).sum();
        let vcpu: f64 = self
            .repetitions
            .iter()
            .map(|one| one.attempt.cell().vcpu() * f64::from(one.tasks()))
            .sum();
        tasks + cell.shards <= self.plan.max_tasks
            && vcpu + cell.vcpu() * f64::from(cell.shards) <= self.quota.vcpu
    }

    /// What the tasks that go on cost: so far, and the least that they will.
    pub(super) fn running_usd(&self) -> f64 {
        let going = self
            .repetitions
            .iter()
            .flat_map(|one| one.tasks.iter().map(move |task| (one.attempt.cell(), task)));
        let started = going.filter(|(_, task)| task.arn.is_some());
        started
            .filter_map(|(cell, task)| {
                Some(
                    self.budget
                        .price(cell, billed_so_far_s(task).unwrap_or(0.0))?
                        .max(self.least_usd(cell)),
                )
            })
            .sum()
    }

    /// The least that a task of this cell costs; nothing without a price.
    pub(super) fn least_usd(&self, cell: &Cell) -> f64 {
        self.budget
            .price(cell, self.plan.least.as_secs_f64().max(MINIMUM_SECONDS))
            .unwrap_or(0.0)
    }
}
