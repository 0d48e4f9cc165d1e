//! One file a subcommand: glue between what was typed and what is done.

mod ask;
mod compare;
mod console;
mod doctor;
mod environment;
mod fill;
mod generated;
mod report;
mod run;
mod serve;
mod signals;
mod sources;
mod stack;
mod submit;
mod sweep;
mod upload;

use std::any::Any;
use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use self::console::{set_colours, style_of};
use crate::cli::{self, Invocation, Raw, Unparsed, Variables};
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::output::{Severity, Style, error, hint, log_line};
use crate::platform::panics;
use crate::settings::{Format, Level, Log};

/// Does what the arguments say.
pub fn main(process_start_ns: u64) -> ExitCode {
    let variables = Variables::of_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    set_colours(|| cli::colours(&arguments, &variables));
    let form =
        json_form(&arguments, &variables).unwrap_or_else(|| Form::Text(style_of(&io::stderr())));
    let form = *FORM.get_or_init(|| form);
    panics::remember(move |line| {
        // Nobody to tell: the exit code still says it.
        let _closed = report(
            &Failure::new(Exit::Unexpected, line).hint(DEFECT_HINT),
            form,
        );
    });
    let dispatched = |invocation| {
        // What must be stored after a panic is stored where it was caught; one that comes up to here had nothing to store.
        std::panic::catch_unwind(AssertUnwindSafe(|| dispatch(invocation, process_start_ns)))
            .unwrap_or_else(|payload| Err(defect(&*payload)))
    };
    match cli::parse(arguments, variables) {
        Ok(invocation) => {
            end(environment::settle(&invocation).and_then(|()| dispatched(invocation))).into()
        }
        Err(Unparsed::Wrong(failure)) => end(Err(failure)).into(),
        Err(Unparsed::Asked(text)) => {
            // A closed pipe after `--help | head` is no failure.
            let _closed = text.print();
            ExitCode::SUCCESS
        }
    }
}

/// What to try after a panic.
const DEFECT_HINT: &str =
    "this is a defect of parfetch: please report this line, the command and the version";

/// The form of what stands on stderr, for this process.
static FORM: OnceLock<Form> = OnceLock::new();

/// A line on stderr that is good to know and no more: `-q` leaves it out.
fn note(raw: &Raw, text: &str) {
    if !raw.is_quiet() {
        // Nobody to tell.
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

/// Set by whoever says why the process ends.
static IS_SAID: AtomicBool = AtomicBool::new(false);

/// A panic as a failure; its line stands on stderr already.
fn defect(payload: &(dyn Any + Send)) -> Failure {
    Failure::new(Exit::Unexpected, panics::caught(payload)).hint(DEFECT_HINT)
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
fn json_form(arguments: &[OsString], variables: &Variables) -> Option<Form> {
    let first = arguments.get(1).map(|word| word.to_string_lossy());
    if first.is_some_and(|word| {
        !cli::begins_a_run(&word) && !["run", "worker"].contains(&word.as_ref())
    }) {
        return None;
    }
    let typed = cli::last_value(arguments, "--log-format");
    (typed.as_deref().or_else(|| variables.get(LOG_FORMAT)) == Some("json")).then_some(Form::Json)
}

fn dispatch(invocation: Invocation, process_start_ns: u64) -> Result<Exit, Failure> {
    match invocation {
        Invocation::Run(raw) => run::main(&raw, process_start_ns),
        Invocation::Upload(raw) => upload::main(&raw),
        Invocation::Doctor(raw) => doctor::main(&raw),
        Invocation::Fill(raw) => fill::main(&raw),
        Invocation::Report(raw) => report::main(&raw),
        Invocation::Compare(raw) => compare::main(&raw),
        Invocation::Serve(raw) => serve::main(&raw),
        Invocation::Sweep(raw) => sweep::main(raw),
        Invocation::Submit(raw) => submit::main(raw),
        Invocation::Completions(raw) => generated::for_shell(&raw),
        Invocation::Man(raw) => generated::pages(&raw),
        Invocation::Confined(confined) => Err(sweep::confined(confined)),
        Invocation::ServeSupervised => serve::supervised(),
        Invocation::Worker => engine::child_main()
            .map(|()| Exit::Good)
            .map_err(|error| Failure::new(Exit::Unexpected, format!("worker: {error}"))),
    }
}

/// Says why it ended early, if it did.
fn end(result: Result<Exit, Failure>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            say_last(&failure);
            failure.exit
        }
    }
}

/// Says why the process ends, once.
fn say_last(failure: &Failure) {
    if !IS_SAID.swap(true, Ordering::Relaxed) && !panics::was_shown(&failure.message) {
        // Nobody to tell: the exit code still says it.
        let _closed = report(
            failure,
            FORM.get().copied().unwrap_or(Form::Text(Style::Plain)),
        );
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

/// Does `work` on a runtime of its own. A thread that still waits, for a pipe say, is left behind.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
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
    let filter = Targets::new()
        .with_target("parfetch", level)
        .with_target("s3s", LevelFilter::OFF)
        .with_target("aws_", LevelFilter::OFF);
    let filter = filter.with_default(others);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // A second start in one process (tests) keeps the first.
    let _kept = match log.format {
        Format::Text => registry.with(lines.with_ansi(false)).try_init(),
        Format::Json => registry
            .with(
                lines
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false),
            )
            .try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_known_before_the_arguments_are_understood() {
        let form = |words: &[&str], variable: &str| {
            let words = std::iter::once("parfetch")
                .chain(words.iter().copied())
                .map(OsString::from)
                .collect::<Vec<_>>();
            json_form(&words, &Variables::from([(LOG_FORMAT, variable)])).is_some()
        };
        assert!(
            form(&[], "json")
                && form(&["--bogus"], "json")
                && form(&["run", "--log-format", "json"], "")
                && form(&["worker"], "json")
        );
        assert!(
            form(&["run", "--log-format=json", "--bogus"], "text")
                && form(&["s3://b", "--log-format=json"], "")
        );
        assert!(
            !form(&["run", "--log-format=text"], "json")
                && !form(&["report", "x"], "json")
                && !form(&["run"], "")
        );
        assert!(
            !form(&["run", "--log-format=text", "--log-format"], "json"),
            "a flag without a value is not a wish"
        );
    }
}
