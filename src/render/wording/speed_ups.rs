//! How much faster configurations are than one of them, or than a contender with the same factors.

use super::matrix::{Shown, Table, tables};
use crate::analysis::model::{Against, CellReport, Study};
use crate::cell::Program;

/// Ratios of times against one configuration, or against a contender.
pub(crate) struct SpeedUps<'a> {
    pub(crate) title: String,
    /// Without the rows and columns that have none.
    pub(crate) table: Table<'a>,
    kind: Against,
    against: &'a Program,
}

impl SpeedUps<'_> {
    pub(crate) fn of(&self, cell: Option<&CellReport>) -> Shown {
        speed_up(cell, self.kind, self.against)
    }
}

/// Tables of speed-ups that there is something to say in.
pub(crate) fn speed_ups(study: &Study) -> Vec<SpeedUps<'_>> {
    let mut known: Vec<(Against, &Program)> = Vec::new();
    let mut found = Vec::new();
    for one in study.cells.iter().flat_map(|cell| &cell.speed_ups) {
        let (kind, against) = (one.kind, &one.against.program);
        if known.contains(&(kind, against)) {
            continue;
        }
        known.push((kind, against));
        let over = match kind {
            Against::First => one.against.to_string(),
            Against::Contender => format!("{} with the same factors", against.name()),
        };
        for table in tables(study) {
            let table = table.only(|cell| speed_up(cell, kind, against) != Shown::Nothing);
            let mut programs: Vec<&str> = table
                .rows
                .iter()
                .map(|row| row.curve.program.name())
                .collect();
            programs.dedup();
            if !programs.is_empty() {
                let title = format!(
                    "Speed-up of {} over {over} (start + fetch time)",
                    programs.join(" and ")
                );
                found.push(SpeedUps {
                    title,
                    table,
                    kind,
                    against,
                });
            }
        }
    }
    found
}

/// What stands in a cell of a table of speed-ups.
fn speed_up(cell: Option<&CellReport>, kind: Against, against: &Program) -> Shown {
    let found = cell.and_then(|cell| {
        cell.speed_ups
            .iter()
            .find(|found| found.kind == kind && found.against.program == *against)
    });
    found.map_or(Shown::Nothing, |found| Shown::Figure {
        value: found.ratio,
        interval: found.interval,
        marks: String::new(),
        is_chosen: false,
    })
}
