//! `parfetch serve`: for a person until Ctrl-C, or for a parent process until it is gone.

use std::io::{self, Write};
use std::os::fd::AsFd;

use tokio::sync::watch;

use super::process::{block_on, note, start_log};
use super::signals::{First, Signals};
use crate::cli::Raw;
use crate::exit::{Exit, Failure, Signal};
use crate::server::{ProcessConfig, Ready, ServerError, serve_standalone, serve_supervised};
use crate::settings::{self, Format, Level, LogSettings};

/// Runs it for a person.
pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let config = settings::serve(raw)?;
    start_log(settings::log(raw)?);
    let signals = Signals::listen(First::EndsInOrder, None)?;
    let served = block_on(signals.or(serve(&config, signals.asked())))?;
    // What it served, for whoever wants to know.
    note(raw, &served);
    Ok(Exit::Good)
}

async fn serve(
    config: &ProcessConfig,
    mut signal: watch::Receiver<Option<Signal>>,
) -> Result<String, Failure> {
    let until = async move {
        let _asked = signal.wait_for(Option::is_some).await;
    };
    let report = serve_standalone(config, say_ready, until)
        .await
        .map_err(|error| failure(&error))?;
    serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))
}

/// What to type in another terminal, as lines that a shell takes.
fn say_ready(ready: &Ready) {
    let Ready {
        endpoint_url,
        credentials,
        source_bucket,
        results_bucket,
    } = ready;
    let mut stdout = io::stdout().lock();
    let pairs = [
        ("AWS_ENDPOINT_URL", endpoint_url),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_key),
        ("BUCKET_NAME", source_bucket),
        ("RESULT_BUCKET_NAME", results_bucket),
    ];
    for (name, value) in pairs {
        let _closed = writeln!(stdout, "export {name}={value}");
    }
    let _closed = stdout.flush();
}

/// Runs it for a parent process, over its pipes.
pub(super) fn supervised() -> Result<Exit, Failure> {
    start_log(LogSettings {
        level: Level::Warn,
        format: Format::Text,
    });
    let stdin = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    serve_supervised(stdin, &mut io::stdout())
        .map(|()| Exit::Good)
        .map_err(|error| failure(&error))
}

fn failure(error: &ServerError) -> Failure {
    let failure = Failure::new(Exit::SetUp, error.to_string());
    if matches!(error, ServerError::Listen { .. }) {
        failure.hint(
            "an address and a port of this machine, like 127.0.0.1:9000; port 0 takes a free one",
        )
    } else {
        failure
    }
}
