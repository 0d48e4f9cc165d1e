//! What else is to be known of two sets of results, and whether the test can say anything at all.

use super::{Comparison, find};
use crate::analysis::model::{Sampled, Study};
use crate::cell::Cell;
use crate::plan::Layout;
use crate::render::wording::facts::layout_words;
use crate::render::wording::number::{UNKNOWN, plural};
use crate::stats::family::can_reach;
use crate::stats::rank::smallest_p;
use crate::units;

/// Cells named one by one.
const NAMED: usize = 3;
/// Most repetitions that are thought of.
const MOST: usize = 100;

fn order_and_parts(layout: Layout) -> String {
    if layout.is_plain() {
        "objects whole, as listed".to_owned()
    } else {
        layout_words(layout).join(", ")
    }
}

/// Everything to be known, the most important first.
pub(super) fn warnings(
    comparison: &Comparison,
    (base, new): (&[Study], &[Study]),
    pairs: &[(&Study, &Study)],
) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(power(comparison));
    warnings.extend(alone(
        "base",
        base,
        pairs.iter().map(|(before, after)| (*before, *after)),
    ));
    warnings.extend(alone(
        "new",
        new,
        pairs.iter().map(|(before, after)| (*after, *before)),
    ));
    warnings.extend(unmeasured(comparison, pairs));
    warnings.extend(failed(("base", base)));
    warnings.extend(failed(("new", new)));
    warnings
}

/// Whether repetitions suffice for the family: the smallest p that they can give, times the number of comparisons.
fn power(comparison: &Comparison) -> Option<String> {
    let all = comparison.comparisons;
    let can = |cell: &&super::Compared| {
        all as f64 * smallest_p(cell.base.values.len(), cell.new.values.len()) <= comparison.alpha
    };
    let poor = all - comparison.cells.iter().filter(can).count();
    if poor == 0 {
        return None;
    }
    let needed = (1..MOST).find(|n| can_reach(all, *n, comparison.alpha));
    let cure = needed.map_or_else(String::new, |needed| {
        format!(
            ": {} of each in each set would do",
            plural(needed as u64, "repetition")
        )
    });
    let family = if all == 1 {
        "one comparison".to_owned()
    } else {
        format!("{all} comparisons")
    };
    let who = if poor == all {
        "no configuration has enough".to_owned()
    } else {
        format!("{poor} of {all} configurations have too few")
    };
    Some(format!("{who} repetitions for a test of {family}{cure}"))
}

/// What differs between two studies: name in the plural, base, new.
pub(super) fn differences(base: &Study, new: &Study) -> Vec<(&'static str, String, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    let short = |value: &Option<String>| {
        value.as_ref().map_or_else(
            || UNKNOWN.to_owned(),
            |hash| hash.chars().take(12).collect(),
        )
    };
    let list = |values: &[String]| {
        if values.is_empty() {
            UNKNOWN.to_owned()
        } else {
            values.join(", ")
        }
    };
    let number = |value: Option<u64>| value.map_or_else(|| UNKNOWN.to_owned(), units::count);
    let pairs = [("base", base), ("new", new)].map(|(_, study)| {
        let (workload, facts) = (&study.workload, &study.facts);
        // The port of an embedded server says nothing.
        let endpoint = if workload.embedded.is_some() {
            UNKNOWN.to_owned()
        } else {
            text(&workload.endpoint)
        };
        vec![
            ("buckets", workload.bucket.clone()),
            ("prefixes", format!("`{}`", workload.prefix)),
            ("limits of keys", number(workload.limit)),
            ("samples", sample(workload.sample.as_ref())),
            (
                "durations",
                workload
                    .duration_ns
                    .map_or_else(|| UNKNOWN.to_owned(), units::duration),
            ),
            (
                "settings of work",
                workload
                    .work
                    .map_or_else(|| UNKNOWN.to_owned(), |work| work.to_string()),
            ),
            (
                "orders and parts",
                workload
                    .layout
                    .map_or_else(|| UNKNOWN.to_owned(), order_and_parts),
            ),
            ("key lists", short(&workload.keys_sha256)),
            ("numbers of keys", number(workload.keys)),
            (
                "sizes of all keys",
                workload
                    .bytes
                    .map_or_else(|| UNKNOWN.to_owned(), units::bytes),
            ),
            ("regions", text(&workload.region)),
            ("endpoints", endpoint),
            ("settings of the embedded server", text(&workload.embedded)),
            ("places", workload.place.on.clone()),
            ("architectures", text(&workload.place.arch)),
            ("machines", text(&workload.place.machine)),
            ("CPU models", text(&facts.cpu_model)),
            ("systems", text(&facts.system)),
            ("means of limiting", list(&facts.limited_by)),
            (
                "CPUs of the client",
                number(facts.client_cpus.map(u64::from)),
            ),
            (
                "CPUs shared with the server",
                facts
                    .shared_with_server
                    .map_or_else(|| UNKNOWN.to_owned(), |shared| yes_or_no(shared).to_owned()),
            ),
            ("versions of parfetch", list(&facts.tool_versions)),
        ]
    });
    let [before, after] = pairs;
    let both = before.into_iter().zip(after);
    both.filter(|((_, one), (_, other))| one != other)
        .map(|((what, one), (_, other))| (what, one, other))
        .collect()
}

/// `3,500 keys, seed 1`
fn sample(sample: Option<&Sampled>) -> String {
    sample.map_or_else(
        || UNKNOWN.to_owned(),
        |sample| format!("{}, seed {}", plural(sample.keys, "key"), sample.seed),
    )
}

const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Cells that the other set lacks.
fn alone<'a>(
    name: &str,
    studies: &[Study],
    pairs: impl Iterator<Item = (&'a Study, &'a Study)>,
) -> Option<String> {
    let pairs: Vec<(&Study, &Study)> = pairs.collect();
    let partner = |study: &Study| {
        pairs
            .iter()
            .find(|(one, _)| std::ptr::eq(*one, study))
            .map(|(_, other)| *other)
    };
    let is_alone =
        |study: &Study, cell: &Cell| partner(study).is_none_or(|other| find(other, cell).is_none());
    let cells: Vec<&Cell> = studies
        .iter()
        .flat_map(|study| study.cells.iter().map(move |report| (study, &report.cell)))
        .filter(|(study, cell)| is_alone(study, cell))
        .map(|(_, cell)| cell)
        .collect();
    (!cells.is_empty()).then(|| {
        format!(
            "{} in {name} alone: {}",
            plural(cells.len() as u64, "configuration"),
            named(&cells)
        )
    })
}

fn named(cells: &[&Cell]) -> String {
    let mut names: Vec<String> = cells.iter().take(NAMED).map(ToString::to_string).collect();
    if cells.len() > NAMED {
        names.push(format!("and {} more", cells.len() - NAMED));
    }
    names.join(", ")
}

/// Cells that both sets have, but not with the metric.
fn unmeasured(comparison: &Comparison, pairs: &[(&Study, &Study)]) -> Option<String> {
    let both = pairs.iter().flat_map(|(base, new)| {
        base.cells
            .iter()
            .filter(|report| find(new, &report.cell).is_some())
    });
    let is_missing = |cell: &Cell| {
        !comparison
            .cells
            .iter()
            .any(|compared| compared.cell == *cell)
    };
    let cells: Vec<&Cell> = both
        .map(|report| &report.cell)
        .filter(|cell| is_missing(cell))
        .collect();
    let metric = comparison.metric.name();
    (!cells.is_empty()).then(|| {
        format!(
            "{} without {metric} in one of the sets: {}",
            plural(cells.len() as u64, "configuration"),
            named(&cells)
        )
    })
}

fn failed((name, studies): (&str, &[Study])) -> Option<String> {
    let cells: Vec<&Cell> = studies
        .iter()
        .flat_map(|study| &study.cells)
        .filter(|cell| cell.has_failures())
        .map(|cell| &cell.cell)
        .collect();
    let failures: usize = studies
        .iter()
        .flat_map(|study| &study.cells)
        .map(|cell| cell.failures.len())
        .sum();
    (failures > 0).then(|| {
        format!(
            "{} that failed in {name}, left out: {}",
            plural(failures as u64, "repetition"),
            named(&cells)
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::analysis::compare::compare;
    use crate::analysis::metric::Metric;
    use crate::analysis::model::{Failure, Study};
    use crate::analysis::sample::{LEAN, cell, report, study};
    use crate::plan::Mode;

    fn set(cells: u32, values: &[f64]) -> Study {
        study(
            (1..=cells)
                .map(|concurrency| report(cell(&LEAN, 1, Mode::Async, concurrency), values))
                .collect(),
        )
    }

    #[test]
    fn too_few_repetitions_are_said_with_how_many_would_do() {
        let three = [set(18, &[1.0, 2.0, 3.0])];
        let warnings = compare(&three, &three, Metric::Throughput).warnings;
        // 18 · 2 / C(10, 5) = 0.143, 18 · 2 / C(12, 6) = 0.039.
        let expected = "no configuration has enough repetitions for a test of 18 comparisons: 6 repetitions of each in each set would do";
        assert_eq!(warnings, [expected]);
        let six = [set(18, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])];
        assert_eq!(
            compare(&six, &six, Metric::Throughput).warnings,
            Vec::<String>::new()
        );
        let warnings = compare(&six, &three, Metric::Throughput).warnings;
        // 18 · 2 / C(9, 3) = 0.43.
        assert_eq!(warnings, [expected]);
    }

    #[test]
    fn three_runs_that_do_not_overlap_are_no_tilde() {
        let found = compare(
            &[set(1, &[1.0, 1.1, 1.2])],
            &[set(1, &[3.0, 3.1, 3.3])],
            Metric::Throughput,
        );
        assert!(
            found.cells[0].is_apart(1)
                && found.warnings[0].contains("for a test of one comparison"),
            "{found:?}"
        );
        let overlapping = compare(
            &[set(1, &[1.0, 1.1, 3.2])],
            &[set(1, &[3.0, 3.1, 3.3])],
            Metric::Throughput,
        );
        assert!(!overlapping.cells[0].is_apart(1));
    }

    #[test]
    fn what_else_changed_is_named() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let base = set(2, &values);
        let mut new = set(3, &values);
        new.cells.remove(0);
        new.workload.keys_sha256 = Some("fedcba9876543210".to_owned());
        new.facts.tool_versions = vec!["0.2.0".to_owned()];
        new.cells[0].failures = vec![Failure {
            reason: "x".to_owned(),
            ..Failure::default()
        }];
        let found = compare(&[base], &[new], Metric::Throughput);
        assert_eq!(
            found.caveats[..2],
            [
                "key lists differ: 0123456789ab in base, fedcba987654 in new",
                "versions of parfetch differ: 0.1.0 in base, 0.2.0 in new"
            ]
        );
        assert_eq!(
            found.warnings,
            [
                "1 configuration in base alone: 1 vCPU · 2 GB · async × 1 · lean",
                "1 configuration in new alone: 1 vCPU · 2 GB · async × 3 · lean",
                "1 repetition that failed in new, left out: 1 vCPU · 2 GB · async × 2 · lean",
            ]
        );
    }

    #[test]
    fn nothing_in_common_is_said() {
        let mut other = set(1, &[1.0]);
        other.cells[0].cell.concurrency = 99;
        let found = compare(&[set(1, &[1.0])], &[other], Metric::Throughput);
        assert_eq!((found.cells.len(), found.warnings.len()), (0, 2));
    }
}
