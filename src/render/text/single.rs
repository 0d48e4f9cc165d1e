//! One configuration, run once or several times: its figures, and what takes more configurations to say.

use super::page::TextPage;
use super::table::{Align, Column, blocks};
use super::view::View;
use crate::analysis::metric::{Metric, Unit};
use crate::analysis::model::{CellReport, Figure, Study};
use crate::analysis::thresholds::REPETITIONS;
use crate::escape::terminal;
use crate::render::form::Extent;
use crate::render::wording::price::shown_as;
use crate::render::wording::{notes, single};
use crate::units;

/// What is shown of one run, in this order; `--all` shows everything.
const SHOWN: [Metric; 11] = [
    Metric::Throughput,
    Metric::RequestsPerS,
    Metric::FetchTime,
    Metric::TtfbP50,
    Metric::TtfbP99,
    Metric::LatencyP50,
    Metric::LatencyP99,
    Metric::CpuPerGb,
    Metric::CpuShare,
    Metric::PeakMemory,
    Metric::TaskUsdPerTb,
];

/// Everything that one configuration shows.
pub(super) fn render(
    page: &mut TextPage<'_>,
    (study, report): (&Study, &CellReport),
    view: &View<'_>,
) {
    page.paragraph("  ", &terminal(&single::what_was_run(study, report)), 2);
    for left_out in notes::left_out(study) {
        page.paragraph("  ", &terminal(&left_out), 2);
    }
    page.gap();
    for sentence in single::sentences(study, report) {
        page.paragraph("", &terminal(&sentence), 2);
    }
    let shown = if view.extent == Extent::All {
        Metric::ALL.as_slice()
    } else {
        SHOWN.as_slice()
    };
    figures(page, (study, report), shown);
    page.gap();
    page.paragraph("", &single::what_it_cannot_say(report), 2);
}

/// A line for each metric: its value, or its median between the lowest and the highest.
fn figures(page: &mut TextPage<'_>, (study, report): (&Study, &CellReport), metrics: &[Metric]) {
    let is_web = study.workload.rate() == Metric::RequestsPerS;
    let says_something = |metric: Metric| match metric.unit() {
        // A web server is not asked for its bytes.
        Unit::BytesPerSecond | Unit::SecondsPerGb | Unit::UsdPerTb => !is_web,
        Unit::PerSecond => is_web || metrics.len() == Metric::ALL.len(),
        _ => true,
    };
    let known: Vec<(Metric, &Figure)> = metrics
        .iter()
        .filter(|metric| says_something(**metric))
        .filter_map(|metric| Some((*metric, report.figure(*metric)?)))
        .collect();
    let Some(most) = known.iter().map(|(_, figure)| figure.n).max() else {
        return;
    };
    let text =
        |metric: Metric, value: f64| units::three_digits(shown_as(study, metric).0.apply(value));
    let names = known.iter().map(|(metric, _)| shown_as(study, *metric).1);
    let medians = known
        .iter()
        .map(|(metric, figure)| text(*metric, figure.median));
    let mut columns = vec![Column::of("", Align::Left, names)];
    if most == 1 {
        columns.push(Column::of("", Align::Right, medians));
    } else {
        let head = if most < REPETITIONS {
            "lowest – highest"
        } else {
            "95 % interval"
        };
        let ranges = known.iter().map(|(metric, figure)| {
            let ends = figure.interval.map_or_else(
                || ends(&figure.values),
                |interval| (interval.low, interval.high),
            );
            let (low, high) = (text(*metric, ends.0), text(*metric, ends.1));
            if low == high {
                low
            } else {
                format!("{low} – {high}")
            }
        });
        columns.extend([
            Column::of("median", Align::Right, medians),
            Column::of(head, Align::Right, ranges),
        ]);
    }
    page.gap();
    for line in blocks(&columns, &[], &[], page)
        .concat()
        .into_iter()
        .filter(|line| !line.is_empty())
    {
        page.line(format!("  {line}"));
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    (
        values.iter().copied().fold(f64::INFINITY, f64::min),
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}
