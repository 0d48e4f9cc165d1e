//! How the figures are made: in a line, and in paragraphs that have every rule (intervals, tests, knees, verdicts, prices, recommendations, definitions).

use std::collections::BTreeMap;

use super::number::{self, UNKNOWN, plural};
use super::price::Per;
use super::sentence::sentence;
use super::{advice, notes, verdict};
use crate::analysis::thresholds::{ALPHA, REPETITIONS, WIDE, WITHIN};
use crate::analysis::{CellReport, Limit, Metric, Study};
use crate::results::summary::thresholds::{
    BUSY_SHARE, CPU_SHARE, QUOTA_SHARE, S3_SHARE, SERVER_SHARE, TAIL_SHARE,
};
use crate::units::count;

/// What is defined.
const SHOWN: [Metric; 10] = [
    Metric::Throughput,
    Metric::FetchTime,
    Metric::TtfbP50,
    Metric::TtfbP99,
    Metric::LatencyP50,
    Metric::LatencyP99,
    Metric::CpuPerGb,
    Metric::WholeCpuPerGb,
    Metric::PeakMemory,
    Metric::UsdPerTb,
];

/// Every rule, a paragraph each.
pub(crate) fn paragraphs(study: &Study) -> Vec<String> {
    let mut paragraphs = vec![intervals(study)];
    paragraphs.extend(notes::of_tests(study));
    paragraphs.push(knee_rule());
    paragraphs.extend(knees(study));
    paragraphs.push(verdicts(study));
    let per = Per::of(study);
    let is_timed = study.cells.iter().all(CellReport::is_timed_alone);
    let is_priced = study.workload.http.is_none() && !is_timed;
    paragraphs.extend(is_priced.then(|| format!(
        "Prices per {} are the price of the tasks, at the rate that was measured: without the one-minute minimum, and without requests, which cost the same in every configuration.",
        per.unit
    )));
    paragraphs.extend(notes::of_prices(study));
    if !study.recommendations.is_empty() {
        paragraphs.push(sentence(advice::rule(study)));
    }
    let known = SHOWN.into_iter().filter(|metric| {
        study
            .cells
            .iter()
            .any(|cell| cell.figure(*metric).is_some())
            && *metric != Metric::UsdPerTb
    });
    paragraphs
        .extend(known.map(|metric| format!("{} {}", sentence(metric.name()), metric.definition())));
    paragraphs
}

/// What an interval is, and what it gives with these numbers of repetitions.
fn intervals(study: &Study) -> String {
    let mut levels: BTreeMap<usize, String> = BTreeMap::new();
    for figure in study.cells.iter().flat_map(|cell| cell.figures.values()) {
        let repetitions = plural(u64::try_from(figure.n).unwrap_or(u64::MAX), "repetition");
        let words = match (&figure.interval, number::no_interval(figure)) {
            (Some(interval), _) => format!(
                "with {repetitions} it covers the median with {:.1} % confidence",
                interval.level * 100.0
            ),
            (None, Some(note)) => format!("with {repetitions} there is none: {note}"),
            (None, None) => format!("with {repetitions} there is none"),
        };
        levels.entry(figure.n).or_insert(words);
    }
    let levels: Vec<String> = levels.into_values().collect();
    let given = if levels.is_empty() {
        String::new()
    } else {
        format!(" {}", sentence(&levels.join("; ")))
    };
    format!(
        "Figures are medians of the repetitions of a configuration. The interval is of the median, between order statistics, of at least 95 % confidence; no \
         distribution is assumed.{given} {UNKNOWN} is a number that is not known."
    )
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn knee_rule() -> String {
    format!(
        "~ marks what is as fast as the fastest of its row: its median is within 2 % of the highest, or within {} (where repetitions vary more, within two standard \
         errors of the difference of two medians, 15 % at most) and not significantly slower (two-sided Mann-Whitney test, corrected by Holm, at {}). The fewest \
         workers with ~ are the knee, from which on more workers are not faster.",
        percent(WITHIN),
        percent(ALPHA)
    )
}

/// Why curves have no knee, or what their knees lack; equal reasons once.
fn knees(study: &Study) -> Vec<String> {
    let mut said: BTreeMap<&str, u64> = BTreeMap::new();
    for note in study
        .curves
        .iter()
        .filter_map(|curve| curve.note.map(notes::of_curve))
    {
        *said.entry(note).or_default() += 1;
    }
    let all = count(u64::try_from(study.curves.len()).unwrap_or(u64::MAX));
    said.into_iter()
        .map(|(note, curves)| format!("{} of {all} curves: {note}.", count(curves)))
        .collect()
}

/// The rules of the verdicts that this study has.
fn verdicts(study: &Study) -> String {
    let found = |limit: &Limit| study.cells.iter().any(|cell| cell.verdict.word == *limit);
    let rules = Limit::ALL.into_iter().filter(found).map(|limit| {
        let word = match limit {
            Limit::ServerBound if study.workload.http.is_some() => "the server is the limit",
            limit => verdict::limit(limit),
        };
        format!("{word}: {}", rule(limit))
    });
    format!(
        "What limits a configuration is judged by its medians, and the first rule that holds counts. {}.",
        rules.collect::<Vec<_>>().join(". ")
    )
}

fn rule(limit: Limit) -> String {
    match limit {
        Limit::Failed => "no repetition gave figures".to_owned(),
        Limit::ServerBound => format!(
            "the server used more than {} of its CPU time",
            percent(SERVER_SHARE)
        ),
        Limit::CpuBound => format!(
            "fetching (of another program the whole of it) used at least {} of the vCPU limit",
            percent(CPU_SHARE)
        ),
        Limit::QuotaThrottled => {
            format!(
                "the CPU quota held it back for at least {} of the time, with the mean below the limit",
                percent(QUOTA_SHARE)
            )
        }
        Limit::S3Throttled => format!(
            "at least {} of the attempts were answered with SlowDown",
            percent(S3_SHARE)
        ),
        Limit::KmsThrottled => format!(
            "at least {} of the attempts were answered with SlowDown or its like, most of them by KMS",
            percent(S3_SHARE)
        ),
        Limit::Throttled => format!(
            "at least {} of the attempts were answered with 429 or 503",
            percent(S3_SHARE)
        ),
        Limit::TailBound => format!(
            "at least {} of the fetch time went by after the queue was empty",
            percent(TAIL_SHARE)
        ),
        Limit::PerConnectionBound => format!(
            "more workers are more than {} and significantly faster",
            percent(WITHIN)
        ),
        Limit::NetworkBound => format!(
            "its rate and the rate of another number of workers are within {} of the best of the curve, the larger of these numbers is at least {WIDE} × the \
             smaller, less than {} of the vCPU limit were used, the store throttles none of the curve, and no other configuration of the size is significantly faster",
            percent(WITHIN),
            percent(BUSY_SHARE)
        ),
        Limit::Unclear => "nothing that was measured shows it".to_owned(),
    }
}

/// In a line, with what the number of repetitions can give.
pub(crate) fn in_a_line(study: &Study) -> String {
    // (repetitions, level of the interval or why there is none), of every figure that tables show.
    let mut kinds: BTreeMap<usize, Option<f64>> = BTreeMap::new();
    for figure in study.cells.iter().flat_map(|cell| cell.figures.values()) {
        kinds.insert(figure.n, figure.interval.map(|interval| interval.level));
    }
    let levels: Vec<String> = kinds
        .iter()
        .filter_map(|(n, level)| Some(format!("{:.1} % with {n}", (*level)? * 100.0)))
        .collect();
    let none: Vec<String> = kinds
        .iter()
        .filter(|(_, level)| level.is_none())
        .map(|(n, _)| n.to_string())
        .collect();
    let mut parts = vec!["medians of the repetitions".to_owned()];
    if !levels.is_empty() {
        let levels = levels.join(", ");
        parts.push(format!("an interval, low–high, lies between two of the repetitions and covers the true median with at least 95 % ({levels})"));
    }
    if !none.is_empty() {
        let give = if none == ["1"] { "gives" } else { "give" };
        parts.push(format!(
            "{} {give} no 95 % interval: that takes {REPETITIONS}",
            plural_of(&none)
        ));
    }
    parts.join("; ")
}

fn plural_of(counts: &[String]) -> String {
    let s = if counts == ["1"] { "" } else { "s" };
    format!("{} repetition{s}", counts.join(" or "))
}
