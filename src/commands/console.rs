//! The terminal as commands see it: how wide it is, whether it takes colours, and stdout, where a closed pipe is no failure.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use crate::exit::{Exit, Failure};
use crate::output::Style;
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
    let terminal = io::stdout()
        .is_terminal()
        .then(|| console::Term::stdout().size_checked());
    terminal
        .flatten()
        .map_or(WIDTH, |(_, columns)| usize::from(columns))
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
