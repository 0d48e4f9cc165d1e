//! How sure it is that a chosen group is near the best, when each is only known with an error.

use super::rank::normal_below;

/// How sure it is that none of the others is better than the chosen one by more than this factor, each by itself; less is better. `logs` are what is expected
/// of each, `errors` their standard errors.
///
/// Samples that are drawn again say too much where values vary widely and are steadied much: this is what their errors allow at most.
pub fn sure_within(factor: f64, (logs, errors): (&[f64], &[f64]), chosen: usize) -> f64 {
    let sure_of = |other: usize| {
        let error = errors[other].hypot(errors[chosen]);
        let room = factor.ln() - (logs[chosen] - logs[other]);
        if error > 0.0 {
            normal_below(room / error)
        } else {
            f64::from(u8::from(room >= 0.0))
        }
    };
    (0..logs.len())
        .filter(|other| *other != chosen && logs[*other].is_finite())
        .map(sure_of)
        .fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_limit_what_one_can_be_sure_of() {
        let logs = [0.0, 0.0, 0.5];
        assert!(sure_within(1.05, (&logs, &[0.001; 3]), 0) > 0.999);
        // 0.0488 / 0.0488 · sqrt 2.
        let error = 1.05_f64.ln() / std::f64::consts::SQRT_2;
        let found = sure_within(1.05, (&logs, &[error; 3]), 0);
        assert!((found - 0.841_344_7).abs() < 1e-6, "{found}");
        assert!(sure_within(1.05, (&logs, &[0.001; 3]), 2) < 0.001);
        assert!((sure_within(1.05, (&[0.0], &[0.1]), 0) - 1.0).abs() < 1e-12);
        assert!((sure_within(1.05, (&logs, &[0.0; 3]), 0) - 1.0).abs() < 1e-12);
    }
}
