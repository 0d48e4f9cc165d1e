//! All cells together: the mean of their ratios, and the one factor that would explain them.

use serde::Serialize;

use super::{CONFIDENCE, Compared};
use crate::report::model::Interval;
use crate::stats::location::median;

/// Up to this many pairs the distribution is exact; beyond it is taken as normal.
const EXACT_PAIRS: usize = 2_500;
/// 97.5 % of a normal distribution lie below.
const NORMAL: f64 = 1.959_963_984_540_054;

/// What the cells say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Cells with a ratio.
    pub cells: usize,
    /// Geometric mean of their ratios. It has no interval of its own: with a handful of repetitions a cell none is honest.
    pub geometric_mean: f64,
    /// The one factor for all cells: median of the ratios of all pairs within cells (stratified Hodges-Lehmann).
    pub common_factor: f64,
    /// Its 95 % interval, which holds if all cells changed by the same factor; `None` with too few repetitions.
    pub interval: Option<Interval>,
}

/// `None` when no cell has a ratio.
pub(super) fn overall(cells: &[Compared]) -> Option<Overall> {
    let cells: Vec<&Compared> = cells.iter().filter(|cell| cell.ratio.is_some()).collect();
    let logs: Vec<f64> = cells.iter().filter_map(|cell| cell.ratio).map(f64::ln).collect();
    let mut differences: Vec<f64> = cells.iter().flat_map(|cell| differences(cell)).collect();
    differences.sort_by(f64::total_cmp);
    let common_factor = median(&differences)?.exp();
    let sizes: Vec<(usize, usize)> = cells.iter().map(|cell| (cell.base.values.len(), cell.new.values.len())).collect();
    let interval = inmost_rank(&sizes).map(|(rank, level)| Interval {
        low: differences[rank - 1].exp(),
        high: differences[differences.len() - rank].exp(),
        level,
    });
    Some(Overall { cells: cells.len(), geometric_mean: (logs.iter().sum::<f64>() / logs.len() as f64).exp(), common_factor, interval })
}

fn differences(cell: &Compared) -> Vec<f64> {
    let bases = || cell.base.values.iter();
    cell.new.values.iter().flat_map(|new| bases().map(move |base| new.ln() - base.ln())).collect()
}

/// The largest k (from 1) for which 1 - 2 P(W <= k - 1) covers enough, and that coverage. W, the number of pairs within cells in which the new value
/// is the larger, is the sum of the cells' independent U (van Elteren, On the combination of independent two-sample tests of Wilcoxon, 1960, with
/// equal weights).
fn inmost_rank(sizes: &[(usize, usize)]) -> Option<(usize, f64)> {
    let pairs: usize = sizes.iter().map(|(base, new)| base * new).sum();
    if pairs > EXACT_PAIRS {
        let variance: f64 = sizes.iter().map(|(base, new)| (base * new * (base + new + 1)) as f64 / 12.0).sum();
        let reach = NORMAL * variance.sqrt() + 0.5;
        let rank = (1..=pairs / 2).rev().find(|rank| pairs as f64 / 2.0 - *rank as f64 + 1.0 >= reach)?;
        return Some((rank, CONFIDENCE));
    }
    let share = sizes.iter().fold(vec![1.0], |share, (base, new)| convolved(&share, &shares_of_u(*base, *new)));
    let tails = share.iter().take(pairs / 2).scan(0.0, |tail, share| {
        *tail += share;
        Some(1.0 - 2.0 * *tail)
    });
    (1..).zip(tails.take_while(|coverage| *coverage >= CONFIDENCE)).last()
}

/// How often each U occurs when nothing differs and no values are equal: each order of the pooled values ends with a value of the one or the other.
fn shares_of_u(base: usize, new: usize) -> Vec<f64> {
    // ways[j] of the first i base values and j new ones.
    let mut ways: Vec<Vec<f64>> = vec![vec![1.0]; new + 1];
    for i in 1..=base {
        for j in 1..=new {
            let mut counts = vec![0.0; i * j + 1];
            // The largest is a base value: it is above no new one in U's terms; or a new one, which is above all i base values.
            for (u, count) in ways[j].iter().enumerate() {
                counts[u] += count;
            }
            for (u, count) in ways[j - 1].iter().enumerate() {
                counts[u + i] += count;
            }
            ways[j] = counts;
        }
    }
    let counts = &ways[new];
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| count / all).collect()
}

fn convolved(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; one.len() + other.len() - 1];
    for (i, a) in one.iter().enumerate() {
        for (j, b) in other.iter().enumerate() {
            sum[i + j] += a * b;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Mode;
    use crate::report::compare::{Change, Side};
    use crate::report::sample::{LEAN, cell};
    use crate::stats::rank::ratio;

    fn compared(base: &[f64], new: &[f64]) -> Compared {
        let side = |values: &[f64]| Side { values: values.to_vec(), median: median(values).unwrap(), interval: None, failed: 0 };
        let cell = cell(&LEAN, 1, Mode::Async, 1);
        let found = ratio(base, new, CONFIDENCE).map(|found| found.ratio);
        Compared {
            study: 1,
            source: String::new(),
            cell,
            base: side(base),
            new: side(new),
            ratio: found,
            interval: None,
            p: 1.0,
            adjusted_p: 1.0,
            change: Change::Better,
        }
    }

    #[test]
    fn u_by_hand() {
        // Six orders of two and two: U = 0, 1, 2, 2, 3, 4.
        assert_eq!(shares_of_u(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0].map(|count| count / 6.0));
        assert_eq!(shares_of_u(1, 3), [0.25; 4]);
    }

    #[test]
    fn one_cell_is_the_interval_of_its_ratio() {
        let base = [10.0, 10.3, 9.8, 10.1, 10.6, 9.9];
        let new = [9.0, 9.4, 8.7, 9.3, 9.1, 8.8];
        let found = overall(&[compared(&base, &new)]).unwrap();
        let alone = ratio(&base, &new, CONFIDENCE).unwrap();
        let (interval, expected) = (found.interval.unwrap(), alone.interval.unwrap());
        assert!((found.common_factor - alone.ratio).abs() < 1e-12 && (found.geometric_mean - alone.ratio).abs() < 1e-12);
        for (found, expected) in [(interval.low, expected.low), (interval.high, expected.high), (interval.level, expected.level)] {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn cells_together_say_more_than_each_alone() {
        // Two against two say nothing alone: 1 - 2/6 is the most. Three cells: P(W = 0) = 1/216, P(W = 1) = 3/216: 1 - 2/216 = 0.991 with the
        // first rank, 1 - 8/216 = 0.963 with the second; P(W = 2) = (3 · 2 + 3)/216 makes the third 0.880.
        let three: Vec<Compared> = [1.0, 10.0, 100.0].map(|level| compared(&[level, level * 1.01], &[level * 0.9, level * 0.92])).into();
        assert!(ratio(&[1.0, 1.01], &[0.9, 0.92], CONFIDENCE).unwrap().interval.is_none());
        let (rank, level) = inmost_rank(&[(2, 2); 3]).unwrap();
        assert_eq!(rank, 2);
        assert!((level - (1.0 - 8.0 / 216.0)).abs() < 1e-12, "{level}");
        let found = overall(&three).unwrap();
        let interval = found.interval.unwrap();
        // The two smallest of the twelve ratios are 0.9/1.01, the two largest 0.92.
        assert!((interval.low - 0.9 / 1.01).abs() < 1e-12 && (interval.high - 0.92).abs() < 1e-12, "{interval:?}");
    }

    #[test]
    fn the_normal_approximation_goes_on_where_the_exact_one_ends() {
        // 69 cells of 6 against 6 are 2,484 pairs and exact, 70 are 2,520.
        let exact = inmost_rank(&[(6, 6); 69]).unwrap().0;
        let normal = inmost_rank(&[(6, 6); 70]).unwrap().0;
        // Half the pairs less 1.96 · sqrt(70 · 36 · 13 / 12) = 102.4, and half a pair.
        assert_eq!(normal, 1_260 - 102 - 1 + 1);
        // 18 pairs more, and a reach that is 0.7 wider.
        assert!(normal.abs_diff(exact + 17) <= 1, "{exact} {normal}");
    }
}
