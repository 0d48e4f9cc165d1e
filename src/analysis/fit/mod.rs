//! What all configurations of a program say together of the speed of each: a law of the platform, fitted to what was measured, and how far each lies off it.
//!
//! Six repetitions that vary by a tenth say little of one configuration. All configurations together say much: what a connection carries, what a request
//! costs of the processor, what the network of a size lets through. No platform follows a law exactly, so each configuration may deviate from it, most
//! alike those of the same mode or size with about as many workers. How far they do is read from the measurements. So what was measured well keeps its
//! value, and what repetitions leave open follows its neighbours.
//!
//! A Gaussian process around the law, linear in the law's parameters (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 2.7).

mod deviations;
mod law;
mod measured;
mod search;

use deviations::{Deviations, with_errors};
use law::LawOfCells;
pub(super) use measured::{CpuOfObject, Measured, Objects, Subject};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use search::Search;

/// Fewer configurations have nothing to say of each other.
const FEWEST: usize = 4;
/// How far configurations deviate, against what is usual: the most likely of these.
const SCALES: [f64; 5] = [0.35, 0.7, 1.0, 1.6, 2.5];

/// What is known of a program's configurations.
pub(super) struct Fit {
    /// What the law expects of each.
    law: DVector<f64>,
    covariance: DMatrix<f64>,
    known: Cholesky<f64, Dyn>,
    /// What is left of the covariance once all are measured.
    left: DMatrix<f64>,
}

impl Fit {
    /// `None` for so few configurations that there is nothing to learn from the others, or where numbers fail.
    pub(super) fn new(measured: &[Measured], subject: Subject) -> Option<Self> {
        if measured.len() < FEWEST {
            return None;
        }
        let search = Search::new(LawOfCells::new(measured, subject));
        let mut of = search.best(&Deviations::new(measured, 1.0)?)?;
        let mut best: Option<(f64, Self)> = None;
        for scale in SCALES {
            let deviations = Deviations::new(measured, scale)?;
            of = search.find(of, &deviations)?;
            let (law, covariance) = search.linear(&of)?;
            let covariance = covariance + deviations.covariance;
            let known = with_errors(&covariance, measured)?;
            let off = &search.rates - &law;
            let roots: f64 = known.l_dirty().diagonal().map(f64::ln).sum();
            let likelihood = -0.5 * off.dot(&known.solve(&off)) - roots - 0.5 * scale.ln().powi(2);
            if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
                best = Some((likelihood, Self::around(law, covariance, known)));
            }
        }
        best.map(|(_, fit)| fit)
    }

    fn around(law: DVector<f64>, covariance: DMatrix<f64>, known: Cholesky<f64, Dyn>) -> Self {
        let left = &covariance - &covariance * known.solve(&covariance);
        Self {
            law,
            covariance,
            known,
            left,
        }
    }

    /// What is to be expected of each configuration, given these logarithms of rates.
    pub(super) fn expected(&self, log_rates: &[f64]) -> Vec<f64> {
        let off = DVector::from_column_slice(log_rates) - &self.law;
        let expected = &self.law + &self.covariance * self.known.solve(&off);
        expected.iter().copied().collect()
    }

    /// By how much what is expected of each may lie off against `other`: standard deviations.
    pub(super) fn errors_against(&self, other: usize) -> Vec<f64> {
        let left = &self.left;
        let variance = |one| left[(one, one)] + left[(other, other)] - 2.0 * left[(one, other)];
        (0..left.nrows())
            .map(|one| variance(one).max(0.0).sqrt())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::LawPoint;
    use crate::plan::Mode;

    const PARFETCH: Subject = Subject {
        objects: Objects {
            count: 1e5,
            mean_bytes: 1e6,
        },
        is_contender: false,
    };
    const CONTENDER: Subject = Subject {
        is_contender: true,
        ..PARFETCH
    };

    /// Eight workers of 20 objects a second each, or 400 a second of one vCPU's network, whatever the mode.
    fn rate(vcpu: f64, workers: f64) -> f64 {
        (20.0 * workers).min(400.0 * vcpu)
    }

    fn measured(off: impl Fn(usize) -> f64, variance: f64) -> Vec<Measured> {
        let mut measured = Vec::new();
        for (size, vcpu) in [1.0, 2.0, 4.0].into_iter().enumerate() {
            for mode in Mode::ALL {
                for workers in [4.0, 16.0, 64.0, 256.0] {
                    measured.push(Measured {
                        at: LawPoint::new(size, vcpu, (mode, workers)),
                        log_rate: rate(vcpu, workers).ln() + off(measured.len()),
                        variance,
                        cpu: Some(CpuOfObject {
                            log_s: 1e-4_f64.ln(),
                            share: 0.1,
                        }),
                    });
                }
            }
        }
        measured
    }

    #[test]
    fn noise_is_evened_out_by_what_the_others_say() {
        // Off by up to 12 % each, in a fixed order that has nothing to do with the configurations.
        let off = |place: usize| ((place * 7 + 3) % 13) as f64 * 0.02 - 0.12;
        let noisy = measured(off, 0.07 * 0.07);
        let fit = Fit::new(&noisy, PARFETCH).unwrap();
        let rates: Vec<f64> = noisy.iter().map(|one| one.log_rate).collect();
        let squares = |values: &[f64]| -> f64 {
            let off = values.iter().zip(&noisy);
            off.map(|(value, one)| {
                (value - rate(one.at.log_vcpu.exp(), one.at.workers).ln()).powi(2)
            })
            .sum()
        };
        let (before, after) = (squares(&rates), squares(&fit.expected(&rates)));
        assert!(after < before / 3.0, "{before} became {after}");
    }

    #[test]
    fn what_was_measured_well_keeps_its_value() {
        // One configuration is a quarter slower than the law has it: nothing else says why.
        let strange = 7;
        let well = measured(|place| if place == strange { -0.3 } else { 0.0 }, 1e-6);
        let fit = Fit::new(&well, PARFETCH).unwrap();
        let rates: Vec<f64> = well.iter().map(|one| one.log_rate).collect();
        for (found, rate) in fit.expected(&rates).iter().zip(&rates) {
            assert!((found - rate).abs() < 0.01, "{found} for {rate}");
        }
        assert!(
            fit.errors_against(strange)
                .iter()
                .all(|error| *error < 0.01)
        );
    }

    #[test]
    fn a_lock_that_one_size_alone_shows_is_found() {
        // A program in which one worker of a process at a time can be: 1,000 objects a second, which four vCPU alone would exceed.
        let mut locked = measured(|_| 0.0, 0.06 * 0.06);
        for one in &mut locked {
            let most = match one.at.mode {
                Mode::Async | Mode::Thread => 1_000_f64.ln(),
                Mode::Process => f64::INFINITY,
            };
            one.log_rate = one.log_rate.min(most);
        }
        let fit = Fit::new(&locked, CONTENDER).unwrap();
        let rates: Vec<f64> = locked.iter().map(|one| one.log_rate).collect();
        let expected = fit.expected(&rates);
        let of = |mode: Mode| {
            let place = locked.iter().position(|one| {
                one.at.mode == mode && one.at.log_vcpu > 1.0 && one.at.workers > 100.0
            });
            expected[place.unwrap()]
        };
        assert!(of(Mode::Process) - of(Mode::Async) > 0.3, "{expected:?}");
    }

    #[test]
    fn several_tasks_have_the_limits_of_one_each() {
        // Four tasks beside one: each connection, vCPU and network is there four times, and noise of 7 % is evened out over both.
        let off = |place: usize| ((place * 7 + 3) % 13) as f64 * 0.02 - 0.12;
        let one = measured(off, 0.07 * 0.07);
        let four = measured(|place| off(place + 5), 0.07 * 0.07);
        let mut both = one.clone();
        both.extend(four.into_iter().map(|cell| Measured {
            at: LawPoint {
                size: cell.at.size + 3,
                ..cell.at.times(4.0)
            },
            log_rate: cell.log_rate + 4_f64.ln(),
            ..cell
        }));
        let squares = |values: &[f64]| -> f64 {
            let off = values.iter().zip(&both);
            off.map(|(value, one)| {
                (value - one.at.log_tasks - rate(one.at.log_vcpu.exp(), one.at.workers).ln())
                    .powi(2)
            })
            .sum()
        };
        let rates: Vec<f64> = both.iter().map(|one| one.log_rate).collect();
        let fit = Fit::new(&both, PARFETCH).unwrap();
        let (before, after) = (squares(&rates), squares(&fit.expected(&rates)));
        assert!(after < before / 4.0, "{before} became {after}");
    }

    #[test]
    fn three_configurations_are_left_as_they_are() {
        assert!(Fit::new(&measured(|_| 0.0, 1e-4)[..3], PARFETCH).is_none());
    }
}
