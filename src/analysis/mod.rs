//! What several runs say together: reading their results, grouping them into cells, and the analysis (medians, verdicts, knees, predictions,
//! recommendations).
//!
//! Owns the model that every form of a report is rendered from: a wrong number is here, a wrong word in `render`. Reads summaries and records, never
//! rows (but for the few fetches of one run that a chart shows); runs nothing and prints nothing.

pub(crate) mod advice;
mod burst;
mod choose;
mod compare;
mod cost;
mod cost_of_time;
mod curves;
mod detail;
mod evidence;
mod facts;
mod figures;
mod fit;
pub(crate) mod grounds;
pub(crate) mod metric;
pub(crate) mod model;
pub(crate) mod notes;
pub(crate) mod observation;
mod predict;
mod read;
mod recommend;
mod remarks;
mod scale;
mod served;
mod study;
mod tasks;
pub(crate) mod thresholds;
mod time;
mod tuned;
mod verdict;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use advice::Basis;
pub use advice::{Choice, FirstLook, Held, MostServed, Prediction, Recommendation};
pub use compare::{
    Change, Compared, Comparison, Difference, FailedRuns, LostFetches, Overall, Power, StudyOrigin,
    compare, compare_programs,
};
pub use detail::{Detail, FETCHES, Fetch, Open, TimeBucket, detail};
pub use metric::{Better, Metric};
pub use model::{CellReport, Figure, Limit, Standing, Study};
pub use observation::Observation;
pub use read::{Problem, ProblemKind, Reader, observe};
pub use recommend::{container_overrides, task_overrides};
pub use study::studies;
pub use tuned::tuned_place;
