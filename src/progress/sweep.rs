//! Progress of a sweep: one bar over all runs on a terminal; lines elsewhere, one each ten seconds at the most.

use std::io::Write;
use std::time::{Duration, Instant};

use super::best::{Best, rate_in_words};
use super::display::{Display, terminal_width};
use super::screen::{Screen, template};
use crate::cell::Program;
use crate::event::{Left, RunRate, SweepEvent};
use crate::output::{Style, one_line};
use crate::units;
use crate::wrap::wrapped;

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);
/// The bar, how far it is, and the lines below it.
const TEMPLATE: &str = "  {wide_bar}  {prefix}\n{msg}";
/// How often a bar is drawn anew: its clock goes on while a run does.
const REDRAW: Duration = Duration::from_millis(250);

/// Shows a sweep's events: what is measured now, the best so far, and the time left.
pub struct SweepProgress<W: Write> {
    screen: Screen<W>,
    width: usize,
    runs: u64,
    last_line: Option<Instant>,
    /// `run 37/180`, `warm-up`
    which: String,
    /// The configuration that is measured.
    now: String,
    last_rate: Option<RunRate>,
    left: Option<Left>,
    best: Best,
    lines: RunLines,
}

/// Which lines there are of runs that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunLines {
    /// Where there is no terminal, one now and then.
    NowAndThen,
    /// Those that the caller has words for.
    OfSteps,
}

impl<W: Write> SweepProgress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        Self {
            screen: Screen::new(display, (writer, style), "  {wide_msg}"),
            width: terminal_width(),
            runs: 0,
            last_line: None,
            which: String::new(),
            now: String::new(),
            last_rate: None,
            left: None,
            best: Best::default(),
            lines: RunLines::NowAndThen,
        }
    }

    /// The same for a tune, each of whose runs is a step.
    pub fn of_steps(display: Display, writer: W, style: Style) -> Self {
        Self {
            lines: RunLines::OfSteps,
            ..Self::new(display, writer, style)
        }
    }

    /// A line about the run that has ended.
    pub fn step(&mut self, line: &str) {
        self.screen.say(&format!("  {line}"));
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &SweepEvent) {
        match event {
            SweepEvent::Listing { keys } => self
                .screen
                .bar
                .set_message(format!("listing: {} so far", units::plural(*keys, "key"))),
            SweepEvent::Planned { title, runs, done } => self.planned(title, (*runs, *done)),
            SweepEvent::RunBefore {
                program,
                cell,
                rate,
                has_failures,
            } => self.measured((program, cell.as_str()), rate.filter(|_| !has_failures)),
            SweepEvent::RunStarted { number, cell, left } => {
                // How many steps follow is not known.
                self.left = left.filter(|_| self.lines == RunLines::NowAndThen);
                self.running(*number, cell);
            }
            SweepEvent::TaskState { cell, state } => {
                self.now = format!("{cell}, {state}");
                self.draw();
            }
            SweepEvent::RunEnded {
                number,
                program,
                cell,
                rate,
                failure,
                has_failures,
            } => {
                if let Some(why) = failure
                    .as_ref()
                    .filter(|_| self.lines == RunLines::NowAndThen)
                {
                    self.screen.warn(&format!("{cell} failed: {why}"));
                }
                self.last_rate = *rate;
                // A warm-up is none of the repetitions that are compared.
                if let Some(number) = *number {
                    self.measured((program, cell.as_str()), rate.filter(|_| !has_failures));
                    self.ended(number, cell);
                }
            }
            SweepEvent::Warning(text) => self.screen.warn(text),
            SweepEvent::Interrupted => self
                .screen
                .warn("interrupted: the unfinished run is discarded"),
            SweepEvent::Done | SweepEvent::Asking => self.screen.bar.finish_and_clear(),
        }
    }

    fn planned(&mut self, title: &str, (runs, done): (u64, u64)) {
        self.runs = runs;
        let so_far = if done > 0 {
            format!(" ({} done before)", units::count(done))
        } else {
            String::new()
        };
        self.screen.say(&format!("{title}{so_far}"));
        // It ended when a person was asked.
        self.screen.bar.reset();
        self.screen.bar.set_length(runs);
        self.screen.bar.set_position(done);
        self.screen.bar.set_message("");
        self.screen.bar.set_style(template(TEMPLATE));
        self.screen.bar.enable_steady_tick(REDRAW);
    }

    fn running(&mut self, number: Option<u64>, cell: &str) {
        self.which = number.map_or_else(|| "warm-up".to_owned(), |number| self.run_of(number));
        cell.clone_into(&mut self.now);
        self.draw();
    }

    fn run_of(&self, number: u64) -> String {
        format!("run {}/{}", units::count(number), units::count(self.runs))
    }

    /// The bar, and below it what is measured and the best so far.
    fn draw(&self) {
        let left = self
            .left
            .map_or_else(String::new, |left| format!("  {}", in_words(left)));
        self.screen.bar.set_prefix(format!("{}{left}", self.which));
        let last = self.last_rate.map_or_else(String::new, |rate| {
            format!(" (the run before: {})", rate_in_words(rate))
        });
        let mut lines = wrapped(
            &format!("  now: {}{last}", one_line(&self.now)),
            self.width,
            7,
        );
        if let Some(best) = self.best.in_words() {
            lines.extend(wrapped(&format!("  {}", one_line(&best)), self.width, 7));
        }
        self.screen.bar.set_message(lines.join("\n"));
    }

    /// What the best so far is chosen from: none for a run with failures.
    fn measured(&mut self, of: (&Program, &str), rate: Option<RunRate>) {
        match rate {
            Some(rate) => self.best.add(of, rate),
            None => self.best.leave_out(of),
        }
    }

    fn ended(&mut self, number: u64, cell: &str) {
        self.screen.bar.inc(1);
        self.draw();
        let due =
            self.last_line.is_none_or(|last| last.elapsed() >= INTERVAL) || number == self.runs;
        if self.lines == RunLines::NowAndThen && self.screen.display == Display::Lines && due {
            self.last_line = Some(Instant::now());
            let line = self.line(number, cell);
            self.screen.say(&line);
        }
    }

    /// `run 37/180: 2 vCPUs · 4 GB · thread × 8 · lean, 490 MB/s; best so far: …; at most 1 h 44 min left`
    fn line(&self, number: u64, cell: &str) -> String {
        let rate = self
            .last_rate
            .map_or_else(String::new, |rate| format!(", {}", rate_in_words(rate)));
        let mut parts = vec![format!("{}: {}{rate}", self.run_of(number), one_line(cell))];
        // Of the last run the report says more.
        if number < self.runs {
            parts.extend(self.best.in_words().map(|best| one_line(&best)));
            parts.extend(self.left.map(in_words));
        }
        parts.join("; ")
    }
}

/// `at most 1 h 44 min left`
fn in_words(left: Left) -> String {
    match left {
        Left::AtMost(ns) => format!("at most {} left", units::duration_coarse(ns)),
        Left::About(ns) => format!("about {} left", units::duration_coarse(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ClientKind;

    const LEAN: Program = Program::Client(ClientKind::Lean);

    #[test]
    fn nothing_is_said_of_the_time_that_is_left_of_a_tune() {
        let started = SweepEvent::RunStarted {
            number: Some(8),
            cell: "1 vCPU".to_owned(),
            left: Some(Left::About(0)),
        };
        let prefix = |mut progress: SweepProgress<Vec<u8>>| {
            progress.handle(&started);
            progress.screen.bar.prefix()
        };
        let (display, style) = (Display::Bar, Style::Plain);
        let of_sweep = prefix(SweepProgress::new(display, Vec::new(), style));
        assert_eq!(of_sweep, "run 8/0  about 0 s left");
        let of_tune = prefix(SweepProgress::of_steps(display, Vec::new(), style));
        assert_eq!(of_tune, "run 8/0");
    }

    fn show(display: Display, events: &[SweepEvent]) -> String {
        let mut out = Vec::new();
        let mut progress = SweepProgress::new(display, &mut out, Style::Plain);
        for event in events {
            progress.handle(event);
        }
        drop(progress);
        String::from_utf8(out).unwrap()
    }

    fn ended(number: u64, cell: &str, (mb_per_s, failure): (f64, Option<&str>)) -> SweepEvent {
        let rate = failure
            .is_none()
            .then_some(RunRate::BytesPerS(mb_per_s * 1e6));
        SweepEvent::RunEnded {
            number: Some(number),
            program: LEAN,
            cell: cell.to_owned(),
            rate,
            failure: failure.map(str::to_owned),
            has_failures: failure.is_some(),
        }
    }

    #[test]
    fn a_log_gets_the_first_and_the_last_run_and_every_failure() {
        let events = [
            SweepEvent::Planned {
                title: "sweep s: 3 runs".to_owned(),
                runs: 3,
                done: 0,
            },
            SweepEvent::RunBefore {
                program: LEAN,
                cell: "2 vCPUs".to_owned(),
                rate: Some(RunRate::BytesPerS(5e8)),
                has_failures: false,
            },
            SweepEvent::RunStarted {
                number: Some(1),
                cell: "1 vCPU".to_owned(),
                left: Some(Left::AtMost(125_000_000_000)),
            },
            ended(1, "1 vCPU", (490.0, None)),
            ended(2, "1 vCPU", (0.0, Some("exit\ncode 1"))),
            ended(3, "1 vCPU", (490.0, None)),
            SweepEvent::Done,
        ];
        assert_eq!(
            show(Display::Lines, &events),
            "sweep s: 3 runs\n\
             run 1/3: 1 vCPU, 490 MB/s; best so far: 2 vCPUs, 500 MB/s (1 run); at most 2 min 5 s left\n\
             warning: 1 vCPU failed: exit\\ncode 1\n\
             run 3/3: 1 vCPU, 490 MB/s\n"
        );
    }

    #[test]
    fn what_is_left_is_a_bound_until_it_is_known() {
        assert_eq!(
            in_words(Left::AtMost(6_240_000_000_000)),
            "at most 1 h 44 min left"
        );
        assert_eq!(in_words(Left::About(24_000_000_000)), "about 24 s left");
    }

    #[test]
    fn silence_still_warns() {
        let events = [
            SweepEvent::Planned {
                title: "sweep".to_owned(),
                runs: 3,
                done: 1,
            },
            SweepEvent::Warning("left out: 4 vCPUs".to_owned()),
            ended(1, "1 vCPU", (490.0, None)),
        ];
        assert_eq!(
            show(Display::Silent, &events),
            "warning: left out: 4 vCPUs\n"
        );
    }

    #[test]
    fn the_bar_says_what_is_measured_the_best_and_the_time_left() {
        let mut out = Vec::new();
        let mut progress = SweepProgress::new(Display::Silent, &mut out, Style::Plain);
        (progress.width, progress.runs) = (80, 180);
        let cell =
            |vcpu: u32, mode: &str| format!("{vcpu} vCPUs · {} GB · {mode} × 16 · lean", 2 * vcpu);
        progress.handle(&ended(36, &cell(2, "async"), (590.0, None)));
        progress.handle(&SweepEvent::RunStarted {
            number: Some(37),
            cell: cell(16, "process"),
            left: Some(Left::AtMost(6_240_000_000_000)),
        });
        assert_eq!(
            progress.screen.bar.prefix(),
            "run 37/180  at most 1 h 44 min left"
        );
        assert_eq!(
            progress.screen.bar.message(),
            "  now: 16 vCPUs · 32 GB · process × 16 · lean (the run before: 590 MB/s)\n  best so far: 2 vCPUs · 4 GB · async × 16 · lean, 590 MB/s (1 run)"
        );
    }
}
