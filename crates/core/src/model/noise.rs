//! Random numbers of a model, and the noise of its runs in their order.

use super::effects::{Noise, NoiseKind};

/// Correlation of neighbours with `ar1`.
const NEIGHBOURS: f64 = 0.9;
/// Share of outliers, and how much longer they take.
const OUTLIERS: (f64, f64, f64) = (0.08, 1.3, 3.0);
/// How much longer the last run of a sweep takes with `drift`.
const DRIFT: f64 = 0.15;

/// Random numbers from a seed.
#[derive(Clone, Debug)]
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// From 0 to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0.f64()
    }

    /// One of N(0, 1), by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        // 1 - [0, 1) is never 0.
        (-2.0 * (1.0 - self.0.f64()).ln()).sqrt() * (std::f64::consts::TAU * self.0.f64()).cos()
    }

    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        self.0.shuffle(values);
    }
}

/// Factors on the times of runs, one after another.
pub(super) struct Weather {
    noise: Noise,
    state: f64,
    of: usize,
    at: usize,
}

impl Weather {
    /// Of a sweep of so many runs.
    pub(super) fn new(noise: Noise, of: usize, random: &mut Random) -> Self {
        Self {
            noise,
            state: random.normal(),
            of,
            at: 0,
        }
    }

    /// By how much longer the next run takes.
    pub(super) fn next(&mut self, random: &mut Random) -> f64 {
        let sigma = self.noise.sigma;
        let place = self.at as f64 / (self.of.max(2) - 1) as f64;
        self.at += 1;
        let own = random.normal();
        match self.noise.kind {
            NoiseKind::Iid => (sigma * own).exp(),
            NoiseKind::Ar1 => {
                self.state = NEIGHBOURS * self.state + (1.0 - NEIGHBOURS * NEIGHBOURS).sqrt() * own;
                (sigma * self.state).exp()
            }
            NoiseKind::Outliers => {
                let (share, least, most) = OUTLIERS;
                let slow = if random.uniform() < share {
                    least + (most - least) * random.uniform()
                } else {
                    1.0
                };
                slow * (sigma * own).exp()
            }
            NoiseKind::Drift => (1.0 + DRIFT * (place - 0.5)) * (sigma * own).exp(),
        }
    }
}
