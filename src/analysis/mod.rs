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
pub(crate) mod curves;
mod detail;
pub(crate) mod figures;
mod fit;
pub(crate) mod metric;
pub(crate) mod model;
mod observation;
mod predict;
mod read;
mod recommend;
mod study;
mod time;
pub(crate) mod verdict;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use advice::Basis;
pub use advice::{Choice, Held, Prediction, Recommendation};
pub use compare::{Change, Compared, Comparison, compare, compare_programs};
pub use detail::{Bucket, Detail, FETCHES, Fetch, Open, detail};
pub use metric::{Better, Metric, Unit};
pub use model::{CellReport, Figure, Limit, Standing, Study};
pub use observation::Observation;
pub use read::{Problem, ProblemKind, Reader};
pub use study::studies;
