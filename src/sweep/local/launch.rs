//! Starts the processes of one repetition, held to their cell's size, watches them from outside and waits for their end.
//!
//! Measures the same for parfetch and contenders: wall time from the first start to the last end, CPU time of all their processes, memory as the
//! largest sum of their PSS. Knows nothing of what they write.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::confine::{CellSize, Confiner, ControlGroup};
use super::guard::{Guard, Guarded};
use super::left::Before;
use super::logs::{ProcessLog, finish_all, hide_secrets, keep_small};
use crate::exit::Signal as RunSignal;
use crate::platform::clock::now_ns;
use crate::platform::usage::{CpuTimes, children_cpu_times, family, pss_bytes};
use crate::results::record::Outside;
use crate::sweep::launcher::LauncherSetup;

/// Time between two samples of memory. Each walks over page tables, so not oftener; the sampler runs on CPUs that are not under test, if there are any.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
/// How long processes that were told to end have, before they are killed.
const END_TIME: Duration = Duration::from_secs(10);

/// One process to be started.
#[derive(Clone, Debug)]
pub(super) struct ProcessSpec {
    /// Program and arguments.
    pub(super) command: Vec<OsString>,
    /// Its environment, all of it.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Its folder, where `stdout.log` and `stderr.log` are written.
    pub(super) dir: PathBuf,
    /// CPUs to keep to.
    pub(super) cpus: Vec<u32>,
}

/// How one process ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessEnd {
    pub(super) status: ExitStatus,
    pub(super) out_of_memory: bool,
    pub(super) timed_out: bool,
}

/// What came of a repetition's processes.
#[derive(Debug)]
pub(super) struct Launched {
    /// In the order of the processes.
    pub(super) ended: Vec<ProcessEnd>,
    pub(super) outside: Outside,
}

/// What holds for every launch of a sweep.
#[derive(Debug)]
pub(super) struct ProcessStarter {
    pub(super) confiner: Confiner,
    /// This program, which confines itself before it becomes another.
    pub(super) executable: PathBuf,
    /// Ends what runs where this process is killed.
    pub(super) guard: Option<Arc<Guard>>,
    /// How long a repetition may take.
    pub(super) time_limit: Duration,
}

struct Running {
    child: Child,
    group: ControlGroup,
    pid: u32,
    _guarded: Option<Guarded>,
}

/// A process that was started.
pub(super) struct StartedProcess {
    pub(super) child: Child,
    pub(super) pid: u32,
    pub(super) logs: [ProcessLog; 2],
    pub(super) guarded: Option<Guarded>,
}

impl ProcessStarter {
    pub(super) fn new(confiner: Confiner, setup: &LauncherSetup<'_>) -> Self {
        let guard = Guard::start(setup.executable)
            .inspect_err(|error| tracing::debug!(%error, "what a kill leaves is not ended"));
        Self {
            confiner,
            executable: setup.executable.to_owned(),
            guard: guard.ok(),
            time_limit: setup.time_limit,
        }
    }

    /// Runs the processes side by side. `None` when `stop` came first: they have ended then, and nothing counts.
    pub(super) async fn run(
        &self,
        processes: &[ProcessSpec],
        size: CellSize,
        mut stop: watch::Receiver<Option<RunSignal>>,
    ) -> io::Result<Option<Launched>> {
        let others = Before::now();
        let before = children_cpu_times();
        let begin = now_ns();
        let mut running = Vec::with_capacity(processes.len());
        let mut logs = Vec::new();
        for (number, process) in processes.iter().enumerate() {
            let group = self.confiner.group(size, &format!("{number}"))?;
            let started = self.start(process, &group)?;
            logs.extend(started.logs);
            running.push(Running {
                child: started.child,
                group,
                pid: started.pid,
                _guarded: started.guarded,
            });
        }
        let mut ended = Vec::new();
        let mut memory = Peak::default();
        let (end_ns, stopped) = {
            let (groups, children): (Vec<_>, Vec<_>) = running
                .iter_mut()
                .map(|one| ((&one.group, one.pid), &mut one.child))
                .unzip();
            let all = wait_all(children, &mut ended);
            tokio::select! {
                result = all => { result?; (now_ns(), None) }
                () = memory.sample(&groups) => unreachable!("sampling goes on until the processes end"),
                () = keep_small(&mut logs, SAMPLE_INTERVAL) => unreachable!("so does this"),
                _ = stop.wait_for(Option::is_some) => (now_ns(), Some(true)),
                () = tokio::time::sleep(self.time_limit) => (now_ns(), Some(false)),
            }
        };
        if stopped.is_some() {
            ended = end_all(&mut running).await?;
        }
        signal_all(&running, Signal::KILL);
        if running.iter().any(|one| one.group.folders().is_empty()) {
            others.end_others().await;
        }
        finish_all(logs);
        for process in processes {
            hide_secrets(&process.dir, &process.environment);
        }
        if stopped == Some(true) {
            return Ok(None);
        }
        let ended = running.iter().zip(ended).map(|(one, status)| ProcessEnd {
            status,
            out_of_memory: one.group.out_of_memory(),
            timed_out: stopped.is_some(),
        });
        let ended = ended.collect();
        let cpu = cpu_of(&running).or_else(|| Some(children_cpu_times()? - before?));
        let throttled = running
            .iter()
            .map(|one| one.group.throttled_ns())
            .sum::<Option<u64>>();
        let outside = Outside {
            wall_ns: end_ns.saturating_sub(begin),
            cpu_user_ns: cpu.map(|cpu| cpu.user_ns),
            cpu_sys_ns: cpu.map(|cpu| cpu.sys_ns),
            peak_pss_bytes: memory.bytes,
            pss_samples: memory.samples,
            throttled_ns: throttled,
        };
        Ok(Some(Launched { ended, outside }))
    }

    /// Starts one process in its group.
    pub(super) fn start(
        &self,
        process: &ProcessSpec,
        group: &ControlGroup,
    ) -> io::Result<StartedProcess> {
        let mut words: Vec<OsString> = Vec::new();
        if !group.scope().is_empty() {
            words.extend(
                ["systemd-run", "--user", "--scope", "--quiet", "--collect"].map(OsString::from),
            );
            words.extend(
                group
                    .scope()
                    .iter()
                    .flat_map(|property| [OsString::from("-p"), property.into()]),
            );
            words.push("--".into());
        }
        words.extend([self.executable.clone().into_os_string(), "confined".into()]);
        words.extend(["--parent".into(), std::process::id().to_string().into()]);
        if !process.cpus.is_empty() {
            words.extend([
                "--cpus".into(),
                process
                    .cpus
                    .iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
                    .into(),
            ]);
        }
        words.extend(
            group
                .folders()
                .into_iter()
                .flat_map(|folder| ["--group".into(), folder.as_os_str().to_owned()]),
        );
        words.push("--".into());
        words.extend(process.command.iter().cloned());
        let (out, stdout) = ProcessLog::create(process.dir.join("stdout.log"))?;
        let (err, stderr) = ProcessLog::create(process.dir.join("stderr.log"))?;
        let mut command = Command::new(&words[0]);
        // A process group of its own: Ctrl-C is for the sweep, which then ends the repetition in order.
        command
            .args(&words[1..])
            .env_clear()
            .envs(
                process
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .process_group(0);
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child
            .id()
            .ok_or_else(|| io::Error::other("it ended before it began"))?;
        Ok(StartedProcess {
            child,
            pid,
            logs: [out, err],
            guarded: self.guard.as_ref().map(|guard| guard.guarded(pid)),
        })
    }
}

async fn wait_all(children: Vec<&mut Child>, ended: &mut Vec<ExitStatus>) -> io::Result<()> {
    *ended = futures::future::try_join_all(children.into_iter().map(Child::wait)).await?;
    Ok(())
}

/// Tells all process groups to end, then makes them.
async fn end_all(running: &mut [Running]) -> io::Result<Vec<ExitStatus>> {
    signal_all(running, Signal::TERM);
    let mut ended = Vec::new();
    let children = running.iter_mut().map(|one| &mut one.child).collect();
    if let Ok(result) = tokio::time::timeout(END_TIME, wait_all(children, &mut ended)).await {
        result?;
        return Ok(ended);
    }
    signal_all(running, Signal::KILL);
    wait_all(
        running.iter_mut().map(|one| &mut one.child).collect(),
        &mut ended,
    )
    .await?;
    Ok(ended)
}

fn signal_all(running: &[Running], signal: Signal) {
    for pid in running
        .iter()
        .filter_map(|one| Pid::from_raw(i32::try_from(one.pid).ok()?))
    {
        // Gone already is what was wanted.
        let _gone = kill_process_group(pid, signal);
    }
}

fn cpu_of(running: &[Running]) -> Option<CpuTimes> {
    running
        .iter()
        .map(|one| one.group.cpu_times())
        .try_fold(CpuTimes::default(), |sum, times| Some(sum + times?))
}

/// The largest sum of PSS seen.
#[derive(Default)]
struct Peak {
    bytes: Option<u64>,
    samples: u64,
}

impl Peak {
    async fn sample(&mut self, groups: &[(&ControlGroup, u32)]) {
        let mut interval = tokio::time::interval(SAMPLE_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let pids = groups
                .iter()
                .flat_map(|(group, pid)| group.processes().unwrap_or_else(|| family(*pid)));
            let sum = pids.filter_map(pss_bytes).reduce(|a, b| a + b);
            self.bytes = self.bytes.max(sum);
            self.samples += u64::from(sum.is_some());
        }
    }
}

/// The last lines of what a process wrote to stderr.
pub(super) fn last_lines(dir: &Path, most: usize) -> Vec<String> {
    last_lines_of(&dir.join("stderr.log"), most)
}

/// The last lines of a file.
pub(super) fn last_lines_of(path: &Path, most: usize) -> Vec<String> {
    /// A longer tail is nobody's message.
    const TAIL_BYTES: u64 = 8_192;
    let tail = || {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
            .ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let text = String::from_utf8_lossy(&tail().unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(most)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}
