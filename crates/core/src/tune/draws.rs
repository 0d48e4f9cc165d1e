//! Draws of what is not known: the law's parameters, as the runs leave them, and how far each configuration deviates from the law.

use nalgebra::{Cholesky, DMatrix, DVector};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

use super::goal::{Terms, TuneGoal};
use super::posterior::Posterior;
use super::seen::SeenRuns;
use super::space::Space;
use crate::law::{POWER, USABLE, USABLE_SMALL};

/// Sets of parameters that are drawn.
const DRAWS: usize = 400;
/// Draws of parameters of which those are taken, by how likely they are.
const PROPOSED: usize = 1_000;
/// So many of them must differ, or their weights are evened out.
const LEAST_DIFFERENT: f64 = 60.0;
const TEMPERS: [f64; 7] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08];
/// A configuration that in none of so many draws comes as near to the best as this (logarithm) is left out.
const FIRST_LOOK: usize = 50;
const HOPELESS: f64 = 0.7;
/// What is asked of the draws.
pub(super) struct JudgeInput<'a> {
    pub(super) space: &'a Space,
    pub(super) terms: &'a Terms,
    pub(super) seen: &'a SeenRuns,
    pub(super) goal: TuneGoal,
    /// Logarithm: what counts as good as the best.
    pub(super) within: f64,
}

/// Rates in draws.
pub(super) struct Draws {
    /// Parameters.
    pub(super) of: Vec<DVector<f64>>,
    /// The law's rates by themselves, and the deviations: logarithms, a row for each active configuration.
    pub(super) law: DMatrix<f64>,
    pub(super) deviations: DMatrix<f64>,
}

fn normals(random: &mut SmallRng, rows: usize, columns: usize) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(random))
}

/// Draws of the law's parameters: by the curvature, then by how likely they are.
pub(super) fn parameters(
    posterior: &Posterior,
    random: &mut SmallRng,
) -> Option<Vec<DVector<f64>>> {
    let count = posterior.of.len();
    let mut curvature = posterior.curvature.clone();
    for place in 0..count {
        curvature[(place, place)] += 1e-9;
    }
    // Of the inverse: L⁻ᵀ z.
    let lower = Cholesky::new(curvature)?.unpack();
    let standard = normals(random, count, PROPOSED);
    let spread = lower.tr_solve_lower_triangular(&standard)?;
    let mut proposed = Vec::with_capacity(PROPOSED);
    let mut weights = Vec::with_capacity(PROPOSED);
    for column in 0..PROPOSED {
        let mut of: DVector<f64> = &posterior.of + spread.column(column);
        of[POWER] = of[POWER].clamp(2.5_f64.ln(), 200_f64.ln());
        for place in [
            USABLE,
            USABLE + 1,
            USABLE + 2,
            USABLE_SMALL,
            USABLE_SMALL + 1,
        ] {
            of[place] = of[place].min(0.0);
        }
        weights.push(0.5 * (standard.column(column).norm_squared() - posterior.cost(&of)));
        proposed.push(of);
    }
    let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tempered = |temper: f64| -> Vec<f64> {
        weights
            .iter()
            .map(|weight| ((weight - most) * temper).exp())
            .collect()
    };
    let different = |weights: &[f64]| {
        let sum: f64 = weights.iter().sum();
        sum * sum / weights.iter().map(|weight| weight * weight).sum::<f64>()
    };
    let weights = TEMPERS
        .into_iter()
        .map(tempered)
        .find(|weights| different(weights) > LEAST_DIFFERENT)
        .unwrap_or_else(|| vec![1.0; PROPOSED]);
    let sum: f64 = weights.iter().sum();
    // Systematic: each is taken as often as its weight says, to within one.
    let mut taken = Vec::with_capacity(DRAWS);
    let (mut at, mut below) = (0, weights[0]);
    let start: f64 = random.random();
    for draw in 0..DRAWS {
        let wanted = (draw as f64 + start) / DRAWS as f64 * sum;
        while below < wanted && at + 1 < PROPOSED {
            at += 1;
            below += weights[at];
        }
        taken.push(proposed[at].clone());
    }
    Some(taken)
}

/// Configurations that may be as good as the best, those that ran, and those whose drops tell of their size.
pub(super) fn active(
    subject: &JudgeInput<'_>,
    posterior: &Posterior,
    of: &[DVector<f64>],
) -> Vec<usize> {
    let JudgeInput {
        space, terms, seen, ..
    } = subject;
    let around = seen.around();
    let mut near = vec![f64::INFINITY; space.len()];
    for of in of.iter().step_by(DRAWS / FIRST_LOOK) {
        let law = posterior.law.with(of.as_slice());
        let values: Vec<f64> = (0..space.len())
            .map(|index| {
                let seconds = terms.objects / law.rate(&space.places[index]).exp()
                    + around.fixed_s
                    + terms.listing_s;
                subject
                    .goal
                    .of(terms.rates, space.at(index).0, (seconds, around.pull_s))
            })
            .collect();
        let best = values.iter().copied().fold(f64::INFINITY, f64::min);
        for (near, value) in near.iter_mut().zip(values) {
            *near = near.min(value - best);
        }
    }
    let hopeless = HOPELESS * posterior.wider;
    let is_active = |index: &usize| near[*index] <= hopeless || seen.count(*index) > 0;
    (0..space.len()).filter(is_active).collect()
}

/// Rates of the active configurations: the law's, and what each deviates from it, given the runs.
pub(super) fn draws(
    subject: &JudgeInput<'_>,
    posterior: &Posterior,
    (of, active): (&[DVector<f64>], &[usize]),
    random: &mut SmallRng,
) -> Option<Draws> {
    let JudgeInput { space, seen, .. } = subject;
    let (runs, count) = (&seen.runs, active.len());
    let to_runs = DMatrix::from_fn(count, runs.len(), |row, run| {
        posterior.covariance(space, (active[row], runs[run].config))
    });
    let own = DMatrix::from_fn(count, count, |row, column| {
        posterior.covariance(space, (active[row], active[column]))
    });
    let mut white = to_runs.transpose();
    posterior
        .known
        .l_dirty()
        .solve_lower_triangular_mut(&mut white);
    let mut left = own - white.tr_mul(&white);
    for place in 0..count {
        left[(place, place)] += 1e-8;
    }
    let left = Cholesky::new(left)?.unpack();
    let mut off = DMatrix::zeros(runs.len(), of.len());
    let mut law = DMatrix::zeros(count, of.len());
    for (column, of) in of.iter().enumerate() {
        off.set_column(column, &posterior.off(of));
        let fixed = posterior.law.with(of.as_slice());
        for (row, index) in active.iter().enumerate() {
            law[(row, column)] = fixed.rate(&space.places[*index]);
        }
    }
    posterior.known.solve_mut(&mut off);
    let deviations = to_runs * off + left * normals(random, count, of.len());
    Some(Draws {
        of: of.to_vec(),
        law,
        deviations,
    })
}
