//! A comparison in words: its title, what all configurations say together, how it was made.

use super::caveats::caveats;
use super::change::{percent, range};
use super::number::{self, plural};
use super::warnings::warnings;
use crate::analysis::metric::Better;
use crate::analysis::{Change, Comparison};

/// What is to be known before a comparison is read, and what it leaves out: for those who see a table alone.
pub fn comparison_warnings(comparison: &Comparison) -> Vec<String> {
    let mut all = caveats(comparison);
    all.extend(warnings(comparison));
    all
}

/// `Throughput, MB/s: new against base, higher is better`.
pub(crate) fn title(comparison: &Comparison) -> String {
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
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
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
