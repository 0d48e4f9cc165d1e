//! `parfetch run`.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use tokio::sync::watch;

use super::console::{fitted, print, style_of, width};
use super::process::{LOG_FORMAT, block_on, start_log};
use super::signals::{First, Signals};
use crate::cli::{Raw, Variables};
use crate::engine::ChildOptions;
use crate::estimate::Estimate;
use crate::event::RunEvent;
use crate::exit::Signal;
use crate::exit::{Exit, Failure};
use crate::output::{RunView, emf_line, end_line, render_run};
use crate::plan::ObjectSource;
use crate::platform::{Sources, clock};
use crate::progress::{Display, Progress};
use crate::results::summary::Summary;
use crate::run::{RunContext, RunEnd, foresee, run, static_keys};
use crate::server::{Embedded, ProcessConfig};
use crate::settings::{self, Format, ProgressWhen, RunSettings};

/// Variables that a child of `--mode process` gets: where certificates are, and nothing that could hold a secret.
const CHILD_VARIABLES: [&str; 8] = [
    "PATH",
    "HOME",
    "TZ",
    "LANG",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_BACKTRACE",
];

pub(super) fn main(raw: &Raw, process_start_ns: u64) -> Result<Exit, Failure> {
    let settings = settings::run(raw)?;
    start_log(settings.log);
    let hint = "the summary in the results place still says `running`";
    let signals = Signals::listen_until(First::EndsInOrder, Some(hint), settings.time_limit)?;
    block_on(signals.or(run_to_end(
        raw,
        settings,
        (signals.asked(), process_start_ns),
    )))
}

async fn run_to_end(
    raw: &Raw,
    settings: RunSettings,
    (signal, process_start_ns): (watch::Receiver<Option<Signal>>, u64),
) -> Result<Exit, Failure> {
    let RunSettings {
        mut plan,
        embedded,
        store,
        progress,
        output,
        log,
        emf,
        prices,
        time_limit: _,
        cost_policy,
        dry_run,
        warnings,
    } = settings;
    let prices = super::sources::prices(prices.as_deref())?;
    let variables = &raw.variables;
    let executable = executable()?;
    let mut server = match embedded {
        Some(options) => {
            // Its results bucket is not used: the run writes to a folder.
            let folder = plan
                .destination
                .out
                .clone()
                .unwrap_or_else(std::env::temp_dir);
            let server = Embedded::start(&executable, &ProcessConfig::new(options, folder)).await;
            Some(server.map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?)
        }
        None => None,
    };
    if let Some(server) = &server {
        plan.source = ObjectSource::Bucket(server.ready().source_bucket.clone());
        plan.access.endpoint_url = Some(server.ready().endpoint_url.clone());
    }
    let style = style_of(&io::stderr());
    let mut progress = Progress::new(display(log.format, progress), io::stderr(), style);
    let summary_follows =
        output == Format::Text && log.format == Format::Text && is_read_together();
    let mut on_event = |event: &_| {
        if !(summary_follows && matches!(event, RunEvent::Account(_))) {
            progress.handle(event);
        }
    };
    let keys = server.as_ref().map(static_keys);
    let context = RunContext {
        process_start_ns,
        sources: Sources {
            ecs_metadata_uri: variables
                .get("ECS_CONTAINER_METADATA_URI_V4")
                .map(str::to_owned),
            ..Sources::default()
        },
        children: ChildOptions {
            executable,
            environment: child_environment(variables, log.format),
        },
        embedded: server.as_mut().zip(keys),
        prices,
        signal,
        on_event: &mut on_event,
        warnings,
        store,
        cost_policy,
        ask: &mut super::ask::ask,
    };
    let done = if dry_run {
        Box::pin(foresee(&plan, context)).await.map(Done::Foreseen)
    } else {
        Box::pin(run(&plan, context)).await.map(Done::Ran)
    };
    drop(progress);
    if let Some(server) = server {
        // Its pipe is closed either way, and that ends it.
        let _ended = server
            .stop()
            .await
            .inspect_err(|error| tracing::warn!(%error, "the embedded server did not end well"));
    }
    let ended = match done? {
        Done::Ran(ended) => ended,
        Done::Foreseen(estimate) => return print(&fitted(&estimate.in_words())),
    };
    let code = *ended.exit.as_ref().unwrap_or_else(|failure| &failure.exit);
    let shown = show(&ended, output, raw);
    leave_lines(&ended.summary, code, (log.format, emf.as_deref()));
    shown.and(ended.exit)
}

fn display(format: Format, progress: ProgressWhen) -> Display {
    match (format, progress) {
        (Format::Text, progress) => super::console::display(progress),
        (Format::Json, ProgressWhen::Auto) => Display::Json,
        (Format::Json, ProgressWhen::Never) => Display::JsonWarnings,
    }
}

/// Whether the same terminal shows warnings and the summary below them.
fn is_read_together() -> bool {
    io::stderr().is_terminal() && io::stdout().is_terminal()
}

/// What came of it.
enum Done {
    /// A run.
    Ran(RunEnd),
    /// A look ahead.
    Foreseen(Estimate),
}

/// What stands on stderr at the end, for programs. Not on stdout, which belongs to the summary.
fn leave_lines(summary: &Summary, exit: Exit, (format, namespace): (Format, Option<&str>)) {
    let mut stderr = io::stderr().lock();
    if let Some(line) =
        namespace.and_then(|namespace| emf_line(summary, namespace, clock::unix_ms()))
    {
        // Nobody to tell, here and below: the results are stored.
        let _closed = stderr.write_all((line + "\n").as_bytes());
    }
    if format == Format::Json {
        let _closed = end_line(&mut stderr, summary, exit as u8);
    }
}

pub(super) fn executable() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::new(
            Exit::Unexpected,
            format!("cannot find this program: {error}"),
        )
    })
}

fn child_environment(variables: &Variables, format: Format) -> Vec<(String, String)> {
    let known = CHILD_VARIABLES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), variables.get(name)?.to_owned())));
    // A child says nothing, unless it goes wrong: then in its parent's form.
    known
        .chain((format == Format::Json).then(|| (LOG_FORMAT.to_owned(), "json".to_owned())))
        .collect()
}

/// The summary on stdout: for people, or alone for programs.
fn show(
    RunEnd {
        summary,
        exit,
        first_failure,
    }: &RunEnd,
    output: Format,
    raw: &Raw,
) -> Result<Exit, Failure> {
    if output == Format::Json {
        return print(
            &summary
                .to_json()
                .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
        );
    }
    let exit_code = *exit.as_ref().unwrap_or_else(|failure| &failure.exit) as u8;
    print(&render_run(
        summary,
        &RunView {
            style: style_of(&io::stdout()),
            width: width(),
            exit_code,
            first_failure: first_failure.as_ref(),
            embedded: settings::embedded_text(raw),
            inherited: &settings::inherited(raw),
        },
    ))
}
