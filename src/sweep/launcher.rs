//! Where repetitions run, behind one form: a launcher takes repetitions while it has room, and hands them back when they have ended.
//!
//! Owns nothing else: the order is the driver's. A new launcher is one file, a variant of `SweepPlace`, and its word in the settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch::Receiver;

use super::attempt::{Attempt, Awaited, CannotRun, Stopped};
use super::environment::{ResultsLocation, RunTemplate};
use super::plan::SweepPlan;
use crate::cell::Cell;
use crate::estimate::CostConsent;
use crate::event::SweepEvent;
use crate::exit::{Failure, Signal};
use crate::plan::Access;
use crate::price::{PriceList, TaskRates};
use crate::results::record::{Record, SweepFacts};
use crate::server::Embedded;
use crate::store::Bucket;
use crate::units;

/// What a place is, before anything of it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaceFacts {
    /// The word of `--on`, which stands in records as well.
    pub name: &'static str,
    /// What may be spent on it; none where running costs nothing.
    pub consent: Option<CostConsent>,
    /// Whether repetitions are processes of this machine, which share its open files and tasks.
    pub is_this_machine: bool,
    /// Whether it is where the bucket is, so that the bytes cost nothing on their way.
    pub is_in_region: bool,
    /// Whether a repetition stores its results itself, in the results bucket.
    pub stores_results: bool,
    /// What a second signal leaves behind that costs money; none where nothing does.
    pub left_running: Option<&'static str>,
    /// Which prices money is counted by.
    pub prices: &'static str,
}

/// What tasks have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Tasks that were billed.
    pub tasks: u64,
    /// Seconds that they were billed for, the minimum included.
    pub billed_s: f64,
    /// By the list prices of On-Demand capacity; none without a price.
    pub usd: Option<f64>,
}

impl Spent {
    /// `3 tasks, billed for 4 min: $0.01 at list prices, on demand`; none when no task was billed. `prices` says which prices those are.
    pub fn in_words(&self, prices: &str) -> Option<String> {
        let usd = self.usd.map_or_else(
            || "no price is known".to_owned(),
            |usd| format!("${} at list prices, {prices}", units::three_digits(usd)),
        );
        let billed = units::duration_coarse(nanoseconds(self.billed_s));
        (self.tasks > 0).then(|| {
            format!(
                "{}, billed for {billed}: {usd}",
                units::plural(self.tasks, "task")
            )
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).clamp(0.0, 1e18) as u64
}

/// Why a sweep ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandon {
    /// A signal, or an error.
    Interrupted,
    /// The money is used up: nothing may go on.
    Broke,
}

/// How the limit of a place is called where sizes are left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitWords {
    /// `the plan has no configuration that fits …`
    pub(super) holder: &'static str,
    /// `more than …`
    pub(super) most: &'static str,
    /// What to do about it.
    pub(super) cure: &'static str,
}

/// What an earlier command did of the same sweep.
#[derive(Debug)]
pub(super) struct EarlierSweep {
    pub(super) records: Vec<Record>,
    pub(super) stopped: Vec<Stopped>,
}

/// What a repetition needs beside its place in the order.
pub(super) struct RepetitionContext<'a> {
    pub(super) facts: &'a SweepFacts,
    pub(super) plan: &'a SweepPlan,
    pub(super) template: &'a RunTemplate,
    pub(super) server: Option<&'a mut Embedded>,
    /// Where contenders put their results, when that is not the embedded server's folder.
    pub(super) results: Option<&'a mut Bucket>,
}

/// Hears events. A name of its own, as `async_trait` takes the lifetime of the event for one of the call.
pub(super) type OnEvent<'a> = dyn FnMut(&SweepEvent) + 'a;

/// A place to run repetitions. What a launcher does not say is that of one that costs nothing and leaves nothing behind.
#[async_trait(?Send)]
pub(super) trait Launcher {
    /// Whether a cell can run here.
    fn check(&self, cell: &Cell) -> Result<(), CannotRun>;

    fn limit_words(&self) -> LimitWords;

    /// How cells are held to their size, in words.
    fn words(&self, cell: &Cell) -> String;

    /// Warnings for the start of the sweep.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// The task definition of all tasks of parfetch.
    fn definition(&self) -> Option<&str> {
        None
    }

    /// The processor architecture of all tasks, as ECS calls it.
    fn architecture(&self) -> Option<&str> {
        None
    }

    /// The task definitions of contenders, by their names.
    fn contender_definitions(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Repetitions that run side by side.
    fn width(&self) -> u64 {
        1
    }

    /// The least and the most that a repetition of this cell costs, if it runs for so long at least; none without a price.
    fn usd(&self, _: &Cell, _least: Duration) -> Option<(f64, f64)> {
        None
    }

    /// What tasks cost here; none where nothing runs as a task.
    fn rates(&self) -> Option<TaskRates> {
        None
    }

    /// Says how many keys a repetition fetches, as soon as that is known.
    ///
    /// # Errors
    /// When the money that may be spent cannot be kept to with so many.
    fn fetches(&mut self, _keys: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// Says to which sweep the repetitions belong, and where they store.
    fn belong(&mut self, _: &SweepFacts, _: (&ResultsLocation, &Bucket)) {}

    /// Says what an earlier command did of this sweep.
    fn remember(&mut self, _: &EarlierSweep) {}

    /// Finds what an earlier command started and left.
    async fn find(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether another repetition of this cell can be taken now.
    fn has_room(&self, cell: &Cell) -> bool;

    /// Whether nothing is going on.
    fn is_idle(&self) -> bool;

    fn take(&mut self, attempt: Attempt, template: &RunTemplate) -> Result<(), Failure>;

    /// Waits until one attempt has ended.
    async fn next(
        &mut self,
        context: RepetitionContext<'_>,
        stop: Receiver<Option<Signal>>,
        on_event: &mut OnEvent<'_>,
    ) -> Result<Awaited, Failure>;

    /// Ends what is going on, before the sweep ends early; returns how many tasks go on all the same.
    async fn abandon(&mut self, _: Abandon, _: &mut OnEvent<'_>) -> usize {
        0
    }

    /// Makes sure that nothing goes on after the end.
    async fn clean_up(&mut self, _: &mut OnEvent<'_>) {}

    /// What was stopped with this part of the sweep.
    fn take_stopped(&mut self) -> Vec<Stopped> {
        Vec::new()
    }

    /// What the tasks have cost; none where running costs nothing.
    fn spent(&self) -> Option<Spent> {
        None
    }

    /// Where a repetition that failed said why.
    fn log_hint(&self, _: &Record) -> Option<String> {
        None
    }
}

/// What a launcher is opened with.
pub(super) struct LauncherSetup<'a> {
    /// The folder of what is started.
    pub(super) folder: &'a Path,
    /// This program.
    pub(super) executable: &'a Path,
    pub(super) access: &'a Access,
    pub(super) prices: &'a PriceList,
    /// How long a repetition may take.
    pub(super) time_limit: Duration,
    /// Whether the sweep fetches from a server of its own.
    pub(super) is_embedded: bool,
    /// Whether what it fetches from is on this machine.
    pub(super) is_source_here: bool,
    /// vCPU × 1024 of the server that each repetition starts; none without one.
    pub(super) server_units: Option<u32>,
    /// The task definition with which the sweep was begun: a stack that was updated since must not change what the rest is measured with.
    pub(super) definition: Option<String>,
    /// Those of contenders, by their names.
    pub(super) contender_definitions: BTreeMap<String, String>,
    /// What the sweep is.
    pub(super) plan: &'a SweepPlan,
}
