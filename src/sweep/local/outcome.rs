//! What came of a repetition: its summaries, and in words why there are none.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use super::super::attempt::{OUT_OF_TIME, with_last_line};
use super::super::summaries::found_in;
use super::launch::{Launched, ProcessEnd, ProcessSpec, last_lines};
use crate::cell::{Cell, memory_gb};
use crate::exit::ChildExit;
use crate::results::record::{Record, RepetitionFailure, ServerUse};
use crate::server::ServerReport;
use crate::units;

/// Lines of stderr that are kept of a repetition that failed.
const LINES: usize = 10;

pub(super) fn server_use(report: &ServerReport) -> ServerUse {
    ServerUse {
        cpu_ns: report.cpu_ns,
        threads: report.threads,
        gets: report.gets,
        service_mean_ns: report.service_time.mean_ns,
    }
}

/// Why the processes did not end well; the first of them that did not.
pub(super) fn failure_of(
    launched: &Launched,
    (cell, time_limit): (&Cell, Duration),
    processes: &[ProcessSpec],
) -> Option<RepetitionFailure> {
    launched
        .ended
        .iter()
        .zip(processes)
        .find_map(|(ended, process)| {
            let reason = reason(*ended, (cell, time_limit))?;
            let stderr = last_lines(&process.dir, LINES);
            let is_of_size = ended.timed_out || ended.out_of_memory;
            let said = if cell.program.is_parfetch() {
                let error = |line: &String| line.strip_prefix("error: ").map(str::to_owned);
                stderr.iter().find_map(error)
            } else {
                stderr.last().cloned()
            };
            let reason = match said.filter(|_| !is_of_size) {
                Some(line) => with_last_line(&reason, &line),
                None => reason,
            };
            Some(RepetitionFailure {
                reason,
                exit_code: ended.status.code(),
                stderr,
                again: false,
                is_of_size,
            })
        })
}

fn reason(ended: ProcessEnd, (cell, time_limit): (&Cell, Duration)) -> Option<String> {
    if ended.timed_out {
        return Some(format!(
            "{OUT_OF_TIME} {}",
            units::duration(u64::try_from(time_limit.as_nanos()).unwrap_or(u64::MAX))
        ));
    }
    if ended.out_of_memory {
        return Some(format!(
            "out of memory: it was ended at the limit of {} GB",
            memory_gb(cell.memory_mib)
        ));
    }
    match (ended.status.code(), ended.status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) if cell.program.is_parfetch() && ChildExit::of(code).has_figures() => None,
        (Some(code), _) => Some(format!("ended with exit code {code}")),
        (None, signal) => Some(format!(
            "was ended by signal {}",
            signal.unwrap_or_default()
        )),
    }
}

/// Names the summaries beside the record; one that is missing or not complete is a failure.
pub(super) fn add_summaries(record: &mut Record, dir: &Path) {
    let (names, wrong) = found_in(dir, &record.sweep, (record.cell.shards, record.amount));
    record.summaries = names;
    if let (None, Some(reason)) = (&record.failure, wrong) {
        record.failure = Some(RepetitionFailure {
            reason,
            exit_code: None,
            stderr: last_lines(dir, LINES),
            again: false,
            is_of_size: false,
        });
    }
}

/// What a good repetition said on the way is in its results.
pub(super) fn drop_logs(processes: &[ProcessSpec]) {
    for process in processes {
        for name in ["stdout.log", "stderr.log"] {
            let _gone = fs::remove_file(process.dir.join(name));
        }
    }
}
