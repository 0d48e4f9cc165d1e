//! Ways to run the server for others: as a child that a parent talks to over pipes, and for a person until they stop it.

use std::future::Future;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use super::error::ServerError;
use super::protocol::{Answer, ProcessConfig, Question, Ready};
use super::serve::Server;
use super::statistics::ServerReport;

/// The child's whole life: reads its configuration from `stdin` (the read end of a pipe), serves, answers the parent's questions on `stdout`, and
/// returns once `stdin` ends, however the parent ended. SIGINT is ignored: a terminal sends it to parent and child alike.
///
/// A failure to start is told to the parent, which reports it; it is no error here.
///
/// # Errors
/// When the pipes cannot be used.
pub fn serve_supervised(stdin: OwnedFd, stdout: &mut dyn Write) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|cause| ServerError::Start {
        what: "a runtime",
        cause,
    })?;
    runtime.block_on(async {
        // Installing a handler, once, is what keeps the signal from ending the process.
        let _ignored = signal(SignalKind::interrupt()).map_err(|cause| ServerError::Start {
            what: "a signal handler",
            cause,
        })?;
        raise_file_limit();
        let stdin = pipe::Receiver::from_owned_fd(stdin).map_err(|cause| ServerError::Start {
            what: "the parent's pipe",
            cause,
        })?;
        answer_parent(BufReader::new(stdin), stdout).await
    })
}

async fn answer_parent(
    stdin: impl tokio::io::AsyncBufRead + Unpin,
    stdout: &mut dyn Write,
) -> Result<(), ServerError> {
    let mut lines = stdin.lines();
    let Some(line) = lines.next_line().await.map_err(broken)? else {
        return Ok(());
    };
    let started = serde_json::from_str::<ProcessConfig>(&line).map_err(|error| error.to_string());
    let server = match started
        .and_then(|config| Server::start(&config).map_err(|error| error.to_string()))
    {
        Ok(server) => server,
        Err(reason) => return write_answer(stdout, &Answer::Failed(reason)),
    };
    write_answer(stdout, &Answer::Ready(server.ready().clone()))?;
    while let Some(line) = lines.next_line().await.map_err(broken)? {
        let answer = match serde_json::from_str(&line) {
            Ok(Question::Reset {}) => {
                server.reset();
                Answer::Reset {}
            }
            Ok(Question::Report {}) => Answer::Report(Box::new(server.report())),
            Err(error) => Answer::Failed(error.to_string()),
        };
        write_answer(stdout, &answer)?;
    }
    server.stop();
    Ok(())
}

fn write_answer(stdout: &mut dyn Write, answer: &Answer) -> Result<(), ServerError> {
    let mut line = serde_json::to_string(answer).expect("an answer is plain data");
    line.push('\n');
    stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn broken(error: io::Error) -> ServerError {
    ServerError::Pipe(error.to_string())
}

/// As many file descriptors as may be had: each connection is one.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Without it the server accepts as many connections as it can.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}

/// Serves in this process until `until` is done (Ctrl-C, say); `on_ready` learns how the server is reached. Prints nothing.
///
/// # Errors
/// When the server cannot be started; see [`Server::start`].
pub async fn serve_standalone(
    config: &ProcessConfig,
    on_ready: impl FnOnce(&Ready),
    until: impl Future<Output = ()>,
) -> Result<ServerReport, ServerError> {
    raise_file_limit();
    let server = Server::start(config)?;
    on_ready(server.ready());
    until.await;
    let report = server.report();
    server.stop();
    Ok(report)
}
