//! From repetitions to the whole bucket, never past what was seen: a burst rate is called one, and after a drop the lower rate counts.

use super::advice::{Basis, Cost, PredictedBucket, Prediction, ScaledBy};
use super::burst::{self, Burst};
use super::cost::Pricing;
use super::cost_of_time::CostOfTime;
use super::figures::median_of;
use super::model::{CellReport, Facts, Workload};
use super::notes::{PredictedPhase, PredictionNote};
use super::observation::Observation;
use super::scale::{Scaled, TaskSpeed, WholeBucket, scale};
use crate::results::tune::TunedChoice;
use crate::stats::location::{Interval, median, next_value};

/// From this difference on the two ways to scale contradict, which is said.
const CONTRADICTION: f64 = 1.10;
/// How exactly a burst's credit and the rate after it are known beside what repetitions show: standard deviation of the log of the time after the drop.
const BURST_ERROR: f64 = 0.05;
/// How much of all cases the range of a tune's time covers.
const TUNED: f64 = 0.95;

/// A cell on its way to the whole bucket.
struct Way<'a> {
    report: &'a CellReport,
    bucket: WholeBucket,
    speed: TaskSpeed,
}

/// The whole bucket with this cell; `None` without figures, or when keys or bytes are not known.
pub(super) fn predict(
    report: &CellReport,
    (workload, facts): (&Workload, &Facts),
    (pricing, burst): (&Pricing, Option<Burst>),
) -> Option<Prediction> {
    if report.is_timed_alone() {
        return one_run(report, pricing);
    }
    let keys = workload.keys.filter(|keys| *keys > 0)?;
    let bytes = workload.bytes.filter(|bytes| *bytes > 0)?;
    let shards = f64::from(report.cell.shards.max(1));
    let price = CostOfTime::new(report, pricing, Some((keys, bytes)));
    let way = Way {
        report,
        bucket: WholeBucket {
            keys: keys as f64,
            bytes: bytes as f64,
            workers: f64::from(report.cell.concurrency.max(1)),
        },
        speed: TaskSpeed {
            burst,
            rate: burst::middle_rate(&report.observations)? / shards,
            shards,
        },
    };
    let (scaled, moments) = way.scaled();
    let by_objects = median_of(&report.observations, |one| one.trend?.by_objects);
    let each_s: Vec<f64> = scaled.iter().map(|one| one.middle_s(by_objects)).collect();
    let fetch_s = median(&each_s)?;
    let ratios = scaled.iter().map(|one| one.by_objects_s / one.by_bytes_s);
    let objects_over_bytes = median(&ratios.collect::<Vec<_>>())?;
    let (scaled_by, mut notes) = scaled_by(objects_over_bytes);
    let basis = basis(report, (fetch_s, way.bucket.bytes), way.speed);
    let (mut parts, missing) = phases(report, facts, keys);
    if !missing.is_empty() {
        notes.push(PredictionNote::Without(missing));
    }
    let fixed_s: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    parts.push((PredictedPhase::Fetch, fetch_s));
    notes.extend(limits(report, workload));
    let interval = way.interval(&scaled, (fetch_s, fixed_s), &basis);
    // Configurations are compared as if all runs had been made at an ordinary time.
    let runs_s: Vec<f64> = each_s
        .into_iter()
        .zip(moments)
        .map(|(fetch_s, moment)| fixed_s + fetch_s * moment.exp())
        .collect();
    let of_time = of_time(&price, fixed_s + fetch_s, (interval, runs_s));
    notes.extend(of_time.notes);
    Some(Prediction {
        bucket: Some(PredictedBucket {
            keys,
            bytes,
            scaled_by,
            objects_over_bytes,
            basis,
        }),
        fetch_s,
        parts,
        notes,
        ..of_time
    })
}

/// What follows from the time alone: all of one run, and the prices of a whole bucket.
fn of_time(
    price: &CostOfTime<'_>,
    seconds: f64,
    (interval, runs_s): (Option<Interval>, Vec<f64>),
) -> Prediction {
    let billed_more = price.around_s.map(PredictionNote::BilledMore);
    Prediction {
        bucket: None,
        seconds,
        interval,
        usd_interval: interval.and_then(|found| price.usd_interval(found)),
        runs_order: runs_s.iter().filter_map(|s| price.order(*s)).collect(),
        runs_s,
        order: price.order(seconds),
        fetch_s: seconds,
        parts: vec![(PredictedPhase::WholeProgram, seconds)],
        cost: price.cost(seconds),
        notes: billed_more.into_iter().collect(),
    }
}

/// One run of a program whose time alone is known: what the bucket takes cannot be said.
fn one_run(report: &CellReport, pricing: &Pricing) -> Option<Prediction> {
    let known = report.observations.iter();
    let (each_s, runs_s): (Vec<f64>, Vec<f64>) = known
        .filter_map(|one| {
            let seconds = one.times.fetch_s.filter(|seconds| *seconds > 0.0)?;
            Some((seconds, seconds * one.moment.exp()))
        })
        .unzip();
    let seconds = median(&each_s)?;
    let logs: Vec<f64> = each_s.iter().map(|seconds| seconds.ln()).collect();
    let interval = next_value(&logs, 0.0).map(|found| Interval {
        low: found.low.exp().min(seconds),
        high: found.high.exp().max(seconds),
        ..found
    });
    let price = CostOfTime::new(report, pricing, None);
    Some(of_time(&price, seconds, (interval, runs_s)))
}

impl Way<'_> {
    /// What each repetition says of the bucket, with the moment at which it was made.
    fn scaled(&self) -> (Vec<Scaled>, Vec<f64>) {
        let of = |observation: &Observation| {
            let scaled = scale(observation, &self.bucket, self.speed)?;
            Some((scaled, observation.moment))
        };
        self.report.observations.iter().filter_map(of).unzip()
    }

    /// The seconds that one run takes in 95 % of all cases. Where it is not known what ends the burst, it may last longer.
    fn interval(
        &self,
        scaled: &[Scaled],
        (fetch_s, fixed_s): (f64, f64),
        basis: &Basis,
    ) -> Option<Interval> {
        let found = interval(scaled, (fetch_s, fixed_s), basis)?;
        let longest = self
            .speed
            .burst
            .and_then(|one| one.longest(self.speed.rate));
        let sooner = longest.and_then(|longest| {
            let speed = TaskSpeed {
                burst: Some(longest),
                ..self.speed
            };
            let observations = self.report.observations.iter();
            let sooner = observations.filter_map(|one| scale(one, &self.bucket, speed));
            interval(&sooner.collect::<Vec<_>>(), (fetch_s, fixed_s), basis)
        });
        Some(Interval {
            low: sooner.map_or(found.low, |sooner| sooner.low.min(found.low)),
            ..found
        })
    }
}

/// A tune knows more than the runs of one cell: all runs, and the law. So its answer has its time here too, and it has the price that a report has.
pub(super) fn agree(report: &mut CellReport, choice: &mut TunedChoice, pricing: &Pricing) {
    let Some(before) = report.prediction.clone() else {
        return;
    };
    let [low, middle, high] = choice.seconds;
    let bucket = before.bucket.map(|bucket| (bucket.keys, bucket.bytes));
    let price = CostOfTime::new(report, pricing, bucket);
    let costs: Option<Vec<Cost>> = choice
        .seconds
        .map(|seconds| price.cost(seconds))
        .into_iter()
        .collect();
    choice.usd = costs.as_ref().and_then(|costs| {
        let tasks: Vec<f64> = costs.iter().map(|cost| cost.usd_task).collect();
        tasks.try_into().ok()
    });
    let interval = Interval {
        low,
        high,
        level: TUNED,
    };
    let fetch_s = (before.fetch_s + middle - before.seconds).max(0.0);
    let mut parts = before.parts;
    for (phase, seconds) in &mut parts {
        if matches!(phase, PredictedPhase::Fetch | PredictedPhase::WholeProgram) {
            *seconds = fetch_s;
        }
    }
    let prediction = Prediction {
        bucket: before.bucket,
        fetch_s,
        parts,
        notes: before.notes,
        ..of_time(&price, middle, (Some(interval), before.runs_s))
    };
    let beside = prediction.cost.as_ref();
    choice.usd_requests = beside.and_then(|cost| cost.usd_requests);
    choice.usd_retrieval = beside.and_then(|cost| cost.usd_retrieval);
    choice.usd_egress = beside.and_then(|cost| cost.usd_egress);
    choice.is_minimum = beside.is_some_and(|cost| cost.is_minimum);
    choice.is_of_on_demand = beside.is_some_and(|cost| cost.is_of_on_demand);
    report.prediction = Some(prediction);
}

/// What a reader must know of the repetitions that a prediction rests on.
fn limits(report: &CellReport, workload: &Workload) -> Vec<PredictionNote> {
    let mut notes = Vec::new();
    if workload.keys_sha256.is_none() && workload.limit.is_some() {
        notes.push(PredictionNote::HeldToKeys);
    }
    let failed: u64 = report
        .observations
        .iter()
        .filter_map(|observation| observation.counts.failed)
        .sum();
    if failed > 0 {
        notes.push(PredictionNote::FailedObjects(failed));
    }
    notes
}

/// Whether bytes and objects contradict.
fn scaled_by(ratio: f64) -> (ScaledBy, Vec<PredictionNote>) {
    if ratio.max(1.0 / ratio) <= CONTRADICTION {
        (ScaledBy::Bytes, Vec::new())
    } else {
        (ScaledBy::Between, vec![PredictionNote::OtherSizes(ratio)])
    }
}

/// The seconds that one run takes in 95 % of all cases: repetitions as they spread (lognormal, Student's t for so few of them), by bytes and by objects.
fn interval(scaled: &[Scaled], (fetch_s, fixed_s): (f64, f64), basis: &Basis) -> Option<Interval> {
    let known = if matches!(
        basis,
        Basis::Sustained {
            after_drop_bytes: 1..,
            ..
        }
    ) {
        BURST_ERROR
    } else {
        0.0
    };
    let by = |of: fn(&Scaled) -> f64| {
        next_value(
            &scaled
                .iter()
                .map(|scaled| of(scaled).ln())
                .collect::<Vec<_>>(),
            known,
        )
    };
    let (bytes, objects) = (
        by(|scaled| scaled.by_bytes_s)?,
        by(|scaled| scaled.by_objects_s)?,
    );
    let each: Option<Vec<f64>> = scaled
        .iter()
        .map(|scaled| scaled.by_fetches_s.map(f64::ln))
        .collect();
    let by_fetches = each.and_then(|each| next_value(&each, known));
    let (least, most) = by_fetches.map_or((objects.low, objects.high), |found| {
        (objects.low.min(found.low), objects.high.max(found.high))
    });
    let low = bytes.low.min(least).exp().min(fetch_s);
    let high = bytes.high.max(most).exp().max(fetch_s);
    Some(Interval {
        low: low + fixed_s,
        high: high + fixed_s,
        level: bytes.level,
    })
}

/// What the rate rests on.
fn basis(report: &CellReport, (fetch_s, bytes): (f64, f64), speed: TaskSpeed) -> Basis {
    let TaskSpeed {
        burst,
        rate,
        shards,
    } = speed;
    let held_s = report.held.map_or(0.0, |held| held.held_s);
    match burst {
        Some(burst) if burst.is_above(rate) => {
            let drop = burst.drop(rate);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bytes of a bucket, and not negative"
            )]
            let after_drop_bytes = (bytes - drop.bytes as f64 * shards).max(0.0) as u64;
            Basis::Sustained {
                drop,
                after_drop_bytes,
            }
        }
        Some(burst) => Basis::BelowSustained {
            sustained_bytes_per_s: burst.sustained_bytes_per_s * shards,
        },
        None if fetch_s <= held_s => Basis::Seen {
            held_s,
            needed_s: fetch_s,
        },
        None => Basis::Burst {
            held_s,
            needed_s: fetch_s,
        },
    }
}

/// The phases of a task besides fetching, and those that are not known.
fn phases(
    report: &CellReport,
    facts: &Facts,
    keys: u64,
) -> (Vec<(PredictedPhase, f64)>, Vec<PredictedPhase>) {
    let middle = |value: fn(&Observation) -> Option<f64>| median_of(&report.observations, value);
    let found = if report.cell.program.is_parfetch() {
        vec![
            (PredictedPhase::StartUp, middle(|one| one.times.start_up_s)),
            (PredictedPhase::Listing, listing_s(report, facts, keys)),
            (
                PredictedPhase::WorkerStart,
                middle(|one| one.times.worker_start_s),
            ),
            (
                PredictedPhase::WriteBack,
                middle(|one| one.times.write_back_s),
            ),
        ]
    } else {
        let rest = middle(|one| Some((one.times.wall_s? - one.times.fetch_s?).max(0.0)));
        vec![(PredictedPhase::Outside, rest)]
    };
    let missing = found.iter().filter(|(_, seconds)| seconds.is_none());
    let missing = missing.map(|(phase, _)| *phase).collect();
    let known = found
        .into_iter()
        .filter_map(|(phase, seconds)| Some((phase, seconds?)))
        .collect();
    (known, missing)
}

/// A sweep lists once, all keys; a run of its own lists what it fetches.
fn listing_s(report: &CellReport, facts: &Facts, keys: u64) -> Option<f64> {
    let is_of_sweep = report.observations.iter().any(|one| one.sweep.is_some());
    if is_of_sweep {
        facts.listing_s
    } else {
        median_of(&report.observations, |one| {
            Some(one.times.listing_s? / one.counts.keys? as f64 * keys as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::burst::of_size;
    use crate::analysis::fixture::lean;
    use crate::analysis::observation::{RateDrop, RateTrend};

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= expected.abs() * 1e-6,
            "{found} is not {expected}"
        );
    }

    fn run(fetch_s: f64, (bytes, objects): (u64, u64)) -> Observation {
        let mut observation = Observation::default();
        observation.times.fetch_s = Some(fetch_s);
        (observation.counts.goodput_bytes, observation.counts.ok) = (Some(bytes), Some(objects));
        observation
    }

    /// A run at 1 GB/s for so many seconds, then at an eighth of it, 200 s in all.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of a test"
    )]
    fn dropping(at_s: f64, slower: f64) -> Observation {
        let drop = RateDrop {
            at_s,
            bytes: (at_s * 1e9 / slower) as u64,
            before_bytes_per_s: 1e9 / slower,
            after_bytes_per_s: 1.25e8 / slower,
            p: 0.001,
        };
        let mut observation = run(
            200.0,
            (
                (at_s * 1e9 / slower + (200.0 - at_s) * 1.25e8 / slower) as u64,
                100,
            ),
        );
        observation.trend = Some(RateTrend {
            held_s: at_s,
            drop: Some(drop),
            by_objects: None,
        });
        observation
    }

    const ALONE: TaskSpeed = TaskSpeed {
        burst: None,
        rate: 1.0,
        shards: 1.0,
    };

    #[test]
    fn a_drop_of_one_cell_holds_for_its_size() {
        let cell = lean(1_024, crate::plan::Mode::Async, 16);
        let seen = [dropping(100.0, 1.0)];
        let burst = of_size(&[(&cell, seen.iter().collect())]).unwrap();
        // 200 GB at 1 GB/s: 100 s, and 100 GB at 125 MB/s.
        close(burst.seconds(200e9, 1e9), 100.0 + 800.0);
        // 50 GB fit into the burst.
        close(burst.seconds(50e9, 1e9), 50.0);
        // Half as fast: whether it is the time that ends it or the bytes is not known, so at the earlier of the two, after 100 s.
        close(burst.seconds(200e9, 5e8), 100.0 + 150e9 / 1.25e8);
        // The credit is 87.5 GB above 125 MB/s: half as fast uses it in 233 s, with 117 GB.
        let burst = burst.longest(5e8).unwrap();
        close(
            burst.seconds(200e9, 5e8),
            87.5e9 / 3.75e8 + (200e9 - 87.5e9 / 3.75e8 * 5e8) / 1.25e8,
        );
        // What is slower than what follows never uses it.
        close(burst.seconds(200e9, 1e8), 2_000.0);
        assert!(!burst.is_above(1.26e8) && burst.is_above(1.3e8));
    }

    #[test]
    fn one_slow_repetition_decides_nothing() {
        let cell = lean(1_024, crate::plan::Mode::Async, 16);
        let mut seen: Vec<Observation> = (0..5).map(|_| dropping(100.0, 1.0)).collect();
        let usual = of_size(&[(&cell, seen.iter().collect())]).unwrap();
        seen.push(dropping(60.0, 3.0));
        assert_eq!(of_size(&[(&cell, seen.iter().collect())]).unwrap(), usual);
        // Nor does one drop among many runs that lasted as long.
        let mut steady: Vec<Observation> =
            (0..5).map(|_| run(200.0, (200_000_000_000, 100))).collect();
        steady.push(dropping(100.0, 1.0));
        assert_eq!(of_size(&[(&cell, steady.iter().collect())]), None);
        // One among short ones does.
        let mut short: Vec<Observation> =
            (0..5).map(|_| run(30.0, (30_000_000_000, 100))).collect();
        short.push(dropping(100.0, 1.0));
        assert_eq!(of_size(&[(&cell, short.iter().collect())]), Some(usual));
    }

    #[test]
    fn bytes_and_objects_are_the_ends_of_what_is_possible() {
        let bucket = WholeBucket {
            keys: 1_000.0,
            bytes: 100_000.0,
            workers: 16.0,
        };
        // A tenth of the bytes, and of the objects.
        let same = scale(&run(2.0, (10_000, 100)), &bucket, ALONE).unwrap();
        close(same.by_bytes_s, 20.0);
        close(same.by_objects_s, 20.0);
        // The measured objects were twice as large.
        let larger = scale(&run(2.0, (10_000, 50)), &bucket, ALONE).unwrap();
        close(larger.by_bytes_s, 20.0);
        close(larger.by_objects_s, 40.0);
        close(larger.middle_s(None), 800.0_f64.sqrt());
        close(larger.middle_s(Some(0.25)), 25.0);
        let (by, notes) = scaled_by(larger.by_objects_s / larger.by_bytes_s);
        assert_eq!(by, ScaledBy::Between);
        assert_eq!(notes, [PredictionNote::OtherSizes(2.0)]);
    }

    #[test]
    fn few_fetches_a_worker_are_also_scaled_by_what_a_fetch_took() {
        let bucket = WholeBucket {
            keys: 1_000.0,
            bytes: 100_000.0,
            workers: 50.0,
        };
        let mut observation = run(1.0, (10_000, 100));
        // 100 fetches of 0.4 s by 50 workers: 900 more take 0.4 s × 900 ÷ 50.
        observation.times.busy_s = Some(40.0);
        let scaled = scale(&observation, &bucket, ALONE).unwrap();
        close(scaled.by_fetches_s.unwrap(), 1.0 + 7.2);
        let found = interval(
            &[scaled; 6],
            (10.0, 0.0),
            &Basis::Burst {
                held_s: 1.0,
                needed_s: 10.0,
            },
        );
        let found = found.unwrap();
        close(found.low, 8.2);
        close(found.high, 10.0);
        // Ten fetches a worker and more are a rate.
        let bucket = WholeBucket {
            workers: 10.0,
            ..bucket
        };
        assert_eq!(
            scale(&observation, &bucket, ALONE).unwrap().by_fetches_s,
            None
        );
    }

    #[test]
    fn the_tail_comes_once() {
        let bucket = WholeBucket {
            keys: 1_000.0,
            bytes: 100_000.0,
            workers: 16.0,
        };
        let mut observation = run(10.0, (10_000, 100));
        // 9,000 bytes in 6 s, and a tail of 4 s with 1,000.
        (
            observation.tail_share,
            observation.active_window_bytes_per_s,
        ) = (Some(0.4), Some(1_500.0));
        close(
            scale(&observation, &bucket, ALONE).unwrap().by_bytes_s,
            99_000.0 / 1_500.0 + 4.0,
        );
        close(
            scale(&observation, &bucket, ALONE).unwrap().by_objects_s,
            99_000.0 / 1_500.0 + 4.0,
        );
        // Who fetched the bucket knows its time.
        let whole = Observation {
            tail_share: Some(0.4),
            active_window_bytes_per_s: Some(1_500.0),
            ..run(10.0, (100_000, 1_000))
        };
        close(scale(&whole, &bucket, ALONE).unwrap().middle_s(None), 10.0);
    }
}
