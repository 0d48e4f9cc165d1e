//! An estimate in words: what is read, requested and paid, how long it takes, and the question before it.

use super::{Bytes, Estimate, EstimateSource, UncountedRuns, Usd};
use crate::units;

impl Estimate {
    /// `20.0 GB`, `20.0 GB and what app reads`
    pub(super) fn read_in_words(&self) -> String {
        match &self.uncounted {
            None => self.bytes().in_words(),
            Some(UncountedRuns { programs, .. }) if self.counted() == 0 => {
                format!("what {programs} reads, which is not known,")
            }
            Some(UncountedRuns { programs, .. }) => {
                format!(
                    "{}, and what {programs} reads, which is not known,",
                    self.bytes().in_words()
                )
            }
        }
    }

    /// Lines for a person, each with its end.
    pub fn in_words(&self) -> String {
        if self.from == EstimateSource::WebServer {
            return self.of_web_server();
        }
        if let Some(uncounted) = &self.uncounted {
            return self.in_words_of(uncounted);
        }
        let bytes = match (self.runs, self.bytes_of_run) {
            (1, bytes) => bytes.in_words(),
            (_, Bytes::Unknown) => "sizes of keys are not known".to_owned(),
            (_, bytes) => format!(
                "{} per run, {} in all {runs} runs",
                bytes.in_words(),
                self.bytes().in_words(),
                runs = units::count(self.runs)
            ),
        };
        let gets = self.gets_in_words();
        let assumed = || match (self.seconds, self.gets) {
            (Some(seconds), None) => format!("{} of fetching", time(seconds)),
            (Some(seconds), Some(_)) => {
                format!(
                    "about {} of fetching, if S3 sends the first byte after 20 ms, and 90 MB/s per connection",
                    time(seconds)
                )
            }
            (None, _) => "it depends on this store, which was not measured yet".to_owned(),
        };
        let time = self.measured.clone().unwrap_or_else(assumed);
        let price = self.usd.as_ref().map_or_else(
            || {
                "unknown, as the store is not at AWS or the price list has no price for it; the result shows what it would cost with S3 and Fargate"
                    .to_owned()
            },
            Usd::in_words,
        );
        let lists = units::plural(self.lists, "LIST request");
        format!(
            "bytes: {bytes}\nrequests: {gets} and {lists}\ntime: {time}\nprice of reading: {price}\n"
        )
    }

    fn gets_in_words(&self) -> String {
        self.gets.map_or_else(
            || "as many GETs as fit".to_owned(),
            |gets| units::plural(gets, "GET"),
        )
    }

    fn of_web_server(&self) -> String {
        let requests = self.gets.map_or_else(
            || "as many as fit".to_owned(),
            |requests| units::plural(requests, "request"),
        );
        let assumed = || match self.seconds {
            Some(seconds) => format!("{} of requests", time(seconds)),
            None => "as long as the server takes".to_owned(),
        };
        let time = self.measured.clone().unwrap_or_else(assumed);
        format!(
            "server: {}\nrequests: {requests}\ntime: {time}\n",
            self.source
        )
    }

    /// What a person is asked.
    pub(super) fn question(&self) -> String {
        let usd = self
            .usd
            .as_ref()
            .map_or_else(String::new, |usd| format!(": {}", usd.in_words()));
        format!(
            "this {} fetches {} from {}{usd}. Continue?",
            self.what,
            self.read_in_words(),
            self.source
        )
    }

    /// Lines for a person of runs that are not all counted.
    fn in_words_of(&self, UncountedRuns { runs, programs }: &UncountedRuns) -> String {
        let lists = match self.lists {
            0 => String::new(),
            lists => units::plural(lists, "LIST request") + ", and ",
        };
        let time = self
            .measured
            .clone()
            .unwrap_or_else(|| format!("not known, as it is what {programs} takes"));
        let unknown = format!("what {programs} reads is not known");
        if self.counted() == 0 {
            return format!(
                "bytes: {unknown}\nrequests: {lists}those of {programs}\ntime: {time}\nprice of reading: {unknown}\n"
            );
        }
        let bytes = match self.bytes_of_run {
            Bytes::Unknown => "sizes of keys are not known".to_owned(),
            bytes => format!(
                "{} per run, {} in {}",
                bytes.in_words(),
                self.bytes().in_words(),
                units::plural(self.counted(), "run")
            ),
        };
        let gets = self.gets_in_words();
        let price = self
            .usd
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), Usd::in_words);
        format!(
            "bytes: {bytes}; {unknown} ({})\nrequests: {gets}, {lists}those of {programs}\ntime: {time}\nprice of reading: {price}; {unknown}\n",
            units::plural(*runs, "run")
        )
    }
}

/// A time that is assumed: `40 min`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole seconds, and the cast saturates"
)]
pub fn time(seconds: f64) -> String {
    units::duration_coarse((seconds.max(1.0) as u64).saturating_mul(units::SECOND_NS))
}
