//! What came of a repetition: its summaries, a contender's CSV, and in words why there are none.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use super::super::environment::RunTemplate;
use super::super::keys::KeySum;
use super::super::summaries::found_in;
use super::launch::{Launched, ProcessEnd, ProcessSpec, last_lines};
use crate::cell::Cell;
use crate::exit::ChildExit;
use crate::plan::result_stem;
use crate::results::csv::{CsvError, read_csv};
use crate::results::record::{ContenderResult, Record, RepetitionFailure, ServerUse};
use crate::server::ServerReport;
use crate::store::Bucket;
use crate::units;

/// Lines of stderr that are kept of a repetition that failed.
const LINES: usize = 10;
/// Letters of a contender's last line that are part of the reason.
const LETTERS: usize = 200;

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
            // The last line of a program that ends by itself mostly says why: `ModuleNotFoundError: No module named 'boto3'`.
            let is_of_size = ended.timed_out || ended.out_of_memory;
            let is_known = is_of_size || cell.program.is_parfetch();
            let line = stderr
                .last()
                .filter(|_| !is_known)
                .map(|line| line.trim().chars().take(LETTERS).collect::<String>());
            let reason = line.map_or_else(|| reason.clone(), |line| format!("{reason}: {line}"));
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
            "did not end within {}",
            units::duration(u64::try_from(time_limit.as_nanos()).unwrap_or(u64::MAX))
        ));
    }
    if ended.out_of_memory {
        return Some(format!(
            "out of memory: it was ended at the limit of {} MiB",
            cell.memory_mib
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
    let (names, wrong) = found_in(dir, (&record.sweep, record.cell.shards));
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

/// Reads what a contender stored, and checks that it fetched what it should.
pub(super) async fn add_contender(
    record: &mut Record,
    (dir, tag): (&Path, &str),
    (template, results): (&RunTemplate, Option<&mut Bucket>),
) {
    if record.failure.is_some() {
        return;
    }
    let name = format!(
        "{}.csv",
        result_stem(tag, record.cell.mode, record.cell.concurrency, None)
    );
    let path = dir.join(&name);
    let failed = match (template.results_dir(), results) {
        (Some(folder), _) => fs::rename(folder.join(&name), &path)
            .err()
            .map(|error| error.to_string()),
        (None, Some(bucket)) => bucket
            .read_to_file(&name, &path)
            .await
            .err()
            .map(|error| error.message),
        (None, None) => Some("there is no results bucket".to_owned()),
    };
    let read = failed.map_or_else(
        || read_contender(&path).map_err(|error| format!("{name}: {error}")),
        |why| {
            Err(format!(
                "stored no result {name} in the results bucket: {why}"
            ))
        },
    );
    let wrong = match read {
        Ok((result, keys)) => {
            record.contender = Some(result);
            differs((&result, keys), template)
        }
        Err(reason) => Some(reason),
    };
    record.failure = wrong.map(|reason| RepetitionFailure {
        reason,
        exit_code: None,
        stderr: last_lines(dir, LINES),
        again: false,
        is_of_size: false,
    });
}

/// A contender that fetched something else is not comparable.
fn differs((result, keys): (&ContenderResult, KeySum), template: &RunTemplate) -> Option<String> {
    let expected = template.expected;
    if result.objects != expected.objects {
        return Some(format!(
            "its CSV has {} rows, and the key list {}",
            units::count(result.objects),
            units::count(expected.objects)
        ));
    }
    if expected.keys.is_some_and(|expected| expected != keys) {
        return Some("its CSV has other keys than the key list, or a key twice".to_owned());
    }
    if result.ok != result.objects {
        return Some(format!(
            "{} of its objects are not as long as announced",
            units::count(result.objects - result.ok)
        ));
    }
    expected
        .bytes
        .filter(|bytes| *bytes != result.goodput_bytes)
        .map(|bytes| {
            format!(
                "its sizes add up to {} bytes, and those of the key list to {}",
                units::count(result.goodput_bytes),
                units::count(bytes)
            )
        })
}

fn read_contender(path: &Path) -> Result<(ContenderResult, KeySum), String> {
    let reader = read_csv(path).map_err(|error| error.to_string())?;
    let time = Duration::try_from_secs_f64(reader.fetch_seconds())
        .ok()
        .filter(|time| !time.is_zero());
    let time = time.ok_or_else(|| format!("its header says {} seconds", reader.fetch_seconds()))?;
    let fetch_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let mut result = ContenderResult {
        fetch_ns,
        objects: 0,
        ok: 0,
        goodput_bytes: 0,
    };
    let mut keys = KeySum::default();
    for row in reader {
        let row = row.map_err(|error: CsvError| error.to_string())?;
        result.objects += 1;
        keys.add(row.key.as_bytes());
        if let (Some(size), Some(counted)) = (row.size, row.calc_size)
            && size == counted
        {
            result.ok += 1;
            result.goodput_bytes += counted;
        }
    }
    Ok((result, keys))
}

/// What a good repetition said on the way is in its results.
pub(super) fn drop_logs(processes: &[ProcessSpec]) {
    for process in processes {
        for name in ["stdout.log", "stderr.log"] {
            let _gone = fs::remove_file(process.dir.join(name));
        }
    }
}
