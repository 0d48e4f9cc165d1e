//! The report as CSV: everything known of each cell.

use super::sheet::{OwnFactors, Sheet, column, known, optional};
use crate::analysis::advice::{Basis, Cost};
use crate::analysis::metric::Metric;
use crate::analysis::model::{Against, CellReport, Standing, Study};
use crate::escape;
use crate::render::wording::{notes, verdict};

/// Columns before the metrics.
const FACTORS: [&str; 12] = [
    "study",
    "source",
    "region",
    "place",
    "keys_sha256",
    "program",
    "is_contender",
    "cpu_units",
    "memory_mib",
    "mode",
    "concurrency",
    "shards",
];

/// Columns behind the metrics.
const FINDINGS: [&str; 26] = [
    "repetitions",
    "failed_repetitions",
    "failure_reasons",
    "verdict",
    "verdict_because",
    "standing",
    "standing_p",
    "is_knee",
    "curve_knee",
    "speed_up_over_first",
    "speed_up_over_first_low",
    "speed_up_over_first_high",
    "repetition_task_usd",
    "repetition_requests_usd",
    "repetition_retrieval_usd",
    "repetition_egress_usd",
    "prices_dated",
    "price_is_hypothetical",
    "held_s",
    "drop_at_s",
    "predicted_s",
    "predicted_low_s",
    "predicted_high_s",
    "predicted_usd",
    "predicted_basis",
    "notes",
];

/// The report as CSV, one row a cell.
pub(crate) fn render_csv(studies: &[Study]) -> String {
    let mut header: Vec<String> = FACTORS.map(str::to_owned).into();
    let cells = studies.iter().flat_map(|study| &study.cells);
    let own = OwnFactors::of(cells.map(|cell| &cell.cell));
    header.extend(own.columns());
    for metric in Metric::ALL {
        let name = column(metric);
        header.extend([
            format!("{name}_median"),
            format!("{name}_low"),
            format!("{name}_high"),
            format!("{name}_n"),
        ]);
    }
    header.extend(FINDINGS.map(str::to_owned));
    let mut sheet = Sheet::new(&header);
    for (number, study) in studies.iter().enumerate() {
        for (place, cell) in study.cells.iter().enumerate() {
            let mut row = factors(study, number + 1, cell);
            row.extend(own.values(&cell.cell));
            row.extend(
                Metric::ALL
                    .into_iter()
                    .flat_map(|metric| figures(cell, metric)),
            );
            row.extend(findings(study, place, cell));
            sheet.row(&row);
        }
    }
    sheet.finish()
}

fn factors(study: &Study, number: usize, report: &CellReport) -> Vec<String> {
    let (workload, cell) = (&study.workload, &report.cell);
    let text = |text: &str| escape::csv(text);
    vec![
        number.to_string(),
        text(&workload.source()),
        text(workload.region.as_deref().unwrap_or_default()),
        text(&workload.place.on),
        text(workload.keys_sha256.as_deref().unwrap_or_default()),
        text(cell.program.name()),
        (!cell.program.is_parfetch()).to_string(),
        known(cell.cpu_units),
        known(cell.memory_mib),
        cell.mode.to_string(),
        cell.concurrency.to_string(),
        cell.shards.to_string(),
    ]
}

fn figures(cell: &CellReport, metric: Metric) -> [String; 4] {
    let figure = cell.figure(metric);
    let interval = figure.and_then(|figure| figure.interval);
    [
        optional(figure.map(|figure| figure.median)),
        optional(interval.map(|interval| interval.low)),
        optional(interval.map(|interval| interval.high)),
        figure.map_or(0, |figure| figure.n).to_string(),
    ]
}

fn findings(study: &Study, place: usize, cell: &CellReport) -> Vec<String> {
    let mut reasons: Vec<&str> = Vec::new();
    for failure in &cell.failures {
        if !reasons.contains(&failure.reason.as_str()) {
            reasons.push(&failure.reason);
        }
    }
    let (standing, p) = match cell.standing {
        Standing::Best => ("best", None),
        Standing::Indistinguishable { p } => ("indistinguishable", p),
        Standing::Apart => ("apart", None),
        Standing::Worse { p } => ("worse", Some(p)),
        Standing::Unknown => ("", None),
    };
    let knee = study
        .curves
        .iter()
        .find(|curve| curve.cells.contains(&place))
        .and_then(|curve| curve.knee);
    let first = cell
        .speed_ups
        .iter()
        .find(|found| found.kind == Against::First);
    let mut row = vec![
        cell.observations.len().to_string(),
        cell.failures.len().to_string(),
        escape::csv(&reasons.join("; ")),
        cell.verdict.word.as_str().to_owned(),
        escape::csv(&verdict::because(&cell.verdict).join("; ")),
        standing.to_owned(),
        optional(p),
        cell.is_knee.to_string(),
        optional(knee),
        optional(first.map(|found| found.ratio)),
        optional(
            first
                .and_then(|found| found.interval)
                .map(|interval| interval.low),
        ),
        optional(
            first
                .and_then(|found| found.interval)
                .map(|interval| interval.high),
        ),
    ];
    row.extend(money_and_time(cell));
    row.push(escape::csv(&notes::of_cell(cell).join("; ")));
    row
}

fn money_and_time(cell: &CellReport) -> Vec<String> {
    let (cost, prediction) = (cell.cost.as_ref(), cell.prediction.as_ref());
    let basis = prediction.map(|prediction| match prediction.basis() {
        None => "one-run",
        Some(Basis::Seen { .. }) => "seen",
        Some(Basis::Burst { .. }) => "burst",
        Some(Basis::BelowSustained { .. }) => "below-sustained",
        Some(Basis::Sustained { .. }) => "sustained",
    });
    vec![
        optional(cost.map(|cost| cost.usd_task)),
        optional(cost.and_then(|cost| cost.usd_requests)),
        optional(cost.and_then(|cost| cost.usd_retrieval)),
        optional(cost.and_then(|cost| cost.usd_egress)),
        escape::csv(cost.map_or("", |cost| &cost.prices_dated)),
        optional(cost.map(|cost| cost.is_hypothetical)),
        optional(cell.held.map(|held| held.held_s)),
        optional(cell.held.and_then(|held| held.drop).map(|drop| drop.at_s)),
        optional(prediction.map(|prediction| prediction.seconds)),
        optional(
            prediction
                .and_then(|prediction| prediction.interval)
                .map(|interval| interval.low),
        ),
        optional(
            prediction
                .and_then(|prediction| prediction.interval)
                .map(|interval| interval.high),
        ),
        optional(
            prediction
                .and_then(|prediction| prediction.cost.as_ref())
                .map(Cost::usd_total),
        ),
        optional(basis),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::{HOSTILE, cell, hostile, report, sketch, study};

    fn read(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        ::csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn every_cell_is_a_row_of_base_units() {
        let rows = read(&render_csv(&[sketch()]));
        assert_eq!(rows.len(), 39);
        let row = &rows[4];
        let expected = [
            ("program", "lean"),
            ("cpu_units", "1024"),
            ("mode", "async"),
            ("concurrency", "16"),
            ("throughput_bytes_per_s_median", "590000000"),
            ("throughput_bytes_per_s_low", "582000000"),
            ("throughput_bytes_per_s_high", "598000000"),
            ("throughput_bytes_per_s_n", "6"),
            ("ttfb_p99_s_median", "0.0813"),
            ("peak_memory_bytes_median", ""),
            ("peak_memory_bytes_n", "0"),
            ("verdict", "cpu-bound"),
            ("standing", "best"),
            ("curve_knee", "16"),
            ("speed_up_over_first", "9.37"),
            ("repetition_task_usd", "0.0002"),
            ("predicted_s", "204"),
            ("predicted_basis", "burst"),
        ];
        for (name, value) in expected {
            assert_eq!(row[name], value, "{name}");
        }
        assert_eq!(
            (
                rows[29]["throughput_bytes_per_s_median"].as_str(),
                rows[29]["failure_reasons"].as_str()
            ),
            ("", "no capacity")
        );
    }

    #[test]
    fn the_file_is_that_of_the_standard() {
        let one = study(vec![report(
            cell(
                &crate::render::fixture::LEAN,
                1,
                crate::plan::Mode::Async,
                1,
            ),
            &[1e6],
        )]);
        insta::assert_snapshot!(render_csv(&[one]).replace("\r\n", "<CRLF>\n"));
    }

    #[test]
    fn names_are_text() {
        let text = render_csv(&[hostile()]);
        let rows = read(&text);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1]["program"], format!("'{HOSTILE}"));
        assert_eq!(rows[0]["failure_reasons"], format!("'{HOSTILE}"));
        for field in rows.iter().flat_map(std::collections::BTreeMap::values) {
            assert!(
                !field.starts_with(['=', '+', '@', '\t', '\r'])
                    && (!field.starts_with('-') || field.parse::<f64>().is_ok()),
                "{field}"
            );
        }
    }
}
