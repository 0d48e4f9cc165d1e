//! The law, fitted to all runs at once: the most likely parameters and how far they may be off, and how runs vary.
//!
//! Gauss-Newton steps that are damped until they help (Levenberg-Marquardt). Runs are correlated: by what their configurations deviate from the law
//! together, by a drift, and, where the noise is like that, with those before and after them.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::seen::{RunSeen, SeenRuns};
use super::space::Space;
use crate::law::{CPU, LawPoint, OfPoint, RATE, RateLaw, STORE, slopes};

/// Steps at most.
const STEPS: usize = 12;
/// Tries to damp a step until it helps.
const TRIES: usize = 5;
/// What no longer matters: of the sum of squares.
const SETTLED: f64 = 1e-2;
/// The longest step of a parameter.
const LONGEST: f64 = 1.5;
/// CPU seconds of an object are known to this: standard deviation of the logarithm.
const CPU_ERROR: f64 = 0.03;
/// Above this share of the vCPU they vary as much as rates do.
const BUSY: f64 = 0.8;
/// From this share of refused answers on, the rate tells the store's limit, up to this.
pub(super) const THROTTLED: f64 = 0.01;
const STORE_ERROR: f64 = 0.03;
/// By which a run differs from the next where all drift: standard deviation of the logarithm.
const DRIFT: f64 = 0.0012;
/// What a run is like the one before it, where noise is like that.
const NEXT: f64 = 0.9;
/// Numbers that are exact alone cannot be solved.
const EXACT: f64 = 1e-6;
/// How runs may vary, and which share of it is like the run before.
const SIGMAS: [f64; 8] = [0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.14, MOST_NOISE];
/// The most that is looked for: where runs vary by more, this is found.
pub const MOST_NOISE: f64 = 0.19;
const SHARES: [f64; 2] = [0.0, 0.9];
/// How much wider the deviations from the law may be, where a program that is not known need not follow it, and what each step must gain in likelihood.
const WIDER: [f64; 3] = [1.0, 3.0, 9.0];
const STRANGE: f64 = 2.0;
/// The usual one, and by which share of a likelihood noise that is like the run before must be better.
const USUAL: f64 = 0.05;
const RARER: f64 = 1.0;
/// Degrees of freedom of the noise on the slow side, and from where on a run is slow: nothing is fast by accident.
const FREEDOM: f64 = 5.0;
const SLOW: f64 = -1.5;

/// What was found.
pub(super) struct Posterior {
    pub(super) law: RateLaw,
    /// The most likely parameters.
    pub(super) of: DVector<f64>,
    /// The curvature there: the inverse of their covariance.
    pub(super) curvature: DMatrix<f64>,
    /// Standard deviation of the logarithm of a run's rate.
    pub(super) sigma: f64,
    /// The share of it that is like the run before.
    like_before: f64,
    /// Factor of the deviations from the law.
    pub(super) wider: f64,
    /// The runs, as the law has them.
    places: Vec<LawPoint>,
    pub(super) rates: DVector<f64>,
    pub(super) known: Cholesky<f64, Dyn>,
    cpus: DVector<f64>,
    weights: DVector<f64>,
    throttled: Vec<bool>,
}

impl Posterior {
    /// Before any run.
    pub(super) fn new(law: RateLaw) -> Self {
        let apart: Vec<f64> = law.apart.iter().map(|apart| apart.powi(-2)).collect();
        Self {
            of: law.before.clone().into(),
            curvature: DMatrix::from_diagonal(&apart.into()),
            law,
            sigma: 0.06,
            like_before: 0.0,
            wider: 1.0,
            places: Vec::new(),
            rates: DVector::zeros(0),
            known: Cholesky::new(DMatrix::identity(1, 1)).expect("one is positive"),
            cpus: DVector::zeros(0),
            weights: DVector::zeros(0),
            throttled: Vec::new(),
        }
    }

    /// Learns from all runs; `None` where numbers fail.
    pub(super) fn fit(&mut self, space: &Space, seen: &SeenRuns) -> Option<()> {
        let runs = &seen.runs;
        self.take(space, runs);
        let mut slow = vec![0.0; runs.len()];
        for turn in 0..2 {
            self.known = Cholesky::new(self.noise(space, runs, (self.sigma, &slow)))?;
            self.search()?;
            let off = &self.rates - self.all(&self.of, RATE);
            if turn > 0 {
                self.kind_of_noise(space, runs, (&off, &slow))?;
            }
            let usual = self.covariance(space, (0, 0));
            let expected = self.sigma * self.sigma + usual;
            let apart = expected.sqrt();
            slow = off
                .iter()
                .map(|off| {
                    let z = off / apart;
                    let wider = ((FREEDOM + z * z) / (FREEDOM + 1.0) - 1.0).max(0.0);
                    if z < SLOW { wider * expected } else { 0.0 }
                })
                .collect();
        }
        self.known = Cholesky::new(self.noise(space, runs, (self.sigma, &slow)))?;
        Some(())
    }

    /// How the deviations of two configurations belong together.
    pub(super) fn covariance(&self, space: &Space, of: (usize, usize)) -> f64 {
        self.wider * self.wider * space.covariance[of]
    }

    fn take(&mut self, space: &Space, runs: &[RunSeen]) {
        let place = |run: &RunSeen| LawPoint {
            log_bytes: run.log_bytes,
            ..space.places[run.config]
        };
        self.places = runs.iter().map(place).collect();
        let column = |value: &dyn Fn(&RunSeen) -> f64| {
            DVector::from_iterator(runs.len(), runs.iter().map(value))
        };
        self.rates = column(&|run| run.log_rate);
        self.cpus = column(&|run| run.cpu.map_or(0.0, |cpu| cpu.log_s));
        let busy = self.sigma.max(CPU_ERROR);
        self.weights = column(&|run| match run.cpu {
            Some(cpu) if cpu.share > BUSY => busy.powi(-2),
            Some(_) => CPU_ERROR.powi(-2),
            None => 0.0,
        });
        self.throttled = runs.iter().map(|run| run.throttled > THROTTLED).collect();
    }

    /// The covariance of the runs about the law, with noise of this size and these runs wider.
    fn noise(&self, space: &Space, runs: &[RunSeen], (sigma, slow): (f64, &[f64])) -> DMatrix<f64> {
        let variance = sigma * sigma;
        DMatrix::from_fn(runs.len(), runs.len(), |row, column| {
            let deviation = self.covariance(space, (runs[row].config, runs[column].config));
            let drift = DRIFT * DRIFT * row as f64 * column as f64;
            let shared = if self.like_before > 0.0 {
                let apart = row.abs_diff(column) as f64;
                variance * self.like_before * NEXT.powf(apart)
            } else {
                0.0
            };
            let own = if row == column {
                variance * (1.0 - self.like_before) + slow[row] + EXACT
            } else {
                0.0
            };
            deviation + drift + shared + own
        })
    }

    /// What the law says of each run.
    fn all(&self, of: &DVector<f64>, value: OfPoint) -> DVector<f64> {
        let law = self.law.with(of.as_slice());
        DVector::from_iterator(
            self.places.len(),
            self.places.iter().map(|place| value(&law, place)),
        )
    }

    /// The same, and by how much each parameter (column) moves each value (row).
    fn slopes(&self, of: &DVector<f64>, value: OfPoint) -> (DVector<f64>, DMatrix<f64>) {
        slopes(of, |of| self.all(of, value))
    }

    fn store_weight(&self) -> f64 {
        (self.sigma * self.sigma + STORE_ERROR * STORE_ERROR).recip()
    }

    /// Twice the negative logarithm of what CPU times, refused answers and what is supposed of the parameters say of them.
    fn besides(&self, of: &DVector<f64>) -> f64 {
        let cpu_off = &self.cpus - self.all(of, CPU);
        let of_store: f64 = self
            .throttled
            .iter()
            .zip(&self.rates)
            .filter(|(throttled, _)| **throttled)
            .map(|(_, rate)| (rate - of[STORE]).powi(2))
            .sum();
        let supposed = of.iter().zip(&self.law.before).zip(&self.law.apart);
        let supposed: f64 = supposed
            .map(|((of, before), apart)| ((of - before) / apart).powi(2))
            .sum();
        cpu_off.component_mul(&self.weights).dot(&cpu_off)
            + of_store * self.store_weight()
            + supposed
    }

    /// Twice the negative logarithm of how likely these parameters are, up to a constant.
    pub(super) fn cost(&self, of: &DVector<f64>) -> f64 {
        let mut off = &self.rates - self.all(of, RATE);
        self.known.l_dirty().solve_lower_triangular_mut(&mut off);
        off.norm_squared() + self.besides(of)
    }

    /// What all but the rates say of the parameters: curvature and gradient.
    fn besides_slopes(&self, of: &DVector<f64>) -> (DMatrix<f64>, DVector<f64>) {
        let (cpus, slopes) = self.slopes(of, CPU);
        let mut weighted = slopes.clone();
        for (mut row, weight) in weighted.row_iter_mut().zip(&self.weights) {
            row *= *weight;
        }
        let mut curvature = slopes.tr_mul(&weighted);
        let mut gradient = weighted.tr_mul(&(&self.cpus - cpus));
        for (place, (before, apart)) in self.law.before.iter().zip(&self.law.apart).enumerate() {
            curvature[(place, place)] += apart.powi(-2);
            gradient[place] += (before - of[place]) * apart.powi(-2);
        }
        for (_, rate) in self
            .throttled
            .iter()
            .zip(&self.rates)
            .filter(|(throttled, _)| **throttled)
        {
            curvature[(STORE, STORE)] += self.store_weight();
            gradient[STORE] += (rate - of[STORE]) * self.store_weight();
        }
        (curvature, gradient)
    }

    fn search(&mut self) -> Option<()> {
        let mut now = self.cost(&self.of);
        let mut damping = 1e-2;
        for _ in 0..STEPS {
            let (rates, slopes) = self.slopes(&self.of, RATE);
            let (mut curvature, mut gradient) = self.besides_slopes(&self.of);
            let mut white = slopes;
            let mut off = &self.rates - rates;
            let lower = self.known.l_dirty();
            lower.solve_lower_triangular_mut(&mut white);
            lower.solve_lower_triangular_mut(&mut off);
            curvature += white.tr_mul(&white);
            gradient += white.tr_mul(&off);
            let mut gained = 0.0;
            for _ in 0..TRIES {
                let mut damped = curvature.clone();
                for place in 0..gradient.len() {
                    damped[(place, place)] *= 1.0 + damping;
                }
                let step = Cholesky::new(damped)?.solve(&gradient);
                let there = &self.of + step.map(|step| step.clamp(-LONGEST, LONGEST));
                let cost = self.cost(&there);
                if cost < now {
                    (gained, self.of, now) = (now - cost, there, cost);
                    damping /= 5.0;
                    break;
                }
                damping *= 6.0;
            }
            self.curvature = curvature;
            if gained < SETTLED {
                break;
            }
        }
        Some(())
    }

    /// The size and the kind of noise under which what the law leaves over is most likely.
    fn kind_of_noise(
        &mut self,
        space: &Space,
        runs: &[RunSeen],
        (off, slow): (&DVector<f64>, &[f64]),
    ) -> Option<()> {
        let (_, slopes) = self.slopes(&self.of, RATE);
        let (besides, _) = self.besides_slopes(&self.of);
        let spread = Cholesky::new(besides)?.solve(&slopes.transpose());
        let of_law = &slopes * spread;
        let mut best: Option<(f64, [f64; 3])> = None;
        let wider = if self.law.is_contender {
            &WIDER[..]
        } else {
            &WIDER[..1]
        };
        let kinds = SHARES
            .into_iter()
            .flat_map(|share| wider.iter().zip(0_u8..).map(move |of| (share, of)));
        for (like_before, (wider, step)) in kinds {
            (self.like_before, self.wider) = (like_before, *wider);
            for sigma in SIGMAS {
                let Some(known) = Cholesky::new(self.noise(space, runs, (sigma, slow)) + &of_law)
                else {
                    continue;
                };
                let mut white = off.clone();
                known.l_dirty().solve_lower_triangular_mut(&mut white);
                let roots: f64 = known
                    .l_dirty()
                    .diagonal()
                    .iter()
                    .map(|root| root.ln())
                    .sum();
                let supposed = 0.5 * (sigma / USUAL).ln().powi(2)
                    + STRANGE * f64::from(step)
                    + if like_before > 0.0 { RARER } else { 0.0 };
                let likelihood = -0.5 * white.norm_squared() - roots - supposed;
                if best.is_none_or(|(most, _)| likelihood > most) {
                    best = Some((likelihood, [sigma, like_before, self.wider]));
                }
            }
        }
        (_, [self.sigma, self.like_before, self.wider]) = best?;
        Some(())
    }

    /// What is left of each run's rate with these parameters.
    pub(super) fn off(&self, of: &DVector<f64>) -> DVector<f64> {
        &self.rates - self.all(of, RATE)
    }

    /// What is expected of the rate of each configuration: logarithms.
    pub(super) fn expected(&self, space: &Space, runs: &[RunSeen]) -> Vec<f64> {
        let law = self.law.with(self.of.as_slice());
        let weights = if runs.is_empty() {
            DVector::zeros(0)
        } else {
            self.known.solve(&self.off(&self.of))
        };
        let of = |index: usize| {
            let deviation: f64 = runs
                .iter()
                .zip(&weights)
                .map(|(run, weight)| self.covariance(space, (index, run.config)) * weight)
                .sum();
            law.rate(&space.places[index]) + deviation
        };
        (0..space.len()).map(of).collect()
    }
}
