//! What a person sees while a run goes on: a bar on a terminal, lines in a log, or nothing but warnings.
//!
//! Listens to [`RunEvent`]s and draws; asks nothing, times nothing (elapsed time stands in the events) and never stops a run: what cannot be
//! written to stderr is lost. The only place that knows indicatif.

mod bar;
mod best;
mod fill;
mod jobs;
mod json;
mod lines;
mod meter;
mod sweep;

pub use fill::FillProgress;
pub use jobs::JobProgress;
pub use sweep::SweepProgress;

use std::io::{IsTerminal, Write};

use indicatif::ProgressDrawTarget;

use crate::event::RunEvent;
use crate::output::{Style, one_line, warning};
use crate::units;
use crate::wrap::wrapped;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A bar, redrawn in place.
    Bar,
    /// A line now and then.
    Lines,
    /// Warnings only.
    Silent,
    /// A line now and then, each a JSON object.
    Json,
    /// Warnings only, each a JSON object.
    JsonWarnings,
}

impl Display {
    /// A bar where there is a terminal, lines elsewhere.
    pub fn auto(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

/// Shows a run's events.
pub struct Progress<W: Write> {
    shown: Shown<W>,
}

enum Shown<W: Write> {
    Bar(bar::Bar),
    Lines(lines::Lines<W>),
    Json(json::JsonLines<W>),
    Silent(W, Style),
}

impl<W: Write> Progress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        let shown = match display {
            Display::Bar => Shown::Bar(bar::Bar::new(ProgressDrawTarget::stderr(), style)),
            Display::Lines => Shown::Lines(lines::Lines::new(writer, style)),
            Display::Silent => Shown::Silent(writer, style),
            Display::Json => Shown::Json(json::JsonLines::new(writer, json::Told::All)),
            Display::JsonWarnings => {
                Shown::Json(json::JsonLines::new(writer, json::Told::Warnings))
            }
        };
        Self { shown }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &RunEvent) {
        match &mut self.shown {
            Shown::Bar(bar) => bar.handle(event),
            Shown::Lines(lines) => lines.handle(event),
            Shown::Json(lines) => lines.handle(event),
            Shown::Silent(writer, style) => {
                if let Some(text) = caution(event) {
                    lossy(warning(writer, *style, &text));
                }
            }
        }
    }
}

/// The text of an event that is shown in every form; may hold control characters of a key.
fn caution(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Warning(text) => Some(text.clone()),
        RunEvent::Interrupted => {
            Some("interrupted: no new fetches start, partial results are stored".to_owned())
        }
        _ => None,
    }
}

/// `listed 46,000 keys, 118 GB, in 3.9 s`
fn listed(keys: u64, bytes: Option<u64>, elapsed_ns: u64) -> String {
    let bytes = bytes.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    let s = if keys == 1 { "" } else { "s" };
    format!(
        "listed {} key{s}{bytes}, in {}",
        units::count(keys),
        units::duration(elapsed_ns)
    )
}

/// `sample: 3,500 of 1,000,000 keys at random, seed 1, 900 MB`
fn sampled(words: &str, bytes: Option<u64>) -> String {
    let bytes = bytes.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    format!("sample: {words}{bytes}")
}

/// What is said, as the display has room for it: on a terminal in lines that are broken between words, in a log as one line.
fn said(display: Display, text: &str) -> String {
    let text = one_line(text);
    if display == Display::Bar {
        wrapped(&text, terminal_width(), 2).join("\n")
    } else {
        text
    }
}

/// The same for a warning.
fn warned(display: Display, style: Style, text: &str) -> String {
    said(display, &format!("{WARNING} {text}")).replacen(WARNING, &style.caution(WARNING), 1)
}

/// What a warning begins with.
const WARNING: &str = "warning:";

/// Columns of the terminal that stderr is; 80 where it is none.
fn terminal_width() -> usize {
    console::Term::stderr()
        .size_checked()
        .map_or(80, |(_, columns)| usize::from(columns))
}

/// Progress is a courtesy: a closed stderr must not end a measurement.
fn lossy(result: std::io::Result<()>) {
    result.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_progress_still_warns() {
        let mut out = Vec::new();
        let mut progress = Progress::new(Display::Silent, &mut out, Style::Plain);
        progress.handle(&RunEvent::Started {
            title: "parfetch".to_owned(),
        });
        progress.handle(&RunEvent::Listing { keys: 5 });
        progress.handle(&RunEvent::Warning(
            "the listing gave a key twice".to_owned(),
        ));
        progress.handle(&RunEvent::Warning("a\nb is archived".to_owned()));
        progress.handle(&RunEvent::Fetched);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "warning: the listing gave a key twice\nwarning: a\\nb is archived\n"
        );
    }

    #[test]
    fn no_terminal_means_lines() {
        assert_eq!(
            Display::auto(&tempfile::tempfile().unwrap()),
            Display::Lines
        );
    }

    #[test]
    fn a_broken_stderr_is_no_error() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        for display in [Display::Lines, Display::Silent] {
            let mut progress = Progress::new(display, Broken, Style::Plain);
            progress.handle(&RunEvent::Started {
                title: "t".to_owned(),
            });
            progress.handle(&RunEvent::Warning("w".to_owned()));
        }
    }
}
