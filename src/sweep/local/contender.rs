//! What a contender leaves: its CSV, where it is found, whether it fetched what it should, and what its optional columns of times say.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::attempt::Attempt;
use super::super::environment::{ExpectedKeys, RunTemplate};
use super::super::keys::KeySum;
use super::launch::last_lines;
use crate::plan::result_stem;
use crate::results::csv::{CsvError, CsvRow, read_csv};
use crate::results::record::{ContenderResult, ContenderTimes, Record, RepetitionFailure};
use crate::results::summary::Distributions;
use crate::spool::spill::{FileOverlap, overlap_in};
use crate::stats::histogram::Histogram;
use crate::store::Bucket;
use crate::units;

/// Lines of stderr that are kept of a repetition that failed.
const LINES: usize = 10;

/// Where a contender may write its CSV: the value of `PARFETCH_OUT`.
pub(super) fn out_path(attempt: &Attempt, tag: &str) -> PathBuf {
    attempt.dir.join(csv_name(attempt, tag))
}

fn csv_name(attempt: &Attempt, tag: &str) -> String {
    let cell = attempt.cell();
    format!(
        "{}.csv",
        result_stem(tag, cell.mode, cell.concurrency, None)
    )
}

/// Reads what a contender left, and checks that it fetched what it should: one that asks the server of its repetition fetches nothing of the key list, so
/// nothing is expected of it.
pub(super) async fn add_result(
    record: &mut Record,
    attempt: &Attempt,
    (template, results): (&RunTemplate, Option<&mut Bucket>),
    expected: Option<ExpectedKeys>,
) {
    if record.failure.is_some() {
        return;
    }
    let tag = template.tag(attempt);
    let name = csv_name(attempt, &tag);
    let path = out_path(attempt, &tag);
    let wrong = match find(&path, (template, results)).await {
        Err(why) => Some(why),
        Ok(()) => match read(&path) {
            Ok(read) => {
                let wrong = expected.and_then(|expected| differs(&read, expected));
                record.contender = Some(read.result);
                record.contender_times = read.times.map(Box::new);
                wrong
            }
            Err(error) => Some(format!("{name}: {error}")),
        },
    };
    record.failure = wrong.map(|reason| RepetitionFailure {
        reason,
        exit_code: None,
        stderr: last_lines(&attempt.dir, LINES),
        again: false,
        is_of_size: false,
    });
}

/// Puts the CSV where it belongs: the program wrote it there, or stored it in the results bucket.
async fn find(
    path: &Path,
    (template, results): (&RunTemplate, Option<&mut Bucket>),
) -> Result<(), String> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if take_from_folder(path, &name).map_err(|error| format!("{name}: {error}"))? {
        return Ok(());
    }
    let why = match (template.results_dir(), results) {
        (Some(folder), _) => fs::rename(folder.join(&name), path)
            .err()
            .map(|error| error.to_string()),
        (None, Some(bucket)) => bucket
            .read_to_file(&name, path)
            .await
            .err()
            .map(|error| error.message),
        (None, None) => {
            return Err(
                "wrote no CSV to the file that PARFETCH_OUT names, and there is no results bucket"
                    .to_owned(),
            );
        }
    };
    match why {
        Some(why) => Err(format!(
            "stored no result {name} in the results bucket, and wrote none to PARFETCH_OUT: {why}"
        )),
        None => Ok(()),
    }
}

/// Whether it stands there. For parfetch as a contender the variable names a folder, so it is looked for in a folder of this name too.
fn take_from_folder(path: &Path, name: &str) -> io::Result<bool> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if found.is_file() {
        return Ok(true);
    }
    let folder = path.with_extension("folder");
    fs::rename(path, &folder)?;
    let inner = folder.join(name);
    let is_there = fs::symlink_metadata(&inner).is_ok_and(|found| found.is_file());
    if is_there {
        fs::rename(inner, path)?;
    }
    // Whatever else is in it would be taken for results of their own.
    fs::remove_dir_all(&folder)?;
    Ok(is_there)
}

/// A contender that fetched something else is not comparable.
fn differs(read: &CsvFacts, expected: ExpectedKeys) -> Option<String> {
    let result = &read.result;
    if result.objects != expected.objects {
        return Some(format!(
            "its CSV has {} rows, and the key list {}",
            units::count(result.objects),
            units::count(expected.objects)
        ));
    }
    if expected.keys.is_some_and(|expected| expected != read.keys) {
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

/// A CSV, read.
struct CsvFacts {
    result: ContenderResult,
    keys: KeySum,
    times: Option<ContenderTimes>,
}

fn read(path: &Path) -> Result<CsvFacts, String> {
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
    let mut times = RowTimes::new(path.parent().unwrap_or(Path::new(".")));
    for row in reader {
        let row = row.map_err(|error: CsvError| error.to_string())?;
        result.objects += 1;
        keys.add(row.key.as_bytes());
        if row.is_ok() {
            result.ok += 1;
            result.goodput_bytes += row.calc_size.unwrap_or(0);
        }
        times.row(&row).map_err(|error| error.to_string())?;
    }
    let times = times.finish(fetch_ns).map_err(|error| error.to_string())?;
    Ok(CsvFacts {
        result,
        keys,
        times,
    })
}

/// The times of rows, where a CSV has them.
struct RowTimes {
    ttfb: Histogram,
    latency: Histogram,
    fetch_duration: Histogram,
    overlap: FileOverlap,
    timed: u64,
    starts: FirstAndLast,
    ends: FirstAndLast,
    pids: BTreeSet<u32>,
    tids: BTreeSet<(Option<u32>, u32)>,
}

/// The first and the last of some moments.
#[derive(Clone, Copy)]
struct FirstAndLast(u64, u64);

impl FirstAndLast {
    const NONE: Self = Self(u64::MAX, 0);

    fn add(&mut self, ns: u64) {
        *self = Self(self.0.min(ns), self.1.max(ns));
    }

    fn ns(self) -> Option<u64> {
        self.1.checked_sub(self.0)
    }
}

impl RowTimes {
    fn new(folder: &Path) -> Self {
        Self {
            ttfb: Histogram::default(),
            latency: Histogram::default(),
            fetch_duration: Histogram::default(),
            overlap: overlap_in(folder),
            timed: 0,
            starts: FirstAndLast::NONE,
            ends: FirstAndLast::NONE,
            pids: BTreeSet::new(),
            tids: BTreeSet::new(),
        }
    }

    fn row(&mut self, row: &CsvRow) -> io::Result<()> {
        self.pids.extend(row.pid);
        self.tids.extend(row.tid.map(|tid| (row.pid, tid)));
        let (Some(start), Some(end)) = (row.start_ns, row.end_ns) else {
            return Ok(());
        };
        self.timed += 1;
        self.starts.add(start);
        self.ends.add(end);
        self.overlap.push(start, end)?;
        if !row.is_ok() {
            return Ok(());
        }
        let attempt = row.attempt_start_ns.unwrap_or(start);
        for (histogram, ns) in [
            (
                &mut self.ttfb,
                row.first_byte_ns
                    .and_then(|first| first.checked_sub(attempt)),
            ),
            (&mut self.latency, end.checked_sub(attempt)),
            (&mut self.fetch_duration, end.checked_sub(start)),
        ] {
            if let Some(ns) = ns {
                histogram.record(ns);
            }
        }
        Ok(())
    }

    fn finish(self, fetch_ns: u64) -> io::Result<Option<ContenderTimes>> {
        if self.timed == 0 {
            return Ok(None);
        }
        let in_flight = self.overlap.finish(fetch_ns)?;
        let distinct = |count: usize| (count > 0).then_some(count as u64);
        Ok(Some(ContenderTimes {
            timed: self.timed,
            distributions: Distributions {
                ttfb: self.ttfb.snapshot(),
                latency: self.latency.snapshot(),
                fetch_duration: self.fetch_duration.snapshot(),
            },
            in_flight_mean: in_flight.mean,
            in_flight_most: in_flight.most,
            start_spread_ns: self.starts.ns(),
            end_spread_ns: self.ends.ns(),
            pids: distinct(self.pids.len()),
            tids: distinct(self.tids.len()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> CsvFacts {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result.csv");
        fs::write(&path, text).unwrap();
        read(&path).unwrap()
    }

    #[test]
    fn the_three_columns_of_the_study_say_nothing_of_times() {
        let found = read_text("Key (time = 2.0) sec,Size,CalcSize\r\na,5,5\r\nb,5,4\r\n");
        assert_eq!((found.result.objects, found.result.ok), (2, 1));
        assert!(found.times.is_none());
    }

    #[test]
    fn columns_of_times_are_read_by_name_in_any_order() {
        let found = read_text(
            "Key (time = 4.0) sec,Size,CalcSize,EndNs,Outcome,StartNs,FirstByteNs,Tid,Colour\r\n\
             a,,7,2000000000,ok,0,1000000000,1,red\r\n\
             b,,9,3000000000,ok,1000000000,1500000000,2,red\r\n\
             c,,,4000000000,failed,3500000000,,1,red\r\n",
        );
        let times = found.times.unwrap();
        assert_eq!((found.result.ok, found.result.goodput_bytes), (2, 16));
        assert_eq!((times.timed, times.in_flight_most), (3, 2));
        // (2 + 2 + 0.5) ÷ 4 seconds, the failed one too.
        assert_eq!(times.in_flight_mean, Some(1.125));
        assert_eq!(
            (times.start_spread_ns, times.end_spread_ns),
            (Some(3_500_000_000), Some(2_000_000_000))
        );
        assert_eq!((times.pids, times.tids), (None, Some(2)));
        assert_eq!(times.distributions.latency.count, 2);
        assert_eq!(times.distributions.ttfb.count, 2);
    }

    #[test]
    fn a_csv_is_found_in_a_folder_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result_a.csv");
        assert!(!take_from_folder(&path, "result_a.csv").unwrap());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("result_a.csv"), "rows").unwrap();
        fs::write(path.join("result_a.json"), "{}").unwrap();
        assert!(take_from_folder(&path, "result_a.csv").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(take_from_folder(&path, "result_a.csv").unwrap(), "a file");
    }
}
