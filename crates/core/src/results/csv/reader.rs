//! Reads timing CSVs: parfetch's own, of this version or a later one, and the study's with its three columns.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use csv::{Position, Reader, ReaderBuilder, StringRecord};

use super::{COLUMNS, KEY_COLUMN};
use crate::sample::Outcome;

/// One row as it stands in a file; what the file does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvRow {
    /// The key, verbatim.
    pub key: String,
    /// Content-Length, else the size as listed.
    pub size: Option<u64>,
    /// Body bytes counted in the last attempt.
    pub calc_size: Option<u64>,
    /// How it ended; `None` in files of the study.
    pub outcome: Option<Outcome>,
    /// Codes of failed attempts, as written; empty when none failed.
    pub error_codes: String,
    /// HTTP attempts.
    pub attempts: Option<u32>,
    /// Time between attempts.
    pub backoff_ns: Option<u64>,
    /// First attempt handed to the client, since the epoch.
    pub start_ns: Option<u64>,
    /// Last attempt handed to the client, since the epoch.
    pub attempt_start_ns: Option<u64>,
    /// First body bytes, since the epoch.
    pub first_byte_ns: Option<u64>,
    /// End of the fetch, since the epoch.
    pub end_ns: Option<u64>,
    /// Worker, from 0.
    pub worker: Option<u32>,
    /// Process.
    pub pid: Option<u32>,
    /// Thread.
    pub tid: Option<u32>,
    /// How often the keys were gone through before.
    pub round: Option<u64>,
    /// HTTP status of the last attempt's answer.
    pub status: Option<u16>,
    /// The last attempt's connection was ready, since the epoch; `None` where it had been used before.
    pub connected_ns: Option<u64>,
    /// The last attempt's request was sent, since the epoch.
    pub sent_ns: Option<u64>,
    /// The head of the last attempt's answer was complete, since the epoch.
    pub head_ns: Option<u64>,
}

impl CsvRow {
    /// Whether it says that it went well: by its outcome, where it has one, and by its sizes.
    pub fn is_ok(&self) -> bool {
        let by_size = self
            .size
            .zip(self.calc_size)
            .map(|(size, counted)| size == counted);
        match self.outcome {
            Some(outcome) => outcome == Outcome::Ok && by_size != Some(false),
            None => by_size == Some(true),
        }
    }
}

/// Why a timing CSV cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// The file cannot be opened.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Reading stopped, or a row has another number of fields than the header: a torn file.
    #[error("not CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The first line is not that of a result.
    #[error("the first line is not `Key (time = …) sec,Size,CalcSize…` but `{0}`")]
    Header(String),
    /// A value that cannot be.
    #[error("row {row}: {what}")]
    Value {
        /// Which row, from 1, the header not counted.
        row: u64,
        /// Which value, and why not.
        what: String,
    },
}

/// A text of somebody else in one line of reasonable length.
fn shown(text: &str) -> String {
    const LETTERS: usize = 120;
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(LETTERS).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("{}{more}", start.replace(char::is_control, " "))
}

/// Opens a timing CSV.
///
/// # Errors
/// When the file cannot be read or its header is not that of a result.
pub fn read_csv(path: &Path) -> Result<CsvReader<File>, CsvError> {
    CsvReader::new(File::open(path)?)
}

/// The rows of a timing CSV, one at a time.
pub struct CsvReader<R: Read> {
    csv: Reader<R>,
    record: StringRecord,
    fetch_seconds: f64,
    /// Where each of [`COLUMNS`] stands in this file.
    places: [Option<usize>; COLUMNS.len()],
}

impl<R: Read> CsvReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is not that of a result.
    pub fn new(reader: R) -> Result<Self, CsvError> {
        let mut csv = ReaderBuilder::new().from_reader(reader);
        let header = csv.headers()?;
        let bad = || CsvError::Header(shown(&header.iter().collect::<Vec<_>>().join(",")));
        let seconds = header
            .get(0)
            .and_then(|name| name.strip_prefix(KEY_COLUMN.0)?.strip_suffix(KEY_COLUMN.1))
            .ok_or_else(bad)?;
        let fetch_seconds = f64::from_str(seconds)
            .ok()
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
            .ok_or_else(bad)?;
        let places = COLUMNS.map(|column| header.iter().position(|name| name == column));
        if places[0].is_none() || places[1].is_none() {
            return Err(bad());
        }
        Ok(Self {
            csv,
            record: StringRecord::new(),
            fetch_seconds,
            places,
        })
    }

    /// The time of the fetch phase, from the header.
    pub const fn fetch_seconds(&self) -> f64 {
        self.fetch_seconds
    }

    fn text(&self, column: &str) -> &str {
        let place = COLUMNS
            .iter()
            .position(|name| *name == column)
            .and_then(|index| self.places[index]);
        place
            .and_then(|place| self.record.get(place))
            .unwrap_or_default()
    }

    fn number<T: FromStr>(&self, column: &str) -> Result<Option<T>, CsvError> {
        match self.text(column) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                let text = shown(text);
                self.value_error(format!("{column} is `{text}`, not a whole number"))
            }),
        }
    }

    fn value_error(&self, what: String) -> CsvError {
        CsvError::Value {
            row: self.record.position().map_or(0, Position::record),
            what,
        }
    }

    fn row(&self) -> Result<CsvRow, CsvError> {
        let outcome = match self.text("Outcome") {
            "" => None,
            word => {
                let known = Outcome::ALL
                    .into_iter()
                    .find(|outcome| outcome.as_str() == word);
                Some(known.ok_or_else(|| {
                    self.value_error(format!("unknown outcome `{}`", shown(word)))
                })?)
            }
        };
        Ok(CsvRow {
            key: self.record.get(0).unwrap_or_default().to_owned(),
            size: self.number("Size")?,
            calc_size: self.number("CalcSize")?,
            outcome,
            error_codes: self.text("ErrorCodes").to_owned(),
            attempts: self.number("Attempts")?,
            backoff_ns: self.number("BackoffNs")?,
            start_ns: self.number("StartNs")?,
            attempt_start_ns: self.number("AttemptStartNs")?,
            first_byte_ns: self.number("FirstByteNs")?,
            end_ns: self.number("EndNs")?,
            worker: self.number("Worker")?,
            pid: self.number("Pid")?,
            tid: self.number("Tid")?,
            round: self.number("Round")?,
            status: self.number("Status")?,
            connected_ns: self.number("ConnectedNs")?,
            sent_ns: self.number("SentNs")?,
            head_ns: self.number("HeadNs")?,
        })
    }
}

impl<R: Read> Iterator for CsvReader<R> {
    type Item = Result<CsvRow, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.csv.read_record(&mut self.record) {
            Ok(true) => Some(self.row()),
            Ok(false) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}
