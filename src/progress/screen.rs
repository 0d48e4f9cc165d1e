//! What the progress of a fill, a job and a sweep share: one bar, and lines and warnings above it.

use std::io::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::display::{Display, lossy, said, warned};
use crate::output::Style;
use crate::units;

/// Full, seven eighths … one eighth, empty.
pub(super) const BLOCKS: &str = "█▉▊▋▌▍▎▏ ";
/// Keys between two lines of a listing.
const LISTING_STEP: u64 = 1_000_000;

/// Lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
pub(super) struct Screen<W: Write> {
    pub(super) display: Display,
    pub(super) bar: ProgressBar,
    writer: W,
    style: Style,
    next_keys: u64,
}

impl<W: Write> Screen<W> {
    /// `bar` is the template of the bar, which draws on a terminal alone.
    pub(super) fn new(display: Display, (writer, style): (W, Style), bar: &str) -> Self {
        let target = if display == Display::Bar {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let drawn = ProgressBar::with_draw_target(None, target);
        drawn.set_style(template(bar));
        Self {
            display,
            bar: drawn,
            writer,
            style,
            next_keys: LISTING_STEP,
        }
    }

    /// How far a listing is: on the bar, and now and then as a line.
    pub(super) fn listing(&mut self, keys: u64) {
        let text = format!("listing: {} so far", units::plural(keys, "key"));
        if self.display == Display::Lines && keys >= self.next_keys {
            self.next_keys = (keys / LISTING_STEP + 1) * LISTING_STEP;
            self.say(&text);
        }
        self.bar.set_message(text);
    }

    pub(super) fn say(&mut self, text: &str) {
        if self.display != Display::Silent {
            let line = said(self.display, text);
            self.line(&line);
        }
    }

    /// A warning is shown in every form.
    pub(super) fn warn(&mut self, text: &str) {
        let line = warned(self.display, self.style, text);
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        let Self { bar, writer, .. } = self;
        bar.suspend(|| lossy(writeln!(writer, "{line}")));
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

pub(super) fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text)
        .expect("the templates are constants that parse")
        .progress_chars(BLOCKS)
}
