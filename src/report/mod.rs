//! What several runs say together: reading their results, grouping them into cells, and the analysis (medians, verdicts, knees, predictions,
//! recommendations).
//!
//! Owns the model that every form of a report is rendered from. Reads summaries and records, never rows (but for the few fetches of one run that a
//! chart shows); runs nothing and prints nothing.

mod advice;
mod burst;
mod choose;
mod compare;
mod cost;
mod curves;
mod detail;
mod figures;
mod json;
mod markdown;
mod metric;
mod model;
mod observation;
mod predict;
mod read;
mod recommend;
mod study;
mod text;
mod tidy;
mod time;
mod verdict;
mod wording;

pub mod page;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use advice::{Basis, Choice, Cost, Edge, Held, KneeSide, Prediction, Recommendation, ScaledBy};
pub use compare::{
    ALPHA, Change, Compared, Comparison, Overall, Side, compare, compare_programs,
    render_comparison_csv, render_comparison_json, render_comparison_markdown,
    render_comparison_text,
};
pub use detail::{Bucket, Detail, FETCHES, Fetch, Open, detail};
pub use json::{SCHEMA, VERSION, to_json};
pub use markdown::render_markdown;
pub use metric::{Better, Metric, Unit};
pub use model::{
    Against, CellReport, Curve, Facts, Failure, Figure, Interval, Limit, Place, SpeedUp, Standing,
    Study, Verdict, Workload,
};
pub use observation::{Counts, Course, Observation, Percentiles, RateDrop, Source, Times, Usage};
pub use read::{Problem, ProblemKind, Reader, Reading, read};
pub use study::studies;
pub use text::{Emphasis, Extent, Paint, Role, View, render_text};
pub use tidy::render_csv;
