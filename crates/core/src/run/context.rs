//! What a run gets from outside, and how it ends.

use tokio::sync::watch::Receiver;

use crate::engine::ChildOptions;
use crate::estimate::{Ask, CostPolicy};
use crate::event::RunEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::platform::Sources;
use crate::price::PriceList;
use crate::results::summary::Summary;
use crate::sample::FailedKey;
use crate::server::Embedded;
use crate::speed::Store;
use crate::store::StaticCredentials;

/// What a run gets from outside.
pub struct RunContext<'a> {
    /// When this process began, in ns of the monotonic clock.
    pub process_start_ns: u64,
    /// Where facts about the machine come from.
    pub sources: Sources,
    /// How children are started.
    pub children: ChildOptions,
    /// The embedded server and the credentials for it.
    pub embedded: Option<(&'a mut Embedded, StaticCredentials)>,
    /// What AWS charges.
    pub prices: PriceList,
    /// Set once a signal has come.
    pub signal: Receiver<Option<Signal>>,
    /// Gets every event.
    pub on_event: &'a mut dyn FnMut(&RunEvent),
    /// What was noticed before the run.
    pub warnings: Vec<String>,
    /// What serves the objects, for the size of a sample.
    pub store: Store,
    /// What may be fetched without a question.
    pub cost_policy: CostPolicy,
    /// Asks a person.
    pub ask: Ask<'a>,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// The summary as it was stored.
    pub summary: Box<Summary>,
    /// Exit code, with a message where it is not good.
    pub exit: Result<Exit, Failure>,
    /// The first object of the listing that could not be fetched; a summary has no keys.
    pub first_failure: Option<FailedKey>,
}
