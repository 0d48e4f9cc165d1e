//! The law of platforms for one set of configurations: what it says of all of them at once, and by how much each of its parameters moves that.

use nalgebra::{DMatrix, DVector};

use super::measured::{Measured, Subject};
use crate::law::{CPU, OfPoint, RATE, RateLaw};

/// The law for one set of configurations.
pub(super) struct LawOfCells<'a> {
    pub(super) measured: &'a [Measured],
    law: RateLaw,
    /// What is supposed of the parameters: means and standard deviations.
    pub(super) before: DVector<f64>,
    pub(super) apart: DVector<f64>,
}

impl<'a> LawOfCells<'a> {
    pub(super) fn new(measured: &'a [Measured], subject: Subject) -> Self {
        let sizes = measured
            .iter()
            .map(|one| one.at.size + 1)
            .max()
            .unwrap_or_default();
        let law = RateLaw {
            is_contender: subject.is_contender,
            ..RateLaw::new(sizes, subject.objects.mean_bytes)
        };
        Self {
            measured,
            before: law.before.clone().into(),
            apart: law.apart.clone().into(),
            law,
        }
    }

    /// Whether it has a lock.
    pub(super) fn is_contender(&self) -> bool {
        self.law.is_contender
    }

    fn all(&self, of: &DVector<f64>, value: OfPoint) -> DVector<f64> {
        let law = self.law.with(of.as_slice());
        let values = self.measured.iter().map(|one| value(&law, &one.at));
        DVector::from_iterator(self.measured.len(), values)
    }

    /// Logarithms of the rates of all configurations.
    pub(super) fn rates(&self, of: &DVector<f64>) -> DVector<f64> {
        self.all(of, RATE)
    }

    /// Logarithms of the CPU seconds of an object in all of them.
    pub(super) fn cpus(&self, of: &DVector<f64>) -> DVector<f64> {
        self.all(of, CPU)
    }

    /// By how much each parameter (column) moves each value (row).
    pub(super) fn slopes(
        &self,
        of: &DVector<f64>,
        values: fn(&Self, &DVector<f64>) -> DVector<f64>,
    ) -> DMatrix<f64> {
        crate::law::slopes(of, |of| values(self, of)).1
    }

    /// The highest of these logarithms of rates.
    pub(super) fn highest(&self, rate: fn(&Measured) -> Option<f64>) -> f64 {
        self.measured
            .iter()
            .filter_map(rate)
            .fold(f64::NEG_INFINITY, f64::max)
    }
}
