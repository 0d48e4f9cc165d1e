//! What a contender's CSV says: whether it fetched what it should, and what its optional columns of times say.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::keys::{ExpectedKeys, KeySum};
use crate::plan::names;
use crate::results::csv::{CsvError, CsvRow, read_csv};
use crate::results::record::{ContenderResult, ContenderTimes, Record};
use crate::results::summary::Distributions;
use crate::spool::spill::{FileOverlap, overlap_in};
use crate::stats::histogram::Histogram;
use crate::units::{self, SECOND_NS};

/// A program may round its time to whole seconds.
const ROUNDED_NS: u64 = SECOND_NS / 2;

/// Longest row of a CSV: a key of 1,024 bytes, each of them quoted, and the columns.
const ROW_BYTES: u64 = 4_096;
/// Longest CSV where it is not known how many rows it has.
const UNKNOWN_BYTES: u64 = 1 << 30;

/// Bytes of a CSV at the most: one that is longer is another thing, and is not read.
pub(super) fn most_bytes(expected: Option<ExpectedKeys>) -> u64 {
    expected.map_or(UNKNOWN_BYTES, |expected| {
        (expected.objects + 256).saturating_mul(ROW_BYTES)
    })
}

/// Takes a contender's CSV into its record; what is wrong with it. One that asks the server of its repetition fetches nothing of the key list, so nothing
/// is expected of it but as many rows as it was asked for requests.
pub(super) fn take_csv(
    record: &mut Record,
    path: &Path,
    expected: Option<ExpectedKeys>,
) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match read(path, most_bytes(expected)) {
        Ok(read) => {
            let wrong = expected
                .and_then(|expected| differs(&read, expected))
                .or_else(|| too_long(&read, ran_ns(record)?))
                .or_else(|| too_short(&read));
            record.contender = Some(read.result());
            record.contender_times = read.times.map(Box::new);
            wrong
        }
        Err(error) => Some(format!("{name}: {error}")),
    }
}

/// How long it was seen to run from outside, at most.
fn ran_ns(record: &Record) -> Option<u64> {
    let tasks = record.tasks.iter().filter_map(|task| task.billed_ns);
    record
        .outside
        .map(|outside| outside.wall_ns)
        .or(tasks.max())
}

/// A time that its fetches cannot have taken: of another run, or of all workers added up.
fn too_long(read: &CsvFacts, ran_ns: u64) -> Option<String> {
    (read.fetch_ns > ran_ns.saturating_add(ROUNDED_NS)).then(|| {
        format!(
            "its header says {}, and the whole program ran for {}",
            units::duration(read.fetch_ns),
            units::duration(ran_ns)
        )
    })
}

/// Rows that cannot be of the time in the header, which every rate is made of.
fn too_short(read: &CsvFacts) -> Option<String> {
    let rows = read.rows_ns?;
    (rows > read.fetch_ns.saturating_add(ROUNDED_NS)).then(|| {
        format!(
            "its header says {}, and its rows take {}",
            units::duration(read.fetch_ns),
            units::duration(rows)
        )
    })
}

/// A contender that fetched something else is not comparable.
fn differs(read: &CsvFacts, expected: ExpectedKeys) -> Option<String> {
    if (expected.keys, expected.bytes) == (None, None) {
        // Requests to a web server: one that failed is a result.
        return (read.objects != expected.objects).then(|| {
            format!(
                "its CSV has {} rows, and it was to make {}",
                units::count(read.objects),
                units::plural(expected.objects, "request")
            )
        });
    }
    if read.objects != expected.objects {
        return Some(format!(
            "its CSV has {} rows, and the key list {}",
            units::count(read.objects),
            units::count(expected.objects)
        ));
    }
    if expected.keys.is_some_and(|expected| expected != read.keys) {
        return Some("its CSV has other keys than the key list, or a key twice".to_owned());
    }
    if read.ok != read.objects {
        return Some(format!(
            "{} of its objects are not as long as announced",
            units::count(read.objects - read.ok)
        ));
    }
    expected
        .bytes
        .filter(|bytes| *bytes != read.goodput_bytes)
        .map(|bytes| {
            format!(
                "its sizes add up to {} bytes, and those of the key list to {}",
                units::count(read.goodput_bytes),
                units::count(bytes)
            )
        })
}

/// A CSV, read.
struct CsvFacts {
    fetch_ns: u64,
    objects: u64,
    ok: u64,
    goodput_bytes: u64,
    keys: KeySum,
    /// From the first start to the last end.
    rows_ns: Option<u64>,
    times: Option<ContenderTimes>,
}

impl CsvFacts {
    fn result(&self) -> ContenderResult {
        ContenderResult {
            fetch_ns: self.fetch_ns,
            objects: Some(self.objects),
            ok: Some(self.ok),
            goodput_bytes: Some(self.goodput_bytes),
        }
    }
}

fn read(path: &Path, most: u64) -> Result<CsvFacts, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| error.to_string())?
        .len();
    if length > most {
        let (length, most) = (units::bytes(length), units::bytes(most));
        return Err(format!(
            "it has {length}, and a CSV of these keys has {most} at most"
        ));
    }
    let reader = read_csv(path).map_err(|error| error.to_string())?;
    let time = Duration::try_from_secs_f64(reader.fetch_seconds())
        .ok()
        .filter(|time| !time.is_zero());
    let time = time.ok_or_else(|| format!("its header says {} seconds", reader.fetch_seconds()))?;
    let fetch_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let mut found = CsvFacts {
        fetch_ns,
        objects: 0,
        ok: 0,
        goodput_bytes: 0,
        keys: KeySum::default(),
        rows_ns: None,
        times: None,
    };
    let mut times = RowTimes::new(path.parent().unwrap_or(Path::new(".")));
    for row in reader {
        let row = row.map_err(|error: CsvError| error.to_string())?;
        found.objects += 1;
        found.keys.add(row.key.as_bytes());
        if row.is_ok() {
            found.ok += 1;
            found.goodput_bytes = found
                .goodput_bytes
                .saturating_add(row.calc_size.unwrap_or(0));
        }
        times.row(&row).map_err(|error| error.to_string())?;
    }
    found.rows_ns = times.ends.1.checked_sub(times.starts.0);
    found.times = times.finish(fetch_ns).map_err(|error| error.to_string())?;
    Ok(found)
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
        if end < start {
            return Err(io::Error::other(format!(
                "{} ends before it starts",
                names::shown(&row.key)
            )));
        }
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
        std::fs::write(&path, text).unwrap();
        read(&path, 1_000).unwrap()
    }

    #[test]
    fn the_three_columns_of_the_study_say_nothing_of_times() {
        let found = read_text("Key (time = 2.0) sec,Size,CalcSize\r\na,5,5\r\nb,5,4\r\n");
        assert_eq!((found.objects, found.ok), (2, 1));
        assert!(found.times.is_none());
    }

    #[test]
    fn one_that_asks_a_server_has_a_row_for_each_request_and_any_outcome() {
        let read = read_text("Key (time = 2.0) sec,Size,CalcSize\r\na,5,5\r\na,5,4\r\n");
        let wanted = |objects| ExpectedKeys {
            objects,
            bytes: None,
            keys: None,
        };
        assert_eq!(differs(&read, wanted(2)), None);
        assert_eq!(
            differs(&read, wanted(3)).as_deref(),
            Some("its CSV has 2 rows, and it was to make 3 requests")
        );
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
        assert_eq!((found.ok, found.goodput_bytes), (2, 16));
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
    fn rows_that_do_not_fit_the_header_are_no_result() {
        let rows = |header: &str, times: &str| {
            format!("Key (time = {header}) sec,Size,CalcSize,StartNs,EndNs\r\na,5,5,{times}\r\n")
        };
        // Any clock, and whole seconds.
        let fits = read_text(&rows("2", "7000000000,9400000000"));
        assert_eq!(too_short(&fits), None);
        let wrong = read_text(&rows("0.1", "0,2000000000"));
        assert_eq!(
            too_short(&wrong).as_deref(),
            Some("its header says 100 ms, and its rows take 2.00 s")
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), rows("2", "9,8")).unwrap();
        assert_eq!(
            read(file.path(), 1_000).err().unwrap(),
            "`a` ends before it starts"
        );
    }

    #[test]
    fn what_is_longer_than_a_csv_of_the_keys_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(10_000).unwrap();
        assert_eq!(
            read(file.path(), 5_000).err().unwrap(),
            "it has 10.0 kB, and a CSV of these keys has 5.00 kB at most"
        );
    }
}
