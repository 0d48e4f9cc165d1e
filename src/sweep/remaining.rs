//! What is left of a sweep that an earlier command began.

use std::path::PathBuf;

use super::attempt::Todo;
use super::folder::{Folder, FolderError, RepetitionState};
use super::job::{Failed, SweepEnd, SweepJob};
use super::matrix::{Planned, WarmUp, warm_up};
use super::time_left::{TimeLeft, has_failures, rate};
use crate::cell::Cell;
use crate::event::SweepEvent;
use crate::exit::Exit;
use crate::results::record::Record;

/// A sweep as an earlier command left it.
pub(super) struct Remaining {
    pub(super) todo: Vec<Todo>,
    pub(super) ended: SweepEnd,
    /// Folders of the repetitions that are done.
    pub(super) done: Vec<PathBuf>,
    /// The same as events.
    pub(super) before: Vec<SweepEvent>,
}

impl Remaining {
    /// The configurations of what is left, warm-ups too.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.todo.iter().map(|next| &next.planned.cell)
    }
}

/// Whether a repetition with this record is done. A sweep may have been cut off between two attempts.
pub(super) fn counts(record: &Record, job: &SweepJob) -> bool {
    record
        .failure
        .as_ref()
        .is_none_or(|failure| job.failed == Failed::Keep && !failure.again)
}

/// What has no record. Warm-ups are done again as long as anything is left of a sweep.
pub(super) fn what_is_left(
    job: &SweepJob,
    (folder, order): (&Folder, &[Planned]),
    clock: &mut TimeLeft,
) -> Result<Remaining, FolderError> {
    let target = job
        .results
        .as_ref()
        .map(|uri| format!("s3://{}/{}sweeps/{}", uri.bucket, uri.key, job.id));
    let mut ended = SweepEnd {
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
        let RepetitionState {
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
        let is_going_on = folder.is_going_on(planned, attempt);
        match record.filter(|record| counts(record, job) && !is_going_on) {
            Some(record) => {
                clock.ran(&record);
                let dir = folder.repetition(planned, record.attempt);
                before.push(SweepEvent::RunBefore {
                    program: planned.cell.program.clone(),
                    cell: planned.cell.to_string(),
                    rate: rate(&record, &dir).filter(|_| record.failure.is_none()),
                    has_failures: has_failures(&record, &dir),
                });
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
    let left: Vec<WarmUp<'_>> = todo
        .iter()
        .filter(|todo| todo.number.is_some())
        .map(|todo| warm_up(&todo.planned.cell))
        .collect();
    let wanted: Vec<bool> = todo
        .iter()
        .map(|todo| todo.number.is_some() || left.contains(&warm_up(&todo.planned.cell)))
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
