//! A comparison as CSV.

use super::sheet::{OwnFactors, Sheet, column, known, optional};
use crate::analysis::Comparison;
use crate::escape::csv;

/// As CSV, one row a cell, in base units.
pub(super) fn render_comparison_csv(comparison: &Comparison) -> String {
    let metric = column(comparison.metric);
    let mut header: Vec<String> = [
        "metric",
        "study",
        "source",
        "program",
        "is_contender",
        "cpu_units",
        "memory_mib",
        "mode",
        "concurrency",
        "shards",
    ]
    .map(str::to_owned)
    .into();
    let own = OwnFactors::of(comparison.cells.iter().map(|compared| &compared.cell));
    header.extend(own.columns());
    for set in ["base", "new"] {
        header.extend(["median", "low", "high", "n"].map(|what| format!("{set}_{metric}_{what}")));
        header.push(format!("{set}_failed_repetitions"));
    }
    header.extend(
        [
            "ratio",
            "ratio_low",
            "ratio_high",
            "ratio_level",
            "p",
            "adjusted_p",
            "comparisons",
            "alpha",
            "change",
            "total_p",
            "own_p",
            "rank_p",
        ]
        .map(str::to_owned),
    );
    let mut sheet = Sheet::new(&header);
    for compared in &comparison.cells {
        let cell = &compared.cell;
        let mut row = vec![
            comparison.metric.id().to_owned(),
            compared.study.to_string(),
            csv(&compared.source),
            csv(cell.program.name()),
            (!cell.program.is_parfetch()).to_string(),
            known(cell.cpu_units),
            known(cell.memory_mib),
            cell.mode.to_string(),
            cell.concurrency.to_string(),
            cell.shards.to_string(),
        ];
        row.extend(own.values(cell));
        for side in [&compared.base, &compared.new] {
            let interval = side.interval;
            row.extend([
                side.median.to_string(),
                optional(interval.map(|found| found.low)),
                optional(interval.map(|found| found.high)),
            ]);
            row.extend([side.values.len().to_string(), side.failed.to_string()]);
        }
        let interval = compared.interval;
        row.extend(
            [
                compared.ratio,
                interval.map(|found| found.low),
                interval.map(|found| found.high),
                interval.map(|found| found.level),
            ]
            .map(optional),
        );
        row.extend([
            compared.p.to_string(),
            compared.adjusted_p.to_string(),
            comparison.comparisons.to_string(),
            comparison.alpha.to_string(),
        ]);
        row.extend([
            compared.change.as_str().to_owned(),
            compared.total_p.to_string(),
            optional(compared.own_p),
            compared.rank_p.to_string(),
        ]);
        sheet.row(&row);
    }
    sheet.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::render::fixture::{hostile, slower};

    #[test]
    fn csv_of_a_comparison() {
        let text = render_comparison_csv(&slower());
        let rows: Vec<std::collections::BTreeMap<String, String>> =
            ::csv::Reader::from_reader(text.as_bytes())
                .deserialize()
                .map(Result::unwrap)
                .collect();
        let expected = [
            ("metric", "throughput"),
            ("concurrency", "16"),
            ("base_throughput_bytes_per_s_median", "600000000"),
            ("new_throughput_bytes_per_s_low", "532000000"),
            ("new_throughput_bytes_per_s_n", "6"),
            ("comparisons", "1"),
            ("change", "worse"),
        ];
        for (name, value) in expected {
            assert_eq!(rows[0][name], value, "{name}");
        }
        assert!((rows[0]["ratio"].parse::<f64>().unwrap() - 0.9).abs() < 1e-3);
    }

    #[test]
    fn names_are_text() {
        let hostile = [hostile()];
        let text = render_comparison_csv(&compare(&hostile, &hostile, Metric::Throughput));
        assert!(text.contains("\"'=a|b<script>"), "{text}");
    }
}
