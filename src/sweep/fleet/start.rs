//! Takes repetitions on, and starts what is due.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::collect::names;
use super::ending::{NotStarted, TaskFailure, TaskProgram, failed, refused};
use super::ledger::Ledger;
use super::repetition::{CsvOfTask, LeftResult, Repetition};
use super::state::{Fleet, TAGS};
use super::task::Task;
use crate::cloud::{Launch, MAX_OVERRIDES, Started, overrides_length};
use crate::exit::{Exit, Failure, Signal};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::results::summary::{State, Summary};
use crate::sweep::attempt::Attempt;
use crate::sweep::contender::Contender;
use crate::sweep::environment::{ResultsLocation, RunTemplate};

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

/// One task of one repetition.
#[derive(Clone, Copy, Debug)]
struct TaskPlace {
    /// Of the repetition.
    index: usize,
    /// Of the task in it.
    place: usize,
}

/// What a task runs.
struct StartedProgram {
    definition: String,
    container: String,
    environment: Vec<(String, String)>,
    command: Vec<String>,
}

/// What an attempt leaves when it has ended well.
fn left_result(
    attempt: &Attempt,
    template: &RunTemplate,
    stored: &ResultsLocation,
) -> Result<LeftResult, Failure> {
    let Some(contender) = template.contender(attempt) else {
        return Ok(LeftResult::Summaries);
    };
    if contender.is_timed() {
        return Ok(LeftResult::Time);
    }
    let key = template
        .task_values(attempt, stored)
        .fill(contender.csv())
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", contender.name)))?;
    Ok(LeftResult::Csv(CsvOfTask {
        key,
        expected: template.expected,
    }))
}

impl Fleet {
    /// Takes an attempt on: a new one, or one whose tasks an earlier part of this sweep started.
    pub(super) fn take_on(
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
            .collect::<Result<_, _>>()?;
        let left = left_result(&attempt, template, &own.stored)?;
        let program = if cell.program.is_parfetch() {
            TaskProgram::Parfetch
        } else {
            TaskProgram::Contender
        };
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
            let mut task = Task::new(
                shard,
                (program, cell.memory_mib),
                (noted.map_or(0, |entry| entry.tries), arn),
            );
            if noted.is_some() {
                task.asked_for_before();
            }
            task
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
            left,
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

    /// The start of one shard.
    ///
    /// # Errors
    /// When a text of a contender names what has no value.
    pub(super) fn launch(
        &self,
        attempt: &Attempt,
        shard: u32,
        template: &RunTemplate,
    ) -> Result<Launch, Failure> {
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
        let started = match template.contender(attempt) {
            None => StartedProgram {
                definition: self.plan.definition.clone(),
                container: self.plan.container.clone(),
                environment: template.task_environment(attempt, shard, &own.stored),
                command: Vec::new(),
            },
            Some(contender) => self
                .contender((attempt, contender), template)
                .map_err(|error| Failure::new(Exit::Usage, format!("{cell}: {error}")))?,
        };
        Ok(Launch {
            cluster: self.plan.cluster.clone(),
            definition: started.definition,
            container: started.container,
            network: self.plan.network.clone(),
            capacity: self.plan.capacity,
            cpu_units: cell.cpu_units,
            memory_mib: cell.memory_mib,
            storage_gib: self.more_storage_gib(cell),
            environment: started.environment,
            command: started.command,
            started_by: own.started_by.clone(),
            token: String::new(),
            tags: TAGS
                .iter()
                .map(|name| (*name).to_owned())
                .zip(values)
                .collect(),
        })
    }

    /// What a task of a contender runs.
    fn contender(
        &self,
        (attempt, contender): (&Attempt, &Contender),
        template: &RunTemplate,
    ) -> io::Result<StartedProgram> {
        let stored = &self.own.as_ref().expect("the sweep is known").stored;
        let task = self.plan.contenders.get(&contender.name);
        let task = task.ok_or_else(|| {
            io::Error::other(format!("{} has no task definition", contender.name))
        })?;
        let values = template.task_values(attempt, stored);
        let words = contender.task_command.iter();
        Ok(StartedProgram {
            definition: task.definition.clone(),
            container: task.container.clone(),
            environment: template.contender_environment((attempt, contender), stored)?,
            command: words
                .map(|word| values.fill(word))
                .collect::<Result<_, _>>()?,
        })
    }

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
                self.start(TaskPlace { index, place }).await?;
                started_usd += least;
            }
        }
        Ok(false)
    }

    /// Whether a task that nobody knows of has stored the summary of a run that ended. A token lives for a day at the most: the same start later would be a
    /// second one.
    async fn has_stored(&mut self, TaskPlace { index, place }: TaskPlace) -> Result<bool, Failure> {
        let own = self.own.as_mut().expect("the sweep is known");
        let one = &self.repetitions[index];
        match &one.left {
            LeftResult::Summaries => {}
            LeftResult::Time => return Ok(false),
            LeftResult::Csv(csv) => {
                let path = csv.path(&one.attempt.dir);
                let missing = own.results.fetch_csv(csv, &path).await?;
                return Ok(missing.is_none());
            }
        }
        let names = names(&one.attempt, &one.tag);
        let prefix = own.stored.attempt_prefix(&one.attempt);
        own.results
            .fetch(&prefix, &names[place..=place], &one.attempt.dir)
            .await?;
        let path = one.attempt.dir.join(&names[place]);
        let Ok(text) = read_text(&path, DOCUMENT_BYTES) else {
            return Ok(false);
        };
        let has_ended =
            Summary::from_json(&text).is_ok_and(|summary| summary.state != State::Running);
        if !has_ended {
            // The next attempt at it leaves its own.
            let _gone = std::fs::remove_file(path);
        }
        Ok(has_ended)
    }

    async fn start(&mut self, which: TaskPlace) -> Result<(), Failure> {
        if let Some(last) = self.last_start {
            tokio::time::sleep_until(last + START_INTERVAL).await;
        }
        self.last_start = Some(Instant::now());
        let TaskPlace { index, place } = which;
        if self.repetitions[index].tasks[place].takes_an_earlier_result()
            && self.has_stored(which).await?
        {
            let one = &mut self.repetitions[index];
            one.tasks[place].end(Ok(()));
            return Ok(one.note()?);
        }
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
                task.later(&why, &self.task_limits);
            }
            NotStarted::Busy(why) => task.later(&why, &self.task_limits),
            NotStarted::Unclear(why) => task.unclear(&why, &self.task_limits),
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
}
