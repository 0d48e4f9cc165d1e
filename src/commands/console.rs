//! The terminal as commands see it: how wide it is, whether it takes colours, and stdout, where a closed pipe is no failure.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use crate::exit::{Exit, Failure};
use crate::output::{self, MessageForm, Style, warning};
use crate::progress::Display;
use crate::settings::ProgressWhen;

/// Columns of what is no terminal.
pub(super) const WIDTH: usize = 80;

/// Whether colours are wanted, for this process.
static COLOURS: OnceLock<Option<bool>> = OnceLock::new();

/// Says once whether colours are wanted.
pub(super) fn set_colours(wanted: impl FnOnce() -> Option<bool>) {
    let _set = COLOURS.get_or_init(wanted);
}

/// How text looks on a stream.
pub(super) fn style_of(stream: &impl IsTerminal) -> Style {
    Style::for_stream(stream, COLOURS.get().copied().flatten())
}

/// How progress is shown on stderr.
pub(super) fn display(progress: ProgressWhen) -> Display {
    match progress {
        ProgressWhen::Auto => Display::auto(&io::stderr()),
        ProgressWhen::Never => Display::Silent,
    }
}

/// Columns of stdout.
pub(super) fn width() -> usize {
    columns(&console::Term::stdout()).unwrap_or(WIDTH)
}

fn columns(stream: &console::Term) -> Option<usize> {
    let (_, columns) = stream.is_term().then(|| stream.size_checked()).flatten()?;
    Some(usize::from(columns))
}

/// How `error:`, `hint:` and `warning:` lines look on stderr.
pub(super) fn message_form() -> MessageForm {
    MessageForm {
        style: style_of(&io::stderr()),
        columns: columns(&console::Term::stderr()),
    }
}

/// A `warning:` line on stderr.
pub(super) fn warn(text: &str) {
    // Nobody to tell: the exit code or the results say it too.
    let _closed = warning(&mut io::stderr(), message_form(), text);
}

/// The lines for stdout: on a terminal those that are too long are broken between words.
pub(super) fn fitted(text: &str) -> String {
    output::fitted_lines(text, columns(&console::Term::stdout()))
}

/// Data on stdout; a closed pipe is no failure.
pub(super) fn print(text: &str) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Unexpected,
            format!("cannot write to stdout: {error}"),
        )),
        _ => Ok(Exit::Good),
    }
}
