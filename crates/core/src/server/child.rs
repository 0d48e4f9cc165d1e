//! The parent's side of the server's process: starts it, asks it, ends it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::error::ServerError;
use super::protocol::{Answer, ProcessConfig, Question, Ready};
use super::statistics::ServerReport;

/// How long the process has to end by itself.
const END_TIME: Duration = Duration::from_secs(2);

/// How long it has to answer: it only ever reads counters, but the machine may be busy.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// An embedded server in a process of its own. Dropping it kills the process; [`Embedded::stop`] lets it end.
#[derive(Debug)]
pub struct Embedded {
    ready: Ready,
    pipes: Pipes,
    process: Child,
}

#[derive(Debug)]
struct Pipes {
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Embedded {
    /// Runs `binary serve --supervised` (parfetch itself) and waits until it serves. The configuration, secrets and all, goes by pipe.
    ///
    /// # Errors
    /// When the binary cannot be run, or says why it does not serve.
    pub async fn start(binary: &Path, config: &ProcessConfig) -> Result<Self, ServerError> {
        let mut command = Command::new(binary);
        // Nothing of this process's environment is its business, and keys may stand there. A process group of its own: Ctrl-C is for the parent.
        command.env_clear().process_group(0);
        command
            .args(["serve", "--supervised"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        Self::from_command(command, config).await
    }

    async fn from_command(
        mut command: Command,
        config: &ProcessConfig,
    ) -> Result<Self, ServerError> {
        let binary = PathBuf::from(command.as_std().get_program());
        let mut process = command.spawn().map_err(|cause| ServerError::Spawn {
            path: binary,
            cause,
        })?;
        let stdin = process.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let mut pipes = Pipes { stdin, stdout };
        match pipes.ask(config).await? {
            Answer::Ready(ready) => Ok(Self {
                ready,
                pipes,
                process,
            }),
            Answer::Failed(reason) => Err(ServerError::Refused(reason)),
            other => Err(unexpected(&other)),
        }
    }

    /// How it is reached.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Starts the counters anew: the run's epoch.
    ///
    /// # Errors
    /// When the process is gone.
    pub async fn reset(&mut self) -> Result<(), ServerError> {
        match self.pipes.ask(&Question::Reset {}).await? {
            Answer::Reset {} => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// What was counted since the start or the last reset.
    ///
    /// # Errors
    /// When the process is gone.
    pub async fn report(&mut self) -> Result<ServerReport, ServerError> {
        match self.pipes.ask(&Question::Report {}).await? {
            Answer::Report(report) => Ok(*report),
            other => Err(unexpected(&other)),
        }
    }

    /// Closes the pipe, and waits for the process to end; kills it after two seconds.
    ///
    /// # Errors
    /// When it can be neither waited for nor killed.
    pub async fn stop(self) -> Result<(), ServerError> {
        let Self {
            pipes, mut process, ..
        } = self;
        drop(pipes);
        let ended = match tokio::time::timeout(END_TIME, process.wait()).await {
            Ok(ended) => ended.map(|_| ()),
            Err(_) => process.kill().await,
        };
        ended.map_err(|error| ServerError::Pipe(error.to_string()))
    }
}

impl Pipes {
    async fn ask(&mut self, message: &impl serde::Serialize) -> Result<Answer, ServerError> {
        let mut line = serde_json::to_vec(message).expect("a message is plain data");
        line.push(b'\n');
        let exchange = async {
            self.stdin.write_all(&line).await?;
            self.stdin.flush().await?;
            self.stdout.next_line().await
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(Ok(Some(line))) => serde_json::from_str(&line)
                .map_err(|error| ServerError::Pipe(format!("not an answer: {error}"))),
            Ok(Ok(None)) => Err(ServerError::Pipe("its process has ended".to_owned())),
            Ok(Err(error)) => Err(ServerError::Pipe(error.to_string())),
            Err(_) => Err(ServerError::Pipe("no answer".to_owned())),
        }
    }
}

fn unexpected(answer: &Answer) -> ServerError {
    match answer {
        Answer::Failed(reason) => ServerError::Pipe(reason.clone()),
        _ => ServerError::Pipe("an answer to another question".to_owned()),
    }
}
