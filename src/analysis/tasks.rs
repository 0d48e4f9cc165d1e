//! What ECS told of the tasks of a repetition: what they were billed for, and on which capacity they ran.

use super::observation::{ResourceUsage, Times};
use crate::price::billed_seconds;
use crate::results::record::TaskRun;

/// How ECS calls Spot capacity.
const SPOT: &str = "FARGATE_SPOT";

/// What the record of a repetition says of its tasks.
pub(super) fn of_tasks((times, usage): (&mut Times, &mut ResourceUsage), tasks: &[TaskRun]) {
    times.billed_s = billed_s(tasks);
    times.around_s = around_s(tasks, times);
    usage.public_address = tasks
        .iter()
        .filter_map(|task| task.public_address)
        .reduce(|one, other| one || other);
    usage.on_spot = tasks
        .iter()
        .filter_map(|task| task.capacity.as_deref())
        .map(|capacity| capacity == SPOT)
        .reduce(|one, other| one || other);
}

/// What tasks were billed for: the mean over them, each a minute at least; unknown when that of one is.
fn billed_s(tasks: &[TaskRun]) -> Option<f64> {
    let each = |task: &TaskRun| Some(billed_seconds(task.billed_ns? as f64 / 1e9));
    let sum = tasks.iter().map(each).sum::<Option<f64>>()?;
    (!tasks.is_empty()).then(|| sum / tasks.len() as f64)
}

/// What tasks were billed for beside their processes' own time; the mean over them. The longest phases of several shards are taken for each of them.
fn around_s(tasks: &[TaskRun], times: &Times) -> Option<f64> {
    let billed: Vec<f64> = tasks
        .iter()
        .map(|task| Some(task.billed_ns? as f64 / 1e9))
        .collect::<Option<_>>()?;
    let mean = (!billed.is_empty()).then(|| billed.iter().sum::<f64>() / billed.len() as f64)?;
    Some((mean - own_s(times)?).max(0.0))
}

/// The time of a process of parfetch, as far as its phases are known.
pub(super) fn own_s(times: &Times) -> Option<f64> {
    let phases = [
        times.start_up_s,
        times.listing_s,
        times.worker_start_s,
        times.write_back_s,
    ];
    Some(times.fetch_s? + phases.into_iter().flatten().sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_is_billed_for_a_minute_at_least() {
        let task = |seconds: Option<u64>| TaskRun {
            billed_ns: seconds.map(|seconds| seconds * 1_000_000_000 - 1),
            ..TaskRun::default()
        };
        // 60 and 90.
        assert_eq!(billed_s(&[task(Some(20)), task(Some(90))]), Some(75.0));
        assert_eq!(
            (billed_s(&[task(Some(20)), task(None)]), billed_s(&[])),
            (None, None)
        );
    }

    #[test]
    fn what_is_billed_around_a_process_is_known_by_subtraction() {
        let task = |seconds: u64| TaskRun {
            billed_ns: Some(seconds * 1_000_000_000),
            ..TaskRun::default()
        };
        let times = Times {
            fetch_s: Some(10.0),
            start_up_s: Some(1.0),
            write_back_s: Some(0.5),
            ..Times::default()
        };
        // (30 + 33) ÷ 2 − 11.5.
        assert_eq!(around_s(&[task(30), task(33)], &times), Some(20.0));
        assert_eq!(
            (
                around_s(&[], &times),
                around_s(&[task(30)], &Times::default())
            ),
            (None, None)
        );
    }
}
