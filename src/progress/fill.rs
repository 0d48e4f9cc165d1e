//! Progress of filling a bucket: a bar over its objects on a terminal; lines elsewhere, one each ten seconds at the most.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::display::{Display, lossy, said, warned};
use crate::event::FillEvent;
use crate::output::Style;
use crate::units;

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);
/// Keys between two lines of a listing.
const LISTING_STEP: u64 = 1_000_000;

/// Shows what happens while a bucket is filled.
pub struct FillProgress<W: Write> {
    display: Display,
    writer: W,
    style: Style,
    bar: ProgressBar,
    begun: Instant,
    said: Instant,
    objects: u64,
    next_keys: u64,
}

impl<W: Write> FillProgress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        let target = if display == Display::Bar {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(
            ProgressStyle::with_template("  {wide_bar}  {msg}")
                .expect("the template parses")
                .progress_chars("█▉▊▋▌▍▎▏ "),
        );
        let now = Instant::now();
        Self {
            display,
            writer,
            style,
            bar,
            begun: now,
            said: now,
            objects: 0,
            next_keys: LISTING_STEP,
        }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &FillEvent) {
        match event {
            FillEvent::Listing { keys } => self.listing(*keys),
            // The question stands on a line of its own.
            FillEvent::Asking | FillEvent::Over => self.bar.finish_and_clear(),
            FillEvent::Planned { title, objects } => {
                self.say(title);
                (self.objects, self.begun, self.said) = (*objects, Instant::now(), Instant::now());
                self.bar.reset();
                self.bar.set_length(*objects);
            }
            FillEvent::Progress { done, stored_bytes } => self.progress(*done, *stored_bytes),
            FillEvent::Warning(text) => {
                let Self {
                    bar,
                    writer,
                    style,
                    display,
                    ..
                } = self;
                bar.suspend(|| lossy(writeln!(writer, "{}", warned(*display, *style, text))));
            }
        }
    }

    fn listing(&mut self, keys: u64) {
        self.bar
            .set_message(format!("listing: {} so far", units::plural(keys, "key")));
        if self.display == Display::Lines && keys >= self.next_keys {
            self.next_keys = (keys / LISTING_STEP + 1) * LISTING_STEP;
            self.say(&format!("listing: {} so far", units::plural(keys, "key")));
        }
    }

    fn progress(&mut self, done: u64, bytes: u64) {
        let text = in_words((done, self.objects), bytes, self.begun.elapsed());
        self.bar.set_position(done);
        if self.display == Display::Lines && self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            self.say(&text);
        }
        self.bar.set_message(text);
    }

    fn say(&mut self, text: &str) {
        if self.display == Display::Silent {
            return;
        }
        let Self {
            bar,
            writer,
            display,
            ..
        } = self;
        bar.suspend(|| lossy(writeln!(writer, "{}", said(*display, text))));
    }
}

impl<W: Write> Drop for FillProgress<W> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `1,204/2,000 objects  3.16 GB  410 MB/s`
fn in_words((done, of): (u64, u64), bytes: u64, elapsed: Duration) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(1e-3);
    format!(
        "{}/{} objects  {}  {}",
        units::count(done),
        units::count(of),
        units::bytes(bytes),
        units::rate(rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_few_lines() {
        let mut out = Vec::new();
        let mut progress = FillProgress::new(Display::Lines, &mut out, Style::Plain);
        progress.handle(&FillEvent::Listing { keys: 1_000 });
        progress.handle(&FillEvent::Planned {
            title: "filling s3://b/ with 2 objects, 2 B".to_owned(),
            objects: 2,
        });
        progress.handle(&FillEvent::Progress {
            done: 1,
            stored_bytes: 1,
        });
        progress.handle(&FillEvent::Warning("a\nb".to_owned()));
        progress.handle(&FillEvent::Over);
        drop(progress);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "filling s3://b/ with 2 objects, 2 B\nwarning: a\\nb\n"
        );
        assert_eq!(
            in_words((1_204, 2_000), 3_160_000_000, Duration::from_secs(8)),
            "1,204/2,000 objects  3.16 GB  395 MB/s"
        );
    }
}
