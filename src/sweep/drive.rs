//! Drives a sweep: sets up, goes through the order, leaves out what is done, ends in order when told to.

use std::collections::VecDeque;
use std::path::PathBuf;

use tokio::sync::watch::Receiver;

use super::attempt::{Attempt, Finished, Next, Todo};
use super::clock::{Clock, fetched_bytes, rate};
use super::fleet::{Abandon, Consent};
use super::folder::{Folder, FolderError, LEDGER_FILE, Look, store_record};
use super::job::{Ended, Failed, Forecast, Job, World};
use super::keep::{store, store_begun};
use super::local::Scene;
use super::matrix::{Planned, cells, order};
use super::place::Place;
use super::setup::{self, Stage};
use crate::cell::{Cell, Program};
use crate::event::{Left, SweepEvent};
use crate::exit::Signal;
use crate::exit::{Exit, Failure};
use crate::platform::clock::utc_now;
use crate::platform::wait::comes;
use crate::results::record::Record;
use crate::units::three_digits;

/// Says what [`sweep`] would do: lists the keys, starts and writes nothing.
///
/// # Errors
/// What would end the sweep before its first run.
pub async fn dry_run(job: &Job, world: World<'_>) -> Result<Forecast, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?;
    let folder = Folder::open(scratch.path().to_owned())?;
    let stage = set_up(job, &folder, world).await?;
    let forecast = stage.forecast(job);
    stage.end().await;
    Ok(forecast)
}

/// Does the sweep, or what is left of it.
///
/// # Errors
/// What ends it before its first run, or makes it senseless to go on. What was done stays done.
pub async fn sweep(job: &Job, world: World<'_>) -> Result<Ended, Failure> {
    let folder = Folder::open(job.out.join("sweeps").join(&job.id))?;
    let signal = world.signal.clone();
    let mut stage = set_up(job, &folder, world).await?;
    let ended = Box::pin(go_through(job, (&folder, &mut stage), signal)).await;
    stage.end().await;
    ended
}

/// Sets up, unless a signal comes: nothing has been measured by then.
async fn set_up<'a>(job: &Job, folder: &Folder, world: World<'a>) -> Result<Stage<'a>, Failure> {
    let signal = world.signal.clone();
    unless_told_to_end(&signal, Box::pin(setup::set_up(job, folder, world))).await
}

/// Before the first run a signal ends everything at once.
async fn unless_told_to_end<T>(
    signal: &Receiver<Option<Signal>>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut signal = signal.clone();
    tokio::select! {
        done = work => done,
        signal = comes(&mut signal) => Err(Failure::new(signal.exit(), "interrupted before the first run").hint("the same command begins again")),
    }
}

async fn go_through(
    job: &Job,
    (folder, stage): (&Folder, &mut Stage<'_>),
    signal: Receiver<Option<Signal>>,
) -> Result<Ended, Failure> {
    let all = cells(&job.plan, &job.sizes);
    let order = order((&all, &stage.cells), job.plan.repeat, job.plan.seed);
    let mut clock = Clock::default();
    let Remaining {
        todo,
        mut ended,
        done,
        before,
    } = what_is_left(job, (folder, &order), &mut clock)?;
    if let Place::Ecs(fleet) = &mut stage.place {
        folder
            .records()?
            .iter()
            .for_each(|record| fleet.remember(record));
        fleet.remember_stopped(folder.stopped()?);
    }
    if done.is_empty() {
        affordable(job, stage.forecast(job).tasks_usd)?;
    }
    let left: Vec<&Cell> = todo.iter().map(|next| &next.planned.cell).collect();
    unless_told_to_end(
        &signal,
        stage.agree(
            job,
            if todo.iter().all(|next| next.number.is_none()) {
                &[]
            } else {
                &left
            },
        ),
    )
    .await?;
    store_begun(stage, (job, folder), &done, &mut ended).await?;
    let runs = order
        .iter()
        .filter(|planned| planned.repetition > 0)
        .count() as u64;
    stage.event(&SweepEvent::Planned {
        title: stage.forecast(job).title(&job.id),
        runs,
        done: ended.done,
    });
    for event in &before {
        stage.event(event);
    }
    if let (Place::Ecs(fleet), false) = (&mut stage.place, todo.is_empty()) {
        fleet.find().await?;
    }
    // What an earlier part started goes on, whatever the order says: it is taken up first, all of it.
    let (going, mut waiting): (Vec<_>, Vec<_>) = todo
        .into_iter()
        .partition(|next| folder.is_going_on(&next.planned, next.attempt));
    if waiting.iter().all(|next| next.number.is_none()) {
        waiting.clear();
    }
    let mut run = Run {
        job,
        folder,
        clock,
        todo: waiting.into(),
        warming_up: 0,
        fetched: 0,
        ended,
    };
    let result = run.all(stage, going, &signal).await;
    let Stage {
        place, on_event, ..
    } = &mut *stage;
    if matches!(result, Ok(Exit::Good)) {
        place.tidy(*on_event).await;
    } else {
        let why = if run.ended.is_broke {
            Abandon::Broke
        } else {
            Abandon::Interrupted
        };
        run.ended.going_on = place.abandon(why, *on_event).await;
    }
    let spent = match place {
        Place::Ecs(fleet) => {
            folder.add_stopped(fleet.take_stopped())?;
            Some(fleet.spent())
        }
        Place::Local(..) => None,
    };
    // What could not be stored is told, unless something worse is.
    let exit = match result? {
        Exit::Good => run.ended.exit,
        worse => worse,
    };
    Ok(Ended {
        spent,
        exit,
        ..run.ended
    })
}

/// A sweep that cannot come to its end with its money is not begun.
fn affordable(job: &Job, tasks_usd: Option<(f64, f64)>) -> Result<(), Failure> {
    match (job.fleet.as_ref().map(|fleet| fleet.consent), tasks_usd) {
        (Some(Consent::UpTo(most)), Some((least, _))) if least > most => {
            let message = format!(
                "the tasks of this sweep cost ${} at least, and --max-cost is ${most}",
                three_digits(least)
            );
            Err(Failure::new(Exit::Usage, message).hint("fewer configurations or repetitions cost less; --dry-run says what each plan costs"))
        }
        _ => Ok(()),
    }
}

/// A sweep that goes on.
struct Run<'a> {
    job: &'a Job,
    folder: &'a Folder,
    clock: Clock,
    todo: VecDeque<Todo>,
    /// Warm-ups that go on: nothing else is started meanwhile, as they say whether anything would work.
    warming_up: u32,
    /// Bytes that this command has fetched, those of runs that go on as expected.
    fetched: u64,
    ended: Ended,
}

impl Run<'_> {
    /// Everything that is left, until it is done or a signal comes.
    async fn all(
        &mut self,
        stage: &mut Stage<'_>,
        going: Vec<Todo>,
        signal: &Receiver<Option<Signal>>,
    ) -> Result<Exit, Failure> {
        for next in going {
            self.take(stage, next)?;
        }
        loop {
            if let Some(signal) = *signal.borrow() {
                stage.event(&SweepEvent::Interrupted);
                return Ok(signal.exit());
            }
            if self
                .todo
                .front()
                .is_some_and(|_| self.is_out_of_bytes(stage))
            {
                self.todo.clear();
                self.ended.is_out_of_bytes = true;
            }
            while self.warming_up == 0
                && !self.is_out_of_bytes(stage)
                && let Some(next) = self
                    .todo
                    .pop_front_if(|next| stage.place.has_room(&next.planned.cell))
            {
                self.take(stage, next)?;
            }
            if stage.place.is_idle() {
                stage.event(&SweepEvent::Done);
                return Ok(if self.ended.is_out_of_bytes {
                    Exit::FetchesFailed
                } else {
                    Exit::Good
                });
            }
            let Stage {
                place,
                facts,
                template,
                server,
                contender_results,
                on_event,
                ..
            } = &mut *stage;
            let scene = Scene {
                facts,
                contenders: &self.job.plan.contender,
                template,
                server: server.as_mut(),
                results: contender_results.as_mut(),
            };
            match place.next(scene, signal.clone(), *on_event).await? {
                Next::Finished(finished) => self.finished(stage, *finished).await?,
                // The signal is there, and the loop sees it.
                Next::Stopped => {}
                Next::Spent => {
                    self.ended.is_broke = true;
                    return Ok(Exit::FetchesFailed);
                }
            }
        }
    }

    /// Whether another run would go beyond the bytes that were agreed to.
    fn is_out_of_bytes(&self, stage: &Stage<'_>) -> bool {
        let next = expected_bytes(self.job, stage).unwrap_or(1);
        self.job
            .agreement
            .max_bytes
            .is_some_and(|most| self.fetched.saturating_add(next) > most)
    }

    fn take(&mut self, stage: &mut Stage<'_>, next: Todo) -> Result<(), Failure> {
        let shares = stage.place.width() * u64::from(next.planned.cell.shards.max(1));
        // Where time ends a run, it is held to what is left.
        let most = self
            .job
            .agreement
            .max_bytes
            .filter(|_| self.job.plan.duration.is_some());
        stage.template.max_bytes =
            most.map(|most| (most.saturating_sub(self.fetched) / shares).max(1));
        self.fetched = self
            .fetched
            .saturating_add(expected_bytes(self.job, stage).unwrap_or(0));
        let width = stage.place.width();
        let left = self
            .clock
            .left(std::iter::once(&next).chain(&self.todo))
            .map(|left| match left {
                Left::AtMost(ns) => Left::AtMost(ns / width),
                Left::About(ns) => Left::About(ns / width),
            });
        self.warming_up += u32::from(next.number.is_none());
        stage.event(&SweepEvent::RunStarted {
            number: next.number,
            cell: next.planned.cell.to_string(),
            left,
        });
        let dir = self.folder.prepare(&next.planned, next.attempt)?;
        let Stage {
            place, template, ..
        } = &mut *stage;
        place.take(
            Attempt {
                todo: next,
                dir,
                started_at: utc_now(),
            },
            template,
        )
    }

    async fn finished(&mut self, stage: &mut Stage<'_>, finished: Finished) -> Result<(), Failure> {
        let Finished {
            attempt: Attempt { todo, dir, .. },
            record,
        } = finished;
        let again = record.failure.as_ref().is_some_and(|failure| failure.again);
        store_record(&dir, &record)?;
        // It was only of use without a record.
        let _gone = std::fs::remove_file(dir.join(LEDGER_FILE));
        let more = fetched_bytes(&record, &dir)
            .unwrap_or(0)
            .saturating_sub(expected_bytes(self.job, stage).unwrap_or(0));
        self.fetched = self.fetched.saturating_add(more);
        self.clock.ran(&record);
        self.warming_up -= u32::from(todo.number.is_none());
        let (number, cell) = (todo.number, todo.planned.cell.to_string());
        let failure = record
            .failure
            .as_ref()
            .map(|failure| failure.reason.clone());
        if let (true, Some(why)) = (again, &failure) {
            stage.event(&SweepEvent::Warning(format!(
                "{cell}: {why}; it is tried again"
            )));
            self.todo.push_front(Todo {
                attempt: todo.attempt + 1,
                broken: todo.broken + 1,
                ..todo
            });
        } else {
            stage.event(&SweepEvent::RunEnded {
                number,
                cell,
                bytes_per_s: rate(&record, &dir),
                failure,
            });
            if number.is_some() {
                self.ended.done += 1;
                self.ended.failed += u64::from(record.failure.is_some());
            }
        }
        store(stage, (self.job, self.folder), &dir, &mut self.ended).await;
        if number.is_none() && !again {
            check_warm_up(&record, self.job)
        } else {
            Ok(())
        }
    }
}

/// Bytes of a run, where they are known before it.
fn expected_bytes(job: &Job, stage: &Stage<'_>) -> Option<u64> {
    stage
        .template
        .expected
        .bytes
        .filter(|_| job.plan.duration.is_none())
}

/// A sweep as an earlier command left it.
struct Remaining {
    todo: Vec<Todo>,
    ended: Ended,
    /// Folders of the repetitions that are done.
    done: Vec<PathBuf>,
    /// Those that gave a rate, as events.
    before: Vec<SweepEvent>,
}

/// What has no record. Warm-ups are done again as long as anything is left of a sweep.
fn what_is_left(
    job: &Job,
    (folder, order): (&Folder, &[Planned]),
    clock: &mut Clock,
) -> Result<Remaining, FolderError> {
    let target = job
        .results
        .as_ref()
        .map(|uri| format!("s3://{}/{}sweeps/{}", uri.bucket, uri.key, job.id));
    let mut ended = Ended {
        folder: folder.root().to_owned(),
        done: 0,
        failed: 0,
        target,
        spent: None,
        is_broke: false,
        is_out_of_bytes: false,
        going_on: 0,
        exit: Exit::Good,
    };
    let (mut todo, mut done, mut before) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for planned in order {
        let Look {
            record,
            attempt,
            broken,
        } = folder.look(planned)?;
        if planned.repetition == 0 {
            todo.push(Todo {
                planned: planned.clone(),
                attempt,
                number: None,
                broken: 0,
            });
            continue;
        }
        number += 1;
        // A sweep may have been cut off between two attempts.
        let counts = |record: &Record| {
            record
                .failure
                .as_ref()
                .is_none_or(|failure| job.failed == Failed::Keep && !failure.again)
        };
        let is_going_on = folder.is_going_on(planned, attempt);
        match record.filter(|record| counts(record) && !is_going_on) {
            Some(record) => {
                clock.ran(&record);
                let dir = folder.repetition(planned, record.attempt);
                let rate = rate(&record, &dir).filter(|_| record.failure.is_none());
                before.extend(rate.map(|bytes_per_s| SweepEvent::RunBefore {
                    cell: planned.cell.to_string(),
                    bytes_per_s,
                }));
                done.push(dir);
                ended.done += 1;
                ended.failed += u64::from(record.failure.is_some());
            }
            None => todo.push(Todo {
                planned: planned.clone(),
                attempt,
                number: Some(number),
                broken,
            }),
        }
    }
    let left: Vec<&Program> = todo
        .iter()
        .filter(|todo| todo.number.is_some())
        .map(|todo| &todo.planned.cell.program)
        .collect();
    let wanted: Vec<bool> = todo
        .iter()
        .map(|todo| todo.number.is_some() || left.contains(&&todo.planned.cell.program))
        .collect();
    let todo = todo
        .into_iter()
        .zip(wanted)
        .filter_map(|(todo, wanted)| wanted.then_some(todo))
        .collect();
    Ok(Remaining {
        todo,
        ended,
        done,
        before,
    })
}

/// A warm-up of parfetch that fails says why every run would fail.
fn check_warm_up(record: &Record, job: &Job) -> Result<(), Failure> {
    match &record.failure {
        Some(failure) if record.cell.program.is_parfetch() => {
            let said = failure
                .stderr
                .iter()
                .find_map(|line| line.strip_prefix("error: "))
                .unwrap_or_default();
            let said = if said.is_empty() {
                String::new()
            } else {
                format!(": {said}")
            };
            let hint = failure
                .stderr
                .iter()
                .find_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
                .or_else(|| its_log(record, job));
            let failed = Failure::new(
                Exit::SetUp,
                format!("the warm-up ({}) {}{said}", record.cell, failure.reason),
            );
            Err(match hint {
                Some(hint) => failed.hint(hint),
                None => failed,
            })
        }
        _ => Ok(()),
    }
}

/// Where a task said why.
fn its_log(record: &Record, job: &Job) -> Option<String> {
    let group = job.fleet.as_ref()?.log_group.as_ref()?;
    let task = record
        .tasks
        .iter()
        .find_map(|task| task.arn.as_ref()?.rsplit('/').next())?;
    Some(format!(
        "its log may say more: aws logs tail {group} --since 1d | grep {task}"
    ))
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let hint = match &error {
            FolderError::Io { .. } => "name a folder with room in --out",
            FolderError::Busy(_) => "wait for its end, or take another --id",
            FolderError::Damaged { .. } => "take another --id, or move that folder away",
        };
        Self::new(Exit::SetUp, error.to_string()).hint(hint)
    }
}
