//! Which cells of a plan a place can hold, and what to know of the plan before it runs.

use super::job::{Oversize, SweepJob};
use super::launcher::{Launcher, LimitWords};
use super::matrix::cells;
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::stats::family::can_reach;

/// What `compare` tests at.
const ALPHA: f64 = 0.05;

/// Cells that a place can hold, and what to know of the plan.
pub(super) struct Fitting {
    pub(super) cells: Vec<Cell>,
    pub(super) warnings: Vec<String>,
}

/// The cells that this place can hold.
pub(super) fn fitting(job: &SweepJob, launcher: &dyn Launcher) -> Result<Fitting, Failure> {
    let mut left_out: Vec<f64> = Vec::new();
    let mut fitting = Vec::new();
    for cell in cells(&job.plan, &job.sizes) {
        match (launcher.check(&cell), job.oversize) {
            (Ok(()), Oversize::Refuse | Oversize::LeaveOut) => fitting.push(cell),
            (Err(reason), Oversize::LeaveOut) if reason.is_too_large => {
                left_out.push(cell.vcpu());
            }
            (Err(reason), Oversize::Refuse | Oversize::LeaveOut) => return Err(reason.failure),
        }
    }
    let LimitWords { holder, most, cure } = launcher.limit_words();
    if fitting.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("the plan has no configuration that fits {holder}"),
        )
        .hint("name sizes that it has with --vcpu"));
    }
    let mut warnings = Vec::new();
    if !left_out.is_empty() {
        left_out.sort_by(f64::total_cmp);
        left_out.dedup();
        let sizes: Vec<_> = left_out.iter().map(f64::to_string).collect();
        let s = if left_out.iter().any(|vcpu| *vcpu > 1.0) {
            "s"
        } else {
            ""
        };
        warnings.push(format!(
            "left out: {} vCPU{s}, more than {most} ({cure})",
            sizes.join(", ")
        ));
    }
    warnings.extend_from_slice(launcher.notes());
    warnings.extend(cannot_tell(fitting.len(), job.plan.repeat));
    Ok(Fitting {
        cells: fitting,
        warnings,
    })
}

/// Two sweeps of this plan are compared cell by cell, all of them one family: with too few repetitions nothing in it can be significant.
fn cannot_tell(cells: usize, repeat: u32) -> Option<String> {
    /// More repetitions than that serve any number of cells.
    const MOST: usize = 100;
    let repeat = usize::try_from(repeat).ok()?;
    if can_reach(cells, repeat, ALPHA) {
        return None;
    }
    let enough = (repeat..MOST).find(|more| can_reach(cells, *more, ALPHA));
    let enough = enough.map_or_else(String::new, |enough| format!("; {enough} can"));
    let s = if repeat == 1 { "" } else { "s" };
    Some(format!(
        "{repeat} repetition{s} cannot show a difference between two sweeps of {cells} configurations at 5 %, however large it is{enough} (--repeat)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_when_its_repetitions_are_too_few() {
        // 6 repetitions serve 23 comparisons, 7 serve 85.
        assert_eq!(cannot_tell(23, 6), None);
        assert_eq!(
            cannot_tell(24, 6).unwrap(),
            "6 repetitions cannot show a difference between two sweeps of 24 configurations at 5 %, however large it is; 7 can (--repeat)"
        );
        assert!(cannot_tell(86, 7).unwrap().contains("; 8 can"));
    }
}
