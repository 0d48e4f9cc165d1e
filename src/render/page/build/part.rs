//! What the page is made of: sizes, programs, and each program's share of the study.

use crate::analysis::{CellReport, Recommendation, Study};
use crate::cell::{Cell, Program};
use crate::plan::Factors;
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

/// What a part of the page shows: a program, with one server and one value of each other factor.
pub(super) type PartKey<'a> = (&'a Program, &'a Factors);

/// The contenders, which somebody brought and asks about, then parfetch's own clients.
pub(super) fn programs(study: &Study) -> Vec<PartKey<'_>> {
    let mut programs: Vec<PartKey<'_>> = Vec::new();
    for report in &study.cells {
        let key = (&report.cell.program, &report.cell.factors);
        if !programs.contains(&key) {
            programs.push(key);
        }
    }
    programs.sort_by_key(|(program, _)| program.is_parfetch());
    programs
}

/// A program's share of a study.
pub(super) struct ProgramPart<'a> {
    pub(super) study: &'a Study,
    pub(super) program: &'a Program,
    pub(super) factors: &'a Factors,
    pub(super) sizes: &'a [SizeKey],
    /// What its prices are per.
    pub(super) per: Per,
    /// Places of its cells in the study; the page counts cells in this order.
    pub(super) places: Vec<usize>,
}

impl<'a> ProgramPart<'a> {
    pub(super) fn of(
        study: &'a Study,
        key: PartKey<'a>,
        (sizes, per): (&'a [SizeKey], Per),
    ) -> Self {
        let (program, factors) = key;
        let is_shown = |cell: &Cell| (&cell.program, &cell.factors) == key;
        let places = (0..study.cells.len())
            .filter(|place| is_shown(&study.cells[*place].cell))
            .collect();
        Self {
            study,
            program,
            factors,
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
            .find(|found| (&found.program, &found.factors) == (self.program, self.factors))
    }
}
