//! The server of one repetition: started anew in a control group of its own, ready before anything is measured, and gone with all that it started
//! before the next one.
//!
//! Ready means: the server that was started here. Nobody answers on its port before it starts, it still runs, it is the one that listens, and it
//! answers as it should.

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::plan::ServerRules;
use super::confine::{CellSize, ControlGroup};
use super::guard::Guarded;
use super::launch::{ProcessSpec, ProcessStarter, last_lines, last_lines_of};
use super::logs::{ProcessLog, finish_all, keep_small};
use super::port::{accepts, status_of};
use crate::exit::Signal as RunSignal;
use crate::platform::clock::now_ns;
use crate::platform::listen;
use crate::platform::usage::{CpuTimes, family, pss_bytes};
use crate::platform::wait::comes;
use crate::results::record::{RepetitionFailure, StartedServer};
use crate::units;

/// Time between two looks at a server that is not ready.
const LOOK: Duration = Duration::from_millis(50);
/// How long a server that was told to end has, before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long its port may stay open after that.
const PORT_PATIENCE: Duration = Duration::from_secs(5);
/// Lines of its output that are kept of a server that failed.
const LINES: usize = 10;
/// Letters of its last line that are part of the reason.
const LETTERS: usize = 200;

/// A server to be started.
pub(super) struct ServerSpec<'a> {
    pub(super) name: &'a str,
    pub(super) process: ProcessSpec,
    pub(super) port: u16,
    pub(super) rules: &'a ServerRules,
}

/// What comes of starting one.
pub(super) enum ServerStart {
    Ready(Box<WebServer>),
    /// It is gone, and this is why.
    Failed(RepetitionFailure),
    /// A signal came first; it is gone.
    Stopped,
}

pub(super) struct WebServer {
    name: String,
    process: ProcessSpec,
    child: Child,
    pid: u32,
    _guarded: Option<Guarded>,
    group: ControlGroup,
    logs: Vec<ProcessLog>,
    port: u16,
    cpu_units: u32,
    ready_ns: u64,
    before: ServerReading,
}

/// Counters of its group.
#[derive(Clone, Copy, Default)]
struct ServerReading {
    cpu: Option<CpuTimes>,
    throttled_ns: Option<u64>,
}

/// How a server ended.
pub(super) struct ServerEnd {
    /// It ended by itself, before it was told to.
    pub(super) died: Option<RepetitionFailure>,
    /// Warnings: what it did not do as it should.
    pub(super) warnings: Vec<String>,
}

impl WebServer {
    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// What this machine refused.
    pub(super) async fn start(
        starter: &ProcessStarter,
        spec: ServerSpec<'_>,
        mut stop: watch::Receiver<Option<RunSignal>>,
    ) -> io::Result<ServerStart> {
        let ServerSpec {
            name,
            process,
            port,
            rules,
        } = spec;
        if accepts(port).await {
            return Ok(ServerStart::Failed(failure(
                format!("port {port} is taken: a program answers there already"),
                vec![
                    "hint: end that program, or write {port} for the port, which takes a free one"
                        .to_owned(),
                ],
            )));
        }
        std::fs::create_dir_all(&process.dir)?;
        let size = CellSize {
            cpu_units: rules.cpu_units,
            memory_mib: None,
        };
        let group = starter.confiner.group(size, "server")?;
        let begin = now_ns();
        let running = starter.start(&process, &group)?;
        let mut server = Box::new(Self {
            name: name.to_owned(),
            process,
            child: running.child,
            pid: running.pid,
            _guarded: running.guarded,
            group,
            logs: running.logs.into(),
            port,
            cpu_units: rules.cpu_units,
            ready_ns: 0,
            before: ServerReading::default(),
        });
        let ready = tokio::select! {
            ready = server.until_ready(rules) => ready?,
            _ = comes(&mut stop) => {
                server.end().await?;
                return Ok(ServerStart::Stopped);
            }
        };
        server.ready_ns = now_ns().saturating_sub(begin);
        if let Err(reason) = ready {
            let said = server.last_lines();
            server.end().await?;
            return Ok(ServerStart::Failed(failure(reason, said)));
        }
        server.before = server.reading();
        Ok(ServerStart::Ready(server))
    }

    /// Waits until it answers, and for the time after that; the error is why it does not.
    async fn until_ready(&mut self, rules: &ServerRules) -> io::Result<Result<(), String>> {
        let mut seen = "nothing listens on its port".to_owned();
        let mut logs = std::mem::take(&mut self.logs);
        let waited = {
            let ready = async {
                loop {
                    if let Some(status) = self.child.try_wait()? {
                        return Ok::<_, io::Error>(Err(self.ended(status)));
                    }
                    match self.look(rules.ready.as_deref()).await {
                        Ok(()) => break,
                        Err(why) => seen = why,
                    }
                    sleep(LOOK).await;
                }
                tokio::select! {
                    status = self.child.wait() => Ok(Err(self.ended(status?))),
                    () = sleep(rules.settle) => Ok(Ok(())),
                }
            };
            tokio::select! {
                waited = timeout(rules.timeout + rules.settle, ready) => waited,
                () = keep_small(&mut logs, LOOK) => unreachable!("this has no end"),
            }
        };
        self.logs = logs;
        match waited {
            Ok(ready) => ready,
            Err(_) => Ok(Err(format!(
                "the server {} is not ready after {}: {seen}",
                self.name,
                units::duration(u64::try_from(rules.timeout.as_nanos()).unwrap_or(u64::MAX))
            ))),
        }
    }

    /// Looks once whether it is ready; the error is what was seen.
    async fn look(&self, ready: Option<&str>) -> Result<(), String> {
        let answered = match ready {
            Some(path) => status_of(self.port, path).await,
            None if accepts(self.port).await => Ok(()),
            None => Err("nothing listens on its port".to_owned()),
        };
        answered?;
        match listen::are_among(Path::new("/proc"), self.port, &self.processes()) {
            Some(false) => Err(format!(
                "another program listens on port {}, which this server did not start",
                self.port
            )),
            Some(true) | None => Ok(()),
        }
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn processes(&self) -> Vec<u32> {
        self.group.processes().unwrap_or_else(|| family(self.pid))
    }

    /// Its end by itself, in words.
    fn ended(&self, status: ExitStatus) -> String {
        use std::os::unix::process::ExitStatusExt as _;
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
        };
        let last = self.last_lines().pop().map_or_else(String::new, |line| {
            let line: String = line.trim().chars().take(LETTERS).collect();
            format!(": {line}")
        });
        format!("the server {} {how}{last}", self.name)
    }

    /// What it said last: on stderr, or else on stdout.
    fn last_lines(&self) -> Vec<String> {
        let lines = last_lines(&self.process.dir, LINES);
        if lines.is_empty() {
            last_lines_of(&self.process.dir.join("stdout.log"), LINES)
        } else {
            lines
        }
    }

    fn reading(&self) -> ServerReading {
        ServerReading {
            cpu: self.group.cpu_times(),
            throttled_ns: self.group.throttled_ns(),
        }
    }

    /// What it used since it was ready.
    pub(super) fn used(&self) -> StartedServer {
        let (now, before) = (self.reading(), self.before);
        let cpu = now.cpu.zip(before.cpu).map(|(now, before)| now - before);
        let throttled = now.throttled_ns.zip(before.throttled_ns);
        let processes = self.processes();
        StartedServer {
            name: self.name.clone(),
            port: self.port,
            vcpu: f64::from(self.cpu_units) / f64::from(crate::cell::UNITS_PER_VCPU),
            cpus: self.process.cpus.clone(),
            ready_ns: self.ready_ns,
            cpu_user_ns: cpu.map(|cpu| cpu.user_ns),
            cpu_sys_ns: cpu.map(|cpu| cpu.sys_ns),
            throttled_ns: throttled.map(|(now, before)| now.saturating_sub(before)),
            pss_bytes: processes
                .iter()
                .filter_map(|pid| pss_bytes(*pid))
                .reduce(|a, b| a + b),
            processes: processes.len() as u64,
        }
    }

    /// Keeps its output small for as long as it is polled.
    pub(super) async fn keep_small(&mut self) {
        keep_small(&mut self.logs, LOOK).await;
    }

    /// Ends it and all that it started, and waits until its port is free.
    ///
    /// # Errors
    /// What this machine refused.
    pub(super) async fn end(mut self: Box<Self>) -> io::Result<ServerEnd> {
        let died = self
            .child
            .try_wait()?
            .map(|status| failure(self.ended(status), self.last_lines()));
        let mut warnings = Vec::new();
        self.signal(Signal::TERM);
        if timeout(PATIENCE, self.gone()).await.is_err() {
            warnings.push(format!(
                "the server {} did not end within {} of SIGTERM and was killed",
                self.name,
                units::duration(u64::try_from(PATIENCE.as_nanos()).unwrap_or(u64::MAX))
            ));
            self.signal(Signal::KILL);
            self.gone().await;
        }
        self.child.wait().await?;
        let Self {
            group,
            logs,
            port,
            name,
            ..
        } = *self;
        finish_all(logs);
        drop(group);
        let is_free = async {
            while accepts(port).await {
                sleep(LOOK).await;
            }
        };
        if timeout(PORT_PATIENCE, is_free).await.is_err() {
            warnings.push(format!(
                "port {port} is still open after the server {name} has ended"
            ));
        }
        Ok(ServerEnd { died, warnings })
    }

    /// Waits until none of its processes is left.
    async fn gone(&mut self) {
        // A process that has ended stays until it is waited for.
        let _status = self.child.wait().await;
        while self.group.processes().is_some_and(|left| !left.is_empty()) {
            sleep(LOOK).await;
        }
    }

    /// To its process group, and to what has left that and is in its control group.
    fn signal(&self, signal: Signal) {
        let raw = |pid: u32| Pid::from_raw(i32::try_from(pid).ok()?);
        if let Some(pid) = raw(self.pid) {
            // Gone already is what was wanted.
            let _gone = kill_process_group(pid, signal);
        }
        for pid in self.group.processes().into_iter().flatten().filter_map(raw) {
            let is_other =
                rustix::process::getpgid(Some(pid)).is_ok_and(|of| Some(of) != raw(self.pid));
            if is_other {
                let _gone = kill_process(pid, signal);
            }
        }
    }
}

fn failure(reason: String, stderr: Vec<String>) -> RepetitionFailure {
    RepetitionFailure {
        reason,
        exit_code: None,
        stderr,
        again: false,
        is_of_size: false,
    }
}
