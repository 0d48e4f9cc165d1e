//! Writes the timing CSV, row by row.

use std::io::Write;

use csv::{Terminator, Writer, WriterBuilder};

use super::{COLUMNS, KEY_COLUMN};
use crate::sample::{KeyRecord, Sample};

/// Streams rows into `W`; holds one row at a time.
pub struct CsvWriter<W: Write> {
    csv: Writer<W>,
    /// The field at hand, as text: one buffer for the whole file.
    text: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header of a run whose fetch phase took `fetch_ns`.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(writer: W, fetch_ns: u64) -> Result<Self, csv::Error> {
        let mut csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(writer);
        // `{:?}` is the shortest text that reads back as the same number, with its `.0`, as Python's `repr`.
        let seconds = fetch_ns as f64 / 1e9;
        csv.write_field(format!("{}{seconds:?}{}", KEY_COLUMN.0, KEY_COLUMN.1))?;
        for column in COLUMNS {
            csv.write_field(column)?;
        }
        csv.write_record(None::<&[u8]>)?;
        Ok(Self {
            csv,
            text: String::new(),
        })
    }

    /// Writes one fetch; `round` counts how often the keys were gone through before it.
    ///
    /// # Errors
    /// When writing fails.
    pub fn row(&mut self, key: &KeyRecord, sample: &Sample, round: u64) -> Result<(), csv::Error> {
        self.csv.write_field(&key.key)?;
        self.number(sample.size.or(key.size))?;
        self.number(sample.calc_size)?;
        self.csv.write_field(sample.outcome_of(key).as_str())?;
        self.field(&sample.codes)?;
        self.field(&sample.attempts)?;
        self.field(&sample.backoff_ns)?;
        for time in [
            sample.start_ns,
            sample.attempt_start_ns,
            sample.first_byte_ns,
            sample.end_ns,
        ] {
            self.number(time)?;
        }
        let known = sample.was_attempted();
        self.number(known.then_some(u64::from(sample.worker)))?;
        // No process or thread of a user has the number 0.
        self.number(Some(u64::from(sample.pid)).filter(|pid| known && *pid != 0))?;
        self.number(Some(u64::from(sample.tid)).filter(|tid| known && *tid != 0))?;
        self.field(&round)?;
        self.number(sample.status.map(u64::from))?;
        for time in [sample.connected_ns, sample.sent_ns, sample.head_ns] {
            self.number(time)?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(self) -> std::io::Result<W> {
        self.csv
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }

    fn number(&mut self, value: Option<u64>) -> Result<(), csv::Error> {
        match value {
            Some(value) => self.field(&value),
            None => self.csv.write_field(""),
        }
    }

    fn field(&mut self, value: &dyn std::fmt::Display) -> Result<(), csv::Error> {
        use std::fmt::Write as _;
        self.text.clear();
        write!(self.text, "{value}").expect("writing to a string does not fail");
        self.csv.write_field(&self.text)
    }
}
