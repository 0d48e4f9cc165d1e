//! What a process does to itself before it becomes the program under test: it enters its control groups, keeps to its CPUs, and asks to end with
//! its parent. Done by parfetch itself, because the standard library can do none of it between fork and exec.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// How the process is to be held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Control groups to enter.
    pub groups: Vec<PathBuf>,
    /// Numbers of the CPUs to keep to; empty = as they are.
    pub cpus: Vec<u32>,
    /// Process id of the parent: one that is gone by now will not tell of its end.
    pub parent: Option<u32>,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

/// Becomes the program. Returns only when it cannot.
///
/// # Errors
/// What could not be done, with its cause.
pub fn become_program(confinement: &Confinement) -> io::Error {
    match prepare(confinement) {
        Ok(()) => {}
        Err(error) => return error,
    }
    let Some((program, arguments)) = confinement.command.split_first() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "no program is given");
    };
    let error = Command::new(program).args(arguments).exec();
    named(&format!("cannot start {}", program.display()))(error)
}

fn prepare(confinement: &Confinement) -> io::Result<()> {
    end_with_parent(confinement.parent)?;
    for group in &confinement.groups {
        fs::write(group.join("cgroup.procs"), "0")
            .map_err(named(&format!("cannot enter {}", group.display())))?;
    }
    keep_to(&confinement.cpus)
}

fn named(what: &str) -> impl FnOnce(io::Error) -> io::Error + '_ {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(target_os = "linux")]
fn end_with_parent(parent: Option<u32>) -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let Some(parent) = parent else { return Ok(()) };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if now == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the sweep is gone"))
    }
}

#[cfg(target_os = "linux")]
fn keep_to(cpus: &[u32]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    pin(None, cpus).map_err(named("cannot keep to CPUs"))
}

/// Lets a thread (or this one) run on these CPUs alone.
#[cfg(target_os = "linux")]
pub(super) fn pin(thread: Option<rustix::process::Pid>, cpus: &[u32]) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpus {
        set.set(usize::try_from(*cpu).map_err(io::Error::other)?);
    }
    Ok(rustix::thread::sched_setaffinity(thread, &set)?)
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: Option<u32>) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(not(target_os = "linux"))]
fn keep_to(_: &[u32]) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
