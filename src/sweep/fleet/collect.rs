//! From the tasks of an attempt that have ended to its record: what lies in the results bucket is the truth, what ECS says of its tasks a hint.

use std::num::NonZeroU32;
use std::path::Path;

use async_trait::async_trait;

use super::super::attempt::OUT_OF_TIME;
use super::budget::billed_s;
use super::ending::{Again, KILLED, OUT_OF_MEMORY, TaskFailure};
use super::repetition::CsvOfTask;
use super::task::Task;
use crate::cloud::{PublicAddress, TaskSeen};
use crate::plan::{Shard, result_stem};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::platform::clock::{unix_ms, utc_text};
use crate::results::record::{
    ContenderResult, Limited, Means, Record, RepetitionFailure, SweepFacts, TaskRun,
};
use crate::results::summary::Summary;
use crate::store::{Bucket, PageQuery, StoreError, StoreErrorKind, Walk};
use crate::sweep::attempt::Attempt;
use crate::sweep::contender_result::{most_bytes, take_csv};
use crate::sweep::summaries::found_in;

/// Attempts at a repetition that the platform breaks again and again.
const MAX_ATTEMPTS: u32 = 3;
/// Nanoseconds of a millisecond.
const MILLI_NS: u64 = 1_000_000;

/// How a cell is held on Fargate.
fn limited() -> Limited {
    Limited {
        cpu: Means::Fargate,
        memory: Some(Means::Fargate),
        cpus: Vec::new(),
        machine_cpus: None,
        shared_with_server: None,
    }
}

/// What holds for all tasks of an attempt.
#[derive(Clone, Copy)]
pub(super) struct CollectedFrom<'a> {
    pub(super) facts: &'a SweepFacts,
    /// Attempts that ran at the same time.
    pub(super) beside: &'a [String],
    pub(super) address: PublicAddress,
    /// The container of a contender.
    pub(super) container: Option<&'a str>,
}

/// The record of an attempt whose tasks have all ended, and whose summaries are in its folder.
pub(super) fn record(attempt: &Attempt, tasks: &[Task], from: &CollectedFrom<'_>) -> Record {
    let CollectedFrom {
        facts,
        beside,
        address,
        ..
    } = *from;
    let cell = attempt.cell();
    let (summaries, wrong) = found_in(
        &attempt.dir,
        facts,
        (cell.shards, attempt.todo.planned.amount),
    );
    let broken = tasks
        .iter()
        .find_map(|task| task.result()?.as_ref().err().cloned());
    let broken = match (broken, wrong) {
        // A hint does not stand against a complete result.
        (Some(broken), None) if broken.is_hint => another_task(&attempt.dir, &summaries, tasks),
        (None, None) => another_task(&attempt.dir, &summaries, tasks),
        (None, Some(wrong)) => Some(TaskFailure::new(format!(
            "{wrong}, though its task ended well"
        ))),
        (broken, _) => broken,
    };
    Record {
        failure: broken.map(|broken| failure(broken, attempt)),
        summaries,
        tasks: tasks.iter().map(|task| task_run(task, address)).collect(),
        beside: beside.to_vec(),
        ..attempt.record(facts, limited())
    }
}

/// The record of an attempt of a contender whose task has ended: with its CSV, which is in its folder unless it is said why not (`Ok`), or by the time of
/// its container alone.
pub(super) fn contender_record(
    attempt: &Attempt,
    tasks: &[Task],
    left: &FoundResult<'_>,
    from: &CollectedFrom<'_>,
) -> Record {
    let mut record = Record {
        tasks: tasks
            .iter()
            .map(|task| TaskRun {
                container: from.container.map(str::to_owned),
                ..task_run(task, from.address)
            })
            .collect(),
        beside: from.beside.to_vec(),
        ..attempt.record(from.facts, limited())
    };
    let ended = tasks.iter().find_map(Task::result);
    let broken = ended.and_then(|ended| ended.as_ref().err().cloned());
    let wrong = match left {
        FoundResult::Time => {
            let ran_ns = tasks.first().and_then(ran_ns);
            record.contender = ran_ns.map(ContenderResult::timed);
            let unknown = || "ECS does not say how long its container ran".to_owned();
            record.contender.is_none().then(unknown)
        }
        FoundResult::Missing(why) => Some((*why).to_owned()),
        FoundResult::Csv(csv) => take_csv(&mut record, &csv.path(&attempt.dir), Some(csv.expected)),
    };
    let is_proved = matches!(left, FoundResult::Csv(_)) && wrong.is_none();
    let broken = match (broken, wrong) {
        // A hint does not stand against a complete result; what the program itself said does.
        (Some(broken), _) if is_proved && !broken.is_for_good() => None,
        (None, Some(wrong)) => Some(TaskFailure::new(wrong)),
        (broken, _) => broken,
    };
    record.failure = broken.map(|broken| failure(broken, attempt));
    if record.failure.is_some() {
        (record.contender, record.contender_times) = (None, None);
    }
    record
}

/// What was found of a contender.
pub(super) enum FoundResult<'a> {
    /// It leaves none.
    Time,
    /// It is not there, and why.
    Missing(&'a str),
    /// It is in the folder.
    Csv(&'a CsvOfTask),
}

/// How long its container ran, in ECS's own words.
fn ran_ns(task: &Task) -> Option<u64> {
    let times = task.seen.as_ref()?.times;
    let end = times.execution_stopped.or(times.stopping)?;
    end.checked_sub(times.started?)?
        .checked_mul(MILLI_NS)
        .filter(|ns| *ns > 0)
}

fn failure(broken: TaskFailure, attempt: &Attempt) -> RepetitionFailure {
    let TaskFailure {
        reason, exit_code, ..
    } = broken;
    let again = attempt.todo.broken + 1 < MAX_ATTEMPTS && broken.again == Again::Yes;
    let is_of_size = exit_code == Some(KILLED)
        || reason.starts_with(OUT_OF_MEMORY)
        || reason.starts_with(OUT_OF_TIME);
    RepetitionFailure {
        reason,
        exit_code,
        stderr: Vec::new(),
        again,
        // A size that is too small for parfetch is one that no sweep of it should have.
        is_of_size: is_of_size && !attempt.cell().program.is_parfetch(),
    }
}

/// A summary that names another task than the one that was started is not this attempt's.
fn another_task(dir: &Path, summaries: &[String], tasks: &[Task]) -> Option<TaskFailure> {
    summaries.iter().find_map(|name| {
        let summary = Summary::from_json(&read_text(&dir.join(name), DOCUMENT_BYTES).ok()?).ok()?;
        let arn = summary.environment.ecs?.task_arn?;
        let known = tasks.iter().all(|task| task.arn.is_some());
        let strange = known && tasks.iter().all(|task| task.arn.as_ref() != Some(&arn));
        strange.then(|| TaskFailure::new(format!("{name} is of another task: {arn}")))
    })
}

/// Where tasks leave their results.
#[async_trait(?Send)]
pub(in crate::sweep) trait TaskResults {
    /// Gets the summaries of an attempt into its folder; `names` are their keys without the prefix. One that is not there is no error.
    async fn fetch(&mut self, prefix: &str, names: &[String], dir: &Path)
    -> Result<(), StoreError>;

    /// Gets the CSV of a contender into this file; says why not where that is no matter of the connection.
    async fn fetch_csv(
        &mut self,
        csv: &CsvOfTask,
        path: &Path,
    ) -> Result<Option<String>, StoreError>;
}

#[async_trait(?Send)]
impl TaskResults for Bucket {
    async fn fetch(
        &mut self,
        prefix: &str,
        names: &[String],
        dir: &Path,
    ) -> Result<(), StoreError> {
        // Asked of the listing: whoever may list below a prefix alone is told «denied» of an object that is not there.
        let mut walk = Walk::new(PageQuery::of(prefix));
        while let Some(page) = self.next_page(&mut walk).await? {
            let there = page
                .keys
                .iter()
                .filter_map(|record| record.key.strip_prefix(prefix))
                .filter(|name| names.iter().any(|wanted| wanted == name));
            for name in there {
                let document = self.read_document(&format!("{prefix}{name}")).await?;
                let path = dir.join(name);
                let unwritable = |error| {
                    StoreError::new(
                        StoreErrorKind::File,
                        format!("cannot write {}: {error}", path.display()),
                    )
                };
                std::fs::write(&path, document).map_err(unwritable)?;
            }
        }
        Ok(())
    }

    async fn fetch_csv(
        &mut self,
        csv: &CsvOfTask,
        path: &Path,
    ) -> Result<Option<String>, StoreError> {
        use StoreErrorKind::{Connection, File, Protocol, Timeout};
        let most = most_bytes(Some(csv.expected));
        match self.read_to_file_within(&csv.key, path, most).await {
            Ok(()) => Ok(None),
            Err(error) if [Connection, File, Protocol, Timeout].contains(&error.kind) => Err(error),
            Err(error) => {
                // What came of it is not a result.
                let _gone = std::fs::remove_file(path);
                let (key, message) = (&csv.key, error.message);
                Ok(Some(format!(
                    "stored no result {key} in the results bucket: {message}"
                )))
            }
        }
    }
}

/// Names of the summaries that an attempt leaves.
pub(super) fn names(attempt: &Attempt, tag: &str) -> Vec<String> {
    let cell = attempt.cell();
    let count = NonZeroU32::new(cell.shards).filter(|count| count.get() > 1);
    let name = |index| {
        format!(
            "{}.json",
            result_stem(
                tag,
                cell.mode,
                cell.concurrency,
                count.map(|count| Shard { index, count })
            )
        )
    };
    (0..cell.shards).map(name).collect()
}

fn task_run(task: &Task, address: PublicAddress) -> TaskRun {
    let unseen = TaskSeen::default();
    let seen = task.seen.as_ref().unwrap_or(&unseen);
    let times = &seen.times;
    let between =
        |from: Option<u64>, to: Option<u64>| to?.checked_sub(from?)?.checked_mul(MILLI_NS);
    TaskRun {
        shard: task.shard,
        arn: task.arn.clone(),
        refused_starts: task.tries,
        created_utc: times.created.map(utc_text),
        pull_started_utc: times.pull_started.map(utc_text),
        pull_stopped_utc: times.pull_stopped.map(utc_text),
        started_utc: times.started.map(utc_text),
        stopping_utc: times.stopping.map(utc_text),
        execution_stopped_utc: times.execution_stopped.map(utc_text),
        stopped_utc: times.stopped.map(utc_text),
        billed_ns: between(times.pull_started, times.stopped),
        lived_ns: between(times.created, times.stopped),
        exit_code: seen.exit_code,
        stop_code: seen.stop_code.clone(),
        stopped_reason: seen.stopped_reason.clone(),
        container_reason: seen.container_reason.clone(),
        availability_zone: seen.availability_zone.clone(),
        capacity: seen.capacity_provider.clone(),
        public_address: Some(address == PublicAddress::Enabled),
        container: None,
        sidecars: seen.sidecars.clone(),
    }
}

/// Seconds that a task is billed for so far.
pub(super) fn billed_so_far_s(task: &Task) -> Option<f64> {
    billed_s(&task.seen.as_ref()?.times, unix_ms())
}
