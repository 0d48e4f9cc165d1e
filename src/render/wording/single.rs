//! One configuration, run once or several times, in sentences: what was run, what it took, what limits it, and what takes more configurations to say.

use super::number::{self, plural, span};
use super::{answer, facts, price, sections, verdict};
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, Figure, Limit, Study};
use crate::analysis::observation::Counts;
use crate::analysis::thresholds::REPETITIONS;
use crate::units;

/// `async × 32 on 2 vCPUs, 4 GB (lean client) · 118 GB · us-east-1 · 2 runs on Fargate, 2026-11-20T10:00:00Z`
pub(crate) fn what_was_run(study: &Study, report: &CellReport) -> String {
    let (workload, cell) = (&study.workload, &report.cell);
    let shards = if cell.shards > 1 {
        format!(", {} shards", cell.shards)
    } else {
        String::new()
    };
    let size = format!(
        "{}, {} GB",
        number::vcpus(cell.cpu_units),
        number::memory(cell.memory_mib)
    );
    let mut parts = vec![format!(
        "{} × {} on {size} ({}){shards}",
        cell.mode,
        cell.concurrency,
        answer::program(&cell.program)
    )];
    parts.extend(facts::keys(workload));
    parts.extend(workload.bytes.map(units::bytes));
    parts.extend(answer::store(workload));
    parts.push(facts::each_run(study).join(", "));
    let failed = if report.failures.is_empty() {
        String::new()
    } else {
        format!(", {} failed", report.failures.len())
    };
    let runs = plural(
        (report.observations.len() + report.failures.len()) as u64,
        "run",
    );
    parts.push(format!("{runs} {}{failed}", facts::whereabouts(workload)));
    parts.join(" · ")
}

/// What the runs took, what limits them, and what one costs.
pub(crate) fn sentences(study: &Study, report: &CellReport) -> Vec<String> {
    let mut sentences = Vec::new();
    match report.failures.as_slice() {
        // The only run has no number.
        [only] if report.observations.is_empty() => sentences.push(format!(
            "This run does not count: {} ({}).",
            only.reason, only.document
        )),
        _ => {
            for failed in sections::failures(study) {
                sentences.push(format!("{} ({}).", failed.word, failed.because));
            }
        }
    }
    if let Some(times) = report
        .figure(Metric::FetchTime)
        .filter(|_| report.is_timed_alone())
    {
        let who = if times.n > 1 { "Each run" } else { "The run" };
        sentences.push(format!("{who} took {}.", of_all(times, number::time)));
        sentences.push(what_limits(report));
        sentences.extend(costs(study, report));
        return sentences;
    }
    let metric = study.workload.rate();
    let Some(rate) = report.figure(metric) else {
        return sentences;
    };
    if metric == Metric::RequestsPerS {
        sentences.push(requests(report, rate));
        sentences.extend(lost(report, "requests"));
        sentences.push(what_limits(report));
        return sentences;
    }
    let mut parts = vec![if rate.n > 1 {
        "Each run fetched".to_owned()
    } else {
        "Fetched".to_owned()
    }];
    parts.extend(
        report
            .observations
            .iter()
            .filter_map(|observation| observation.counts.goodput_bytes)
            .max()
            .map(units::bytes),
    );
    parts.extend(
        report
            .figure(Metric::FetchTime)
            .map(|figure| format!("in {}", of_all(figure, number::time))),
    );
    parts.push(format!("at {}.", of_all(rate, units::rate)));
    sentences.push(parts.join(" "));
    sentences.extend(lost(report, "fetches"));
    sentences.push(what_limits(report));
    sentences.extend(
        facts::clocks(study)
            .into_iter()
            .map(|clocks| format!("{}.", units::upper_first(&clocks))),
    );
    sentences.extend(costs(study, report));
    sentences
}

/// `198 of 1,000 fetches did not succeed: 189 failed, 9 found no object.` Nothing where all did.
fn lost(report: &CellReport, what: &str) -> Option<String> {
    let sum = |of: fn(&Counts) -> Option<u64>| -> u64 {
        let counts = report.observations.iter().map(|run| &run.counts);
        counts.filter_map(of).sum()
    };
    let (tried, failed) = (sum(|counts| counts.tried), sum(|counts| counts.failed));
    let lost = tried.saturating_sub(sum(|counts| counts.ok));
    let missing = lost.saturating_sub(failed);
    let parts = [(failed, "failed"), (missing, "found no object")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, became)| format!("{} {became}", units::count(count)))
        .collect();
    (lost > 0).then(|| {
        format!(
            "{} of {} {what} did not succeed: {}.",
            units::count(lost),
            units::count(tried),
            parts.join(", ")
        )
    })
}

/// What one run costs, or why that is not known.
fn costs(study: &Study, report: &CellReport) -> Option<String> {
    facts::run_price(study)
        .first()
        .map(|price| {
            let costs = if is_hypothetical(report) {
                "On Fargate, one run would cost"
            } else {
                "One run costs"
            };
            format!("{costs} {price}.")
        })
        .or_else(|| price::missing(study).map(|why| format!("{}.", units::upper_first(&why))))
}

/// Whether it ran elsewhere than on Fargate.
fn is_hypothetical(report: &CellReport) -> bool {
    report
        .cost
        .as_ref()
        .is_some_and(|cost| cost.is_hypothetical)
}

/// `Each run made 1,000 good requests in 25.3 s at 39.5 requests/s.`
fn requests(report: &CellReport, rate: &Figure) -> String {
    let who = if rate.n > 1 { "Each run made" } else { "Made" };
    let made = report
        .observations
        .iter()
        .filter_map(|observation| observation.counts.ok)
        .max()
        .map_or_else(String::new, |made| plural(made, "good request"));
    let time = report
        .figure(Metric::FetchTime)
        .map_or_else(String::new, |figure| {
            format!(" in {}", of_all(figure, number::time))
        });
    let rate = of_all(rate, |rate| {
        format!("{} requests/s", units::three_digits(rate))
    });
    format!("{who} {made}{time} at {rate}.")
}

/// What its own runs show of that.
fn what_limits(report: &CellReport) -> String {
    let word = units::upper_first(&verdict::limit_of(report));
    let because = match (report.verdict.word, report.figure(Metric::CpuShare)) {
        // What is known instead; its grounds are that other numbers of workers are missing.
        (Limit::Unclear, Some(share)) => format!(
            ": fetching used {} of {}",
            units::percent(share.median),
            number::vcpus(report.cell.cpu_units)
        ),
        (Limit::Unclear, None) => String::new(),
        _ => verdict::decided(&report.verdict)
            .map_or_else(String::new, |because| format!(" ({because})")),
    };
    format!("{word}{because}.")
}

/// From the lowest to the highest.
fn of_all(figure: &Figure, text: fn(f64) -> String) -> String {
    let low = figure.values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = figure
        .values
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    span(text(low), &text(high))
}

/// What more runs or configurations would show.
pub(crate) fn what_it_cannot_say(report: &CellReport) -> String {
    let runs = match report.observations.len() {
        0 | 1 => "One run does not show how much runs differ, and says",
        2..REPETITIONS => "So few runs hardly show how much runs differ, and say",
        _ => return "One configuration: whether others are faster or cheaper, `parfetch sweep` shows.".to_owned(),
    };
    format!(
        "{runs} nothing about other numbers of workers or vCPUs: `parfetch sweep` measures both."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Sweep, lean};
    use crate::analysis::model::FailedRepetition;
    use crate::plan::Mode;

    fn said(change: impl FnOnce(&mut CellReport)) -> Vec<String> {
        let mut study = Sweep::new("s1")
            .cell(&lean(1_024, Mode::Async, 16), &[500.0])
            .study();
        change(&mut study.cells[0]);
        let report = study.cells[0].clone();
        sentences(&study, &report)
    }

    #[test]
    fn a_run_says_what_it_lost() {
        let lost = |ok, failed| {
            let said = said(|report| {
                let counts = &mut report.observations[0].counts;
                (counts.tried, counts.ok, counts.failed) = (Some(1_000), Some(ok), Some(failed));
            });
            said.into_iter().find(|one| one.contains("did not succeed"))
        };
        assert_eq!(lost(1_000, 0), None);
        assert_eq!(
            lost(802, 189).unwrap(),
            "198 of 1,000 fetches did not succeed: 189 failed, 9 found no object."
        );
    }

    #[test]
    fn the_only_run_has_no_number() {
        let said = said(|report| {
            report.observations.clear();
            report.figures.clear();
            report.failures = vec![FailedRepetition {
                repetition: 1,
                reason: "it was interrupted".to_owned(),
                document: "o/r.json".to_owned(),
                ..FailedRepetition::default()
            }];
        });
        assert_eq!(
            said[0],
            "This run does not count: it was interrupted (o/r.json)."
        );
    }
}
