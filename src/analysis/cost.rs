//! What cells cost as Fargate tasks: size, seconds, requests and retrieval, with the prices of one list.
//!
//! Billed is every shard as a task, for one minute at least: on Fargate from the pull of the image to the stop of the task, as ECS told; elsewhere the
//! seconds from the start of the process to its end, since what a pull would take is not known. $ per TB is the price at the measured rate: without start, listing, write-back and minimum.

use super::advice::Cost;
use super::figures::median_of;
use super::model::{CellReport, Facts, Place, Workload};
use super::observation::{Observation, Times, Usage};
use crate::cell::UNITS_PER_VCPU;
use crate::price::{
    BILLED_GB_BYTES, CapacityKind, Egress, FREE_STORAGE_GIB, MINIMUM_SECONDS, PriceList,
    RELATIVE_RATES, RequestMix, TaskRates, TaskSize, address_usd, billed_seconds, holding_size,
    memory_for_peak, storage_usd, task_usd,
};
use crate::results::record::TaskRun;
use crate::results::summary::fetched_classes;

/// How ECS calls Spot capacity.
const SPOT: &str = "FARGATE_SPOT";
/// Keys of a listing page.
const PAGE_KEYS: u64 = 1_000;

/// The Fargate task that a cell is priced and recommended as, CPU units and MiB: the smallest with at least its vCPU. What ran on Fargate keeps its
/// memory; elsewhere it is what holds twice the measured peak, since the memory of that machine says nothing of what is needed (where the peak is not
/// known, the least that goes with these vCPU). `None` above 32 vCPU and for a size that is not known.
pub(super) fn fargate_size(report: &CellReport, place: &Place) -> Option<(u32, u32)> {
    let peak = report
        .observations
        .iter()
        .filter_map(|observation| observation.usage.peak_memory_bytes)
        .max();
    let shards = f64::from(report.cell.shards.max(1));
    let needed = peak.map_or(1, |bytes| memory_for_peak(bytes as f64 / shards));
    holding_size(
        report.cell.cpu_units,
        if place.is_fargate() {
            report.cell.memory_mib
        } else {
            needed
        },
    )
}

/// What is said where configurations have an order and no price.
const RELATIVE_ORDER: &str =
    "cheapest goes by vCPU and memory, whose prices have the same proportion everywhere";

/// Prices of one study.
pub(super) struct Pricing {
    task: Option<TaskRates>,
    /// Of Spot capacity; `None` where the list has no price of it, as the built-in one.
    spot: Option<TaskRates>,
    requests: Option<RequestMix>,
    egress: Egress,
    /// For one byte; `None` where the list has no price of it.
    usd_per_byte_egress: Option<f64>,
    /// For one GiB and hour beyond what is free; `None` where the list has no price of it.
    storage: Option<f64>,
    /// For one public address and hour; `None` where the list has no price of it.
    address: Option<f64>,
    dated: String,
    is_hypothetical: bool,
    /// Sentences for the reader.
    pub(super) notes: Vec<String>,
}

/// What is paid for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// Of each task.
    pub(super) seconds: f64,
    pub(super) gets: f64,
    pub(super) keys: u64,
    pub(super) bytes: f64,
}

impl Pricing {
    /// The prices for this workload.
    pub(super) fn of(workload: &Workload, facts: &Facts, prices: &PriceList) -> Self {
        let dated = prices.dated().to_owned();
        let is_hypothetical = !workload.place.is_fargate();
        let egress = prices.asked_egress();
        let (task, spot, requests, usd_per_byte_egress, storage, address) =
            (None, None, None, None, None, None);
        let mut pricing = Self {
            task,
            spot,
            requests,
            egress,
            usd_per_byte_egress,
            storage,
            address,
            dated,
            is_hypothetical,
            notes: Vec::new(),
        };
        let Some(region) = &workload.region else {
            pricing.notes.push(format!(
                "no price: the region is not known; {RELATIVE_ORDER}"
            ));
            return pricing;
        };
        let arch = workload.place.arch.as_deref().unwrap_or("x86_64");
        pricing.task = prices.fargate(region, arch);
        pricing.spot = prices.fargate_of(region, arch, CapacityKind::Spot);
        pricing.requests = prices
            .mix(region, fetched_classes(&facts.storage_classes))
            .ok();
        pricing.usd_per_byte_egress = prices.egress_usd(region, egress, 1.0);
        pricing.storage = prices.storage_usd_per_gb_hour(region);
        pricing.address = prices.address_usd_per_hour(region);
        if let Some(what) = pricing.missing(arch) {
            let order = if pricing.task.is_none() {
                format!("; {RELATIVE_ORDER}")
            } else {
                String::new()
            };
            let dated = &pricing.dated;
            pricing.notes.push(format!("no price: the price list of {dated} has none for {what} in {region} (--prices FILE gives one){order}"));
            return pricing;
        }
        if let Some(of) = pricing
            .requests
            .as_ref()
            .and_then(|requests| requests.of_region.as_ref())
        {
            pricing.notes.push(format!(
                "prices of requests are those of {of}: the list has none of {region}"
            ));
        }
        let what = if is_hypothetical {
            "as Fargate tasks in"
        } else {
            "of"
        };
        let billed = match workload.place.on.as_str() {
            "ecs" => "tasks from the pull of the image to their stop",
            _ => "the pull of the image is not in them",
        };
        pricing.notes.push(format!(
            "prices {what} {region} by the list of {}; {billed}",
            pricing.dated
        ));
        if let Some(usd_per_gb) = prices.nat_usd_per_gb(region) {
            let usd = usd_per_gb * 1e12 / BILLED_GB_BYTES;
            pricing.notes.push(format!("through a NAT gateway each TB costs ${usd:.0} more; through a gateway endpoint for S3 nothing"));
        }
        pricing
    }

    /// What the list has no price of.
    fn missing(&self, arch: &str) -> Option<String> {
        match (self.task, &self.requests, self.usd_per_byte_egress) {
            (None, ..) => Some(format!("Fargate on {arch}")),
            (_, None, _) => Some("every storage class of the bucket".to_owned()),
            (.., None) => Some(self.egress.in_words().to_owned()),
            _ => None,
        }
    }

    /// Storage beyond what is free, for so many seconds; `None` where that has no price.
    fn usd_storage(&self, report: &CellReport, seconds: f64) -> Option<f64> {
        let most = report
            .observations
            .iter()
            .filter_map(|observation| observation.usage.storage_gib)
            .fold(0.0, f64::max);
        if most <= FREE_STORAGE_GIB {
            Some(0.0)
        } else {
            self.storage.map(|usd| storage_usd(usd, most, seconds))
        }
    }

    /// The public address of each task, for so many seconds; `None` where that has no price.
    fn usd_address(&self, report: &CellReport, seconds: f64) -> Option<f64> {
        let has_one = report
            .observations
            .iter()
            .any(|observation| observation.usage.public_address == Some(true));
        if has_one {
            self.address.map(|usd| address_usd(usd, seconds))
        } else {
            Some(0.0)
        }
    }

    /// vCPU and memory of its capacity: Spot has the prices of On-Demand where the list has none of its own, or where only a part ran on Spot.
    fn rates(&self, report: &CellReport) -> Option<TaskRates> {
        self.spot.filter(|_| is_all_on_spot(report)).or(self.task)
    }

    /// Whether that is what it did: the price is too high.
    fn is_of_on_demand(&self, report: &CellReport) -> bool {
        is_on_spot(report) && !(self.spot.is_some() && is_all_on_spot(report))
    }

    /// What a reader of these configurations must know of their prices.
    pub(super) fn notes_of(&self, cells: &[CellReport]) -> Vec<String> {
        let mut notes = Vec::new();
        let mut on_spot = cells
            .iter()
            .filter(|cell| cell.cost.is_some() && is_on_spot(cell))
            .peekable();
        if on_spot.peek().is_some() && self.spot.is_none() {
            notes.push("the tasks ran on Spot capacity, whose price is not known: they have the prices of On-Demand, and less was paid".to_owned());
        } else if on_spot.peek().is_some() {
            notes
                .push("the tasks that ran on Spot capacity have its prices of the list".to_owned());
            if on_spot.any(|cell| self.is_of_on_demand(cell)) {
                notes.push("where only a part of the repetitions ran on Spot, all have the prices of On-Demand, and less was paid".to_owned());
            }
        }
        let addressed = cells
            .iter()
            .flat_map(|cell| &cell.observations)
            .any(|observation| observation.usage.public_address == Some(true));
        match self.address.filter(|_| addressed) {
            Some(usd) => notes.push(format!("each task had a public IPv4 address, for ${usd} an hour, which is in the price of the task")),
            None if addressed => {
                notes.push("no price: each task had a public IPv4 address, of which the list has no price (--prices FILE gives one)".to_owned());
            }
            None => {}
        }
        notes
    }

    /// What the tasks cost, one for each shard, with their storage and public addresses, when each lives for `seconds`.
    fn usd_tasks(&self, report: &CellReport, seconds: f64) -> Option<f64> {
        let each = task_usd(self.rates(report)?, size(report)?, seconds)
            + self.usd_storage(report, seconds)?
            + self.usd_address(report, seconds)?;
        Some(each * f64::from(report.cell.shards.max(1)))
    }

    /// What `used` costs in this cell; `None` without a price or a size.
    pub(super) fn cost(&self, report: &CellReport, used: Used) -> Option<Cost> {
        let requests = self.requests.as_ref()?;
        let pages = used.keys.div_ceil(PAGE_KEYS);
        let usd_egress = used.bytes * self.usd_per_byte_egress?;
        Some(Cost {
            usd_task: self.usd_tasks(report, used.seconds)?,
            usd_requests: used.gets * requests.usd_per_get + pages as f64 * requests.usd_per_list,
            usd_retrieval: used.bytes * requests.usd_per_byte_retrieved,
            usd_egress: (self.egress != Egress::None).then_some(usd_egress),
            billed_s: billed_seconds(used.seconds),
            is_minimum: used.seconds < MINIMUM_SECONDS,
            prices_dated: self.dated.clone(),
            is_hypothetical: self.is_hypothetical,
            is_of_on_demand: self.is_of_on_demand(report),
        })
    }

    /// What orders configurations: the price of the task alone, as requests cost the same in each of them. In US dollars, or, where Fargate has no price, in
    /// parts of it: how much a vCPU costs for each GB is the same everywhere.
    pub(super) fn task_order(&self, report: &CellReport, seconds: f64) -> Option<f64> {
        // An address costs the same for every size: it weighs most where the task costs least.
        let address = self
            .task
            .and_then(|_| self.usd_address(report, seconds))
            .unwrap_or(0.0);
        let each = task_usd(
            self.rates(report).unwrap_or(RELATIVE_RATES),
            size(report)?,
            seconds,
        ) + address;
        Some(each * f64::from(report.cell.shards.max(1)))
    }

    /// Price ÷ TB of complete objects, at the rate of this repetition.
    pub(super) fn usd_per_tb(&self, report: &CellReport, observation: &Observation) -> Option<f64> {
        let cost = self.cost(report, used(observation)?)?;
        let beside_task = (cost.usd_requests + cost.usd_retrieval + cost.usd_egress.unwrap_or(0.0))
            / complete_tb(observation)?;
        Some(self.task_usd_per_tb(report, observation)? + beside_task)
    }

    /// The task's part of it, known also where requests have no price.
    pub(super) fn task_usd_per_tb(
        &self,
        report: &CellReport,
        observation: &Observation,
    ) -> Option<f64> {
        const HOUR_S: f64 = 3_600.0;
        // An hour is far above the minimum, so the price is in proportion to the time.
        let usd = self.usd_tasks(report, HOUR_S)? / HOUR_S * observation.times.fetch_s?;
        Some(usd / complete_tb(observation)?)
    }

    /// One repetition of the cell, in the median.
    pub(super) fn repetition(&self, report: &CellReport) -> Option<Cost> {
        let median = |value: fn(&Cost) -> f64| {
            median_of(&report.observations, |observation| {
                self.cost(report, used(observation)?)
                    .map(|cost| value(&cost))
            })
        };
        Some(Cost {
            usd_task: median(|cost| cost.usd_task)?,
            usd_requests: median(|cost| cost.usd_requests)?,
            usd_retrieval: median(|cost| cost.usd_retrieval)?,
            usd_egress: if self.egress == Egress::None {
                None
            } else {
                Some(median(|cost| cost.usd_egress.unwrap_or(0.0))?)
            },
            billed_s: median(|cost| cost.billed_s)?,
            is_minimum: median(|cost| cost.billed_s)? <= MINIMUM_SECONDS,
            prices_dated: self.dated.clone(),
            is_hypothetical: self.is_hypothetical,
            is_of_on_demand: self.is_of_on_demand(report),
        })
    }
}

/// Whether any of its repetitions ran on Spot capacity.
fn is_on_spot(report: &CellReport) -> bool {
    report
        .observations
        .iter()
        .any(|observation| observation.usage.on_spot == Some(true))
}

fn is_all_on_spot(report: &CellReport) -> bool {
    report
        .observations
        .iter()
        .all(|observation| observation.usage.on_spot == Some(true))
}

/// TB of complete objects; `None` without any.
fn complete_tb(observation: &Observation) -> Option<f64> {
    observation
        .counts
        .goodput_bytes
        .filter(|bytes| *bytes > 0)
        .map(|bytes| bytes as f64 / 1e12)
}

/// The size that is paid for.
fn size(report: &CellReport) -> Option<TaskSize> {
    let (units, memory_mib) = report.fargate?;
    Some(TaskSize {
        vcpu: f64::from(units) / f64::from(UNITS_PER_VCPU),
        memory_mib: u64::from(memory_mib),
    })
}

/// What the record of a repetition says of its tasks.
pub(super) fn of_tasks((times, usage): (&mut Times, &mut Usage), tasks: &[TaskRun]) {
    times.billed_s = billed_s(tasks);
    times.around_s = around_s(tasks, times);
    usage.public_address = tasks
        .iter()
        .filter_map(|task| task.public_address)
        .reduce(|one, other| one || other);
    usage.on_spot = tasks
        .iter()
        .filter_map(|task| task.capacity.as_deref())
        .map(|capacity| capacity == SPOT)
        .reduce(|one, other| one || other);
}

/// What tasks were billed for: the mean over them, each a minute at least; unknown when that of one is.
fn billed_s(tasks: &[TaskRun]) -> Option<f64> {
    let each = |task: &TaskRun| Some(billed_seconds(task.billed_ns? as f64 / 1e9));
    let sum = tasks.iter().map(each).sum::<Option<f64>>()?;
    (!tasks.is_empty()).then(|| sum / tasks.len() as f64)
}

/// What tasks were billed for beside their processes' own time; the mean over them. The longest phases of several shards are taken for each of them.
fn around_s(tasks: &[TaskRun], times: &Times) -> Option<f64> {
    let billed: Vec<f64> = tasks
        .iter()
        .map(|task| Some(task.billed_ns? as f64 / 1e9))
        .collect::<Option<_>>()?;
    let mean = (!billed.is_empty()).then(|| billed.iter().sum::<f64>() / billed.len() as f64)?;
    Some((mean - own_s(times)?).max(0.0))
}

/// The time of a process of parfetch, as far as its phases are known.
fn own_s(times: &Times) -> Option<f64> {
    let phases = [
        times.start_up_s,
        times.listing_s,
        times.worker_start_s,
        times.write_back_s,
    ];
    Some(times.fetch_s? + phases.into_iter().flatten().sum::<f64>())
}

/// What a repetition used: of parfetch the phases that are known, of a contender the whole.
fn used(observation: &Observation) -> Option<Used> {
    let Observation { times, counts, .. } = observation;
    let seconds = if let Some(billed_s) = times.billed_s {
        billed_s
    } else if observation.is_contender {
        times.wall_s.or(times.fetch_s)?
    } else {
        own_s(times)?
    };
    // What AWS does not bill is not paid for.
    let gets = observation.paid().or(counts.tried)? as f64;
    let bytes = counts.received_bytes.or(counts.goodput_bytes)? as f64;
    Some(Used {
        seconds,
        gets,
        keys: counts.keys?,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn each_task_is_billed_for_a_minute_at_least() {
        let task = |seconds: Option<u64>| TaskRun {
            billed_ns: seconds.map(|seconds| seconds * 1_000_000_000 - 1),
            ..TaskRun::default()
        };
        // 60 and 90.
        assert_eq!(billed_s(&[task(Some(20)), task(Some(90))]), Some(75.0));
        assert_eq!(
            (billed_s(&[task(Some(20)), task(None)]), billed_s(&[])),
            (None, None)
        );
    }

    #[test]
    fn what_is_billed_around_a_process_is_known_by_subtraction() {
        let task = |seconds: u64| TaskRun {
            billed_ns: Some(seconds * 1_000_000_000),
            ..TaskRun::default()
        };
        let times = Times {
            fetch_s: Some(10.0),
            start_up_s: Some(1.0),
            write_back_s: Some(0.5),
            ..Times::default()
        };
        // (30 + 33) ÷ 2 − 11.5.
        assert_eq!(around_s(&[task(30), task(33)], &times), Some(20.0));
        assert_eq!(
            (
                around_s(&[], &times),
                around_s(&[task(30)], &Times::default())
            ),
            (None, None)
        );
    }

    #[test]
    fn on_fargate_what_was_billed_counts() {
        let mut observation = Observation::default();
        observation.times.fetch_s = Some(10.0);
        observation.counts = crate::analysis::observation::Counts {
            keys: Some(5),
            attempts: Some(5),
            received_bytes: Some(5),
            ..Default::default()
        };
        assert!((used(&observation).unwrap().seconds - 10.0).abs() < 1e-12);
        observation.times.billed_s = Some(75.0);
        assert!((used(&observation).unwrap().seconds - 75.0).abs() < 1e-12);
    }
}
