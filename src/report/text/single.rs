//! One configuration, run once or several times: its figures, and what takes more configurations to say.

use super::table::{Align, Column, blocks};
use super::{Extent, Page, View};
use crate::escape::terminal;
use crate::report::metric::Metric;
use crate::report::model::{CellReport, Figure, Limit, Study};
use crate::report::wording::number::{self, Scale, plural, span};
use crate::report::wording::{answer, facts, sections};
use crate::units;

/// What is shown of one run, in this order; `--all` shows everything.
const SHOWN: [Metric; 10] = [
    Metric::Throughput,
    Metric::FetchTime,
    Metric::TtfbP50,
    Metric::TtfbP99,
    Metric::LatencyP50,
    Metric::LatencyP99,
    Metric::CpuPerGb,
    Metric::CpuShare,
    Metric::PeakMemory,
    Metric::UsdPerTb,
];
/// Fewer repetitions give no interval: then the lowest and the highest are shown.
const FOR_AN_INTERVAL: usize = 6;

/// Everything that one configuration shows.
pub(super) fn render(page: &mut Page<'_>, (study, report): (&Study, &CellReport), view: &View<'_>) {
    page.paragraph("  ", &terminal(&what_was_run(study, report)), 2);
    page.gap();
    for sentence in sentences(study, report) {
        page.paragraph("", &terminal(&sentence), 2);
    }
    let shown = if view.extent == Extent::All { Metric::ALL.as_slice() } else { SHOWN.as_slice() };
    figures(page, report, shown);
    page.gap();
    page.paragraph("", &what_it_cannot_say(report), 2);
}

/// `async × 32 on 2 vCPUs, 4 GB (lean client) · 118 GB · us-east-1 · 2 runs on Fargate, 2026-11-20T10:00:00Z`
fn what_was_run(study: &Study, report: &CellReport) -> String {
    let (workload, cell) = (&study.workload, &report.cell);
    let shards = if cell.shards > 1 { format!(", {} shards", cell.shards) } else { String::new() };
    let size = format!("{}, {} GB", number::vcpus(cell.cpu_units), number::memory(cell.memory_mib));
    let mut parts = vec![format!("{} × {} on {size} ({}){shards}", cell.mode, cell.concurrency, answer::program(&cell.program))];
    parts.extend(workload.keys.map(|keys| plural(keys, "key")));
    parts.extend(workload.bytes.map(units::bytes));
    parts.extend(match (&workload.embedded, &workload.endpoint) {
        (Some(_), _) => Some("embedded server".to_owned()),
        (None, Some(endpoint)) => Some(endpoint.clone()),
        (None, None) => workload.region.clone(),
    });
    parts.push(facts::fetched(workload).join(", "));
    let failed = if report.failures.is_empty() { String::new() } else { format!(", {} failed", report.failures.len()) };
    let runs = plural((report.observations.len() + report.failures.len()) as u64, "run");
    parts.push(format!("{runs} {}{failed}", facts::whereabouts(workload)));
    parts.join(" · ")
}

fn sentences(study: &Study, report: &CellReport) -> Vec<String> {
    let mut sentences = Vec::new();
    for failed in sections::failures(study) {
        sentences.push(format!("{} ({}).", failed.word, failed.because));
    }
    let Some(rate) = report.figure(Metric::Throughput) else { return sentences };
    let mut parts = vec![if rate.n > 1 { "Each run fetched".to_owned() } else { "Fetched".to_owned() }];
    parts.extend(report.observations.iter().filter_map(|observation| observation.counts.goodput_bytes).max().map(units::bytes));
    parts.extend(report.figure(Metric::FetchTime).map(|figure| format!("in {}", of_all(figure, number::time))));
    parts.push(format!("at {}.", of_all(rate, units::rate)));
    sentences.push(parts.join(" "));
    sentences.push(what_limits(report));
    sentences.extend(facts::clocks(study).into_iter().map(|clocks| format!("{}.", units::upper_first(&clocks))));
    let no_price = study.notes.iter().find(|note| note.starts_with("no price"));
    sentences.extend(
        facts::run_price(study)
            .first()
            .map(|price| format!("One run costs {price}."))
            .or_else(|| no_price.map(|why| format!("{}.", units::upper_first(why)))),
    );
    sentences
}

/// What its own runs show of that.
fn what_limits(report: &CellReport) -> String {
    let word = units::upper_first(sections::limit(report.verdict.word));
    let because = match (report.verdict.word, report.figure(Metric::CpuShare)) {
        // What is known instead; its grounds are that other numbers of workers are missing.
        (Limit::Unclear, Some(share)) => format!(": the CPU used {} of {}", units::percent(share.median), number::vcpus(report.cell.cpu_units)),
        (Limit::Unclear, None) => String::new(),
        _ => report.verdict.because.first().map_or_else(String::new, |because| format!(" ({because})")),
    };
    format!("{word}{because}.")
}

/// From the lowest to the highest.
fn of_all(figure: &Figure, text: fn(f64) -> String) -> String {
    let low = figure.values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = figure.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    span(text(low), &text(high))
}

/// A line for each metric: its value, or its median between the lowest and the highest.
fn figures(page: &mut Page<'_>, report: &CellReport, metrics: &[Metric]) {
    let known: Vec<(Metric, &Figure)> = metrics.iter().filter_map(|metric| Some((*metric, report.figure(*metric)?))).collect();
    let Some(most) = known.iter().map(|(_, figure)| figure.n).max() else { return };
    let text = |metric: Metric, value: f64| units::three_digits(Scale::of(metric).apply(value));
    let names = known.iter().map(|(metric, _)| number::heading(*metric));
    let medians = known.iter().map(|(metric, figure)| text(*metric, figure.median));
    let mut columns = vec![Column::of("", Align::Left, names)];
    if most == 1 {
        columns.push(Column::of("", Align::Right, medians));
    } else {
        let head = if most < FOR_AN_INTERVAL { "lowest – highest" } else { "95 % interval" };
        let ranges = known.iter().map(|(metric, figure)| {
            let ends = figure.interval.map_or_else(|| ends(&figure.values), |interval| (interval.low, interval.high));
            let (low, high) = (text(*metric, ends.0), text(*metric, ends.1));
            if low == high { low } else { format!("{low} – {high}") }
        });
        columns.extend([Column::of("median", Align::Right, medians), Column::of(head, Align::Right, ranges)]);
    }
    page.gap();
    for line in blocks(&columns, &[], &[], page).concat().into_iter().filter(|line| !line.is_empty()) {
        page.line(format!("  {line}"));
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

fn what_it_cannot_say(report: &CellReport) -> String {
    let runs = match report.observations.len() {
        0 | 1 => "One run does not show how much runs differ",
        2..FOR_AN_INTERVAL => "So few runs hardly show how much runs differ",
        _ => return "One configuration: whether others are faster or cheaper, `parfetch sweep` shows.".to_owned(),
    };
    format!("{runs}, and nothing about other numbers of workers or vCPUs: `parfetch sweep` measures both.")
}
