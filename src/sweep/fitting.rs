//! Which cells of a plan a place can hold, and what to know of the plan before it runs.

use super::attempt::Misfit;
use super::job::{Job, Oversize};
use super::matrix::cells;
use super::place::Place;
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::stats::family::can_reach;

/// What `compare` tests at.
const ALPHA: f64 = 0.05;

/// The cells that this place can hold.
pub(super) fn fitting(job: &Job, place: &Place) -> Result<(Vec<Cell>, Vec<String>), Failure> {
    let mut warnings = Vec::new();
    let mut left_out: Vec<f64> = Vec::new();
    let mut fitting = Vec::new();
    for cell in cells(&job.plan, &job.sizes) {
        match (place.check(&cell), job.oversize) {
            (Ok(()), _) => fitting.push(cell),
            (Err(Misfit::TooLarge { .. } | Misfit::OverQuota { .. }), Oversize::LeaveOut) => {
                left_out.push(cell.vcpu());
            }
            (Err(misfit), _) => return Err(refusal(&cell, misfit)),
        }
    }
    if !left_out.is_empty() {
        left_out.sort_by(f64::total_cmp);
        left_out.dedup();
        let sizes: Vec<_> = left_out.iter().map(f64::to_string).collect();
        let (than, cure) = match job.fleet {
            Some(_) => (
                "the account may run on Fargate at once",
                "ask for a higher quota: Service Quotas, AWS Fargate",
            ),
            None => ("this machine has", "--on ecs measures them on Fargate"),
        };
        let s = if left_out.iter().any(|vcpu| *vcpu > 1.0) {
            "s"
        } else {
            ""
        };
        warnings.push(format!(
            "left out: {} vCPU{s}, more than {than} ({cure})",
            sizes.join(", ")
        ));
    }
    if fitting.is_empty() {
        let place = if job.fleet.is_some() {
            "the account"
        } else {
            "this machine"
        };
        return Err(Failure::new(
            Exit::Usage,
            format!("the plan has no configuration that fits {place}"),
        )
        .hint("name sizes that it has with --vcpu"));
    }
    if let Place::Ecs(fleet) = place {
        warnings.extend(fleet.notes.iter().cloned());
    }
    warnings.extend(cannot_tell(fitting.len(), job.plan.repeat));
    Ok((fitting, warnings))
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

fn refusal(cell: &Cell, misfit: Misfit) -> Failure {
    let wanted = cell.vcpu() * f64::from(cell.shards);
    match misfit {
        Misfit::TooLarge { cpus } => Failure::new(Exit::Usage, format!("{cell} needs {wanted} vCPUs, and this machine has {cpus} CPUs"))
            .hint(format!("no configuration gets more vCPUs than there are CPUs: name smaller sizes with --vcpu, up to {cpus}, or measure on Fargate with --on ecs")),
        Misfit::OverQuota { vcpu, is_known } => {
            let quota = if is_known { "the account's quota" } else { "a new account's quota" };
            Failure::new(Exit::Usage, format!("{cell} needs {wanted} vCPUs at once, and {quota} of Fargate is {vcpu}"))
                .hint("name smaller sizes with --vcpu, or ask for a higher quota: Service Quotas, AWS Fargate")
        }
        Misfit::TooManyTasks { most } => Failure::new(Exit::Usage, format!("{cell} needs {} tasks at once, and --max-tasks is {most}", cell.shards))
            .hint(format!("a shard is a task: --max-tasks {}", cell.shards)),
        Misfit::NoQuota => {
            Failure::new(Exit::SetUp, format!("{cell}: this machine cannot limit a process to {} vCPU", cell.vcpu()))
                .hint("it takes a control group (root) or systemd-run --user; whole vCPUs work without them: --vcpu 1")
        }
    }
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

    #[test]
    fn a_part_of_a_vcpu_that_cannot_be_limited_names_what_works() {
        let program = crate::cell::Program::Client(crate::plan::ClientKind::Lean);
        let cell = Cell {
            program,
            cpu_units: 512,
            memory_mib: 1_024,
            mode: crate::plan::Mode::Async,
            concurrency: 8,
            shards: 1,
        };
        let refused = refusal(&cell, Misfit::NoQuota);
        assert!(
            refused
                .message
                .ends_with(": this machine cannot limit a process to 0.5 vCPU"),
            "{}",
            refused.message
        );
        assert!(
            refused
                .hint
                .unwrap()
                .ends_with("whole vCPUs work without them: --vcpu 1")
        );
    }
}
