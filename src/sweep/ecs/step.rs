//! What a fleet does again and again: start what is due, look at what goes on, stop what is past its time.

use std::time::Duration;

use tokio::time::Instant;

use super::ended::{Again, Broken, NotStarted, failed, refused};
use super::ledger::Ledger;
use super::{Fleet, MAX_DELAY, Phase, Repetition, TAGS, billed_s};
use crate::cloud::{CloudErrorKind, Launch, Started, TaskSeen};
use crate::event::SweepEvent;
use crate::exit::Failure;
use crate::platform::clock::unix_ms;
use crate::price::MINIMUM_SECONDS;
use crate::sweep::ecs::plan::OnInterrupt;

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
    pub(super) async fn start_due(&mut self, running_usd: f64) -> Result<bool, Failure> {
        let mut started_usd = running_usd;
        for index in 0..self.repetitions.len() {
            for place in 0..self.repetitions[index].members.len() {
                if !self.repetitions[index].members[place].is_due() {
                    continue;
                }
                let least = self.price(self.repetitions[index].attempt.cell(), MINIMUM_SECONDS).unwrap_or(0.0);
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
        let member = &mut one.members[place];
        let launch = Launch { token: token(&one.launches[place], member.tries), ..one.launches[place].clone() };
        let not_started = match self.calls.run(&launch).await {
            Ok(Started::Task(task)) => {
                member.started(task.arn.clone());
                member.seen = Some(*task);
                return Ok(one.note()?);
            }
            Ok(Started::Refused(refusal)) => refused(&refusal),
            Err(error) => failed(error),
        };
        match not_started {
            NotStarted::Later(why) => {
                member.tries += 1;
                member.later(&why, &self.pace);
            }
            NotStarted::Unclear(why) => member.unclear(&why, &self.pace),
            NotStarted::Already(arns) => member.started(arns.into_iter().next().unwrap_or_default()),
            NotStarted::Fails(why) => member.end(Err(Broken::new(format!("not started: {why}")))),
            NotStarted::NoSuchSize(why) => {
                let cell = one.attempt.cell();
                member.end(Err(Broken::new(format!("not started: {why}"))));
                self.closed.insert((cell.cpu_units, cell.memory_mib), why);
            }
            NotStarted::Ends(error) => return Err(error.into()),
        }
        Ok(self.repetitions[index].note()?)
    }

    /// Looks at all tasks that go on.
    pub(super) async fn look(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) -> Result<(), Failure> {
        let looked_at = self.repetitions.iter().flat_map(|one| &one.members).filter(|member| member.is_looked_at());
        let arns: Vec<String> = looked_at.filter_map(|member| member.arn.clone()).collect();
        if arns.is_empty() {
            return Ok(());
        }
        let seen = match self.calls.describe(&self.plan.cluster, &arns).await {
            Ok(seen) => {
                self.look_delay = self.pace.poll;
                Some(seen)
            }
            // Time goes on: what is past its deadline is so whether ECS answers or not.
            Err(error) if matches!(error.kind, CloudErrorKind::Throttled | CloudErrorKind::Unclear) => {
                tracing::info!(%error, "tasks not looked at");
                self.look_delay = (self.look_delay * 2).min(MAX_DELAY);
                None
            }
            Err(error) => return Err(error.into()),
        };
        let mut late = Vec::new();
        for (index, one) in self.repetitions.iter_mut().enumerate() {
            for (place, member) in one.members.iter_mut().enumerate().filter(|(_, member)| member.is_looked_at()) {
                let before = member.seen.as_ref().map(|task| task.status.clone());
                let why = match &seen {
                    Some(seen) => member.look(seen.tasks.iter().find(|task| Some(&task.arn) == member.arn.as_ref()).cloned(), &self.pace),
                    None => member.overdue(&self.pace),
                };
                late.extend(why.map(|why| (index, place, why)));
                let now = member.seen.as_ref().map(|task| task.status.clone());
                if let Some(state) = now.filter(|now| before.as_ref() != Some(now)) {
                    on_event(&SweepEvent::TaskState { cell: one.attempt.cell().to_string(), state });
                }
            }
        }
        for (index, place, why) in late {
            self.give_up((index, place), why, on_event).await;
        }
        Ok(())
    }

    /// Stops one task for good.
    async fn give_up(&mut self, (index, place): (usize, usize), why: String, on_event: &mut dyn FnMut(&SweepEvent)) {
        let member = &mut self.repetitions[index].members[place];
        member.tell(Broken::hint(why.clone(), Again::No));
        let Some(arn) = &member.arn else { return };
        if let Err(error) = self.calls.stop(&self.plan.cluster, arn, &format!("parfetch: {why}")).await {
            on_event(&SweepEvent::Warning(error.message));
        }
    }

    /// Whether something was started for an attempt is not known when its start was never answered: what ECS has of it is stopped.
    pub(super) async fn sweep_up(&mut self, index: usize) {
        let one = &self.repetitions[index];
        let unknown: Vec<usize> = (0..one.members.len()).filter(|place| one.members[*place].was_unclear()).collect();
        if unknown.is_empty() {
            return;
        }
        let tags: Vec<&Vec<(String, String)>> = unknown.iter().map(|place| &one.launches[*place].tags).collect();
        for task in self.living().await.into_iter().filter(|task| tags.iter().any(|tags| is_tagged(task, tags))) {
            // What does not hear of it ends by itself; it has no place in this sweep any more.
            let _told = self.calls.stop(&self.plan.cluster, &task.arn, "parfetch: its start was not answered").await;
        }
    }

    /// Every task of this sweep that goes on, as far as ECS says.
    async fn living(&self) -> Vec<TaskSeen> {
        let Some(own) = &self.own else { return Vec::new() };
        let arns = self.calls.list(&self.plan.cluster, &own.started_by).await.unwrap_or_default();
        if arns.is_empty() {
            return Vec::new();
        }
        let seen = self.calls.describe(&self.plan.cluster, &arns).await.unwrap_or_default();
        seen.tasks.into_iter().filter(is_alive).collect()
    }

    /// Ends early: stops every task of the sweep and waits until they have stopped, or leaves them if that was asked for.
    pub(in crate::sweep) async fn abandon(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) {
        let mut going: Vec<String> =
            self.repetitions.iter().flat_map(|one| &one.members).filter(|one| one.is_looked_at()).filter_map(|one| one.arn.clone()).collect();
        if self.plan.on_interrupt == OnInterrupt::Detach {
            if !going.is_empty() {
                on_event(&SweepEvent::Warning(format!("{} goes on: the same command finds it again", tasks(going.len()))));
            }
            self.repetitions.clear();
            return;
        }
        going.extend(self.living().await.into_iter().map(|task| task.arn));
        going.sort();
        going.dedup();
        if !going.is_empty() {
            on_event(&SweepEvent::Warning(format!("stopping {}", tasks(going.len()))));
        }
        let left = self.stop_all(going, on_event).await;
        for arn in &left {
            on_event(&SweepEvent::Warning(format!("the task {arn} has not stopped: it goes on, and costs money")));
        }
        for one in std::mem::take(&mut self.repetitions) {
            self.bill(&one);
            if one.members.iter().all(|member| member.arn.as_ref().is_none_or(|arn| !left.contains(arn))) {
                Ledger::remove(&one.attempt.dir);
            }
        }
    }

    /// Tells these to stop and waits until they have; returns those that have not in time.
    async fn stop_all(&mut self, mut going: Vec<String>, on_event: &mut dyn FnMut(&SweepEvent)) -> Vec<String> {
        let begin = Instant::now();
        let mut untold = going.clone();
        let mut said = false;
        loop {
            let mut still_untold = Vec::new();
            let mut is_denied = false;
            for arn in untold {
                // A task that has just been started may not be known yet.
                if let Err(error) = self.calls.stop(&self.plan.cluster, &arn, "parfetch: the sweep was ended").await {
                    if !said && error.kind != CloudErrorKind::Refused && error.kind != CloudErrorKind::NotFound {
                        said = true;
                        on_event(&SweepEvent::Warning(error.message));
                    }
                    is_denied |= error.kind == CloudErrorKind::Denied;
                    still_untold.push(arn);
                }
            }
            untold = still_untold;
            if let Ok(seen) = self.calls.describe(&self.plan.cluster, &going).await {
                let is_new = begin.elapsed() <= self.pace.settle;
                going.retain(|arn| seen.tasks.iter().find(|task| task.arn == *arn).map_or(is_new, is_alive));
                untold.retain(|arn| going.contains(arn));
                for member in self.repetitions.iter_mut().flat_map(|one| &mut one.members) {
                    if let Some(task) = seen.tasks.iter().find(|task| Some(&task.arn) == member.arn.as_ref()) {
                        member.seen = Some(task.clone());
                    }
                }
            }
            // Who may not stop them waits in vain.
            if going.is_empty() || is_denied || begin.elapsed() > self.pace.stop {
                return going;
            }
            tokio::time::sleep(self.pace.poll).await;
        }
    }

    fn bill(&mut self, one: &Repetition) {
        for times in one.members.iter().filter(|member| member.phase() != Phase::Ended).filter_map(|member| Some(member.seen.as_ref()?.times)) {
            if billed_s(&times, unix_ms()).is_some() {
                self.budget.ended(one.attempt.cell(), &times, unix_ms());
            }
        }
    }
}

fn is_alive(task: &TaskSeen) -> bool {
    task.status != "STOPPED" && task.status != "DELETED"
}

fn is_tagged(task: &TaskSeen, tags: &[(String, String)]) -> bool {
    TAGS.iter().all(|name| {
        let of = |tags: &[(String, String)]| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        of(&task.tags) == of(tags)
    })
}

fn tasks(count: usize) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}
