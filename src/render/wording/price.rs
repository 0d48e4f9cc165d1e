//! The price of the tasks in a unit that can be read: of so many objects that the numbers are mostly above a cent.

use super::number::{self, Scale, usd};
use super::{facts, notes};
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, Study};
use crate::analysis::notes::Note;
use crate::price::MINIMUM_SECONDS;

/// A task reads a TB for $0.10 to $1: from this mean size on, a million objects cost about a cent and more.
const READABLE_BYTES: f64 = 1e6;
/// Why requests to a web server have no price.
const NO_LIST_PRICE: &str = "no price: requests to a web server have no list price, and what its machine costs is not known";
/// What is shown of a program whose time alone is known.
pub(super) const TIME_OF_RUN: &str = "time of a run, s";
/// What is missing in the price of a run whose time alone is known.
const RUN_HAS_NO_REQUESTS: &str =
    "what the program reads is not known, so its requests have no price";
/// Which configuration of its row a price is of.
pub(crate) const OF_ROW: &str = "at the workers of \"best from\" (else of the fastest)";
/// Bytes of a TB.
const TB: f64 = 1e12;

/// What the prices of a study's tasks are per.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Per {
    /// `million objects`.
    pub(crate) unit: &'static str,
    /// For the head of a column: `$/M`.
    pub(crate) short: &'static str,
    /// TB of it.
    tb: f64,
    /// Objects of it, where they are what it is per.
    objects: Option<f64>,
}

impl Per {
    /// One run: what a program reads that does not say so is not known.
    pub(crate) const RUN: Self = Self {
        unit: "run",
        short: "$/run",
        tb: 0.0,
        objects: None,
    };

    /// Objects of the bucket's mean size; a TB where that is not known. The bucket alone decides, so that all sweeps of one bucket are in one unit.
    pub(crate) fn of(study: &Study) -> Self {
        let mean = study
            .workload
            .bytes
            .zip(study.workload.keys)
            .filter(|(bytes, keys)| *keys > 0 && *bytes > 0)
            .map(|(bytes, keys)| bytes as f64 / keys as f64);
        match mean {
            Some(mean) if mean >= READABLE_BYTES => Self {
                unit: "million objects",
                short: "$/M",
                tb: mean * 1e6 / TB,
                objects: Some(1e6),
            },
            Some(mean) => Self {
                unit: "billion objects",
                short: "$/bn",
                tb: mean * 1e9 / TB,
                objects: Some(1e9),
            },
            None => Self {
                unit: "TB",
                short: "$/TB",
                tb: 1.0,
                objects: None,
            },
        }
    }

    /// That of a column of prices: `None` for a web server, whose requests have none.
    pub(crate) fn of_column(study: &Study) -> Option<Self> {
        study.workload.http.is_none().then(|| Self::of(study))
    }

    /// The tasks of this configuration, in US dollars, of one run where its time alone is known; `None` without a price.
    pub(crate) fn tasks(self, report: &CellReport) -> Option<f64> {
        if report.is_timed_alone() {
            return report.cost.as_ref().map(|cost| cost.usd_task);
        }
        task_per_tb(report).map(|usd| usd * self.tb)
    }

    /// What its column is: `$/M: dollars of the tasks per million objects at the workers of "best from" …, to which requests add $0.40 everywhere`.
    pub(crate) fn legend(self, study: &Study) -> String {
        if self == Self::RUN {
            return format!(
                "{}: dollars of the task of one run {OF_ROW}; {RUN_HAS_NO_REQUESTS}",
                self.short
            );
        }
        let requests = self
            .requests(study)
            .map_or_else(String::new, |usd_requests| {
                format!(", to which requests add {} everywhere", usd(usd_requests))
            });
        let is_short = |report: &CellReport| {
            report
                .prediction
                .as_ref()
                .is_some_and(|prediction| prediction.seconds < MINIMUM_SECONDS)
        };
        let minimum = if study.cells.iter().any(is_short) {
            "; without the minute that the shortest task is billed for"
        } else {
            ""
        };
        format!(
            "{}: dollars of the tasks per {} {OF_ROW}{requests}{minimum}",
            self.short, self.unit
        )
    }

    /// The requests, in US dollars: the same in every configuration but for repeated ones, so that of the cheapest is taken.
    fn requests(self, study: &Study) -> Option<f64> {
        // Those of the whole bucket, as the answer has them: runs that time ends fetch objects of another mean size.
        let of_object = |report: &CellReport| {
            let prediction = report.prediction.as_ref()?;
            let keys = prediction.bucket?.keys as f64;
            Some(prediction.cost.as_ref()?.usd_requests? / keys)
        };
        let each = study.cells.iter().filter_map(of_object).reduce(f64::min);
        if let Some((each, objects)) = each.zip(self.objects) {
            return Some(each * objects).filter(|usd| *usd > 0.0);
        }
        let whole =
            |report: &CellReport| report.figure(Metric::UsdPerTb).map(|figure| figure.median);
        let known = study
            .cells
            .iter()
            .filter_map(|report| Some(whole(report)? - task_per_tb(report)?));
        known
            .reduce(f64::min)
            .filter(|usd| *usd > 0.0)
            .map(|usd| usd * self.tb)
    }

    /// What a reader of these prices must know.
    pub(crate) fn notes(self, study: &Study) -> Vec<String> {
        let mut notes = Vec::new();
        if study.cells.iter().any(CellReport::is_timed_alone) {
            notes.push(format!(
                "The price of a run is that of its task: {RUN_HAS_NO_REQUESTS}."
            ));
        }
        if let Some(usd_requests) = self.requests(study) {
            notes.push(format!(
                "The price is that of the tasks: requests cost {} per {} in every configuration.",
                usd(usd_requests),
                self.unit
            ));
        }
        let dated = facts::prices(study);
        notes.extend((!dated.is_empty()).then(|| format!("Prices {}.", dated.join("; "))));
        notes
    }
}

/// How a metric of a study is shown: prices in the one unit that the study has.
pub(crate) fn shown_as(study: &Study, metric: Metric) -> (Scale, String) {
    let what = match metric {
        Metric::UsdPerTb => "price of tasks and requests",
        Metric::TaskUsdPerTb => "price of the tasks",
        Metric::FetchTime if study.cells.iter().all(CellReport::is_timed_alone) => {
            return (Scale::of(metric), TIME_OF_RUN.to_owned());
        }
        _ => return (Scale::of(metric), number::heading(metric)),
    };
    let per = Per::of(study);
    (
        Scale::of_price(per.tb),
        format!("{what} per {}, $", per.unit),
    )
}

fn task_per_tb(report: &CellReport) -> Option<f64> {
    report
        .figure(Metric::TaskUsdPerTb)
        .map(|figure| figure.median)
        .filter(|usd| *usd > 0.0)
}

/// Why there is no price, where the study says so.
pub(crate) fn missing(study: &Study) -> Option<String> {
    if study.workload.http.is_some() {
        return Some(NO_LIST_PRICE.to_owned());
    }
    let is_lack = |note: &&Note| matches!(note, Note::Price(price) if price.is_lack());
    study.notes.iter().find(is_lack).map(notes::note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Sweep, lean};
    use crate::plan::Mode;

    #[test]
    fn a_price_is_of_so_many_objects_that_it_can_be_read() {
        let mut study = Sweep::new("s1")
            .cell(&lean(1_024, Mode::Async, 16), &[500.0; 6])
            .study();
        let per = Per::of(&study);
        // 80 GB in 32,000 objects: a million are 2.5 TB.
        assert_eq!(per.unit, "million objects");
        let usd = study.cells[0].figure(Metric::TaskUsdPerTb).unwrap().median * 2.5;
        assert!((per.tasks(&study.cells[0]).unwrap() - usd).abs() < 1e-12);
        assert!(
            per.notes(&study)[0].starts_with("The price is that of the tasks: requests cost $0.40"),
            "{:?}",
            per.notes(&study)
        );
        study.workload.bytes = Some(32_000_000);
        assert_eq!(Per::of(&study).unit, "billion objects", "of 1 kB");
        study.workload.keys = None;
        assert_eq!(Per::of(&study).unit, "TB");
    }
}
