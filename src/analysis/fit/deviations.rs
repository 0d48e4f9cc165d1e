//! How far configurations deviate from the law, and which of them together.

use nalgebra::{Cholesky, DMatrix, Dyn};

use super::measured::Measured;

/// Standard deviations, as logarithms of rates: of a configuration by itself, of all with about as many workers, of a mode, of a size and of a mode of a
/// size with about as many workers. As they served best over models of platforms whose truth is known.
const OWN: f64 = 0.02;
const BY_WORKERS: f64 = 0.12;
const BY_MODE: f64 = 0.03;
const BY_SIZE: f64 = 0.04;
const BY_SIZE_AND_MODE: f64 = 0.04;
/// Doublings of workers over which deviations are alike.
const NEAR: f64 = 2.0;
/// The least variance of a measurement: numbers that are exact alone cannot be solved.
const EXACT: f64 = 1e-6;

/// Deviations of a set of configurations.
pub(super) struct Deviations {
    pub(super) covariance: DMatrix<f64>,
    /// With what repetitions vary by.
    pub(super) known: Cholesky<f64, Dyn>,
}

impl Deviations {
    /// `scale` times as far as usual; `None` where numbers fail.
    pub(super) fn new(measured: &[Measured], scale: f64) -> Option<Self> {
        let covariance = DMatrix::from_fn(measured.len(), measured.len(), |row, column| {
            let own = if row == column { OWN * OWN } else { 0.0 };
            scale * scale * (own + together(&measured[row], &measured[column]))
        });
        let known = with_errors(&covariance, measured)?;
        Some(Self { covariance, known })
    }
}

/// What two configurations have in common.
fn together(one: &Measured, other: &Measured) -> f64 {
    let apart = (one.workers / other.workers).log2() / NEAR;
    let near = (-0.5 * apart * apart).exp();
    let (is_size, is_mode) = (one.size == other.size, one.mode == other.mode);
    let when = |holds: bool, deviation: f64| if holds { deviation * deviation } else { 0.0 };
    when(true, BY_WORKERS) * near
        + when(is_mode, BY_MODE)
        + when(is_size, BY_SIZE) * near
        + when(is_size && is_mode, BY_SIZE_AND_MODE) * near
}

/// The covariance of what was measured.
pub(super) fn with_errors(
    covariance: &DMatrix<f64>,
    measured: &[Measured],
) -> Option<Cholesky<f64, Dyn>> {
    let mut noisy = covariance.clone();
    for (place, one) in measured.iter().enumerate() {
        noisy[(place, place)] += one.variance.max(EXACT);
    }
    Cholesky::new(noisy)
}
