//! The best configuration so far, and how far that can be relied on. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::Program;
use crate::event::RunRate;
use crate::stats::location::median;
use crate::units;

/// Rates by program and configuration, in words.
#[derive(Debug, Default)]
pub(super) struct Best {
    rates: BTreeMap<(Program, String), Vec<f64>>,
    /// Those with failures, which a report does not recommend.
    left_out: BTreeSet<(Program, String)>,
    unit: Option<RunRate>,
}

impl Best {
    /// A run of this configuration had this rate.
    pub(super) fn add(&mut self, (program, cell): (&Program, &str), rate: RunRate) {
        let key = (program.clone(), cell.to_owned());
        if rate.number().is_finite() && !self.left_out.contains(&key) {
            self.unit = Some(rate);
            self.rates.entry(key).or_default().push(rate.number());
        }
    }

    /// A run of this configuration failed, or some of its fetches did.
    pub(super) fn leave_out(&mut self, (program, cell): (&Program, &str)) {
        let key = (program.clone(), cell.to_owned());
        self.rates.remove(&key);
        self.left_out.insert(key);
    }

    /// `best so far: 2 vCPUs · 4 GB · async × 16 · lean, 590 MB/s (4 runs, 2 others may be as fast)`; none before a run has ended. A program that somebody
    /// brought is what the question is about: parfetch's own clients are faster, and say nothing of it.
    pub(super) fn in_words(&self) -> Option<String> {
        let is_brought = |program: &Program| !program.is_parfetch();
        let has_brought = self.rates.keys().any(|(program, _)| is_brought(program));
        let asked = self.rates.iter();
        let asked = asked.filter(|((program, _), _)| is_brought(program) == has_brought);
        let (best, rates) = asked.max_by(|one, other| middle(one.1).total_cmp(&middle(other.1)))?;
        let (program, cell) = best;
        let of_program = || {
            let all = self.rates.iter();
            all.filter(move |(other, _)| other.0 == *program)
        };
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        // Whose fastest run is as fast as the slowest of the best.
        let as_fast = |(other, of): &(&(Program, String), &Vec<f64>)| {
            *other != best && of.iter().any(|rate| *rate >= least)
        };
        let others = of_program().filter(as_fast).count();
        let runs = rates.len();
        let s = if runs == 1 { "" } else { "s" };
        let sure = match (others, runs) {
            (1, _) => ", 1 other may be as fast".to_owned(),
            (2.., _) => format!(", {} others may be as fast", units::count(others as u64)),
            (0, 2..) if of_program().count() > 1 => ", each faster than all others".to_owned(),
            _ => String::new(),
        };
        let of = if of_program().count() < self.rates.len() {
            format!(" of {}", program.name())
        } else {
            String::new()
        };
        Some(format!(
            "best so far{of}: {cell}, {} ({runs} run{s}{sure})",
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
    use crate::plan::ClientKind;

    const LEAN: Program = Program::Client(ClientKind::Lean);

    fn after(runs: &[(&str, f64)]) -> Option<String> {
        let mut best = Best::default();
        for (cell, mb_per_s) in runs {
            best.add((&LEAN, cell), RunRate::BytesPerS(mb_per_s * 1e6));
        }
        best.in_words()
    }

    #[test]
    fn the_best_says_how_far_it_can_be_relied_on() {
        let of = |runs: &[(&str, f64)]| {
            let said = after(runs).unwrap();
            said.strip_prefix("best so far: ").unwrap().to_owned()
        };
        assert_eq!(after(&[]), None);
        assert_eq!(of(&[("a", 490.0)]), "a, 490 MB/s (1 run)");
        assert_eq!(of(&[("a", 490.0), ("b", 100.0)]), "a, 490 MB/s (1 run)");
        assert_eq!(
            of(&[("a", 490.0), ("a", 500.0), ("b", 100.0)]),
            "a, 495 MB/s (2 runs, each faster than all others)"
        );
        assert_eq!(
            of(&[("a", 490.0), ("a", 510.0), ("b", 495.0)]),
            "a, 500 MB/s (2 runs, 1 other may be as fast)"
        );
        assert_eq!(
            of(&[("a", 490.0), ("a", 510.0), ("b", 495.0), ("c", 490.0)]),
            "a, 500 MB/s (2 runs, 2 others may be as fast)"
        );
    }

    #[test]
    fn a_configuration_with_failures_is_never_the_best() {
        let mut best = Best::default();
        let rate = |per_s| RunRate::RequestsPerS(per_s);
        best.add((&LEAN, "a"), rate(900.0));
        best.add((&LEAN, "b"), rate(100.0));
        best.leave_out((&LEAN, "a"));
        best.add((&LEAN, "a"), rate(900.0));
        let said = "best so far: b, 100 requests/s (1 run)";
        assert_eq!(best.in_words().as_deref(), Some(said));
        best.leave_out((&LEAN, "b"));
        assert_eq!(best.in_words(), None);
    }

    #[test]
    fn the_best_is_that_of_the_program_that_somebody_brought() {
        let mut best = Best::default();
        let python = Program::Contender("python".to_owned());
        let mut add = |program: &Program, cell: &str, mb_per_s: f64| {
            best.add((program, cell), RunRate::BytesPerS(mb_per_s * 1e6));
            best.in_words().unwrap()
        };
        assert_eq!(add(&LEAN, "a", 990.0), "best so far: a, 990 MB/s (1 run)");
        assert_eq!(
            add(&python, "a", 90.0),
            "best so far of python: a, 90.0 MB/s (1 run)"
        );
        assert_eq!(
            add(&python, "b", 150.0),
            "best so far of python: b, 150 MB/s (1 run)"
        );
    }
}
