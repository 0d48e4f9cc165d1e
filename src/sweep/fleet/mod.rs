//! Repetitions as tasks on Fargate: started, watched and stopped through ECS; what they found comes through the results bucket.
//!
//! Owns every rule of when a task is started, looked at, given up. Nothing that it starts is left behind: a task that is past a deadline is stopped,
//! and so are all when the sweep ends early, unless it was asked to leave them; then the next sweep of this id finds them.

mod budget;
mod collect;

mod ending;
mod ledger;

mod plan;
mod step;
mod task;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use budget::Spent;
pub use plan::{Consent, FleetPlan, OnInterrupt};

use self::budget::Budget;
use self::collect::{TaskResults, billed_so_far_s, names, record};
use self::ending::TaskFailure;
use self::ledger::{Ledger, LedgerEntry};
use self::task::{MAX_DELAY, Task, TaskLimits, TaskPhase};
use super::attempt::{Attempt, Finished, Misfit, Next, Stopped};
use super::environment::{RunTemplate, Stored};
use super::folder::{FolderError, attempt_folder};
use crate::cell::Cell;
use crate::cloud::{Capacity, Launch, MAX_OVERRIDES, Tasks, overrides_length};
use crate::event::SweepEvent;
use crate::exit::Signal;
use crate::exit::{Exit, Failure};
use crate::platform::clock::unix_ms;
use crate::price::{MINIMUM_SECONDS, billed_seconds};
use crate::results::record::{Record, SweepFacts};

/// Attempts at a repetition that the platform breaks again and again.
pub(super) const MAX_ATTEMPTS: u32 = 3;
/// How long ECS may not know a task that it has just started.
const SETTLE: Duration = Duration::from_mins(1);

/// Tags of a task: by them it is found again.
const TAGS: [&str; 5] = [
    "parfetch:sweep",
    "parfetch:cell",
    "parfetch:repetition",
    "parfetch:attempt",
    "parfetch:shard",
];

/// Why a sweep ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandon {
    /// A signal, or an error.
    Interrupted,
    /// The money is used up: nothing may go on.
    Broke,
}

/// The tasks of one attempt.
struct Repetition {
    attempt: Attempt,
    tag: String,
    launches: Vec<Launch>,
    tasks: Vec<Task>,
    beside: BTreeSet<String>,
}

impl Repetition {
    fn label(&self) -> String {
        label(&self.attempt)
    }

    fn is_over(&self) -> bool {
        self.tasks
            .iter()
            .all(|task| task.phase() == TaskPhase::Ended)
    }

    fn tasks(&self) -> u32 {
        u32::try_from(
            self.tasks
                .iter()
                .filter(|task| task.phase() != TaskPhase::Ended)
                .count(),
        )
        .unwrap_or(u32::MAX)
    }

    /// Writes down which tasks belong to it.
    fn note(&self) -> Result<(), FolderError> {
        let entry = |task: &Task| LedgerEntry {
            shard: task.shard,
            tries: task.tries,
            arn: task.arn.clone(),
        };
        Ledger::new(
            self.attempt.started_at.clone(),
            self.tasks.iter().map(entry).collect(),
        )
        .write(&self.attempt.dir)
    }
}

fn label(attempt: &Attempt) -> String {
    format!(
        "{}/{}",
        attempt.cell().slug(),
        attempt_folder(&attempt.todo.planned, attempt.todo.attempt)
    )
}

/// What belongs to one sweep alone.
struct Own {
    stored: Stored,
    results: Box<dyn TaskResults>,
    started_by: String,
    /// Tasks of this sweep that ECS knew at its start, by the values of [`TAGS`].
    found: BTreeMap<Vec<String>, String>,
}

/// Tasks on Fargate.
pub(super) struct Fleet {
    calls: Box<dyn Tasks>,
    plan: FleetPlan,
    pace: TaskLimits,
    /// vCPU that may run at once, and whether the account said so.
    quota: (f64, bool),
    budget: Budget,
    own: Option<Own>,
    repetitions: Vec<Repetition>,
    /// Sizes (units, MiB) that the account does not take, and why.
    closed: BTreeMap<(u32, u32), String>,
    last_start: Option<Instant>,
    /// Tasks that were stopped with the sweep.
    without_record: Vec<Stopped>,
    /// Until the next look; longer after looks that failed.
    look_delay: Duration,
    /// Warnings for the start of the sweep.
    pub(super) notes: Vec<String>,
}

impl Fleet {
    fn new(calls: Box<dyn Tasks>, plan: FleetPlan, (quota, budget): ((f64, bool), Budget)) -> Self {
        let FleetPlan {
            poll,
            start_limit,
            run_limit,
            stop_limit,
            ..
        } = plan;
        let pace = TaskLimits {
            poll,
            start: start_limit,
            run: run_limit,
            stop: stop_limit,
            settle: SETTLE.min(start_limit),
        };
        Self {
            calls,
            plan,
            pace,
            quota,
            budget,
            own: None,
            repetitions: Vec::new(),
            closed: BTreeMap::new(),
            last_start: None,
            without_record: Vec::new(),
            look_delay: poll,
            notes: Vec::new(),
        }
    }

    /// Says to which sweep the tasks belong.
    pub(super) fn belong(
        &mut self,
        facts: &SweepFacts,
        (stored, results): (Stored, Box<dyn TaskResults>),
    ) {
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
        self.own = Some(Own {
            stored,
            results,
            started_by,
            found: BTreeMap::new(),
        });
    }

    /// Finds the tasks that an earlier part of this sweep started.
    pub(super) async fn find(&mut self) -> Result<(), Failure> {
        let own = self.own.as_mut().expect("the sweep is known");
        let arns = self.calls.list(&self.plan.cluster, &own.started_by).await?;
        if arns.is_empty() {
            return Ok(());
        }
        for task in self.calls.describe(&self.plan.cluster, &arns).await?.tasks {
            let value = |name: &str| {
                task.tags
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            };
            if let Some(values) = TAGS
                .iter()
                .map(|name| value(name))
                .collect::<Option<Vec<String>>>()
            {
                own.found.insert(values, task.arn.clone());
            }
        }
        Ok(())
    }

    /// Whether a cell fits the account.
    pub(super) fn check(&self, cell: &Cell) -> Result<(), Misfit> {
        if cell.shards > self.plan.max_tasks {
            return Err(Misfit::TooManyTasks {
                most: self.plan.max_tasks,
            });
        }
        if cell.vcpu() * f64::from(cell.shards) > self.quota.0 {
            return Err(Misfit::OverQuota {
                vcpu: self.quota.0,
                is_known: self.quota.1,
            });
        }
        Ok(())
    }

    /// How cells are held, in words.
    pub(super) fn words(&self) -> String {
        let capacity = match self.plan.capacity {
            Capacity::OnDemand => "on demand",
            Capacity::Spot => "on Spot",
        };
        format!(
            "Fargate tasks {capacity}, {} at a time",
            self.plan.max_tasks
        )
    }

    /// ARN of the task definition, with its revision.
    pub(super) fn definition(&self) -> &str {
        &self.plan.definition
    }

    pub(super) fn width(&self) -> u64 {
        u64::from(self.plan.max_tasks)
    }

    /// What the tasks have cost.
    pub(super) fn spent(&self) -> Spent {
        self.budget.spent
    }

    /// Price of a task of this cell that lives for so long, by the list; none without a price.
    pub(super) fn price(&self, cell: &Cell, seconds: f64) -> Option<f64> {
        self.budget.price(cell, seconds)
    }

    /// An earlier part of this sweep has spent something too: every attempt, warm-ups as well.
    pub(super) fn remember(&mut self, record: &Record) {
        let Cell {
            cpu_units,
            memory_mib,
            ..
        } = record.cell;
        for ns in record.tasks.iter().filter_map(|task| task.billed_ns) {
            self.budget.add(Stopped {
                cpu_units,
                memory_mib,
                billed_s: billed_seconds(ns as f64 / 1e9),
            });
        }
    }

    /// So have tasks that were stopped with it.
    pub(super) fn remember_stopped(&mut self, stopped: Vec<Stopped>) {
        for one in stopped {
            self.budget.add(one);
        }
    }

    /// Tasks that were stopped with this part of the sweep.
    pub(super) fn take_stopped(&mut self) -> Vec<Stopped> {
        std::mem::take(&mut self.without_record)
    }

    /// Whether another repetition of this cell can be taken on: the tasks at once, and the account's vCPU.
    pub(super) fn has_room(&self, cell: &Cell) -> bool {
        let tasks: u32 = self.repetitions.iter().map(Repetition::tasks).sum();
        let vcpu: f64 = self
            .repetitions
            .iter()
            .map(|one| one.attempt.cell().vcpu() * f64::from(one.tasks()))
            .sum();
        tasks + cell.shards <= self.plan.max_tasks
            && vcpu + cell.vcpu() * f64::from(cell.shards) <= self.quota.0
    }

    pub(super) fn is_idle(&self) -> bool {
        self.repetitions.is_empty()
    }

    /// Takes an attempt on: a new one, or one whose tasks an earlier part of this sweep started.
    pub(super) fn take(
        &mut self,
        mut attempt: Attempt,
        template: &RunTemplate,
    ) -> Result<(), Failure> {
        let own = self.own.as_ref().expect("the sweep is known");
        let ledger = Ledger::read(&attempt.dir)?;
        if let Some(ledger) = &ledger {
            attempt.started_at.clone_from(&ledger.started_at);
        }
        let cell = attempt.cell().clone();
        let launches: Vec<Launch> = (0..cell.shards)
            .map(|shard| self.launch(&attempt, shard, template))
            .collect();
        if let Some(length) = launches
            .iter()
            .map(overrides_length)
            .find(|length| *length > MAX_OVERRIDES)
        {
            let message = format!(
                "{cell}: the settings of a task have {length} characters, and ECS takes {MAX_OVERRIDES}"
            );
            return Err(Failure::new(Exit::Usage, message)
                .hint("shorten the names of buckets, prefixes and endpoints"));
        }
        let task = |launch: &Launch, shard: u32| {
            let noted = ledger
                .as_ref()
                .and_then(|ledger| ledger.tasks.iter().find(|entry| entry.shard == shard));
            let tags: Vec<String> = launch.tags.iter().map(|(_, value)| value.clone()).collect();
            let arn = noted
                .and_then(|entry| entry.arn.clone())
                .or_else(|| own.found.get(&tags).cloned());
            Task::new(
                shard,
                cell.memory_mib,
                (noted.map_or(0, |entry| entry.tries), arn),
            )
        };
        let mut tasks: Vec<Task> = launches
            .iter()
            .zip(0..)
            .map(|(launch, shard)| task(launch, shard))
            .collect();
        if let Some(why) = self.closed.get(&(cell.cpu_units, cell.memory_mib)) {
            tasks
                .iter_mut()
                .filter(|task| task.arn.is_none())
                .for_each(|task| task.end(Err(TaskFailure::new(format!("not started: {why}")))));
        }
        let mut repetition = Repetition {
            tag: template.tag(&attempt),
            launches,
            tasks,
            beside: BTreeSet::new(),
            attempt,
        };
        for other in &mut self.repetitions {
            other.beside.insert(repetition.label());
            repetition.beside.insert(other.label());
        }
        repetition.note()?;
        self.repetitions.push(repetition);
        Ok(())
    }

    fn launch(&self, attempt: &Attempt, shard: u32, template: &RunTemplate) -> Launch {
        let own = self.own.as_ref().expect("the sweep is known");
        let (cell, todo) = (attempt.cell(), &attempt.todo);
        let values = [
            template.id.clone(),
            cell.slug(),
            todo.planned.repetition.to_string(),
            todo.attempt.to_string(),
            shard.to_string(),
        ]
        .into_iter();
        Launch {
            cluster: self.plan.cluster.clone(),
            definition: self.plan.definition.clone(),
            container: self.plan.container.clone(),
            network: self.plan.network.clone(),
            capacity: self.plan.capacity,
            cpu_units: cell.cpu_units,
            memory_mib: cell.memory_mib,
            environment: template.task_environment(attempt, shard, &own.stored),
            started_by: own.started_by.clone(),
            token: String::new(),
            tags: TAGS
                .iter()
                .map(|name| (*name).to_owned())
                .zip(values)
                .collect(),
        }
    }

    /// Starts and watches tasks until an attempt has ended.
    pub(super) async fn next(
        &mut self,
        facts: &SweepFacts,
        stop: &mut watch::Receiver<Option<Signal>>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<Next, Failure> {
        loop {
            if let Some(finished) = self.finished(facts).await? {
                return Ok(Next::Finished(Box::new(finished)));
            }
            if stop.borrow().is_some() {
                return Ok(Next::Stopped);
            }
            let running = self.running_usd();
            let waits = self.start_due(running, stop).await?;
            let nothing_goes_on = !self
                .repetitions
                .iter()
                .flat_map(|one| &one.tasks)
                .any(Task::is_looked_at);
            if self.budget.is_used_up(running, 0.0) || (waits && nothing_goes_on) {
                return Ok(Next::Spent);
            }
            self.end_the_rest(on_event).await;
            // What could not even be started is over now.
            if self.repetitions.iter().any(Repetition::is_over) {
                continue;
            }
            tokio::select! {
                looked = async {
                    tokio::time::sleep(self.look_delay).await;
                    self.look(on_event).await
                } => looked?,
                _ = stop.wait_for(Option::is_some) => {}
            }
        }
    }

    /// What the tasks that go on cost: so far, and the least that they will.
    fn running_usd(&self) -> f64 {
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
    fn least_usd(&self, cell: &Cell) -> f64 {
        self.price(cell, self.plan.least.as_secs_f64().max(MINIMUM_SECONDS))
            .unwrap_or(0.0)
    }

    /// The first attempt whose tasks have all ended, with what it left in the bucket.
    async fn finished(&mut self, facts: &SweepFacts) -> Result<Option<Finished>, Failure> {
        let Some(index) = self.repetitions.iter().position(Repetition::is_over) else {
            return Ok(None);
        };
        self.sweep_up(index).await;
        let own = self.own.as_mut().expect("the sweep is known");
        let one = &self.repetitions[index];
        let prefix = own.stored.attempt_prefix(&one.attempt);
        let begin = Instant::now();
        let mut delay = self.pace.poll;
        // One answer that fails must not cost what tasks have found.
        while let Err(error) = own
            .results
            .fetch(&prefix, &names(&one.attempt, &one.tag), &one.attempt.dir)
            .await
        {
            if begin.elapsed() > self.pace.stop {
                return Err(error.into());
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
        let Repetition {
            attempt,
            tasks,
            beside,
            ..
        } = self.repetitions.remove(index);
        let now = unix_ms();
        for times in tasks
            .iter()
            .filter_map(|task| Some(&task.seen.as_ref()?.times))
        {
            self.budget.ended(attempt.cell(), times, now);
        }
        let beside: Vec<String> = beside.into_iter().collect();
        let record = record(
            &attempt,
            &tasks,
            (facts, &beside),
            self.plan.network.public_address,
        );
        Ok(Some(Finished { attempt, record }))
    }
}

#[cfg(test)]
mod tests;
