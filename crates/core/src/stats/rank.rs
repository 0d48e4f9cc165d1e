//! Two samples: whether one tends to be larger (Mann-Whitney), and by how much (the ratio that goes with that test).
//!
//! U counts the pairs of one value of each sample in which the new one is larger; a pair of equal values counts one half. U is kept doubled, so
//! that it is a whole number.

use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

use super::location::{Interval, median_of_sorted};

/// Up to this many pairs (50 against 50) the distribution of U is exact; beyond it is taken as normal, which it is by then to three digits.
const EXACT_PAIRS: usize = 2_500;

/// What [`mann_whitney`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankTest {
    /// Pairs in which the new value is the larger, of all n·m; equal ones count one half.
    pub u: f64,
    /// Two-sided: how often samples of one and the same distribution differ at least as much.
    pub p: f64,
    /// Whether `p` is exact; if not, from the normal distribution.
    pub exact: bool,
}

/// How many times as large the new values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// New ÷ base: the median of all pairwise ratios (between the middle two: their geometric mean).
    pub ratio: f64,
    /// `None` when there are too few values for the confidence asked for.
    pub interval: Option<Interval>,
}

/// Mann-Whitney's test (Wilcoxon's rank-sum test) of `new` against `base`, two-sided: p = min(1, 2 · the smaller tail).
///
/// Exact: of all C(n+m, n) ways to call n of the pooled values new, the share whose U is as far out, counted over tie groups, so with equal values
/// too (the permutation distribution of the midranks). Above 2,500 pairs: the normal approximation with correction for ties and continuity (Lehmann,
/// Nonparametrics, sections 1.2 to 1.4).
///
/// `None` when a sample is empty or a value is not finite.
pub fn mann_whitney(base: &[f64], new: &[f64]) -> Option<RankTest> {
    if base.is_empty() || new.is_empty() {
        return None;
    }
    let groups = tie_groups(base, new)?;
    let doubled = doubled_u(&groups);
    let pairs = base.len() * new.len();
    let u = doubled as f64 / 2.0;
    if pairs > EXACT_PAIRS {
        return Some(RankTest {
            u,
            p: normal_p(u, &groups),
            exact: false,
        });
    }
    let ways = ways_of_u(
        &groups.iter().map(Group::len).collect::<Vec<_>>(),
        new.len(),
    );
    let lower: f64 = ways[..=doubled].iter().sum();
    let upper: f64 = ways[doubled..].iter().sum();
    let p = (2.0 * lower.min(upper) / ways.iter().sum::<f64>()).min(1.0);
    Some(RankTest { u, p, exact: true })
}

/// The smallest two-sided p that `n` against `m` values can give, 2 / C(n+m, n): all of one sample above all of the other. 1 when there are none.
pub fn smallest_p(n: usize, m: usize) -> f64 {
    (2.0 / choose(n + m, n)).min(1.0)
}

/// The share of a standard normal distribution that lies below `z`.
pub fn normal_below(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// Of each of two samples, the fewest values with which [`mann_whitney`] can give a p of at most `alpha`.
pub fn fewest_testable(alpha: f64) -> usize {
    (1..EXACT_PAIRS)
        .find(|n| smallest_p(*n, *n) <= alpha)
        .unwrap_or(EXACT_PAIRS)
}

/// New ÷ base: Hodges and Lehmann's estimate on logarithms, and the interval of all ratios that [`mann_whitney`] does not reject (Hollander and
/// Wolfe, Nonparametric Statistical Methods, section 4.3).
///
/// The interval runs between order statistics of the pairwise ratios, the narrowest symmetric one that covers at least `confidence` when the two
/// distributions differ by a factor alone. Equal values only make it cover more.
///
/// `None` when a sample is empty or a value is not finite and positive.
pub fn ratio(base: &[f64], new: &[f64], confidence: f64) -> Option<Ratio> {
    if base
        .iter()
        .chain(new)
        .any(|value| !value.is_finite() || *value <= 0.0)
    {
        return None;
    }
    let base: Vec<f64> = base.iter().map(|value| value.ln()).collect();
    let mut differences: Vec<f64> = new
        .iter()
        .flat_map(|value| base.iter().map(|base| value.ln() - base))
        .collect();
    differences.sort_by(f64::total_cmp);
    let interval = inmost_rank(base.len(), new.len(), confidence).map(|(rank, level)| Interval {
        low: differences[rank - 1].exp(),
        high: differences[differences.len() - rank].exp(),
        level,
    });
    Some(Ratio {
        ratio: median_of_sorted(&differences)?.exp(),
        interval,
    })
}

/// The largest k (from 1) for which 1 - 2 P(U <= k - 1) is at least `confidence`, and that coverage.
fn inmost_rank(base: usize, new: usize, confidence: f64) -> Option<(usize, f64)> {
    let pairs = base * new;
    let tails: Box<dyn Iterator<Item = f64>> = if pairs > EXACT_PAIRS {
        let middle = pairs as f64 / 2.0;
        let deviation = (pairs as f64 * (base + new + 1) as f64 / 12.0).sqrt();
        Box::new(
            (0..pairs / 2).map(move |u| 0.5 * erfc((middle - u as f64 - 0.5) / deviation / SQRT_2)),
        )
    } else {
        let all = choose(base + new, new);
        // Without ties every doubled U is even.
        let ways = ways_of_u(&vec![1; base + new], new).into_iter().step_by(2);
        Box::new(ways.take(pairs / 2).scan(0.0, move |tail, ways| {
            *tail += ways;
            Some(*tail / all)
        }))
    };
    let coverages = tails
        .map(|tail| 1.0 - 2.0 * tail)
        .take_while(|coverage| *coverage >= confidence);
    (1..).zip(coverages).last()
}

/// Values that are equal, of both samples.
struct Group {
    base: usize,
    new: usize,
}

impl Group {
    fn len(&self) -> usize {
        self.base + self.new
    }
}

/// The pooled values in ascending order; `None` when one is not finite.
fn tie_groups(base: &[f64], new: &[f64]) -> Option<Vec<Group>> {
    let mut pooled: Vec<(f64, Group)> = Vec::with_capacity(base.len() + new.len());
    pooled.extend(base.iter().map(|value| (*value, Group { base: 1, new: 0 })));
    pooled.extend(new.iter().map(|value| (*value, Group { base: 0, new: 1 })));
    if pooled.iter().any(|(value, _)| !value.is_finite()) {
        return None;
    }
    pooled.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    pooled.dedup_by(|(value, group), (kept, into)| {
        // In ascending order: not above the one before is equal to it. So are -0 and 0, which sort side by side.
        let equal = value <= kept;
        if equal {
            into.base += group.base;
            into.new += group.new;
        }
        equal
    });
    Some(pooled.into_iter().map(|(_, group)| group).collect())
}

/// 2U: each new value is above the base values of the groups before its own, and equal to those of its own.
fn doubled_u(groups: &[Group]) -> usize {
    let mut base_before = 0;
    let mut doubled = 0;
    for group in groups {
        doubled += group.new * (2 * base_before + group.base);
        base_before += group.base;
    }
    doubled
}

/// In how many ways `new` of the pooled values can be called new so that 2U is the index, given how many values of each size are equal.
///
/// Dynamic programming over the tie groups: of a group of t, j are new in C(t, j) ways, and each of them is above the base values before the group
/// and equal to the t - j base values in it. Counts are floating-point sums of positive numbers: exact up to 2^53, then to 15 digits.
fn ways_of_u(groups: &[usize], new: usize) -> Vec<f64> {
    let base = groups.iter().sum::<usize>() - new;
    let row = |new_taken: usize, base_taken: usize| vec![0.0; 2 * new_taken * base_taken + 1];
    // ways[k] once `taken` values are dealt, k of them new; a row of none where k is out of reach.
    let mut ways = vec![Vec::new(); new + 1];
    ways[0] = vec![1.0];
    let mut taken = 0;
    for &size in groups {
        let mut next = vec![Vec::new(); new + 1];
        for (k, from) in ways.iter().enumerate().filter(|(_, from)| !from.is_empty()) {
            let before = taken - k;
            for j in (0..=size).filter(|j| k + j <= new && before + size - j <= base) {
                if next[k + j].is_empty() {
                    next[k + j] = row(k + j, before + size - j);
                }
                let times = choose(size, j);
                let shift = j * (2 * before + size - j);
                for (to, from) in next[k + j][shift..].iter_mut().zip(from) {
                    *to += times * from;
                }
            }
        }
        taken += size;
        ways = next;
    }
    ways.swap_remove(new)
}

/// Two-sided p of `u` by the normal distribution, with correction for ties (Lehmann, section 1.4) and continuity.
fn normal_p(u: f64, groups: &[Group]) -> f64 {
    let base: usize = groups.iter().map(|group| group.base).sum();
    let new: usize = groups.iter().map(|group| group.new).sum();
    let (pairs, all) = (base as f64 * new as f64, (base + new) as f64);
    let ties: f64 = groups
        .iter()
        .map(|group| group.len() as f64)
        .map(|size| size.powi(3) - size)
        .sum();
    let variance = pairs / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    let distance = ((u - pairs / 2.0).abs() - 0.5).max(0.0);
    // All values equal: nothing varies, and nothing differs.
    if variance > 0.0 {
        erfc(distance / variance.sqrt() / SQRT_2)
    } else {
        1.0
    }
}

/// C(n, k), exact up to 2^53.
fn choose(n: usize, k: usize) -> f64 {
    (1..=k.min(n - k)).fold(1.0, |ways, i| {
        ways * (n - k.min(n - k) + i) as f64 / i as f64
    })
}

/// Complementary error function, to 14 digits: 2 · the tail of the normal distribution beyond x·√2.
///
/// Near 0 the series of Abramowitz and Stegun 7.1.6, all of whose terms are positive; further out the continued fraction 7.1.14, since the
/// difference from 1 would lose the digits of a small tail.
pub(super) fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    let density = FRAC_2_SQRT_PI * (-x * x).exp();
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        for n in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return 1.0 - density * sum;
    }
    let fraction = (1..=80)
        .rev()
        .fold(x, |fraction, n| x + 0.5 * f64::from(n) / fraction);
    0.5 * density / fraction
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::float_cmp,
        reason = "what is compared strictly is exact, or the very same division"
    )]

    use proptest::prelude::*;

    use super::super::fixture::{self, Random};
    use super::*;

    fn p(base: &[f64], new: &[f64]) -> f64 {
        mann_whitney(base, new).unwrap().p
    }

    #[test]
    fn test_by_hand() {
        // One order of C(4, 2) = 6 has U = 4, one has U = 0: p = 2/6.
        assert_eq!(
            mann_whitney(&[1.0, 2.0], &[3.0, 4.0]),
            Some(RankTest {
                u: 4.0,
                p: 2.0 / 6.0,
                exact: true
            })
        );
        assert_eq!(
            mann_whitney(&[3.0, 4.0], &[1.0, 2.0]),
            Some(RankTest {
                u: 0.0,
                p: 2.0 / 6.0,
                exact: true
            })
        );
        // U = 0, 1, 2, 2, 3, 4: at least 3 in two of six orders.
        assert_eq!(
            mann_whitney(&[1.0, 3.0], &[2.0, 4.0]),
            Some(RankTest {
                u: 3.0,
                p: 4.0 / 6.0,
                exact: true
            })
        );
        // Six against six, apart: 2/924.
        assert_eq!(
            p(
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0]
            ),
            2.0 / 924.0
        );
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[1.0], &[f64::NAN]), None);
    }

    #[test]
    fn equal_values_by_hand() {
        // Pooled 1 2 2 3, two of them new. {1,2}: U = 0.5 (two ways), {1,3}: 2, {2,2}: 2, {2,3}: 3.5 (two ways). U of {2, 3} against {1, 2}: 3.5,
        // reached in 2 of 6 ways, so p = 4/6.
        assert_eq!(
            mann_whitney(&[1.0, 2.0], &[2.0, 3.0]),
            Some(RankTest {
                u: 3.5,
                p: 4.0 / 6.0,
                exact: true
            })
        );
        assert_eq!(
            mann_whitney(&[5.0; 4], &[5.0; 3]),
            Some(RankTest {
                u: 6.0,
                p: 1.0,
                exact: true
            })
        );
        assert_eq!(mann_whitney(&[0.0], &[-0.0]).unwrap().u, 0.5);
        // Too many to be exact, and all equal.
        assert_eq!(
            mann_whitney(&[5.0; 60], &[5.0; 60]),
            Some(RankTest {
                u: 1800.0,
                p: 1.0,
                exact: false
            })
        );
    }

    #[test]
    fn smallest_p_by_hand() {
        assert_eq!(
            [(3, 3), (4, 4), (6, 6), (3, 10)].map(|(n, m)| smallest_p(n, m)),
            [2.0 / 20.0, 2.0 / 70.0, 2.0 / 924.0, 2.0 / 286.0]
        );
        assert_eq!([smallest_p(0, 5), smallest_p(1, 1)], [1.0, 1.0]);
    }

    #[test]
    fn ratio_by_hand() {
        // 4/1, 8/1, 4/2, 8/2 are 2, 4, 4, 8.
        let found = ratio(&[1.0, 2.0], &[4.0, 8.0], 0.95).unwrap();
        assert!((found.ratio - 4.0).abs() < 1e-12);
        assert_eq!(found.interval, None);
        // From 2 to 8 it covers 1 - 2/6.
        let interval = ratio(&[1.0, 2.0], &[4.0, 8.0], 0.6)
            .unwrap()
            .interval
            .unwrap();
        assert!(
            (interval.low - 2.0).abs() < 1e-12
                && (interval.high - 8.0).abs() < 1e-12
                && (interval.level - 4.0 / 6.0).abs() < 1e-12
        );
        assert_eq!(ratio(&[1.0, 0.0], &[4.0, 8.0], 0.95), None);
        assert_eq!(ratio(&[1.0], &[-4.0], 0.95), None);
        assert_eq!(ratio(&[], &[4.0], 0.95), None);
    }

    #[test]
    fn tests_are_those_of_the_reference() {
        for name in [
            "mann_whitney_exact",
            "mann_whitney_ties",
            "mann_whitney_normal",
        ] {
            for case in fixture::cases(name) {
                let found = mann_whitney(
                    &fixture::numbers(&case["base"]),
                    &fixture::numbers(&case["new"]),
                )
                .unwrap();
                assert_eq!(found.exact, name != "mann_whitney_normal");
                fixture::assert_close(found.u, &case["u"], 0.0);
                fixture::assert_close(found.p, &case["p"], 1e-10);
            }
        }
    }

    #[test]
    fn ratios_are_those_of_the_reference() {
        for case in fixture::cases("ratio") {
            let found = ratio(
                &fixture::numbers(&case["base"]),
                &fixture::numbers(&case["new"]),
                case["confidence"].as_f64().unwrap(),
            )
            .unwrap();
            fixture::assert_close(found.ratio, &case["ratio"], 1e-12);
            if case["level"].is_null() {
                assert_eq!(found.interval, None);
                continue;
            }
            let interval = found.interval.unwrap();
            fixture::assert_close(interval.low, &case["low"], 1e-12);
            fixture::assert_close(interval.high, &case["high"], 1e-12);
            fixture::assert_close(interval.level, &case["level"], 1e-12);
        }
    }

    #[test]
    fn tails_of_the_normal_distribution_are_those_of_the_reference() {
        for case in fixture::cases("erfc") {
            fixture::assert_close(erfc(case["x"].as_f64().unwrap()), &case["erfc"], 1e-13);
        }
    }

    #[test]
    fn just_beyond_the_bound_the_normal_distribution_is_close_to_the_exact_one() {
        let mut random = Random::new(2);
        for level in [1.0, 1.05, 1.1] {
            let (base, new) = (
                random.throughputs(1.0, 0.15, 50),
                random.throughputs(level, 0.15, 50),
            );
            let exact = mann_whitney(&base, &new).unwrap();
            assert!(exact.exact);
            let normal = normal_p(exact.u, &tie_groups(&base, &new).unwrap());
            assert!(
                (normal - exact.p).abs() < 0.05 * exact.p + 1e-4,
                "{normal} and {}",
                exact.p
            );
        }
        let (exact, normal) = (
            inmost_rank(50, 50, 0.95).unwrap(),
            inmost_rank(50, 51, 0.95).unwrap(),
        );
        // 1250 - 1.96 · sqrt(2500 · 101 / 12) = 965.7, and 1275 - 1.96 · sqrt(2550 · 102 / 12) = 986.5.
        assert!(
            (965..=967).contains(&exact.0) && (986..=988).contains(&normal.0),
            "{exact:?} {normal:?}"
        );
        assert!((exact.1 - 0.95).abs() < 0.001);
        // What the normal interval covers, counted: a little more than is said. Without the continuity correction it would be less.
        let ways = ways_of_u(&[1; 101], 51);
        let tail: f64 = ways.iter().step_by(2).take(normal.0).sum();
        let counted = 1.0 - 2.0 * tail / choose(101, 51);
        assert!(
            normal.1 <= counted && counted < normal.1 + 0.0005,
            "{} and {counted}",
            normal.1
        );
    }

    #[test]
    fn the_interval_covers_the_true_ratio_as_often_as_it_says() {
        let mut random = Random::new(3);
        let trials = 1_000;
        for (n, m) in [(6, 6), (10, 7)] {
            let level = inmost_rank(n, m, 0.95).unwrap().1;
            let covered = (0..trials)
                .filter(|_| {
                    let (base, new) = (
                        random.throughputs(2.0, 0.2, n),
                        random.throughputs(3.0, 0.2, m),
                    );
                    let interval = ratio(&base, &new, 0.95).unwrap().interval.unwrap();
                    interval.low <= 1.5 && 1.5 <= interval.high
                })
                .count();
            let share = covered as f64 / f64::from(trials);
            assert!(
                (share - level).abs() < 3.0 * (level * (1.0 - level) / f64::from(trials)).sqrt(),
                "{n}, {m}: {share} of {level}"
            );
        }
    }

    proptest! {
        #[test]
        fn one_is_in_the_interval_unless_the_test_rejects(
            base in prop::collection::vec(0.5_f64..2.0, 4..9), new in prop::collection::vec(0.9_f64..3.0, 4..9),
        ) {
            // Drawn from a continuum: no ties, so both are one and the same decision.
            let interval = ratio(&base, &new, 0.95).unwrap().interval.unwrap();
            prop_assert_eq!(interval.low <= 1.0 && 1.0 <= interval.high, p(&base, &new) > 1.0 - interval.level + 1e-9);
        }

        #[test]
        fn exchange_turns_the_ratio_over_and_leaves_p(
            base in prop::collection::vec(1_u32..9, 1..8), new in prop::collection::vec(1_u32..9, 1..8),
        ) {
            let base: Vec<f64> = base.into_iter().map(f64::from).collect();
            let new: Vec<f64> = new.into_iter().map(f64::from).collect();
            let (there, back) = (mann_whitney(&base, &new).unwrap(), mann_whitney(&new, &base).unwrap());
            prop_assert!((there.p - back.p).abs() < 1e-12);
            prop_assert_eq!(there.u + back.u, (base.len() * new.len()) as f64);
            let (there, back) = (ratio(&base, &new, 0.9).unwrap(), ratio(&new, &base, 0.9).unwrap());
            prop_assert!((there.ratio * back.ratio - 1.0).abs() < 1e-12);
        }
    }
}
