//! Progress of a run, in the form that is wanted.

use std::io::Write;

use indicatif::ProgressDrawTarget;

use super::display::{Display, caution, lossy};
use super::{bar, json, lines};
use crate::event::RunEvent;
use crate::output::{Style, warning};

/// Shows a run's events.
pub struct Progress<W: Write> {
    shown: ShownProgress<W>,
}

enum ShownProgress<W: Write> {
    Bar(bar::Bar),
    Lines(lines::LineProgress<W>),
    Json(json::JsonLines<W>),
    Silent(W, Style),
}

impl<W: Write> Progress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        let shown = match display {
            Display::Bar => ShownProgress::Bar(bar::Bar::new(ProgressDrawTarget::stderr(), style)),
            Display::Lines => ShownProgress::Lines(lines::LineProgress::new(writer, style)),
            Display::Silent => ShownProgress::Silent(writer, style),
            Display::Json => ShownProgress::Json(json::JsonLines::new(writer, json::Told::All)),
            Display::JsonWarnings => {
                ShownProgress::Json(json::JsonLines::new(writer, json::Told::Warnings))
            }
        };
        Self { shown }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &RunEvent) {
        match &mut self.shown {
            ShownProgress::Bar(bar) => bar.handle(event),
            ShownProgress::Lines(lines) => lines.handle(event),
            ShownProgress::Json(lines) => lines.handle(event),
            ShownProgress::Silent(writer, style) => {
                if let Some(text) = caution(event) {
                    lossy(warning(writer, *style, &text));
                }
            }
        }
    }
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
        progress.handle(&RunEvent::Listing {
            keys: 5,
            what: "key",
        });
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
