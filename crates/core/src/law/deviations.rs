//! How far configurations deviate from the law, and which of them together.

use super::LawPoint;

/// Standard deviations, as logarithms of rates: of a configuration by itself, of all with about as many workers, of a mode, of a size and of a mode of a
/// size with about as many workers. As they served best over models of platforms whose truth is known.
pub const OWN: f64 = 0.02;
const BY_WORKERS: f64 = 0.12;
const BY_MODE: f64 = 0.03;
const BY_SIZE: f64 = 0.04;
const BY_SIZE_AND_MODE: f64 = 0.04;
/// Doublings of workers over which deviations are alike.
const NEAR: f64 = 2.0;

/// What the deviations of two configurations have in common: their covariance, but for what each has by itself ([`OWN`]).
pub fn together(one: &LawPoint, other: &LawPoint) -> f64 {
    let apart = (one.log_workers - other.log_workers) / std::f64::consts::LN_2 / NEAR;
    let near = (-0.5 * apart * apart).exp();
    let (is_size, is_mode) = (one.size == other.size, one.mode == other.mode);
    let when = |holds: bool, deviation: f64| if holds { deviation * deviation } else { 0.0 };
    when(true, BY_WORKERS) * near
        + when(is_mode, BY_MODE)
        + when(is_size, BY_SIZE) * near
        + when(is_size && is_mode, BY_SIZE_AND_MODE) * near
}
