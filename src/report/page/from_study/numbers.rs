//! Four numbers that a reader takes away from a client's section.

use super::super::types::KeyNumber;
use super::cells::{interval, rate, total};
use super::words::{self, UNKNOWN, length, plural};
use super::{Part, SizeKey, size_of};
use crate::report::recommend::usd;
use crate::report::{CellReport, Figure, Metric, SpeedUp};
use crate::units::{self, count, three_digits};

/// Fastest cell, cheapest cell, the largest contrast between modes, and what became of the fetches.
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

/// The two modes whose medians lie farthest apart at one size and concurrency, each with its interval.
fn contrast(part: &Part<'_>) -> Option<KeyNumber> {
    let factors = |report: &CellReport| -> (SizeKey, u32) { (size_of(&report.cell), report.cell.concurrency) };
    let measured: Vec<(&CellReport, f64)> = part
        .reports()
        .filter(|report| !report.has_failures())
        .filter_map(|report| Some((report, rate(report).filter(|rate| *rate > 0.0)?)))
        .collect();
    let mut most: Option<(&CellReport, &CellReport, f64)> = None;
    for (fast, high) in &measured {
        for (slow, low) in measured.iter().filter(|(slow, _)| factors(slow) == factors(fast) && slow.cell.mode != fast.cell.mode) {
            if most.is_none_or(|(.., ratio)| high / low > ratio) {
                most = Some((fast, slow, high / low));
            }
        }
    }
    let (fast, slow, times) = most?;
    let side = |report: &CellReport| {
        let figure = report.figure(Metric::Throughput);
        let rate = figure.map_or_else(|| UNKNOWN.to_owned(), |figure| three_digits(figure.median / 1e6));
        let range = figure.map_or_else(String::new, |figure| range(figure, " ("))
            + if figure.is_some_and(|figure| figure.interval.is_some()) { ")" } else { "" };
        format!("{} {rate}{range}", report.cell.mode)
    };
    let note = format!("{}: {}, {} MB/s", words::size_and_workers(&fast.cell), side(fast), side(slow));
    Some(KeyNumber { note, ..key("Modes farthest apart", three_digits(times), "×") })
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
