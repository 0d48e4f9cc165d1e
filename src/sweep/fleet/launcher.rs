//! A fleet as a place of a sweep: repetitions are tasks, and what they found comes through the results bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

use super::collect::{CollectedFrom, FoundResult, contender_record, names, record};
use super::repetition::{LeftResult, Repetition};
use super::state::{Fleet, SweepTasks, TAGS, VcpuQuota};
use super::task::{MAX_DELAY, Task};
use crate::cell::{Cell, Program};
use crate::cloud::Capacity;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::platform::clock::unix_ms;
use crate::price::{MINIMUM_SECONDS, TaskRates, billed_seconds};
use crate::results::record::{Record, SweepFacts};
use crate::store::Bucket;
use crate::sweep::attempt::{Attempt, Awaited, CannotRun, Finished, Stopped, with_last_line};
use crate::sweep::environment::{ResultsLocation, RunTemplate};
use crate::sweep::launcher::{
    Abandon, EarlierSweep, Launcher, LimitWords, OnEvent, RepetitionContext, Spent,
};

#[async_trait(?Send)]
impl Launcher for Fleet {
    fn check(&self, cell: &Cell) -> Result<(), CannotRun> {
        if cell.shards > self.plan.max_tasks {
            return Err(too_many_tasks(cell, self.plan.max_tasks));
        }
        if cell.vcpu() * f64::from(cell.shards) > self.quota.vcpu {
            return Err(over_quota(cell, self.quota));
        }
        Ok(())
    }

    fn limit_words(&self) -> LimitWords {
        LimitWords {
            holder: "the account",
            most: "the account may run on Fargate at once",
            cure: "ask for a higher quota: Service Quotas, AWS Fargate",
        }
    }

    fn words(&self, _: &Cell) -> String {
        let capacity = match self.plan.capacity {
            Capacity::OnDemand => "on demand",
            Capacity::Spot => "on Spot",
        };
        format!(
            "Fargate tasks {capacity}, {} at a time",
            self.plan.max_tasks
        )
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn definition(&self) -> Option<&str> {
        Some(self.plan.definition.as_str()).filter(|arn| !arn.is_empty())
    }

    fn architecture(&self) -> Option<&str> {
        Some(self.architecture.as_str()).filter(|arch| !arch.is_empty())
    }

    fn contender_definitions(&self) -> BTreeMap<String, String> {
        let tasks = self.plan.contenders.iter();
        tasks
            .map(|(name, task)| (name.clone(), task.definition.clone()))
            .collect()
    }

    fn width(&self) -> u64 {
        u64::from(self.plan.max_tasks)
    }

    fn usd(&self, cell: &Cell, least: Duration) -> Option<(f64, f64)> {
        let plan = &self.plan;
        let most = plan.start_limit + plan.run_limit + plan.stop_limit;
        let of = |seconds: f64| {
            let each = self.budget.price(cell, seconds)?;
            Some(each * f64::from(cell.shards))
        };
        Some((
            of(least.as_secs_f64().max(MINIMUM_SECONDS))?,
            of(most.as_secs_f64())?,
        ))
    }

    fn rates(&self) -> Option<TaskRates> {
        self.budget.price.map(|price| price.rates)
    }

    fn belong(&mut self, facts: &SweepFacts, (stored, results): (&ResultsLocation, &Bucket)) {
        self.own = Some(SweepTasks::new(
            facts,
            stored.clone(),
            Box::new(results.clone()),
        ));
    }

    fn remember(&mut self, earlier: &EarlierSweep) {
        for record in &earlier.records {
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
        for one in &earlier.stopped {
            self.budget.add(*one);
        }
    }

    async fn find(&mut self) -> Result<(), Failure> {
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

    fn has_room(&self, cell: &Cell) -> bool {
        self.has_room_for(cell)
    }

    fn is_idle(&self) -> bool {
        self.repetitions.is_empty()
    }

    fn take(&mut self, attempt: Attempt, template: &RunTemplate) -> Result<(), Failure> {
        self.take_on(attempt, template)
    }

    async fn next(
        &mut self,
        context: RepetitionContext<'_>,
        mut stop: watch::Receiver<Option<Signal>>,
        on_event: &mut OnEvent<'_>,
    ) -> Result<Awaited, Failure> {
        self.until_one_has_ended(context.facts, &mut stop, on_event)
            .await
    }

    async fn abandon(&mut self, why: Abandon, on_event: &mut OnEvent<'_>) -> usize {
        self.end_early(why, on_event).await
    }

    async fn clean_up(&mut self, on_event: &mut OnEvent<'_>) {
        self.stop_living(on_event).await;
    }

    fn take_stopped(&mut self) -> Vec<Stopped> {
        std::mem::take(&mut self.without_record)
    }

    fn spent(&self) -> Option<Spent> {
        Some(self.budget.spent)
    }

    fn log_hint(&self, record: &Record) -> Option<String> {
        let own = self.plan.contenders.get(record.cell.program.name());
        let own = own.and_then(|own| Some(&own.log.as_ref()?.group));
        let group = match record.cell.program {
            Program::Client(_) => self.plan.log_group.as_ref()?,
            Program::Contender(_) => own?,
        };
        let task = record
            .tasks
            .iter()
            .find_map(|task| task.arn.as_ref()?.rsplit('/').next())?;
        Some(format!(
            "its log may say more: aws logs tail {group} --since 1d | grep {task}"
        ))
    }
}

impl Fleet {
    /// Starts and watches tasks until an attempt has ended.
    pub(super) async fn until_one_has_ended(
        &mut self,
        facts: &SweepFacts,
        stop: &mut watch::Receiver<Option<Signal>>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<Awaited, Failure> {
        loop {
            if let Some(finished) = self.finished(facts).await? {
                return Ok(Awaited::Finished(Box::new(finished)));
            }
            if stop.borrow().is_some() {
                return Ok(Awaited::Stopped);
            }
            let running = self.running_usd();
            let waits = self.start_due(running, stop).await?;
            let nothing_goes_on = !self
                .repetitions
                .iter()
                .flat_map(|one| &one.tasks)
                .any(Task::is_looked_at);
            if self.budget.is_used_up(running, 0.0) || (waits && nothing_goes_on) {
                return Ok(Awaited::Spent);
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

    /// The first attempt whose tasks have all ended, with what it left in the bucket.
    async fn finished(&mut self, facts: &SweepFacts) -> Result<Option<Finished>, Failure> {
        let Some(index) = self.repetitions.iter().position(Repetition::is_over) else {
            return Ok(None);
        };
        self.sweep_up(index).await;
        let missing = self.collect(index).await?;
        let Repetition {
            attempt,
            tasks,
            beside,
            left,
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
        let from = CollectedFrom {
            facts,
            beside: &beside,
            address: self.plan.network.public_address,
            container: self
                .plan
                .contenders
                .get(attempt.cell().program.name())
                .map(|task| task.container.as_str()),
        };
        let found = match (&left, &missing) {
            (LeftResult::Summaries, _) => None,
            (LeftResult::Time, _) => Some(FoundResult::Time),
            (LeftResult::Csv(_), Some(why)) => Some(FoundResult::Missing(why)),
            (LeftResult::Csv(csv), None) => Some(FoundResult::Csv(csv)),
        };
        let mut record = match found {
            None => record(&attempt, &tasks, &from),
            Some(found) => contender_record(&attempt, &tasks, &found, &from),
        };
        self.add_last_lines(&mut record).await;
        Ok(Some(Finished { attempt, record }))
    }

    /// Gets what an attempt left into its folder; says why a contender's CSV is not there.
    async fn collect(&mut self, index: usize) -> Result<Option<String>, Failure> {
        let own = self.own.as_mut().expect("the sweep is known");
        let one = &self.repetitions[index];
        let dir = &one.attempt.dir;
        let begin = Instant::now();
        let mut delay = self.task_limits.poll;
        // One answer that fails must not cost what tasks have found.
        loop {
            let got = match &one.left {
                LeftResult::Time => return Ok(None),
                LeftResult::Csv(csv) => own.results.fetch_csv(csv, &csv.path(dir)).await,
                LeftResult::Summaries => {
                    let prefix = own.stored.attempt_prefix(&one.attempt);
                    let names = names(&one.attempt, &one.tag);
                    let got = own.results.fetch(&prefix, &names, dir).await;
                    got.map(|()| None)
                }
            };
            match got {
                Ok(missing) => return Ok(missing),
                Err(error) if begin.elapsed() > self.task_limits.stop => return Err(error.into()),
                Err(_) => tokio::time::sleep(delay).await,
            }
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    /// What a contender that failed wrote last, from its log; the last line mostly says why.
    async fn add_last_lines(&self, record: &mut Record) {
        let task = self.plan.contenders.get(record.cell.program.name());
        let log = task.and_then(|task| task.log.as_ref());
        let arn = record.tasks.iter().find_map(|task| task.arn.clone());
        let (Some(log), Some(arn), Some(failure)) = (log, arn, &mut record.failure) else {
            return;
        };
        failure.stderr = self.calls.last_lines(log, &arn).await;
        if let Some(line) = failure.stderr.last().filter(|_| !failure.is_of_size) {
            failure.reason = with_last_line(&failure.reason, line);
        }
    }
}

fn over_quota(cell: &Cell, VcpuQuota { vcpu, is_known }: VcpuQuota) -> CannotRun {
    let wanted = cell.vcpu() * f64::from(cell.shards);
    let quota = if is_known {
        "the account's quota"
    } else {
        "a new account's quota"
    };
    let failure = Failure::new(
        Exit::Usage,
        format!("{cell} needs {wanted} vCPUs at once, and {quota} of Fargate is {vcpu}"),
    );
    CannotRun {
        is_too_large: true,
        failure: failure.hint("name smaller sizes with --vcpu, or ask for a higher quota: Service Quotas, AWS Fargate"),
    }
}

fn too_many_tasks(cell: &Cell, most: u32) -> CannotRun {
    let failure = Failure::new(
        Exit::Usage,
        format!(
            "{cell} needs {} tasks at once, and --max-tasks is {most}",
            cell.shards
        ),
    );
    CannotRun {
        is_too_large: false,
        failure: failure.hint(format!("a shard is a task: --max-tasks {}", cell.shards)),
    }
}
