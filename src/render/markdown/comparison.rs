//! A comparison as Markdown.

use super::write::{grid, heading, item, list};
use crate::analysis::{Change, Compared, Comparison};
use crate::escape::markdown;
use crate::render::form::Names;
use crate::render::wording::caveats::caveats;
use crate::render::wording::change::{percent, probability, range};
use crate::render::wording::comparison::{sentences, title};
use crate::render::wording::number::{self, Scale, UNKNOWN, behind};
use crate::render::wording::sections::factors;
use crate::render::wording::warnings::warnings;
use crate::units;

/// As Markdown (GitHub's); base and new are called as the person called them.
pub(super) fn render_comparison_markdown(comparison: &Comparison, names: Names<'_>) -> String {
    let mut text = String::from("# parfetch compare\n");
    heading(&mut text, "##", &title(comparison));
    item(&mut text, &format!("**Base:** {}", markdown(names.base)));
    item(&mut text, &format!("**New:** {}", markdown(names.new)));
    list(&mut text, "Before you compare", &caveats(comparison));
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
    list(&mut text, "Warnings", &warnings(comparison));
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
            "{} · {}{}",
            cell.program.name(),
            factors(cell.mode, cell.concurrency, cell.shards),
            behind(&cell.factors)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::plan::Mode;
    use crate::render::fixture::{HOSTILE, LEAN, around, cell, hostile, report, study};

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
            Names {
                base: "./before",
                new: "./after"
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
            },
        );
        assert!(
            !text.replace("\\<", "").contains('<') && !text.replace("\\[", "").contains('['),
            "{text}"
        );
    }
}
