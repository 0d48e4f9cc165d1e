//! The law that is fitted: which of a platform's limits lets how many objects a second through, and what is supposed of each before anything was measured.
//!
//! The rate of a configuration is the lowest of its limits, rounded off where two meet: (Σ limit ^ −power) ^ (−1 ÷ power).

use nalgebra::{DMatrix, DVector};

use super::measured::{Measured, Subject};
use crate::plan::Mode;

// Places of the parameters. All but the exponent are logarithms.

/// Seconds of a fetch that waits for nothing but its connection.
const CONNECTION_S: usize = 0;
/// CPU seconds of a request, by mode.
const REQUEST_S: usize = 1;
/// By which share of them each worker adds to them.
const PER_WORKER: usize = 4;
/// Share of the vCPU that can be used, by mode.
const USABLE: usize = 5;
/// Objects a second over the network of one vCPU, and how they grow with the vCPU.
const NETWORK: usize = 8;
const EXPONENT: usize = 9;
/// Objects a second that the store answers.
pub(super) const STORE: usize = 10;
/// Objects a second of a program in which one worker of a process at a time can be.
pub(super) const SERIAL: usize = 11;
/// How sharp corners are.
const POWER: usize = 12;
/// How much less of a quarter of a vCPU can be used, then of half of one.
const USABLE_SMALL: usize = 13;
/// The network of each size against the trend.
const OF_SIZES: usize = 15;

/// The parameters before anything was measured: standard deviations, as wide as platforms differ.
const APART: [f64; OF_SIZES] = [
    1.5, 2.0, 2.0, 2.0, 1.2, 0.07, 0.07, 0.07, 1.8, 0.35, 2.0, 1.2, 0.6, 0.15, 0.08,
];
const APART_OF_SIZES: f64 = 0.12;
/// Corners are no rounder and no sharper than this: logarithms of the power.
const POWERS: (f64, f64) = (0.9, 5.3);

/// The law for one set of configurations.
pub(super) struct RateLaw<'a> {
    pub(super) measured: &'a [Measured],
    pub(super) is_contender: bool,
    /// What is supposed of the parameters: means and standard deviations.
    pub(super) before: DVector<f64>,
    pub(super) apart: DVector<f64>,
}

fn place_of(mode: Mode) -> usize {
    match mode {
        Mode::Async => 0,
        Mode::Thread => 1,
        Mode::Process => 2,
    }
}

/// Logarithm of the CPU seconds of an object.
fn cpu(of: &DVector<f64>, one: &Measured) -> f64 {
    of[REQUEST_S + place_of(one.mode)] + (of[PER_WORKER].exp() * one.workers).ln_1p()
}

impl<'a> RateLaw<'a> {
    pub(super) fn new(measured: &'a [Measured], subject: Subject) -> Self {
        let sizes = measured
            .iter()
            .map(|one| one.size + 1)
            .max()
            .unwrap_or_default();
        let mean = subject.objects.mean_bytes.max(1.0);
        let mut before = vec![0.0; OF_SIZES];
        before[CONNECTION_S] = (0.02 + mean / 6e7).ln();
        before[REQUEST_S..PER_WORKER].fill((6e-5 + 1e-9 * mean).ln());
        before[PER_WORKER] = 3e-4_f64.ln();
        before[USABLE..NETWORK].fill(-0.05);
        before[NETWORK] = (3e8 / mean).ln();
        before[EXPONENT] = 0.7;
        before[STORE] = 2e4_f64.ln();
        before[SERIAL] = 2e3_f64.ln();
        before[POWER] = 12_f64.ln();
        before[USABLE_SMALL] = -0.05;
        before[USABLE_SMALL + 1] = -0.03;
        before.resize(OF_SIZES + sizes, 0.0);
        let mut apart = APART.to_vec();
        apart.resize(OF_SIZES + sizes, APART_OF_SIZES);
        Self {
            measured,
            is_contender: subject.is_contender,
            before: before.into(),
            apart: apart.into(),
        }
    }

    /// Logarithm of the objects a second.
    fn rate(&self, of: &DVector<f64>, one: &Measured) -> f64 {
        let vcpu = one.vcpu.max(0.01).ln();
        let small = match one.vcpu {
            vcpu if vcpu < 0.4 => of[USABLE_SMALL],
            vcpu if vcpu < 0.8 => of[USABLE_SMALL + 1],
            _ => 0.0,
        };
        let processes = match one.mode {
            Mode::Process => one.workers.ln(),
            Mode::Async | Mode::Thread => 0.0,
        };
        let of_a_task = [
            one.workers.ln() - of[CONNECTION_S],
            of[NETWORK] + of[EXPONENT] * vcpu + of[OF_SIZES + one.size],
            vcpu + of[USABLE + place_of(one.mode)] + small - cpu(of, one),
            if self.is_contender {
                of[SERIAL] + processes
            } else {
                f64::INFINITY
            },
        ];
        let [connection, network, cpu, serial] = of_a_task.map(|limit| limit + one.tasks.ln());
        let limits = [connection, network, cpu, serial, of[STORE]];
        let lowest = limits.iter().copied().fold(f64::INFINITY, f64::min);
        let power = of[POWER].clamp(POWERS.0, POWERS.1).exp();
        let sum: f64 = limits
            .iter()
            .map(|limit| (-power * (limit - lowest)).exp())
            .sum();
        lowest - sum.ln() / power
    }

    /// Logarithms of the rates of all configurations.
    pub(super) fn rates(&self, of: &DVector<f64>) -> DVector<f64> {
        let rates = self.measured.iter().map(|one| self.rate(of, one));
        DVector::from_iterator(self.measured.len(), rates)
    }

    /// Logarithms of the CPU seconds of an object in all of them.
    pub(super) fn cpus(&self, of: &DVector<f64>) -> DVector<f64> {
        let cpus = self.measured.iter().map(|one| cpu(of, one));
        DVector::from_iterator(self.measured.len(), cpus)
    }

    /// By how much each parameter (column) moves each value (row).
    pub(super) fn slopes(
        &self,
        of: &DVector<f64>,
        values: fn(&Self, &DVector<f64>) -> DVector<f64>,
    ) -> DMatrix<f64> {
        const STEP: f64 = 1e-4;
        let here = values(self, of);
        let mut slopes = DMatrix::zeros(here.len(), of.len());
        let mut moved = of.clone();
        for place in 0..of.len() {
            moved[place] += STEP;
            slopes.set_column(place, &((values(self, &moved) - &here) / STEP));
            moved[place] = of[place];
        }
        slopes
    }

    /// The highest of these logarithms of rates.
    pub(super) fn highest(&self, rate: fn(&Measured) -> Option<f64>) -> f64 {
        self.measured
            .iter()
            .filter_map(rate)
            .fold(f64::NEG_INFINITY, f64::max)
    }
}
