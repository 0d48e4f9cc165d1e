//! One program of a tune: its configurations, and the strategy that asks for their runs. With servers and factors there is one for each value: a law is of
//! one platform, and another server is another platform.

use std::collections::{BTreeSet, HashSet};

use crate::analysis::FirstLook;
use crate::cell::{Cell, Program, UNITS_PER_VCPU};
use crate::plan::{Factors, Mode};
use crate::stats::location::median;
use crate::tune::{Found, Size, Space, StopReason, TuneQuestion, Tuner};

/// The configurations of one program, and the strategy that asks for their runs.
pub(super) struct ProgramTune {
    pub(super) program: Program,
    /// What all of them have: the server, and a value of each factor.
    pub(super) factors: Factors,
    pub(super) tuner: Tuner,
    /// By their places in the space.
    pub(super) cells: Vec<Cell>,
    pub(super) found: Option<Found>,
    /// The seconds of fetching of the runs of each configuration.
    pub(super) fetched_s: Vec<Vec<f64>>,
    /// Of a program whose time alone is measured: as so many objects the strategy takes one run of it.
    pub(super) run_objects: Option<f64>,
}

impl ProgramTune {
    /// Of those of these configurations that have the program and the factors of the first one; `question` asks for its space.
    pub(super) fn new(
        first: &Cell,
        cells: &[Cell],
        question: impl Fn(Space) -> TuneQuestion,
    ) -> Self {
        let Cell {
            program, factors, ..
        } = first;
        let is_own = |cell: &&Cell| cell.program == *program && cell.factors == *factors;
        let own: Vec<&Cell> = cells.iter().filter(is_own).collect();
        let space = space(&own);
        let cell = |index: usize| {
            let (size, mode, concurrency) = space.at(index);
            Cell {
                program: program.clone(),
                cpu_units: size.cpu_units,
                memory_mib: size.memory_mib,
                mode,
                concurrency,
                shards: 1,
                factors: factors.clone(),
            }
        };
        let cells: Vec<Cell> = (0..space.len()).map(cell).collect();
        Self {
            program: program.clone(),
            factors: factors.clone(),
            fetched_s: vec![Vec::new(); cells.len()],
            cells,
            tuner: Tuner::new(question(space)),
            found: None,
            run_objects: None,
        }
    }

    /// What is written down of a rate: objects a second, or the seconds of a run.
    pub(super) fn rate_or_run_s(&self, objects_per_s: f64) -> (Option<f64>, Option<f64>) {
        match self.run_objects {
            None => (Some(objects_per_s), None),
            Some(objects) => (None, Some(objects / objects_per_s)),
        }
    }

    /// The longest run of the size of this configuration.
    pub(super) fn seen_for_s(&self, config: usize) -> f64 {
        let size = |cell: &Cell| (cell.cpu_units, cell.memory_mib);
        let of = size(&self.cells[config]);
        let same = self.cells.iter().zip(&self.fetched_s);
        same.filter(|(cell, _)| size(cell) == of)
            .flat_map(|(_, seconds)| seconds)
            .copied()
            .fold(0.0, f64::max)
    }

    /// Seconds that runs of this configuration fetched for, in the median, where they are too short to recommend anything by: the rule of a
    /// sweep's report.
    pub(super) fn first_look_s(&self, config: usize) -> Option<f64> {
        median(&self.fetched_s[config]).filter(|seconds| FirstLook::of_seconds(*seconds).is_some())
    }

    /// Runs of this program, where the tune was ended after so few that nothing is recommended: the rule of a sweep's report.
    pub(super) fn first_look_runs(&self, stopped: StopReason) -> Option<u64> {
        let runs = self.tuner.runs().len();
        let is_first = stopped != StopReason::Sure && FirstLook::of_repetitions(runs).is_some();
        is_first.then_some(runs as u64)
    }

    /// A run failed: one with more workers of the same size and mode would fail as well, unless it showed that it does not.
    pub(super) fn failed(&mut self, config: usize) {
        let of = self.cells[config].clone();
        let like = |cell: &Cell| {
            (cell.cpu_units, cell.memory_mib, cell.mode) == (of.cpu_units, of.memory_mib, of.mode)
                && cell.concurrency > of.concurrency
        };
        self.tuner.failed(config);
        for index in 0..self.cells.len() {
            if like(&self.cells[index]) && self.fetched_s[index].is_empty() {
                self.tuner.leave_out(index);
            }
        }
    }
}

/// The first configuration of each program, with each server and each value of a factor.
pub(super) fn firsts(cells: &[Cell]) -> Vec<&Cell> {
    let mut firsts: Vec<&Cell> = Vec::new();
    for cell in cells {
        let is_like =
            |first: &&Cell| first.program == cell.program && first.factors == cell.factors;
        if !firsts.iter().any(is_like) {
            firsts.push(cell);
        }
    }
    firsts
}

pub(super) fn vcpu_of(size: Size) -> f64 {
    f64::from(size.cpu_units) / f64::from(UNITS_PER_VCPU)
}

/// Sizes, modes and workers of these cells.
pub(super) fn space(cells: &[&Cell]) -> Space {
    let sizes: BTreeSet<(u32, u32)> = cells
        .iter()
        .map(|cell| (cell.cpu_units, cell.memory_mib))
        .collect();
    let modes: BTreeSet<Mode> = cells.iter().map(|cell| cell.mode).collect();
    let workers: BTreeSet<u32> = cells.iter().map(|cell| cell.concurrency).collect();
    let known: HashSet<(u32, u32, Mode, u32)> = cells
        .iter()
        .map(|cell| (cell.cpu_units, cell.memory_mib, cell.mode, cell.concurrency))
        .collect();
    let sizes = sizes
        .into_iter()
        .map(|(cpu_units, memory_mib)| Size {
            cpu_units,
            memory_mib,
        })
        .collect();
    Space::new(
        sizes,
        modes.into_iter().collect(),
        workers.into_iter().collect(),
        |size, mode, workers| known.contains(&(size.cpu_units, size.memory_mib, mode, workers)),
    )
}
