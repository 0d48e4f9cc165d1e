//! A comparison in a terminal.

use super::page::TextPage;
use super::table::{Align, Column, Text, blocks};
use super::view::{Paint, Role};
use crate::analysis::{Change, Compared, Comparison};
use crate::cell::Cell;
use crate::escape::terminal;
use crate::render::form::{Extent, Names};
use crate::render::wording::caveats::caveats;
use crate::render::wording::change::{probability, range};
use crate::render::wording::comparison::{self as wording, sentences, shown_median, title};
use crate::render::wording::number::{self, UNKNOWN, behind};
use crate::render::wording::sections::factors;
use crate::render::wording::warnings::warnings;

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
    page.gap();
    page.paragraph(
        "",
        &terminal(&wording::answer(comparison, [names.base, names.new])),
        0,
    );
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
        // Two programs of one sweep stand under the name of one of them.
        if comparison.same_time {
            page.gap();
        } else {
            page.heading(&terminal(&format!("{}{of}", first.cell.program.name())));
        }
        let (labels, columns) = (labels(cells), columns(comparison, (cells, names.extent)));
        for line in blocks(&labels, &columns, &[], &page).concat() {
            page.line(line);
        }
    }
    page.gap();
    page.paragraph("", &wording::legend(comparison), 2);
    if names.extent == Extent::All {
        for sentence in sentences(comparison) {
            page.paragraph("", &terminal(&sentence), 2);
        }
    }
    page.list("Warnings", &warnings(comparison));
    if names.extent == Extent::Answer {
        page.gap();
        page.line("How sure each difference is, and the method: the same command with --all");
    }
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

fn columns(comparison: &Comparison, (cells, extent): (&[Compared], Extent)) -> Vec<Column> {
    let column = |head: &str, text: &dyn Fn(&Compared) -> String| {
        Column::of(
            head,
            Align::Right,
            cells.iter().map(text).collect::<Vec<_>>(),
        )
    };
    let median = |median: f64| shown_median(comparison, median);
    let interval = |cell: &Compared| cell.interval.map_or_else(|| UNKNOWN.to_owned(), range);
    let mut change = Column::new("change", Align::Right);
    change.cells = cells
        .iter()
        .map(|cell| Text {
            text: wording::change(comparison, cell),
            role: role(cell.change),
        })
        .collect();
    let mut columns = vec![
        column("base", &|cell| median(cell.base.median)),
        column("new", &|cell| median(cell.new.median)),
        change,
        column("95 % interval", &interval),
    ];
    if extent == Extent::All {
        columns.extend([
            column("p", &|cell| probability(cell.p)),
            column("corrected", &|cell| probability(cell.adjusted_p)),
        ]);
    }
    columns
}

const fn role(change: Change) -> Option<Role> {
    match change {
        Change::Indistinguishable | Change::WithAll => None,
        Change::Better => Some(Role::Best),
        Change::Worse => Some(Role::Failed),
    }
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
                extent: Extent::Answer,
            },
            80,
            &|_, text| text.to_owned(),
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text);
        let names = Names {
            base: "./before",
            new: "./after",
            extent: Extent::All,
        };
        let all = render_comparison_text(&found, names, 80, &|_, text| text.to_owned());
        for word in ["Holm", "moderated t", "corrected"] {
            assert!(all.contains(word) && !text.contains(word), "{word}: {all}");
        }
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
                extent: Extent::Answer,
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
                extent: Extent::Answer,
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
