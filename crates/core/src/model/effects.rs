//! The smaller tables of a model's file: how limits meet, how modes differ, what throttling costs, how runs vary, and what a task does besides fetching.

use serde::{Deserialize, Serialize};

/// A value for each mode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByMode {
    /// Tasks.
    pub r#async: f64,
    /// Threads.
    pub thread: f64,
    /// Child processes.
    pub process: f64,
}

/// How limits meet: objects a second = (Σ limit ^ −power) ^ (−1/power).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Corner {
    /// `inf`: the lowest limit alone.
    pub power: f64,
}

impl Default for Corner {
    fn default() -> Self {
        Self { power: 30.0 }
    }
}

/// How modes differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModeFactors {
    /// × the rate.
    pub factor: ByMode,
    /// By this share the rate has fallen at 512 workers: × 1 − fall × (log2(c) ÷ 9)³.
    pub fall: f64,
}

impl Default for ModeFactors {
    fn default() -> Self {
        Self {
            factor: ByMode {
                r#async: 1.0,
                thread: 0.99,
                process: 1.0,
            },
            fall: 0.0,
        }
    }
}

/// What asking for too much costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Goodput lost: × 1 − retreat × share of answers that say «too fast» (½ (1 − max ÷ asked), 0.4 at most).
    pub retreat: f64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { retreat: 0.3 }
    }
}

/// How runs differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Of which kind.
    pub kind: NoiseKind,
    /// Of the log of a run's time.
    pub sigma: f64,
    /// Of the log of a second's bytes.
    pub second: f64,
}

/// How the noise of one run depends on the runs before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// Each run by itself.
    #[default]
    Iid,
    /// A run is like the one before it (0.9).
    Ar1,
    /// 8 % of the runs take 1.3 to 3 times as long.
    Outliers,
    /// The last run of a sweep takes 15 % longer than the first.
    Drift,
}

impl Default for Noise {
    fn default() -> Self {
        Self {
            kind: NoiseKind::Iid,
            sigma: 0.05,
            second: 0.04,
        }
    }
}

/// What a task does besides fetching, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Start {
    /// Start of the process to the first request.
    pub start_up_s: f64,
    /// Billed on ECS before the start.
    pub pull_s: f64,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            start_up_s: 0.02,
            pull_s: 30.0,
        }
    }
}
