//! Which cells of a plan a place can hold, and what to know of the plan before it runs.

use super::job::{Oversize, SweepJob};
use super::launcher::{Launcher, LimitWords};
use super::matrix::cells;
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::stats::ALPHA;
use crate::stats::rank::fewest_testable;

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
    warnings.extend(cannot_tell(job.plan.repeat));
    Ok(Fitting {
        cells: fitting,
        warnings,
    })
}

/// With too few repetitions no difference between two sweeps can be shown.
fn cannot_tell(repeat: u32) -> Option<String> {
    let enough = fewest_testable(ALPHA);
    if usize::try_from(repeat).ok()? >= enough {
        return None;
    }
    let s = if repeat == 1 { "" } else { "s" };
    Some(format!(
        "{repeat} repetition{s} cannot show a difference between two sweeps, however large it is; {enough} can (--repeat)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_when_its_repetitions_are_too_few() {
        assert_eq!(cannot_tell(4), None);
        assert_eq!(
            cannot_tell(3).unwrap(),
            "3 repetitions cannot show a difference between two sweeps, however large it is; 4 can (--repeat)"
        );
    }
}
