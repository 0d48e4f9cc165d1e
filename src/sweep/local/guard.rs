//! Ends the programs of a sweep that was killed: SIGKILL leaves it no time to do so, and the kernel then ends the first process of a program alone.
//!
//! A process of its own reads from a pipe which process groups run now. The pipe ends with the sweep, however that ended.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// The sweep's end of the pipe, and the process groups that it started.
#[derive(Debug)]
pub(super) struct Guard(Mutex<(ChildStdin, BTreeSet<u32>)>);

impl Guard {
    /// Starts the process that waits for the end of this one.
    pub(super) fn start(executable: &Path) -> io::Result<Arc<Self>> {
        // In a group of its own, since Ctrl-C is for the sweep.
        let mut process = Command::new(executable)
            .arg("guard")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = process.stdin.take().expect("it is piped");
        Ok(Arc::new(Self(Mutex::new((pipe, BTreeSet::new())))))
    }

    /// Has this process group ended with the sweep, until what it returns is dropped.
    pub(super) fn guarded(self: &Arc<Self>, group: u32) -> Guarded {
        self.change(|groups| _ = groups.insert(group));
        Guarded(Arc::clone(self), group)
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<u32>)) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut held.1);
        let numbers: Vec<String> = held.1.iter().map(u32::to_string).collect();
        // Without the process, only what a kill leaves behind is not ended.
        let _gone = held
            .0
            .write_all(format!("{}\n", numbers.join(" ")).as_bytes());
    }
}

/// A process group that ends with the sweep.
#[derive(Debug)]
pub(super) struct Guarded(Arc<Guard>, u32);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.change(|groups| _ = groups.remove(&self.1));
    }
}

/// Waits for the end of the sweep, then ends the process groups of the last line.
pub fn end_with_sweep(lines: impl BufRead) {
    let last = lines.lines().map_while(Result::ok).last();
    let groups = last.iter().flat_map(|line| line.split(' '));
    for group in groups.filter_map(|number| Pid::from_raw(number.parse().ok()?)) {
        // Gone already is what was wanted.
        let _gone = kill_process_group(group, Signal::KILL);
    }
}
