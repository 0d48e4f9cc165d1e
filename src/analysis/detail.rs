//! What charts of one cell show and tables do not: read on demand from the documents of that cell alone.
//!
//! Histograms of all its repetitions are added; the series and the fetches are those of one repetition, the one nearest to the median throughput.

use std::io::{self, Read};

use serde::Serialize;

use super::model::CellReport;
use super::observation::Observation;
use super::read::{Problem, ProblemKind};
use crate::platform::bounded::{DOCUMENT_BYTES, text_of};
use crate::results::csv::CsvReader;
use crate::results::summary::Summary;
use crate::sample::Outcome;
use crate::stats::histogram::{Histogram, Snapshot};

/// Fetches that a chart shows at most.
pub const FETCHES: usize = 2_000;

/// Each bound of a bucket is this many times the one before: 12 for a tenfold time.
const STEPS_PER_DECADE: f64 = 12.0;

/// What is known of one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Detail {
    /// Times to first byte of all repetitions; empty for a contender.
    pub ttfb: Vec<TimeBucket>,
    /// Latencies of all repetitions; empty for a contender.
    pub latency: Vec<TimeBucket>,
    /// Which repetition the series and the fetches are of; `None` for a contender.
    pub repetition: Option<u32>,
    /// Bytes of each second since the epoch; `None` for shards and where they were not counted.
    pub bytes_per_second: Option<Vec<u64>>,
    /// Its first fetches, by start; of the first shard.
    pub fetches: Vec<Fetch>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Times in `from_s` (exclusive) … `to_s` (inclusive).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimeBucket {
    /// Lower bound, seconds.
    pub from_s: f64,
    /// Upper bound, seconds.
    pub to_s: f64,
    /// How many.
    pub count: u64,
}

/// One fetch of a timeline; times in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fetch {
    /// Worker, from 0.
    pub worker: u32,
    /// First attempt handed to the client.
    pub start_s: f64,
    /// First body bytes of the last attempt.
    pub first_byte_s: Option<f64>,
    /// Body complete, or given up.
    pub end_s: f64,
    /// How it ended: `ok`, `failed`, `vanished` …
    pub outcome: &'static str,
    /// HTTP attempts.
    pub attempts: u32,
}

/// Opens a document by the name under which it was read, or a file beside one.
pub type Open<'a> = &'a dyn Fn(&str) -> io::Result<Box<dyn Read>>;

/// Reads a cell's detail. What cannot be read is in its problems, and the rest is there.
pub fn detail(cell: &CellReport, open: Open<'_>) -> Detail {
    let mut detail = Detail::default();
    let (mut ttfb, mut latency) = (Histogram::default(), Histogram::default());
    let shown = median_repetition(&cell.observations);
    for (place, observation) in cell.observations.iter().enumerate() {
        for name in &observation.source.summaries {
            match summary(name, open) {
                Ok(summary) => {
                    add(
                        &mut ttfb,
                        (name, &summary.distributions.ttfb),
                        &mut detail.problems,
                    );
                    add(
                        &mut latency,
                        (name, &summary.distributions.latency),
                        &mut detail.problems,
                    );
                    if Some(place) == shown && observation.source.summaries.len() == 1 {
                        detail.bytes_per_second = summary.series.map(|series| series.bytes);
                    }
                }
                Err(what) => detail.problems.push(Problem {
                    document: name.clone(),
                    what,
                    kind: ProblemKind::LeftOut,
                }),
            }
        }
    }
    (detail.ttfb, detail.latency) = (buckets(&ttfb), buckets(&latency));
    let shown = shown.map(|place| &cell.observations[place]);
    if let Some((observation, first)) =
        shown.and_then(|observation| Some((observation, observation.source.summaries.first()?)))
    {
        detail.repetition = Some(observation.repetition);
        let name = format!("{}.csv", first.strip_suffix(".json").unwrap_or(first));
        match fetches(&name, open) {
            Ok(found) => detail.fetches = found,
            Err(what) => detail.problems.push(Problem {
                document: name,
                what,
                kind: ProblemKind::LeftOut,
            }),
        }
    }
    detail
}

/// The repetition nearest to the median throughput, the first of several.
fn median_repetition(observations: &[Observation]) -> Option<usize> {
    let mut rates: Vec<(f64, usize)> = observations
        .iter()
        .enumerate()
        .filter_map(|(place, observation)| Some((observation.rate()?, place)))
        .collect();
    rates.sort_by(|one, other| one.0.total_cmp(&other.0));
    rates
        .get(rates.len().saturating_sub(1) / 2)
        .map(|(_, place)| *place)
}

fn summary(name: &str, open: Open<'_>) -> Result<Summary, String> {
    let text = open(name)
        .and_then(|mut file| text_of(&mut file, DOCUMENT_BYTES))
        .map_err(|error| error.to_string())?;
    Summary::from_json(&text).map_err(|error| error.to_string())
}

fn add(whole: &mut Histogram, (name, snapshot): (&str, &Snapshot), problems: &mut Vec<Problem>) {
    match snapshot.histogram() {
        Ok(histogram) => whole.merge(&histogram),
        Err(error) => problems.push(Problem {
            document: name.to_owned(),
            what: error.to_string(),
            kind: ProblemKind::LeftOut,
        }),
    }
}

/// Buckets of equal width on a logarithmic axis, from the shortest time to the longest; none without times.
fn buckets(histogram: &Histogram) -> Vec<TimeBucket> {
    let (Some(min_ns), Some(max_ns)) = (histogram.min_ns(), histogram.max_ns()) else {
        return Vec::new();
    };
    let bound = |step: f64| 10_f64.powf(step / STEPS_PER_DECADE);
    let mut step = ((min_ns.max(1) as f64).log10() * STEPS_PER_DECADE).ceil() - 1.0;
    let mut buckets = Vec::new();
    let mut below = 0;
    while below < histogram.count() {
        step += 1.0;
        let up_to = histogram.count_up_to(if bound(step) >= max_ns as f64 {
            max_ns
        } else {
            whole(bound(step))
        });
        buckets.push(TimeBucket {
            from_s: bound(step - 1.0) / 1e9,
            to_s: bound(step) / 1e9,
            count: up_to - below,
        });
        below = up_to;
    }
    buckets
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and below the longest time, which is a u64"
)]
const fn whole(ns: f64) -> u64 {
    ns as u64
}

/// The first fetches of a timing CSV, by start.
fn fetches(name: &str, open: Open<'_>) -> Result<Vec<Fetch>, String> {
    let file = open(name).map_err(|error| error.to_string())?;
    let rows = CsvReader::new(file).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for row in rows {
        let row = row.map_err(|error| error.to_string())?;
        let (Some(worker), Some(start), Some(end)) = (row.worker, row.start_ns, row.end_ns) else {
            continue;
        };
        found.push(Fetch {
            worker,
            start_s: start as f64 / 1e9,
            first_byte_s: row.first_byte_ns.map(|ns| ns as f64 / 1e9),
            end_s: end as f64 / 1e9,
            outcome: row.outcome.map_or("", Outcome::as_str),
            attempts: row.attempts.unwrap_or(1),
        });
        // Keys are handed out in the order of the rows, so the first to start are among the first rows; workers take up to 64 at once.
        if found.len() >= 2 * FETCHES {
            break;
        }
    }
    found.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    found.truncate(FETCHES);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Sweep, histogram, lean};
    use crate::plan::Mode;

    #[test]
    fn buckets_hold_every_time_once() {
        let mut all = histogram(10_000_000);
        all.merge(&histogram(95_000_000));
        all.record(123_456_789);
        let found = buckets(&all);
        assert_eq!(found.iter().map(|bucket| bucket.count).sum::<u64>(), 21);
        assert!(
            found[0].from_s < 0.01 && 0.01 <= found[0].to_s * 1.000_001,
            "{:?}",
            found[0]
        );
        assert_eq!(found[0].count, 10);
        assert!(
            found
                .windows(2)
                .all(|pair| (pair[0].to_s - pair[1].from_s).abs() < 1e-12)
        );
        let last = found[found.len() - 1];
        assert!(
            last.from_s < 0.123_456_789 && 0.123_456_789 <= last.to_s,
            "{last:?}"
        );
        assert_eq!(buckets(&Histogram::default()), Vec::new());
    }

    #[test]
    fn a_cell_s_documents_are_read_again_and_what_is_missing_is_said() {
        let sweep = Sweep::new("s1").cell(&lean(1_024, Mode::Async, 16), &[100.0, 90.0, 110.0]);
        let study = sweep.study();
        let csv = "Key (time = 80.0) sec,Size,CalcSize,Outcome,Attempts,StartNs,FirstByteNs,EndNs,Worker\r\n\
                   b,1,1,ok,2,2000000000,2500000000,3000000000,7\r\na,1,1,failed,5,1000000000,,1500000000,3\r\nc,1,,not_attempted,0,,,,\r\n";
        let open = |name: &str| -> io::Result<Box<dyn Read>> {
            if name == "sweeps/s1/lean-1vcpu-2048mib-async-x16/r01-a1/result_run.csv" {
                return Ok(Box::new(csv.as_bytes()));
            }
            if name.contains("r02") {
                return Err(io::Error::other("gone"));
            }
            Ok(Box::new(io::Cursor::new(
                sweep.documents[name].clone().into_bytes(),
            )))
        };
        let found = detail(&study.cells[0], &open);
        assert_eq!(
            found.ttfb.iter().map(|bucket| bucket.count).sum::<u64>(),
            20,
            "two of three could be read"
        );
        assert_eq!(
            (found.problems.len(), found.problems[0].what.as_str()),
            (1, "gone")
        );
        assert_eq!(
            (
                found.repetition,
                found.bytes_per_second.map(|bytes| bytes.len())
            ),
            (Some(1), Some(80))
        );
        let failed = Fetch {
            worker: 3,
            start_s: 1.0,
            first_byte_s: None,
            end_s: 1.5,
            outcome: "failed",
            attempts: 5,
        };
        let ok = Fetch {
            worker: 7,
            start_s: 2.0,
            first_byte_s: Some(2.5),
            end_s: 3.0,
            outcome: "ok",
            attempts: 2,
        };
        assert_eq!(found.fetches, [failed, ok]);
    }
}
