//! A comparison as Markdown.

use super::write::{grid, heading, item, list, paragraph};
use crate::analysis::{Change, Compared, Comparison};
use crate::escape::markdown;
use crate::render::form::Extent;
use crate::render::form::Names;
use crate::render::wording::caveats::caveats;
use crate::render::wording::change::{probability, range};
use crate::render::wording::comparison::{answer, change, legend, sentences, shown_median, title};
use crate::render::wording::number::{self, UNKNOWN, behind};
use crate::render::wording::sections::factors;
use crate::render::wording::warnings::warnings;

/// As Markdown (GitHub's); base and new are called as the person called them.
pub(super) fn render_comparison_markdown(comparison: &Comparison, names: Names<'_>) -> String {
    let mut text = String::from("# parfetch compare\n");
    heading(&mut text, "##", &title(comparison));
    item(&mut text, &format!("**Base:** {}", markdown(names.base)));
    item(&mut text, &format!("**New:** {}", markdown(names.new)));
    paragraph(
        &mut text,
        &markdown(&answer(comparison, [names.base, names.new])),
    );
    list(&mut text, "Before you compare", &caveats(comparison));
    // Which study a row is of says something where there are several.
    let first = usize::from(comparison.cells.last().is_none_or(|cell| cell.study < 2));
    let last = HEADS.len() - if names.extent == Extent::All { 0 } else { 2 };
    let rows: Vec<Vec<String>> = comparison
        .cells
        .iter()
        .map(|cell| row(comparison, cell)[first..last].to_vec())
        .collect();
    let heads = HEADS.map(str::to_owned);
    grid(&mut text, &heads[first..last], &rows, 3 - first);
    paragraph(&mut text, &markdown(&legend(comparison)));
    if names.extent == Extent::All {
        list(&mut text, "Reading it", &sentences(comparison));
    }
    list(&mut text, "Warnings", &warnings(comparison));
    text
}

/// The last two are of interest to few.
const HEADS: [&str; 10] = [
    "study",
    "vCPUs",
    "GB",
    "program and mode",
    "base",
    "new",
    "change",
    "95 % interval",
    "p",
    "corrected",
];

fn row(comparison: &Comparison, compared: &Compared) -> [String; HEADS.len()] {
    let cell = &compared.cell;
    let median = |value: f64| shown_median(comparison, value);
    let change = markdown(&change(comparison, compared));
    let change = match compared.change {
        Change::Better | Change::Worse => format!("**{change}**"),
        Change::Indistinguishable | Change::WithAll => change,
    };
    [
        markdown(&format!("{} {}", compared.study, compared.source)),
        number::vcpu(cell.cpu_units),
        number::memory(cell.memory_mib),
        markdown(&format!(
            "{} · {}{}",
            cell.program.name(),
            factors(cell.mode, cell.concurrency, cell.shards),
            behind(&cell.factors)
        )),
        median(compared.base.median),
        median(compared.new.median),
        change,
        compared.interval.map_or_else(|| UNKNOWN.to_owned(), range),
        markdown(&probability(compared.p)),
        markdown(&probability(compared.adjusted_p)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Metric, compare};
    use crate::render::fixture::{HOSTILE, hostile, slower};

    #[test]
    fn markdown_of_a_comparison() {
        insta::assert_snapshot!(render_comparison_markdown(
            &slower(),
            Names {
                base: "./before",
                new: "./after",
                extent: Extent::All,
            }
        ));
    }

    #[test]
    fn names_are_text() {
        let hostile = [hostile()];
        let found = compare(&hostile, &hostile, Metric::Throughput);
        let text = render_comparison_markdown(
            &found,
            Names {
                base: HOSTILE,
                new: HOSTILE,
                extent: Extent::All,
            },
        );
        assert!(
            !text.replace("\\<", "").contains('<') && !text.replace("\\[", "").contains('['),
            "{text}"
        );
    }
}
