//! Progress as lines of a log: one when something changes, one each ten seconds.

use std::io::Write;

use super::display::{caution, listed, lossy, sampled};
use super::meter::{Goal, Meter};
use crate::event::RunEvent;
use crate::output::{Style, one_line, warning};
use crate::units::{self, SECOND_NS};

/// Time between two lines of a fetch phase.
pub(super) const INTERVAL_NS: u64 = 10 * SECOND_NS;

/// Keys between two lines of a listing.
pub(super) const LISTING_STEP: u64 = 1_000_000;

/// Writes lines to `W`.
pub(super) struct LineProgress<W: Write> {
    writer: W,
    style: Style,
    meter: Meter,
    /// What is counted.
    what: &'static str,
    bytes_listed: Option<u64>,
    /// Keys at which the next line of the listing is due.
    next_keys: u64,
    /// Elapsed time at which the next line of the fetch phase is due.
    next_ns: u64,
}

impl<W: Write> LineProgress<W> {
    pub(super) fn new(writer: W, style: Style) -> Self {
        Self {
            writer,
            style,
            meter: Meter::default(),
            what: "objects",
            bytes_listed: None,
            next_keys: LISTING_STEP,
            next_ns: INTERVAL_NS,
        }
    }

    pub(super) fn handle(&mut self, event: &RunEvent) {
        if let Some(text) = caution(event) {
            return lossy(warning(&mut self.writer, self.style, &text));
        }
        match event {
            RunEvent::Started { title } => self.line(&one_line(title)),
            RunEvent::Listing { keys, what } if *keys >= self.next_keys => {
                self.next_keys = (keys / LISTING_STEP + 1) * LISTING_STEP;
                self.line(&format!("listing: {} so far", units::plural(*keys, what)));
            }
            RunEvent::Listed {
                keys,
                what,
                bytes,
                elapsed_ns,
            } => {
                self.bytes_listed = *bytes;
                self.line(&listed(&units::plural(*keys, what), *bytes, *elapsed_ns));
            }
            RunEvent::Sampled { words, bytes } => {
                self.bytes_listed = *bytes;
                self.line(&sampled(words, *bytes));
            }
            RunEvent::Fetching {
                units,
                what,
                duration_ns,
                concurrency,
            } => {
                self.what = what;
                self.fetching(*units, *duration_ns, *concurrency);
            }
            RunEvent::Progress { live, elapsed_ns } => {
                self.meter.update(*live, *elapsed_ns);
                if *elapsed_ns >= self.next_ns {
                    self.next_ns = (elapsed_ns / INTERVAL_NS + 1) * INTERVAL_NS;
                    let left = self
                        .meter
                        .left_text()
                        .map_or_else(String::new, |left| format!(", {left}"));
                    let (now, rate) = (self.now(), self.meter.rate_text());
                    self.line(&format!(
                        "fetched {now}, {rate}, {} failed{left}",
                        units::count(live.failed)
                    ));
                }
            }
            RunEvent::Fetched => {
                let failed = units::count(self.meter.live().failed);
                let now = self.now();
                // In what time, the summary says: by the clock of the fetches, which is not that of what is shown.
                self.line(&format!("fetched {now}, {failed} failed"));
            }
            _ => {}
        }
    }

    fn fetching(&mut self, units: Option<u64>, duration_ns: Option<u64>, concurrency: u32) {
        let goal = goal(units, duration_ns);
        self.next_ns = INTERVAL_NS;
        self.meter.start(goal, self.bytes_listed);
        let what = match goal {
            Goal::Units(1) => format!("1 {}", self.what.trim_end_matches('s')),
            Goal::Units(units) => format!("{} {}", units::count(units), self.what),
            Goal::Time(ns) => format!("for {}", units::duration_coarse(ns)),
            Goal::Unknown => self.what.to_owned(),
        };
        let s = if concurrency == 1 { "" } else { "s" };
        self.line(&format!(
            "fetching {what} with {} worker{s}",
            units::count(u64::from(concurrency))
        ));
    }

    /// `27,310/46,000 objects, 70.1 GB`
    fn now(&self) -> String {
        format!(
            "{} {}, {}",
            self.meter.objects(),
            self.what,
            units::bytes(self.meter.live().bytes)
        )
    }

    fn line(&mut self, text: &str) {
        lossy(writeln!(self.writer, "{text}"));
    }
}

/// What ends a run: time, when it is given.
pub(super) fn goal(units: Option<u64>, duration_ns: Option<u64>) -> Goal {
    match (duration_ns, units) {
        (Some(ns), _) => Goal::Time(ns),
        (None, Some(units)) => Goal::Units(units),
        (None, None) => Goal::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Live;

    fn shown(events: &[RunEvent]) -> String {
        let mut out = Vec::new();
        let mut lines = LineProgress::new(&mut out, Style::Plain);
        for event in events {
            lines.handle(event);
        }
        String::from_utf8(out).unwrap()
    }

    fn progress(second: u64, ended: u64, gigabytes: u64) -> RunEvent {
        let live = Live {
            ended,
            failed: 0,
            bytes: gigabytes * 1_000_000_000,
        };
        RunEvent::Progress {
            live,
            elapsed_ns: second * SECOND_NS,
        }
    }

    #[test]
    fn a_run_in_a_log() {
        let mut events = vec![
            RunEvent::Started {
                title: "parfetch s3://images → s3://results".to_owned(),
            },
            RunEvent::Listing {
                keys: 1_000,
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
        ];
        events.extend((1..=59).map(|second| progress(second, second * 779, second * 2)));
        events.extend([progress(60, 46_000, 118), RunEvent::Fetched]);
        assert_eq!(
            shown(&events),
            "parfetch s3://images → s3://results\n\
             listed 46,000 keys, 118 GB, in 3.90 s\n\
             fetching 46,000 objects with 32 workers\n\
             fetched 7,790/46,000 objects, 20.0 GB, 2.00 GB/s, 0 failed, 49 s left\n\
             fetched 15,580/46,000 objects, 40.0 GB, 2.00 GB/s, 0 failed, 39 s left\n\
             fetched 23,370/46,000 objects, 60.0 GB, 2.00 GB/s, 0 failed, 29 s left\n\
             fetched 31,160/46,000 objects, 80.0 GB, 2.00 GB/s, 0 failed, 19 s left\n\
             fetched 38,950/46,000 objects, 100 GB, 2.00 GB/s, 0 failed, 9 s left\n\
             fetched 46,000/46,000 objects, 118 GB, 1.60 GB/s, 0 failed, 0 s left\n\
             fetched 46,000/46,000 objects, 118 GB, 0 failed\n"
        );
    }

    #[test]
    fn a_timed_run_has_no_number_of_objects() {
        let events = [
            RunEvent::Listed {
                keys: 5,
                what: "key",
                bytes: None,
                elapsed_ns: 4_000_000,
            },
            RunEvent::Fetching {
                units: None,
                what: "objects",
                duration_ns: Some(20 * SECOND_NS),
                concurrency: 1,
            },
            progress(12, 9, 1),
        ];
        assert_eq!(
            shown(&events),
            "listed 5 keys, in 4.0 ms\nfetching for 20 s with 1 worker\nfetched 9 objects, 1.00 GB, 83.3 MB/s, 0 failed, 8 s left\n"
        );
    }

    #[test]
    fn a_long_listing_shows_that_it_goes_on() {
        let events: Vec<RunEvent> = (1..=2_500)
            .map(|page| RunEvent::Listing {
                keys: page * 1_000,
                what: "key",
            })
            .collect();
        assert_eq!(
            shown(&events),
            "listing: 1,000,000 keys so far\nlisting: 2,000,000 keys so far\n"
        );
    }

    #[test]
    fn warnings_and_interruptions_are_lines_too() {
        let text = shown(&[
            RunEvent::Warning("empty bucket".to_owned()),
            RunEvent::Interrupted,
        ]);
        assert_eq!(
            text,
            "warning: empty bucket\nwarning: interrupted: no new fetches start, partial results are stored\n"
        );
    }
}
