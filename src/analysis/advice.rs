//! What a report says of the whole bucket, as plain data: prices, predictions and what they rest on, recommendations.
//!
//! The second half of the model (`model.rs`); like it, in base units, with `None` for what is not known.

use serde::Serialize;

use super::notes::{PredictedPhase, PredictionNote};
use super::observation::RateDrop;
use super::thresholds::{REPETITIONS, SHORTEST_S, VARIED};
use crate::cell::Program;
use crate::plan::Factors;
use crate::stats::location::Interval;

/// What one repetition of a cell costs as a Fargate task, in the median.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Of one repetition: vCPU and memory for the billed seconds, with the one-minute minimum.
    pub usd_task: f64,
    /// Of one repetition: GET and LIST requests; `None` where what it read is not known.
    pub usd_requests: Option<f64>,
    /// Of one repetition: retrieval by storage class; `None` where what it read is not known.
    pub usd_retrieval: Option<f64>,
    /// Of one repetition: bytes that leave the region; `None` where that was not asked for.
    pub usd_egress: Option<f64>,
    /// The seconds that are billed.
    pub billed_s: f64,
    /// Whether that is Fargate's minimum of a minute and not the time.
    pub is_minimum: bool,
    /// Date of the price list.
    pub prices_dated: String,
    /// Whether it is what such a task would cost, not what was paid: the cell did not run on Fargate.
    pub is_hypothetical: bool,
    /// Whether tasks ran on Spot capacity and have the price of On-Demand, because the list has none of Spot: less was paid.
    pub is_of_on_demand: bool,
}

impl Cost {
    /// Everything that is known.
    pub fn usd_total(&self) -> f64 {
        let others = [self.usd_requests, self.usd_retrieval, self.usd_egress];
        self.usd_task + others.into_iter().flatten().sum::<f64>()
    }
}

/// How long a rate was seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Seconds for which the first rate held, in the repetition where it held longest (with a drop: until then).
    pub held_s: f64,
    /// The drop, in the median of the repetitions that saw it; `None` when fewer than half of those saw it that lasted long enough.
    pub drop: Option<RateDrop>,
}

/// The whole bucket with one cell; one run of a program whose time alone is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The bucket that it is of; `None` of one run, as what the program reads is not known.
    pub bucket: Option<PredictedBucket>,
    /// The whole task.
    pub seconds: f64,
    /// What one run takes in 95 % of all cases; `None` with too few repetitions.
    pub interval: Option<Interval>,
    /// What that costs, in US dollars; `None` where the interval or the price is not known.
    pub usd_interval: Option<Interval>,
    /// The same time as each repetition alone would have it, without what the time of that run did to it.
    pub runs_s: Vec<f64>,
    /// What orders cells, for each of these: the tasks' price in US dollars, or in parts of it where no price is known.
    pub runs_order: Vec<f64>,
    /// The same for `seconds`.
    pub order: Option<f64>,
    /// Fetching alone.
    pub fetch_s: f64,
    /// What the whole consists of, in order, with its seconds.
    pub parts: Vec<(PredictedPhase, f64)>,
    /// What it costs; `None` where no price is known.
    pub cost: Option<Cost>,
    /// What a reader must know.
    pub notes: Vec<PredictionNote>,
}

/// The bucket of a prediction, and how the time of runs became its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedBucket {
    /// Its keys.
    pub keys: u64,
    /// Its bytes.
    pub bytes: u64,
    /// What fetching was scaled by.
    pub scaled_by: ScaledBy,
    /// Fetch time by objects ÷ fetch time by bytes: 1 where the measured objects are as large as the bucket's, above 1 where they are larger.
    pub objects_over_bytes: f64,
    /// What the rate rests on.
    pub basis: Basis,
}

impl Prediction {
    /// What its rate rests on; `None` of one run.
    pub(crate) fn basis(&self) -> Option<Basis> {
        self.bucket.map(|bucket| bucket.basis)
    }

    /// Highest ÷ lowest time of its interval, where a reader must know that this is much.
    pub(crate) fn times_varied(&self) -> Option<f64> {
        let interval = self
            .interval
            .as_ref()
            .filter(|interval| interval.low > 0.0)?;
        Some(interval.high / interval.low).filter(|times| *times >= VARIED)
    }
}

/// How the fetch time of a repetition became that of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaledBy {
    /// By bytes.
    Bytes,
    /// Between bytes and objects, which differ by more than 10 %.
    Between,
}

/// What a predicted rate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Basis {
    /// Runs of the cell lasted as long as the prediction.
    Seen {
        /// The longest time for which the rate was seen to hold.
        held_s: f64,
        /// The predicted fetch time.
        needed_s: f64,
    },
    /// A burst: if the rate holds for `needed_s`, of which `held_s` were seen. The sustained rate was not measured.
    Burst {
        /// The longest time for which the rate was seen to hold.
        held_s: f64,
        /// The predicted fetch time.
        needed_s: f64,
    },
    /// The rate is at most what this size carried on after its burst.
    BelowSustained {
        /// Bytes a second after the burst.
        sustained_bytes_per_s: f64,
    },
    /// A drop was seen in this size: the burst rate up to its bytes, the lower rate after them.
    Sustained {
        /// The drop.
        drop: RateDrop,
        /// Bytes of the bucket fetched at the lower rate; 0 when all of it fits into the burst.
        after_drop_bytes: u64,
    },
}

/// What to run, for one program.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// The program; never merged with another.
    pub program: Program,
    /// Its server and other factors; never merged either.
    pub factors: Factors,
    /// Lowest price of the tasks (without prices: none).
    pub cheapest: Option<Choice>,
    /// Shortest predicted time.
    pub fastest: Option<Choice>,
    /// Cells that no other one beats in both time and price, fastest first; places in [`super::Study::cells`].
    pub pareto: Vec<usize>,
    /// Why there is nothing to recommend, or no cheapest cell.
    pub because: Option<Lack>,
}

/// Why there is nothing to recommend, or no cheapest cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No cell can be recommended.
    NoCell {
        /// Of so many.
        of: usize,
        /// So many had failed repetitions or objects.
        failed: usize,
        /// So many measured the server; the others lack keys and bytes of the bucket.
        server_bound: usize,
    },
    /// No cheapest cell: Fargate has no task of these sizes.
    NoSize,
}

/// Why a choice is a first look and no recommendation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FirstLook {
    /// The objects measured are so many times as large as the bucket's.
    Unlike(f64),
    /// There are so few repetitions.
    Repetitions(usize),
    /// Runs took so few seconds.
    Short(f64),
}

impl FirstLook {
    /// Repetitions from which something is recommended.
    pub const REPETITIONS: usize = REPETITIONS;

    /// Whether so many repetitions are too few.
    pub fn of_repetitions(repetitions: usize) -> Option<Self> {
        (repetitions < REPETITIONS).then_some(Self::Repetitions(repetitions))
    }

    /// Whether so many seconds of fetching are too short.
    pub fn of_seconds(seconds: f64) -> Option<Self> {
        (seconds < SHORTEST_S).then_some(Self::Short(seconds))
    }
}

/// Of a web server, the configuration with the highest median rate, and those that are as good.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MostServed {
    /// Its place in [`super::Study::cells`].
    pub cell: usize,
    /// Its good answers a second: the median.
    pub requests_per_s: f64,
    /// Others whose median is lower by 2 % at most, the highest first; places in [`super::Study::cells`].
    pub within: Vec<usize>,
    /// Faster ones with failed requests, which are not compared.
    pub left_out: usize,
    /// Why it is a first look; `None` where it is more.
    #[serde(skip)]
    pub first_look: Option<FirstLook>,
}

/// A recommended cell with what is needed to run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its place in [`super::Study::cells`], where its prediction stands.
    pub cell: usize,
    /// Share of samples, drawn again from the repetitions, in which the same cell is chosen; `None` as a first look.
    pub confidence: Option<f64>,
    /// Share of them in which it or one that it is tied with is chosen; `None` as a first look.
    pub confidence_with_ties: Option<f64>,
    /// Share of them in which no other cell is better by more than 5 %; `None` as a first look.
    pub confidence_near: Option<f64>,
    /// Cells that cannot be told from the best either, in the order in which they would be chosen; places in [`super::Study::cells`].
    pub tied_with: Vec<usize>,
    /// At which edges of what was measured it lies.
    pub at_edge: Vec<Edge>,
    /// Where it lies on its curve; `None` without a knee.
    pub knee: Option<KneeSide>,
    /// Why this is a first look and no recommendation.
    pub first_look: Option<FirstLook>,
    /// Faster cells that measured the server and are not recommended; 0 for the cheapest.
    pub left_out: usize,
    /// `MODE=async CONCURRENCY=16 PARFETCH_CLIENT=lean`.
    pub environment: Vec<(String, String)>,
    /// The `overrides` of ECS `RunTask`, as JSON in one line: of parfetch's own container, or of that of a contender which was measured on ECS. `None` as a
    /// first look.
    pub run_task_overrides: Option<String>,
}

/// An edge of what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// The highest concurrency of its curve, which was not flat before it.
    MostWorkers,
    /// The lowest concurrency of its curve, above one.
    FewestWorkers,
    /// The most vCPU, for the fastest.
    LargestTask,
    /// The fewest vCPU, above Fargate's fewest, for the cheapest.
    SmallestTask,
}

/// Where a cell lies on its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KneeSide {
    /// Fewer workers than the knee.
    Below,
    /// The knee.
    At,
    /// More workers than the knee.
    Above,
}
