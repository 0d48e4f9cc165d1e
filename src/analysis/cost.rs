//! What cells cost as Fargate tasks: size, seconds, requests and retrieval, with the prices of one list.
//!
//! Billed is every shard as a task, for one minute at least: on Fargate from the pull of the image to the stop of the task, as ECS told; elsewhere the
//! seconds from the start of the process to its end, since what a pull would take is not known. $ per TB is the price at the measured rate: without start, listing, write-back and minimum.

use super::advice::Cost;
use super::figures::median_of;
use super::model::{CellReport, Facts, Place, Workload};
use super::notes::{PriceNote, Unlisted};
use super::observation::Observation;
use super::tasks::own_s;
use crate::cell::UNITS_PER_VCPU;
use crate::price::{
    BILLED_GB_BYTES, CapacityKind, Egress, FREE_STORAGE_GIB, MINIMUM_SECONDS, PriceList,
    RELATIVE_RATES, RequestMix, TaskRates, TaskSize, address_usd, billed_seconds, holding_size,
    memory_for_peak, storage_usd, task_usd,
};
use crate::results::summary::fetched_classes;

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
    /// What the list says of them.
    pub(super) notes: Vec<PriceNote>,
}

/// What is paid for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// Of each task.
    pub(super) seconds: f64,
    /// None where that is not known.
    pub(super) read: Option<ReadOfStore>,
}

/// What was read of the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadOfStore {
    pub(super) gets: f64,
    pub(super) keys: u64,
    pub(super) bytes: f64,
}

impl Pricing {
    /// The prices for this workload.
    pub(super) fn of(workload: &Workload, facts: &Facts, prices: &PriceList) -> Self {
        let mut pricing = Self {
            task: None,
            spot: None,
            requests: None,
            egress: prices.asked_egress(),
            usd_per_byte_egress: None,
            storage: None,
            address: None,
            dated: prices.dated().to_owned(),
            is_hypothetical: !workload.place.is_fargate(),
            notes: Vec::new(),
        };
        let Some(region) = &workload.region else {
            pricing.notes.push(PriceNote::NoRegion);
            return pricing;
        };
        let arch = workload.place.arch.as_deref().unwrap_or("x86_64");
        pricing.task = prices.fargate(region, arch);
        pricing.spot = prices.fargate_of(region, arch, CapacityKind::Spot);
        pricing.requests = prices
            .mix(region, fetched_classes(&facts.storage_classes))
            .ok();
        pricing.usd_per_byte_egress = prices.egress_usd(region, pricing.egress, 1.0);
        pricing.storage = prices.storage_usd_per_gb_hour(region);
        pricing.address = prices.address_usd_per_hour(region);
        pricing.notes = match pricing.unlisted(arch) {
            Some(what) => vec![PriceNote::NotListed {
                dated: pricing.dated.clone(),
                what,
                region: region.clone(),
            }],
            None => pricing.of_list(workload, region, prices.nat_usd_per_gb(region)),
        };
        pricing
    }

    /// What prices are these.
    fn of_list(
        &self,
        workload: &Workload,
        region: &str,
        nat_usd_per_gb: Option<f64>,
    ) -> Vec<PriceNote> {
        let other = self.requests.as_ref();
        let other = other.and_then(|requests| requests.of_region.as_ref());
        let of_requests = other.map(|of| PriceNote::RequestsOf {
            of: of.clone(),
            region: region.to_owned(),
        });
        let are = PriceNote::Are {
            region: region.to_owned(),
            dated: self.dated.clone(),
            is_hypothetical: self.is_hypothetical,
            with_pull: workload.place.on == "ecs",
        };
        let nat = nat_usd_per_gb.map(|usd| PriceNote::Nat(usd * 1e12 / BILLED_GB_BYTES));
        of_requests.into_iter().chain([are]).chain(nat).collect()
    }

    /// What the list has no price of.
    fn unlisted(&self, arch: &str) -> Option<Unlisted> {
        match (self.task, &self.requests, self.usd_per_byte_egress) {
            (None, ..) => Some(Unlisted::Fargate(arch.to_owned())),
            (_, None, _) => Some(Unlisted::Classes),
            (.., None) => Some(Unlisted::Egress(self.egress)),
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
    pub(super) fn notes_of(&self, cells: &[CellReport]) -> Vec<PriceNote> {
        let mut notes = Vec::new();
        let mut on_spot = cells
            .iter()
            .filter(|cell| cell.cost.is_some() && is_on_spot(cell))
            .peekable();
        if on_spot.peek().is_some() && self.spot.is_none() {
            notes.push(PriceNote::SpotNotListed);
        } else if on_spot.peek().is_some() {
            notes.push(PriceNote::Spot);
            if on_spot.any(|cell| self.is_of_on_demand(cell)) {
                notes.push(PriceNote::SpotInPart);
            }
        }
        let has_address = cells
            .iter()
            .flat_map(|cell| &cell.observations)
            .any(|observation| observation.usage.public_address == Some(true));
        if has_address {
            notes.push(
                self.address
                    .map_or(PriceNote::AddressNotListed, PriceNote::Address),
            );
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
        let (usd_requests, usd_retrieval, usd_egress) = match used.read {
            None => (None, None, None),
            Some(ReadOfStore { gets, keys, bytes }) => {
                let requests = self.requests.as_ref()?;
                let pages = keys.div_ceil(PAGE_KEYS) as f64;
                let usd_egress = bytes * self.usd_per_byte_egress?;
                (
                    Some(gets * requests.usd_per_get + pages * requests.usd_per_list),
                    Some(bytes * requests.usd_per_byte_retrieved),
                    (self.egress != Egress::None).then_some(usd_egress),
                )
            }
        };
        Some(Cost {
            usd_task: self.usd_tasks(report, used.seconds)?,
            usd_requests,
            usd_retrieval,
            usd_egress,
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
        let beside_task = (cost.usd_total() - cost.usd_task) / complete_tb(observation)?;
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
        let median = |value: fn(&Cost) -> Option<f64>| {
            median_of(&report.observations, |observation| {
                value(&self.cost(report, used(observation)?)?)
            })
        };
        let billed_s = median(|cost| Some(cost.billed_s))?;
        Some(Cost {
            usd_task: median(|cost| Some(cost.usd_task))?,
            usd_requests: median(|cost| cost.usd_requests),
            usd_retrieval: median(|cost| cost.usd_retrieval),
            usd_egress: median(|cost| cost.usd_egress),
            billed_s,
            is_minimum: billed_s <= MINIMUM_SECONDS,
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
    if observation.is_timed_alone {
        return Some(Used {
            seconds,
            read: None,
        });
    }
    // What AWS does not bill is not paid for.
    let read = ReadOfStore {
        gets: observation.paid().or(counts.tried)? as f64,
        keys: counts.keys?,
        bytes: counts.received_bytes.or(counts.goodput_bytes)? as f64,
    };
    Some(Used {
        seconds,
        read: Some(read),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
