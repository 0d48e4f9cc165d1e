//! Which of several groups of values may be the best, when each is only known from a few repetitions: more is better.
//!
//! The highest median alone is not an answer: of nine equal cells one always has it. So the answer is a set, all that cannot be told from the best.

use serde::Serialize;

use super::family::holm;
use super::location::median;
use super::rank::{mann_whitney, smallest_p};

/// Where one group stands against the best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Standing {
    /// It has the highest median (the first of equals).
    Best,
    /// Not shown to be worse than the best.
    Indistinguishable {
        /// Adjusted for the family; `None` when so few values can give no p at or below alpha, however far apart.
        p: Option<f64>,
    },
    /// Every value is below every value of the best, and they are too few for any p at or below alpha: seen by everybody, shown by no test.
    Apart,
    /// Worse than the best.
    Worse {
        /// Adjusted for the family; at most alpha.
        p: f64,
    },
    /// No values, or one that is not finite: it takes no part.
    Unknown,
}

impl Standing {
    /// Whether this group may be the best.
    pub fn may_be_best(self) -> bool {
        matches!(
            self,
            Self::Best | Self::Indistinguishable { .. } | Self::Apart
        )
    }
}

/// How each group stands against the one with the highest median: Mann-Whitney's test of each of the others against it, Holm's correction over
/// those tests.
///
/// The truly best group is `Best` or `Indistinguishable` with probability 1 - alpha at least, also when several are equally good and whichever of
/// them is meant (held by simulation). The best is chosen by the same values that it is tested with, which favours it; but a test can only go wrong
/// against the truly best on one side, which is half of a two-sided alpha.
pub fn standings(groups: &[&[f64]], alpha: f64) -> Vec<Standing> {
    let medians: Vec<Option<f64>> = groups.iter().map(|values| median(values)).collect();
    let Some(best) = highest(&medians) else {
        return vec![Standing::Unknown; groups.len()];
    };
    let mut standings = vec![Standing::Unknown; groups.len()];
    standings[best] = Standing::Best;
    let tested: Vec<usize> = (0..groups.len())
        .filter(|index| *index != best && medians[*index].is_some())
        .collect();
    let tests: Vec<_> = tested
        .iter()
        .filter_map(|index| mann_whitney(groups[best], groups[*index]))
        .collect();
    let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>());
    let comparisons = tests.len();
    for ((index, test), p) in tested.into_iter().zip(tests).zip(adjusted) {
        let (n, m) = (groups[best].len(), groups[index].len());
        // Medians and ranks can disagree: a group of mostly larger values is not worse for a lower median.
        let is_lower = test.u < (n * m) as f64 / 2.0;
        let is_testable = smallest_p(n, m) * comparisons as f64 <= alpha;
        standings[index] = match p {
            p if p <= alpha && is_lower => Standing::Worse { p },
            _ if !is_testable && test.u <= 0.0 && n.min(m) > 1 => Standing::Apart,
            p => Standing::Indistinguishable {
                p: (smallest_p(n, m) <= alpha).then_some(p),
            },
        };
    }
    standings
}

/// A loss of this share is none, however sure it is.
const UNNOTICED: f64 = 0.02;
/// Groups whose medians vary by more than the closeness that is asked for: so many standard errors of a median are close too, which are two of the difference
/// of two medians, …
const ERRORS: f64 = 2.0 * std::f64::consts::SQRT_2;
/// … up to this share of the highest.
const MOST_WITHIN: f64 = 0.15;

/// By how much the median of a group may lie off by chance, as a share: of the group in the middle.
fn relative_error(groups: &[&[f64]]) -> f64 {
    let each = groups
        .iter()
        .filter(|values| values.len() > 1)
        .filter_map(|values| {
            let (n, mean) = (
                values.len() as f64,
                values.iter().sum::<f64>() / values.len() as f64,
            );
            let variance = values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
                / (n - 1.0);
            (mean > 0.0).then(|| (variance / n).sqrt() / mean)
        });
    median(&each.collect::<Vec<_>>()).unwrap_or(0.0)
}

/// Which groups are as good as the one with the highest median; none where no group has values.
///
/// Both are asked: that a group may be the best, and that its median is close to the highest. A group that is significantly worse is passed over,
/// unless its median is within 2 % of the highest, which nobody notices: quiet values tell everything apart. And with few repetitions nothing is
/// significant, so the medians must be close too: within `within`, or where values vary more, within two standard errors of the difference of two
/// medians (15 % at most).
pub fn as_good(groups: &[&[f64]], alpha: f64, within: f64) -> Vec<bool> {
    let medians: Vec<Option<f64>> = groups.iter().map(|values| median(values)).collect();
    let Some(best) = highest(&medians).and_then(|best| medians[best]) else {
        return vec![false; groups.len()];
    };
    let within = within.max((ERRORS * relative_error(groups)).min(MOST_WITHIN));
    let (least, unnoticed) = ((1.0 - within) * best, (1.0 - UNNOTICED) * best);
    let standings = standings(groups, alpha);
    medians
        .iter()
        .zip(&standings)
        .map(|(median, standing)| {
            median.is_some_and(|median| {
                median >= least && (median >= unnoticed || standing.may_be_best())
            })
        })
        .collect()
}

/// Index of the highest, the first of equals.
fn highest(medians: &[Option<f64>]) -> Option<usize> {
    let known = medians
        .iter()
        .enumerate()
        .filter_map(|(index, median)| Some((index, (*median)?)));
    known
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Random;
    use super::*;

    /// The first that is as good as the best, given groups in ascending concurrency.
    fn knee(groups: &[&[f64]], alpha: f64, within: f64) -> Option<usize> {
        as_good(groups, alpha, within).iter().position(|is| *is)
    }

    fn borrowed(groups: &[Vec<f64>]) -> Vec<&[f64]> {
        groups.iter().map(Vec::as_slice).collect()
    }

    /// Groups of `n` values with 5 % noise around these levels.
    fn draw(random: &mut Random, levels: &[f64], n: usize) -> Vec<Vec<f64>> {
        levels
            .iter()
            .map(|level| random.throughputs(*level, 0.05, n))
            .collect()
    }

    #[test]
    fn standings_by_hand() {
        let low = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let high = [11.0, 12.0, 13.0, 14.0, 15.0, 16.0];
        // Medians 3.5, 13.5 (best), 13.5. First against best: 2/924, times 2. Last against best: equal, 1.
        let found = standings(&[&low, &high, &[], &high], 0.05);
        assert_eq!(found[0], Standing::Worse { p: 4.0 / 924.0 });
        assert_eq!(
            found[1..],
            [
                Standing::Best,
                Standing::Unknown,
                Standing::Indistinguishable { p: Some(1.0) }
            ]
        );
        assert_eq!(standings(&[&[], &[f64::NAN]], 0.05), [Standing::Unknown; 2]);
        assert!(standings(&[], 0.05).is_empty());
    }

    #[test]
    fn three_values_can_tell_nothing_apart() {
        // 2 / C(6, 3) = 0.1.
        let found = standings(&[&[1.0, 2.0, 3.0], &[100.0, 200.0, 300.0]], 0.05);
        assert_eq!(
            found,
            [Standing::Apart, Standing::Best],
            "everybody sees that they differ"
        );
        let found = standings(&[&[1.0, 2.0, 103.0], &[100.0, 200.0, 300.0]], 0.05);
        assert_eq!(
            found,
            [Standing::Indistinguishable { p: None }, Standing::Best]
        );
        // Four can: 2/70.
        let found = standings(
            &[&[1.0, 2.0, 3.0, 4.0], &[100.0, 200.0, 300.0, 400.0]],
            0.05,
        );
        assert_eq!(found, [Standing::Worse { p: 2.0 / 70.0 }, Standing::Best]);
    }

    #[test]
    fn larger_values_with_a_lower_median_are_not_worse() {
        // Of twelve values of the second, five are above all of the first and seven above most of it, all below its median.
        let first: Vec<f64> = [1.0; 5].into_iter().chain([10.0; 7]).collect();
        let second: Vec<f64> = [9.0; 7].into_iter().chain([20.0; 5]).collect();
        let test = mann_whitney(&first, &second).unwrap();
        assert!(test.u > 72.0 && median(&second) < median(&first));
        assert!(standings(&[&first, &second], 1.0)[1].may_be_best());
    }

    #[test]
    fn the_knee_is_close_and_not_worse() {
        let values = |level: f64| -> Vec<f64> { (0..6).map(|i| level + f64::from(i)).collect() };
        let groups = [
            values(100.0),
            values(500.0),
            values(980.0),
            values(1_000.0),
            values(1_001.0),
        ];
        // 980…985 lies wholly below 1001…1006: significant (2/924 · 4), although within 5 %. 1000…1005 overlaps it.
        assert_eq!(knee(&borrowed(&groups), 0.05, 0.05), Some(3));
        // Too few to tell anything apart: closeness decides, and 2 % is close enough.
        let few: Vec<Vec<f64>> = groups.iter().map(|values| values[..3].to_vec()).collect();
        assert_eq!(knee(&borrowed(&few), 0.05, 0.05), Some(2));
        assert_eq!(knee(&borrowed(&few), 0.05, 0.01), Some(3));
        assert_eq!(knee(&[&[], &[5.0]], 0.05, 0.05), Some(1));
        assert_eq!(knee(&[&[]], 0.05, 0.05), None);
        assert_eq!(
            as_good(&borrowed(&groups), 0.05, 0.05),
            [false, false, false, true, true]
        );
    }

    #[test]
    fn on_a_flat_curve_the_smallest_concurrency_is_rarely_thrown_out() {
        let mut random = Random::new(6);
        for (n, trials) in [(7, 800), (10, 600)] {
            let lost = (0..trials)
                .filter(|_| {
                    !standings(&borrowed(&draw(&mut random, &[1.0; 9], n)), 0.05)[0].may_be_best()
                })
                .count();
            println!("{n} repetitions: {lost} of {trials}");
            assert!(lost * 20 <= trials, "{n} repetitions: {lost} of {trials}");
        }
    }

    #[test]
    fn the_truly_best_is_kept() {
        let mut random = Random::new(7);
        let shapes = [
            // All equal; two equal far above the rest; half equal; ever slightly worse; one clearly better. The last is always a best one.
            [1.0; 9],
            [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 1.0, 1.0],
            [0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0],
            [0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0],
            [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 1.0],
        ];
        for (n, trials) in [(7, 300), (10, 200)] {
            for levels in shapes {
                let kept = (0..trials)
                    .filter(|_| {
                        standings(&borrowed(&draw(&mut random, &levels, n)), 0.05)[8].may_be_best()
                    })
                    .count();
                println!("{n} repetitions, {levels:?}: {kept} of {trials}");
                assert!(
                    kept * 20 >= trials * 19,
                    "{n} repetitions, {levels:?}: {kept} of {trials}"
                );
            }
        }
    }

    #[test]
    fn what_is_far_worse_is_said_to_be() {
        let mut random = Random::new(8);
        let levels = [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 1.0];
        for _ in 0..50 {
            let found = standings(&borrowed(&draw(&mut random, &levels, 10)), 0.05);
            assert!(
                found[..8]
                    .iter()
                    .filter(|standing| matches!(standing, Standing::Worse { .. }))
                    .count()
                    >= 7,
                "{found:?}"
            );
        }
    }
}
