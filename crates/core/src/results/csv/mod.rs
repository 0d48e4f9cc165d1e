//! The timing CSV: one row a fetch, RFC 4180 with CRLF, readable by whoever reads the study's three columns.
//!
//! Owns the columns, their order and how each value is written and read back. Knows nothing of where files are kept. FORMAT.md
//! describes every column.

mod reader;
mod writer;

pub use reader::{CsvError, CsvReader, CsvRow, read_csv};
pub use writer::CsvWriter;

/// The columns after the first, whose name carries the fetch time.
pub const COLUMNS: [&str; 18] = [
    "Size",
    "CalcSize",
    "Outcome",
    "ErrorCodes",
    "Attempts",
    "BackoffNs",
    "StartNs",
    "AttemptStartNs",
    "FirstByteNs",
    "EndNs",
    "Worker",
    "Pid",
    "Tid",
    "Round",
    "Status",
    "ConnectedNs",
    "SentNs",
    "HeadNs",
];

/// The name of the first column, around the seconds.
const KEY_COLUMN: (&str, &str) = ("Key (time = ", ") sec");

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::Target;
    use crate::sample::{ErrorCode, ErrorCodes, KeyRecord, Mismatch, Outcome, Sample};

    fn key(name: &str, size: Option<u64>, storage_class: &str) -> KeyRecord {
        KeyRecord {
            key: name.to_owned(),
            size,
            etag: String::new(),
            storage_class: storage_class.to_owned(),
        }
    }

    fn ok(worker: u32) -> Sample {
        Sample {
            unit: 0,
            outcome: Outcome::Ok,
            size: Some(5),
            calc_size: Some(5),
            attempts: 1,
            backoff_ns: 0,
            start_ns: Some(0),
            attempt_start_ns: Some(0),
            connected_ns: Some(1_000_000),
            sent_ns: Some(1_100_000),
            head_ns: Some(10_900_000),
            first_byte_ns: Some(11_000_000),
            end_ns: Some(12_500_000),
            status: Some(200),
            worker,
            pid: 100,
            tid: 101,
            codes: ErrorCodes::default(),
            mismatch: Mismatch::default(),
        }
    }

    fn codes(words: &[&str]) -> ErrorCodes {
        let mut codes = ErrorCodes::default();
        for word in words {
            codes.push(ErrorCode::from_word(word));
        }
        codes
    }

    /// Every kind of row that a run can leave, with keys that only quoting saves.
    fn every_kind() -> Vec<(KeyRecord, Sample, u64)> {
        let retried = Sample {
            attempts: 3,
            backoff_ns: 120_000_000,
            attempt_start_ns: Some(140_000_000),
            connected_ns: None,
            sent_ns: Some(140_100_000),
            head_ns: Some(149_000_000),
            first_byte_ns: Some(150_000_000),
            end_ns: Some(160_000_000),
            codes: codes(&["SlowDown", "SlowDown"]),
            ..ok(1)
        };
        let failed = Sample {
            outcome: Outcome::Failed,
            calc_size: Some(3),
            attempts: 5,
            codes: codes(&["reset", "reset", "short-body", "stalled", "short-body"]),
            ..ok(2)
        };
        let refused = Sample {
            outcome: Outcome::Failed,
            size: None,
            calc_size: None,
            first_byte_ns: None,
            status: Some(403),
            codes: codes(&["AccessDenied"]),
            ..ok(0)
        };
        let vanished = Sample {
            outcome: Outcome::Vanished,
            codes: codes(&["NoSuchKey"]),
            status: Some(404),
            ..refused.clone()
        };
        vec![
            (key("plain/a.jpg", Some(5), "STANDARD"), ok(0), 0),
            (key("quote\"and,comma.jpg", Some(5), "STANDARD"), retried, 0),
            (key("new\nline\r\nand tab\t.jpg", Some(5), ""), failed, 0),
            (key("дом/🦀 crab.jpg", Some(5), ""), refused, 0),
            (key(" leading and trailing ", Some(5), ""), vanished, 0),
            (key("ice", Some(7), "DEEP_ARCHIVE"), Sample::default(), 0),
            (key("late", None, "STANDARD"), Sample::default(), 0),
            (
                key("plain/a.jpg", Some(5), "STANDARD"),
                Sample {
                    size: None,
                    ..ok(0)
                },
                1,
            ),
        ]
    }

    fn written(fetch_ns: u64, rows: &[(KeyRecord, Sample, u64)]) -> Vec<u8> {
        let mut writer = CsvWriter::new(Vec::new(), fetch_ns).unwrap();
        for (key, sample, round) in rows {
            writer.row(key, sample, *round).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> (f64, Vec<CsvRow>) {
        let reader = CsvReader::new(bytes).unwrap();
        (reader.fetch_seconds(), reader.map(Result::unwrap).collect())
    }

    #[test]
    fn every_kind_of_row_is_written_as_in_the_golden_file() {
        let found = written(59_812_345_678, &every_kind());
        let golden = include_bytes!("../../../../../tests/data/result-v0.2.csv");
        assert_eq!(
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(golden)
        );
    }

    #[test]
    fn golden_files_read_back() {
        let (_, newer) = read(include_bytes!("../../../../../tests/data/result-v0.2.csv"));
        assert_eq!(
            (newer[0].status, newer[0].connected_ns, newer[0].head_ns),
            (Some(200), Some(1_000_000), Some(10_900_000))
        );
        assert_eq!((newer[1].connected_ns, newer[3].status), (None, Some(403)));
        let (seconds, rows) = read(include_bytes!("../../../../../tests/data/result-v0.1.csv"));
        assert_eq!((rows[0].status, rows[0].sent_ns), (None, None));
        assert!((seconds - 59.812_345_678).abs() < 1e-12);
        assert_eq!(rows.len(), 8);
        assert_eq!(rows[2].key, "new\nline\r\nand tab\t.jpg");
        assert_eq!(
            (rows[5].outcome, rows[5].size, rows[5].worker),
            (Some(Outcome::Archived), Some(7), None)
        );
        assert_eq!(
            (rows[6].outcome, rows[6].size, rows[6].end_ns),
            (Some(Outcome::NotAttempted), None, None)
        );
        assert_eq!((rows[7].size, rows[7].round), (Some(5), Some(1)));
    }

    #[test]
    fn the_header_names_every_column() {
        let text = String::from_utf8(written(1_000_000_000, &[])).unwrap();
        assert_eq!(
            text,
            "Key (time = 1.0) sec,Size,CalcSize,Outcome,ErrorCodes,Attempts,BackoffNs,StartNs,AttemptStartNs,FirstByteNs,EndNs,\
             Worker,Pid,Tid,Round,Status,ConnectedNs,SentNs,HeadNs\r\n"
        );
    }

    #[test]
    fn what_was_never_attempted_has_no_place() {
        let sample = Sample {
            outcome: Outcome::Archived,
            worker: 3,
            pid: 4,
            tid: 5,
            ..Sample::default()
        };
        let text = String::from_utf8(written(0, &[(key("k", None, ""), sample, 0)])).unwrap();
        assert!(
            text.ends_with("\r\nk,,,archived,,0,0,,,,,,,,0,,,,\r\n"),
            "{text}"
        );
    }

    #[test]
    fn seconds_are_written_as_python_writes_them() {
        for (ns, text) in [
            (0, "0.0"),
            (1, "1e-9"),
            (1_500_000_000, "1.5"),
            (100_000, "0.0001"),
            (4_001_000_000_123, "4001.000000123"),
        ] {
            let header = String::from_utf8(written(ns, &[])).unwrap();
            assert!(
                header.starts_with(&format!("Key (time = {text}) sec,")),
                "{header}"
            );
        }
    }

    #[test]
    fn the_three_columns_of_the_study_are_read() {
        let text = "Key (time = 12.25) sec,Size,CalcSize\r\na.jpg,10,10\r\n\"b,c.jpg\",20,20\r\n";
        let (seconds, rows) = read(text.as_bytes());
        assert!((seconds - 12.25).abs() < f64::EPSILON);
        assert_eq!(
            rows[1],
            CsvRow {
                key: "b,c.jpg".to_owned(),
                size: Some(20),
                calc_size: Some(20),
                ..CsvRow::default()
            }
        );
    }

    #[test]
    fn columns_of_later_versions_are_passed_over() {
        let (_, rows) = read(b"Key (time = 1.0) sec,Size,CalcSize,Colour,EndNs\r\na,1,2,red,3\r\n");
        assert_eq!((rows[0].calc_size, rows[0].end_ns), (Some(2), Some(3)));
    }

    #[test]
    fn what_is_no_result_is_refused() {
        for text in [
            "",
            "Key,Size,CalcSize\r\n",
            "Key (time = soon) sec,Size,CalcSize\r\n",
            "Key (time = 1.0) sec,Size\r\n",
        ] {
            assert!(
                matches!(CsvReader::new(text.as_bytes()), Err(CsvError::Header(_))),
                "{text}"
            );
        }
        let errors = |row: &str| {
            let text = format!("Key (time = 1.0) sec,Size,CalcSize,Outcome\r\na,1,1,ok\r\n{row}");
            let mut reader = CsvReader::new(text.as_bytes()).unwrap();
            reader.find_map(Result::err).unwrap().to_string()
        };
        assert_eq!(
            errors("b,x,1,ok\r\n"),
            "row 2: Size is `x`, not a whole number"
        );
        assert_eq!(errors("b,1,1,great\r\n"), "row 2: unknown outcome `great`");
        assert!(
            errors("b,1").starts_with("not CSV: "),
            "a torn last line is an error: {}",
            errors("b,1")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn rows_survive_the_file(rows in prop::collection::vec(row(), 0..20), fetch_ns in 0..u64::from(u32::MAX) * 1_000_000) {
            let (seconds, found) = read(&written(fetch_ns, &rows));
            prop_assert!((seconds * 1e9 - fetch_ns as f64).abs() < 1.0);
            prop_assert_eq!(found.len(), rows.len());
            for ((key, sample, round), row) in rows.iter().zip(&found) {
                prop_assert_eq!(&row.key, &key.key);
                prop_assert_eq!(row.size, sample.size.or(key.size));
                prop_assert_eq!((row.calc_size, row.outcome, row.attempts), (sample.calc_size, Some(sample.outcome), Some(sample.attempts)));
                prop_assert_eq!(&row.error_codes, &sample.codes.to_string());
                prop_assert_eq!([row.start_ns, row.attempt_start_ns, row.first_byte_ns, row.end_ns],
                    [sample.start_ns, sample.attempt_start_ns, sample.first_byte_ns, sample.end_ns]);
                prop_assert_eq!((row.worker, row.pid, row.tid), (Some(sample.worker), Some(sample.pid), Some(sample.tid)));
                prop_assert_eq!((row.round, row.backoff_ns), (Some(*round), Some(sample.backoff_ns)));
                prop_assert_eq!([row.connected_ns, row.sent_ns, row.head_ns], [sample.connected_ns, sample.sent_ns, sample.head_ns]);
                prop_assert_eq!(row.status, sample.status);
            }
        }
    }

    fn row() -> impl Strategy<Value = (KeyRecord, Sample, u64)> {
        let times = prop::array::uniform7(prop::option::of(any::<u64>()));
        let sizes = prop::array::uniform3(prop::option::of(any::<u64>()));
        let outcome = prop::sample::select(vec![
            Outcome::Ok,
            Outcome::Failed,
            Outcome::Vanished,
            Outcome::Archived,
        ]);
        let code_words = prop::collection::vec(
            prop::sample::select(vec!["reset", "SlowDown", "other"]),
            0..15,
        );
        let numbers = (
            prop::option::of(100..600_u16),
            any::<NonZeroU32>(),
            any::<NonZeroU32>(),
            any::<NonZeroU32>(),
            any::<u32>(),
            any::<u64>(),
            any::<u64>(),
        );
        (key_text(), times, sizes, outcome, code_words, numbers).prop_map(
            |(name, times, sizes, outcome, words, numbers)| {
                let [
                    start_ns,
                    attempt_start_ns,
                    connected_ns,
                    sent_ns,
                    head_ns,
                    first_byte_ns,
                    end_ns,
                ] = times;
                let (status, attempts, pid, tid, worker, backoff_ns, round) = numbers;
                let sample = Sample {
                    unit: 0,
                    outcome,
                    size: sizes[0],
                    calc_size: sizes[1],
                    attempts: attempts.get(),
                    backoff_ns,
                    start_ns,
                    attempt_start_ns,
                    connected_ns,
                    sent_ns,
                    head_ns,
                    first_byte_ns,
                    end_ns,
                    status,
                    worker,
                    pid: pid.get(),
                    tid: tid.get(),
                    codes: codes(&words),
                    mismatch: Mismatch::default(),
                };
                (key(&name, sizes[2], ""), sample, round)
            },
        )
    }

    /// Keys as S3 allows them, with a leaning to what CSV finds hard.
    fn key_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z\",\r\n\t;= #']{1,12}",
            "\\PC{1,20}",
            any::<String>().prop_filter("keys are not empty", |text| !text.is_empty())
        ]
    }

    #[test]
    fn fuzz_timing_csv() {
        let words = &[
            "\"",
            ",",
            "\r\n",
            "\n",
            "\"\"",
            ";",
            "ok",
            "failed",
            "Outcome",
            "Key (time = 1.5) sec,Size,CalcSize",
            "NaN",
            "*",
        ];
        let seeds = vec![
            include_bytes!("../../../../../tests/data/result-v0.1.csv").to_vec(),
            include_bytes!("../../../../../tests/data/result-v0.2.csv").to_vec(),
            b"Key (time = 20.25) sec,Size,CalcSize\r\na/b.jpg,9,9\r\n".to_vec(),
        ];
        Target {
            name: "timing-csv",
            seeds,
            words,
            cases: 10_000,
        }
        .run(|bytes| {
            let Ok(reader) = CsvReader::new(bytes) else {
                return;
            };
            assert!(reader.fetch_seconds().is_finite() && reader.fetch_seconds() >= 0.0);
            // A row that cannot be read takes bytes of the file too: reading ends.
            assert!(reader.count() <= bytes.len());
        });
    }
}
