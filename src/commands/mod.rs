//! One file a subcommand: glue between what was typed and what is done.

mod compare;
mod report;
mod run;
mod serve;
mod signals;
mod sources;
mod stack;
mod submit;
mod sweep;
mod upload;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::{self, Invocation, Variables};
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::output::{Style, error, hint};
use crate::settings::{Format, Level, Log};

/// Does what the arguments say.
pub fn main(process_start_ns: u64) -> ExitCode {
    let variables = Variables::of_process();
    let style = Style::for_stream(&io::stderr(), variables.get("NO_COLOR"), variables.get("TERM"));
    match cli::parse(std::env::args_os(), variables) {
        Ok(invocation) => end(dispatch(invocation, process_start_ns), style).into(),
        Err(usage) => usage_exit(&usage, style),
    }
}

fn dispatch(invocation: Invocation, process_start_ns: u64) -> Result<Exit, Failure> {
    match invocation {
        Invocation::Run(raw) => run::main(&raw, process_start_ns),
        Invocation::Upload(raw) => upload::main(&raw),
        Invocation::Report(raw) => report::main(&raw),
        Invocation::Compare(raw) => compare::main(&raw),
        Invocation::Serve(raw) => serve::main(&raw),
        Invocation::Sweep(raw) => sweep::main(raw),
        Invocation::Submit(raw) => submit::main(raw),
        Invocation::Confined(confined) => Err(sweep::confined(confined)),
        Invocation::ServeSupervised => serve::supervised(),
        Invocation::Worker => engine::child_main().map(|()| Exit::Good).map_err(|error| Failure::new(Exit::Unexpected, format!("worker: {error}"))),
    }
}

/// Says why it ended early, if it did.
fn end(result: Result<Exit, Failure>, style: Style) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            // Nobody to tell: the exit code still says it.
            let _closed = report(&failure, style);
            failure.exit
        }
    }
}

fn report(failure: &Failure, style: Style) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    error(&mut stderr, style, &failure.message)?;
    if let Some(text) = &failure.hint {
        hint(&mut stderr, style, text)?;
    }
    stderr.flush()
}

/// clap's own errors in one line; help and version as they are.
fn usage_exit(usage: &clap::Error, style: Style) -> ExitCode {
    if !usage.use_stderr() {
        // A closed pipe after `--help | head` is no failure.
        let _closed = usage.print();
        return ExitCode::SUCCESS;
    }
    end(Err(one_line(&usage.to_string())), style).into()
}

/// clap's text of several lines: its first paragraph is what is wrong, a tip that names something similar is what to try.
fn one_line(text: &str) -> Failure {
    let paragraph: Vec<_> = text.trim_start_matches("error: ").lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tip = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: ").filter(|tip| tip.contains("similar")));
    Failure::new(Exit::Usage, paragraph.join(" ")).hint(tip.unwrap_or("`parfetch --help` and `parfetch COMMAND --help` show what there is"))
}

/// A runtime for what this process itself does; fetching has its own.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unexpected, format!("cannot start: {error}")))
}

/// Log lines on stderr. s3s logs every failed operation as an error, which here is part of the plan.
fn start_log(log: Log) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    // Libraries at debug and below print requests, headers included: signatures and tokens stay out of logs. The AWS SDK prints whole answers
    // of credential providers even in its warnings, and what they come to is an error of parfetch's own.
    let others = level.min(LevelFilter::WARN);
    let filter = Targets::new().with_target("parfetch", level).with_target("s3s", LevelFilter::OFF).with_target("aws_", LevelFilter::OFF);
    let filter = filter.with_default(others);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // A second start in one process (tests) keeps the first.
    let _kept = match log.format {
        Format::Text => registry.with(lines.with_ansi(false)).try_init(),
        Format::Json => registry.with(lines.json()).try_init(),
    };
}
