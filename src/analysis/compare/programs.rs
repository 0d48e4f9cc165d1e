//! Two programs of one sweep as two sets: measured in the same rounds, so that time cannot be what differs.

use crate::analysis::model::Study;
use crate::cell::Program;

/// The cells of one program alone, under the name of another, so that they meet that one's. Empty where no study has it.
pub(super) fn of_program(studies: &[Study], name: &str, under: &Program) -> Vec<Study> {
    let only = |study: &Study| {
        let mut study = study.clone();
        study.cells.retain(|cell| cell.cell.program.name() == name);
        for cell in &mut study.cells {
            cell.cell.program = under.clone();
        }
        (study.curves, study.recommendations) = (Vec::new(), Vec::new());
        study
    };
    studies
        .iter()
        .map(only)
        .filter(|study| !study.cells.is_empty())
        .collect()
}

/// The program of this name; `None` where no study has it.
pub(super) fn named(studies: &[Study], name: &str) -> Option<Program> {
    studies
        .iter()
        .flat_map(|study| &study.cells)
        .map(|cell| &cell.cell.program)
        .find(|program| program.name() == name)
        .cloned()
}
