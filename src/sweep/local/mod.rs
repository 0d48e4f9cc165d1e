//! Repetitions on this machine: each a fresh process (one a shard) held to its cell's size, beside a server that is not.
//!
//! Owns who runs on which CPUs, what a repetition's processes are told, and how their results become a record.

mod confine;
mod enter;
mod launch;
mod logs;
mod outcome;

use std::io;

use async_trait::async_trait;
use tokio::sync::watch;

pub use enter::{Confinement, become_program};

use self::confine::{CellSize, Confiner};
use self::launch::{ProcessSpec, ProcessStarter};
use super::attempt::{Attempt, Awaited, CannotRun, Finished};
use super::environment::RunTemplate;
use super::launcher::{
    Launcher, LauncherSetup, LimitWords, OnEvent, PlaceFacts, RepetitionContext,
};
use super::plan::Contender;
use crate::cell::{Cell, Program, UNITS_PER_VCPU};
use crate::exit::{Exit, Failure, Signal};
use crate::platform::Sources;
use crate::platform::limits;
use crate::results::record::{Limited, Record};
use crate::server::Embedded;

/// This machine as a place to run cells.
#[derive(Debug)]
pub(super) struct Local {
    starter: ProcessStarter,
    cpus: Vec<u32>,
    neighbour: Neighbour,
    /// What was taken and has not begun.
    taken: Option<Box<Attempt>>,
}

/// The server, seen from the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbour {
    /// The embedded one: it gets CPUs of its own while there are any.
    Embedded,
    /// One on this machine that is not ours to place.
    ThisMachine,
    /// Elsewhere.
    None,
}

impl Local {
    /// Finds out what can be held how. What a killed sweep left behind that wrote to the same folder is ended.
    pub(super) fn new(setup: &LauncherSetup<'_>) -> Self {
        let folder =
            std::fs::canonicalize(setup.folder).unwrap_or_else(|_| setup.folder.to_owned());
        let name = format!(
            "parfetch-{}",
            &crate::lister::sha256_hex(folder.as_os_str().as_encoded_bytes())[..12]
        );
        let confiner = Sources::default().with_roots(|roots| Confiner::probe(roots, &name));
        confiner.clean();
        Self {
            starter: ProcessStarter {
                confiner,
                executable: setup.executable.to_owned(),
                time_limit: setup.time_limit,
            },
            cpus: limits::cpus(),
            neighbour: neighbour(setup),
            taken: None,
        }
    }

    /// How this cell is held.
    fn limited(&self, cell: &Cell) -> Limited {
        let (client, rest) = split(&self.cpus, needed(cell));
        let shared_with_server = match self.neighbour {
            Neighbour::Embedded => Some(rest.is_empty()),
            Neighbour::ThisMachine => Some(true),
            Neighbour::None => None,
        };
        Limited {
            cpu: self
                .starter
                .confiner
                .means(cell.cpu_units)
                .expect("the cell was checked"),
            memory: self.starter.confiner.memory_means(),
            cpus: client.to_vec(),
            machine_cpus: u32::try_from(self.cpus.len()).ok(),
            shared_with_server,
        }
    }

    /// Puts the server and this process on the CPUs that the cell leaves free; on all when it leaves none.
    fn place(&self, cell: &Cell, server: Option<&Embedded>) {
        let (_, rest) = split(&self.cpus, needed(cell));
        let cpus = if rest.is_empty() {
            self.cpus.as_slice()
        } else {
            rest
        };
        if let Some(pid) = server.and_then(Embedded::pid) {
            place_threads(pid, cpus);
        }
        place_threads(std::process::id(), cpus);
    }

    /// Runs one attempt to its end; `None` when `stop` came first.
    ///
    /// # Errors
    /// What the machine refused: the attempt does not count.
    async fn attempt(
        &self,
        attempt: &Attempt,
        context: &mut RepetitionContext<'_>,
        stop: watch::Receiver<Option<Signal>>,
    ) -> io::Result<Option<Record>> {
        let RepetitionContext {
            facts,
            contenders,
            template,
            server,
            results,
        } = context;
        let cell = attempt.cell();
        let limited = self.limited(cell);
        self.place(cell, server.as_deref());
        if let Some(server) = server {
            server.reset().await.map_err(io::Error::other)?;
        }
        let processes = self.processes(attempt, (template, contenders), &limited)?;
        let size = CellSize {
            cpu_units: cell.cpu_units,
            memory_mib: cell.memory_mib,
        };
        let Some(launched) = self.starter.run(&processes, size, stop).await? else {
            return Ok(None);
        };
        let used = match server {
            Some(server) => Some(outcome::server_use(
                &server.report().await.map_err(io::Error::other)?,
            )),
            None => None,
        };
        let failure = outcome::failure_of(&launched, (cell, self.starter.time_limit), &processes);
        let mut record = Record {
            failure,
            outside: Some(launched.outside),
            server: used,
            ..attempt.record(facts, limited)
        };
        if cell.program.is_parfetch() {
            outcome::add_summaries(&mut record, &attempt.dir);
        } else {
            outcome::add_contender(
                &mut record,
                (&attempt.dir, &template.tag(attempt)),
                (template, results.as_deref_mut()),
            )
            .await;
        }
        if record.failure.is_none() {
            outcome::drop_logs(&processes);
        }
        Ok(Some(record))
    }

    fn processes(
        &self,
        attempt: &Attempt,
        (template, contenders): (&RunTemplate, &[Contender]),
        limited: &Limited,
    ) -> io::Result<Vec<ProcessSpec>> {
        let cell = attempt.cell();
        let command = match &cell.program {
            Program::Client(_) => vec![
                self.starter.executable.clone().into_os_string(),
                "run".into(),
            ],
            Program::Contender(name) => {
                let contender = contenders.iter().find(|contender| contender.name == *name);
                let words = contender.and_then(|contender| shlex::split(&contender.command));
                words
                    .ok_or_else(|| io::Error::other(format!("no command for {name}")))?
                    .into_iter()
                    .map(Into::into)
                    .collect()
            }
        };
        let each = cpus_each(cell);
        let cpus = limited.cpus.chunks(each.max(1));
        (0..cell.shards)
            .zip(cpus)
            .map(|(shard, cpus)| {
                let dir = if cell.shards > 1 {
                    attempt.dir.join(format!("shard-{shard}"))
                } else {
                    attempt.dir.clone()
                };
                std::fs::create_dir_all(&dir)?;
                Ok(ProcessSpec {
                    command: command.clone(),
                    environment: template.environment(attempt, shard),
                    dir,
                    cpus: cpus.to_vec(),
                })
            })
            .collect()
    }
}

/// What this machine is as a place.
pub(super) const FACTS: PlaceFacts = PlaceFacts {
    name: "local",
    consent: None,
    is_in_region: false,
    stores_results: false,
    left_running: None,
    prices: "on demand",
};

#[async_trait(?Send)]
impl Launcher for Local {
    fn check(&self, cell: &Cell) -> Result<(), CannotRun> {
        let cpus = self.cpus.len();
        if cpus < needed(cell) {
            return Err(too_large(cell, cpus));
        }
        self.starter
            .confiner
            .means(cell.cpu_units)
            .map(|_| ())
            .ok_or_else(|| no_quota(cell))
    }

    fn limit_words(&self) -> LimitWords {
        LimitWords {
            holder: "this machine",
            most: "this machine has",
            cure: "--on ecs measures them on Fargate",
        }
    }

    fn words(&self, cell: &Cell) -> String {
        let limited = self.limited(cell);
        let memory = limited.memory.map_or_else(
            || "memory not limited".to_owned(),
            |means| format!("memory by {}", means.as_str()),
        );
        format!("vCPU by {}, {memory}", limited.cpu.as_str())
    }

    fn has_room(&self, _: &Cell) -> bool {
        self.taken.is_none()
    }

    fn is_idle(&self) -> bool {
        self.taken.is_none()
    }

    fn take(&mut self, attempt: Attempt, _: &RunTemplate) -> Result<(), Failure> {
        self.taken = Some(Box::new(attempt));
        Ok(())
    }

    async fn next(
        &mut self,
        mut context: RepetitionContext<'_>,
        stop: watch::Receiver<Option<Signal>>,
        _: &mut OnEvent<'_>,
    ) -> Result<Awaited, Failure> {
        let attempt = *self.taken.take().expect("something was taken on");
        let record = self.attempt(&attempt, &mut context, stop).await;
        let cell = attempt.cell();
        let record = record
            .map_err(|error| Failure::new(Exit::SetUp, format!("cannot run {cell}: {error}")))?;
        if let Some(record) = record {
            return Ok(Awaited::Finished(Box::new(Finished { attempt, record })));
        }
        // Nothing of it counts; the next attempt gets a folder of its own either way.
        let _kept = std::fs::remove_dir_all(&attempt.dir);
        Ok(Awaited::Stopped)
    }
}

/// Where the server runs, seen from the CPUs.
fn neighbour(setup: &LauncherSetup<'_>) -> Neighbour {
    if setup.is_embedded {
        Neighbour::Embedded
    } else if setup.access.is_on_this_machine() {
        Neighbour::ThisMachine
    } else {
        Neighbour::None
    }
}

fn too_large(cell: &Cell, cpus: usize) -> CannotRun {
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

fn no_quota(cell: &Cell) -> CannotRun {
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

/// CPUs that a shard can be on: its vCPU, rounded up.
fn cpus_each(cell: &Cell) -> usize {
    usize::try_from(cell.cpu_units.div_ceil(UNITS_PER_VCPU)).unwrap_or(usize::MAX)
}

/// CPUs that a cell needs.
fn needed(cell: &Cell) -> usize {
    usize::try_from(cell.shards)
        .unwrap_or(usize::MAX)
        .saturating_mul(cpus_each(cell))
}

/// The last `needed` CPUs for the cell, and those that are left.
fn split(cpus: &[u32], needed: usize) -> (&[u32], &[u32]) {
    let (rest, client) = cpus.split_at(cpus.len().saturating_sub(needed));
    (client, rest)
}

/// Every thread of a process; those that it starts later inherit. One that is gone by now needs no place, and a machine that refuses leaves all
/// where they were, which the record does not claim otherwise: it names the CPUs of the cell alone.
fn place_threads(pid: u32, cpus: &[u32]) {
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
    use crate::plan::{ClientKind, Mode};

    fn cell(cpu_units: u32, shards: u32) -> Cell {
        Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units,
            memory_mib: 1024,
            mode: Mode::Async,
            concurrency: 1,
            shards,
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
