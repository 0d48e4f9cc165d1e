//! Which configurations of parfetch have room for their workers, by what a worker needs at the most: no others are measured.

use super::launcher::PlaceFacts;
use crate::cell::Cell;
use crate::platform::{Environment, Sources, inspect, limits};
use crate::run::most_workers;

/// What there is for workers besides the memory of their size.
pub(super) struct WorkerRoom {
    environment: Environment,
    files: Option<u64>,
}

impl WorkerRoom {
    /// On this machine what it has; a task has files and processes enough.
    pub(super) async fn of(place: &PlaceFacts) -> Self {
        if !place.is_this_machine {
            return Self {
                environment: Environment::default(),
                files: None,
            };
        }
        Self {
            environment: inspect(&Sources::default()).await,
            files: limits::nofile().1,
        }
    }

    /// What another program needs is not known.
    pub(super) fn holds(&self, cell: &Cell) -> bool {
        let mut environment = self.environment.clone();
        let own = u64::from(cell.memory_mib) << 20;
        let memory = &mut environment.memory.limit_bytes;
        *memory = Some(memory.map_or(own, |machine| machine.min(own)));
        !cell.program.is_parfetch()
            || u64::from(cell.concurrency) <= most_workers(cell.mode, &environment, self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Mode;

    #[test]
    fn a_size_holds_as_many_workers_as_its_memory() {
        let room = WorkerRoom {
            environment: Environment::default(),
            files: None,
        };
        let cell = |mode, concurrency| Cell {
            memory_mib: 512,
            mode,
            concurrency,
            ..crate::sweep::fixture::cell()
        };
        // (512 MiB − 64 MB) ÷ 12 MB = 39.
        assert!(room.holds(&cell(Mode::Process, 39)) && !room.holds(&cell(Mode::Process, 40)));
        assert!(room.holds(&cell(Mode::Async, 256)));
    }
}
