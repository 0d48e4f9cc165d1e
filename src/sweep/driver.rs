//! Goes through what is left of a sweep: hands repetitions to its launcher while there is room and bytes, and keeps what comes back.

use std::collections::VecDeque;

use tokio::sync::watch::Receiver;

use super::attempt::{Attempt, Awaited, Finished, Todo};
use super::folder::{Folder, LEDGER_FILE, store_record};
use super::job::{SweepEnd, SweepJob};
use super::keep::store;
use super::launcher::{Launcher, RepetitionContext};
use super::setup::ReadySweep;
use super::time_left::{TimeLeft, fetched_bytes, rate};
use crate::event::{Left, SweepEvent};
use crate::exit::{Exit, Failure, Signal};
use crate::platform::clock::utc_now;
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
    pub(super) ended: SweepEnd,
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
            if self
                .todo
                .front()
                .is_some_and(|_| self.is_out_of_bytes(ready))
            {
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
                contenders: &self.job.plan.contender,
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

    /// Whether another run would go beyond the bytes that were agreed to.
    fn is_out_of_bytes(&self, ready: &ReadySweep<'_>) -> bool {
        let next = expected_bytes(self.job, ready).unwrap_or(1);
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
            .filter(|_| self.job.plan.duration.is_some());
        ready.template.max_bytes =
            most.map(|most| (most.saturating_sub(self.fetched) / shares).max(1));
        self.fetched = self
            .fetched
            .saturating_add(expected_bytes(self.job, ready).unwrap_or(0));
        let width = ready.launcher.width();
        let left = self
            .clock
            .left(std::iter::once(&next).chain(&self.todo))
            .map(|left| match left {
                Left::AtMost(ns) => Left::AtMost(ns / width),
                Left::About(ns) => Left::About(ns / width),
            });
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
            record,
        } = finished;
        let again = record.failure.as_ref().is_some_and(|failure| failure.again);
        store_record(&dir, &record)?;
        // It was only of use without a record.
        let _gone = std::fs::remove_file(dir.join(LEDGER_FILE));
        let more = fetched_bytes(&record, &dir)
            .unwrap_or(0)
            .saturating_sub(expected_bytes(self.job, ready).unwrap_or(0));
        self.fetched = self.fetched.saturating_add(more);
        self.clock.ran(&record);
        self.warming_up -= u32::from(todo.number.is_none());
        let (number, cell) = (todo.number, todo.planned.cell.to_string());
        let failure = record
            .failure
            .as_ref()
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
                cell,
                bytes_per_s: rate(&record, &dir),
                failure,
            });
            if number.is_some() {
                self.ended.done += 1;
                self.ended.failed += u64::from(record.failure.is_some());
            }
        }
        store(ready, (self.job, self.folder), &dir, &mut self.ended).await;
        if number.is_none() && !again {
            check_warm_up(&record, &*ready.launcher)
        } else {
            Ok(())
        }
    }
}

/// Bytes of a run, where they are known before it.
fn expected_bytes(job: &SweepJob, ready: &ReadySweep<'_>) -> Option<u64> {
    ready
        .template
        .expected
        .bytes
        .filter(|_| job.plan.duration.is_none())
}

/// A warm-up of parfetch that fails says why every run would fail.
fn check_warm_up(record: &Record, launcher: &dyn Launcher) -> Result<(), Failure> {
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
                .or_else(|| launcher.log_hint(record));
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
