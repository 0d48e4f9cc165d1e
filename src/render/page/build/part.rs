//! What the page is made of: sizes, programs, and each program's share of the study.

use crate::analysis::{CellReport, Recommendation, Study};
use crate::cell::{Cell, Program};
use crate::render::wording::price::Per;

/// CPU units, MiB, shards: what the page calls a size.
pub(super) type SizeKey = (u32, u32, u32);

pub(super) fn size_of(cell: &Cell) -> SizeKey {
    (cell.cpu_units, cell.memory_mib, cell.shards)
}

/// Every size of the study, ascending.
pub(super) fn sizes(study: &Study) -> Vec<SizeKey> {
    let mut sizes: Vec<SizeKey> = study
        .cells
        .iter()
        .map(|report| size_of(&report.cell))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// parfetch's own clients, then the contenders.
pub(super) fn programs(study: &Study) -> Vec<&Program> {
    let mut programs: Vec<&Program> = Vec::new();
    for report in &study.cells {
        if !programs.contains(&&report.cell.program) {
            programs.push(&report.cell.program);
        }
    }
    programs.sort_by_key(|program| !program.is_parfetch());
    programs
}

/// A program's share of a study.
pub(super) struct ProgramPart<'a> {
    pub(super) study: &'a Study,
    pub(super) program: &'a Program,
    pub(super) sizes: &'a [SizeKey],
    /// What its prices are per.
    pub(super) per: Per,
    /// Places of its cells in the study; the page counts cells in this order.
    pub(super) places: Vec<usize>,
}

impl<'a> ProgramPart<'a> {
    pub(super) fn of(
        study: &'a Study,
        program: &'a Program,
        (sizes, per): (&'a [SizeKey], Per),
    ) -> Self {
        let places = (0..study.cells.len())
            .filter(|place| study.cells[*place].cell.program == *program)
            .collect();
        Self {
            study,
            program,
            sizes,
            per,
            places,
        }
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = &'a CellReport> {
        self.places.iter().map(|place| &self.study.cells[*place])
    }

    /// What is recommended for this program.
    pub(super) fn recommendation(&self) -> Option<&'a Recommendation> {
        self.study
            .recommendations
            .iter()
            .find(|recommendation| recommendation.program == *self.program)
    }
}
