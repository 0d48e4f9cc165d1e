//! Starting a child process, and finding out how it ended.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout, Command};

use super::wire::{FrameReader, Hello, ToChild, send};
use crate::engine::{EngineError, Job};

/// How long a child may take to end once its pipe is closed.
const END_WAIT: Duration = Duration::from_secs(2);

/// How children are started.
#[derive(Clone, Debug, Default)]
pub struct ChildOptions {
    /// This program.
    pub executable: PathBuf,
    /// The whole environment of a child: nothing that could hold a secret.
    pub environment: Vec<(String, String)>,
}

/// A child process and its pipes. Killed when dropped.
pub(super) struct Child {
    pub(super) number: u32,
    pub(super) pid: u32,
    pub(super) frames: FrameReader<ChildStdout>,
    process: tokio::process::Child,
    stdin: ChildStdin,
}

impl Child {
    /// Starts the child of worker `number` and tells it what to do.
    pub(super) async fn start(job: &Job, number: u32) -> Result<Self, EngineError> {
        let failed = |cause: io::Error| EngineError::system(format!("cannot start child process {number}"), cause);
        let mut command = Command::new(&job.children.executable);
        command.arg("worker").env_clear().envs(job.children.environment.iter().cloned());
        // Ctrl-C reaches a terminal's whole process group; what it means for children is the parent's decision.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(failed)?;
        let (stdin, stdout) = (process.stdin.take().expect("stdin is piped"), process.stdout.take().expect("stdout is piped"));
        let pid = process.id().unwrap_or_default();
        let mut child = Self { number, pid, frames: FrameReader::new(stdout), process, stdin };
        let hello = Hello {
            number,
            concurrency: job.concurrency.get(),
            client: job.client,
            limits: job.limits,
            work: job.work,
            recipe: job.recipe.clone(),
            secret: job.feed.as_ref().map(|feed| feed.newest().as_ref().clone()),
            spool: job.spool.as_os_str().as_bytes().to_vec(),
            until_ns: job.queue.until_ns(),
        };
        child.say(&ToChild::Hello(Box::new(hello))).await.map_err(failed)?;
        Ok(child)
    }

    /// Sends one frame.
    pub(super) async fn say(&mut self, frame: &ToChild) -> io::Result<()> {
        send(&mut self.stdin, frame).await
    }

    /// Ends a child that does not end by itself.
    pub(super) fn kill(&mut self) {
        // An error means that it is gone.
        let _already_gone = self.process.start_kill();
    }

    /// How a child that broke off ended: its exit status, or `how` it looked from here.
    pub(super) async fn autopsy(&mut self, how: String) -> String {
        let Ok(Ok(status)) = tokio::time::timeout(END_WAIT, self.process.wait()).await else {
            // It hangs: what it has not acknowledged is fetched by others, so it must not go on.
            self.kill();
            return how;
        };
        match (status.signal(), status.code()) {
            (Some(signal), _) => format!("signal {signal}"),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => how,
        }
    }

    /// Waits for a child that said good-bye.
    pub(super) async fn end(mut self) {
        drop(self.stdin);
        if tokio::time::timeout(END_WAIT, self.process.wait()).await.is_err() {
            // An error means that it is gone.
            let _already_gone = self.process.start_kill();
        }
    }
}
