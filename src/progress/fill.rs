//! Progress of filling a bucket: a bar over its objects on a terminal; lines elsewhere, one each ten seconds at the most.

use std::io::Write;
use std::time::{Duration, Instant};

use super::display::Display;
use super::screen::Screen;
use crate::event::FillEvent;
use crate::output::Style;
use crate::units;

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// Before that, nobody knows how long it takes.
const SETTLED: Duration = Duration::from_secs(1);

/// Shows what happens while a bucket is filled.
pub struct FillProgress<W: Write> {
    screen: Screen<W>,
    begun: Instant,
    said: Instant,
    objects: u64,
}

impl<W: Write> FillProgress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        let now = Instant::now();
        Self {
            screen: Screen::new(display, (writer, style), "  {wide_bar}  {msg}"),
            begun: now,
            said: now,
            objects: 0,
        }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &FillEvent) {
        match event {
            FillEvent::Listing { keys } => self.screen.listing(*keys),
            // The question stands on a line of its own.
            FillEvent::Asking | FillEvent::Over => self.screen.bar.finish_and_clear(),
            FillEvent::Planned { title, objects } => {
                self.screen.say(title);
                (self.objects, self.begun, self.said) = (*objects, Instant::now(), Instant::now());
                self.screen.bar.reset();
                self.screen.bar.set_length(*objects);
            }
            FillEvent::Progress {
                done,
                stored,
                stored_bytes,
            } => self.progress(*done, (*stored, *stored_bytes)),
            FillEvent::Warning(text) => self.screen.warn(text),
        }
    }

    fn progress(&mut self, done: u64, stored: (u64, u64)) {
        let text = in_words((done, self.objects), stored, self.begun.elapsed());
        self.screen.bar.set_position(done);
        if self.screen.display == Display::Lines && self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            self.screen.say(&text);
        }
        self.screen.bar.set_message(text);
    }
}

/// `1,204/2,000 objects  3.16 GB  410 MB/s  5 s left`: objects and bytes that were stored now have taken this long.
fn in_words((done, of): (u64, u64), (objects, bytes): (u64, u64), elapsed: Duration) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = |objects| elapsed.as_nanos() * u128::from(of.saturating_sub(done)) / objects;
    let left = (elapsed >= SETTLED && objects > 0)
        .then(|| u64::try_from(left(u128::from(objects))).unwrap_or(u64::MAX))
        .map_or_else(String::new, |ns| {
            format!("  {} left", units::duration_coarse(ns))
        });
    format!(
        "{}/{} objects  {}  {}{left}",
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
            stored: 1,
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
            in_words(
                (1_204, 2_000),
                (1_204, 3_160_000_000),
                Duration::from_secs(8)
            ),
            "1,204/2,000 objects  3.16 GB  395 MB/s  5 s left"
        );
        // 1,000 were there before.
        let continued = in_words((1_204, 2_000), (204, 20_400), Duration::from_secs(8));
        assert!(continued.ends_with("2.55 kB/s  31 s left"), "{continued}");
        let early = in_words((4, 2_000), (4, 400), Duration::from_millis(100));
        assert_eq!(early, "4/2,000 objects  400 B  4.00 kB/s");
    }
}
