//! The first run of each program: where it fails, the sweep ends before anything is measured, with what to do.

use std::path::Path;

use super::attempt::OUT_OF_TIME;
use super::factors::modes;
use super::job::SweepJob;
use super::launcher::Launcher;
use super::summaries::is_unanswered;
use crate::cell::Program;
use crate::exit::{Exit, Failure, same_command};
use crate::plan::Mode;
use crate::plan::factors::SERVER;
use crate::results::record::{Record, RepetitionFailure};

/// Whether its server did not start.
fn is_without_server(record: &Record) -> bool {
    record.cell.factors.get(SERVER).is_some() && record.started_server.is_none()
}

/// A warm-up that fails says why every run of its program would fail: it comes before anything is measured, so that nothing is lost when the sweep ends.
/// A contender that lacks memory or time in its smallest configuration may do better in others.
pub(super) fn check_first(
    record: &Record,
    job: &SweepJob,
    (dir, launcher): (&Path, &dyn Launcher),
    which: &str,
) -> Result<(), Failure> {
    let failure = record.failure.as_ref();
    let Some(failure) = failure.filter(|_| !is_unanswered(record, dir)) else {
        return Ok(());
    };
    let failed = |said: &str| {
        let what = format!(
            "the {which} ({}) failed: {}{said}",
            record.cell, failure.reason
        );
        Failure::new(Exit::SetUp, what)
    };
    if let Program::Contender(name) = &record.cell.program
        && !is_without_server(record)
    {
        let hint = launcher
            .log_hint(record)
            .unwrap_or_else(|| of_contender((name, record.cell.mode), job, dir));
        return if failure.is_of_size {
            Ok(())
        } else {
            Err(failed("").hint(hint))
        };
    }
    let said = failure
        .stderr
        .iter()
        .find_map(|line| line.strip_prefix("error: "))
        .filter(|said| !failure.reason.contains(said));
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    let hint = failure
        .stderr
        .iter()
        .find_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
        .or_else(|| launcher.log_hint(record));
    Err(failed(&said).hint(hint.unwrap_or_else(|| of_parfetch(failure, job, dir))))
}

/// What to try where a run of parfetch says nothing itself, as it was ended.
fn of_parfetch(failure: &RepetitionFailure, job: &SweepJob, dir: &Path) -> String {
    if failure.reason.starts_with(OUT_OF_TIME) {
        return "a higher --run-timeout gives it more time; --limit, --sample or --prefix give it less to fetch"
            .to_owned();
    }
    if failure.is_of_size {
        return "a higher --memory or --vcpu gives it more memory; fewer workers (-c) take less"
            .to_owned();
    }
    format!(
        "what it wrote is in {}; {} tries again",
        dir.display(),
        same_command(&job.id)
    )
}

/// What to try when a contender fails at once.
fn of_contender((name, mode): (&str, Mode), job: &SweepJob, dir: &Path) -> String {
    let contender = job
        .plan
        .contender
        .iter()
        .find(|contender| contender.name == name);
    let others: Vec<&str> = job
        .plan
        .mode
        .iter()
        .filter(|other| **other != mode)
        .map(|other| other.as_str())
        .collect();
    // Nobody said which modes it knows.
    let has_all = modes(&job.plan, &Program::Contender(name.to_owned())).len() > 1;
    let modes = contender
        .filter(|contender| contender.mode.is_empty() && has_all && !others.is_empty())
        .map_or_else(String::new, |_| {
            format!(
                "; if it does not know the mode {mode}, name the others: --contender {name}:{}='…'",
                others.join(",")
            )
        });
    format!(
        "what it wrote is in {}; {} tries again{modes}",
        dir.display(),
        same_command(&job.id)
    )
}
