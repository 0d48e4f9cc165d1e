//! Many pairs of small samples at once: whether each differs, with the noise of all of them lent to each (the moderated t-test).
//!
//! With six values a side a rank test gives no p below 0.002, so in a family of more than 23 nothing could be significant, however far apart. Noise
//! is much the same in all configurations of a sweep, so all of them tell how much it is, and how far one may deviate from it.

use super::rank::erfc;

/// Below this variance of logarithms (a ten thousandth) values are taken as equal: digits end there.
const LEAST_VARIANCE: f64 = 1e-8;

/// Two samples of one quantity: base and new.
pub type TwoSamples = [Vec<f64>; 2];

/// Two-sided p of each: how often samples of one normal distribution have means that differ at least as much. `None` where the two have fewer than
/// three values together, or one has none, or a value is not finite.
///
/// The variance that counts is between the pair's own and that of all; how much of each is read from how much the variances differ among each other
/// (Smyth, Linear Models and Empirical Bayes Methods, Statistical Applications in Genetics and Molecular Biology 3, 2004, section 6).
pub fn moderated_t(pairs: &[TwoSamples]) -> Vec<Option<f64>> {
    let spreads: Vec<Option<Spread>> = pairs.iter().map(Spread::of).collect();
    let known: Vec<Spread> = spreads.iter().flatten().copied().collect();
    let prior = Prior::of(&known);
    let all: f64 = known.iter().map(|spread| spread.degrees).sum();
    let p = |spread: &Spread| {
        let degrees = (prior.degrees + spread.degrees).min(all);
        let variance = prior.with(spread);
        student_p(
            spread.apart / (variance * spread.per_variance).sqrt(),
            degrees,
        )
    };
    spreads
        .iter()
        .map(|spread| spread.as_ref().map(p))
        .collect()
}

/// What a pair says.
#[derive(Clone, Copy)]
struct Spread {
    /// By how much the means differ.
    apart: f64,
    /// Variance within the samples.
    variance: f64,
    /// Of its estimate.
    degrees: f64,
    /// Variance of `apart`, in units of that of a value.
    per_variance: f64,
}

impl Spread {
    fn of([base, new]: &TwoSamples) -> Option<Self> {
        let (n, m) = (base.len() as f64, new.len() as f64);
        let degrees = n + m - 2.0;
        let is_known = base.iter().chain(new).all(|value| value.is_finite());
        if !is_known || base.is_empty() || new.is_empty() || degrees < 1.0 {
            return None;
        }
        let means = [base.iter().sum::<f64>() / n, new.iter().sum::<f64>() / m];
        let squares = |values: &[f64], mean: f64| {
            let off = values.iter().map(|value| (value - mean).powi(2));
            off.sum::<f64>()
        };
        let within = squares(base, means[0]) + squares(new, means[1]);
        Some(Self {
            apart: (means[1] - means[0]).abs(),
            variance: (within / degrees).max(LEAST_VARIANCE),
            degrees,
            per_variance: 1.0 / n + 1.0 / m,
        })
    }
}

/// What all pairs say of the variance of one.
struct Prior {
    variance: f64,
    /// As how many degrees of freedom of its own that counts; infinite where the variances differ by chance alone, 0 for a single pair.
    degrees: f64,
}

impl Prior {
    /// By the mean and the variance of the logarithms of the variances.
    fn of(spreads: &[Spread]) -> Self {
        let count = spreads.len() as f64;
        if spreads.len() < 2 {
            return Self {
                variance: 0.0,
                degrees: 0.0,
            };
        }
        let off = |spread: &Spread| spread.variance.ln() - log_bias(spread.degrees / 2.0);
        let mean = spreads.iter().map(off).sum::<f64>() / count;
        let squares = spreads.iter().map(|spread| (off(spread) - mean).powi(2));
        let by_chance = spreads.iter().map(|spread| trigamma(spread.degrees / 2.0));
        let more = squares.sum::<f64>() / (count - 1.0) - by_chance.sum::<f64>() / count;
        if more <= 0.0 {
            let degrees: f64 = spreads.iter().map(|spread| spread.degrees).sum();
            let weighted = spreads
                .iter()
                .map(|spread| spread.variance * spread.degrees);
            return Self {
                variance: weighted.sum::<f64>() / degrees,
                degrees: f64::INFINITY,
            };
        }
        // Of trigamma(half) = more, by its first two terms.
        let half = (1.0 + (1.0 + 2.0 * more).sqrt()) / (2.0 * more);
        Self {
            variance: (mean + log_bias(half)).exp(),
            degrees: 2.0 * half,
        }
    }

    fn with(&self, spread: &Spread) -> f64 {
        if self.degrees.is_infinite() {
            return self.variance;
        }
        (self.degrees * self.variance + spread.degrees * spread.variance)
            / (self.degrees + spread.degrees)
    }
}

/// digamma(x) - ln x: what the logarithm of a variance of 2x degrees of freedom lies below that of the true one, on the average.
fn log_bias(x: f64) -> f64 {
    -1.0 / (2.0 * x) - 1.0 / (12.0 * x * x) + 1.0 / (120.0 * x.powi(4))
}

/// Its variance.
fn trigamma(x: f64) -> f64 {
    1.0 / x + 1.0 / (2.0 * x * x) + 1.0 / (6.0 * x.powi(3))
}

/// Two-sided p of Student's t, by Hill's approximation (Communications of the ACM 13, 1970, algorithm 395): to four digits from 4 degrees of freedom on.
fn student_p(t: f64, degrees: f64) -> f64 {
    let a = degrees - 0.5;
    let b = 48.0 * a * a;
    let z = a * (t * t / degrees).ln_1p();
    let series = ((((-0.4 * z - 3.3) * z - 24.0) * z - 85.5) / (0.8 * z * z + 100.0 + b) + z + 3.0)
        / b
        + 1.0;
    erfc(series * z.sqrt() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::super::family::holm;
    use super::super::fixture::Random;
    use super::super::rank::mann_whitney;
    use super::*;

    #[test]
    fn the_tail_of_t_is_that_of_tables() {
        // scipy.stats.t.sf, doubled.
        for (t, degrees, expected) in [
            (2.0, 4.0, 0.116_117),
            (4.0, 6.0, 0.007_118_98),
            (2.0, 10.0, 0.073_388_0),
            (8.0, 10.0, 1.177_49e-5),
            (4.0, 450.0, 7.403_94e-5),
        ] {
            let found = student_p(t, degrees);
            assert!(
                (found - expected).abs() < 2e-4 * expected,
                "{t} {degrees}: {found}"
            );
        }
        assert!((student_p(0.0, 10.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_pair_has_an_ordinary_t_test() {
        // Means 2 and 5, variance 1, 4 degrees of freedom: t = 3 / sqrt(2/3).
        let pair = [vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]];
        let p = moderated_t(std::slice::from_ref(&pair))[0].unwrap();
        assert!((p - 0.021_311_64).abs() < 1e-5, "{p}");
        assert_eq!(
            moderated_t(&[[vec![1.0], vec![]], [vec![f64::NAN; 3], vec![1.0; 3]]]),
            [None, None]
        );
    }

    /// A family of so many pairs of six, each with its noise.
    fn family(random: &mut Random, noises: &[f64], shift: f64) -> Vec<TwoSamples> {
        let mut draw = |noise: f64, by: f64| -> Vec<f64> {
            (0..6).map(|_| by + noise * random.normal()).collect()
        };
        noises
            .iter()
            .map(|noise| [draw(*noise, 0.0), draw(*noise, shift)])
            .collect()
    }

    /// How many are found: after Holm's correction, and by ranks as well.
    fn found(pairs: &[TwoSamples]) -> usize {
        let p: Vec<f64> = moderated_t(pairs).into_iter().map(Option::unwrap).collect();
        let adjusted = holm(&p);
        let is_found = |(pair, p): &(&TwoSamples, f64)| {
            *p <= 0.05 && mann_whitney(&pair[0], &pair[1]).unwrap().p <= 0.05
        };
        pairs.iter().zip(adjusted).filter(is_found).count()
    }

    #[test]
    fn nothing_is_found_where_nothing_differs() {
        let mut random = Random::new(11);
        let alike = [0.03; 45];
        let mut unlike = [0.03; 45];
        for noise in unlike.iter_mut().step_by(5) {
            *noise = 0.09;
        }
        let mut one_noisy = [0.02; 45];
        one_noisy[44] = 0.15;
        for noises in [alike, unlike, one_noisy] {
            let trials = 600;
            let alarms = (0..trials)
                .filter(|_| found(&family(&mut random, &noises, 0.0)) > 0)
                .count();
            println!("{alarms} of {trials}");
            // 5 %, and two standard errors.
            assert!(alarms * 1_000 <= trials * 68, "{alarms} of {trials}");
        }
    }

    #[test]
    fn six_repetitions_show_ten_per_cent_in_the_default_matrix() {
        let mut random = Random::new(12);
        let trials = 100;
        let shown = |random: &mut Random, noise: f64| {
            let all: usize = (0..trials)
                .map(|_| found(&family(random, &[noise; 45], 0.1)))
                .sum();
            all as f64 / f64::from(45 * trials)
        };
        let (quiet, usual, noisy) = (
            shown(&mut random, 0.02),
            shown(&mut random, 0.03),
            shown(&mut random, 0.05),
        );
        println!("{quiet} {usual} {noisy}");
        assert!(quiet > 0.99 && usual > 0.97 && noisy > 0.5);
    }

    #[test]
    fn equal_values_are_no_difference() {
        let pairs = vec![[vec![1.0; 6], vec![1.0; 6]]; 3];
        assert_eq!(found(&pairs), 0);
    }
}
