//! What a repetition showed, as the strategy takes it: the same figures by which the report predicts.

use std::path::Path;

use crate::analysis::{Metric, Observation, observe};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::results::record::Record;
use crate::results::summary::Summary;
use crate::results::tune::StepFigures;
use crate::tune::{CpuUse, RunSeen, SeenDrop};
use crate::units;

/// What is known of a run before it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookedAt {
    /// Its place in the space.
    pub(super) config: usize,
    /// Mean size of the bucket's objects; none where sizes are not known.
    pub(super) mean_bytes: Option<f64>,
    /// Keys of the list: what a program has read that says nothing of it.
    pub(super) keys: u64,
    /// Whether it was to show the end of a burst.
    pub(super) is_soak: bool,
}

/// The figures of a repetition.
///
/// # Errors
/// Why it has none.
pub(super) fn observation(record: &Record, dir: &Path) -> Result<Observation, String> {
    let read = |name: &String| {
        let text = read_text(&dir.join(name), DOCUMENT_BYTES)
            .map_err(|error| format!("{name}: {error}"))?;
        let summary = Summary::from_json(&text).map_err(|error| format!("{name}: {error}"))?;
        Ok::<_, String>((name.clone(), summary))
    };
    let summaries = record.summaries.iter().map(read).collect::<Result<_, _>>();
    observe(record.clone(), summaries?)
}

const NO_TIME: &str = "its fetch time is not known";

fn positive(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && *value > 0.0)
}

/// What of them the strategy takes.
///
/// # Errors
/// What is missing.
pub(super) fn seen(observation: &Observation, looked: LookedAt) -> Result<RunSeen, String> {
    if observation.counts.is_web {
        return of_requests(observation, looked.config);
    }
    let times = &observation.times;
    let fetch_s = positive(times.fetch_s).ok_or(NO_TIME)?;
    let counts = &observation.counts;
    let says_nothing = observation.is_contender && counts.ok.is_none();
    let ok = counts.ok.or(says_nothing.then_some(looked.keys));
    let objects = positive(ok.map(|ok| ok as f64)).ok_or("it read no object")?;
    let mean = match counts.goodput_bytes {
        Some(bytes) => bytes as f64 / objects,
        None => looked.mean_bytes.unwrap_or(0.0),
    };
    let drop = observation
        .trend
        .and_then(|trend| trend.drop)
        .filter(|drop| mean > 0.0 && drop.after_bytes_per_s > 0.0)
        .map(|drop| SeenDrop {
            at_s: drop.at_s,
            before: drop.before_bytes_per_s / mean,
            after: drop.after_bytes_per_s / mean,
        });
    let window = positive(observation.active_window_bytes_per_s).filter(|_| mean > 0.0);
    let rate = drop
        .map(|drop| drop.before)
        .or(window.map(|bytes| bytes / mean))
        .unwrap_or(objects / fetch_s);
    let (worker_start_s, around_s) = if observation.is_contender {
        (0.0, (times.wall_s.unwrap_or(fetch_s) - fetch_s).max(0.0))
    } else {
        (
            times.worker_start_s.unwrap_or(0.0),
            times.start_up_s.unwrap_or(0.0) + times.write_back_s.unwrap_or(0.0),
        )
    };
    let cpu_s = observation
        .usage
        .fetch_cpu_s
        .or(observation.usage.whole_cpu_s);
    let cpu = positive(cpu_s).zip(positive(observation.value(Metric::CpuShare)));
    Ok(RunSeen {
        config: looked.config,
        log_rate: rate.ln(),
        log_bytes: looked
            .mean_bytes
            .filter(|bytes| *bytes > 0.0 && mean > 0.0)
            .map_or(0.0, |of_bucket| (mean / of_bucket).ln()),
        fetch_s,
        tail_s: observation.tail_share.unwrap_or(0.0) * fetch_s,
        cpu: cpu.map(|(seconds, share)| CpuUse {
            log_s: (seconds / objects).ln(),
            share,
        }),
        throttled: observation.throttled_attempts_share().unwrap_or(0.0),
        drop,
        is_soak: looked.is_soak,
        worker_start_s,
        around_s,
        pull_s: times.around_s.unwrap_or(0.0),
    })
}

/// Of a web server good answers a second count, from the first request to the last answer. It has no task that starts, and no network with a burst.
fn of_requests(observation: &Observation, config: usize) -> Result<RunSeen, String> {
    let counts = &observation.counts;
    if let Some(failed) = counts.failed.filter(|failed| *failed > 0) {
        let all = counts.tried.unwrap_or(failed).max(failed);
        return Err(format!(
            "{} of {} failed",
            units::count(failed),
            units::plural(all, "request")
        ));
    }
    let fetch_s = positive(observation.times.fetch_s).ok_or(NO_TIME)?;
    let ok = positive(counts.ok.map(|ok| ok as f64)).ok_or("it had no good answer")?;
    let cpu_s = positive(observation.usage.fetch_cpu_s);
    let cpu = cpu_s.zip(observation.value(Metric::CpuShare));
    Ok(RunSeen {
        config,
        log_rate: (ok / fetch_s).ln(),
        log_bytes: 0.0,
        fetch_s,
        tail_s: 0.0,
        cpu: cpu.map(|(seconds, share)| CpuUse {
            log_s: (seconds / ok).ln(),
            share,
        }),
        throttled: 0.0,
        drop: None,
        is_soak: false,
        worker_start_s: 0.0,
        around_s: 0.0,
        pull_s: 0.0,
    })
}

/// What of them is written down.
pub(super) fn figures(observation: &Observation, seen: &RunSeen) -> StepFigures {
    StepFigures {
        objects_per_s: (!observation.is_timed_alone).then(|| seen.log_rate.exp()),
        bytes_per_s: observation.value(Metric::Goodput),
        fetch_s: seen.fetch_s,
        tail_s: observation.tail_share.map(|share| share * seen.fetch_s),
        throttled: observation.throttled_attempts_share(),
        cpu_share: seen.cpu.map(|cpu| cpu.share),
        drop_at_s: seen.drop.map(|drop| drop.at_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a web server, with figures that are known and figures that are not.
    fn observation(fetch_s: Option<f64>, ok: Option<u64>) -> Observation {
        let mut observation = Observation::default();
        observation.counts.is_web = true;
        observation.counts.ok = ok;
        observation.times.fetch_s = fetch_s;
        observation
    }

    const LOOKED: LookedAt = LookedAt {
        config: 3,
        mean_bytes: None,
        keys: 10,
        is_soak: false,
    };

    #[test]
    fn a_figure_that_is_missing_is_never_zero() {
        let wrong = |fetch_s, ok| seen(&observation(fetch_s, ok), LOOKED).unwrap_err();
        assert_eq!(wrong(None, Some(100)), "its fetch time is not known");
        assert_eq!(wrong(Some(0.0), Some(100)), "its fetch time is not known");
        assert_eq!(wrong(Some(2.0), None), "it had no good answer");
        let known = observation(Some(2.0), Some(100));
        let seen = seen(&known, LOOKED).unwrap();
        assert!((seen.fetch_s - 2.0).abs() < 1e-9);
        let figures = figures(&known, &seen);
        assert!((figures.objects_per_s.unwrap() - 50.0).abs() < 1e-9);
        assert_eq!(
            (figures.bytes_per_s, figures.tail_s, figures.throttled),
            (None, None, None)
        );
    }
}
