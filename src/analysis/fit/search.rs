//! The most likely parameters of the law, by Gauss-Newton steps that are damped until they help (Levenberg-Marquardt), with what is supposed of each
//! parameter beforehand.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::deviations::Deviations;
use super::law::LawOfCells;
use super::measured::Measured;
use crate::law::{SERIAL, STORE};
use crate::plan::Mode;

/// Steps at most.
const STEPS: usize = 15;
/// Tries to damp a step until it helps.
const TRIES: usize = 6;
/// What no longer matters: of the sum of squares.
const SETTLED: f64 = 1e-2;
/// The longest step of a parameter.
const LONGEST: f64 = 1.5;
/// So much above the highest rate a limit is tried: one far above has no slope that leads to it.
const JUST_ABOVE: f64 = 0.02;
/// CPU seconds of an object are known to this: standard deviation of the logarithm.
const CPU_ERROR: f64 = 0.03;
/// Above this share of the vCPU they vary as much as rates do.
const BUSY: f64 = 0.8;

pub(super) struct Search<'a> {
    pub(super) law: LawOfCells<'a>,
    pub(super) rates: DVector<f64>,
    cpus: DVector<f64>,
    /// 1 ÷ variance of each CPU time; 0 where none is known.
    weights: DVector<f64>,
}

impl<'a> Search<'a> {
    pub(super) fn new(law: LawOfCells<'a>) -> Self {
        let measured = law.measured;
        let column = |value: fn(&Measured) -> f64| {
            DVector::from_iterator(measured.len(), measured.iter().map(value))
        };
        Self {
            rates: column(|one| one.log_rate),
            cpus: column(|one| one.cpu.map_or(0.0, |cpu| cpu.log_s)),
            weights: column(|one| match one.cpu {
                Some(cpu) if cpu.share > BUSY => 1.0 / one.variance.max(CPU_ERROR * CPU_ERROR),
                Some(_) => 1.0 / (CPU_ERROR * CPU_ERROR),
                None => 0.0,
            }),
            law,
        }
    }

    /// The sum of squares that is to be small.
    fn cost(&self, of: &DVector<f64>, deviations: &Deviations) -> f64 {
        let off = &self.rates - self.law.rates(of);
        let cpu_off = &self.cpus - self.law.cpus(of);
        let before = (of - &self.law.before).component_div(&self.law.apart);
        off.dot(&deviations.known.solve(&off))
            + cpu_off.component_mul(&self.weights).dot(&cpu_off)
            + before.norm_squared()
    }

    /// What is supposed of the parameters, and what CPU times say of them: curvature and gradient.
    fn besides(&self, of: &DVector<f64>) -> (DMatrix<f64>, DVector<f64>) {
        let slopes = self.law.slopes(of, LawOfCells::cpus);
        let mut weighted = slopes.clone();
        for (mut row, weight) in weighted.row_iter_mut().zip(&self.weights) {
            row *= *weight;
        }
        let apart = self.law.apart.map(|apart| 1.0 / (apart * apart));
        let curvature = slopes.transpose() * &weighted + DMatrix::from_diagonal(&apart);
        let gradient = weighted.transpose() * (&self.cpus - self.law.cpus(of))
            + (&self.law.before - of).component_mul(&apart);
        (curvature, gradient)
    }

    /// The most likely parameters near `of`; `None` where numbers fail.
    pub(super) fn find(
        &self,
        mut of: DVector<f64>,
        deviations: &Deviations,
    ) -> Option<DVector<f64>> {
        let mut now = self.cost(&of, deviations);
        let mut damping = 1e-2;
        for _ in 0..STEPS {
            let slopes = self.law.slopes(&of, LawOfCells::rates);
            let off = &self.rates - self.law.rates(&of);
            let (curvature, gradient) = self.besides(&of);
            let curvature = curvature + slopes.transpose() * deviations.known.solve(&slopes);
            let gradient = gradient + slopes.transpose() * deviations.known.solve(&off);
            let mut gained = 0.0;
            for _ in 0..TRIES {
                let mut damped = curvature.clone();
                for place in 0..of.len() {
                    damped[(place, place)] *= 1.0 + damping;
                }
                let step = Cholesky::new(damped)?.solve(&gradient);
                let there = &of + step.map(|step| step.clamp(-LONGEST, LONGEST));
                let cost = self.cost(&there, deviations);
                if cost < now {
                    (gained, of, now) = (now - cost, there, cost);
                    damping /= 5.0;
                    break;
                }
                damping *= 6.0;
            }
            if gained < SETTLED {
                break;
            }
        }
        Some(of)
    }

    /// The most likely parameters. Limits above all rates are tried just above them as well.
    pub(super) fn best(&self, deviations: &Deviations) -> Option<DVector<f64>> {
        let mut best = self.find(self.law.before.clone(), deviations)?;
        let of_one_process = |one: &Measured| match one.at.mode {
            Mode::Async | Mode::Thread => Some(one.log_rate - one.at.log_tasks),
            Mode::Process => None,
        };
        let mut limits = vec![(STORE, self.law.highest(|one| Some(one.log_rate)))];
        if self.law.is_contender() {
            limits.push((SERIAL, self.law.highest(of_one_process)));
        }
        for (place, highest) in limits.into_iter().filter(|(_, rate)| rate.is_finite()) {
            let mut start = best.clone();
            start[place] = highest + JUST_ABOVE;
            if let Some(found) = self.find(start, deviations)
                && self.cost(&found, deviations) < self.cost(&best, deviations)
            {
                best = found;
            }
        }
        Some(best)
    }

    /// The law around `of` as a normal distribution: what is expected of each rate before any was measured, and the covariance.
    pub(super) fn linear(&self, of: &DVector<f64>) -> Option<(DVector<f64>, DMatrix<f64>)> {
        let slopes = self.law.slopes(of, LawOfCells::rates);
        let (curvature, gradient) = self.besides(of);
        let known = Cholesky::new(curvature)?;
        let spread = known.solve(&slopes.transpose());
        Some((
            self.law.rates(of) + &slopes * known.solve(&gradient),
            slopes * spread,
        ))
    }
}
