//! What commands share of their process: its runtime, its log, and why it ends.

use std::any::Any;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::output::{MessageForm, Severity, error, hint, log_line};
use crate::platform::panics;
use crate::settings::{Format, Level, LogSettings};

/// The variable of `--log-format`.
pub(super) const LOG_FORMAT: &str = "PARFETCH_LOG_FORMAT";

/// What to try after a panic.
pub(super) const DEFECT_HINT: &str =
    "this is a defect of parfetch: please report this line, the command and the version";

/// The form of what stands on stderr, for this process.
pub(super) static FORM: OnceLock<StderrForm> = OnceLock::new();

/// A line on stderr that is good to know and no more: `-q` leaves it out.
pub(super) fn note(raw: &Raw, text: &str) {
    if !raw.is_quiet() {
        // Nobody to tell.
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

/// Set by whoever says why the process ends.
static IS_SAID: AtomicBool = AtomicBool::new(false);

/// A panic as a failure; its line stands on stderr already.
pub(super) fn defect(payload: &(dyn Any + Send)) -> Failure {
    Failure::new(Exit::Unexpected, panics::caught(payload)).hint(DEFECT_HINT)
}

/// The form of what stands on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StderrForm {
    /// Lines for people.
    Text(MessageForm),
    /// An object a line.
    Json,
}

/// Says why the process ends, once.
pub(super) fn say_last(failure: &Failure) {
    if !IS_SAID.swap(true, Ordering::Relaxed) && !panics::was_shown(&failure.message) {
        // Nobody to tell: the exit code still says it.
        let _closed = report(
            failure,
            FORM.get()
                .copied()
                .unwrap_or(StderrForm::Text(MessageForm::default())),
        );
    }
}

pub(super) fn report(failure: &Failure, form: StderrForm) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let StderrForm::Text(form) = form else {
        let fields = json!({"hint": failure.hint, "exit_code": failure.exit as u8});
        return log_line(&mut stderr, Severity::Error, &failure.message, fields);
    };
    error(&mut stderr, form, &failure.message)?;
    if let Some(text) = &failure.hint {
        hint(&mut stderr, form, text)?;
    }
    stderr.flush()
}

/// Does `work` on a runtime of its own. A thread that still waits, for a pipe say, is left behind.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// A runtime for what this process itself does; fetching has its own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unexpected, format!("cannot start: {error}")))
}

/// Log lines on stderr. s3s logs every failed operation as an error, which here is part of the plan.
pub(super) fn start_log(log: LogSettings) {
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
