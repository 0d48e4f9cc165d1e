//! A comparison as Markdown, CSV and JSON.

use serde::Serialize;

use super::text::{percent, probability, range, sentences, title};
use crate::analysis::{Change, Compared, Comparison};
use crate::escape::{csv, markdown};
use crate::render::csv::{Sheet, column, known, optional};
use crate::render::markdown::{grid, heading, item, list};
use crate::render::wording::number::{self, Scale, UNKNOWN};
use crate::render::wording::sections::factors;
use crate::units;

/// As Markdown (GitHub's); base and new are called as the person called them.
pub fn render_comparison_markdown(comparison: &Comparison, (base, new): (&str, &str)) -> String {
    let mut text = String::from("# parfetch compare\n");
    heading(&mut text, "##", &title(comparison));
    item(&mut text, &format!("**Base:** {}", markdown(base)));
    item(&mut text, &format!("**New:** {}", markdown(new)));
    list(&mut text, "Before you compare", &comparison.caveats);
    // Which study a row is of says something where there are several.
    let studies = comparison.cells.last().map_or(0, |cell| cell.study);
    let heads = [
        "study",
        "vCPUs",
        "GB",
        "program and mode",
        "base",
        "new",
        "change",
        "95 % interval",
        "p",
        "Holm",
    ]
    .map(str::to_owned);
    let rows: Vec<Vec<String>> = comparison
        .cells
        .iter()
        .map(|cell| {
            row(cell, (Scale::of(comparison.metric), comparison.comparisons))
                [usize::from(studies < 2)..]
                .to_vec()
        })
        .collect();
    grid(
        &mut text,
        &heads[usize::from(studies < 2)..],
        &rows,
        if studies < 2 { 2 } else { 3 },
    );
    list(&mut text, "Reading it", &sentences(comparison));
    list(&mut text, "Warnings", &comparison.warnings);
    text
}

fn row(compared: &Compared, (scale, comparisons): (Scale, usize)) -> Vec<String> {
    let cell = &compared.cell;
    let median = |value: f64| units::three_digits(scale.apply(value));
    let change = match (compared.change, compared.ratio) {
        (Change::Indistinguishable, Some(ratio)) if compared.is_apart(comparisons) => {
            format!("{} in all", percent(ratio))
        }
        (Change::Indistinguishable, _) => "\\~".to_owned(),
        (Change::WithAll, Some(ratio)) => format!("{} all", percent(ratio)),
        (_, Some(ratio)) => format!("**{}**", percent(ratio)),
        (change, None) => format!("**{}**", change.as_str()),
    };
    vec![
        markdown(&format!("{} {}", compared.study, compared.source)),
        number::vcpu(cell.cpu_units),
        number::memory(cell.memory_mib),
        markdown(&format!(
            "{} · {}",
            cell.program.name(),
            factors(cell.mode, cell.concurrency, cell.shards)
        )),
        median(compared.base.median),
        median(compared.new.median),
        change,
        compared.interval.map_or_else(
            || UNKNOWN.to_owned(),
            |interval| range(interval.low, interval.high),
        ),
        markdown(&probability(compared.p)),
        markdown(&probability(compared.adjusted_p)),
    ]
}

/// As CSV, one row a cell, in base units.
pub fn render_comparison_csv(comparison: &Comparison) -> String {
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
            "holm_p",
            "comparisons",
            "alpha",
            "change",
            "total_p",
            "own_p",
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
        ]);
        sheet.row(&row);
    }
    sheet.finish()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    tool_version: &'static str,
    base: &'a str,
    new: &'a str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// As one JSON document, indented, with a line end.
///
/// # Errors
/// Never for what this program computes; serde's own otherwise.
pub fn render_comparison_json(
    comparison: &Comparison,
    (base, new): (&str, &str),
) -> Result<String, serde_json::Error> {
    let document = Document {
        schema: "parfetch.comparison",
        version: 1,
        tool_version: env!("CARGO_PKG_VERSION"),
        base,
        new,
        comparison,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::analysis::sample::{HOSTILE, LEAN, around, cell, hostile, report, study};
    use crate::plan::Mode;

    fn found() -> Comparison {
        let set = |rate: f64| {
            study(vec![report(
                cell(&LEAN, 1, Mode::Async, 16),
                &around(rate, 8.0),
            )])
        };
        compare(&[set(600.0)], &[set(540.0)], Metric::Throughput)
    }

    #[test]
    fn markdown_of_a_comparison() {
        insta::assert_snapshot!(render_comparison_markdown(
            &found(),
            ("./before", "./after")
        ));
    }

    #[test]
    fn csv_of_a_comparison() {
        let text = render_comparison_csv(&found());
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
        let found = compare(&hostile, &hostile, Metric::Throughput);
        let text = render_comparison_markdown(&found, (HOSTILE, HOSTILE));
        assert!(
            !text.replace("\\<", "").contains('<') && !text.replace("\\[", "").contains('['),
            "{text}"
        );
        assert!(
            render_comparison_csv(&found).contains("\"'=a|b<script>"),
            "{}",
            render_comparison_csv(&found)
        );
    }

    #[test]
    fn json_of_a_comparison_says_what_it_is() {
        let value: serde_json::Value =
            serde_json::from_str(&render_comparison_json(&found(), ("a", "b")).unwrap()).unwrap();
        assert_eq!(
            (
                &value["schema"],
                &value["base"],
                &value["cells"][0]["change"]
            ),
            (&"parfetch.comparison".into(), &"a".into(), &"worse".into())
        );
    }
}
