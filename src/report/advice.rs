//! What a report says of the whole bucket, as plain data: prices, predictions and what they rest on, recommendations.
//!
//! The second half of the model (`model.rs`); like it, in base units, with `None` for what is not known.

use serde::Serialize;

use super::model::Interval;
use super::observation::RateDrop;
use crate::cell::Program;

/// What one repetition of a cell costs as a Fargate task, in the median.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Of one repetition: vCPU and memory for the billed seconds, with the one-minute minimum.
    pub usd_task: f64,
    /// Of one repetition: GET and LIST requests.
    pub usd_requests: f64,
    /// Of one repetition: retrieval by storage class.
    pub usd_retrieval: f64,
    /// The seconds that are billed.
    pub billed_s: f64,
    /// Date of the price list.
    pub prices_dated: String,
    /// Whether it is what such a task would cost, not what was paid: the cell did not run on Fargate.
    pub is_hypothetical: bool,
}

impl Cost {
    /// Everything.
    pub fn usd_total(&self) -> f64 {
        self.usd_task + self.usd_requests + self.usd_retrieval
    }
}

/// How long a rate was seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Seconds for which the first rate held, in the repetition where it held longest (with a drop: where it dropped first).
    pub held_s: f64,
    /// The earliest drop that any repetition saw.
    pub drop: Option<RateDrop>,
}

/// The whole bucket with one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Keys of the bucket.
    pub keys: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The whole task.
    pub seconds: f64,
    /// From the interval of the median; `None` with too few repetitions.
    pub interval: Option<Interval>,
    /// Fetching alone.
    pub fetch_s: f64,
    /// What the whole consists of, in order: name and seconds.
    pub parts: Vec<(String, f64)>,
    /// What fetching was scaled by.
    pub scaled_by: ScaledBy,
    /// What the rate rests on.
    pub basis: Basis,
    /// What it costs; `None` where no price is known.
    pub cost: Option<Cost>,
    /// What a reader must know, in sentences without a full stop.
    pub notes: Vec<String>,
}

/// How the fetch time of a repetition became that of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaledBy {
    /// By bytes.
    Bytes,
    /// By objects, which gave over 10 % more.
    Objects,
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
    /// A drop was seen: the burst rate up to its bytes, the lower rate after them.
    Sustained {
        /// The drop.
        drop: RateDrop,
        /// Bytes of the bucket fetched at the lower rate; 0 when all of it fits into the burst.
        after_drop_bytes: u64,
    },
}

/// What to run, for one program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The program; never merged with another.
    pub program: Program,
    /// Lowest total price (without prices: none).
    pub cheapest: Option<Choice>,
    /// Shortest predicted time.
    pub fastest: Option<Choice>,
    /// Cells that no other one beats in both time and price, fastest first; places in [`super::Study::cells`].
    pub pareto: Vec<usize>,
    /// Why there is nothing to recommend, or no cheapest cell.
    pub because: Option<String>,
    /// The rule, in a sentence.
    pub rule: &'static str,
}

/// A recommended cell with what is needed to run it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Its place in [`super::Study::cells`], where its prediction stands.
    pub cell: usize,
    /// In words: size, time, price, and what the prediction rests on; several sentences.
    pub words: String,
    /// `MODE=async CONCURRENCY=16 PARFETCH_CLIENT=lean`.
    pub environment: Vec<(String, String)>,
    /// The `overrides` of ECS `RunTask`, as JSON in one line; the container's name is to be filled in.
    pub run_task_overrides: String,
}
