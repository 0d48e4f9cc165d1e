//! What the rates of one study over time say of the others of the same source: how long a rate holds, and what follows it.

use std::collections::BTreeMap;

use super::advice::Held;
use super::burst::{self, Burst, Ends};
use super::model::{CellReport, Study, Workload};
use super::observation::Observation;
use crate::cell::Cell;

/// What the rates of one study over time say of another: how long the rate of each cell held, and the burst of its size.
pub(super) struct Evidence {
    pub(super) held: Vec<Option<Held>>,
    pub(super) bursts: Vec<Option<Burst>>,
}

/// Of each study, what all studies of the same source saw: a run of 20 minutes says of a sweep's short runs how long their rate lasts.
pub(super) fn evidence(studies: &[Study]) -> Vec<Evidence> {
    let of_study = |study: &Study| {
        let all: Vec<&CellReport> = studies
            .iter()
            .filter(|other| is_same_source(&other.workload, &study.workload))
            .flat_map(|other| &other.cells)
            .collect();
        let of_cell = |cell: &Cell| {
            let same = all.iter().filter(|report| report.cell == *cell);
            burst::held(
                same.flat_map(|report| &report.observations)
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
        };
        let size = |cell: &Cell| (cell.cpu_units, cell.memory_mib);
        let mut bursts: BTreeMap<(u32, u32), Option<Burst>> = BTreeMap::new();
        for report in &study.cells {
            bursts
                .entry(size(&report.cell))
                .or_insert_with(|| of_size(&all, size(&report.cell)));
        }
        // What ends a burst is the platform's, so what one size shows holds for all of them.
        let known = |ends: Ends| {
            bursts
                .values()
                .flatten()
                .filter(|burst| burst.ends == ends)
                .count()
        };
        let ends = match known(Ends::Clock).cmp(&known(Ends::Credit)) {
            std::cmp::Ordering::Greater => Ends::Clock,
            std::cmp::Ordering::Less => Ends::Credit,
            std::cmp::Ordering::Equal => Ends::Unknown,
        };
        for burst in bursts
            .values_mut()
            .flatten()
            .filter(|burst| burst.ends == Ends::Unknown)
        {
            burst.ends = ends;
        }
        Evidence {
            held: study
                .cells
                .iter()
                .map(|report| of_cell(&report.cell))
                .collect(),
            bursts: study
                .cells
                .iter()
                .map(|report| bursts.get(&size(&report.cell)).copied().flatten())
                .collect(),
        }
    };
    studies.iter().map(of_study).collect()
}

/// The burst of one size, from all cells that fetched in it.
fn of_size(all: &[&CellReport], size: (u32, u32)) -> Option<Burst> {
    let mut cells: Vec<(&Cell, Vec<&Observation>)> = Vec::new();
    for report in all
        .iter()
        .filter(|report| (report.cell.cpu_units, report.cell.memory_mib) == size)
    {
        match cells.iter_mut().find(|(cell, _)| **cell == report.cell) {
            Some((_, observations)) => observations.extend(&report.observations),
            None => cells.push((&report.cell, report.observations.iter().collect())),
        }
    }
    burst::of_size(&cells)
}

/// Whether rates of the one say something of the other: the same data from the same place, whatever was fetched of it.
fn is_same_source(one: &Workload, other: &Workload) -> bool {
    let source = |workload: &Workload| {
        let Workload {
            bucket,
            http,
            prefix,
            work,
            layout,
            region,
            endpoint,
            place,
            ..
        } = workload;
        let place = (
            place.is_fargate(),
            place.arch.clone(),
            place.machine.clone(),
        );
        (
            (bucket.clone(), http.clone()),
            prefix.clone(),
            (*work, *layout),
            region.clone(),
            endpoint.clone(),
            workload.embedded.clone(),
            place,
        )
    };
    source(one) == source(other)
}
