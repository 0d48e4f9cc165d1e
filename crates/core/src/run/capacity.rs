//! Whether this machine can serve the concurrency that was asked for: open files, tasks, memory. Refused with a hint before anything begins.

use crate::exit::{Exit, Failure};
use crate::plan::{Mode, RunPlan};
use crate::platform::{Environment, limits};
use crate::units;

/// Files that are open whatever the concurrency: spool, results, listing, progress.
const FILES_BASE: u64 = 64;
/// Tasks whatever the concurrency.
const TASKS_BASE: u64 = 8;
/// Memory whatever the concurrency.
const MEMORY_BASE: u64 = 64_000_000;

/// What one worker needs at the most: open files, kernel tasks, bytes. The bytes are the budgets of the design.
const fn per_worker(mode: Mode) -> (u64, u64, u64) {
    match mode {
        // A socket.
        Mode::Async => (1, 0, 1_000_000),
        // A socket, and the epoll, event and signal descriptors of a runtime.
        Mode::Thread => (5, 1, 1_000_000),
        // Two pipes and a handle of the process, in the parent; a process, and a thread of it for host names.
        Mode::Process => (3, 2, 12_000_000),
    }
}

/// Raises the soft limit of open files, then refuses what does not fit.
pub(super) fn check(plan: &RunPlan, environment: &Environment) -> Result<(), Failure> {
    let (_, files) = limits::raise_nofile();
    fits(plan, environment, files)
}

/// The most workers of a mode that this machine serves; `files` is the limit of open files.
pub fn most_workers(mode: Mode, environment: &Environment, files: Option<u64>) -> u64 {
    let (files_each, tasks_each, bytes_each) = per_worker(mode);
    let by = |limit: Option<u64>, base: u64, each: u64| match limit {
        Some(limit) if each > 0 => limit.saturating_sub(base) / each,
        _ => u64::MAX,
    };
    let bounds = [
        by(files, FILES_BASE, files_each),
        by(free_tasks(environment), TASKS_BASE, tasks_each),
        by(environment.memory.limit_bytes, MEMORY_BASE, bytes_each),
        u64::from(mode.max_concurrency()),
    ];
    bounds.into_iter().min().unwrap_or(0)
}

/// Tasks that the control group still takes.
fn free_tasks(environment: &Environment) -> Option<u64> {
    environment
        .pids_max
        .map(|most| most.saturating_sub(environment.pids_current.unwrap_or(0)))
}

fn fits(plan: &RunPlan, environment: &Environment, files: Option<u64>) -> Result<(), Failure> {
    let workers = u64::from(plan.concurrency.get());
    let (mode, concurrency) = (plan.mode, plan.concurrency);
    let (files_each, tasks_each, bytes_each) = per_worker(mode);
    let refuse = |what: String, most: u64, advice: &str| {
        let most = most.min(u64::from(mode.max_concurrency()));
        let hint = match (most, advice) {
            (0, "") => {
                "not even one worker fits here: use another MODE, or a larger machine or task"
                    .to_owned()
            }
            (0, advice) => format!("not even one worker fits here: {advice}"),
            (most, "") => format!("CONCURRENCY={most} at the most here"),
            (most, advice) => format!("CONCURRENCY={most} at the most here; or {advice}"),
        };
        Err(Failure::new(
            Exit::SetUp,
            format!("{mode} × {concurrency} does not fit: {what}"),
        )
        .hint(hint))
    };
    let needed = FILES_BASE + workers * files_each;
    if let Some(limit) = files.filter(|limit| *limit < needed) {
        let most = limit.saturating_sub(FILES_BASE) / files_each;
        return refuse(
            format!("it needs {needed} open files, and the limit is {limit}"),
            most,
            "raise the limit with ulimit -n, or nofile in the task definition",
        );
    }
    let needed = workers * tasks_each + TASKS_BASE;
    if let Some(free) = free_tasks(environment).filter(|free| tasks_each > 0 && *free < needed) {
        return refuse(
            format!("it needs {needed} tasks, and the control group has {free} left"),
            free.saturating_sub(TASKS_BASE) / tasks_each,
            "",
        );
    }
    let needed = MEMORY_BASE + workers * bytes_each;
    if let Some(limit) = environment
        .memory
        .limit_bytes
        .filter(|limit| *limit < needed)
    {
        let what = format!(
            "it may need {}, and the memory limit is {}",
            units::memory(needed),
            units::memory(limit)
        );
        return refuse(
            what,
            limit.saturating_sub(MEMORY_BASE) / bytes_each,
            "give it more memory",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::fixture;

    fn plan(mode: Mode, concurrency: u32) -> RunPlan {
        RunPlan {
            mode,
            concurrency: concurrency.try_into().unwrap(),
            ..fixture::plan()
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_most_that_would() {
        let environment = Environment::default();
        assert!(fits(&plan(Mode::Async, 900), &environment, Some(1024)).is_ok());
        let failure = fits(&plan(Mode::Async, 1000), &environment, Some(1024)).unwrap_err();
        assert_eq!(
            failure.message,
            "async × 1000 does not fit: it needs 1064 open files, and the limit is 1024"
        );
        assert!(
            failure
                .hint
                .unwrap()
                .starts_with("CONCURRENCY=960 at the most here")
        );
        let tasks = Environment {
            pids_max: Some(100),
            pids_current: Some(10),
            ..Environment::default()
        };
        assert!(fits(&plan(Mode::Thread, 82), &tasks, None).is_ok());
        assert!(fits(&plan(Mode::Thread, 83), &tasks, None).is_err());
        let mut small = Environment::default();
        small.memory.limit_bytes = Some(512_000_000);
        assert!(fits(&plan(Mode::Process, 37), &small, None).is_ok());
        assert_eq!(
            fits(&plan(Mode::Process, 38), &small, None)
                .unwrap_err()
                .hint
                .unwrap(),
            "CONCURRENCY=37 at the most here; or give it more memory"
        );
        assert_eq!(most_workers(Mode::Process, &small, None), 37);
        assert_eq!(
            most_workers(Mode::Async, &Environment::default(), Some(1024)),
            960
        );
        assert_eq!(most_workers(Mode::Thread, &tasks, None), 82);
        assert_eq!(
            most_workers(Mode::Async, &Environment::default(), None),
            65_535
        );
        small.memory.limit_bytes = Some(64_000_000);
        let failure = fits(&plan(Mode::Process, 1), &small, None).unwrap_err();
        assert_eq!(
            failure.message,
            "process × 1 does not fit: it may need 72.5 MB, and the memory limit is 61.0 MB"
        );
        assert_eq!(
            failure.hint.unwrap(),
            "not even one worker fits here: give it more memory"
        );
    }
}
