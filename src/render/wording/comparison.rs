//! A comparison in words: its title, its answer in a sentence, what all configurations say together, how it was made.

use super::caveats::caveats;
use super::change::{by, change as of_ratio, range, together};
use super::number::{self, Scale, plural};
use super::warnings::warnings;
use crate::analysis::metric::{Better, Metric};
use crate::analysis::{Change, Compared, Comparison};
use crate::units;

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

/// `./after is 12 to 18 % faster than ./before in 14 of 18 configurations; no clear difference in 4.`
pub(crate) fn answer(comparison: &Comparison, [base, new]: [&str; 2]) -> String {
    let of = comparison.cells.len();
    let with = |wanted: Change| -> Vec<&Compared> {
        let cells = comparison.cells.iter();
        cells.filter(|cell| cell.change == wanted).collect()
    };
    let mut changed = [with(Change::Better), with(Change::Worse)];
    changed.sort_by_key(|cells| std::cmp::Reverse(cells.len()));
    let apart = comparison
        .cells
        .iter()
        .filter(|cell| cell.is_apart())
        .count();
    let (with_all, same) = (
        with(Change::WithAll).len(),
        with(Change::Indistinguishable).len() - apart,
    );
    let mut parts = Vec::new();
    for cells in changed.iter().filter(|cells| !cells.is_empty()) {
        let is_first = parts.is_empty();
        let (by, than) = by_how_much(comparison, cells);
        let than = if is_first {
            format!(" {than} {base}")
        } else {
            String::new()
        };
        let where_is = if is_first {
            in_of(cells.len(), of)
        } else {
            format!("in {}", cells.len())
        };
        parts.push(format!("{by}{than} {where_is}"));
    }
    let is_any = !parts.is_empty();
    if with_all > 0 {
        parts.push(format!(
            "changed like all others {}, which may be the time alone",
            in_of(with_all, of)
        ));
    }
    if apart > 0 {
        parts.push(format!(
            "different in every run {}, but these runs are too few for a test",
            in_of(apart, of)
        ));
    }
    if parts.is_empty() {
        if let Some(power) = comparison.gaps.power.filter(|power| power.poor == power.of) {
            return format!(
                "Whether {base} and {new} differ cannot be said: that takes {} of each configuration in each set.",
                plural(power.needed as u64, "run")
            );
        }
        return format!(
            "No clear difference between {} and {} in {}.",
            base,
            new,
            plural(of as u64, "configuration")
        );
    }
    if same > 0 {
        parts.push(format!("no clear difference in {same}"));
    }
    let verb = match comparison.metric {
        _ if !is_any && with_all > 0 => "",
        metric if !is_any || is_rate(metric) => "is ",
        _ => "has ",
    };
    format!("{} {verb}{}.", new, parts.join("; "))
}

/// `in all 18 configurations`, `in 14 of 18 configurations`
fn in_of(cells: usize, of: usize) -> String {
    if cells < of {
        format!("in {cells} of {}", plural(of as u64, "configuration"))
    } else if of == 1 {
        "in the one configuration".to_owned()
    } else {
        format!("in all {of} configurations")
    }
}

/// Of a rate more is faster.
const fn is_rate(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Throughput | Metric::Goodput | Metric::ActiveWindow | Metric::RequestsPerS
    )
}

/// By how much, and the word for what it is compared with.
fn by_how_much(comparison: &Comparison, cells: &[&Compared]) -> (String, &'static str) {
    let metric = comparison.metric;
    let changes = cells.iter().map(|cell| shown_ratio(comparison, cell));
    let changes: Option<Vec<f64>> = changes.collect();
    let Some(changes) = changes else {
        // From or to 0.
        return (format!("other {}", metric.name()), "than");
    };
    let low = changes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = changes.iter().copied().fold(0.0, f64::max);
    let halves = cells
        .iter()
        .filter_map(|cell| Some(cell.interval?.half_width()));
    let figure = (!is_rate(metric)).then(|| metric.name());
    together([low, high], halves.min_by(f64::total_cmp), figure)
}

/// Decimals of all medians as they are printed: three digits of the smallest, so that a change can be computed from what is seen.
fn decimals(comparison: &Comparison) -> usize {
    let medians = comparison
        .cells
        .iter()
        .flat_map(|cell| [cell.base.median, cell.new.median]);
    let smallest = medians
        .filter(|median| *median > 0.0)
        .min_by(f64::total_cmp);
    let smallest = smallest.map(|median| Scale::of(comparison.metric).apply(median));
    number::decimals(smallest.into_iter(), std::iter::empty())
}

/// A median as it is printed.
pub(crate) fn shown_median(comparison: &Comparison, median: f64) -> String {
    let scale = Scale::of(comparison.metric);
    units::fixed(scale.apply(median), decimals(comparison))
}

/// New ÷ base, of the medians as they are printed: figures that stand beside each other agree. `None` from or to 0.
fn shown_ratio(comparison: &Comparison, cell: &Compared) -> Option<f64> {
    cell.ratio_of_medians()?;
    let digit = 10_f64.powi(i32::try_from(decimals(comparison)).ok()?);
    let rounded = |median: f64| (Scale::of(comparison.metric).apply(median) * digit).round();
    Some(rounded(cell.new.median) / rounded(cell.base.median)).filter(|ratio| ratio.is_finite())
}

/// What stands in the column of changes: the change of the medians, `~` without a clear difference, `all` behind one that all others share, `in all runs`
/// behind one that the runs are too few to test.
pub(crate) fn change(comparison: &Comparison, cell: &Compared) -> String {
    match (cell.change, shown_ratio(comparison, cell)) {
        (Change::Indistinguishable, Some(ratio)) if cell.is_apart() => {
            format!("{} in all", of_ratio(ratio, cell.interval))
        }
        (Change::Indistinguishable, _) => "~".to_owned(),
        (Change::WithAll, Some(ratio)) => format!("{} all", of_ratio(ratio, cell.interval)),
        (_, Some(ratio)) => of_ratio(ratio, cell.interval),
        (_, None) => cell.change.as_str().to_owned(),
    }
}

/// The change of the medians, whatever is significant: `-62.2 %`, `4.3 times`.
pub fn median_change(comparison: &Comparison, cell: &Compared) -> String {
    shown_ratio(comparison, cell).map_or_else(
        || "from or to 0".to_owned(),
        |ratio| of_ratio(ratio, cell.interval),
    )
}

/// What the marks mean, of those that are there.
pub(crate) fn legend(comparison: &Comparison) -> String {
    let is_any = |change: Change| comparison.cells.iter().any(|cell| cell.change == change);
    let mut parts = vec![
        "base, new: medians of the runs".to_owned(),
        "95 % interval: of the ratio of two runs, for each configuration by itself".to_owned(),
    ];
    if is_any(Change::Indistinguishable) {
        parts.push("~ no clear difference".to_owned());
    }
    if is_any(Change::WithAll) {
        parts.push("all: changed like all others".to_owned());
    }
    parts.join(" · ")
}

/// Everything behind the answer: what all configurations say together, and the method.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut sentences = vec![overall(comparison)];
    let rounds = if comparison.same_time {
        "what a round did to all others is subtracted first"
    } else if comparison.cells.iter().any(|cell| cell.own_p.is_some()) {
        "a configuration must have changed at all, and in comparison with all others in the same rounds: the larger p counts"
    } else {
        "runs are not in rounds"
    };
    sentences.push(format!(
        "method: change is the ratio of the medians; its 95 % interval is that of the median ratio of all pairs of runs (Hodges-Lehmann), without what a round did \
         to all, each for itself; p: t-test of the logarithms with the noise of all configurations (moderated t), two-sided; {rounds}; corrected p: p for {} \
         (Holm), or the p of the exact rank test (Mann-Whitney) where that is larger; significant up to {}; ~: not significant",
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
        |interval| format!("95 % interval {}, each round counted once", range(interval)),
    );
    format!(
        "all configurations: geometric mean of {} {}, which has no interval; all together changed {}, {within}",
        plural(overall.cells as u64, "ratio"),
        of_ratio(overall.geometric_mean, None),
        by(overall.common_factor, overall.interval)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Study, compare};
    use crate::render::fixture::{around, curve};

    fn set(rates: &[f64]) -> Study {
        curve(rates.iter().map(|rate| around(*rate, rate / 100.0)))
    }

    fn said(base: &[f64], new: &[f64]) -> String {
        let found = compare(&[set(base)], &[set(new)], Metric::Throughput);
        answer(&found, ["./before", "./after"])
    }

    #[test]
    fn the_answer_is_one_sentence_in_plain_words() {
        let base = [100.0, 200.0, 300.0, 400.0];
        assert_eq!(
            said(&base, &[112.0, 236.0, 300.0, 400.0]),
            "./after is 12 to 18 % faster than ./before in 2 of 4 configurations; no clear difference in 2."
        );
        assert_eq!(
            said(&base, &[90.0, 180.0, 270.0, 480.0]),
            "./after is 10 % slower than ./before in 3 of 4 configurations; 20 % faster in 1."
        );
        assert_eq!(
            said(&base, &base),
            "No clear difference between ./before and ./after in 4 configurations."
        );
        let three = [curve(vec![vec![100.0, 101.0, 102.0]; 2])];
        let found = compare(&three, &three, Metric::Throughput);
        assert_eq!(
            answer(&found, ["./before", "./after"]),
            "Whether ./before and ./after differ cannot be said: that takes 4 runs of each configuration in each set."
        );
        assert_eq!(
            said(&base[..1], &[954.0]),
            "./after is 9.5 times as fast as ./before in the one configuration."
        );
    }

    #[test]
    fn a_change_agrees_with_the_medians_beside_it() {
        let found = compare(&[set(&[121.4])], &[set(&[1_153.6])], Metric::Throughput);
        let cell = &found.cells[0];
        let shown = |median| shown_median(&found, median);
        assert_eq!(
            (
                shown(cell.base.median).as_str(),
                shown(cell.new.median).as_str(),
                change(&found, cell).as_str()
            ),
            ("121", "1,154", "9.5 times")
        );
    }
}
