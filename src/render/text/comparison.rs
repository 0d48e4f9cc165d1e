//! A comparison in a terminal.

use super::page::TextPage;
use super::table::{Align, Column, Text, blocks};
use super::view::{Paint, Role};
use crate::analysis::{Change, Compared, Comparison};
use crate::cell::Cell;
use crate::escape::terminal;
use crate::render::form::Names;
use crate::render::wording::caveats::caveats;
use crate::render::wording::change::{percent, probability, range};
use crate::render::wording::comparison::{sentences, title};
use crate::render::wording::number::{self, Scale, UNKNOWN, behind};
use crate::render::wording::sections::factors;
use crate::render::wording::warnings::warnings;
use crate::units;

/// Two sets of results, each called as the person called it, as text with line ends.
pub(super) fn render_comparison_text(
    comparison: &Comparison,
    names: Names<'_>,
    width: usize,
    paint: Paint<'_>,
) -> String {
    let mut page = TextPage::new(width, paint);
    page.heading(&title(comparison));
    page.fact("Base", &[terminal(names.base)]);
    page.fact("New", &[terminal(names.new)]);
    page.list("Before you compare", &caveats(comparison));
    let studies = comparison.cells.last().map_or(0, |cell| cell.study);
    for cells in comparison
        .cells
        .chunk_by(|one, other| (one.study, &one.cell.program) == (other.study, &other.cell.program))
    {
        let Some(first) = cells.first() else { continue };
        let of = if studies > 1 {
            format!(" · study {} of {studies}: {}", first.study, first.source)
        } else {
            String::new()
        };
        page.heading(&terminal(&format!("{}{of}", first.cell.program.name())));
        let (labels, columns) = (labels(cells), columns(comparison, cells));
        for line in blocks(&labels, &columns, &[], &page).concat() {
            page.line(line);
        }
    }
    page.gap();
    for sentence in sentences(comparison) {
        page.paragraph("", &terminal(&sentence), 2);
    }
    page.list("Warnings", &warnings(comparison));
    page.finish()
}

fn labels(cells: &[Compared]) -> Vec<Column> {
    let mut last = None;
    let mut sizes = Vec::new();
    for cell in cells {
        let size = (cell.cell.cpu_units, cell.cell.memory_mib);
        sizes.push(if last == Some(size) {
            (String::new(), String::new())
        } else {
            (number::vcpu(size.0), number::memory(size.1))
        });
        last = Some(size);
    }
    vec![
        Column::of(
            "vCPUs",
            Align::Right,
            sizes.iter().map(|size| size.0.clone()),
        ),
        Column::of("GB", Align::Right, sizes.iter().map(|size| size.1.clone())),
        Column::of(
            "mode",
            Align::Left,
            cells.iter().map(|cell| {
                let Cell {
                    mode,
                    concurrency,
                    shards,
                    factors: own,
                    ..
                } = &cell.cell;
                terminal(&format!(
                    "{}{}",
                    factors(*mode, *concurrency, *shards),
                    behind(own)
                ))
            }),
        ),
    ]
}

fn columns(comparison: &Comparison, cells: &[Compared]) -> Vec<Column> {
    let scale = Scale::of(comparison.metric);
    let medians = cells
        .iter()
        .flat_map(|cell| [cell.base.median, cell.new.median])
        .map(|median| scale.apply(median));
    let decimals = number::decimals(medians, std::iter::empty());
    let median = |value: f64| units::fixed(scale.apply(value), decimals);
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let mut change = Column::new("change", Align::Right);
    change.cells = cells
        .iter()
        .map(|cell| self::change(cell, comparison.comparisons))
        .collect();
    let intervals = cells.iter().map(|cell| {
        or_unknown(
            cell.interval
                .map(|interval| range(interval.low, interval.high)),
        )
    });
    vec![
        Column::of(
            "base",
            Align::Right,
            cells.iter().map(|cell| median(cell.base.median)),
        ),
        Column::of(
            "new",
            Align::Right,
            cells.iter().map(|cell| median(cell.new.median)),
        ),
        change,
        Column::of("95 % interval", Align::Right, intervals),
        Column::of(
            "p",
            Align::Right,
            cells.iter().map(|cell| probability(cell.p)),
        ),
        Column::of(
            "Holm",
            Align::Right,
            cells.iter().map(|cell| probability(cell.adjusted_p)),
        ),
    ]
}

fn change(cell: &Compared, comparisons: usize) -> Text {
    let text = match (cell.change, cell.ratio) {
        (Change::Indistinguishable, Some(ratio)) if cell.is_apart(comparisons) => {
            format!("{} in all", percent(ratio))
        }
        (Change::Indistinguishable, _) => "~".to_owned(),
        (Change::WithAll, Some(ratio)) => format!("{} all", percent(ratio)),
        (_, Some(ratio)) => percent(ratio),
        (_, None) => cell.change.as_str().to_owned(),
    };
    let role = match cell.change {
        Change::Indistinguishable | Change::WithAll => None,
        Change::Better => Some(Role::Best),
        Change::Worse => Some(Role::Failed),
    };
    Text { text, role }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::analysis::model::Study;
    use crate::cell::Program;
    use crate::plan::Mode;
    use crate::render::fixture::{HOSTILE, LEAN, around, cell, report, study};

    fn set(factor: f64) -> Study {
        let python = Program::Contender("python-thr".to_owned());
        let cells = vec![
            report(cell(&LEAN, 1, Mode::Async, 16), &around(590.0, 8.0)),
            report(
                cell(&LEAN, 1, Mode::Process, 1_024),
                &around(540.0 * factor, 9.0),
            ),
            report(cell(&LEAN, 4, Mode::Async, 16), &around(1_003.0, 12.0)),
            report(cell(&python, 1, Mode::Thread, 16), &around(71.0, 4.0)),
        ];
        study(cells)
    }

    #[test]
    fn a_comparison_of_80_columns() {
        let mut new = set(0.9);
        new.facts.tool_versions = vec!["0.2.0".to_owned()];
        let found = compare(&[set(1.0)], &[new], Metric::Throughput);
        let text = render_comparison_text(
            &found,
            Names {
                base: "./before",
                new: "./after",
            },
            80,
            &|_, text| text.to_owned(),
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn cells_of_several_workloads_stand_apart() {
        let other = || {
            let mut study = set(1.0);
            study.workload.bucket = "videos".to_owned();
            study
        };
        let found = compare(
            &[set(1.0), other()],
            &[other(), set(1.0)],
            Metric::Throughput,
        );
        assert_eq!(
            found
                .cells
                .iter()
                .map(|cell| cell.study)
                .collect::<Vec<_>>(),
            [1, 1, 1, 1, 2, 2, 2, 2]
        );
        let text = render_comparison_text(
            &found,
            Names {
                base: "a",
                new: "b",
            },
            80,
            &|_, text| text.to_owned(),
        );
        assert!(
            text.contains("lean · study 1 of 2: s3://images\n")
                && text.contains("lean · study 2 of 2: s3://videos\n"),
            "{text}"
        );
    }

    #[test]
    fn names_are_text() {
        let hostile = [crate::render::fixture::hostile()];
        let found = compare(&hostile, &hostile, Metric::Throughput);
        let text = render_comparison_text(
            &found,
            Names {
                base: HOSTILE,
                new: HOSTILE,
            },
            80,
            &|_, text| text.to_owned(),
        );
        assert!(
            found.cells.len() == 2 && !text.contains(['\u{1b}', '\u{202e}']),
            "{text}"
        );
    }
}
