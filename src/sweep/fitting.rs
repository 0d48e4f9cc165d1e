//! Which cells of a plan a place can hold, and what to know of the plan before it runs.

use super::job::{Oversize, SweepJob};
use super::launcher::{Launcher, LimitWords};
use super::matrix::cells;
use super::room::WorkerRoom;
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::results::record::{LeftOutCells, LeftOutReason};

/// Cells that a place can hold, and what to know of the plan.
pub(super) struct Fitting {
    pub(super) cells: Vec<Cell>,
    /// The others. Of a tune those that are too crowded are not among them: it looks for the most workers by itself.
    pub(super) left_out: Vec<LeftOutCells>,
    pub(super) warnings: Vec<String>,
}

/// The cells that this place can hold, and that have room for their workers. A tune also leaves out sizes that nobody asked for.
pub(super) fn fitting(
    job: &SweepJob,
    launcher: &dyn Launcher,
    room: &WorkerRoom,
) -> Result<Fitting, Failure> {
    let mut left_out: Vec<f64> = Vec::new();
    let mut unlimited: Vec<f64> = Vec::new();
    let is_tune = job.plan.tune.is_some();
    let mut crowded = Vec::new();
    let mut fitting = Vec::new();
    for cell in cells(&job.plan, &job.sizes) {
        match (launcher.check(&cell), job.oversize) {
            (Ok(()), Oversize::Refuse | Oversize::LeaveOut) => {
                if room.holds(&cell) {
                    fitting.push(cell);
                } else {
                    crowded.push(cell);
                }
            }
            (Err(reason), Oversize::LeaveOut) if reason.is_too_large => {
                left_out.push(cell.vcpu());
            }
            (Err(_), Oversize::LeaveOut) if is_tune => unlimited.push(cell.vcpu()),
            (Err(reason), Oversize::Refuse | Oversize::LeaveOut) => return Err(reason.failure),
        }
    }
    let LimitWords { holder, most, cure } = launcher.limit_words();
    if fitting.is_empty() {
        let hint = if crowded.is_empty() {
            "name sizes that it has with --vcpu"
        } else {
            "so many workers may need more memory, processes or open files than there are: name fewer with -c"
        };
        return Err(Failure::new(
            Exit::Usage,
            format!("the plan has no configuration that fits {holder}"),
        )
        .hint(hint));
    }
    let mut warnings = Vec::new();
    let crowded_vcpu: Vec<f64> = crowded
        .iter()
        .filter(|_| !is_tune)
        .map(Cell::vcpu)
        .collect();
    let all = [
        (LeftOutReason::TooLarge, left_out.as_slice()),
        (LeftOutReason::NotLimited, &unlimited),
        (LeftOutReason::NoRoom, &crowded_vcpu),
    ];
    let all = all
        .into_iter()
        .filter_map(|(reason, vcpu)| recorded(reason, vcpu))
        .collect();
    if let Some(sizes) = sizes(left_out) {
        warnings.push(format!("left out: {sizes}, more than {most} ({cure})"));
    }
    if let Some(sizes) = sizes(unlimited) {
        warnings.push(format!(
            "left out: {sizes}, to which this machine cannot limit a process (it takes a control group or systemd-run --user)"
        ));
    }
    // A tune looks for the most workers by itself.
    warnings.extend(without_room(&crowded).filter(|_| !is_tune));
    warnings.extend_from_slice(launcher.notes());
    Ok(Fitting {
        cells: fitting,
        left_out: all,
        warnings,
    })
}

/// Cells that are left out, by their vCPUs, as the record has them.
fn recorded(reason: LeftOutReason, of: &[f64]) -> Option<LeftOutCells> {
    let mut vcpu = of.to_vec();
    vcpu.sort_by(f64::total_cmp);
    vcpu.dedup();
    (!of.is_empty()).then_some(LeftOutCells {
        configurations: of.len() as u64,
        vcpu,
        reason,
    })
}

/// What every repetition of these would end with.
fn without_room(cells: &[Cell]) -> Option<String> {
    let first = cells.first()?;
    let which = match cells.len() {
        1 => first.to_string(),
        more => format!("{more} configurations, the first of them {first}"),
    };
    Some(format!(
        "left out: {which}: so many workers may need more memory, processes or open files than there are"
    ))
}

/// `4, 8, 16 vCPUs`
fn sizes(mut vcpu: Vec<f64>) -> Option<String> {
    vcpu.sort_by(f64::total_cmp);
    vcpu.dedup();
    let s = if *vcpu.last()? > 1.0 { "s" } else { "" };
    let sizes: Vec<_> = vcpu.iter().map(f64::to_string).collect();
    Some(format!("{} vCPU{s}", sizes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_named() {
        let cell = crate::sweep::fixture::cell();
        assert_eq!(without_room(&[]), None);
        assert_eq!(
            without_room(&[cell.clone(), cell]).unwrap(),
            "left out: 2 configurations, the first of them 1 vCPU · 2 GB · async × 1 · lean: so many workers may need more memory, processes or open files than there are"
        );
    }
}
