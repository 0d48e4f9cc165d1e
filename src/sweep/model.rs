//! A law of platforms as a place of a sweep: nothing runs, and what a run would have left is there at once.

use std::collections::VecDeque;

use async_trait::async_trait;
use tokio::sync::watch;

use super::attempt::{Attempt, Awaited, CannotRun, Finished};
use super::environment::RunTemplate;
use super::launcher::{Launcher, LimitWords, OnEvent, PlaceFacts, RepetitionContext};
use crate::cell::Cell;
use crate::exit::{Exit, Failure, Signal};
use crate::model::{Law, RunOnModel, simulate_run};
use crate::results::record::{Record, SweepFacts};

/// What a model is as a place.
pub(super) const FACTS: PlaceFacts = PlaceFacts {
    name: "model",
    consent: None,
    is_this_machine: false,
    is_in_region: true,
    stores_results: false,
    left_running: None,
    prices: "on demand",
};

/// Repetitions by a law, in the order in which they were taken.
pub(super) struct ModelLauncher {
    law: Law,
    taken: VecDeque<Attempt>,
}

impl ModelLauncher {
    pub(super) fn new(law: &Law) -> Self {
        Self {
            law: law.clone(),
            taken: VecDeque::new(),
        }
    }

    /// What a run of this attempt leaves: its summary in the folder, and its record.
    fn run(&self, attempt: &Attempt, facts: &SweepFacts) -> Result<Record, Failure> {
        let planned = &attempt.todo.planned;
        let asked = RunOnModel {
            cell: &planned.cell,
            repetition: planned.repetition,
            position: planned.position,
            amount: planned.amount,
        };
        let unexpected = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Unexpected, format!("cannot simulate: {error}"))
        };
        let ran = simulate_run(&self.law, facts, asked);
        if let Some(summary) = &ran.summary {
            let text = summary.to_json().map_err(|error| unexpected(&error))?;
            let path = attempt.dir.join(&ran.record.summaries[0]);
            std::fs::write(path, text).map_err(|error| unexpected(&error))?;
        }
        Ok(Record {
            summaries: ran.record.summaries,
            outside: ran.record.outside,
            contender: ran.record.contender,
            tasks: ran.record.tasks,
            ..attempt.record(facts, ran.record.limited)
        })
    }
}

#[async_trait(?Send)]
impl Launcher for ModelLauncher {
    fn check(&self, _: &Cell) -> Result<(), CannotRun> {
        Ok(())
    }

    fn limit_words(&self) -> LimitWords {
        LimitWords {
            holder: "the model",
            most: "the model has",
            cure: "name smaller sizes",
        }
    }

    fn words(&self, _: &Cell) -> String {
        "a model: nothing is measured".to_owned()
    }

    fn has_room(&self, _: &Cell) -> bool {
        self.taken.is_empty()
    }

    fn is_idle(&self) -> bool {
        self.taken.is_empty()
    }

    fn take(&mut self, attempt: Attempt, _: &RunTemplate) -> Result<(), Failure> {
        self.taken.push_back(attempt);
        Ok(())
    }

    async fn next(
        &mut self,
        context: RepetitionContext<'_>,
        _: watch::Receiver<Option<Signal>>,
        _: &mut OnEvent<'_>,
    ) -> Result<Awaited, Failure> {
        let attempt = self.taken.pop_front().expect("something was taken on");
        let record = self.run(&attempt, context.facts)?;
        Ok(Awaited::Finished(Box::new(Finished { attempt, record })))
    }
}
