//! What is known of each configuration: by draws of the law's parameters and of the deviations from it, what the whole bucket would take in each, how
//! likely each is as good as the best, and which of them are worth another run.

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

use super::draws::{Draws, JudgeInput, active, draws, parameters};
use super::posterior::Posterior;
use super::seen::SizeBurst;
use crate::law::{CONNECTION_S, RateLaw, place_of};
use crate::plan::Mode;
use crate::stats::location::median;

/// A loss is at most this (logarithm): how bad a bad one is does not matter.
const MOST_LOSS: f64 = 0.5;
/// What sizes carry after a burst is known to this where it was seen, and to this where it was not: standard deviations of logarithms.
const BASE_ERROR: f64 = 0.03;
const UNSEEN_BASE_ERROR: f64 = 0.15;

/// What is known of the configurations.
pub(super) struct Judgement {
    /// Those that are not hopeless.
    pub(super) active: Vec<usize>,
    /// Of each active one in each draw (column): logarithm of what is to be small, over the best of the draw.
    losses: DMatrix<f64>,
    /// The best of each draw, as a place in `active`.
    bests: Vec<usize>,
    /// Chance to be as good as the best, by configuration.
    pub(super) good: Vec<f64>,
    /// Mean loss, by configuration.
    pub(super) loss: Vec<f64>,
    /// Seconds of a task, of each active one in each draw.
    seconds: DMatrix<f64>,
    within: f64,
}

/// Judges all configurations; the same numbers for the same runs. `None` where numbers fail.
pub(super) fn judge(
    subject: &JudgeInput<'_>,
    posterior: &Posterior,
    seed: u64,
) -> Option<Judgement> {
    let mut random = SmallRng::seed_from_u64(seed);
    let of = parameters(posterior, &mut random)?;
    let active = active(subject, posterior, &of);
    let draws = draws(subject, posterior, (&of, &active), &mut random)?;
    let values = values(subject, posterior, (&draws, &active), &mut random);
    Some(Judgement::new(subject, active, values))
}

/// Logarithms of what is to be small, and seconds of a task, of each active configuration in each draw.
struct DrawnValues {
    values: DMatrix<f64>,
    seconds: DMatrix<f64>,
}

fn values(
    subject: &JudgeInput<'_>,
    posterior: &Posterior,
    (draws, active): (&Draws, &[usize]),
    random: &mut SmallRng,
) -> DrawnValues {
    let JudgeInput {
        space,
        terms,
        seen,
        goal,
        ..
    } = subject;
    let around = seen.around();
    let starts = Mode::ALL.map(|mode| seen.start_of_worker_s(space, mode));
    // The last fetches take so many times as long as an ordinary one, in all configurations.
    let usual = posterior.of[CONNECTION_S].exp();
    let tails: Vec<f64> = seen.runs.iter().map(|run| run.tail_s / usual).collect();
    let tail = median(&tails).unwrap_or(1.0);
    let mut values = DMatrix::zeros(active.len(), draws.of.len());
    let mut seconds = values.clone();
    for column in 0..draws.of.len() {
        let of = &draws.of[column];
        let bases = bases((subject, &posterior.law), draws, (active, column), random);
        let law = posterior.law.with(of.as_slice());
        for (row, index) in active.iter().enumerate() {
            let place = &space.places[*index];
            let size = space.config(*index).size;
            let deviation = draws.deviations[(row, column)];
            let rate = (draws.law[(row, column)] + deviation).exp();
            let in_tail = place.workers.min(terms.objects) / 2.0;
            let objects = terms.objects - in_tail;
            let steady_s = if let Some(bases) = &bases {
                let network = bases.networks[size];
                let after = if seen.is_soaked(size) {
                    rate
                } else {
                    (law.rate_over(place, network) + deviation).exp().min(rate)
                };
                let network = network.exp();
                SizeBurst {
                    network,
                    after,
                    credit: bases.credit_s * network,
                }
                .seconds(objects, rate)
            } else {
                objects / rate
            };
            let ending_s = (tail * of[CONNECTION_S].exp()).max(in_tail / rate);
            let workers_s = starts[place_of(place.mode)] * place.workers;
            let all_s = around.fixed_s + terms.listing_s + workers_s + steady_s + ending_s;
            seconds[(row, column)] = all_s;
            values[(row, column)] =
                goal.of(terms.rates, space.at(*index).0, (all_s, around.pull_s));
        }
    }
    DrawnValues { values, seconds }
}

/// What networks carry after their bursts, in one draw.
struct Bases {
    /// Logarithm of objects a second, by size.
    networks: Vec<f64>,
    /// The credit, in seconds of that.
    credit_s: f64,
}

/// `None` where no drop was seen. Of sizes without one, the network's law tells from the next size.
fn bases(
    (subject, law): (&JudgeInput<'_>, &RateLaw),
    draws: &Draws,
    (active, column): (&[usize], usize),
    random: &mut SmallRng,
) -> Option<Bases> {
    let JudgeInput { space, seen, .. } = subject;
    if !seen.has_drop() {
        return None;
    }
    let of = &draws.of[column];
    let network = |size: usize| {
        let place = space.places.iter().find(|place| place.size == size)?;
        Some(law.with(of.as_slice()).network(place))
    };
    let mut known: Vec<Option<f64>> = vec![None; space.sizes.len()];
    let mut credits = Vec::new();
    for (size, drops) in seen.drops.iter().enumerate() {
        let rates: Vec<f64> = drops
            .iter()
            .filter_map(|drop| {
                let row = active.binary_search(&drop.config).ok()?;
                Some(drop.fell.ln() + draws.law[(row, column)])
            })
            .collect();
        let Some(rate) = median(&rates) else {
            continue;
        };
        let noise: f64 = StandardNormal.sample(random);
        let credit: Vec<f64> = drops.iter().map(|drop| drop.credit).collect();
        credits.push(median(&credit)? / rate.exp());
        known[size] = Some(rate + noise * BASE_ERROR / (drops.len() as f64).sqrt());
    }
    let networks = (0..known.len())
        .map(|size| {
            if let Some(known) = known[size] {
                return known;
            }
            let noise: f64 = StandardNormal.sample(random);
            let next = (0..known.len())
                .filter(|other| known[*other].is_some())
                .min_by_key(|other| other.abs_diff(size));
            let from = next.and_then(|next| Some(known[next]? + network(size)? - network(next)?));
            from.unwrap_or(f64::INFINITY) + noise * UNSEEN_BASE_ERROR
        })
        .collect();
    Some(Bases {
        networks,
        credit_s: median(&credits)?,
    })
}

impl Judgement {
    fn new(subject: &JudgeInput<'_>, active: Vec<usize>, values: DrawnValues) -> Self {
        let DrawnValues {
            values: mut losses,
            seconds,
        } = values;
        let mut bests = Vec::with_capacity(losses.ncols());
        for mut column in losses.column_iter_mut() {
            let (best, least) = column.argmin();
            bests.push(best);
            column.add_scalar_mut(-least);
        }
        let draws = losses.ncols() as f64;
        let (mut good, mut loss) = (
            vec![0.0; subject.space.len()],
            vec![MOST_LOSS; subject.space.len()],
        );
        for (row, index) in active.iter().enumerate() {
            let row = losses.row(row);
            good[*index] =
                row.iter().filter(|loss| **loss <= subject.within).count() as f64 / draws;
            loss[*index] = row.iter().map(|loss| loss.min(MOST_LOSS)).sum::<f64>() / draws;
        }
        Self {
            active,
            losses,
            bests,
            good,
            loss,
            seconds,
            within: subject.within,
        }
    }

    /// The configuration with the least mean loss, of those for which something holds.
    pub(super) fn best(&self, holds: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.loss.len())
            .filter(|index| holds(*index))
            .min_by(|one, other| self.loss[*one].total_cmp(&self.loss[*other]))
    }

    /// What more could be gained with each configuration than with this one, where that is worth it: mean over the draws.
    pub(super) fn gains(&self, incumbent: usize) -> Vec<f64> {
        let mut gains = vec![0.0; self.loss.len()];
        let Ok(row) = self.active.binary_search(&incumbent) else {
            return gains;
        };
        for (column, best) in self.bests.iter().enumerate() {
            let gain = self.losses[(row, column)];
            if gain > self.within * 0.5 {
                gains[self.active[*best]] += gain / self.bests.len() as f64;
            }
        }
        gains[incumbent] = 0.0;
        gains
    }

    /// By which share a configuration is worse than the best, in 95 of 100 draws at most.
    pub(super) fn at_worst(&self, config: usize) -> f64 {
        let Ok(row) = self.active.binary_search(&config) else {
            return f64::INFINITY;
        };
        quantile(self.losses.row(row).iter().copied(), 0.95).exp() - 1.0
    }

    /// Seconds of a task: 2.5, 50 and 97.5 % of the draws.
    pub(super) fn seconds(&self, config: usize) -> Option<[f64; 3]> {
        let row = self.active.binary_search(&config).ok()?;
        Some(
            [0.025, 0.5, 0.975].map(|share| quantile(self.seconds.row(row).iter().copied(), share)),
        )
    }
}

fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the list"
    )]
    let at = ((values.len() as f64 - 1.0) * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
