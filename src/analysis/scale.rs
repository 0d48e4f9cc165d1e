//! What one repetition says of the whole bucket: by bytes, by objects and by what a fetch took.

use super::burst::{self, Burst};
use super::observation::Observation;

/// With fewer fetches a worker than this, the first ones weigh so much that the rate of a run is not the one of a longer run.
const FEW_FETCHES: f64 = 10.0;
/// A repetition of at least this share of the bucket is the bucket.
const WHOLE: f64 = 0.999;

/// What is predicted.
pub(super) struct WholeBucket {
    pub(super) keys: f64,
    pub(super) bytes: f64,
    /// That fetch it.
    pub(super) workers: f64,
}

/// One repetition's way to the whole bucket, in seconds of fetching.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaled {
    pub(super) by_bytes_s: f64,
    pub(super) by_objects_s: f64,
    /// By what a fetch took; `None` where that says nothing else.
    pub(super) by_fetches_s: Option<f64>,
}

impl Scaled {
    /// By how much of the time goes by objects; where that is not known, between the two: whatever it is, that cannot be off by more than half of what
    /// they differ by.
    pub(super) fn middle_s(&self, by_objects: Option<f64>) -> f64 {
        match by_objects {
            Some(share) => share * self.by_objects_s + (1.0 - share) * self.by_bytes_s,
            None => (self.by_bytes_s * self.by_objects_s).sqrt(),
        }
    }
}

/// How fast each task of a cell fetches.
#[derive(Clone, Copy)]
pub(super) struct TaskSpeed {
    /// What ends its rate; `None` where no drop was seen.
    pub(super) burst: Option<Burst>,
    /// Bytes a second of one task.
    pub(super) rate: f64,
    /// Tasks side by side.
    pub(super) shards: f64,
}

/// What a repetition says of the bucket. Its tail comes once, however large the bucket is: what came before it is scaled, at the rate that it had then.
pub(super) fn scale(
    observation: &Observation,
    bucket: &WholeBucket,
    speed: TaskSpeed,
) -> Option<Scaled> {
    let TaskSpeed {
        burst,
        rate: middle,
        shards,
    } = speed;
    let fetch_s = observation.times.fetch_s.filter(|seconds| *seconds > 0.0)?;
    let bytes = observation
        .counts
        .goodput_bytes
        .filter(|bytes| *bytes > 0)? as f64;
    let objects = observation.counts.ok.filter(|objects| *objects > 0)? as f64;
    if bytes >= WHOLE * bucket.bytes && bytes <= bucket.bytes / WHOLE {
        return Some(Scaled {
            by_bytes_s: fetch_s,
            by_objects_s: fetch_s,
            by_fetches_s: None,
        });
    }
    let (window_bytes, tail_s) = window(observation, (fetch_s, bytes)).unwrap_or((bytes, 0.0));
    // As many of the objects as of the bytes.
    let (tail_bytes, tail_objects) = (bytes - window_bytes, objects * (1.0 - window_bytes / bytes));
    let by_bytes = bucket.bytes - tail_bytes;
    let by_objects = window_bytes * (bucket.keys - tail_objects) / (objects - tail_objects);
    if by_bytes <= 0.0 || by_objects <= 0.0 {
        // Less than a tail: a part of it.
        return Some(Scaled {
            by_bytes_s: fetch_s * bucket.bytes / bytes,
            by_objects_s: fetch_s * bucket.keys / objects,
            by_fetches_s: None,
        });
    }
    let rate = match burst {
        Some(_) => burst::rate(observation)?,
        None => window_bytes / (fetch_s - tail_s),
    };
    let seconds = |bytes: f64| match burst {
        // A run that was slow would be slow after the burst too.
        Some(burst) => burst
            .times(rate / shards / middle)
            .seconds(bytes / shards, rate / shards),
        None => bytes / rate,
    };
    Some(Scaled {
        by_bytes_s: seconds(by_bytes) + tail_s,
        by_objects_s: seconds(by_objects) + tail_s,
        by_fetches_s: burst
            .is_none()
            .then(|| by_fetches(observation, bucket))
            .flatten(),
    })
}

/// By what a fetch took, where workers fetched few objects each.
///
/// All workers begin at the same moment, so while each fetches its first objects, what has come is no measure of the rate that follows. How long a fetch
/// takes on the average is: each further object takes a worker so long.
fn by_fetches(observation: &Observation, bucket: &WholeBucket) -> Option<f64> {
    let objects = observation.counts.ok.filter(|objects| *objects > 0)? as f64;
    let (busy_s, fetch_s) = (observation.times.busy_s?, observation.times.fetch_s?);
    let more = bucket.keys - objects;
    (objects < FEW_FETCHES * bucket.workers && more > 0.0)
        .then(|| fetch_s + more * (busy_s / objects) / bucket.workers)
}

/// Bytes that came while every worker was busy, and seconds of the tail; `None` where that is not known.
fn window(observation: &Observation, (fetch_s, bytes): (f64, f64)) -> Option<(f64, f64)> {
    let tail_s = fetch_s
        * observation
            .tail_share
            .filter(|share| (0.0..1.0).contains(share))?;
    let rate = observation.active_window_bytes_per_s?;
    let window_bytes = rate * (fetch_s - tail_s);
    // While all workers were busy it was faster than on the average, or one of the two is wrong.
    (window_bytes > 0.0 && rate >= bytes / fetch_s).then(|| (window_bytes.min(bytes), tail_s))
}
