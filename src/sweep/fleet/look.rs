//! Looks at the tasks that go on, and stops what is past its time.

use super::ending::{Again, TaskFailure};
use super::state::Fleet;
use super::task::{MAX_DELAY, TaskPhase};
use crate::cloud::{CloudErrorKind, TaskSeen};
use crate::event::SweepEvent;
use crate::exit::Failure;

/// One task of one repetition.
#[derive(Clone, Copy, Debug)]
struct LateTask {
    /// Of the repetition.
    index: usize,
    /// Of the task in it.
    place: usize,
}

impl Fleet {
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
                self.look_delay = self.task_limits.poll;
                self.name_sidecars(&seen.tasks, on_event);
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
                        &self.task_limits,
                    ),
                    None => task.overdue(&self.task_limits),
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
        self.stop_again().await;
        for (index, place, why) in late {
            self.give_up(
                LateTask { index, place },
                TaskFailure::hint(why, Again::No),
                on_event,
            )
            .await;
        }
        Ok(())
    }

    /// Says once which other containers share CPU and memory with what is measured.
    fn name_sidecars(&mut self, seen: &[TaskSeen], on_event: &mut dyn FnMut(&SweepEvent)) {
        let Some(task) = seen.iter().find(|task| !task.sidecars.is_empty()) else {
            return;
        };
        if !std::mem::replace(&mut self.names_sidecars, true) {
            on_event(&SweepEvent::Warning(format!(
                "each task has other containers, which share its CPU and memory: {}",
                task.sidecars.join(", ")
            )));
        }
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
                self.give_up(LateTask { index, place }, lost.clone(), on_event)
                    .await;
            }
        }
    }

    /// Stops one task for good.
    async fn give_up(
        &mut self,
        LateTask { index, place }: LateTask,
        broken: TaskFailure,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) {
        let why = format!("parfetch: {}", broken.reason);
        let task = &mut self.repetitions[index].tasks[place];
        task.ask_to_stop(broken);
        let Some(arn) = &task.arn else { return };
        match self.calls.stop(&self.plan.cluster, arn, &why).await {
            Ok(()) => task.stop_was_sent(),
            Err(error) => on_event(&SweepEvent::Warning(error.message)),
        }
    }

    /// Whoever was told to stop and could not be reached is told again.
    async fn stop_again(&mut self) {
        for task in self
            .repetitions
            .iter_mut()
            .flat_map(|one| &mut one.tasks)
            .filter(|task| task.needs_stop_again())
        {
            let Some(arn) = &task.arn else { continue };
            if self
                .calls
                .stop(&self.plan.cluster, arn, "parfetch: past its time")
                .await
                .is_ok()
            {
                task.stop_was_sent();
            }
        }
    }
}
