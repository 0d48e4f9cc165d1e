//! Which cell to run: of all that cannot be told from the best the smallest, with how often another sample of the same size would choose the same.
//!
//! Pure: takes what each repetition of each cell would take, and what is to be small: the time itself, or a price that goes with it.

use super::fit::{CpuOfObject, Fit, Measured, Subject};
use super::thresholds::NEAR;
use crate::law::{LawPoint, Tied, in_order};
use crate::plan::Mode;
use crate::stats::location::{median, pseudomedian};
use crate::stats::near::sure_within;

/// As good as the best is what is worse by this factor at most: nobody notices it.
pub(super) const AS_GOOD: f64 = 1.02;
/// What is worse by more than this factor is never taken for as good, however much repetitions vary: a choice is to be within 5 % of the best, and what is
/// expected of each cell is not exact.
pub(super) const NEVER: f64 = 1.04;
/// Between the two: so many standard errors of the difference cannot be told apart.
const ERRORS: f64 = 2.0;
/// Cells of the chosen size that are worse than the best by this factor at most are compared with their like in smaller sizes.
const LIKE: f64 = 1.10;
/// On the average of such pairs a size that is worse by more than this factor is never taken for as good.
const NEVER_IN_PAIRS: f64 = 1.035;
/// So many of the best cells steady each other: the work grows with the cube of their number.
const MOST: usize = 300;
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
    /// Of one task.
    pub(super) concurrency: u32,
    /// That fetch side by side.
    pub(super) tasks: u64,
    /// Logarithm of the seconds of each repetition.
    pub(super) times: Vec<f64>,
    /// Of what is to be small: the logarithm for each of them.
    pub(super) logs: Vec<f64>,
    pub(super) cpu: Option<CpuOfObject>,
    /// Whether it is taken before others of its size, where it is as good.
    pub(super) is_wished: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    /// In the study.
    pub(super) place: usize,
    /// The others of which none can be told from the best, in the order in which they would be chosen; places in the study.
    pub(super) tied: Vec<usize>,
    /// How sure that is; none where it was not chosen by repetitions.
    pub(super) again: Option<ChosenAgain>,
}

/// What other samples of the same size would choose: shares of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChosenAgain {
    /// In which the same is chosen.
    pub(super) same: f64,
    /// In which it, or one that it is tied with, is chosen.
    pub(super) same_or_tied: f64,
    /// In which no other is better by more than 5 %.
    pub(super) near_best: f64,
}

/// Chooses, and says how sure that is; `None` without candidates. With single repetitions nothing is known of another sample.
pub(super) fn choose(candidates: &[Candidate], subject: Subject) -> Option<Chosen> {
    let middles: Vec<Middle> = candidates
        .iter()
        .map(|candidate| Middle::of(&candidate.logs, &candidate.times))
        .collect();
    let known = Known::new(candidates, &middles, subject);
    let Ranked { tied, logs, errors } = ranked(candidates, &middles, &known);
    let (first, others) = tied.split_first()?;
    let errors = errors.iter().zip(candidates);
    let errors: Vec<f64> = errors
        .map(|(error, one)| error * one.goes_with_time())
        .collect();
    let (mut same, mut same_or_tied, mut near_best) = (0, 0, 0);
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..SAMPLES {
        let drawn: Vec<Middle> = candidates
            .iter()
            .map(|candidate| candidate.again(&mut random))
            .collect();
        let again = ranked(candidates, &drawn, &known);
        if let Some(chosen) = again.tied.first() {
            same += u32::from(chosen == first);
            same_or_tied += u32::from(tied.contains(chosen));
        }
        let best = again.logs.iter().copied().fold(f64::INFINITY, f64::min);
        near_best += u32::from(again.logs[*first] <= best + NEAR.ln());
    }
    let near_best = f64::from(near_best) / f64::from(SAMPLES);
    Some(Chosen {
        place: candidates[*first].place,
        tied: others
            .iter()
            .map(|index| candidates[*index].place)
            .collect(),
        again: Some(ChosenAgain {
            same: f64::from(same) / f64::from(SAMPLES),
            same_or_tied: f64::from(same_or_tied) / f64::from(SAMPLES),
            near_best: near_best.min(sure_within(NEAR, (&logs, &errors), *first)),
        }),
    })
}

/// The middle of a cell's repetitions.
#[derive(Clone, Copy, Debug)]
struct Middle {
    log: f64,
    time: f64,
}

impl Middle {
    fn of(logs: &[f64], times: &[f64]) -> Self {
        let middle = |values: &[f64]| pseudomedian(values).unwrap_or(f64::INFINITY);
        Self {
            log: middle(logs),
            time: middle(times),
        }
    }
}

impl Candidate {
    /// Where it is in the law; `size` numbers its size.
    fn at(&self, size: usize) -> LawPoint {
        let tasks = self.tasks as f64;
        let vcpu = self.size.0 as f64 / tasks / 1_024.0;
        let workers = f64::from(self.concurrency.max(1));
        LawPoint::new(size, vcpu, (self.mode, workers)).times(tasks)
    }

    /// The middle of as many repetitions as there are, any of them any number of times.
    fn again(&self, random: &mut fastrand::Rng) -> Middle {
        let count = self.logs.len();
        let (logs, times): (Vec<f64>, Vec<f64>) = (0..count)
            .map(|_| random.usize(..count))
            .map(|place| (self.logs[place], self.times[place]))
            .unzip();
        Middle::of(&logs, &times)
    }

    /// How much of a change of the time is one of what is to be small: a price that is the least one does not change with it.
    fn goes_with_time(&self) -> f64 {
        let (logs, times) = (variance(&self.logs), variance(&self.times));
        if times > 1e-18 {
            (logs / times).sqrt().min(1.0)
        } else {
            1.0
        }
    }
}

/// What is known of the cells besides their middles.
struct Known {
    /// How repetitions vary in the middle cell, for as many as there are of each.
    error: Vec<f64>,
    /// The cells that steady each other, and how.
    near: Vec<usize>,
    fit: Option<Fit>,
    /// Logarithm of the bucket's objects.
    log_objects: f64,
}

impl Known {
    fn new(candidates: &[Candidate], middles: &[Middle], subject: Subject) -> Self {
        let mut near: Vec<usize> = (0..middles.len())
            .filter(|index| middles[*index].time.is_finite())
            .collect();
        near.sort_by(|one, other| middles[*one].time.total_cmp(&middles[*other].time));
        near.truncate(MOST);
        let size_of = |index: &usize| (candidates[*index].size, candidates[*index].tasks);
        let mut sizes: Vec<_> = near.iter().map(size_of).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let log_objects = subject.objects.count.ln();
        let usual = usual_variance(candidates);
        let measured = |index: &usize| {
            let candidate = &candidates[*index];
            Measured {
                at: candidate.at(sizes.binary_search(&size_of(index)).unwrap_or_default()),
                log_rate: log_objects - middles[*index].time,
                variance: own_variance(candidate, usual),
                cpu: candidate.cpu,
            }
        };
        let measured: Vec<Measured> = near.iter().map(measured).collect();
        Self {
            error: candidates
                .iter()
                .map(|candidate| (usual / candidate.logs.len().max(1) as f64).sqrt())
                .collect(),
            fit: Fit::new(&measured, subject),
            near,
            log_objects,
        }
    }

    /// What is to be expected of each cell: the lowest of many middles is low by chance as well, and the others know nothing of that chance.
    fn steadied(&self, candidates: &[Candidate], middles: &[Middle]) -> Vec<Middle> {
        let mut steadied = middles.to_vec();
        let Some(fit) = &self.fit else {
            return steadied;
        };
        let rate = |index: &usize| self.log_objects - middles[*index].time;
        let rates: Vec<f64> = self.near.iter().map(rate).collect();
        for (index, (expected, rate)) in self
            .near
            .iter()
            .zip(fit.expected(&rates).iter().zip(&rates))
        {
            let slower = rate - expected;
            steadied[*index].time += slower;
            steadied[*index].log += slower * candidates[*index].goes_with_time();
        }
        steadied
    }

    /// By how much each may lie off against the best: a standard error.
    fn errors(&self, steadied: &[f64]) -> Vec<f64> {
        let mut errors = self.error.clone();
        let best = (0..self.near.len())
            .min_by(|one, other| steadied[self.near[*one]].total_cmp(&steadied[self.near[*other]]));
        if let (Some(fit), Some(best)) = (&self.fit, best) {
            for (index, error) in self.near.iter().zip(fit.errors_against(best)) {
                errors[*index] = error;
            }
        }
        errors
    }
}

/// 0 for less than two values.
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (n - 1.0).max(1.0)
}

/// The variance of repetitions in the middle cell.
fn usual_variance(candidates: &[Candidate]) -> f64 {
    let variances: Vec<f64> = candidates
        .iter()
        .filter(|candidate| candidate.times.len() > 1)
        .map(|candidate| variance(&candidate.times))
        .collect();
    median(&variances).unwrap_or(0.0) / MIDDLE_VARIANCE
}

/// Of a cell's middle. So few repetitions tell little of how they vary, so the middle cell's variance counts as much as their own: a cell whose time hangs on
/// a hair (a burst that ends just before the bucket does) varies more than others, and is the best by chance more often.
fn own_variance(candidate: &Candidate, usual: f64) -> f64 {
    let own = match candidate.times.len() {
        0 | 1 => usual,
        _ => variance(&candidate.times),
    };
    own.midpoint(usual) / candidate.times.len().max(1) as f64
}

/// The cells, of those at `among`, that cannot be told from the best of them, in the order in which they are taken.
fn as_good(candidates: &[Candidate], among: &[usize], expected: &Steadied) -> Vec<usize> {
    let logs = &expected.logs;
    let best = among
        .iter()
        .map(|index| logs[*index])
        .fold(f64::INFINITY, f64::min);
    let most =
        |index: usize| best + (ERRORS * expected.errors[index]).clamp(AS_GOOD.ln(), NEVER.ln());
    let is_tied = |index: &usize| logs[*index].is_finite() && logs[*index] <= most(*index);
    let tied = |index: &usize| {
        let one = &candidates[*index];
        Tied {
            place: *index,
            size: one.size,
            mode: one.mode,
            workers: one.concurrency,
            log_s: expected.times[*index],
        }
    };
    let tied = among.iter().filter(|index| is_tied(index)).map(tied);
    in_order(tied.collect())
}

/// What is expected of each cell, and how far that may lie off.
struct Steadied {
    logs: Vec<f64>,
    times: Vec<f64>,
    errors: Vec<f64>,
}

/// The cells that cannot be told from the best, the one to choose first, and what is expected of all.
struct Ranked {
    tied: Vec<usize>,
    logs: Vec<f64>,
    errors: Vec<f64>,
}

/// One cell tells little; all cells of a size tell more. So a smaller task counts as good as well when its cells, each compared with the cell of the chosen
/// size that has the same mode and as many workers, are as good on the average.
fn ranked(candidates: &[Candidate], middles: &[Middle], known: &Known) -> Ranked {
    let (logs, times): (Vec<f64>, Vec<f64>) = known
        .steadied(candidates, middles)
        .into_iter()
        .map(|middle| (middle.log, middle.time))
        .unzip();
    let errors = known.errors(&logs);
    let expected = Steadied {
        logs,
        times,
        errors,
    };
    let all: Vec<usize> = (0..candidates.len()).collect();
    let tied = as_good(candidates, &all, &expected);
    let smaller = tied
        .first()
        .and_then(|first| smaller_size(candidates, &expected, candidates[*first].size));
    let mut tied = smaller.map_or(tied.clone(), |size| {
        let is_of_size = |index: &usize| candidates[*index].size == size;
        let (of_size, _): (Vec<usize>, Vec<usize>) = all.into_iter().partition(is_of_size);
        let mut ranked = as_good(candidates, &of_size, &expected);
        ranked.extend(tied.into_iter().filter(|index| !is_of_size(index)));
        ranked
    });
    if let Some(at) = tied.iter().position(|at| candidates[*at].is_wished)
        && candidates[tied[at]].size == candidates[tied[0]].size
    {
        tied[..=at].rotate_right(1);
    }
    Ranked {
        tied,
        logs: expected.logs,
        errors: expected.errors,
    }
}

/// The smallest size that is as good as the chosen one, pair by pair.
fn smaller_size(
    candidates: &[Candidate],
    expected: &Steadied,
    chosen: (u64, u64),
) -> Option<(u64, u64)> {
    let Steadied { logs, errors, .. } = expected;
    let best = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let near: Vec<usize> = (0..candidates.len())
        .filter(|index| candidates[*index].size == chosen && logs[*index] <= best + LIKE.ln())
        .collect();
    let is_as_good = |size: &(u64, u64)| {
        let pair = |index: usize| {
            let one = &candidates[index];
            let is_like = |other: &Candidate| {
                other.size == *size
                    && other.mode == one.mode
                    && other.concurrency == one.concurrency
            };
            let other = candidates
                .iter()
                .position(is_like)
                .filter(|other| logs[*other].is_finite())?;
            Some((
                logs[other] - logs[index],
                errors[other].powi(2) + errors[index].powi(2),
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
    use crate::analysis::fit::Objects;

    const SUBJECT: Subject = Subject {
        objects: Objects {
            count: 2_000.0,
            mean_bytes: 1e6,
        },
        is_contender: false,
    };

    fn choose(cells: &[Candidate]) -> Option<Chosen> {
        super::choose(cells, SUBJECT)
    }

    /// What is expected of each.
    fn steadied(cells: &[Candidate]) -> Vec<f64> {
        let middles: Vec<Middle> = cells
            .iter()
            .map(|cell| Middle::of(&cell.logs, &cell.times))
            .collect();
        let steadied = Known::new(cells, &middles, SUBJECT).steadied(cells, &middles);
        steadied.into_iter().map(|middle| middle.log).collect()
    }

    fn candidate(
        place: usize,
        (vcpu, mode, concurrency): (u64, Mode, u32),
        values: &[f64],
    ) -> Candidate {
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        Candidate {
            place,
            size: (vcpu * 1_024, vcpu * 2_048),
            mode,
            concurrency,
            tasks: 1,
            times: logs.clone(),
            logs,
            cpu: None,
            is_wished: false,
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
        assert!(chosen.again.unwrap().same_or_tied > 0.99, "{chosen:?}");
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
        assert!(unsure.again.unwrap().same < 0.95, "{unsure:?}");
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
        let drawn = steadied(&cells);
        assert!(
            drawn[2] > 93.5_f64.ln() && drawn[0] < 100.0_f64.ln(),
            "{drawn:?}"
        );
        // Where repetitions are quiet, what differs is real.
        let quiet = |cell: &Candidate| {
            let value = pseudomedian(&cell.times).unwrap().exp();
            let times = around(value, 0.001)
                .iter()
                .map(|value| value.ln())
                .collect();
            Candidate {
                times,
                ..cell.clone()
            }
        };
        let quiet: Vec<Candidate> = cells.iter().map(quiet).collect();
        let middle = pseudomedian(&quiet[2].times).unwrap();
        assert!((steadied(&quiet)[2] - middle).abs() < 0.003);
    }

    #[test]
    fn a_price_that_is_the_least_one_is_not_moved_with_the_time() {
        let mut cells: Vec<Candidate> = (0..6)
            .map(|place| candidate(place, (1, Mode::Async, 1 << place), &around(100.0, 0.04)))
            .collect();
        for cell in &mut cells {
            cell.logs = vec![0.5; 6];
        }
        assert_eq!(steadied(&cells), [0.5; 6]);
    }

    #[test]
    fn of_what_costs_the_same_the_fast_one_is_taken() {
        let mut cells = [
            candidate(0, (1, Mode::Async, 1), &around(100.0, 0.002)),
            candidate(1, (1, Mode::Async, 16), &around(20.0, 0.002)),
            candidate(2, (1, Mode::Process, 16), &around(19.5, 0.002)),
            candidate(3, (2, Mode::Async, 16), &around(10.0, 0.002)),
        ];
        for cell in &mut cells {
            cell.logs = vec![if cell.place == 3 { 1.0 } else { 0.5 }; 6];
        }
        let chosen = choose(&cells).unwrap();
        assert_eq!(
            (chosen.place, chosen.tied.as_slice()),
            (1, [2, 0].as_slice())
        );
        let wished = |place: usize| {
            let mut cells = cells.to_vec();
            cells[place].is_wished = true;
            choose(&cells).unwrap()
        };
        let chosen = wished(2);
        assert_eq!(
            (chosen.place, chosen.tied.as_slice()),
            (2, [1, 0].as_slice())
        );
        assert!(chosen.again.unwrap().same > 0.999);
        assert_eq!(wished(3).place, 1, "it costs more");
    }

    #[test]
    fn nobody_is_sure_of_what_repetitions_leave_open() {
        let near = |apart| {
            let cells = [
                candidate(0, (1, Mode::Async, 4), &around(101.0, apart)),
                candidate(1, (1, Mode::Thread, 4), &around(100.0, apart)),
                candidate(2, (1, Mode::Process, 4), &around(140.0, apart)),
            ];
            choose(&cells).unwrap().again.unwrap().near_best
        };
        let (quiet, noisy) = (near(0.002), near(0.2));
        assert!(quiet > 0.95 && noisy < 0.75, "{quiet} {noisy}");
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
