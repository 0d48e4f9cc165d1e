//! Histograms, seconds and timeline of the recommended cell and of its siblings in the other modes: the few cells whose documents are read again.

use super::super::runs::TIMELINE_FETCHES;
use super::super::types::{
    Bin, Histograms, Mark, PageHistogram, PageSeries, SeriesLine, Timeline, TimelineFetch,
};
use super::part::{ProgramPart, size_of};
use super::words::{self, length};
use crate::analysis::{
    CellReport, Detail, FETCHES, Fetch, Metric, Open, Problem, TimeBucket, detail,
};
use crate::units::{count, three_digits};

/// Rows of a timeline that draw well.
const WORKERS: u32 = 64;
/// Problems that are named one by one.
const PROBLEMS: usize = 3;

/// What was drawn, and a line for what could not be.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) histograms: Option<Histograms>,
    pub(super) series: Option<PageSeries>,
    pub(super) timeline: Option<Timeline>,
    pub(super) left_out: Vec<String>,
}

/// Charts of one program.
pub(super) fn drawn(part: &ProgramPart<'_>, open: Open<'_>) -> Drawn {
    if !part.program.is_parfetch() {
        return Drawn {
            left_out: vec![
                "Another program reports no time to first byte and no throughput of each second, so there are no charts of them.".to_owned(),
            ],
            ..Drawn::default()
        };
    }
    let Some(shown) = charted(part) else {
        return Drawn::default();
    };
    let is_sibling = |other: &&CellReport| {
        size_of(&other.cell) == size_of(&shown.cell)
            && other.cell.concurrency == shown.cell.concurrency
    };
    let details: Vec<(&CellReport, Detail)> = part
        .reports()
        .filter(is_sibling)
        .filter(|report| !report.observations.is_empty())
        .map(|report| {
            let mut found = detail(report, open);
            if report.cell.mode != shown.cell.mode {
                // Thousands of fetches that nobody draws.
                found.fetches = Vec::new();
            }
            (report, found)
        })
        .collect();
    let own = details.iter().find(|(report, _)| report.cell == shown.cell);
    let mut drawn = Drawn {
        histograms: histograms(shown, &details),
        series: series(shown, &details),
        timeline: own.and_then(|(report, detail)| timeline(report, detail)),
        left_out: Vec::new(),
    };
    let problems: Vec<&Problem> = details
        .iter()
        .flat_map(|(_, detail)| &detail.problems)
        .collect();
    drawn
        .left_out
        .extend(problems.iter().take(PROBLEMS).map(|problem| {
            format!(
                "A document for the charts could not be read: {}: {}.",
                problem.document, problem.what
            )
        }));
    if problems.len() > PROBLEMS {
        drawn
            .left_out
            .push(format!("And {} more documents.", problems.len() - PROBLEMS));
    }
    drawn
}

/// The cell of the answer, else the one with the highest median.
fn charted<'a>(part: &ProgramPart<'a>) -> Option<&'a CellReport> {
    let metric = part.study.workload.rate();
    let rate = |report: &CellReport| report.figure(metric).map_or(0.0, |figure| figure.median);
    let measured = || {
        part.reports()
            .filter(|report| !report.observations.is_empty())
    };
    part.answer()
        .or_else(|| measured().max_by(|one, other| rate(one).total_cmp(&rate(other))))
}

fn histograms(shown: &CellReport, details: &[(&CellReport, Detail)]) -> Option<Histograms> {
    let panels: Vec<PageHistogram> = details
        .iter()
        .filter(|(_, detail)| !detail.ttfb.is_empty())
        .map(|(report, detail)| histogram(report, &detail.ttfb))
        .collect();
    let caption = format!(
        "{}: the fetches of all repetitions that ended well. Percentiles are medians of those of the repetitions.",
        words::size_and_workers(&shown.cell)
    );
    (!panels.is_empty()).then_some(Histograms { caption, panels })
}

fn histogram(report: &CellReport, buckets: &[TimeBucket]) -> PageHistogram {
    let all: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    let bin = |bucket: &TimeBucket| Bin {
        from_ms: bucket.from_s * 1e3,
        to_ms: bucket.to_s * 1e3,
        count: bucket.count,
        percent: bucket.count as f64 / all.max(1) as f64 * 100.0,
    };
    let mark = |(label, metric): (&str, Metric)| {
        Some(Mark {
            label: label.to_owned(),
            at_ms: report.figure(metric)?.median * 1e3,
        })
    };
    let marks: Vec<Mark> = [("p50", Metric::TtfbP50), ("p99", Metric::TtfbP99)]
        .into_iter()
        .filter_map(mark)
        .collect();
    let summary: Vec<String> = marks
        .iter()
        .map(|mark| format!("{} {}", mark.label, three_digits(mark.at_ms)))
        .collect();
    let mode = report.cell.mode.to_string();
    let summary = if summary.is_empty() {
        String::new()
    } else {
        format!("{} ms", summary.join(" · "))
    };
    PageHistogram {
        label: mode.clone(),
        mode,
        summary,
        bins: buckets.iter().map(bin).collect(),
        marks,
    }
}

fn series(shown: &CellReport, details: &[(&CellReport, Detail)]) -> Option<PageSeries> {
    let line = |(report, detail): &(&CellReport, Detail)| {
        let bytes = detail
            .bytes_per_second
            .as_ref()
            .filter(|bytes| !bytes.is_empty())?;
        let mode = report.cell.mode.to_string();
        Some(SeriesLine {
            label: mode.clone(),
            mode,
            mb_per_s: bytes.iter().map(|bytes| *bytes as f64 / 1e6).collect(),
        })
    };
    let lines: Vec<SeriesLine> = details.iter().filter_map(line).collect();
    let caption = format!(
        "{}: of each mode the repetition nearest to the median. The last second is incomplete.",
        words::size_and_workers(&shown.cell)
    );
    (!lines.is_empty()).then_some(PageSeries { caption, lines })
}

fn timeline(report: &CellReport, detail: &Detail) -> Option<Timeline> {
    let fetches: Vec<TimelineFetch> = detail
        .fetches
        .iter()
        .filter(|fetch| fetch.worker < WORKERS)
        .take(TIMELINE_FETCHES)
        .map(drawn_fetch)
        .collect();
    let repetition = detail.repetition.map_or_else(String::new, |repetition| {
        format!(", repetition {repetition} (the nearest to the median)")
    });
    let is_all = fetches.len() == detail.fetches.len() && detail.fetches.len() < FETCHES;
    let which = if is_all { "all" } else { "the first" };
    let workers = if report.cell.concurrency > WORKERS {
        format!(" of the first {WORKERS} workers")
    } else {
        String::new()
    };
    let shard = if report.cell.shards > 1 {
        " of the first shard"
    } else {
        ""
    };
    let caption = format!(
        "{}{repetition}: {which} {} fetches{workers}{shard}.",
        words::cell(&report.cell),
        count(length(&fetches))
    );
    (!fetches.is_empty()).then_some(Timeline { caption, fetches })
}

fn drawn_fetch(fetch: &Fetch) -> TimelineFetch {
    TimelineFetch {
        worker: fetch.worker,
        start_s: fetch.start_s,
        first_byte_s: fetch.first_byte_s,
        end_s: fetch.end_s,
        outcome: fetch.outcome.to_owned(),
        attempts: fetch.attempts,
        key: String::new(),
    }
}
