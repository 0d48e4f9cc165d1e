//! What the page's script is told: one small record per chart, in the order of the page. Selects and rounds; computes nothing.

use serde::Serialize;

/// The records of the charts so far.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Charts {
    specs: Vec<Spec>,
}

impl Charts {
    /// Keeps a record; its place is the number that the chart's element names.
    pub(super) fn add(&mut self, spec: Spec) -> usize {
        self.specs.push(spec);
        self.specs.len() - 1
    }
}

/// One chart.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Spec {
    /// Lines with bands over a list of places; `titles` say each place in full.
    Lines {
        x: Vec<String>,
        titles: Vec<String>,
        x_name: &'static str,
        lines: Vec<ChartLine>,
    },
    /// Speed against price.
    Price { points: Vec<Point>, unit: String },
    /// One distribution.
    Histogram {
        style: String,
        bins: Vec<(f64, f64, f64, u64)>,
        marks: Vec<(String, f64)>,
        range: (f64, f64),
        top: f64,
    },
    /// Throughput of each second.
    Series { lines: Vec<Seconds> },
    /// Worker, start, first byte, end, state (0 ok, 1 retried, 2 failed), attempts; times in seconds.
    Timeline {
        fetches: Vec<(u32, f64, Option<f64>, f64, u8, u32)>,
    },
}

/// At a place of the axis: nothing, or median, low and high.
pub(super) type AtAxis = Option<(f64, Option<f64>, Option<f64>)>;

/// A line; `named` ones are named in the chart itself.
#[derive(Serialize)]
pub(super) struct ChartLine {
    pub(super) label: String,
    pub(super) style: String,
    pub(super) named: bool,
    pub(super) points: Vec<AtAxis>,
}

/// A configuration with a price; `front`: no other one beats it.
#[derive(Serialize)]
pub(super) struct Point {
    pub(super) style: String,
    pub(super) usd: f64,
    pub(super) mb_s: f64,
    pub(super) label: String,
    pub(super) front: bool,
    /// What it is chosen as, and in few words; empty for most.
    pub(super) chosen: String,
}

/// A run's seconds.
#[derive(Serialize)]
pub(super) struct Seconds {
    pub(super) label: String,
    pub(super) style: String,
    pub(super) values: Vec<f64>,
}

/// Five significant digits: more is not seen on a screen.
pub(super) fn round(value: f64) -> f64 {
    format!("{value:.4e}")
        .parse()
        .expect("a number that was just written")
}

/// A tenth of a millisecond.
pub(super) fn milli(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_five_digits() {
        assert_eq!(round(1_973.456).to_string(), "1973.5");
        assert_eq!(round(0.038_123_4).to_string(), "0.038123");
        assert_eq!(round(0.0).to_string(), "0");
        assert_eq!(milli(1.234_56).to_string(), "1.2346");
    }
}
