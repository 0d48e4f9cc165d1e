//! What stands around the answer: other programs, which are a yardstick for one that somebody brought, and other sweeps.

use super::advice::lack;
use super::answer::{chosen, program};
use super::change::{factor, factors};
use super::sections;
use super::whole::WholeBucketTime;
use crate::analysis::advice::{Choice, Recommendation};
use crate::analysis::model::{Against, CellReport, SpeedUp, Study};
use crate::shell;

/// How much faster parfetch's own clients are than another program, or than other programs, with the same size, mode and number of workers.
pub(crate) fn against_others(study: &Study, choice: &Choice) -> Vec<String> {
    let Some(report) = study.cells.get(choice.cell) else {
        return Vec::new();
    };
    let pairs = study.cells.iter().flat_map(|faster| {
        let found = faster.speed_ups.iter();
        found.map(move |found| (faster, found))
    });
    let is_of = |(faster, found): &(&CellReport, &SpeedUp)| {
        found.kind == Against::Contender
            && (faster.cell == report.cell || found.against == report.cell)
    };
    pairs
        .filter(is_of)
        .map(|(faster, found)| {
            let times = found.interval.map_or_else(
                || format!("{} times", factor(found.ratio)),
                |interval| {
                    let ratios = [found.ratio, interval.low, interval.high];
                    let [ratio, low, high] = factors(ratios, Some(interval.half_width()));
                    format!("{ratio} times (95 %: {low} to {high})")
                },
            );
            format!(
                "With the same vCPUs, mode and workers, the {} is {times} as fast as {}.",
                program(&faster.cell.program),
                found.against.program.name()
            )
        })
        .collect()
}

/// What another program needs, in a line: `python, cheapest: 1 vCPU, 2 GB, thread × 2, 10 min 2 s to 10 min 9 s, $0.0241`.
pub(crate) fn in_a_line(study: &Study, recommendation: &Recommendation) -> String {
    let name = program(&recommendation.program);
    let Some(goal) = sections::choices(recommendation).into_iter().next() else {
        let because = recommendation.because.as_ref();
        return format!(
            "{name}: {}",
            because.map_or_else(|| "nothing to recommend".to_owned(), lack)
        );
    };
    let prediction = study
        .cells
        .get(goal.choice.cell)
        .and_then(|report| report.prediction.as_ref());
    let takes = prediction.map_or_else(String::new, |prediction| {
        format!(
            ", {}",
            WholeBucketTime::of_prediction(prediction).in_a_line()
        )
    });
    let a_first_look = if goal.choice.first_look.is_some() {
        " (a first look)"
    } else {
        ""
    };
    format!(
        "{name}, {}: {}{takes}{a_first_look}",
        goal.label.to_lowercase(),
        chosen(study, goal.choice)
    )
}

/// What stands above the programs of a tune's folder that its answer leaves out: a sweep added them, or the tune ended before it had enough of them.
pub(crate) const ADDED: &str = "Not in the tune's answer, measured in the same folder";

/// What is recommended of them: the tune has no answer for these.
pub(crate) fn added(study: &Study) -> Vec<&Recommendation> {
    let Some(document) = study.facts.tune.as_deref() else {
        return Vec::new();
    };
    // A tune that is still running has no answers yet.
    if document.answers.is_empty() {
        return Vec::new();
    }
    let has_answer = |found: &&Recommendation| {
        let mut answers = document.answers.iter();
        answers.any(|answer| answer.is_of(&found.program, &found.factors))
    };
    let found = study.recommendations.iter();
    found.filter(|found| !has_answer(found)).collect()
}

/// What stands above the programs behind the first: a yardstick for a program that somebody brought.
pub(crate) fn others_title(study: &Study) -> &'static str {
    match study.recommendations.as_slice() {
        [first, .., last] if !first.program.is_parfetch() && last.program.is_parfetch() => {
            "For comparison, what this platform gives to other programs"
        }
        _ => "Other programs",
    }
}

/// Sweeps in the same place that are not shown, and how to see them.
pub(crate) fn other_sweeps(study: &Study) -> Option<String> {
    /// Those that are named.
    const NAMED: usize = 3;
    let others = &study.facts.other_sweeps;
    let newest = study.facts.sweeps.first()?;
    let named: Vec<String> = others
        .iter()
        .take(NAMED)
        .map(|other| {
            let line = shell::line(["parfetch", "report", &other.folder]);
            let failed = if other.is_without_figures {
                ", no figures"
            } else {
                ""
            };
            format!("`{line}` ({}{failed})", other.last_start)
        })
        .collect();
    let more = match others.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let with_figures = if others.iter().any(|other| other.is_without_figures) {
        " that has figures,"
    } else {
        ""
    };
    (!others.is_empty()).then(|| {
        format!(
            "This is {newest}, the newest{with_figures} of {} sweeps here. The others: {}{more}.",
            others.len() + 1,
            named.join(", ")
        )
    })
}
