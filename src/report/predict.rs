//! From repetitions to the whole bucket, never past what was seen: a burst rate is called one, and after a drop the lower rate counts.

use super::advice::{Basis, Held, Prediction, ScaledBy};
use super::cost::{Pricing, Used};
use super::figures::{CONFIDENCE, median_of, values};
use super::metric::Metric;
use super::model::{CellReport, Facts, Interval, Workload};
use super::observation::{Observation, RateDrop};
use crate::stats::location::{median, median_interval};
use crate::units::three_digits;

/// From this difference on the two ways to scale contradict, and the larger time counts.
const CONTRADICTION: f64 = 1.10;

/// How long the rate was seen to hold in these repetitions: with a drop in any of them, to the earliest one.
pub(super) fn held<'a>(observations: impl Iterator<Item = &'a Observation>) -> Option<Held> {
    let mut held: Option<Held> = None;
    for observation in observations {
        let drop = observation.course.and_then(|course| course.drop);
        let Some(held_s) = observation.course.map(|course| course.held_s).or(observation.times.fetch_s) else { continue };
        held = Some(join(held, Held { held_s, drop }));
    }
    held
}

/// What two sets of repetitions show together.
pub(super) fn join(one: Option<Held>, other: Held) -> Held {
    let Some(one) = one else { return other };
    match (one.drop, other.drop) {
        (None, None) => Held { held_s: one.held_s.max(other.held_s), drop: None },
        (Some(_), None) => one,
        (None, Some(_)) => other,
        (Some(first), Some(second)) => {
            let earliest = if first.bytes <= second.bytes { first } else { second };
            let after_bytes_per_s = first.after_bytes_per_s.min(second.after_bytes_per_s);
            Held { held_s: earliest.at_s, drop: Some(RateDrop { after_bytes_per_s, ..earliest }) }
        }
    }
}

/// Fetch times of the bucket, one a repetition.
struct Scaled {
    times_s: Vec<f64>,
    by: ScaledBy,
    note: Option<String>,
}

/// What the fetch time of the bucket follows from.
struct Bucket {
    keys: u64,
    bytes: u64,
}

/// The whole bucket with this cell; `None` without figures, or when keys or bytes are not known.
pub(super) fn predict(report: &CellReport, (workload, facts): (&Workload, &Facts), pricing: &Pricing) -> Option<Prediction> {
    let bucket = Bucket { keys: workload.keys.filter(|keys| *keys > 0)?, bytes: workload.bytes.filter(|bytes| *bytes > 0)? };
    let scaled = scale(&report.observations, &bucket)?;
    let at_rate_s = median(&scaled.times_s)?;
    let mut notes: Vec<String> = scaled.note.into_iter().collect();
    let (fetch_s, basis) = fetch(at_rate_s, bucket.bytes, report.held);
    let (mut parts, missing) = parts(report, facts, bucket.keys);
    if !missing.is_empty() {
        notes.push(format!("not known, and not in it: {}", missing.join(", ")));
    }
    let fixed_s: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    parts.push(("fetch".to_owned(), fetch_s));
    let interval = match basis {
        // Of one course there is no interval.
        Basis::Sustained { .. } => None,
        _ => median_interval(&scaled.times_s, CONFIDENCE).map(|found| Interval {
            low: found.low + fixed_s,
            high: found.high + fixed_s,
            level: found.level,
        }),
    };
    if workload.keys_sha256.is_none() && workload.limit.is_some() {
        notes.push("the runs were held to a number of keys: this is what they fetched, not the bucket".to_owned());
    }
    let failed: u64 = report.observations.iter().filter_map(|observation| observation.counts.failed).sum();
    if failed > 0 {
        notes.push(format!("{failed} objects failed in the repetitions that it rests on"));
    }
    let gets =
        median_of(&report.observations, |observation| observation.value(Metric::AttemptsPerObject)).unwrap_or(1.0).max(1.0) * bucket.keys as f64;
    let seconds = fixed_s + fetch_s;
    let around_s = median_of(&report.observations, |observation| observation.times.around_s);
    if let Some(around_s) = around_s {
        notes.push(format!("a task is billed for {} s more than it runs: the pull of its image, and until it has stopped", three_digits(around_s)));
    }
    let used = Used { seconds: seconds + around_s.unwrap_or(0.0), gets, keys: bucket.keys, bytes: bucket.bytes as f64 };
    Some(Prediction {
        keys: bucket.keys,
        bytes: bucket.bytes,
        seconds,
        interval,
        fetch_s,
        parts,
        scaled_by: scaled.by,
        basis,
        cost: pricing.cost(&report.cell, used),
        notes,
    })
}

/// Each repetition's fetch time, scaled by bytes and by objects; where the two contradict the larger one counts.
fn scale(observations: &[Observation], bucket: &Bucket) -> Option<Scaled> {
    let by = |whole: u64, part: fn(&Observation) -> Option<u64>| {
        values(observations, |observation| {
            let part = part(observation).filter(|part| *part > 0)?;
            Some(observation.times.fetch_s? * (whole as f64 / part as f64))
        })
    };
    let by_bytes = by(bucket.bytes, |observation| observation.counts.goodput_bytes);
    let by_objects = by(bucket.keys, |observation| observation.counts.ok);
    let (bytes_s, objects_s) = (median(&by_bytes)?, median(&by_objects)?);
    let contradict = bytes_s.max(objects_s) > bytes_s.min(objects_s) * CONTRADICTION;
    let note = contradict.then(|| {
        let (taken, percent) = if objects_s > bytes_s { ("objects", objects_s / bytes_s) } else { ("bytes", bytes_s / objects_s) };
        format!("objects of the bucket are not as large as those measured: scaled by {taken}, which gives {:.0} % more", (percent - 1.0) * 100.0)
    });
    let by_objects_counts = contradict && objects_s > bytes_s;
    let (times_s, by) = if by_objects_counts { (by_objects, ScaledBy::Objects) } else { (by_bytes, ScaledBy::Bytes) };
    Some(Scaled { times_s, by, note })
}

/// The fetch time with what was seen of the rate over time, given what it would be if the rate held.
fn fetch(at_rate_s: f64, bytes: u64, held: Option<Held>) -> (f64, Basis) {
    let held_s = held.map_or(0.0, |held| held.held_s);
    let Some(drop) = held.and_then(|held| held.drop) else {
        let basis = if at_rate_s <= held_s { Basis::Seen { held_s, needed_s: at_rate_s } } else { Basis::Burst { held_s, needed_s: at_rate_s } };
        return (at_rate_s, basis);
    };
    let after_drop_bytes = bytes.saturating_sub(drop.bytes);
    let basis = Basis::Sustained { drop, after_drop_bytes };
    let burst_bytes = bytes.min(drop.bytes);
    // Not the mean rate of a repetition: it may hold seconds after a drop.
    let burst_s = drop.at_s * burst_bytes as f64 / drop.bytes.max(1) as f64;
    let after_s = if after_drop_bytes == 0 { 0.0 } else { after_drop_bytes as f64 / drop.after_bytes_per_s.max(1.0) };
    (burst_s + after_s, basis)
}

/// The parts of a task besides fetching, and the names of those that are not known.
fn parts(report: &CellReport, facts: &Facts, keys: u64) -> (Vec<(String, f64)>, Vec<&'static str>) {
    let middle = |value: fn(&Observation) -> Option<f64>| median_of(&report.observations, value);
    if !report.cell.program.is_parfetch() {
        let rest = middle(|observation| Some((observation.times.wall_s? - observation.times.fetch_s?).max(0.0)));
        return match rest {
            Some(rest) => (vec![("start, listing and write-back, as seen from outside".to_owned(), rest)], Vec::new()),
            None => (Vec::new(), vec!["start, listing and write-back"]),
        };
    }
    // A sweep lists once, all keys; a run of its own lists what it fetches.
    let own_listing =
        || median_of(&report.observations, |observation| Some(observation.times.listing_s? / observation.counts.keys? as f64 * keys as f64));
    let is_of_sweep = report.observations.iter().any(|observation| observation.sweep.is_some());
    let listing = if is_of_sweep { facts.listing_s } else { own_listing() };
    let found = [
        ("start-up", middle(|observation| observation.times.start_up_s)),
        ("listing", listing),
        ("worker start", middle(|observation| observation.times.worker_start_s)),
        ("write-back", middle(|observation| observation.times.write_back_s)),
    ];
    let known = found.iter().filter_map(|(name, seconds)| Some(((*name).to_owned(), (*seconds)?))).collect();
    let missing = found.iter().filter(|(_, seconds)| seconds.is_none()).map(|(name, _)| *name).collect();
    (known, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= expected.abs() * 1e-9, "{found} is not {expected}");
    }

    fn run(fetch_s: f64, (bytes, objects): (u64, u64)) -> Observation {
        let mut observation = Observation::default();
        observation.times.fetch_s = Some(fetch_s);
        (observation.counts.goodput_bytes, observation.counts.ok) = (Some(bytes), Some(objects));
        observation
    }

    /// 1 GB/s for 100 s, then an eighth of it.
    fn dropping() -> RateDrop {
        RateDrop { at_s: 100.0, bytes: 100_000_000_000, before_bytes_per_s: 1e9, after_bytes_per_s: 1.25e8, p: 0.001 }
    }

    #[test]
    fn a_burst_is_never_taken_past_its_drop() {
        let held = Some(Held { held_s: 100.0, drop: Some(dropping()) });
        // 200 GB: 100 s at the burst rate, and 100 GB at 125 MB/s.
        let (seconds, basis) = fetch(200.0, 200_000_000_000, held);
        close(seconds, 100.0 + 800.0);
        assert_eq!(basis, Basis::Sustained { drop: dropping(), after_drop_bytes: 100_000_000_000 });
        // 50 GB fit into the burst.
        let (seconds, basis) = fetch(50.0, 50_000_000_000, held);
        close(seconds, 50.0);
        assert_eq!(basis, Basis::Sustained { drop: dropping(), after_drop_bytes: 0 });
    }

    #[test]
    fn a_rate_that_was_seen_for_less_time_than_is_needed_is_a_burst() {
        let held = Some(Held { held_s: 74.0, drop: None });
        assert_eq!(fetch(200.0, 1, held).1, Basis::Burst { held_s: 74.0, needed_s: 200.0 });
        assert_eq!(fetch(74.0, 1, held).1, Basis::Seen { held_s: 74.0, needed_s: 74.0 });
        assert_eq!(fetch(1.0, 1, None).1, Basis::Burst { held_s: 0.0, needed_s: 1.0 });
    }

    #[test]
    fn the_earliest_drop_and_the_lowest_rate_after_one_count() {
        let late = RateDrop { at_s: 300.0, bytes: 300_000_000_000, after_bytes_per_s: 1e8, ..dropping() };
        let joined = join(Some(Held { held_s: 300.0, drop: Some(late) }), Held { held_s: 100.0, drop: Some(dropping()) });
        assert_eq!(joined, Held { held_s: 100.0, drop: Some(RateDrop { after_bytes_per_s: 1e8, ..dropping() }) });
        let longest = join(Some(Held { held_s: 60.0, drop: None }), Held { held_s: 70.0, drop: None });
        assert_eq!(longest, Held { held_s: 70.0, drop: None });
        assert_eq!(join(Some(longest), joined), joined, "a run that ended before the drop does not undo it");
    }

    #[test]
    fn scaling_takes_the_larger_time_when_bytes_and_objects_contradict() {
        let bucket = Bucket { keys: 1_000, bytes: 100_000 };
        // A tenth of the bytes, and of the objects.
        let same = scale(&[run(2.0, (10_000, 100))], &bucket).unwrap();
        assert_eq!((same.by, same.note), (ScaledBy::Bytes, None));
        close(same.times_s[0], 20.0);
        // The measured objects were twice as large.
        let larger = scale(&[run(2.0, (10_000, 50))], &bucket).unwrap();
        assert_eq!(larger.by, ScaledBy::Objects);
        close(larger.times_s[0], 40.0);
        let smaller = scale(&[run(2.0, (10_000, 200))], &bucket).unwrap();
        assert_eq!(smaller.by, ScaledBy::Bytes);
        close(smaller.times_s[0], 20.0);
        assert!(smaller.note.unwrap().ends_with("scaled by bytes, which gives 100 % more"));
    }
}
