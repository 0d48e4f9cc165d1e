//! How the numbers were made, in paragraphs: intervals, tests, knees, verdicts, prices, recommendations, definitions.

use super::head;
use super::words::{UNKNOWN, plural, sentence};
use crate::analysis::curves::WITHIN;
use crate::analysis::figures::ALPHA;
use crate::analysis::verdict::WIDE;
use crate::analysis::{Limit, Metric, Study};
use crate::render::wording::sections;
use crate::results::summary::thresholds::{
    BUSY_SHARE, CPU_SHARE, QUOTA_SHARE, S3_SHARE, SERVER_SHARE, TAIL_SHARE,
};
use crate::units::count;
use std::collections::{BTreeMap, BTreeSet};

/// What the page shows of a configuration.
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

/// One paragraph each.
pub(super) fn method(study: &Study) -> Vec<String> {
    let (tests, prices) = head::how(study);
    let mut paragraphs = vec![intervals(study), standings()];
    paragraphs.extend(tests);
    paragraphs.push(knee_rule());
    paragraphs.extend(knees(study));
    paragraphs.push(verdicts(study));
    paragraphs.push(format!("$ per TB. {}", Metric::UsdPerTb.definition()));
    paragraphs.extend(prices);
    let rules: BTreeSet<&str> = study
        .recommendations
        .iter()
        .map(|recommendation| recommendation.rule)
        .collect();
    paragraphs.extend(rules.into_iter().map(sentence));
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
        let words = match (&figure.interval, &figure.note) {
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

fn standings() -> String {
    format!(
        "~ marks configurations without a measurable difference from the best of their program and size: two-sided Mann-Whitney tests against it, corrected by \
         Holm, at {}.",
        percent(ALPHA)
    )
}

fn knee_rule() -> String {
    format!(
        "Knee: the fewest workers that are as fast as the fastest of the curve: with a median within 2 % of the best, or within {} (where repetitions vary more, \
         within two standard errors of the difference of two medians, 15 % at most) and not significantly slower.",
        percent(WITHIN)
    )
}

/// Why curves have no knee, or what their knees lack; equal reasons once.
fn knees(study: &Study) -> Vec<String> {
    let mut said: BTreeMap<&str, u64> = BTreeMap::new();
    for note in study
        .curves
        .iter()
        .filter_map(|curve| curve.note.as_deref())
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
    let rules = Limit::ALL
        .into_iter()
        .filter(found)
        .map(|limit| format!("{}: {}", sections::limit(limit), rule(limit)));
    format!(
        "What limits a configuration is judged by its medians, and the first rule that holds counts. {}.",
        rules.collect::<Vec<_>>().join(". ")
    )
}

fn rule(limit: Limit) -> String {
    match limit {
        Limit::Failed => "no repetition gave figures".to_owned(),
        Limit::ServerBound => format!(
            "the embedded server used more than {} of its threads’ time",
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
        Limit::TailBound => format!(
            "at least {} of the fetch time went by after the queue was empty",
            percent(TAIL_SHARE)
        ),
        Limit::PerConnectionBound => format!(
            "a higher concurrency is more than {} and significantly faster",
            percent(WITHIN)
        ),
        Limit::NetworkBound => format!(
            "its rate and that of another concurrency lie within {} of the best of the curve, the highest of these concurrencies is at least {WIDE} × the \
             lowest, less than {} of the vCPU limit were used, the store throttles none of the curve, and no other configuration of the size is significantly faster",
            percent(WITHIN),
            percent(BUSY_SHARE)
        ),
        Limit::Unclear => "nothing that was measured shows it".to_owned(),
    }
}
