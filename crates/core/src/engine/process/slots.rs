//! What the parent's slots share: the job, and what became of the children so far.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::launch::Child;
use super::outstanding::{Busy, Outstanding};
use super::wire::ChildReport;
use crate::engine::board::{Board, EndPhase};
use crate::engine::error::EngineError;
use crate::engine::job::{EngineReport, WorkerJob};
use crate::fetch::{Clock, RunClock};
use crate::sample::{ErrorCode, Outcome, Sample};

/// A key at which so many children died is given up: a row, not an endless loop.
const DEATHS_PER_UNIT: u32 = 2;

/// What the parent's slots share.
pub(super) struct Slots {
    pub(super) job: WorkerJob,
    pub(super) board: Arc<Board>,
    /// Slots that have ranges in work; when none has and the queue is empty, all is done.
    pub(super) busy: Busy,
    /// Keys of which a child may have died, and how many more did while they were at it alone.
    pub(super) suspects: RefCell<HashMap<u64, u32>>,
    pub(super) epoch_ns: Cell<Option<u64>>,
    pub(super) report: RefCell<EngineReport>,
    pub(super) last_death: RefCell<Option<String>>,
}

impl Slots {
    /// Waits until children are ended that do not end by themselves.
    pub(super) async fn killing(&self) {
        // The board outlives every slot.
        let mut phase = self.board.phase();
        let _gone = phase.wait_for(|phase| *phase == EndPhase::Killing).await;
    }

    /// True when no more keys are to be fetched: stopped, or the time has passed.
    pub(super) fn is_over(&self) -> bool {
        self.epoch_ns
            .get()
            .is_some_and(|epoch_ns| self.job.queue.is_over(RunClock { epoch_ns }.now_ns()))
    }

    /// A child died: it may be what it was at that killed it. A fetch that was given back before, alone, and was in work again is given up after a few.
    pub(super) fn suspect(
        &self,
        outstanding: &mut Outstanding<'_>,
        (child, clock): (&Child, RunClock),
    ) {
        let Some(front) = outstanding.front() else {
            return;
        };
        let mut suspects = self.suspects.borrow_mut();
        match suspects
            .get_mut(&front.start)
            .filter(|_| front.end - front.start == 1)
        {
            Some(deaths) => {
                *deaths += 1;
                if *deaths >= DEATHS_PER_UNIT {
                    self.give_up(front.start, (child.number, child.pid), clock);
                    outstanding.done_below(front.end);
                }
            }
            None => suspects.extend(front.map(|unit| (unit, 0))),
        }
    }

    /// A child is gone: what it used is not known, and sums without it would be too small.
    pub(super) fn note_death(&self, number: u32, warning: String, how: String) {
        tracing::info!(worker = number, how, "child process died");
        self.board.warn(warning);
        self.board.connections_untold();
        *self.last_death.borrow_mut() = Some(how);
        let mut report = self.report.borrow_mut();
        (report.children_fetch, report.children_rss_bytes) = (None, None);
    }

    pub(super) fn give_up(&self, unit: u64, (worker, pid): (u32, u32), clock: RunClock) {
        let mut row = Sample {
            unit,
            outcome: Outcome::Failed,
            attempts: DEATHS_PER_UNIT,
            worker,
            pid,
            end_ns: Some(clock.now_ns()),
            ..Sample::default()
        };
        (0..DEATHS_PER_UNIT).for_each(|_| row.codes.push(ErrorCode::from_word("worker-death")));
        self.job.rows.send(vec![row]);
        let counters = &self.board.counters[usize::try_from(worker).expect("a u32 fits")];
        counters.ended.fetch_add(1, Ordering::Relaxed);
        counters.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) async fn end_report(
        &self,
        bye: ChildReport,
        child: Child,
    ) -> Result<(), EngineError> {
        bye.warnings
            .into_iter()
            .for_each(|warning| self.board.note(warning));
        if let Some(failure) = bye.failure {
            return Err(failure.into());
        }
        {
            let mut report = self.report.borrow_mut();
            report.children_fetch = report
                .children_fetch
                .zip(bye.fetch_cpu)
                .map(|(sum, child)| sum + child);
            report.children_rss_bytes = report
                .children_rss_bytes
                .zip(bye.peak_rss_bytes)
                .map(|(sum, child)| sum + child);
        }
        self.board.add_connections(bye.connections);
        child.end().await;
        Ok(())
    }
}
