//! Repetitions on this machine: each a fresh process (one a shard) held to its cell's size, beside a server that is not.
//! Owns who runs on which CPUs, what a repetition's processes are told, and how their results become a record.

mod commands;
mod confine;
mod contender;
mod cpus;
mod enter;
mod guard;
mod launch;
mod left;
mod logs;
mod outcome;
mod port;
mod programs;
mod web_server;

use std::collections::BTreeSet;
use std::io;

use async_trait::async_trait;
use tokio::sync::watch;

pub use enter::{Confinement, become_program};
pub use guard::end_with_sweep;
pub(in crate::sweep) use programs::check_programs;

use self::commands::{processes, values};
use self::confine::{CellSize, Confiner};
use self::cpus::{needed, no_quota, no_quota_of_server, place_threads, split, too_large};
use self::launch::{ProcessSpec, ProcessStarter};
use self::port::free_port;
use self::web_server::{ServerEnd, ServerSpec, ServerStart, WebServer};
use super::attempt::{Attempt, Awaited, CannotRun, Finished};
use super::environment::RunTemplate;
use super::factors::is_free;
use super::launcher::{
    Launcher, LauncherSetup, LimitWords, OnEvent, PlaceFacts, RepetitionContext,
};
use super::requests::drop_urls;
use crate::cell::{Cell, UNITS_PER_VCPU};
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::plan::factors::SERVER;
use crate::platform::Sources;
use crate::platform::limits;
use crate::results::record::{ContenderResult, Limited, Record};
use crate::server::Embedded;

/// Folder of a server's output, in that of the attempt.
const SERVER_DIR: &str = "server";

/// This machine as a place to run cells.
#[derive(Debug)]
pub(super) struct Local {
    starter: ProcessStarter,
    cpus: Vec<u32>,
    neighbour: Neighbour,
    /// vCPU × 1024 of a server that is started for each repetition.
    server_units: Option<u32>,
    /// What was said of servers.
    warned: BTreeSet<String>,
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
            starter: ProcessStarter::new(confiner, setup),
            cpus: limits::cpus(),
            neighbour: neighbour(setup),
            server_units: setup.server_units,
            warned: BTreeSet::new(),
            taken: None,
        }
    }

    /// How this cell is held.
    fn limited(&self, cell: &Cell) -> Limited {
        let (client, rest) = split(&self.cpus, needed(cell));
        let shared_with_server = match self.neighbour {
            _ if self.server_units.is_some() => Some(rest.is_empty()),
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
        &mut self,
        attempt: &Attempt,
        context: &mut RepetitionContext<'_>,
        mut run: Ongoing<'_, '_>,
    ) -> io::Result<Option<Record>> {
        let cell = attempt.cell();
        self.place(cell, context.server.as_deref());
        let started = match self.serve(attempt, context, run.stop.clone()).await? {
            None => None,
            Some(ServerStart::Ready(server)) => Some(server),
            Some(ServerStart::Stopped) => return Ok(None),
            Some(ServerStart::Failed(failure)) => {
                return Ok(Some(Record {
                    failure: Some(failure),
                    ..attempt.record(context.facts, self.limited(cell))
                }));
            }
        };
        let Some(mut server) = started else {
            return self.measure(attempt, context, (run.stop, None)).await;
        };
        let port = server.port();
        let measured = tokio::select! {
            measured = self.measure(attempt, context, (run.stop.clone(), Some(port))) => measured,
            () = server.keep_small() => unreachable!("this has no end"),
        };
        let used = server.used();
        let ServerEnd { died, warnings } = server.end().await?;
        for warning in warnings {
            self.warn(warning, &mut run);
        }
        let record = measured?.map(|record| Record {
            started_server: Some(used),
            // Rows that failed because nobody answered say nothing of the server that was to be measured.
            failure: died.or(record.failure),
            ..record
        });
        if matches!(&record, Some(Record { failure: None, .. })) {
            let _gone = std::fs::remove_dir_all(attempt.dir.join(SERVER_DIR));
        }
        Ok(record)
    }

    /// Says something once in a sweep.
    fn warn(&mut self, warning: String, run: &mut Ongoing<'_, '_>) {
        if self.warned.insert(warning.clone()) {
            (run.on_event)(&SweepEvent::Warning(warning));
        }
    }

    /// Starts the server of an attempt; `None` when it has none.
    async fn serve(
        &self,
        attempt: &Attempt,
        context: &RepetitionContext<'_>,
        stop: watch::Receiver<Option<Signal>>,
    ) -> io::Result<Option<ServerStart>> {
        let cell = attempt.cell();
        let Some(name) = cell.factors.get(SERVER) else {
            return Ok(None);
        };
        let program = context
            .plan
            .server
            .iter()
            .find(|server| server.name == name);
        let program = program.ok_or_else(|| io::Error::other(format!("no command for {name}")))?;
        let rules = context.plan.server_rules();
        let port = free_port()?;
        let values = values(attempt, context.template, Some(port))?;
        let mut environment = context.template.of_server();
        environment.extend(values.environment(&program.environment)?);
        let spec = ServerSpec {
            name,
            process: ProcessSpec {
                command: values.command(&program.command)?,
                environment,
                dir: attempt.dir.join(SERVER_DIR),
                cpus: self.cpus_of_server(cell, rules.cpu_units),
            },
            port,
            rules: &rules,
        };
        WebServer::start(&self.starter, spec, stop).await.map(Some)
    }

    /// What the cell leaves, as many as the server's vCPU take; of all where it leaves none.
    fn cpus_of_server(&self, cell: &Cell, cpu_units: u32) -> Vec<u32> {
        let (_, rest) = split(&self.cpus, needed(cell));
        let cpus = if rest.is_empty() {
            self.cpus.as_slice()
        } else {
            rest
        };
        let most = usize::try_from(cpu_units.div_ceil(UNITS_PER_VCPU)).unwrap_or(usize::MAX);
        cpus[..most.min(cpus.len())].to_vec()
    }

    /// Runs what is measured; `None` when `stop` came first.
    async fn measure(
        &self,
        attempt: &Attempt,
        context: &mut RepetitionContext<'_>,
        (stop, port): (watch::Receiver<Option<Signal>>, Option<u16>),
    ) -> io::Result<Option<Record>> {
        let RepetitionContext {
            facts,
            plan,
            template,
            server,
            results,
        } = context;
        let cell = attempt.cell();
        let limited = self.limited(cell);
        if let Some(server) = server {
            server.reset().await.map_err(io::Error::other)?;
        }
        let values = values(attempt, template, port)?;
        let processes = processes(
            &self.starter.executable,
            (attempt, &values),
            template,
            &limited,
        )?;
        let size = CellSize {
            cpu_units: cell.cpu_units,
            memory_mib: Some(cell.memory_mib),
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
        match template.contender(attempt) {
            None => outcome::add_summaries(&mut record, &attempt.dir),
            Some(contender) if contender.is_timed() => {
                record.contender = Some(ContenderResult::timed(launched.outside.wall_ns));
            }
            Some(contender) => {
                let key = values.fill(contender.csv())?;
                let expected = (!is_free(plan, contender)).then_some(template.expected);
                let left = (*template, results.as_deref_mut());
                contender::add_result(&mut record, (attempt, &key), left, expected).await;
            }
        }
        if record.failure.is_none() {
            outcome::drop_logs(&processes);
        }
        drop_urls(&attempt.dir);
        Ok(Some(record))
    }
}

/// What an attempt listens to, and what it says.
struct Ongoing<'a, 'b> {
    stop: watch::Receiver<Option<Signal>>,
    on_event: &'a mut OnEvent<'b>,
}

/// What this machine is as a place.
pub(super) const FACTS: PlaceFacts = PlaceFacts {
    name: "local",
    consent: None,
    is_this_machine: true,
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
        let means = |units| self.starter.confiner.means(units);
        if means(cell.cpu_units).is_none() {
            return Err(no_quota(cell));
        }
        match self.server_units.filter(|units| means(*units).is_none()) {
            Some(units) => Err(no_quota_of_server(units)),
            None => Ok(()),
        }
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
        let cpu = limited.cpu.as_str();
        match limited.memory {
            Some(means) if means == limited.cpu => format!("vCPUs and memory limited by {cpu}"),
            Some(means) => format!("vCPUs limited by {cpu}, memory by {}", means.as_str()),
            None => format!("vCPUs limited by {cpu}, memory not limited"),
        }
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
        on_event: &mut OnEvent<'_>,
    ) -> Result<Awaited, Failure> {
        let attempt = *self.taken.take().expect("something was taken on");
        let run = Ongoing { stop, on_event };
        let record = self.attempt(&attempt, &mut context, run).await;
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
    match (setup.is_embedded, setup.is_source_here) {
        (true, _) => Neighbour::Embedded,
        (false, true) => Neighbour::ThisMachine,
        (false, false) => Neighbour::None,
    }
}
