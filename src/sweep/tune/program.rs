//! One program of a tune: its configurations, and the strategy that asks for their runs.

use std::collections::{BTreeSet, HashSet};

use crate::analysis::FirstLook;
use crate::cell::{Cell, Program, UNITS_PER_VCPU};
use crate::plan::{Factors, Mode};
use crate::stats::location::median;
use crate::tune::{Found, Size, Space, TuneQuestion, Tuner};

/// The configurations of one program, and the strategy that asks for their runs.
pub(super) struct ProgramTune {
    pub(super) program: Program,
    pub(super) tuner: Tuner,
    /// By their places in the space.
    pub(super) cells: Vec<Cell>,
    pub(super) found: Option<Found>,
    /// The seconds of fetching of the runs of each configuration.
    pub(super) fetched_s: Vec<Vec<f64>>,
}

impl ProgramTune {
    /// Of these configurations; `question` asks for its space.
    pub(super) fn new(
        program: &Program,
        cells: &[Cell],
        question: impl Fn(Space) -> TuneQuestion,
    ) -> Self {
        let own: Vec<&Cell> = cells
            .iter()
            .filter(|cell| cell.program == *program)
            .collect();
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
                factors: Factors::default(),
            }
        };
        let cells: Vec<Cell> = (0..space.len()).map(cell).collect();
        Self {
            program: program.clone(),
            fetched_s: vec![Vec::new(); cells.len()],
            cells,
            tuner: Tuner::new(question(space)),
            found: None,
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

    /// A run failed: one with more workers of the same size and mode would fail as well.
    pub(super) fn failed(&mut self, config: usize) {
        let of = self.cells[config].clone();
        let like = |cell: &Cell| {
            (cell.cpu_units, cell.memory_mib, cell.mode) == (of.cpu_units, of.memory_mib, of.mode)
                && cell.concurrency > of.concurrency
        };
        self.tuner.failed(config);
        for index in 0..self.cells.len() {
            if like(&self.cells[index]) {
                self.tuner.leave_out(index);
            }
        }
    }
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
