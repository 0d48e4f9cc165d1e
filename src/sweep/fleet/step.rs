//! What a fleet does again and again: start what is due, look at what goes on, stop what is past its time.

use std::ops::Range;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::ending::{Again, NotStarted, TaskFailure, failed, refused};
use super::ledger::Ledger;
use super::{Abandon, Fleet, MAX_DELAY, Repetition, TAGS, Task, TaskPhase};
use crate::cloud::{CloudErrorKind, Launch, Started, TaskSeen};
use crate::event::SweepEvent;
use crate::exit::Failure;
use crate::exit::Signal;
use crate::platform::clock::unix_ms;
use crate::sweep::fleet::plan::OnInterrupt;

/// Between two starts: ten a second, half of what Fargate takes for all of an account.
const START_INTERVAL: Duration = Duration::from_millis(100);

/// The token of one start: the same for the same sweep, cell, repetition, attempt and shard, and for as long as it is not certain that nothing was
/// started with it. 64 characters.
fn token(launch: &Launch, tries: u32) -> String {
    let mut whole = launch.started_by.clone();
    for (_, value) in &launch.tags {
        whole.push('\n');
        whole.push_str(value);
    }
    crate::lister::sha256_hex(format!("{whole}\n{tries}").as_bytes())
}

impl Fleet {
    /// Starts what is due. True when the money does not suffice for that.
    pub(super) async fn start_due(
        &mut self,
        running_usd: f64,
        stop: &watch::Receiver<Option<Signal>>,
    ) -> Result<bool, Failure> {
        let mut started_usd = running_usd;
        for index in 0..self.repetitions.len() {
            for place in 0..self.repetitions[index].tasks.len() {
                if !self.repetitions[index].tasks[place].is_due() || stop.borrow().is_some() {
                    continue;
                }
                let least = self.least_usd(self.repetitions[index].attempt.cell());
                if self.budget.is_used_up(started_usd, least) {
                    return Ok(true);
                }
                self.start((index, place)).await?;
                started_usd += least;
            }
        }
        Ok(false)
    }

    async fn start(&mut self, (index, place): (usize, usize)) -> Result<(), Failure> {
        if let Some(last) = self.last_start {
            tokio::time::sleep_until(last + START_INTERVAL).await;
        }
        self.last_start = Some(Instant::now());
        let one = &mut self.repetitions[index];
        let task = &mut one.tasks[place];
        let launch = Launch {
            token: token(&one.launches[place], task.tries),
            ..one.launches[place].clone()
        };
        let not_started = match self.calls.run(&launch).await {
            Ok(Started::Task(seen)) => {
                task.started(seen.arn.clone());
                task.seen = Some(*seen);
                return Ok(one.note()?);
            }
            Ok(Started::Refused(refusal)) => refused(&refusal),
            Err(error) => failed(error),
        };
        match not_started {
            NotStarted::Later(why) => {
                task.tries += 1;
                task.later(&why, &self.pace);
            }
            NotStarted::Busy(why) => task.later(&why, &self.pace),
            NotStarted::Unclear(why) => task.unclear(&why, &self.pace),
            NotStarted::Already(arns) => {
                task.started(arns.into_iter().next().unwrap_or_default());
            }
            NotStarted::Fails(why) => {
                task.end(Err(TaskFailure::new(format!("not started: {why}"))));
            }
            NotStarted::NoSuchSize(why) => {
                let cell = one.attempt.cell();
                task.end(Err(TaskFailure::new(format!("not started: {why}"))));
                self.closed.insert((cell.cpu_units, cell.memory_mib), why);
            }
            NotStarted::Ends(error) => return Err(error.into()),
        }
        Ok(self.repetitions[index].note()?)
    }

    /// Looks at all tasks that go on.
    pub(super) async fn look(
        &mut self,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<(), Failure> {
        let looked_at = self
            .repetitions
            .iter()
            .flat_map(|one| &one.tasks)
            .filter(|task| task.is_looked_at());
        let arns: Vec<String> = looked_at.filter_map(|task| task.arn.clone()).collect();
        if arns.is_empty() {
            return Ok(());
        }
        let seen = match self.calls.describe(&self.plan.cluster, &arns).await {
            Ok(seen) => {
                self.look_delay = self.pace.poll;
                Some(seen)
            }
            // Time goes on: what is past its deadline is so whether ECS answers or not.
            Err(error)
                if matches!(
                    error.kind,
                    CloudErrorKind::Throttled | CloudErrorKind::Unclear
                ) =>
            {
                tracing::info!(%error, "tasks not looked at");
                self.look_delay = (self.look_delay * 2).min(MAX_DELAY);
                None
            }
            Err(error) => return Err(error.into()),
        };
        let mut late = Vec::new();
        for (index, one) in self.repetitions.iter_mut().enumerate() {
            for (place, task) in one
                .tasks
                .iter_mut()
                .enumerate()
                .filter(|(_, task)| task.is_looked_at())
            {
                let before = task.seen.as_ref().map(|task| task.status.clone());
                let why = match &seen {
                    Some(seen) => task.look(
                        seen.tasks
                            .iter()
                            .find(|seen| Some(&seen.arn) == task.arn.as_ref())
                            .cloned(),
                        &self.pace,
                    ),
                    None => task.overdue(&self.pace),
                };
                late.extend(why.map(|why| (index, place, why)));
                let now = task.seen.as_ref().map(|task| task.status.clone());
                if let Some(state) = now.filter(|now| before.as_ref() != Some(now)) {
                    on_event(&SweepEvent::TaskState {
                        cell: one.attempt.cell().to_string(),
                        state,
                    });
                }
            }
        }
        self.tell_again().await;
        for (index, place, why) in late {
            self.give_up((index, place), TaskFailure::hint(why, Again::No), on_event)
                .await;
        }
        Ok(())
    }

    /// A repetition one of whose shards is lost for good is lost: the others are not left to run.
    pub(super) async fn end_the_rest(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) {
        for index in 0..self.repetitions.len() {
            let tasks = &mut self.repetitions[index].tasks;
            let lost = tasks.iter().find_map(|task| {
                task.result()?
                    .as_ref()
                    .err()
                    .filter(|broken| broken.is_for_good())
                    .cloned()
            });
            let Some(lost) = lost else { continue };
            tasks
                .iter_mut()
                .filter(|task| task.phase() == TaskPhase::Waiting)
                .for_each(|task| task.end(Err(lost.clone())));
            let going: Vec<usize> = (0..tasks.len())
                .filter(|place| {
                    matches!(
                        tasks[*place].phase(),
                        TaskPhase::Starting | TaskPhase::Running
                    )
                })
                .collect();
            for place in going {
                self.give_up((index, place), lost.clone(), on_event).await;
            }
        }
    }

    /// Stops one task for good.
    async fn give_up(
        &mut self,
        (index, place): (usize, usize),
        broken: TaskFailure,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) {
        let why = format!("parfetch: {}", broken.reason);
        let task = &mut self.repetitions[index].tasks[place];
        task.tell(broken);
        let Some(arn) = &task.arn else { return };
        match self.calls.stop(&self.plan.cluster, arn, &why).await {
            Ok(()) => task.has_heard(),
            Err(error) => on_event(&SweepEvent::Warning(error.message)),
        }
    }

    /// Whoever was told to stop and could not be reached is told again.
    async fn tell_again(&mut self) {
        for task in self
            .repetitions
            .iter_mut()
            .flat_map(|one| &mut one.tasks)
            .filter(|task| task.has_to_hear())
        {
            let Some(arn) = &task.arn else { continue };
            if self
                .calls
                .stop(&self.plan.cluster, arn, "parfetch: past its time")
                .await
                .is_ok()
            {
                task.has_heard();
            }
        }
    }

    /// At the end of a sweep nothing of it goes on: what ECS lost for a while, or what did not stop in time.
    pub(in crate::sweep) async fn tidy(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) {
        for task in self.living().await {
            let told = self
                .calls
                .stop(
                    &self.plan.cluster,
                    &task.arn,
                    "parfetch: the sweep was ended",
                )
                .await;
            let what = if told.is_ok() {
                "was told to stop again"
            } else {
                "could not be stopped, still runs, and costs money"
            };
            on_event(&SweepEvent::Warning(format!(
                "the task {} of this sweep was still {}: it {what}",
                task.arn, task.status
            )));
        }
    }

    /// Whether something was started for an attempt is not known when its start was never answered: what ECS has of it is stopped.
    pub(super) async fn sweep_up(&mut self, index: usize) {
        let begin = Instant::now();
        while self.repetitions[index].tasks.iter().any(Task::was_unclear)
            && begin.elapsed() <= self.pace.settle
        {
            for arn in self.recognise(index..index + 1).await {
                // What does not hear of it ends by itself; it has no place in this sweep any more.
                let _told = self
                    .calls
                    .stop(
                        &self.plan.cluster,
                        &arn,
                        "parfetch: its start was not answered",
                    )
                    .await;
            }
            tokio::time::sleep(self.pace.poll).await;
        }
    }

    /// Finds, by their tags, tasks of these repetitions whose start was not answered; what has just been started may not be listed yet.
    async fn recognise(&mut self, which: Range<usize>) -> Vec<String> {
        if !self.repetitions[which.clone()]
            .iter()
            .flat_map(|one| &one.tasks)
            .any(Task::was_unclear)
        {
            return Vec::new();
        }
        let living = self.living().await;
        let mut found = Vec::new();
        for one in &mut self.repetitions[which] {
            for (task, launch) in one
                .tasks
                .iter_mut()
                .zip(&one.launches)
                .filter(|(task, _)| task.was_unclear())
            {
                if let Some(seen) = living.iter().find(|seen| is_tagged(seen, &launch.tags)) {
                    task.arn = Some(seen.arn.clone());
                    found.push(seen.arn.clone());
                }
            }
        }
        found
    }

    /// Every task of this sweep that goes on, as far as ECS says.
    async fn living(&self) -> Vec<TaskSeen> {
        let Some(own) = &self.own else {
            return Vec::new();
        };
        let arns = self
            .calls
            .list(&self.plan.cluster, &own.started_by)
            .await
            .unwrap_or_default();
        if arns.is_empty() {
            return Vec::new();
        }
        let seen = self
            .calls
            .describe(&self.plan.cluster, &arns)
            .await
            .unwrap_or_default();
        seen.tasks.into_iter().filter(is_alive).collect()
    }

    /// Ends early: stops every task of the sweep and waits until they have stopped, or leaves them if that was asked for.
    /// Returns how many have not stopped.
    pub(in crate::sweep) async fn abandon(
        &mut self,
        why: Abandon,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> usize {
        let mut going: Vec<String> = self
            .repetitions
            .iter()
            .flat_map(|one| &one.tasks)
            .filter(|one| one.is_looked_at())
            .filter_map(|one| one.arn.clone())
            .collect();
        if self.plan.on_interrupt == OnInterrupt::Detach && why == Abandon::Interrupted {
            if !going.is_empty() {
                on_event(&SweepEvent::Warning(format!(
                    "{} still runs: the same command finds it again",
                    tasks(going.len())
                )));
            }
            self.repetitions.clear();
            return going.len();
        }
        going.extend(self.living().await.into_iter().map(|task| task.arn));
        going.sort();
        going.dedup();
        if !going.is_empty() {
            on_event(&SweepEvent::Warning(format!(
                "stopping {}",
                tasks(going.len())
            )));
        }
        let left = self.stop_all(going, on_event).await;
        for arn in &left {
            on_event(&SweepEvent::Warning(format!(
                "the task {arn} has not stopped: it still runs, and costs money"
            )));
        }
        for one in std::mem::take(&mut self.repetitions) {
            // What has ended and was not collected yet is collected by the next sweep of this name.
            let is_untouched =
                |task: &Task| task.arn.is_none() && task.tries == 0 && !task.was_unclear();
            if one.tasks.iter().all(is_untouched) {
                // Nothing was asked for: the attempt has not been.
                let _kept = std::fs::remove_dir_all(&one.attempt.dir);
            } else if one.is_over() {
                continue;
            }
            self.bill(&one);
            if one
                .tasks
                .iter()
                .all(|task| task.arn.as_ref().is_none_or(|arn| !left.contains(arn)))
            {
                Ledger::remove(&one.attempt.dir);
            }
        }
        left.len()
    }

    /// Tells these to stop and waits until they have; returns those that have not in time.
    async fn stop_all(
        &mut self,
        mut going: Vec<String>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Vec<String> {
        let begin = Instant::now();
        let mut untold = going.clone();
        let mut said = false;
        loop {
            let is_new = begin.elapsed() <= self.pace.settle;
            for arn in self.recognise(0..self.repetitions.len()).await {
                if !going.contains(&arn) {
                    going.push(arn.clone());
                    untold.push(arn);
                }
            }
            let is_unclear = is_new
                && self
                    .repetitions
                    .iter()
                    .flat_map(|one| &one.tasks)
                    .any(Task::was_unclear);
            let mut still_untold = Vec::new();
            let mut is_denied = false;
            for arn in untold {
                if begin.elapsed() > self.pace.stop {
                    return going;
                }
                // A task that has just been started may not be known yet.
                if let Err(error) = self
                    .calls
                    .stop(&self.plan.cluster, &arn, "parfetch: the sweep was ended")
                    .await
                {
                    if !said
                        && error.kind != CloudErrorKind::Refused
                        && error.kind != CloudErrorKind::NotFound
                    {
                        said = true;
                        on_event(&SweepEvent::Warning(error.message));
                    }
                    is_denied |= error.kind == CloudErrorKind::Denied;
                    still_untold.push(arn);
                }
            }
            untold = still_untold;
            if let Ok(seen) = self.calls.describe(&self.plan.cluster, &going).await {
                going.retain(|arn| {
                    seen.tasks
                        .iter()
                        .find(|task| task.arn == *arn)
                        .map_or(is_new, is_alive)
                });
                untold.retain(|arn| going.contains(arn));
                for task in self.repetitions.iter_mut().flat_map(|one| &mut one.tasks) {
                    if let Some(seen) = seen
                        .tasks
                        .iter()
                        .find(|seen| Some(&seen.arn) == task.arn.as_ref())
                    {
                        task.seen = Some(seen.clone());
                    }
                }
            }
            // Who may not stop them waits in vain.
            if (going.is_empty() && !is_unclear) || is_denied || begin.elapsed() > self.pace.stop {
                return going;
            }
            tokio::time::sleep(self.pace.poll).await;
        }
    }

    fn bill(&mut self, one: &Repetition) {
        for times in one
            .tasks
            .iter()
            .filter_map(|task| Some(task.seen.as_ref()?.times))
        {
            let stopped = self.budget.ended(one.attempt.cell(), &times, unix_ms());
            self.without_record.extend(stopped);
        }
    }
}

fn is_alive(task: &TaskSeen) -> bool {
    task.status != "STOPPED" && task.status != "DELETED"
}

fn is_tagged(task: &TaskSeen, tags: &[(String, String)]) -> bool {
    TAGS.iter().all(|name| {
        let of = |tags: &[(String, String)]| {
            tags.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        of(&task.tags) == of(tags)
    })
}

fn tasks(count: usize) -> String {
    if count == 1 {
        "1 task".to_owned()
    } else {
        format!("{count} tasks")
    }
}
