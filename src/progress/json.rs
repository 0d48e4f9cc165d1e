//! Progress as JSON objects, a line each: the events of a log, with figures as numbers.

use std::io::Write;

use serde_json::{Value, json};

use super::display::{caution, listed, lossy, sampled};
use super::lines::{INTERVAL_NS, LISTING_STEP, goal};
use super::meter::{Goal, Meter};
use crate::event::RunEvent;
use crate::output::{Severity, log_line};
use crate::units::{self, SECOND_NS};

/// Which events become lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Those of a log.
    All,
    /// Warnings.
    Warnings,
}

/// Writes lines to `W`.
pub(super) struct JsonLines<W: Write> {
    writer: W,
    told: Told,
    meter: Meter,
    what: &'static str,
    listed_bytes: Option<u64>,
    next_keys: u64,
    next_ns: u64,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(writer: W, told: Told) -> Self {
        let meter = Meter::default();
        Self {
            writer,
            told,
            meter,
            what: "objects",
            listed_bytes: None,
            next_keys: LISTING_STEP,
            next_ns: INTERVAL_NS,
        }
    }

    pub(super) fn handle(&mut self, event: &RunEvent) {
        if let Some(text) = caution(event) {
            return lossy(log_line(
                &mut self.writer,
                Severity::Warn,
                &text,
                Value::Null,
            ));
        }
        if self.told == Told::Warnings {
            return;
        }
        match event {
            RunEvent::Started { title } => self.line(title, json!({"phase": "start"})),
            RunEvent::Listing { keys, what } if *keys >= self.next_keys => {
                self.next_keys = (keys / LISTING_STEP + 1) * LISTING_STEP;
                let text = format!("listing: {} so far", units::plural(*keys, what));
                self.line(&text, json!({"phase": "listing", "listed_objects": keys}));
            }
            RunEvent::Listed {
                keys,
                what,
                bytes,
                elapsed_ns,
            } => {
                self.listed_bytes = *bytes;
                let fields = json!({"phase": "listing", "listed_objects": keys, "listed_bytes": bytes, "listing_s": seconds(*elapsed_ns)});
                self.line(
                    &listed(&units::plural(*keys, what), *bytes, *elapsed_ns),
                    fields,
                );
            }
            RunEvent::Sampled { words, bytes } => {
                self.listed_bytes = *bytes;
                self.line(
                    &sampled(words, *bytes),
                    json!({"phase": "listing", "sample_bytes": bytes}),
                );
            }
            RunEvent::Fetching {
                units,
                what,
                duration_ns,
                concurrency,
            } => {
                self.what = what;
                self.next_ns = INTERVAL_NS;
                self.meter
                    .start(goal(*units, *duration_ns), self.listed_bytes);
                let fields = json!({"phase": "fetch", "to_fetch": units, "duration_s": duration_ns.map(seconds), "concurrency": concurrency});
                self.line("fetching", fields);
            }
            RunEvent::Progress { live, elapsed_ns } => {
                self.meter.update(*live, *elapsed_ns);
                if *elapsed_ns >= self.next_ns {
                    self.next_ns = (elapsed_ns / INTERVAL_NS + 1) * INTERVAL_NS;
                    let (rate, left) = (self.meter.rate(), self.meter.left_ns().map(seconds));
                    self.counters(json!({"bytes_per_s": rate, "left_s": left}));
                }
            }
            // Without a rate: that of the run is over the time to the last end of a fetch, and stands in the line of its end.
            RunEvent::Fetched => self.counters(json!({})),
            _ => {}
        }
    }

    fn counters(&mut self, mut fields: Value) {
        let live = self.meter.live();
        fields["phase"] = json!("fetch");
        fields["fetched_objects"] = json!(live.ended);
        fields["failed"] = json!(live.failed);
        fields["bytes"] = json!(live.bytes);
        fields["elapsed_s"] = json!(seconds(self.meter.elapsed_ns()));
        if let Goal::Units(units) = self.meter.goal {
            fields["to_fetch"] = json!(units);
        }
        let text = format!(
            "fetched {} {}, {}, {} failed",
            self.meter.objects(),
            self.what,
            units::bytes(live.bytes),
            units::count(live.failed)
        );
        self.line(&text, fields);
    }

    fn line(&mut self, text: &str, fields: Value) {
        lossy(log_line(&mut self.writer, Severity::Info, text, fields));
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / SECOND_NS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Live;

    fn shown(told: Told, events: &[RunEvent]) -> Vec<Value> {
        let mut out = Vec::new();
        let mut lines = JsonLines::new(&mut out, told);
        for event in events {
            lines.handle(event);
        }
        let mut lines: Vec<Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for line in &mut lines {
            assert!(line.as_object_mut().unwrap().remove("timestamp").is_some());
        }
        lines
    }

    fn progress(second: u64, ended: u64, gigabytes: u64) -> RunEvent {
        let live = Live {
            ended,
            failed: 1,
            bytes: gigabytes * 1_000_000_000,
        };
        RunEvent::Progress {
            live,
            elapsed_ns: second * SECOND_NS,
        }
    }

    fn run() -> Vec<RunEvent> {
        let mut events = vec![
            RunEvent::Started {
                title: "parfetch s3://images → s3://results".to_owned(),
            },
            RunEvent::Listing {
                keys: 1_000,
                what: "key",
            },
            RunEvent::Listed {
                keys: 100,
                what: "key",
                bytes: Some(40_000_000_000),
                elapsed_ns: 3_900_000_000,
            },
            RunEvent::Fetching {
                units: Some(100),
                what: "objects",
                duration_ns: None,
                concurrency: 32,
            },
            RunEvent::Warning("a\nb is archived".to_owned()),
        ];
        events.extend((1..=15).map(|second| progress(second, second * 5, second * 2)));
        events.extend([progress(20, 100, 40), RunEvent::Fetched]);
        events
    }

    #[test]
    fn a_run_as_objects() {
        let expected = json!([
            {"level": "INFO", "message": "parfetch s3://images → s3://results", "phase": "start"},
            {"level": "INFO", "message": "listed 100 keys, 40.0 GB, in 3.90 s", "phase": "listing", "listed_objects": 100,
             "listed_bytes": 40_000_000_000_u64, "listing_s": 3.9},
            {"level": "INFO", "message": "fetching", "phase": "fetch", "to_fetch": 100, "concurrency": 32},
            {"level": "WARN", "message": "a\nb is archived"},
            {"level": "INFO", "message": "fetched 50/100 objects, 20.0 GB, 1 failed", "phase": "fetch", "fetched_objects": 50, "to_fetch": 100,
             "failed": 1, "bytes": 20_000_000_000_u64, "bytes_per_s": 2e9, "left_s": 10.0, "elapsed_s": 10.0},
            {"level": "INFO", "message": "fetched 100/100 objects, 40.0 GB, 1 failed", "phase": "fetch", "fetched_objects": 100, "to_fetch": 100,
             "failed": 1, "bytes": 40_000_000_000_u64, "bytes_per_s": 2e9, "left_s": 0.0, "elapsed_s": 20.0},
            {"level": "INFO", "message": "fetched 100/100 objects, 40.0 GB, 1 failed", "phase": "fetch", "fetched_objects": 100, "to_fetch": 100,
             "failed": 1, "bytes": 40_000_000_000_u64, "elapsed_s": 20.0},
        ]);
        assert_eq!(Value::Array(shown(Told::All, &run())), expected);
    }

    #[test]
    fn warnings_alone_where_progress_is_not_wanted() {
        let lines = shown(Told::Warnings, &run());
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["level"], "WARN");
    }
}
