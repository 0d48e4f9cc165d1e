//! Progress of a job of many tasks: one bar over its children on a terminal; lines elsewhere, when something changed, one each ten seconds at the most.

use std::io::Write;
use std::time::{Duration, Instant};

use super::display::Display;
use super::screen::Screen;
use crate::event::{Children, JobEvent};
use crate::output::Style;
use crate::units;

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);
/// Key files between two lines.
const STORING_STEP: u64 = 1_000;

/// Shows a job's events.
pub struct JobProgress<W: Write> {
    screen: Screen<W>,
    last: Option<(Instant, Children)>,
}

impl<W: Write> JobProgress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        Self {
            screen: Screen::new(display, (writer, style), "  {wide_bar}  {msg}"),
            last: None,
        }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &JobEvent) {
        match event {
            JobEvent::Listing { keys } => self.screen.listing(*keys),
            JobEvent::Planned { title } => self.screen.say(title),
            JobEvent::Storing { done, of } => self.storing(*done, *of),
            JobEvent::Submitted { id, before: false } => {
                self.screen.say(&format!("submitted: {id}"));
            }
            JobEvent::Submitted { id, before: true } => {
                self.screen.say(&format!("submitted before: {id}"));
            }
            JobEvent::Children(children) => self.children(*children),
            JobEvent::Warning(text) => self.screen.warn(text),
            JobEvent::Interrupted => self.screen.warn("interrupted: the job is being ended"),
            JobEvent::Over => self.screen.bar.finish_and_clear(),
        }
    }

    fn storing(&mut self, done: u64, of: u64) {
        self.screen.bar.set_length(of);
        self.screen.bar.set_position(done);
        self.screen.bar.set_message("storing key files");
        if self.screen.display == Display::Lines
            && (done == of || done.is_multiple_of(STORING_STEP))
        {
            self.screen.say(&format!(
                "stored {}/{} key files",
                units::count(done),
                units::count(of)
            ));
        }
    }

    fn children(&mut self, children: Children) {
        let of = children.all();
        self.screen.bar.set_length(of);
        self.screen.bar.set_position(children.ended());
        self.screen.bar.set_message(in_words(children));
        let over = children.ended() == of;
        let due = self
            .last
            .is_none_or(|(at, before)| before != children && (over || at.elapsed() >= INTERVAL));
        if self.screen.display == Display::Lines && due {
            self.last = Some((Instant::now(), children));
            self.screen.say(&in_words(children));
        }
    }
}

/// `5/8 children ended, 1 of them failed; 2 run, 1 waits`
fn in_words(children: Children) -> String {
    let Children {
        waiting,
        starting,
        running,
        failed,
        ..
    } = children;
    let mut text = format!(
        "{}/{} children ended",
        units::count(children.ended()),
        units::count(children.all())
    );
    if failed > 0 {
        text = format!("{text}, {} of them failed", units::count(failed));
    }
    let rest: Vec<String> = [
        (running, "running"),
        (starting, "starting"),
        (waiting, "waiting"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{} {what}", units::count(number)))
    .collect();
    if rest.is_empty() {
        text
    } else {
        format!("{text}; {}", rest.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(display: Display, events: &[JobEvent]) -> String {
        let mut out = Vec::new();
        let mut progress = JobProgress::new(display, &mut out, Style::Plain);
        for event in events {
            progress.handle(event);
        }
        drop(progress);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_log_gets_the_first_look_and_the_end() {
        let at = |waiting, running, succeeded, failed| {
            JobEvent::Children(Children {
                waiting,
                starting: 0,
                running,
                succeeded,
                failed,
            })
        };
        let events = [
            JobEvent::Planned {
                title: "job a: 8 children".to_owned(),
            },
            JobEvent::Storing { done: 3, of: 8 },
            JobEvent::Storing { done: 8, of: 8 },
            JobEvent::Submitted {
                id: "j-1".to_owned(),
                before: false,
            },
            at(8, 0, 0, 0),
            at(6, 2, 0, 0),
            at(0, 1, 6, 1),
            at(0, 0, 7, 1),
            at(0, 0, 7, 1),
            JobEvent::Over,
        ];
        assert_eq!(
            show(Display::Lines, &events),
            "job a: 8 children\nstored 8/8 key files\nsubmitted: j-1\n0/8 children ended; 8 waiting\n8/8 children ended, 1 of them failed\n"
        );
    }

    #[test]
    fn silence_still_warns() {
        let events = [
            JobEvent::Planned {
                title: "job".to_owned(),
            },
            JobEvent::Warning("there are 3 keys".to_owned()),
            JobEvent::Interrupted,
        ];
        assert_eq!(
            show(Display::Silent, &events),
            "warning: there are 3 keys\nwarning: interrupted: the job is being ended\n"
        );
    }
}
