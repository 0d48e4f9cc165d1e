//! What a sweep is asked to do and what comes of it: plain data. Does nothing itself.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::keys::KeyOrder;
use super::launcher::Spent;
use super::place::SweepPlace;
use super::plan::SweepPlan;
use super::requests::RequestTemplate;
use super::too_little::TooLittle;
use crate::cell::Cell;
use crate::estimate::{Approval, Ask, Estimate};
use crate::event::SweepEvent;
use crate::exit::{Exit, Signal};
use crate::plan::{Access, KeySample, KeySource, Layout, Limits, S3Uri};
use crate::price::{Egress, PriceList};
use crate::results::summary::SampleFacts;
use crate::server::Options;
use crate::speed::Store;

/// A sweep to be done, every setting resolved.
#[derive(Clone, Debug)]
pub struct SweepJob {
    /// Its name: also that of its folder.
    pub id: String,
    /// What is varied, and the work of a repetition.
    pub plan: SweepPlan,
    /// Sizes of the cells: CPU units and MiB.
    pub sizes: Vec<(u32, u32)>,
    /// What happens to sizes that this machine does not have.
    pub oversize: Oversize,
    /// What is requested of a web server; none = a bucket is read.
    pub requests: Option<RequestTemplate>,
    /// Where the keys come from.
    pub source: KeySource,
    /// The random sample of them that every repetition fetches; none = all, or the plan's limit.
    pub sample: Option<KeySample>,
    /// In which order repetitions fetch the keys that are frozen.
    pub key_order: KeyOrder,
    /// What serves the objects.
    pub store: Store,
    /// What may be fetched without a question.
    pub approval: Approval,
    /// Where the bytes are thought to go, for the price that is asked for.
    pub asked_egress: Egress,
    /// How S3 is reached.
    pub access: Access,
    /// Time limits of a fetch.
    pub limits: Limits,
    /// Order and parts of a repetition.
    pub layout: Layout,
    /// The embedded server.
    pub embedded: Option<Options>,
    /// Folder of `sweeps/ID`.
    pub out: PathBuf,
    /// Where results are stored as well.
    pub results: Option<S3Uri>,
    /// How long a repetition may take.
    pub time_limit: Duration,
    /// Whether repetitions that failed before are run again.
    pub failed: Failed,
    /// Where it runs.
    pub place: SweepPlace,
    /// The plan of the tune in whose folder it measures more configurations; none = the folder is its own.
    pub adds_to: Option<String>,
}

impl SweepJob {
    /// `OUT/sweeps/ID`.
    pub(super) fn folder(&self) -> PathBuf {
        self.out.join("sweeps").join(&self.id)
    }

    /// Whether what is fetched from is on this machine.
    pub(super) fn is_source_here(&self) -> bool {
        self.requests.as_ref().map_or_else(
            || self.access.is_on_this_machine(),
            RequestTemplate::is_on_this_machine,
        )
    }

    /// What a repetition fetches, in the singular.
    pub(super) fn noun(&self) -> &'static str {
        if self.requests.is_some() {
            "request"
        } else {
            "object"
        }
    }
}

/// What happens to sizes that this machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// They were asked for: refuse.
    Refuse,
    /// They come from the default plan: leave them out, and say so.
    LeaveOut,
}

/// What happens to repetitions that failed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// They stay as they are.
    Keep,
    /// They are run again.
    Redo,
}

/// What a sweep gets from outside.
pub struct SweepContext<'a> {
    /// This program.
    pub executable: PathBuf,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// What tasks cost.
    pub prices: &'a PriceList,
    /// Set once a signal has come.
    pub signal: Receiver<Option<Signal>>,
    /// Hears every event.
    pub on_event: &'a mut dyn FnMut(&SweepEvent),
    /// Asks a person.
    pub ask: Ask<'a>,
}

/// What an earlier command left of a sweep, or what is new in the folder of a tune.
#[derive(Clone, Debug, PartialEq)]
pub struct RunsLeft {
    /// Runs with a record, warm-ups apart.
    pub done: u64,
    /// The cells that have runs left, in the order of tables.
    pub cells: Vec<Cell>,
    /// Runs that are left.
    pub runs: u64,
    /// Warm-ups before them.
    pub warm_ups: u64,
}

/// What a sweep would do.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepForecast {
    /// What is left, which estimate and price are of; none where all of it is new.
    pub left: Option<RunsLeft>,
    /// Whether it adds to the folder of a tune.
    pub adds: bool,
    /// The cells, in the order of tables.
    pub cells: Vec<Cell>,
    /// Runs, without warm-ups.
    pub runs: u64,
    /// Warm-ups.
    pub warm_ups: u64,
    /// Keys that a run fetches.
    pub keys: u64,
    /// What one of them is: `object`, `request`.
    pub noun: &'static str,
    /// The sample that they are.
    pub sample: Option<SampleFacts>,
    /// Their bytes; none with a limit, or where sizes are not known.
    pub bytes: Option<u64>,
    /// GETs of all runs, warm-ups too; none where time ends a run.
    pub gets: Option<u64>,
    /// LIST requests: of the one listing, and of what contenders list themselves.
    pub lists: u64,
    /// How long each run lasts, when time ends it.
    pub duration: Option<String>,
    /// Whether cells run as tasks, which cost money.
    pub is_paid: bool,
    /// What the tasks cost, by the list prices of On-Demand capacity: the least (a minute each, or `duration`), and when every run takes as long as it may.
    /// None on this machine, and without a price.
    pub tasks_usd: Option<(f64, f64)>,
    /// Bytes, time and money.
    pub estimate: Estimate,
    /// What it measures too little of to recommend anything by.
    pub too_little: Vec<TooLittle>,
    /// How the cells would be held, in words.
    pub limited: String,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepEnd {
    /// Its folder.
    pub folder: PathBuf,
    /// Runs with a record, warm-ups apart.
    pub done: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Where its folder is stored as well: `s3://bucket/prefix`.
    pub target: Option<String>,
    /// What its tasks have cost; none on this machine.
    pub spent: Option<Spent>,
    /// Whether it ended because the money was used up.
    pub is_broke: bool,
    /// Whether it ended because another run would go beyond the bytes that were agreed to.
    pub is_out_of_bytes: bool,
    /// Tasks that go on after it: left, or not to be stopped.
    pub going_on: usize,
    /// Exit code.
    pub exit: Exit,
}
