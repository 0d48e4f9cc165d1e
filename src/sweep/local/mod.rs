//! Repetitions on this machine: each a fresh process (one a shard) held to its cell's size, beside a server that is not.
//!
//! Owns who runs on which CPUs, what a repetition's processes are told, and how their results become a record.

mod confine;
mod enter;
mod launch;
mod logs;
mod outcome;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

pub use enter::{Confinement, become_program};

use self::confine::{Confiner, Size};
use self::launch::{Job, Launcher};
use super::attempt::{Attempt, Misfit};
use super::environment::RunTemplate;
use super::plan::Contender;
use crate::cell::{Cell, Program, UNITS_PER_VCPU};
use crate::exit::Signal;
use crate::platform::Sources;
use crate::platform::limits;
use crate::results::record::{Limited, Record, SweepFacts};
use crate::server::Embedded;
use crate::store::Bucket;

/// This machine as a place to run cells.
#[derive(Debug)]
pub(super) struct Local {
    launcher: Launcher,
    cpus: Vec<u32>,
    neighbour: Neighbour,
}

/// The server, seen from the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// The embedded one: it gets CPUs of its own while there are any.
    Embedded,
    /// One on this machine that is not ours to place.
    ThisMachine,
    /// Elsewhere.
    None,
}

/// What a repetition needs beside its place in the order.
pub(super) struct Scene<'a> {
    pub(super) facts: &'a SweepFacts,
    pub(super) contenders: &'a [Contender],
    pub(super) template: &'a RunTemplate,
    pub(super) server: Option<&'a mut Embedded>,
    /// Where contenders put their results, when that is not the embedded server's folder.
    pub(super) results: Option<&'a mut Bucket>,
}

impl Local {
    /// Finds out what can be held how. `folder` is the sweep's, which is locked: what a killed sweep left behind that wrote to the same one is ended.
    pub(super) fn new(
        folder: &Path,
        executable: PathBuf,
        (time_limit, neighbour): (Duration, Neighbour),
    ) -> Self {
        let place = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let name = format!(
            "parfetch-{}",
            &crate::lister::sha256_hex(place.as_os_str().as_encoded_bytes())[..12]
        );
        let confiner = Sources::default().with_roots(|roots| Confiner::probe(roots, &name));
        confiner.clean();
        Self {
            launcher: Launcher {
                confiner,
                executable,
                time_limit,
            },
            cpus: limits::cpus(),
            neighbour,
        }
    }

    /// Whether a cell can run here.
    pub(super) fn check(&self, cell: &Cell) -> Result<(), Misfit> {
        if self.cpus.len() < needed(cell) {
            return Err(Misfit::TooLarge {
                cpus: self.cpus.len(),
            });
        }
        self.launcher
            .confiner
            .means(cell.cpu_units)
            .map(|_| ())
            .ok_or(Misfit::NoQuota)
    }

    /// How cells are held here, in words; for the start of a sweep.
    pub(super) fn words(&self, cell: &Cell) -> String {
        let limited = self.limited(cell);
        let memory = limited.memory.map_or_else(
            || "memory not limited".to_owned(),
            |means| format!("memory by {}", means.as_str()),
        );
        format!("vCPU by {}, {memory}", limited.cpu.as_str())
    }

    /// How this cell is held.
    pub(super) fn limited(&self, cell: &Cell) -> Limited {
        let (client, rest) = split(&self.cpus, needed(cell));
        let shared_with_server = match self.neighbour {
            Neighbour::Embedded => Some(rest.is_empty()),
            Neighbour::ThisMachine => Some(true),
            Neighbour::None => None,
        };
        Limited {
            cpu: self
                .launcher
                .confiner
                .means(cell.cpu_units)
                .expect("the cell was checked"),
            memory: self.launcher.confiner.memory_means(),
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
    pub(super) async fn attempt(
        &self,
        attempt: &Attempt,
        scene: &mut Scene<'_>,
        stop: watch::Receiver<Option<Signal>>,
    ) -> io::Result<Option<Record>> {
        let Scene {
            facts,
            contenders,
            template,
            server,
            results,
        } = scene;
        let cell = attempt.cell();
        let limited = self.limited(cell);
        self.place(cell, server.as_deref());
        if let Some(server) = server {
            server.reset().await.map_err(io::Error::other)?;
        }
        let jobs = self.jobs(attempt, (template, contenders), &limited)?;
        let size = Size {
            cpu_units: cell.cpu_units,
            memory_mib: cell.memory_mib,
        };
        let Some(launched) = self.launcher.run(&jobs, size, stop).await? else {
            return Ok(None);
        };
        let used = match server {
            Some(server) => Some(outcome::server_use(
                &server.report().await.map_err(io::Error::other)?,
            )),
            None => None,
        };
        let failure = outcome::failure_of(&launched, (cell, self.launcher.time_limit), &jobs);
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
            outcome::drop_logs(&jobs);
        }
        Ok(Some(record))
    }

    fn jobs(
        &self,
        attempt: &Attempt,
        (template, contenders): (&RunTemplate, &[Contender]),
        limited: &Limited,
    ) -> io::Result<Vec<Job>> {
        let cell = attempt.cell();
        let command = match &cell.program {
            Program::Client(_) => vec![
                self.launcher.executable.clone().into_os_string(),
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
                Ok(Job {
                    command: command.clone(),
                    environment: template.environment(attempt, shard),
                    dir,
                    cpus: cpus.to_vec(),
                })
            })
            .collect()
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
}
