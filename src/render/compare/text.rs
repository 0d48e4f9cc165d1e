//! A comparison in a terminal.

use crate::analysis::metric::Better;
use crate::analysis::{Change, Compared, Comparison};
use crate::escape::terminal;
use crate::render::text::{Align, Column, Page, Paint, Role, Text, blocks};
use crate::render::wording::number::{self, Scale, UNKNOWN, plural};
use crate::render::wording::sections::factors;
use crate::units;

/// Two sets of results, each called as the person called it, as text with line ends.
pub fn render_comparison_text(
    comparison: &Comparison,
    (base, new): (&str, &str),
    width: usize,
    paint: Paint<'_>,
) -> String {
    let mut page = Page::new(width, paint);
    page.heading(&title(comparison));
    page.fact("Base", &[terminal(base)]);
    page.fact("New", &[terminal(new)]);
    if !comparison.caveats.is_empty() {
        page.heading("Before you compare");
        for caveat in &comparison.caveats {
            page.paragraph("  - ", &terminal(caveat), 4);
        }
    }
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
    if !comparison.warnings.is_empty() {
        page.heading("Warnings");
        for warning in &comparison.warnings {
            page.paragraph("  - ", &terminal(warning), 4);
        }
    }
    page.finish()
}

/// `Throughput, MB/s: new against base, higher is better`.
pub(super) fn title(comparison: &Comparison) -> String {
    let better = if comparison.better == Better::Higher {
        "higher"
    } else {
        "lower"
    };
    format!(
        "Comparison of {}: {better} is better",
        number::heading(comparison.metric)
    )
}

/// What the columns mean, and what all cells say together.
pub(super) fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut sentences = vec![overall(comparison)];
    let count = |change: Change| {
        comparison
            .cells
            .iter()
            .filter(|cell| cell.change == change)
            .count()
    };
    let apart = comparison
        .cells
        .iter()
        .filter(|cell| cell.is_apart(comparison.comparisons))
        .count();
    let (better, worse, same) = (
        count(Change::Better),
        count(Change::Worse),
        count(Change::Indistinguishable) - apart,
    );
    let with_all = match count(Change::WithAll) {
        0 => String::new(),
        moved => format!("{moved} moved with all the others, "),
    };
    let in_all = if apart == 0 {
        String::new()
    } else {
        format!("{apart} changed in all runs, which are too few for a test (`in all`), ")
    };
    sentences.push(format!(
        "configurations: {better} better, {worse} worse, {with_all}{in_all}{same} without measurable difference (~) of {}",
        comparison.comparisons
    ));
    let rounds = if comparison.same_time {
        "what a round did to all others is taken off first"
    } else if comparison.cells.iter().any(|cell| cell.own_p.is_some()) {
        "of two tests, that it changed at all and that it moved against all others in the same rounds, the larger p counts"
    } else {
        "runs are not in rounds"
    };
    sentences.push(format!(
        "method: medians; change: median ratio of all pairs new ÷ base (Hodges-Lehmann) with its 95 % interval, each for itself; p: exact Mann-Whitney test, two-sided (normal above 2,500 pairs); {rounds}; Holm: p corrected for the family of {}, significant up to {}; ~: not significant",
        plural(comparison.comparisons as u64, "comparison"),
        comparison.alpha
    ));
    sentences
}

fn overall(comparison: &Comparison) -> String {
    let Some(overall) = &comparison.overall else {
        return "all configurations: no ratio can be made".to_owned();
    };
    let within = overall.interval.map_or_else(
        || "no 95 % interval with so few rounds".to_owned(),
        |interval| {
            format!(
                "95 % interval {}, each round counted once",
                range(interval.low, interval.high)
            )
        },
    );
    format!(
        "all configurations: geometric mean of {} {}, which has no interval; all together moved by {}, {within}",
        plural(overall.cells as u64, "ratio"),
        percent(overall.geometric_mean),
        percent(overall.common_factor)
    )
}

/// A ratio as a change: `-10.0 %`.
pub(crate) fn percent(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    // What rounds to nothing has no sign.
    if change.abs() < 0.05 {
        "0.0 %".to_owned()
    } else {
        format!("{change:+.1} %")
    }
}

/// `-12.1 … -8.0 %`.
pub(crate) fn range(low: f64, high: f64) -> String {
    format!(
        "{} … {}",
        percent(low).trim_end_matches(" %"),
        percent(high)
    )
}

/// A probability: four decimals.
pub(super) fn probability(p: f64) -> String {
    if p < 0.000_05 {
        "<0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
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
            cells
                .iter()
                .map(|cell| factors(cell.cell.mode, cell.cell.concurrency, cell.cell.shards)),
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
    use crate::analysis::sample::{HOSTILE, LEAN, around, cell, report, study};
    use crate::cell::Program;
    use crate::plan::Mode;

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
        let text = render_comparison_text(&found, ("./before", "./after"), 80, &|_, text| {
            text.to_owned()
        });
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
        let text = render_comparison_text(&found, ("a", "b"), 80, &|_, text| text.to_owned());
        assert!(
            text.contains("lean · study 1 of 2: s3://images\n")
                && text.contains("lean · study 2 of 2: s3://videos\n"),
            "{text}"
        );
    }

    #[test]
    fn names_are_text() {
        let hostile = [crate::analysis::sample::hostile()];
        let found = compare(&hostile, &hostile, Metric::Throughput);
        let text =
            render_comparison_text(&found, (HOSTILE, HOSTILE), 80, &|_, text| text.to_owned());
        assert!(
            found.cells.len() == 2 && !text.contains(['\u{1b}', '\u{202e}']),
            "{text}"
        );
    }

    #[test]
    fn changes_are_signed_and_small_ones_are_none() {
        assert_eq!(
            (
                percent(0.9).as_str(),
                percent(1.0).as_str(),
                percent(1.000_4).as_str(),
                percent(1.2).as_str()
            ),
            ("-10.0 %", "0.0 %", "0.0 %", "+20.0 %")
        );
        assert_eq!(
            (
                probability(0.000_01).as_str(),
                probability(2.0 / 924.0).as_str()
            ),
            ("<0.0001", "0.0022")
        );
    }
}
