//! Ends a fleet: nothing that it started is left behind, unless that was asked for.

use std::ops::Range;

use tokio::time::Instant;

use super::ledger::Ledger;
use super::plan::OnInterrupt;
use super::repetition::Repetition;
use super::state::{Fleet, TAGS};
use super::task::Task;
use crate::cloud::{CloudErrorKind, TaskSeen};
use crate::event::SweepEvent;
use crate::platform::clock::unix_ms;
use crate::sweep::launcher::Abandon;

impl Fleet {
    /// At the end of a sweep nothing of it goes on: what ECS lost for a while, or what did not stop in time.
    pub(super) async fn stop_living(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) {
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
            && begin.elapsed() <= self.task_limits.settle
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
            tokio::time::sleep(self.task_limits.poll).await;
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
    pub(super) async fn end_early(
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
                    "{} still runs and costs money",
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
            let is_new = begin.elapsed() <= self.task_limits.settle;
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
                if begin.elapsed() > self.task_limits.stop {
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
            if (going.is_empty() && !is_unclear)
                || is_denied
                || begin.elapsed() > self.task_limits.stop
            {
                return going;
            }
            tokio::time::sleep(self.task_limits.poll).await;
        }
    }

    fn bill(&mut self, one: &Repetition) {
        for times in one
            .tasks
            .iter()
            .filter_map(|task| Some(task.seen.as_ref()?.times))
        {
            let stopped = self
                .budget
                .ended(self.asked(one.attempt.cell()), &times, unix_ms());
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
