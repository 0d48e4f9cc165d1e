//! What several runs say together: reading their results, grouping them into cells, and the analysis (medians, verdicts, knees, predictions,
//! recommendations).
//!
//! Owns the model that every form of a report is rendered from. Reads summaries and records, never rows (but for the few fetches of one run that a
//! chart shows); runs nothing and prints nothing.

mod compare;
mod markdown;
mod metric;
mod model;
mod observation;
mod read;
mod text;
mod tidy;
mod wording;

#[cfg(test)]
mod sample;

pub use compare::{
    ALPHA, Change, Compared, Comparison, Overall, Side, compare, render_comparison_csv, render_comparison_json, render_comparison_markdown,
    render_comparison_text,
};
pub use markdown::render_markdown;
pub use metric::{Better, Metric, Unit};
pub use model::{
    Against, Basis, CellReport, Choice, Cost, Curve, Facts, Failure, Figure, Held, Interval, Limit, Place, Prediction, Recommendation, ScaledBy,
    SpeedUp, Standing, Study, Verdict, Workload,
};
pub use observation::{Counts, Course, Observation, Percentiles, RateDrop, Source, Times, Usage};
pub use read::{Problem, Reading};
pub use text::{Emphasis, Paint, Role, View, render_text};
pub use tidy::render_csv;
