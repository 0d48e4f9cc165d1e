//! For tests of the statistics alone: the numbers of an independent implementation (`SciPy`), and random ones with a fixed seed.

use serde_json::Value;

/// What `tests/statistics/reference.py` printed.
const REFERENCE: &str = include_str!("../../../../tests/statistics/reference.json");

/// The cases under one name of the reference.
pub(super) fn cases(name: &str) -> Vec<Value> {
    let mut reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let Value::Array(cases) = reference[name].take() else {
        panic!("no cases `{name}`")
    };
    assert!(!cases.is_empty());
    cases
}

pub(super) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// Equal but for a `relative` error.
#[track_caller]
pub(super) fn assert_close(found: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{found} instead of {expected}"
    );
}

/// Normal deviates, the same in every run.
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One of N(0, 1), by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        // 1 - [0, 1) is never 0.
        (-2.0 * (1.0 - self.0.f64()).ln()).sqrt() * (std::f64::consts::TAU * self.0.f64()).cos()
    }

    /// `n` throughputs around `level` that vary by `noise` of it (lognormal: none is negative, and slow ones and fast ones differ in size).
    pub(super) fn throughputs(&mut self, level: f64, noise: f64, n: usize) -> Vec<f64> {
        (0..n)
            .map(|_| level * (noise * self.normal()).exp())
            .collect()
    }

    /// A one-second series: `level(second)` times 1 + `noise` times AR(1) of variance 1 and lag-one autocorrelation `correlation`.
    pub(super) fn series(
        &mut self,
        seconds: usize,
        noise: Noise,
        level: impl Fn(usize) -> f64,
    ) -> Vec<f64> {
        let mut state = self.normal();
        (0..seconds)
            .map(|second| {
                let value = level(second) * (1.0 + noise.size * state);
                state = noise.correlation * state
                    + (1.0 - noise.correlation.powi(2)).sqrt() * self.normal();
                value
            })
            .collect()
    }

    /// Any of `0..below`.
    pub(super) fn below(&mut self, below: usize) -> usize {
        self.0.usize(..below)
    }
}

/// Of a series.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    pub(super) size: f64,
    pub(super) correlation: f64,
}
