//! What a tune is asked, what it asks to be measured, and what it answers.

use super::goal::{Terms, TuneGoal};
use super::space::{Space, SpaceEdge};

/// What is asked.
#[derive(Clone, Debug)]
pub struct TuneQuestion {
    /// What there is to choose from.
    pub space: Space,
    /// What time costs.
    pub terms: Terms,
    /// What is best.
    pub goal: TuneGoal,
    /// Whether the program is somebody else's, which may have a lock.
    pub is_contender: bool,
    /// Whether it requests a web server, and not a bucket.
    pub is_web: bool,
    /// What counts as good as the best: 0.05 is 5 %.
    pub within: f64,
    /// How likely the answer must be that good.
    pub confidence: f64,
    /// Runs at most.
    pub most_runs: usize,
    /// Seconds that an ordinary run is to last.
    pub run_s: f64,
    /// Of the order of blocks and of draws.
    pub seed: u64,
}

/// Why something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The ends and the middle of the space.
    Start,
    /// It is the best so far.
    Best,
    /// It may be better than the best.
    MayBeBetter,
    /// What is recommended must be measured more than once.
    Confirm,
    /// It is next to what may be recommended.
    Neighbour,
    /// Its size may have a burst that ends.
    Burst,
}

/// Which configuration is to be measured, how much it fetches, and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WantedRun {
    /// Its configuration: a place in the space.
    pub config: usize,
    /// What it is to show.
    pub why: Why,
    /// Objects of the frozen order, from its start.
    pub objects: f64,
    /// Where it is to end by the clock, however many objects that are.
    pub ends_s: Option<f64>,
    /// What is expected: seconds, objects a second.
    pub expected_s: f64,
    /// What is expected: objects a second.
    pub expected_rate: f64,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The answer is sure.
    Sure,
    /// No run is left.
    Runs,
    /// Somebody or something else ended it.
    Asked,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its configuration: a place in the space.
    pub config: usize,
    /// Chance to be as good as the best.
    pub confidence: f64,
    /// By which share it is worse than the best, in 95 of 100 cases at most.
    pub at_worst: f64,
    /// Those that cannot be told from it, in the order in which they would be taken.
    pub tied: Vec<usize>,
    /// The ends of the space at which it lies.
    pub edge: SpaceEdge,
    /// Seconds of a task: 2.5, 50, 97.5 %.
    pub seconds: [f64; 3],
    /// Seconds that a task is billed for beyond them.
    pub pull_s: f64,
    /// What was measured and is the least in time, and the least in price.
    pub extremes: [Extreme; 2],
    /// Those that may be better by more than what counts as good, most likely first; empty where the answer is sure.
    pub open: Vec<usize>,
    /// The best of each other size that is neither as good nor open, and by how much it is worse.
    pub dropped: Vec<Dropped>,
    /// How runs vary: standard deviation of the logarithm.
    pub sigma: f64,
    /// Why no more was measured.
    pub stopped: StopReason,
}

/// A configuration that was measured, and its seconds of a task: 2.5, 50, 97.5 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extreme {
    /// Its configuration: a place in the space.
    pub config: usize,
    /// Of a task: 2.5, 50, 97.5 %.
    pub seconds: [f64; 3],
}

/// A size that was not looked at any further.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropped {
    /// Its best configuration, measured or not.
    pub config: usize,
    /// By which share it is worse than the answer, by the middle of what is known of both: of the cheapest the price of the task.
    pub worse: f64,
}

/// A run to make, or the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// This run.
    Run(WantedRun),
    /// `None` where nothing was measured, or numbers fail.
    Stop(Option<Found>),
}

/// Parts of the strategy that can be left out, to show that each is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg(test)]
pub enum Without {
    Deviations,
    Soaks,
    Neighbours,
}
