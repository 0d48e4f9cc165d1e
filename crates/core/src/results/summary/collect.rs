//! Facts and rows → summary, in one pass over the rows and in memory that does not grow with their number.

use std::collections::BTreeMap;

use super::account::Flaw;
use super::document::{SCHEMA, Summary, VERSION};
use super::facts::{Header, RunFacts, State};
use super::figures::{cpu, per_second};
use super::judge::judge;
use super::parts::{
    Attempts, Distributions, NotAsListed, Outcomes, Rates, SIZE_CLASS_BOUNDS, Series, SizeClass,
    StorageClass, Totals,
};
use super::web::RequestTallies;
use super::workers::Workers;
use crate::sample::{ErrorCode, KeyRecord, Outcome, Sample};
use crate::spool::table::Asked;
use crate::stats::histogram::Histogram;
use crate::units::SECOND_NS;

/// Seconds of a month: a clock that jumped must not fill the memory.
const MOST_SECONDS: usize = 31 * 86_400;

/// The summary of a run from its facts and its rows: key, fetch, round.
#[cfg(any(test, feature = "fixtures"))]
pub fn summarise(
    facts: RunFacts,
    rows: impl IntoIterator<Item = (KeyRecord, Sample, u64)>,
) -> Summary {
    let mut summariser = Summariser::new(facts.fetch.active_window_ns);
    for (key, sample, round) in rows {
        summariser.row(&key, &sample, round);
    }
    summariser.finish(facts)
}

/// Takes the rows of a run one by one, in any order.
#[derive(Debug, Default)]
pub struct Summariser {
    active_window_ns: Option<u64>,
    outcomes: Outcomes,
    not_as_listed: NotAsListed,
    row_bytes: Outcomes,
    rounds: u64,
    goodput_bytes: u64,
    window_bytes: f64,
    window_fetches: f64,
    busy_ns: u128,
    ttfb: Histogram,
    latency: Histogram,
    fetch_duration: Histogram,
    classes: [Class; SIZE_CLASS_BOUNDS.len() + 1],
    storage: BTreeMap<String, StorageClass>,
    workers: Workers,
    open: OpenObject,
    attempts: Attempts,
    codes: BTreeMap<ErrorCode, u64>,
    requests: RequestTallies,
    /// Fetches by the second in which they ended well.
    ends: Vec<u64>,
}

/// What the fetches of the object at hand said so far: one, or one a part.
#[derive(Clone, Copy, Debug, Default)]
struct OpenObject {
    retried: bool,
    window_bytes: f64,
}

#[derive(Debug, Default)]
struct Class {
    bytes: u64,
    latency: Histogram,
    objects: u64,
}

impl Summariser {
    /// A pass over the rows of a run with this active window.
    pub fn new(active_window_ns: Option<u64>) -> Self {
        Self {
            active_window_ns,
            ..Self::default()
        }
    }

    /// Takes the row of an object that was fetched whole: its key as listed, the fetch, and how often the keys were gone through before it.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn row(&mut self, key: &KeyRecord, sample: &Sample, round: u64) {
        if sample.was_attempted() {
            self.fetch(sample);
        }
        self.object(key, sample, round);
    }

    /// Takes the row of an object whose fetches were taken by [`Self::fetch`] just before.
    pub fn object(&mut self, key: &KeyRecord, sample: &Sample, round: u64) {
        self.rounds = self.rounds.max(round + 1);
        if round == 0 && !key.storage_class.is_empty() {
            self.storage_class(key);
        }
        let outcome = sample.outcome_of(key);
        *of(&mut self.outcomes, outcome) += 1;
        let bytes = of(&mut self.row_bytes, outcome);
        *bytes = bytes.saturating_add(key.size.unwrap_or(0));
        self.not_as_listed.rows += u64::from(sample.mismatch.any());
        self.not_as_listed.size += u64::from(sample.mismatch.size);
        self.not_as_listed.etag += u64::from(sample.mismatch.etag);
        let open = std::mem::take(&mut self.open);
        self.attempts.retried_fetches += u64::from(open.retried);
        if outcome == Outcome::Ok {
            self.window_bytes += open.window_bytes;
            self.ok(key, sample);
        }
    }

    /// How many rows' objects are not those that were listed, so far.
    pub fn not_as_listed(&self) -> NotAsListed {
        self.not_as_listed
    }

    fn storage_class(&mut self, key: &KeyRecord) {
        if !self.storage.contains_key(&key.storage_class) {
            self.storage
                .insert(key.storage_class.clone(), StorageClass::default());
        }
        if let Some(class) = self.storage.get_mut(&key.storage_class) {
            class.objects += 1;
            class.bytes = class.bytes.saturating_add(key.size.unwrap_or(0));
        }
    }

    /// Takes one fetch that was begun: of a whole object, or of a part of it. What is counted by request is counted here.
    pub fn fetch(&mut self, sample: &Sample) {
        self.attempts.total += u64::from(sample.attempts);
        self.open.retried |= sample.attempts > 1;
        if let (Some(window), Some(start), Some(end)) =
            (self.active_window_ns, sample.start_ns, sample.end_ns)
        {
            let share = share_before(window, sample.first_byte_ns.unwrap_or(start), end);
            self.open.window_bytes += sample.calc_size.unwrap_or(0) as f64 * share;
        }
        self.attempts.backoff_ns = self.attempts.backoff_ns.saturating_add(sample.backoff_ns);
        for (code, count) in sample.codes.runs() {
            *self.codes.entry(code).or_default() += u64::from(count);
        }
        self.requests.add(sample);
        if let Some(end_ns) = sample.end_ns.filter(|_| sample.outcome == Outcome::Ok) {
            self.ended(end_ns);
        }
        self.busy_ns += u128::from(sample.fetch_duration_ns().unwrap_or(0));
        self.workers.row(sample);
    }

    /// A fetch ended well so long after the epoch; what is past the longest run that anybody waits for is not counted.
    fn ended(&mut self, end_ns: u64) {
        let Some(second) = usize::try_from(end_ns / SECOND_NS)
            .ok()
            .filter(|second| *second < MOST_SECONDS)
        else {
            return;
        };
        if second >= self.ends.len() {
            self.ends.resize(second + 1, 0);
        }
        self.ends[second] += 1;
    }

    fn ok(&mut self, key: &KeyRecord, sample: &Sample) {
        let bytes = sample.calc_size.unwrap_or(0);
        self.goodput_bytes = self.goodput_bytes.saturating_add(bytes);
        for (histogram, time) in [
            (&mut self.ttfb, sample.ttfb_ns()),
            (&mut self.latency, sample.latency_ns()),
            (&mut self.fetch_duration, sample.fetch_duration_ns()),
        ] {
            if let Some(ns) = time {
                histogram.record(ns);
            }
        }
        let size = sample.size.or(key.size).unwrap_or(bytes);
        let class = &mut self.classes[SIZE_CLASS_BOUNDS.partition_point(|bound| *bound < size)];
        class.objects += 1;
        class.bytes = class.bytes.saturating_add(bytes);
        if let Some(ns) = sample.latency_ns() {
            class.latency.record(ns);
        }
        if let (Some(window), Some(start), Some(end)) =
            (self.active_window_ns, sample.start_ns, sample.end_ns)
        {
            self.window_fetches += share_before(window, start, end);
        }
    }

    /// Objects and bytes, both sides of the account; `None` when the run came neither to rows nor to a fetch phase.
    pub fn totals(&self, facts: &RunFacts) -> Option<Totals> {
        if self.outcomes.sum() == 0 && facts.phases.fetch_ns.is_none() {
            return None;
        }
        let once = Asked {
            objects: facts.listing.keys,
            bytes: facts.listing.bytes,
            cut_by_time: 0,
        };
        let asked = facts.pass.asked.unwrap_or(once);
        Some(Totals {
            keys_listed: facts.listing.keys,
            listed_bytes: facts.listing.bytes,
            rounds: self.rounds,
            asked_objects: Some(asked.objects),
            asked_bytes: asked.bytes,
            cut_by_time: asked.cut_by_time,
            rows: self.outcomes,
            row_bytes: Some(self.row_bytes),
            not_as_listed: Some(self.not_as_listed),
            goodput_bytes: self.goodput_bytes,
            received_bytes: facts.fetch.received_bytes,
        })
    }

    /// The summary, once every row was taken. A run that says `Complete` and whose account does not close is `Failed`. It has no price yet: that is known
    /// once its requests are.
    pub fn finish(mut self, facts: RunFacts) -> Summary {
        let totals = self.totals(&facts);
        let rates = self.rates(&facts);
        let attempts = self.attempts(&facts);
        let cpu = cpu(&facts, attempts.total);
        // Every field by name, here and below: what is added to either side and forgotten does not compile.
        let RunFacts {
            header,
            state,
            ended_at,
            phases,
            listing,
            fetch,
            pass,
            warnings,
        } = facts;
        let fetch_ns = phases.fetch_ns;
        let busy = per_second(self.busy_ns as f64 / 1e9, fetch_ns);
        let has_fetched = fetch_ns.is_some();
        let Header {
            tag,
            result_name,
            started_at,
            settings,
            environment,
            region,
            endpoint,
            resolved_addresses,
        } = header;
        let mut summary = Summary {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            state,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            tag,
            result_name,
            started_at,
            ended_at,
            settings,
            environment,
            region,
            endpoint,
            resolved_addresses,
            sample: listing.sample,
            phases,
            totals,
            rates,
            active_window_ns: fetch.active_window_ns,
            series: fetch.series.map(|series| {
                let mut fetches = std::mem::take(&mut self.ends);
                fetches.resize(series.bytes.len(), 0);
                Series { fetches, ..series }
            }),
            distributions: if has_fetched {
                self.distributions()
            } else {
                Distributions::default()
            },
            size_classes: if has_fetched {
                size_classes(&self.classes)
            } else {
                Vec::new()
            },
            in_flight: has_fetched.then(|| self.workers.in_flight(pass.in_flight_most, busy)),
            storage_classes: self.storage,
            attempts: has_fetched.then_some(attempts),
            status_codes: self.requests.status_codes(),
            steps: self.requests.steps(),
            cpu,
            memory: fetch.memory,
            interface: fetch.interface,
            price: None,
            no_price: None,
            server: None,
            warnings,
            verdict: None,
        };
        if summary.state == State::Complete && summary.flaw().is_some_and(Flaw::is_incomplete) {
            summary.state = State::Failed;
        }
        summary.verdict = judge(&summary, fetch.server.as_ref());
        summary.server = fetch.server.map(|server| server.report);
        summary
    }

    fn distributions(&self) -> Distributions {
        Distributions {
            ttfb: self.ttfb.snapshot(),
            latency: self.latency.snapshot(),
            fetch_duration: self.fetch_duration.snapshot(),
        }
    }

    fn rates(&self, facts: &RunFacts) -> Rates {
        let fetch_ns = facts.phases.fetch_ns;
        let window_ns = facts.fetch.active_window_ns;
        let tail = || {
            let (fetch, window) = (fetch_ns.filter(|ns| *ns > 0)?, window_ns?);
            // Workers that are still in a fetch when the time is up are not idle.
            let idle = facts
                .header
                .settings
                .duration_ns
                .and_then(|_| self.workers.first_idle_ns());
            let busy = window.max(idle.unwrap_or(0));
            Some(fetch.saturating_sub(busy) as f64 / fetch as f64)
        };
        Rates {
            throughput_bytes_per_s: facts
                .fetch
                .received_bytes
                .and_then(|bytes| per_second(bytes as f64, fetch_ns)),
            goodput_bytes_per_s: per_second(self.goodput_bytes as f64, fetch_ns),
            active_window_bytes_per_s: per_second(self.window_bytes, window_ns),
            requests_per_s: per_second(self.attempts.total as f64, fetch_ns),
            active_window_fetches_per_s: per_second(self.window_fetches, window_ns),
            served_side_by_side: self.latency.min_ns().and_then(|fastest_ns| {
                per_second(
                    self.outcomes.ok as f64 * (fastest_ns as f64 / 1e9),
                    fetch_ns,
                )
            }),
            tail_share: tail(),
        }
    }

    fn attempts(&self, facts: &RunFacts) -> Attempts {
        Attempts {
            by_code: self
                .codes
                .iter()
                .map(|(code, count)| (code.to_string(), *count))
                .collect(),
            throttles: self
                .codes
                .iter()
                .filter(|(code, _)| code.is_throttle())
                .map(|(_, count)| count)
                .sum(),
            connections_opened: facts.fetch.connections_opened,
            ..self.attempts.clone()
        }
    }
}

/// The count of one outcome.
const fn of(outcomes: &mut Outcomes, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::Ok => &mut outcomes.ok,
        Outcome::Failed => &mut outcomes.failed,
        Outcome::Vanished => &mut outcomes.vanished,
        Outcome::Archived => &mut outcomes.archived,
        Outcome::NotAttempted => &mut outcomes.not_attempted,
    }
}

/// The part of `start` … `end` that lies before `bound`, as a share of one.
fn share_before(bound: u64, start: u64, end: u64) -> f64 {
    if end <= bound {
        1.0
    } else if start >= bound {
        0.0
    } else {
        (bound - start) as f64 / (end - start) as f64
    }
}

fn size_classes(classes: &[Class]) -> Vec<SizeClass> {
    let bounds = SIZE_CLASS_BOUNDS.into_iter().map(Some).chain([None]);
    let pairs = bounds.zip(classes);
    pairs
        .map(|(up_to_bytes, class)| SizeClass {
            up_to_bytes,
            objects: class.objects,
            bytes: class.bytes,
            latency_p50_ns: class.latency.quantile(0.5),
            latency_p99_ns: class.latency.quantile(0.99),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::{CpuFacts, Limit, State, fixture};
    use crate::sample::ErrorCodes;

    /// The parts of `actual` and `expected` that are floating-point numbers agree to nine digits.
    fn close(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap();
        assert!(
            (actual - expected).abs() <= expected.abs() * 1e-9,
            "{actual} is not {expected}"
        );
    }

    fn key(size: u64, storage_class: &str) -> KeyRecord {
        KeyRecord {
            key: "k".to_owned(),
            size: Some(size),
            etag: String::new(),
            storage_class: storage_class.to_owned(),
        }
    }

    /// Worker, [first start, last attempt's start, first byte, end] in ms, bytes.
    fn ok(worker: u32, ms: [u64; 4], bytes: u64) -> Sample {
        Sample {
            pid: 10,
            tid: 20 + worker,
            ..fixture::fetch(worker, ms.map(|ms| ms * 1_000), bytes)
        }
    }

    fn codes(words: &[&str]) -> ErrorCodes {
        let mut codes = ErrorCodes::default();
        for word in words {
            codes.push(ErrorCode::from_word(word));
        }
        codes
    }

    /// Two workers, 2 s, the queue empty after 1.5 s: every figure below is computed by hand.
    fn small() -> Summary {
        let mut facts = RunFacts::new(fixture::header(), State::Complete);
        facts.phases.fetch_ns = Some(2_000_000_000);
        facts.fetch.active_window_ns = Some(1_500_000_000);
        (facts.listing.keys, facts.listing.bytes) = (5, Some(6_000_000));
        facts.pass.asked = Some(Asked {
            objects: 6,
            bytes: Some(7_000_000),
            cut_by_time: 1,
        });
        facts.fetch.received_bytes = Some(5_000_000);
        facts.pass.in_flight_most = Some(2);
        facts.fetch.cpu = CpuFacts {
            fetch_user_ns: Some(300_000_000),
            fetch_sys_ns: Some(200_000_000),
            limit_vcpu: Some(2.0),
            ..CpuFacts::default()
        };
        let retried = Sample {
            attempts: 3,
            backoff_ns: 100_000_000,
            codes: codes(&["SlowDown", "reset"]),
            ..ok(1, [10, 400, 500, 600], 1_000_000)
        };
        let straddles = ok(1, [600, 600, 1_000, 2_000], 2_000_000);
        let failed = Sample {
            outcome: Outcome::Failed,
            attempts: 2,
            codes: codes(&["SlowDown", "SlowDown"]),
            ..ok(0, [1_200, 1_300, 0, 1_400], 9)
        };
        let rows = [
            (
                key(1_000_000, "STANDARD"),
                ok(0, [0, 0, 100, 1_200], 1_000_000),
                0,
            ),
            (key(1_000_000, "STANDARD"), retried, 0),
            (key(2_000_000, "GLACIER_IR"), straddles, 0),
            (key(1_000_000, "STANDARD"), failed, 0),
            (key(1_000_000, "DEEP_ARCHIVE"), Sample::default(), 0),
            (key(1_000_000, "STANDARD"), Sample::default(), 1),
        ];
        summarise(facts, rows)
    }

    #[test]
    fn totals_and_rates_agree_with_a_hand_computation() {
        let summary = small();
        let totals = summary.totals.unwrap();
        assert_eq!(
            totals.rows,
            Outcomes {
                ok: 3,
                failed: 1,
                vanished: 0,
                archived: 1,
                not_attempted: 1
            }
        );
        assert_eq!(
            (totals.keys_listed, totals.goodput_bytes, totals.rounds),
            (5, 4_000_000, 2)
        );
        assert_eq!(
            totals.row_bytes,
            Some(Outcomes {
                ok: 4_000_000,
                failed: 1_000_000,
                vanished: 0,
                archived: 1_000_000,
                not_attempted: 1_000_000
            })
        );
        assert_eq!(
            (totals.asked_objects, totals.asked_bytes, summary.state),
            (Some(6), Some(7_000_000), State::Complete)
        );
        close(summary.rates.throughput_bytes_per_s, 2_500_000.0);
        close(summary.rates.goodput_bytes_per_s, 2_000_000.0);
        // Two whole bodies, and half of the one from 1 s to 2 s.
        close(summary.rates.active_window_bytes_per_s, 3_000_000.0 / 1.5);
        // Two whole fetches, and 0.9 of the 1.4 s of the third.
        close(
            summary.rates.active_window_fetches_per_s,
            (2.0 + 0.9 / 1.4) / 1.5,
        );
        close(summary.rates.requests_per_s, 3.5);
        close(summary.rates.tail_share, 0.25);
    }

    /// The queue is empty after 1.5 s, and both workers are in a fetch then: the first of them until 1.8 s of 2 s.
    #[test]
    fn of_a_run_that_time_ends_the_tail_begins_when_a_worker_has_nothing_left_to_do() {
        let mut facts = RunFacts::new(fixture::header(), State::Complete);
        facts.header.settings.duration_ns = Some(1_500_000_000);
        facts.phases.fetch_ns = Some(2_000_000_000);
        facts.fetch.active_window_ns = Some(1_500_000_000);
        let rows = [
            (key(1, ""), ok(0, [0, 0, 1, 100], 1), 0),
            (key(1, ""), ok(0, [100, 100, 101, 1_800], 1), 0),
            (key(1, ""), ok(1, [0, 0, 1, 2_000], 1), 0),
        ];
        close(summarise(facts, rows).rates.tail_share, 0.1);
    }

    /// A whole object on worker 1, and one of three parts on two workers, 2 s, the queue empty after 1 s: every figure is computed by hand.
    #[test]
    fn what_is_counted_by_request_comes_from_the_parts() {
        let mut facts = RunFacts::new(fixture::header(), State::Complete);
        facts.phases.fetch_ns = Some(2_000_000_000);
        facts.fetch.active_window_ns = Some(1_000_000_000);
        facts.listing.keys = 3;
        let mut summariser = Summariser::new(facts.fetch.active_window_ns);
        summariser.row(&key(500_000, ""), &ok(1, [0, 0, 100, 400], 500_000), 0);
        let retried = Sample {
            attempts: 2,
            codes: codes(&["SlowDown"]),
            ..ok(0, [100, 500, 600, 1_600], 1_000_000)
        };
        let parts = [
            ok(0, [0, 0, 50, 100], 1_000_000),
            retried,
            ok(1, [400, 400, 600, 900], 200_000),
        ];
        for part in &parts {
            summariser.fetch(part);
        }
        let row = Sample {
            attempts: 4,
            codes: codes(&["SlowDown"]),
            calc_size: Some(2_200_000),
            ..ok(0, [0, 0, 50, 1_600], 2_200_000)
        };
        summariser.object(&key(2_200_000, ""), &row, 0);
        // A part that was left over when the run ended is a request, and no goodput.
        summariser.fetch(&ok(1, [900, 900, 950, 1_000], 300_000));
        summariser.object(
            &key(600_000, ""),
            &Sample {
                outcome: Outcome::NotAttempted,
                ..ok(1, [900, 900, 950, 1_000], 300_000)
            },
            0,
        );
        let summary = summariser.finish(facts);
        assert_eq!(
            summary.totals.unwrap().rows,
            Outcomes {
                ok: 2,
                not_attempted: 1,
                ..Outcomes::default()
            }
        );
        assert_eq!(summary.totals.unwrap().goodput_bytes, 2_700_000);
        let attempts = summary.attempts.unwrap();
        assert_eq!(
            (attempts.total, attempts.retried_fetches, attempts.throttles),
            (6, 1, 1)
        );
        // 0.4 + 0.1 + 1.5 + 0.5 + 0.1 seconds of fetching in 2 s: parts that went side by side count each.
        close(summary.in_flight.unwrap().mean, 2.6 / 2.0);
        assert_eq!(
            summary.in_flight.unwrap().last_end_spread_ns,
            Some(600_000_000)
        );
        // 0.5 MB, 1 MB, 0.4 of 1 MB and 0.2 MB; one object and 1 of 1.6 s of the other.
        close(summary.rates.active_window_bytes_per_s, 2_100_000.0);
        close(summary.rates.active_window_fetches_per_s, 1.0 + 1.0 / 1.6);
        close(summary.rates.requests_per_s, 3.0);
        assert_eq!(
            (
                summary.distributions.latency.count,
                summary.distributions.latency.max_ns
            ),
            (2, Some(1_600_000_000))
        );
    }

    #[test]
    fn attempts_and_codes_are_counted_whatever_the_outcome() {
        let attempts = small().attempts.unwrap();
        assert_eq!(
            (
                attempts.total,
                attempts.retried_fetches,
                attempts.backoff_ns,
                attempts.throttles
            ),
            (7, 2, 100_000_000, 3)
        );
        assert_eq!(
            attempts.by_code.into_iter().collect::<Vec<_>>(),
            [("SlowDown".to_owned(), 3), ("reset".to_owned(), 1)]
        );
    }

    #[test]
    fn overlap_comes_from_each_worker_s_first_start_and_last_end() {
        let in_flight = small().in_flight.unwrap();
        // 1.2 + 0.59 + 1.4 + 0.2 seconds of fetching in 2 s.
        close(in_flight.mean, 3.39 / 2.0);
        assert_eq!(
            (
                in_flight.first_start_spread_ns,
                in_flight.last_end_spread_ns
            ),
            (Some(10_000_000), Some(600_000_000))
        );
        assert_eq!(
            (in_flight.most, in_flight.pids, in_flight.tids),
            (Some(2), 1, 2)
        );
    }

    #[test]
    fn distributions_hold_the_ok_fetches_alone() {
        let distributions = small().distributions;
        assert_eq!(
            (
                distributions.ttfb.count,
                distributions.ttfb.min_ns,
                distributions.ttfb.max_ns
            ),
            (3, Some(100_000_000), Some(400_000_000))
        );
        assert_eq!(
            (distributions.latency.min_ns, distributions.latency.max_ns),
            (Some(200_000_000), Some(1_400_000_000))
        );
        assert_eq!(
            (
                distributions.fetch_duration.min_ns,
                distributions.fetch_duration.sum_ns
            ),
            (Some(590_000_000), Some(3_190_000_000))
        );
    }

    #[test]
    fn classes_divide_at_their_bounds() {
        let summary = small();
        let objects: Vec<u64> = summary
            .size_classes
            .iter()
            .map(|class| class.objects)
            .collect();
        assert_eq!(objects, [0, 0, 2, 1, 0, 0]);
        assert_eq!(
            (
                summary.size_classes[0].latency_p50_ns,
                summary.size_classes[3].latency_p50_ns
            ),
            (None, Some(1_400_000_000))
        );
        let names: Vec<(&str, u64)> = summary
            .storage_classes
            .iter()
            .map(|(name, class)| (name.as_str(), class.objects))
            .collect();
        assert_eq!(
            names,
            [("DEEP_ARCHIVE", 1), ("GLACIER_IR", 1), ("STANDARD", 3)]
        );
        let mut edge = Summariser::new(None);
        for size in [16 << 10, (16 << 10) + 1, 64 << 20, (64 << 20) + 1] {
            edge.row(&key(size, ""), &ok(0, [0, 0, 1, 2], size), 0);
        }
        assert_eq!(edge.classes.map(|class| class.objects), [1, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn processor_time_is_spread_over_bytes_requests_and_time() {
        let cpu = small().cpu;
        close(cpu.s_per_gb, 100.0);
        close(cpu.us_per_request, 500_000.0 / 7.0);
        close(cpu.used_vcpu, 0.25);
    }

    #[test]
    fn a_run_without_a_fetch_phase_measures_nothing() {
        let summary = summarise(RunFacts::new(fixture::header(), State::Failed), []);
        assert_eq!(
            (summary.totals, summary.rates, summary.in_flight),
            (None, Rates::default(), None)
        );
        assert_eq!((summary.attempts, summary.verdict), (None, None));
    }

    #[test]
    fn complete_with_rows_not_attempted_does_not_exist() {
        let rows = || {
            (0..20).map(|i| {
                (
                    key(5, ""),
                    if i < 17 {
                        ok(0, [0, 0, 1, 2], 5)
                    } else {
                        Sample::default()
                    },
                    0,
                )
            })
        };
        let mut facts = RunFacts::new(fixture::header(), State::Complete);
        facts.phases.fetch_ns = Some(2_000_000);
        (facts.listing.keys, facts.listing.bytes) = (20, Some(100));
        let summary = summarise(facts.clone(), rows());
        assert_eq!(
            (summary.state, summary.verdict.as_ref().unwrap().word),
            (State::Failed, Limit::Failed)
        );
        assert_eq!(
            summary.verdict.unwrap().because[0],
            "3 of 20 objects were not attempted"
        );
        let interrupted = summarise(
            RunFacts {
                state: State::Interrupted,
                ..facts.clone()
            },
            rows(),
        );
        assert_eq!(interrupted.state, State::Interrupted);
        // A row too few, though all that are there are good.
        facts.listing.keys = 18;
        let summary = summarise(facts, rows().take(17));
        assert_eq!(
            (summary.state, summary.verdict.unwrap().word),
            (State::Failed, Limit::Failed)
        );
    }

    #[test]
    fn an_empty_bucket_has_totals_and_no_rates() {
        let mut facts = RunFacts::new(fixture::header(), State::Complete);
        facts.phases.fetch_ns = Some(0);
        facts.fetch.received_bytes = Some(0);
        let summary = summarise(facts, []);
        assert_eq!(
            (
                summary.totals.unwrap().rows,
                summary.rates,
                summary.cpu.s_per_gb
            ),
            (Outcomes::default(), Rates::default(), None)
        );
        assert_eq!(summary.verdict.unwrap().word, Limit::Unclear);
    }
}
