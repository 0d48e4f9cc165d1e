//! Starting a child process, noticing that one hangs, and finding out how it ended.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::wire::{FrameReader, Hello, ToChild, send};
use crate::engine::error::EngineError;
use crate::engine::job::WorkerJob;
use crate::platform::usage::wants_cpu;

/// How long a child may take to end once its pipe is closed.
const END_WAIT: Duration = Duration::from_secs(2);
/// A child that fetches has sent nothing for so long, at least, before it counts as hung: several pulses.
const SILENCE_LEAST: Duration = Duration::from_secs(5);
/// So long may a child take to be ready.
const READY_WAIT: Duration = Duration::from_mins(1);
/// A child that does not get the CPU which it wants may be silent so many times as long.
const STARVED: u32 = 10;
/// Ticks in the longest silence.
const TICKS: u32 = 4;

/// A child process and its pipes. Killed when dropped.
pub(super) struct Child {
    pub(super) number: u32,
    pub(super) pid: u32,
    pub(super) frames: FrameReader<ChildStdout>,
    process: tokio::process::Child,
    stdin: ChildStdin,
    /// How long it may be silent.
    silence_limit: Duration,
}

impl Child {
    /// Starts the child of worker `number`.
    pub(super) fn start(job: &WorkerJob, number: u32) -> Result<Self, EngineError> {
        let failed = |cause: io::Error| {
            EngineError::system(format!("cannot start child process {number}"), cause)
        };
        let mut command = Command::new(&job.children.executable);
        command
            .arg("worker")
            .env_clear()
            .envs(job.children.environment.iter().cloned());
        // Ctrl-C reaches a terminal's whole process group; what it means for children is the parent's decision.
        command.process_group(0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().map_err(failed)?;
        let (stdin, stdout) = (
            process.stdin.take().expect("stdin is piped"),
            process.stdout.take().expect("stdout is piped"),
        );
        let pid = process.id().unwrap_or_default();
        let silence_limit = job.fetch.limits.stall().max(SILENCE_LEAST);
        Ok(Self {
            number,
            pid,
            frames: FrameReader::new(stdout),
            process,
            stdin,
            silence_limit,
        })
    }

    /// Tells it what to do.
    pub(super) async fn greet(&mut self, job: &WorkerJob) -> io::Result<()> {
        let hello = Hello {
            number: self.number,
            concurrency: job.concurrency.get(),
            client: job.client,
            fetch: job.fetch,
            recipe: job.recipe.clone(),
            secret: job.feed.as_ref().map(|feed| feed.newest().as_ref().clone()),
            clock_offset_s: job.feed.as_ref().map_or(0, |feed| feed.clock.newest()),
            spool: job.spool.as_os_str().as_bytes().to_vec(),
            until_ns: job.queue.until_ns(),
        };
        self.say(&ToChild::Hello(Box::new(hello))).await
    }

    /// Sends one frame. A child that does not read is as good as gone.
    pub(super) async fn say(&mut self, frame: &ToChild) -> io::Result<()> {
        let said = tokio::time::timeout(self.silence_limit, send(&mut self.stdin, frame)).await;
        said.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Notices when it hangs while it starts.
    pub(super) fn start_watchdog(&self) -> SilenceWatchdog {
        SilenceWatchdog::new(READY_WAIT.max(self.silence_limit), self.pid)
    }

    /// Notices when it hangs while it fetches.
    pub(super) fn watchdog(&self) -> SilenceWatchdog {
        SilenceWatchdog::new(self.silence_limit, self.pid)
    }

    /// Ends a child that does not end by itself.
    pub(super) fn kill(&mut self) {
        // An error means that it is gone.
        let _already_gone = self.process.start_kill();
    }

    /// How a child that broke off ended: its exit status, or `how` it looked from here.
    pub(super) async fn how_it_ended(&mut self, broken: BrokenChild) -> String {
        let how = match broken {
            BrokenChild::Gone(how) => how,
            BrokenChild::Killed(why) => {
                self.kill();
                return format!("{why}, and was killed");
            }
        };
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
        if tokio::time::timeout(END_WAIT, self.process.wait())
            .await
            .is_err()
        {
            // An error means that it is gone.
            let _already_gone = self.process.start_kill();
        }
    }
}

/// How a child broke off.
#[derive(Debug)]
pub(super) enum BrokenChild {
    /// Its pipe ended.
    Gone(String),
    /// It lives, and must not.
    Killed(String),
}

/// Notices a child that is silent for too long: it was stopped, or hangs. Counts ticks and not time: while this process was stopped itself no child is to
/// blame, and what the child said meanwhile is read before there are ticks enough. A child that waits for a CPU is not silent by its own doing.
pub(super) struct SilenceWatchdog {
    tick: Interval,
    limit: Duration,
    quiet: Duration,
    heard: bool,
    pid: u32,
}

impl SilenceWatchdog {
    fn new(limit: Duration, pid: u32) -> Self {
        let every = limit / TICKS;
        let mut tick = interval_at(Instant::now() + every, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            tick,
            limit,
            quiet: Duration::ZERO,
            heard: true,
            pid,
        }
    }

    /// The child said something.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// Waits until the child has been silent for too long, and says so. What was counted is kept when the future is dropped.
    pub(super) async fn lost(&mut self) -> BrokenChild {
        loop {
            self.tick.tick().await;
            self.quiet = if std::mem::take(&mut self.heard) {
                Duration::ZERO
            } else {
                self.quiet + self.tick.period()
            };
            if self.quiet >= self.limit
                && (self.quiet >= self.limit * STARVED || !wants_cpu(self.pid))
            {
                return BrokenChild::Killed(format!("it sent nothing for {:?}", self.limit));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_noticed_and_a_word_ends_it() {
        // No process has this number: none that could want a CPU.
        let mut watchdog = SilenceWatchdog::new(Duration::from_secs(8), u32::MAX);
        let begin = Instant::now();
        for _ in 0..20 {
            assert!(
                tokio::time::timeout(Duration::from_secs(7), watchdog.lost())
                    .await
                    .is_err()
            );
            watchdog.heard();
        }
        assert!(
            matches!(watchdog.lost().await, BrokenChild::Killed(why) if why == "it sent nothing for 8s")
        );
        assert!(
            (148..=152).contains(&begin.elapsed().as_secs()),
            "{:?}",
            begin.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_this_process_stood_still_is_nobodys_silence() {
        let mut watchdog = SilenceWatchdog::new(Duration::from_secs(8), u32::MAX);
        tokio::time::advance(Duration::from_hours(1)).await;
        let begin = Instant::now();
        watchdog.lost().await;
        assert!(
            begin.elapsed() >= Duration::from_secs(8),
            "{:?}",
            begin.elapsed()
        );
    }
}
