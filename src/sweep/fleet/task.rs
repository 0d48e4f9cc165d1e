//! One task of a repetition, from the wish to start it to its end: a state machine that is told what was seen and when. Calls nobody.
//!
//! No state is without a deadline: a task that is not started, does not run, does not end or does not stop ends its repetition with that reason.

use std::time::Duration;

use tokio::time::Instant;

use super::super::attempt::OUT_OF_TIME;
use super::ending::{Again, TaskFailure, TaskProgram, stopped};
use crate::cloud::TaskSeen;
use crate::platform::clock::unix_ms;

/// Longest time between two tries to start a task, or to look.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(30);

/// How often is looked, and how long each state may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskLimits {
    /// Time between two looks.
    pub(super) poll: Duration,
    /// From the wish to start a task until it runs.
    pub(super) start: Duration,
    /// From then until it ends.
    pub(super) run: Duration,
    /// From its end, or from being told to stop, until it has stopped.
    pub(super) stop: Duration,
    /// In which ECS may not know a task that it has just started.
    pub(super) settle: Duration,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskPhase {
    /// It was not started yet.
    Waiting,
    /// ECS took it.
    Starting,
    /// Its container runs.
    Running,
    /// It ends, by itself or because it was told to.
    Stopping,
    /// It is over.
    Ended,
}

/// Whether an earlier part of this sweep started a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EarlierStart {
    None,
    /// It asked for the start, and whether that started it is not known.
    Possible,
    Certain,
}

#[derive(Debug)]
pub(super) struct Task {
    /// Which shard it fetches.
    pub(super) shard: u32,
    /// Starts that certainly started nothing: part of the token, so that a new try is one.
    pub(super) tries: u32,
    pub(super) arn: Option<String>,
    pub(super) seen: Option<TaskSeen>,
    program: TaskProgram,
    memory_mib: u32,
    phase: TaskPhase,
    begun: Instant,
    since: Instant,
    retry_at: Instant,
    delay: Duration,
    stopped_for: Option<TaskFailure>,
    /// A start was not answered.
    unclear: bool,
    /// It was told to stop, and the call has not gone through.
    stop_unsent: bool,
    earlier: EarlierStart,
    /// Since when ECS says that it does not know it.
    unknown_since: Option<Instant>,
    result: Option<Result<(), TaskFailure>>,
}

impl Task {
    /// A task that is to be started, or (with an ARN) was started before.
    pub(super) fn new(
        shard: u32,
        (program, memory_mib): (TaskProgram, u32),
        (tries, arn): (u32, Option<String>),
    ) -> Self {
        let now = Instant::now();
        let phase = if arn.is_some() {
            TaskPhase::Starting
        } else {
            TaskPhase::Waiting
        };
        Self {
            shard,
            tries,
            arn,
            seen: None,
            program,
            memory_mib,
            phase,
            begun: now,
            since: now,
            retry_at: now,
            delay: Duration::ZERO,
            stopped_for: None,
            unclear: false,
            stop_unsent: false,
            earlier: if phase == TaskPhase::Starting {
                EarlierStart::Certain
            } else {
                EarlierStart::None
            },
            unknown_since: None,
            result: None,
        }
    }

    /// An earlier part of this sweep asked for its start, and no answer was written down.
    pub(super) fn asked_for_before(&mut self) {
        if self.phase == TaskPhase::Waiting {
            self.earlier = EarlierStart::Possible;
        }
    }

    /// Whether its result may be stored already; true once.
    pub(super) fn takes_an_earlier_result(&mut self) -> bool {
        let may_have_run = self.earlier == EarlierStart::Possible;
        if may_have_run {
            self.earlier = EarlierStart::None;
        }
        may_have_run
    }

    pub(super) fn phase(&self) -> TaskPhase {
        self.phase
    }

    /// How it ended; none while it has not.
    pub(super) fn result(&self) -> Option<&Result<(), TaskFailure>> {
        self.result.as_ref()
    }

    /// Whether it is time to start it.
    pub(super) fn is_due(&self) -> bool {
        self.phase == TaskPhase::Waiting && Instant::now() >= self.retry_at
    }

    /// Whether ECS is asked about it.
    pub(super) fn is_looked_at(&self) -> bool {
        self.arn.is_some() && self.phase != TaskPhase::Ended
    }

    /// ECS took it.
    pub(super) fn started(&mut self, arn: String) {
        self.arn = Some(arn);
        self.enter(TaskPhase::Starting);
    }

    /// Whether it was started is not known: as [`Self::later`], and ECS may have a task of it.
    pub(super) fn unclear(&mut self, reason: &str, limits: &TaskLimits) {
        self.unclear = true;
        self.later(reason, limits);
    }

    /// Whether ECS may have a task of it that nobody knows.
    pub(super) fn was_unclear(&self) -> bool {
        self.unclear && self.arn.is_none()
    }

    /// It was not started, and is tried again after a while; when there is no while left, it failed.
    pub(super) fn later(&mut self, reason: &str, limits: &TaskLimits) {
        self.delay = (self.delay * 2).clamp(limits.poll, MAX_DELAY.max(limits.poll));
        // Between half the time and all of it: several sweeps must not go on in step.
        self.retry_at = Instant::now() + self.delay.mul_f64(0.5 + fastrand::f64() / 2.0);
        if self.retry_at.duration_since(self.begun) > limits.start {
            self.end(Err(TaskFailure::new(format!(
                "no task was started within {}: {reason}",
                in_words(limits.start)
            ))));
        }
    }

    /// It is over.
    pub(super) fn end(&mut self, result: Result<(), TaskFailure>) {
        self.result = Some(result);
        self.enter(TaskPhase::Ended);
    }

    /// It is told to stop, for this reason.
    pub(super) fn ask_to_stop(&mut self, broken: TaskFailure) {
        self.stop_unsent = true;
        self.stopped_for.get_or_insert(broken);
        if self.phase != TaskPhase::Stopping {
            self.enter(TaskPhase::Stopping);
        }
    }

    /// The call that tells it to stop went through.
    pub(super) fn stop_was_sent(&mut self) {
        self.stop_unsent = false;
    }

    /// Whether it has to be told to stop again.
    pub(super) fn needs_stop_again(&self) -> bool {
        self.stop_unsent && self.phase == TaskPhase::Stopping
    }

    fn enter(&mut self, phase: TaskPhase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    /// Takes in what ECS says of it (`None`: it does not know it). Returns why it has to be told to stop, if it has to be.
    pub(super) fn look(&mut self, found: Option<TaskSeen>, limits: &TaskLimits) -> Option<String> {
        if let Some(task) = &found {
            self.unknown_since = None;
            self.follow(task);
        } else if self
            .unknown_since
            .get_or_insert_with(Instant::now)
            .elapsed()
            > limits.settle
        {
            self.end(Err(TaskFailure::hint(
                "missing: ECS does not know its task any more",
                Again::Yes,
            )));
        }
        self.seen = found.or(self.seen.take());
        self.overdue(limits)
    }

    fn follow(&mut self, task: &TaskSeen) {
        let phase = match task.status.as_str() {
            "STOPPED" | "DELETED" => {
                let own = stopped(task, (self.program, self.memory_mib));
                // What ended well, did so before it heard that it should not go on.
                let stopped_for = self.stopped_for.take();
                return self.end(match (own, stopped_for) {
                    (Err(own), Some(stopped_for)) => Err(TaskFailure {
                        exit_code: own.exit_code,
                        ..stopped_for
                    }),
                    (own, _) => own,
                });
            }
            "RUNNING" => TaskPhase::Running,
            "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" => TaskPhase::Stopping,
            _ => TaskPhase::Starting,
        };
        // Answers of ECS may be older than what it was told.
        if phase != self.phase
            && !(self.phase == TaskPhase::Stopping && phase != TaskPhase::Stopping)
            && !(self.phase == TaskPhase::Running && phase == TaskPhase::Starting)
        {
            self.enter(phase);
            // Its time has run since it ran, not since it was found.
            if let (TaskPhase::Running, true, Some(started)) = (
                phase,
                self.earlier == EarlierStart::Certain,
                task.times.started,
            ) {
                let ran = Duration::from_millis(unix_ms().saturating_sub(started));
                self.since = self.since.checked_sub(ran).unwrap_or(self.since);
            }
        }
    }

    /// Why it has to be told to stop now, whatever ECS says; or it has ended, because it was told long enough ago.
    pub(super) fn overdue(&mut self, limits: &TaskLimits) -> Option<String> {
        let state = self
            .seen
            .as_ref()
            .map_or_else(|| "not seen yet".to_owned(), |task| task.status.clone());
        match self.phase {
            TaskPhase::Starting if self.begun.elapsed() > limits.start => Some(format!(
                "did not run within {}: the task was {state}",
                in_words(limits.start)
            )),
            TaskPhase::Running if self.seen.as_ref().is_some_and(|task| task.container_ended) => {
                Some("its container ended, and another one kept the task running".to_owned())
            }
            TaskPhase::Running if self.since.elapsed() > limits.run => {
                Some(format!("{OUT_OF_TIME} {}", in_words(limits.run)))
            }
            TaskPhase::Stopping if self.since.elapsed() > limits.stop => {
                let arn = self.arn.as_deref().unwrap_or_default();
                let why = self
                    .stopped_for
                    .take()
                    .map(|stopped_for| format!("{}; and it ", stopped_for.reason))
                    .unwrap_or_default();
                let reason = format!(
                    "{why}did not stop within {}: the task {arn} is still {state}",
                    in_words(limits.stop)
                );
                self.end(Err(TaskFailure::hint(reason, Again::No)));
                None
            }
            _ => None,
        }
    }
}

fn in_words(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TaskLimits = TaskLimits {
        poll: Duration::from_secs(5),
        start: Duration::from_mins(15),
        run: Duration::from_hours(1),
        stop: Duration::from_mins(4),
        settle: Duration::from_mins(1),
    };

    fn seen(status: &str) -> TaskSeen {
        TaskSeen {
            arn: "arn:t".to_owned(),
            status: status.to_owned(),
            exit_code: Some(0),
            ..TaskSeen::default()
        }
    }

    fn begun() -> Task {
        let mut task = Task::new(0, (TaskProgram::Parfetch, 2_048), (0, None));
        task.started("arn:t".to_owned());
        task
    }

    fn reason(task: &Task) -> &str {
        task.result().unwrap().as_ref().unwrap_err().reason.as_str()
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_goes_through_its_states() {
        let mut task = begun();
        for (status, phase) in [
            ("PROVISIONING", TaskPhase::Starting),
            ("PENDING", TaskPhase::Starting),
            ("RUNNING", TaskPhase::Running),
            // An old answer.
            ("PENDING", TaskPhase::Running),
            ("DEPROVISIONING", TaskPhase::Stopping),
            ("RUNNING", TaskPhase::Stopping),
            ("STOPPED", TaskPhase::Ended),
        ] {
            assert_eq!(task.look(Some(seen(status)), &LIMITS), None);
            assert_eq!(task.phase(), phase, "{status}");
        }
        assert_eq!(task.result(), Some(&Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_task_may_be_unknown_and_an_old_one_vanishes() {
        let mut task = begun();
        assert_eq!(
            (task.look(None, &LIMITS), task.phase()),
            (None, TaskPhase::Starting)
        );
        task.look(Some(seen("RUNNING")), &LIMITS);
        tokio::time::advance(Duration::from_mins(10)).await;
        // One such answer is none.
        assert_eq!(
            (task.look(None, &LIMITS), task.phase()),
            (None, TaskPhase::Running)
        );
        task.look(Some(seen("RUNNING")), &LIMITS);
        task.look(None, &LIMITS);
        tokio::time::advance(Duration::from_secs(61)).await;
        task.look(None, &LIMITS);
        assert_eq!(
            reason(&task),
            "missing: ECS does not know its task any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn every_state_has_a_deadline() {
        let mut task = begun();
        task.look(Some(seen("PENDING")), &LIMITS);
        tokio::time::advance(Duration::from_secs(901)).await;
        assert_eq!(
            task.look(Some(seen("PENDING")), &LIMITS).unwrap(),
            "did not run within 15m: the task was PENDING"
        );
        let mut task = begun();
        task.look(Some(seen("RUNNING")), &LIMITS);
        tokio::time::advance(Duration::from_secs(3_601)).await;
        let why = task.look(Some(seen("RUNNING")), &LIMITS).unwrap();
        assert_eq!(why, "did not end within 1h");
        task.ask_to_stop(TaskFailure::new(why));
        tokio::time::advance(Duration::from_secs(241)).await;
        assert_eq!(task.look(Some(seen("RUNNING")), &LIMITS), None);
        assert_eq!(
            reason(&task),
            "did not end within 1h; and it did not stop within 4m: the task arn:t is still RUNNING"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_told_to_stop_says_why_unless_it_ended_well() {
        let mut task = begun();
        task.ask_to_stop(TaskFailure::new("did not end within 1h"));
        let killed = TaskSeen {
            exit_code: Some(137),
            ..seen("STOPPED")
        };
        task.look(Some(killed), &LIMITS);
        assert_eq!(
            task.result().unwrap().as_ref().unwrap_err().exit_code,
            Some(137)
        );
        assert_eq!(reason(&task), "did not end within 1h");
        let mut task = begun();
        task.ask_to_stop(TaskFailure::new("did not end within 1h"));
        task.look(Some(seen("STOPPED")), &LIMITS);
        assert_eq!(task.result(), Some(&Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_is_refused_is_tried_again_until_time_is_up() {
        let mut task = Task::new(0, (TaskProgram::Parfetch, 2_048), (0, None));
        let mut tries = 0;
        while task.phase() == TaskPhase::Waiting {
            assert!(task.is_due());
            task.later("Capacity is unavailable at this time", &LIMITS);
            tries += 1;
            tokio::time::advance(MAX_DELAY).await;
        }
        assert_eq!(
            reason(&task),
            "no task was started within 15m: Capacity is unavailable at this time"
        );
        // Looks 30 s apart at the most, and never faster than the poll interval.
        assert!((30..=180).contains(&tries), "{tries}");
    }
}
