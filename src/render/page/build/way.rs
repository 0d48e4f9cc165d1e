//! The picture of a tune: in the size of each answer, what was measured against workers, and what was expected.

use std::collections::BTreeSet;

use super::super::types::{WayCurve, WayLine};
use crate::plan::Mode;
use crate::render::wording::tune_steps;
use crate::results::tune::{ProgramAnswer, TuneDocument};
use crate::stats::location::median;

/// A picture for each program that has an answer.
pub(super) fn curves(document: &TuneDocument) -> Vec<WayCurve> {
    document
        .answers
        .iter()
        .filter_map(|answer| curve(answer, document))
        .collect()
}

fn curve(answer: &ProgramAnswer, document: &TuneDocument) -> Option<WayCurve> {
    let of = answer.choice(document.goal)?.configuration;
    let workers: BTreeSet<u32> = answer
        .curve
        .iter()
        .map(|one| one.configuration.concurrency)
        .collect();
    let workers: Vec<u32> = workers.into_iter().collect();
    let measured = |mode: Mode, workers: u32| {
        let of_configuration = document.steps.iter().filter(|step| {
            let own = &step.configuration;
            step.is_of(answer)
                && (own.vcpu, own.memory_mib) == (of.vcpu, of.memory_mib)
                && (own.mode, own.concurrency) == (mode, workers)
        });
        let rates: Vec<f64> = of_configuration
            .filter_map(|step| {
                let seen = step.seen?;
                Some(seen.objects_per_s.unwrap_or(seen.fetch_s))
            })
            .collect();
        let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let high = rates.iter().copied().fold(0.0, f64::max);
        Some((median(&rates)?, Some(low), Some(high)))
    };
    let expected = |mode: Mode, workers: u32| {
        let found = answer
            .curve
            .iter()
            .find(|one| (one.configuration.mode, one.configuration.concurrency) == (mode, workers));
        found.and_then(|one| Some((one.objects_per_s.or(one.run_s)?, None, None)))
    };
    let mut lines = Vec::new();
    for (mode, dashed) in Mode::ALL.into_iter().zip(["g1", "g2", "g3"]) {
        lines.push(WayLine {
            label: mode.to_string(),
            style: mode.to_string(),
            points: workers.iter().map(|count| measured(mode, *count)).collect(),
        });
        lines.push(WayLine {
            label: format!("{mode}, expected"),
            style: dashed.to_owned(),
            points: workers.iter().map(|count| expected(mode, *count)).collect(),
        });
    }
    lines.retain(|line| line.points.iter().any(Option::is_some));
    Some(WayCurve {
        title: tune_steps::curve_title((answer, &of), document),
        unit: match (answer.is_timed_alone, document.urls.is_some()) {
            (true, _) => "s",
            (false, true) => "requests/s",
            (false, false) => "objects/s",
        },
        left_out: tune_steps::left_out(answer, document),
        workers,
        lines,
    })
}
