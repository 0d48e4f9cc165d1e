//! Progress of a sweep: one bar over all runs on a terminal; lines elsewhere, one each ten seconds at the most.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Display, lossy};
use crate::event::SweepEvent;
use crate::output::{Style, one_line, warning};
use crate::units;

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(10);
/// How often a bar is drawn anew: its clock goes on while a run does.
const REDRAW: Duration = Duration::from_millis(250);

/// Shows a sweep's events.
pub struct SweepProgress<W: Write> {
    display: Display,
    writer: W,
    style: Style,
    bar: ProgressBar,
    runs: u64,
    last_line: Option<Instant>,
    last_rate: String,
    left: String,
}

impl<W: Write> SweepProgress<W> {
    /// Progress in this form; lines and warnings go to `writer` (stderr), the bar draws on the process's stderr.
    pub fn new(display: Display, writer: W, style: Style) -> Self {
        let target = if display == Display::Bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        Self { display, writer, style, bar, runs: 0, last_line: None, last_rate: String::new(), left: String::new() }
    }

    /// Shows one event.
    pub fn handle(&mut self, event: &SweepEvent) {
        match event {
            SweepEvent::Listing { keys } => self.bar.set_message(format!("listing: {} keys so far", units::count(*keys))),
            SweepEvent::Planned { title, runs, done } => self.planned(title, (*runs, *done)),
            SweepEvent::RunStarted { number, cell, left_ns } => {
                self.left = left_ns.map_or_else(String::new, |ns| format!(", {} left", units::duration_coarse(ns)));
                self.running(*number, cell);
            }
            SweepEvent::TaskState { cell, state } => self.bar.set_message(format!("{}  {}{}", one_line(cell), state, self.left)),
            SweepEvent::RunEnded { number, cell, bytes_per_s, failure } => self.ended(*number, cell, (*bytes_per_s, failure.as_deref())),
            SweepEvent::Warning(text) => self.warn(text),
            SweepEvent::Interrupted => self.warn("interrupted: the run that went on does not count; the same command goes on from here"),
            SweepEvent::Done | SweepEvent::Asking => self.bar.finish_and_clear(),
        }
    }

    fn planned(&mut self, title: &str, (runs, done): (u64, u64)) {
        self.runs = runs;
        let so_far = if done > 0 { format!(" ({} done before)", units::count(done)) } else { String::new() };
        self.say(&format!("{title}{so_far}"));
        // It ended when a person was asked.
        self.bar.reset();
        self.bar.set_length(runs);
        self.bar.set_position(done);
        self.bar.set_style(ProgressStyle::with_template("  {wide_bar}  {msg}").expect("the template parses").progress_chars("█▉▊▋▌▍▎▏ "));
        self.bar.enable_steady_tick(REDRAW);
    }

    fn running(&mut self, number: Option<u64>, cell: &str) {
        let which = number.map_or_else(|| "warm-up".to_owned(), |number| format!("run {}/{}", units::count(number), units::count(self.runs)));
        let rate = if self.last_rate.is_empty() { String::new() } else { format!("  {}", self.last_rate) };
        self.bar.set_message(format!("{which}  {}{rate}{}", one_line(cell), self.left));
    }

    fn ended(&mut self, number: Option<u64>, cell: &str, (bytes_per_s, failure): (Option<f64>, Option<&str>)) {
        if let Some(why) = failure {
            self.warn(&format!("{cell} failed: {why}"));
        }
        self.last_rate = bytes_per_s.map(units::rate_mb).unwrap_or_default();
        let Some(number) = number else { return };
        self.bar.inc(1);
        let due = self.last_line.is_none_or(|last| last.elapsed() >= INTERVAL) || number == self.runs;
        if self.display == Display::Lines && due {
            self.last_line = Some(Instant::now());
            let rate = if self.last_rate.is_empty() { "–" } else { &self.last_rate };
            let line = format!("run {}/{}  {}  {rate}{}", units::count(number), units::count(self.runs), one_line(cell), self.left);
            lossy(writeln!(self.writer, "{line}"));
        }
    }

    fn say(&mut self, text: &str) {
        if self.display == Display::Silent {
            return;
        }
        let Self { bar, writer, .. } = self;
        bar.suspend(|| lossy(writeln!(writer, "{}", one_line(text))));
    }

    fn warn(&mut self, text: &str) {
        let Self { bar, writer, style, .. } = self;
        bar.suspend(|| lossy(warning(writer, *style, text)));
    }
}

impl<W: Write> Drop for SweepProgress<W> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(display: Display, events: &[SweepEvent]) -> String {
        let mut out = Vec::new();
        let mut progress = SweepProgress::new(display, &mut out, Style::Plain);
        for event in events {
            progress.handle(event);
        }
        drop(progress);
        String::from_utf8(out).unwrap()
    }

    fn ended(number: u64, failure: Option<&str>) -> SweepEvent {
        SweepEvent::RunEnded { number: Some(number), cell: "1 vCPU".to_owned(), bytes_per_s: Some(4.9e8), failure: failure.map(str::to_owned) }
    }

    #[test]
    fn a_log_gets_the_first_and_the_last_run_and_every_failure() {
        let events = [
            SweepEvent::Planned { title: "sweep s: 3 runs".to_owned(), runs: 3, done: 0 },
            SweepEvent::RunStarted { number: Some(1), cell: "1 vCPU".to_owned(), left_ns: Some(125_000_000_000) },
            ended(1, None),
            ended(2, Some("exit\ncode 1")),
            ended(3, None),
            SweepEvent::Done,
        ];
        assert_eq!(
            show(Display::Lines, &events),
            "sweep s: 3 runs\nrun 1/3  1 vCPU  490 MB/s, 2 min 5 s left\nwarning: 1 vCPU failed: exit\\ncode 1\nrun 3/3  1 vCPU  490 MB/s, 2 min 5 s left\n"
        );
    }

    #[test]
    fn silence_still_warns() {
        let events =
            [SweepEvent::Planned { title: "sweep".to_owned(), runs: 3, done: 1 }, SweepEvent::Warning("left out: 4 vCPU".to_owned()), ended(1, None)];
        assert_eq!(show(Display::Silent, &events), "warning: left out: 4 vCPU\n");
    }
}
