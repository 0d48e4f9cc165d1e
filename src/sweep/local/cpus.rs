//! Which CPUs a cell and its server get, and why a cell cannot run on this machine.

use super::super::attempt::CannotRun;
#[cfg(target_os = "linux")]
use super::enter;
use crate::cell::{Cell, UNITS_PER_VCPU};
use crate::exit::{Exit, Failure};

pub(super) fn too_large(cell: &Cell, cpus: usize) -> CannotRun {
    let wanted = cell.vcpu() * f64::from(cell.shards);
    let failure = Failure::new(
        Exit::Usage,
        format!("{cell} needs {wanted} vCPUs, and this machine has {cpus} CPUs"),
    );
    CannotRun {
        is_too_large: true,
        failure: failure.hint(format!("no configuration gets more vCPUs than there are CPUs: name smaller sizes with --vcpu, up to {cpus}, or measure on Fargate with --on ecs")),
    }
}

pub(super) fn no_quota(cell: &Cell) -> CannotRun {
    let failure = Failure::new(
        Exit::SetUp,
        format!(
            "{cell}: this machine cannot limit a process to {} vCPU",
            cell.vcpu()
        ),
    );
    CannotRun {
        is_too_large: false,
        failure: failure.hint("it takes a control group (root) or systemd-run --user; whole vCPUs work without them: --vcpu 1"),
    }
}

pub(super) fn no_quota_of_server(cpu_units: u32) -> CannotRun {
    let vcpu = f64::from(cpu_units) / f64::from(UNITS_PER_VCPU);
    let failure = Failure::new(
        Exit::SetUp,
        format!("this machine cannot limit a server to {vcpu} vCPU"),
    );
    CannotRun {
        is_too_large: false,
        failure: failure.hint("it takes a control group (root) or systemd-run --user; whole vCPUs work without them: --server-vcpu 1"),
    }
}

/// CPUs that a shard can be on: its vCPU, rounded up.
pub(super) fn cpus_each(cell: &Cell) -> usize {
    usize::try_from(cell.cpu_units.div_ceil(UNITS_PER_VCPU)).unwrap_or(usize::MAX)
}

/// CPUs that a cell needs.
pub(super) fn needed(cell: &Cell) -> usize {
    usize::try_from(cell.shards)
        .unwrap_or(usize::MAX)
        .saturating_mul(cpus_each(cell))
}

/// The last `needed` CPUs for the cell, and those that are left.
pub(super) fn split(cpus: &[u32], needed: usize) -> (&[u32], &[u32]) {
    let (rest, client) = cpus.split_at(cpus.len().saturating_sub(needed));
    (client, rest)
}

/// Every thread of a process; those that it starts later inherit. One that is gone by now needs no place, and a machine that refuses leaves all
/// where they were, which the record does not claim otherwise: it names the CPUs of the cell alone.
pub(super) fn place_threads(pid: u32, cpus: &[u32]) {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    for thread in threads
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(rustix::process::Pid::from_raw)
    {
        #[cfg(target_os = "linux")]
        enter::pin(Some(thread), cpus)
            .unwrap_or_else(|error| tracing::debug!(%error, "a thread was not placed"));
        #[cfg(not(target_os = "linux"))]
        let _ = (thread, cpus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Program;
    use crate::plan::{ClientKind, Mode};

    fn cell(cpu_units: u32, shards: u32) -> Cell {
        Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units,
            memory_mib: 1024,
            mode: Mode::Async,
            concurrency: 1,
            shards,
            factors: crate::plan::Factors::default(),
        }
    }

    #[test]
    fn a_part_of_a_vcpu_takes_a_whole_cpu() {
        assert_eq!(
            [(256, 1), (1024, 1), (2048, 1), (512, 3)]
                .map(|(units, shards)| needed(&cell(units, shards))),
            [1, 1, 2, 3]
        );
    }

    #[test]
    fn the_server_gets_what_the_cell_leaves() {
        assert_eq!(split(&[0, 1, 2, 3], 1), (&[3][..], &[0, 1, 2][..]));
        assert_eq!(split(&[0, 1], 2), (&[0, 1][..], &[][..]));
        assert_eq!(split(&[0, 1], 5), (&[0, 1][..], &[][..]));
    }

    #[test]
    fn a_part_of_a_vcpu_that_cannot_be_limited_names_what_works() {
        let refused = no_quota(&cell(512, 1)).failure;
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
