//! What a configuration costs by the time that it takes: the whole bucket, or one run of a program that does not say what it read.

use super::advice::Cost;
use super::cost::{Pricing, ReadOfStore, Used};
use super::figures::median_of;
use super::model::CellReport;
use super::observation::Observation;
use crate::stats::location::Interval;

/// What the whole bucket costs with this cell, by the time that it takes.
pub(super) struct CostOfTime<'a> {
    report: &'a CellReport,
    pricing: &'a Pricing,
    /// Keys and bytes; none of one run that does not say what it read.
    bucket: Option<(u64, u64)>,
    /// What a task is billed for beyond its own time.
    pub(super) around_s: Option<f64>,
}

impl<'a> CostOfTime<'a> {
    pub(super) fn new(
        report: &'a CellReport,
        pricing: &'a Pricing,
        bucket: Option<(u64, u64)>,
    ) -> Self {
        Self {
            report,
            pricing,
            bucket,
            around_s: median_of(&report.observations, |one| one.times.around_s),
        }
    }

    pub(super) fn cost(&self, seconds: f64) -> Option<Cost> {
        let paid = median_of(&self.report.observations, Observation::paid_per_object)
            .unwrap_or(1.0)
            .max(1.0);
        let used = Used {
            seconds: seconds + self.around_s.unwrap_or(0.0),
            read: self.bucket.map(|(keys, bytes)| ReadOfStore {
                gets: paid * keys as f64,
                keys,
                bytes: bytes as f64,
            }),
        };
        self.pricing.cost(self.report, used)
    }

    pub(super) fn usd_interval(&self, found: Interval) -> Option<Interval> {
        Some(Interval {
            low: self.cost(found.low)?.usd_total(),
            high: self.cost(found.high)?.usd_total(),
            level: found.level,
        })
    }

    pub(super) fn order(&self, seconds: f64) -> Option<f64> {
        let seconds = seconds + self.around_s.unwrap_or(0.0);
        self.pricing.task_order(self.report, seconds)
    }
}
