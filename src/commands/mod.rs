//! One file a subcommand: glue between what was typed and what is done.

mod compare;
mod environment;
mod report;
mod run;
mod serve;
mod signals;
mod sources;
mod stack;
mod submit;
mod sweep;
mod upload;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{self, Invocation, Variables};
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::output::{Severity, Style, error, hint, log_line};
use crate::settings::{Format, Level, Log};

/// Does what the arguments say.
pub fn main(process_start_ns: u64) -> ExitCode {
    let variables = Variables::of_process();
    let style = Style::for_stream(&io::stderr(), variables.get("NO_COLOR"), variables.get("TERM"));
    let form = json_form(std::env::args_os(), &variables).unwrap_or(Form::Text(style));
    if form == Form::Json {
        panics_as_lines();
    }
    match cli::parse(std::env::args_os(), variables) {
        Ok(invocation) => end(environment::settle(&invocation).and_then(|()| dispatch(invocation, process_start_ns)), form).into(),
        Err(usage) => usage_exit(&usage, form),
    }
}

/// The form of what stands on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Lines for people.
    Text(Style),
    /// An object a line.
    Json,
}

/// The variable of `--log-format`.
const LOG_FORMAT: &str = "PARFETCH_LOG_FORMAT";

/// JSON, where a run or its child is asked for it: known before the arguments are understood, because that may be what fails.
fn json_form(arguments: impl Iterator<Item = OsString>, variables: &Variables) -> Option<Form> {
    let words: Vec<String> = arguments.skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if words.first().is_some_and(|word| !word.starts_with('-') && !["run", "worker"].contains(&word.as_str())) {
        return None;
    }
    let flag = words.iter().enumerate().rev().find_map(|(place, word)| match word.strip_prefix("--log-format")? {
        "" => words.get(place + 1).map(String::as_str),
        value => value.strip_prefix('='),
    });
    (flag.or_else(|| variables.get(LOG_FORMAT)) == Some("json")).then_some(Form::Json)
}

/// A panic in the form of every other line.
fn panics_as_lines() {
    std::panic::set_hook(Box::new(|panic| {
        // Nobody to tell.
        let _closed = log_line(&mut io::stderr().lock(), Severity::Error, &panic.to_string(), Value::Null);
    }));
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
fn end(result: Result<Exit, Failure>, form: Form) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            // Nobody to tell: the exit code still says it.
            let _closed = report(&failure, form);
            failure.exit
        }
    }
}

fn report(failure: &Failure, form: Form) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let Form::Text(style) = form else {
        let fields = json!({"hint": failure.hint, "exit_code": failure.exit as u8});
        return log_line(&mut stderr, Severity::Error, &failure.message, fields);
    };
    error(&mut stderr, style, &failure.message)?;
    if let Some(text) = &failure.hint {
        hint(&mut stderr, style, text)?;
    }
    stderr.flush()
}

/// clap's own errors in one line; help and version as they are.
fn usage_exit(usage: &clap::Error, form: Form) -> ExitCode {
    if !usage.use_stderr() {
        // A closed pipe after `--help | head` is no failure.
        let _closed = usage.print();
        return ExitCode::SUCCESS;
    }
    end(Err(one_line(&usage.to_string())), form).into()
}

/// clap's text of several lines: its first paragraph is what is wrong, a tip that names something similar is what to try.
fn one_line(text: &str) -> Failure {
    let paragraph: Vec<_> = text.trim_start_matches("error: ").lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tip = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: ").filter(|tip| tip.contains("similar") || *tip == cli::TIP));
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
        Format::Json => registry.with(lines.json().flatten_event(true).with_current_span(false).with_span_list(false)).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_known_before_the_arguments_are_understood() {
        let form = |words: &[&str], variable: &str| {
            let words = std::iter::once("parfetch").chain(words.iter().copied()).map(OsString::from).collect::<Vec<_>>();
            json_form(words.into_iter(), &Variables::from([(LOG_FORMAT, variable)])).is_some()
        };
        assert!(form(&[], "json") && form(&["--bogus"], "json") && form(&["run", "--log-format", "json"], "") && form(&["worker"], "json"));
        assert!(form(&["run", "--log-format=json", "--bogus"], "text"));
        assert!(!form(&["run", "--log-format=text"], "json") && !form(&["report", "x"], "json") && !form(&["run"], ""));
        assert!(!form(&["run", "--log-format=text", "--log-format"], "json"), "a flag without a value is not a wish");
    }
}
