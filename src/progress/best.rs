//! The best configuration so far, and how far that can be relied on. Pure.

use std::collections::BTreeMap;

use crate::event::RunRate;
use crate::stats::location::median;
use crate::units;

/// Rates by configuration, in words.
#[derive(Debug, Default)]
pub(super) struct Best {
    rates: BTreeMap<String, Vec<f64>>,
    unit: Option<RunRate>,
}

impl Best {
    /// A run of this configuration had this rate.
    pub(super) fn add(&mut self, cell: &str, rate: RunRate) {
        if rate.number().is_finite() {
            self.unit = Some(rate);
            self.rates
                .entry(cell.to_owned())
                .or_default()
                .push(rate.number());
        }
    }

    /// `2 vCPUs · 4 GB · async × 16 · lean, 590 MB/s (4 runs, 2 others may be as fast)`; none before a run has ended.
    pub(super) fn in_words(&self) -> Option<String> {
        let (cell, rates) = self
            .rates
            .iter()
            .max_by(|one, other| middle(one.1).total_cmp(&middle(other.1)))?;
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        // Whose fastest run is as fast as the slowest of the best.
        let as_fast = |(other, of): &(&String, &Vec<f64>)| {
            *other != cell && of.iter().any(|rate| *rate >= least)
        };
        let others = self.rates.iter().filter(as_fast).count();
        let runs = rates.len();
        let s = if runs == 1 { "" } else { "s" };
        let sure = match (others, runs) {
            (1, _) => ", 1 other may be as fast".to_owned(),
            (2.., _) => format!(", {} others may be as fast", units::count(others as u64)),
            (0, 2..) if self.rates.len() > 1 => ", each faster than all others".to_owned(),
            _ => String::new(),
        };
        Some(format!(
            "{cell}, {} ({runs} run{s}{sure})",
            rate_in_words(self.unit?.with(middle(rates)))
        ))
    }
}

/// `490 MB/s`, `812 requests/s`
pub(super) fn rate_in_words(rate: RunRate) -> String {
    match rate {
        RunRate::BytesPerS(rate) => units::rate_mb(rate),
        RunRate::RequestsPerS(rate) => format!("{} requests/s", units::three_digits(rate)),
    }
}

fn middle(rates: &[f64]) -> f64 {
    median(rates).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(runs: &[(&str, f64)]) -> Option<String> {
        let mut best = Best::default();
        for (cell, mb_per_s) in runs {
            best.add(cell, RunRate::BytesPerS(mb_per_s * 1e6));
        }
        best.in_words()
    }

    #[test]
    fn the_best_says_how_far_it_can_be_relied_on() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("a", 490.0)]).unwrap(), "a, 490 MB/s (1 run)");
        assert_eq!(
            after(&[("a", 490.0), ("b", 100.0)]).unwrap(),
            "a, 490 MB/s (1 run)"
        );
        assert_eq!(
            after(&[("a", 490.0), ("a", 500.0), ("b", 100.0)]).unwrap(),
            "a, 495 MB/s (2 runs, each faster than all others)"
        );
        assert_eq!(
            after(&[("a", 490.0), ("a", 510.0), ("b", 495.0)]).unwrap(),
            "a, 500 MB/s (2 runs, 1 other may be as fast)"
        );
        assert_eq!(
            after(&[("a", 490.0), ("a", 510.0), ("b", 495.0), ("c", 490.0)]).unwrap(),
            "a, 500 MB/s (2 runs, 2 others may be as fast)"
        );
    }
}
