//! How far configurations deviate from the law, and which of them together.

use nalgebra::{Cholesky, DMatrix, Dyn};

use super::measured::Measured;
use crate::law::{OWN, together};

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
            scale * scale * (own + together(&measured[row].at, &measured[column].at))
        });
        let known = with_errors(&covariance, measured)?;
        Some(Self { covariance, known })
    }
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
