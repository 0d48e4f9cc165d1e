//! Progress as a bar at the foot of a terminal, everything else above it.

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::display::{caution, listed, sampled, terminal_width};
use super::lines::goal;
use super::meter::{Goal, Meter};
use super::screen::template;
use crate::event::RunEvent;
use crate::output::{Style, WARNING, one_line};
use crate::units;
use crate::wrap::wrapped;

/// Draws on a terminal.
pub(super) struct Bar {
    drawn: ProgressBar,
    style: Style,
    width: usize,
    meter: Meter,
    bytes_listed: Option<u64>,
}

impl Bar {
    pub(super) fn new(target: ProgressDrawTarget, style: Style) -> Self {
        let drawn = ProgressBar::with_draw_target(None, target);
        drawn.set_style(template("{spinner} {wide_msg}"));
        Self {
            drawn,
            style,
            width: terminal_width(),
            meter: Meter::default(),
            bytes_listed: None,
        }
    }

    pub(super) fn handle(&mut self, event: &RunEvent) {
        if let Some(text) = caution(event) {
            let lines = wrapped(&one_line(&format!("{WARNING} {text}")), self.width, 2).join("\n");
            return self
                .drawn
                .println(lines.replacen(WARNING, &self.style.caution(WARNING), 1));
        }
        match event {
            RunEvent::Started { title } => {
                for line in wrapped(&one_line(title), self.width, 2) {
                    self.drawn.println(line);
                }
                self.drawn.set_message("listing");
            }
            RunEvent::Listing { keys, what } => {
                self.drawn
                    .set_message(format!("listing, {} so far", units::plural(*keys, what)));
                self.drawn.tick();
            }
            RunEvent::Listed {
                keys,
                what,
                bytes,
                elapsed_ns,
            } => {
                self.bytes_listed = *bytes;
                self.drawn
                    .println(listed(&units::plural(*keys, what), *bytes, *elapsed_ns));
                self.drawn.set_message("starting workers");
            }
            RunEvent::Sampled { words, bytes } => {
                self.bytes_listed = *bytes;
                self.drawn.println(sampled(words, *bytes));
            }
            RunEvent::Fetching {
                units, duration_ns, ..
            } => self.fetching(goal(*units, *duration_ns)),
            RunEvent::Progress { live, elapsed_ns } => {
                self.meter.update(*live, *elapsed_ns);
                self.draw();
            }
            RunEvent::Fetched | RunEvent::Asking => self.drawn.finish_and_clear(),
            _ => {}
        }
    }

    fn fetching(&mut self, goal: Goal) {
        self.meter.start(goal, self.bytes_listed);
        // It ended when a person was asked.
        self.drawn.reset();
        match goal {
            Goal::Units(length) | Goal::Time(length) => {
                self.drawn
                    .set_style(template("fetching  {wide_bar}  {msg}"));
                self.drawn.set_length(length);
            }
            Goal::Unknown => self
                .drawn
                .set_style(template("{spinner} fetching  {wide_msg}")),
        }
        self.draw();
    }

    fn draw(&self) {
        let live = self.meter.live();
        let failed = format!("{} failed", units::count(live.failed));
        let failed = if live.failed > 0 {
            self.style.bad(&failed)
        } else {
            failed
        };
        let left = self
            .meter
            .left_text()
            .map_or_else(String::new, |left| format!("  {left}"));
        let (objects, bytes, rate) = (
            self.meter.objects(),
            units::bytes(live.bytes),
            self.meter.rate_text(),
        );
        self.drawn
            .set_message(format!("{objects}  {bytes}  {rate}  {failed}{left}"));
        self.drawn.set_position(match self.meter.goal {
            Goal::Time(_) => self.meter.elapsed_ns(),
            Goal::Units(_) | Goal::Unknown => live.ended,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::event::Live;
    use crate::units::SECOND_NS;

    /// A terminal of 80 columns that remembers everything written to it.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn add(&self, text: &str) {
            self.0.lock().unwrap().push(text.trim_end().to_owned());
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.add(text);
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.add(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(events: &[RunEvent]) -> Vec<String> {
        let screen = Screen::default();
        let mut bar = Bar::new(
            ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255),
            Style::Plain,
        );
        for event in events {
            bar.handle(event);
            bar.drawn.force_draw();
        }
        let lines = screen.0.lock().unwrap();
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .cloned()
            .collect()
    }

    #[test]
    fn the_bar_fits_eighty_columns_and_says_how_far_it_is() {
        let lines = shown(&[
            RunEvent::Started {
                title: "parfetch s3://images → s3://results".to_owned(),
            },
            RunEvent::Listing {
                keys: 2_000,
                what: "key",
            },
            RunEvent::Listed {
                keys: 46_000,
                what: "key",
                bytes: Some(118_000_000_000),
                elapsed_ns: 3_900_000_000,
            },
            RunEvent::Fetching {
                units: Some(46_000),
                what: "objects",
                duration_ns: None,
                concurrency: 32,
            },
            RunEvent::Progress {
                live: Live {
                    ended: 23_000,
                    failed: 2,
                    bytes: 59_000_000_000,
                },
                elapsed_ns: 30 * SECOND_NS,
            },
        ]);
        for whole in [
            "parfetch s3://images → s3://results",
            "listed 46,000 keys, 118 GB, in 3.90 s",
        ] {
            assert!(
                lines.iter().any(|line| line == whole),
                "{whole} in {lines:#?}"
            );
        }
        assert!(
            lines
                .iter()
                .any(|line| line.contains("listing, 2,000 keys so far"))
        );
        let last = lines.last().unwrap();
        assert!(last.starts_with("fetching  ██"), "{last}");
        assert!(
            last.ends_with("  23,000/46,000  59.0 GB  1.97 GB/s  2 failed  30 s left"),
            "{last}"
        );
        assert!(last.chars().count() <= 80, "{last}");
    }

    #[test]
    fn warnings_stand_above_the_bar() {
        let lines = shown(&[
            RunEvent::Fetching {
                units: Some(4),
                what: "objects",
                duration_ns: None,
                concurrency: 1,
            },
            RunEvent::Warning("a key was listed twice".to_owned()),
        ]);
        let place = |text: &str| lines.iter().rposition(|line| line.contains(text)).unwrap();
        assert!(
            place("warning: a key was listed twice") < place("0/4"),
            "{lines:#?}"
        );
    }

    #[test]
    fn no_word_of_a_warning_is_broken() {
        let text = "results of an earlier run will be replaced: ./parfetch-results/result_run_async_4.csv, and this is more than a line";
        let lines = shown(&[RunEvent::Warning(text.to_owned())]);
        let said: Vec<&str> = lines
            .iter()
            .map(|line| line.trim())
            .filter(|line| text.split(' ').any(|word| line.contains(word)))
            .collect();
        assert!(
            said.len() >= 2 && said.iter().all(|line| line.chars().count() <= 80),
            "{lines:#?}"
        );
        assert_eq!(said.join(" "), format!("warning: {text}"));
    }
}
