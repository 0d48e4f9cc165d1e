//! Goes through what is left of a sweep: hands repetitions to its launcher while there is room and bytes, and keeps what comes back.

use std::collections::VecDeque;
use std::path::Path;

use tokio::sync::watch::Receiver;

use super::attempt::{Attempt, Awaited, Finished, Todo};
use super::enough::too_short;
use super::factors::{is_timed, of_name, told};
use super::first_run::check_first;
use super::folder::{Folder, LEDGER_FILE, RepetitionState, store_record};
use super::job::{SweepEnd, SweepJob};
use super::keep::{store, store_again};
use super::launcher::RepetitionContext;
use super::next::{MeasuredRun, MeasuredWhen, NextRuns};
use super::remaining::counts;
use super::setup::ReadySweep;
use super::time_left::{TimeLeft, fetch_seconds, fetched_bytes, has_failures, rate};
use crate::cell::{Cell, Program};
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::plan::factors::SERVER;
use crate::platform::clock::{now_ns, utc_now};
use crate::results::record::Record;

/// A sweep that goes on.
pub(super) struct Driver<'a> {
    pub(super) job: &'a SweepJob,
    pub(super) folder: &'a Folder,
    pub(super) clock: TimeLeft,
    pub(super) todo: VecDeque<Todo>,
    /// Warm-ups that go on: nothing else is started meanwhile, as they say whether anything would work.
    pub(super) warming_up: u32,
    /// Bytes that this command has fetched, those of runs that go on as expected.
    pub(super) fetched: u64,
    /// Programs of which it was said that their runs are too short.
    pub(super) said_short: Vec<Program>,
    pub(super) ended: SweepEnd,
    /// Says what comes after `todo`; none = nothing.
    pub(super) next: Option<&'a mut dyn NextRuns>,
    /// A configuration of each program and server of which a run ended well.
    pub(super) good: Vec<Cell>,
}

impl Driver<'_> {
    /// Everything that is left, until it is done or a signal comes.
    pub(super) async fn all(
        &mut self,
        ready: &mut ReadySweep<'_>,
        going: Vec<Todo>,
        signal: &Receiver<Option<Signal>>,
    ) -> Result<Exit, Failure> {
        for next in going {
            self.take(ready, next)?;
        }
        loop {
            if let Some(signal) = *signal.borrow() {
                ready.event(&SweepEvent::Interrupted);
                return Ok(signal.exit());
            }
            if self.todo.is_empty() && ready.launcher.is_idle() {
                self.ask_for_more(ready).await?;
            }
            if self.is_out_of_bytes(ready) {
                self.todo.clear();
                self.ended.is_out_of_bytes = true;
            }
            while self.warming_up == 0
                && !self.is_out_of_bytes(ready)
                && let Some(next) = self
                    .todo
                    .pop_front_if(|next| ready.launcher.has_room(&next.planned.cell))
            {
                self.take(ready, next)?;
            }
            if ready.launcher.is_idle() {
                ready.event(&SweepEvent::Done);
                return Ok(if self.ended.is_out_of_bytes {
                    Exit::FetchesFailed
                } else {
                    Exit::Good
                });
            }
            let ReadySweep {
                launcher,
                facts,
                template,
                server,
                contender_results,
                on_event,
                ..
            } = &mut *ready;
            let context = RepetitionContext {
                facts,
                plan: &self.job.plan,
                template,
                server: server.as_mut(),
                results: contender_results.as_mut(),
            };
            match launcher.next(context, signal.clone(), *on_event).await? {
                Awaited::Finished(finished) => self.finished(ready, *finished).await?,
                // The signal is there, and the loop sees it.
                Awaited::Stopped => {}
                Awaited::Spent => {
                    self.ended.is_broke = true;
                    return Ok(Exit::FetchesFailed);
                }
            }
        }
    }

    /// What comes next where that follows from what was measured. What an earlier command measured of it is shown, not run again.
    async fn ask_for_more(&mut self, ready: &mut ReadySweep<'_>) -> Result<(), Failure> {
        while let Some(planned) = self.next.as_mut().and_then(|next| next.next()) {
            let (number, dir) = (Some(self.ended.done + 1), |attempt| {
                self.folder.repetition(&planned, attempt)
            });
            let RepetitionState {
                record,
                attempt,
                broken,
            } = self.folder.look(&planned)?;
            let is_going_on = self.folder.is_going_on(&planned, attempt);
            let Some(record) = record.filter(|record| counts(record, self.job) && !is_going_on)
            else {
                self.todo.push_back(Todo {
                    planned,
                    attempt,
                    number,
                    broken,
                });
                break;
            };
            let dir = dir(record.attempt);
            self.clock.ran(&record);
            self.fetched = self
                .fetched
                .saturating_add(fetched_bytes(&record, &dir).unwrap_or(0));
            self.count(&record);
            self.show((&record, &dir), MeasuredWhen::Before)?;
            store_again(ready, (self.job, self.folder), &dir, &mut self.ended).await?;
        }
        Ok(())
    }

    fn show(&mut self, (record, dir): (&Record, &Path), when: MeasuredWhen) -> Result<(), Failure> {
        match &mut self.next {
            Some(next) => next.saw(MeasuredRun { record, dir, when }),
            None => Ok(()),
        }
    }

    fn count(&mut self, record: &Record) {
        self.ended.done += 1;
        self.ended.failed += u64::from(record.failure.is_some());
        if record.failure.is_none() && !self.has_good(&record.cell) {
            self.good.push(record.cell.clone());
        }
    }

    /// Whether a run of this program ended well, with this server.
    fn has_good(&self, cell: &Cell) -> bool {
        let server = cell.factors.get(SERVER);
        let is_like =
            |good: &Cell| good.program == cell.program && good.factors.get(SERVER) == server;
        self.good.iter().any(is_like)
    }

    /// Whether the next run would go beyond the bytes that were agreed to.
    fn is_out_of_bytes(&self, ready: &ReadySweep<'_>) -> bool {
        let Some(next) = self.todo.front() else {
            return false;
        };
        let next = expected_bytes((self.job, &next.planned.cell), ready).unwrap_or(1);
        self.job
            .approval
            .max_bytes
            .is_some_and(|most| self.fetched.saturating_add(next) > most)
    }

    fn take(&mut self, ready: &mut ReadySweep<'_>, next: Todo) -> Result<(), Failure> {
        let shares = ready.launcher.width() * u64::from(next.planned.cell.shards.max(1));
        // Where time ends a run, it is held to what is left.
        let most = self
            .job
            .approval
            .max_bytes
            .filter(|_| ends_by_time(&next, self.job));
        ready.template.max_bytes =
            most.map(|most| (most.saturating_sub(self.fetched) / shares).max(1));
        self.fetched = self
            .fetched
            .saturating_add(expected_bytes((self.job, &next.planned.cell), ready).unwrap_or(0));
        let width = ready.launcher.width();
        let todo = std::iter::once(&next).chain(&self.todo);
        let left = self.clock.begins(todo, (now_ns(), width));
        self.warming_up += u32::from(next.number.is_none());
        ready.event(&SweepEvent::RunStarted {
            number: next.number,
            cell: next.planned.cell.to_string(),
            left,
        });
        let dir = self.folder.prepare(&next.planned, next.attempt)?;
        let ReadySweep {
            launcher, template, ..
        } = &mut *ready;
        launcher.take(
            Attempt {
                todo: next,
                dir,
                started_at: utc_now(),
            },
            template,
        )
    }

    async fn finished(
        &mut self,
        ready: &mut ReadySweep<'_>,
        finished: Finished,
    ) -> Result<(), Failure> {
        let Finished {
            attempt: Attempt { todo, dir, .. },
            mut record,
        } = finished;
        record.contender_settings = of_name(&self.job.plan, &record.cell.program)
            .map(|contender| Box::new(told(contender, &record.cell)));
        let again = record.failure.as_ref().is_some_and(|failure| failure.again);
        store_record(&dir, &record)?;
        // It was only of use without a record.
        let _gone = std::fs::remove_file(dir.join(LEDGER_FILE));
        let more = fetched_bytes(&record, &dir)
            .unwrap_or(0)
            .saturating_sub(expected_bytes((self.job, &record.cell), ready).unwrap_or(0));
        self.fetched = self.fetched.saturating_add(more);
        self.clock.ran(&record);
        self.warming_up -= u32::from(todo.number.is_none());
        let (number, cell) = (todo.number, todo.planned.cell.to_string());
        // Where no warm-up says it, the first run does.
        let is_first = self.next.is_some() && !self.has_good(&record.cell);
        let warmed_up = match number {
            None if !again => check_first(&record, self.job, (&dir, &*ready.launcher), "warm-up"),
            Some(_) if !again && is_first => {
                check_first(&record, self.job, (&dir, &*ready.launcher), "first run")
            }
            _ => Ok(()),
        };
        // What ends the sweep says it itself.
        let failure = record
            .failure
            .as_ref()
            .filter(|_| warmed_up.is_ok())
            .map(|failure| failure.reason.clone());
        if let (true, Some(why)) = (again, &failure) {
            ready.event(&SweepEvent::Warning(format!(
                "{cell}: {why}; it is tried again"
            )));
            self.todo.push_front(Todo {
                attempt: todo.attempt + 1,
                broken: todo.broken + 1,
                ..todo
            });
        } else {
            ready.event(&SweepEvent::RunEnded {
                number,
                program: record.cell.program.clone(),
                cell,
                rate: rate(&record, &dir),
                failure,
                has_failures: has_failures(&record, &dir),
            });
            self.say_short(ready, (&record, &dir));
            if number.is_some() {
                self.count(&record);
            }
            if warmed_up.is_ok() {
                self.show((&record, &dir), MeasuredWhen::Now)?;
            }
        }
        store(ready, (self.job, self.folder), &dir, &mut self.ended).await;
        warmed_up
    }

    /// Says once of each program that its runs are too short to recommend anything by.
    fn say_short(&mut self, ready: &mut ReadySweep<'_>, (record, dir): (&Record, &Path)) {
        let program = &record.cell.program;
        // A tune chooses for itself how long its runs are.
        let is_of_tune = self.job.plan.tune.is_some();
        if is_of_tune || record.failure.is_some() || self.said_short.contains(program) {
            return;
        }
        let seconds = fetch_seconds(record, dir);
        if let Some(text) = seconds.and_then(|seconds| too_short(&record.cell, seconds, self.job)) {
            self.said_short.push(program.clone());
            ready.event(&SweepEvent::Warning(text));
        }
    }
}

/// Bytes of a run, where they are known before it; none are counted of a program that does not say them. A tune knows them better, and keeps to them itself.
fn expected_bytes((job, cell): (&SweepJob, &Cell), ready: &ReadySweep<'_>) -> Option<u64> {
    if is_timed(&job.plan, &cell.program) {
        return Some(0);
    }
    // Time ends parfetch's own runs alone.
    let ends_by_time = job.plan.duration.is_some() && cell.program.is_parfetch();
    let expected = ready.template.expected.bytes;
    expected.filter(|_| !ends_by_time && job.plan.tune.is_none())
}

fn ends_by_time(todo: &Todo, job: &SweepJob) -> bool {
    match todo.planned.amount {
        Some(amount) => amount.duration_ns.is_some(),
        None => job.plan.duration.is_some(),
    }
}
