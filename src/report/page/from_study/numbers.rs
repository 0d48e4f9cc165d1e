//! Four numbers that a reader takes away from a client's section.

use super::super::types::KeyNumber;
use super::cells::{interval, rate, total};
use super::words::{self, UNKNOWN, length, plural, usd};
use super::{Part, size_of};
use crate::report::{CellReport, Figure, Metric, SpeedUp};
use crate::stats::location::Interval;
use crate::stats::rank::{Ratio, ratio};
use crate::units::{self, count, three_digits};

/// Fastest cell, cheapest cell, one mode over another, and what became of the fetches.
pub(super) fn key_numbers(part: &Part<'_>) -> Vec<KeyNumber> {
    [fastest(part), cheapest(part), contrast(part).or_else(|| speed_up(part)), Some(fetches(part))].into_iter().flatten().collect()
}

fn key(label: &str, value: String, unit: &str) -> KeyNumber {
    KeyNumber { label: label.to_owned(), value, unit: unit.to_owned(), note: String::new() }
}

fn fastest(part: &Part<'_>) -> Option<KeyNumber> {
    let chosen = part.recommendation().and_then(|found| found.fastest.as_ref()).and_then(|choice| part.study.cells.get(choice.cell));
    let highest = || {
        part.reports().filter(|report| rate(report).is_some()).max_by(|one, other| rate(one).unwrap_or(0.0).total_cmp(&rate(other).unwrap_or(0.0)))
    };
    // Without a prediction (keys or bytes of the bucket unknown, or every cell failed once) the rate alone is left.
    let (label, report) = chosen.map(|report| ("Fastest cell", report)).or_else(|| highest().map(|report| ("Highest rate", report)))?;
    let figure = report.figure(Metric::Throughput)?;
    let note = format!("{}{}", words::cell(&report.cell), range(figure, "; "));
    Some(KeyNumber { note, ..key(label, three_digits(figure.median / 1e6), "MB/s") })
}

/// `; 582 to 598`, in MB/s.
fn range(figure: &Figure, before: &str) -> String {
    let range = interval(figure, 1e6).range;
    range.map_or_else(String::new, |(low, high)| format!("{before}{} to {}", three_digits(low), three_digits(high)))
}

fn cheapest(part: &Part<'_>) -> Option<KeyNumber> {
    let choice = part.recommendation()?.cheapest.as_ref()?;
    let report = part.study.cells.get(choice.cell)?;
    let prediction = report.prediction.as_ref()?;
    let cost = prediction.cost.as_ref()?;
    let would = if cost.is_hypothetical { "; if it ran on Fargate" } else { "" };
    let note = format!("{}{would}", words::cell(&report.cell));
    Some(KeyNumber { note, ..key("Cheapest cell", usd(cost.usd_total()), &format!("for {}", units::bytes(prediction.bytes))) })
}

/// The first mode against the last one, at the size and concurrency of the recommended cell: a pair that the figures did not choose, so that its
/// interval means what it says.
fn contrast(part: &Part<'_>) -> Option<KeyNumber> {
    let found = part.recommendation()?;
    let chosen = &part.study.cells.get(found.cheapest.as_ref().or(found.fastest.as_ref())?.cell)?.cell;
    let beside = |report: &&CellReport| {
        (size_of(&report.cell), report.cell.concurrency) == (size_of(chosen), chosen.concurrency) && report.figure(Metric::Throughput).is_some()
    };
    let first = part.reports().filter(beside).min_by_key(|report| report.cell.mode)?;
    let last = part.reports().filter(beside).max_by_key(|report| report.cell.mode).filter(|last| last.cell.mode != first.cell.mode)?;
    let values = |report: &CellReport| report.figure(Metric::Throughput).map(|figure| figure.values.clone()).unwrap_or_default();
    let Ratio { ratio, interval } = ratio(&values(last), &values(first), 0.95)?;
    let range = match interval {
        None => "too few repetitions for an interval".to_owned(),
        Some(Interval { low, high, .. }) => {
            let told = if low <= 1.0 && high >= 1.0 { ": not told apart" } else { "" };
            format!("95 %: {} to {}{told}", three_digits(low), three_digits(high))
        }
    };
    let note = format!("{}; {range}", words::size_and_workers(chosen));
    Some(KeyNumber { note, ..key(&format!("{} over {}", first.cell.mode, last.cell.mode), three_digits(ratio), "×") })
}

/// With one mode: the recommended cell against a contender, else the first speed-up that is known of it.
fn speed_up(part: &Part<'_>) -> Option<KeyNumber> {
    let found = part.recommendation()?;
    let choice = found.cheapest.as_ref().or(found.fastest.as_ref())?;
    let all = &part.study.cells.get(choice.cell)?.speed_ups;
    let SpeedUp { against, ratio, interval, .. } = all.iter().find(|one| !one.against.program.is_parfetch()).or_else(|| all.first())?;
    let range = interval.map_or_else(String::new, |interval| format!("; {} to {}", three_digits(interval.low), three_digits(interval.high)));
    let note = format!("over {}, {}{range}", against.program.name(), words::cell(against));
    Some(KeyNumber { note, ..key("Speed-up of the recommended cell", three_digits(*ratio), "×") })
}

fn fetches(part: &Part<'_>) -> KeyNumber {
    let sum = |of: fn(&CellReport) -> Option<u64>| -> Option<u64> { part.reports().filter(|report| !report.observations.is_empty()).map(of).sum() };
    let ok = sum(|report| total(report, |observation| observation.counts.ok));
    let failed = sum(|report| total(report, |observation| observation.counts.failed));
    let again = sum(|report| total(report, |observation| observation.counts.attempts?.checked_sub(observation.counts.tried?)));
    let failures: u64 = part.reports().map(|report| length(&report.failures)).sum();
    let known = |value: Option<u64>| value.map_or_else(|| UNKNOWN.to_owned(), count);
    let again = again.map_or_else(|| "attempts not known".to_owned(), |again| format!("{} attempts again", count(again)));
    let note = format!("{again} · {} failed · {} without figures", known(failed), plural(failures, "repetition"));
    KeyNumber { note, ..key("Fetches that ended well", known(ok), "") }
}
