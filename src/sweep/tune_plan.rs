//! The table `[tune]` of a plan: what a tune looks for.

use serde::{Deserialize, Serialize};

use crate::results::tune::GoalWord;
use crate::units;

/// What a tune looks for among the configurations of its plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TunePlan {
    /// What is to be small.
    pub goal: GoalWord,
    /// The longest time of the whole bucket that is allowed, as `30m`; none = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// What counts as good as the best: 0.05 is 5 %.
    pub within: f64,
    /// How likely the answer must be that good.
    pub confidence: f64,
    /// How long a run is to last, as `30s`.
    pub run: String,
}

impl TunePlan {
    pub fn deadline_s(&self) -> Option<f64> {
        let time = units::parse_duration(self.deadline.as_deref()?).ok()?;
        Some(time.as_secs_f64())
    }

    pub fn run_s(&self) -> f64 {
        units::parse_duration(&self.run).map_or(TUNE_RUN_S, |time| time.as_secs_f64())
    }
}

impl Default for TunePlan {
    fn default() -> Self {
        Self {
            goal: GoalWord::Cheapest,
            deadline: None,
            within: 0.05,
            confidence: 0.95,
            run: format!("{TUNE_RUN_S}s"),
        }
    }
}

/// Seconds of a run of a tune where the plan does not say.
const TUNE_RUN_S: f64 = 30.0;
