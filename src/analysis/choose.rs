//! Which cell to run: of all that cannot be told from the best the smallest, with how often another sample of the same size would choose the same.
//!
//! Pure: takes the logarithms of what each repetition of each cell would take or cost, and knows nothing of what they are.

use crate::plan::Mode;
use crate::stats::location::{median, pseudomedian};

/// As good as the best is what is worse by this factor at most: nobody notices it.
pub(super) const AS_GOOD: f64 = 1.02;
/// What is worse by more than this factor in the middle is never taken for as good, however much repetitions vary: a choice is to be within 5 % of the best,
/// and the middles are not exact.
pub(super) const NEVER: f64 = 1.04;
/// Between the two: so many standard errors of a cell's middle cannot be told apart.
const ERRORS: f64 = 2.0;
/// Cells of the chosen size that are worse than the best by this factor at most are compared with their like in smaller sizes.
const LIKE: f64 = 1.10;
/// On the average of such pairs a size that is worse by more than this factor is never taken for as good.
const NEVER_IN_PAIRS: f64 = 1.08;
/// Samples that are drawn again from the repetitions.
const SAMPLES: u32 = 200;
/// Of the numbers that they are drawn by: the same report says the same.
const SEED: u64 = 20_261_125;
/// Variances of six values of a normal distribution have this median, in units of their mean; the middle one is taken since outliers do not move it.
const MIDDLE_VARIANCE: f64 = 0.87;

/// A cell that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    /// In the study.
    pub(super) place: usize,
    /// CPU units of all its tasks, then memory: what is paid for.
    pub(super) size: (u64, u64),
    pub(super) mode: Mode,
    pub(super) concurrency: u32,
    /// Of what is to be small: the logarithm for each repetition.
    pub(super) logs: Vec<f64>,
}

/// What is chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    /// In the study.
    pub(super) place: usize,
    /// The others of which none can be told from the best, in the order in which they would be chosen; places in the study.
    pub(super) tied: Vec<usize>,
    /// Share of samples in which the same is chosen.
    pub(super) same: f64,
    /// Share of samples in which it, or one that it is tied with, is chosen.
    pub(super) same_or_tied: f64,
}

/// Chooses, and says how sure that is; `None` without candidates. With single repetitions nothing is known of another sample.
pub(super) fn choose(candidates: &[Candidate]) -> Option<Chosen> {
    let middles: Vec<f64> = candidates
        .iter()
        .map(|candidate| pseudomedian(&candidate.logs).unwrap_or(f64::INFINITY))
        .collect();
    let like = like(candidates);
    let known = Known {
        error: standard_error(candidates),
        own: own_error(candidates),
        like,
    };
    let tied = ranked(candidates, &middles, &known);
    let (first, others) = tied.split_first()?;
    let (mut same, mut same_or_tied) = (0, 0);
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..SAMPLES {
        let drawn: Vec<f64> = candidates
            .iter()
            .map(|candidate| {
                pseudomedian(&again(&candidate.logs, &mut random)).unwrap_or(f64::INFINITY)
            })
            .collect();
        if let Some(chosen) = ranked(candidates, &drawn, &known).first() {
            same += u32::from(chosen == first);
            same_or_tied += u32::from(tied.contains(chosen));
        }
    }
    Some(Chosen {
        place: candidates[*first].place,
        tied: others
            .iter()
            .map(|index| candidates[*index].place)
            .collect(),
        same: f64::from(same) / f64::from(SAMPLES),
        same_or_tied: f64::from(same_or_tied) / f64::from(SAMPLES),
    })
}

/// As many values as there are, any of them any number of times.
fn again(values: &[f64], random: &mut fastrand::Rng) -> Vec<f64> {
    (0..values.len())
        .map(|_| values[random.usize(..values.len())])
        .collect()
}

/// What is known of the cells besides their middles.
struct Known {
    /// How repetitions vary in the middle cell, for as many as there are of each.
    error: Vec<f64>,
    /// How they vary in each cell itself.
    own: Vec<f64>,
    /// The cells of the same size with as many workers of another mode.
    like: Vec<Vec<usize>>,
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0)
}

/// The variance of repetitions in the middle cell.
fn usual_variance(candidates: &[Candidate]) -> f64 {
    let variances: Vec<f64> = candidates
        .iter()
        .filter(|candidate| candidate.logs.len() > 1)
        .map(|candidate| variance(&candidate.logs))
        .collect();
    median(&variances).unwrap_or(0.0) / MIDDLE_VARIANCE
}

/// The standard error of each cell's middle: how repetitions vary in the middle cell, and how many there are of this one.
fn standard_error(candidates: &[Candidate]) -> Vec<f64> {
    let usual = usual_variance(candidates);
    candidates
        .iter()
        .map(|candidate| (usual / candidate.logs.len().max(1) as f64).sqrt())
        .collect()
}

/// The same for each cell by itself. So few repetitions tell little of how they vary, so the middle cell's variance counts as much as their own: a cell whose
/// time hangs on a hair (a burst that ends just before the bucket does) varies more than others, and is the best by chance more often.
fn own_error(candidates: &[Candidate]) -> Vec<f64> {
    let usual = usual_variance(candidates);
    let of = |candidate: &Candidate| {
        let n = candidate.logs.len() as f64;
        let own = if candidate.logs.len() > 1 {
            variance(&candidate.logs)
        } else {
            usual
        };
        (own.midpoint(usual) / n.max(1.0)).sqrt()
    };
    candidates.iter().map(of).collect()
}

fn like(candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let of = |one: &Candidate| {
        let is_like = |other: &Candidate| {
            other.size == one.size && other.concurrency == one.concurrency && other.mode != one.mode
        };
        (0..candidates.len())
            .filter(|index| is_like(&candidates[*index]))
            .collect()
    };
    candidates.iter().map(of).collect()
}

/// The middles, each drawn towards what its like lead to expect: the lowest of many middles is low by chance as well, and the other modes of the same size
/// and as many workers know nothing of that chance (empirical Bayes).
///
/// Expected of a cell is the mean of its like, and by how much its mode differs from the others everywhere. How well that holds is seen from how far the
/// middles lie from it beyond what repetitions explain; where modes differ in ways of their own, hardly anything is drawn.
fn steadied(candidates: &[Candidate], middles: &[f64], known: &Known) -> Vec<f64> {
    let mean_of_like = |index: usize| {
        let like = known.like[index]
            .iter()
            .filter(|other| middles[**other].is_finite());
        let count = like.clone().count();
        (count > 0 && middles[index].is_finite()).then(|| {
            (
                like.clone().map(|other| middles[*other]).sum::<f64>() / count as f64,
                count as f64,
            )
        })
    };
    let means: Vec<Option<(f64, f64)>> = (0..candidates.len()).map(mean_of_like).collect();
    let offset = |mode: Mode| {
        let of_mode = (0..candidates.len()).filter(|index| candidates[*index].mode == mode);
        median(
            &of_mode
                .filter_map(|index| Some(middles[index] - means[index]?.0))
                .collect::<Vec<_>>(),
        )
        .unwrap_or(0.0)
    };
    let offsets: Vec<(Mode, f64)> = Mode::ALL
        .into_iter()
        .map(|mode| (mode, offset(mode)))
        .collect();
    let offset_of = |mode: Mode| {
        offsets
            .iter()
            .find(|(known, _)| *known == mode)
            .map_or(0.0, |(_, offset)| *offset)
    };
    // The mean of the like is uncertain as well.
    let of_mean = |index: usize, count: f64| {
        known.like[index]
            .iter()
            .map(|other| known.own[*other].powi(2))
            .sum::<f64>()
            / (count * count)
    };
    let expected: Vec<Option<(f64, f64)>> = means
        .iter()
        .enumerate()
        .map(|(index, mean)| {
            mean.map(|(mean, count)| {
                (
                    mean + offset_of(candidates[index].mode),
                    of_mean(index, count),
                )
            })
        })
        .collect();
    let beyond: Vec<f64> = expected
        .iter()
        .enumerate()
        .filter_map(|(index, expected)| {
            let (expected, of_expected) = (*expected)?;
            Some((middles[index] - expected).powi(2) - of_expected - known.own[index].powi(2))
        })
        .collect();
    let real = (beyond.iter().sum::<f64>() / beyond.len().max(1) as f64).max(0.0);
    let drawn = |index: usize| {
        let Some((expected, of_expected)) = expected[index] else {
            return middles[index];
        };
        let (prior, own) = (real + of_expected, known.own[index].powi(2));
        if prior + own > 0.0 {
            (middles[index] * prior + expected * own) / (prior + own)
        } else {
            middles[index]
        }
    };
    (0..candidates.len()).map(drawn).collect()
}

/// The cells that cannot be told from the best: the fewest vCPU and the least memory first, then async before threads before processes, then the
/// fewest workers.
fn as_good(candidates: &[Candidate], middles: &[f64], error: &[f64]) -> Vec<usize> {
    let best = middles.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |index: usize| best + (ERRORS * error[index]).clamp(AS_GOOD.ln(), NEVER.ln());
    let mut tied: Vec<usize> = (0..candidates.len())
        .filter(|index| middles[*index].is_finite() && middles[*index] <= most(*index))
        .collect();
    tied.sort_by_key(|index| {
        let Candidate {
            size,
            mode,
            concurrency,
            ..
        } = &candidates[*index];
        (*size, *mode, *concurrency)
    });
    tied
}

/// The cells that cannot be told from the best, the one to choose first.
///
/// Repetitions of one cell tell little; those of all cells of a size tell more. So a smaller task counts as good as well when its cells, each compared with
/// the cell of the chosen size that has the same mode and as many workers, are as good on the average.
fn ranked(candidates: &[Candidate], middles: &[f64], known: &Known) -> Vec<usize> {
    let error = known.error.as_slice();
    let steadied = steadied(candidates, middles, known);
    let tied = as_good(candidates, &steadied, error);
    let Some(first) = tied.first() else {
        return tied;
    };
    let Some(size) = smaller_size(candidates, (middles, error), candidates[*first].size) else {
        return tied;
    };
    let of_size: Vec<usize> = (0..candidates.len())
        .filter(|index| candidates[*index].size == size)
        .collect();
    let (cells, logs): (Vec<Candidate>, Vec<f64>) = of_size
        .iter()
        .map(|index| (candidates[*index].clone(), steadied[*index]))
        .unzip();
    let errors: Vec<f64> = of_size.iter().map(|index| error[*index]).collect();
    let best_of_size = as_good(&cells, &logs, &errors)
        .into_iter()
        .map(|place| of_size[place]);
    let mut all: Vec<usize> = best_of_size.collect();
    all.extend(
        tied.into_iter()
            .filter(|index| candidates[*index].size != size),
    );
    all
}

/// The smallest size that is as good as the chosen one, pair by pair.
fn smaller_size(
    candidates: &[Candidate],
    (middles, error): (&[f64], &[f64]),
    chosen: (u64, u64),
) -> Option<(u64, u64)> {
    let best = middles.iter().copied().fold(f64::INFINITY, f64::min);
    let near: Vec<usize> = (0..candidates.len())
        .filter(|index| candidates[*index].size == chosen && middles[*index] <= best + LIKE.ln())
        .collect();
    let is_as_good = |size: &(u64, u64)| {
        let pair = |index: usize| {
            let Candidate {
                mode, concurrency, ..
            } = &candidates[index];
            let is_like = |other: &Candidate| {
                other.size == *size && other.mode == *mode && other.concurrency == *concurrency
            };
            let other = candidates
                .iter()
                .position(is_like)
                .filter(|other| middles[*other].is_finite())?;
            Some((
                middles[other] - middles[index],
                error[other].powi(2) + error[index].powi(2),
            ))
        };
        let pairs: Vec<(f64, f64)> = near.iter().filter_map(|index| pair(*index)).collect();
        let count = pairs.len() as f64;
        let worse = pairs.iter().map(|(worse, _)| worse).sum::<f64>() / count;
        let error = pairs
            .iter()
            .map(|(_, variance)| variance)
            .sum::<f64>()
            .sqrt()
            / count;
        !pairs.is_empty()
            && worse <= (ERRORS * error).clamp(AS_GOOD.ln() / 2.0, NEVER_IN_PAIRS.ln())
    };
    let mut sizes: Vec<(u64, u64)> = candidates
        .iter()
        .map(|candidate| candidate.size)
        .filter(|size| *size < chosen)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.into_iter().find(is_as_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(
        place: usize,
        (vcpu, mode, concurrency): (u64, Mode, u32),
        values: &[f64],
    ) -> Candidate {
        let logs = values.iter().map(|value| value.ln()).collect();
        Candidate {
            place,
            size: (vcpu * 1_024, vcpu * 2_048),
            mode,
            concurrency,
            logs,
        }
    }

    /// Six around a value, so far apart.
    fn around(value: f64, apart: f64) -> Vec<f64> {
        [-2.5, 1.5, -0.5, 0.5, -1.5, 2.5]
            .iter()
            .map(|off| value * (1.0 + off * apart))
            .collect()
    }

    #[test]
    fn of_what_is_as_good_the_smallest_is_taken_and_the_rest_is_named() {
        let cells = [
            candidate(0, (1, Mode::Async, 16), &around(130.0, 0.002)),
            candidate(1, (2, Mode::Process, 16), &around(101.0, 0.002)),
            candidate(2, (2, Mode::Async, 64), &around(101.5, 0.002)),
            candidate(3, (2, Mode::Async, 32), &around(101.9, 0.002)),
            candidate(4, (4, Mode::Async, 32), &around(100.0, 0.002)),
        ];
        let chosen = choose(&cells).unwrap();
        assert_eq!(
            (chosen.place, chosen.tied.as_slice()),
            (3, [2, 1, 4].as_slice())
        );
        assert!(chosen.same_or_tied > 0.99, "{chosen:?}");
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn what_repetitions_cannot_tell_apart_is_tied_but_never_what_is_far_worse() {
        // 3.5 % worse: with 1 % between repetitions that is no tie, with 10 % it is.
        let cells = |apart| {
            [
                candidate(0, (1, Mode::Async, 1), &around(103.5, apart)),
                candidate(1, (2, Mode::Async, 1), &around(100.0, apart)),
            ]
        };
        assert_eq!(choose(&cells(0.003)).unwrap().place, 1);
        let unsure = choose(&cells(0.05)).unwrap();
        assert_eq!((unsure.place, unsure.tied.as_slice()), (0, [1].as_slice()));
        assert!(unsure.same < 0.95, "{unsure:?}");
        let far = [
            candidate(0, (1, Mode::Async, 1), &around(110.0, 0.05)),
            candidate(1, (2, Mode::Async, 1), &around(100.0, 0.05)),
        ];
        assert_eq!(choose(&far).unwrap().place, 1);
    }

    #[test]
    fn a_smaller_task_whose_cells_are_as_good_pair_by_pair_counts() {
        // By itself each cell of one vCPU is 6 % off or 5 % better, which repetitions this far apart often are.
        let of = |vcpu, values: [f64; 4]| {
            let cells = [
                (Mode::Async, 16),
                (Mode::Async, 32),
                (Mode::Thread, 16),
                (Mode::Thread, 32),
            ];
            cells
                .into_iter()
                .zip(values)
                .map(move |((mode, workers), value)| (vcpu, mode, workers, value))
                .collect::<Vec<_>>()
        };
        let both = |small| {
            let all = of(1, small)
                .into_iter()
                .chain(of(2, [104.0, 100.0, 108.0, 107.0]));
            all.enumerate()
                .map(|(place, (vcpu, mode, workers, value))| {
                    candidate(place, (vcpu, mode, workers), &around(value, 0.04))
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            choose(&both([107.0, 106.0, 106.0, 106.0])).unwrap().place,
            0
        );
        assert_eq!(
            choose(&both([125.0, 121.0, 130.0, 128.0])).unwrap().place,
            4,
            "a fifth slower in every pair"
        );
    }

    #[test]
    fn a_middle_that_is_low_by_chance_is_drawn_towards_its_like() {
        // Three modes of two sizes that are all alike, but for noise: one of them came out 9 % lower.
        let modes = [Mode::Async, Mode::Thread, Mode::Process];
        let of = |vcpu: u64, values: [f64; 3]| {
            modes
                .into_iter()
                .zip(values)
                .map(move |(mode, value)| (vcpu, mode, value))
        };
        let values = of(1, [100.0, 101.0, 91.0]).chain(of(2, [100.0, 99.0, 101.0]));
        let cells: Vec<Candidate> = values
            .enumerate()
            .map(|(place, (vcpu, mode, value))| {
                candidate(place, (vcpu, mode, 16), &around(value, 0.04))
            })
            .collect();
        let middles: Vec<f64> = cells
            .iter()
            .map(|cell| pseudomedian(&cell.logs).unwrap())
            .collect();
        let known = Known {
            error: standard_error(&cells),
            own: own_error(&cells),
            like: like(&cells),
        };
        let drawn = steadied(&cells, &middles, &known);
        assert!(
            drawn[2] > 94.0_f64.ln() && drawn[0] < 100.0_f64.ln(),
            "{drawn:?}"
        );
        // Where repetitions are quiet, what differs is real.
        let quiet: Vec<Candidate> = cells
            .iter()
            .map(|cell| {
                candidate(
                    cell.place,
                    (cell.size.0 / 1_024, cell.mode, 16),
                    &around(middles[cell.place].exp(), 0.001),
                )
            })
            .collect();
        let known = Known {
            error: standard_error(&quiet),
            own: own_error(&quiet),
            like: like(&quiet),
        };
        assert!((steadied(&quiet, &middles, &known)[2] - middles[2]).abs() < 0.002);
    }

    #[test]
    fn the_same_repetitions_give_the_same_confidence() {
        let cells = [
            candidate(0, (1, Mode::Async, 1), &around(104.0, 0.05)),
            candidate(1, (2, Mode::Async, 1), &around(100.0, 0.05)),
        ];
        assert_eq!(choose(&cells), choose(&cells));
    }
}
