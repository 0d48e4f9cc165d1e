//! Rows of CSV, their fields and the names of their columns.

use std::collections::BTreeSet;

use crate::analysis::metric::{Metric, Unit};
use crate::cell::Cell;
use crate::escape::csv;

/// The factors that sweeps have of their own, in a column each: `factor_workers`. A cell without the factor has an empty field.
pub(super) struct OwnFactors(BTreeSet<String>);

impl OwnFactors {
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let names = cells.flat_map(|cell| cell.factors.iter().map(|(name, _)| name.to_owned()));
        Self(names.collect())
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|name| csv(&format!("factor_{name}")))
    }

    pub(super) fn values(&self, cell: &Cell) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|name| csv(cell.factors.get(name).unwrap_or_default()))
    }
}

/// How a unit ends a column's name.
const fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::BytesPerSecond => "_bytes_per_s",
        Unit::Seconds | Unit::SecondsPerGb => "_s",
        Unit::Bytes => "_bytes",
        // Their names say it.
        Unit::Share | Unit::Count | Unit::UsdPerTb | Unit::PerSecond => "",
    }
}

/// `throughput_bytes_per_s`.
pub(super) fn column(metric: Metric) -> String {
    format!("{}{}", metric.id(), suffix(metric.unit()))
}

/// Rows under a header, with CRLF (RFC 4180). Empty is unknown.
pub(super) struct Sheet(::csv::Writer<Vec<u8>>);

impl Sheet {
    pub(super) fn new(header: &[String]) -> Self {
        let mut sheet = Self(
            ::csv::WriterBuilder::new()
                .terminator(::csv::Terminator::CRLF)
                .from_writer(Vec::new()),
        );
        sheet.row(header);
        sheet
    }

    /// Fields as they are: texts from outside are guarded by the caller.
    pub(super) fn row(&mut self, fields: &[String]) {
        self.0
            .write_record(fields)
            .expect("memory takes all, and every row has the columns of the header");
    }

    pub(super) fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes all");
        String::from_utf8(bytes).expect("only text was written")
    }
}

/// What is known, or an empty field.
pub(super) fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A size of 0 is one that is not known.
pub(super) fn known(size: u32) -> String {
    if size == 0 {
        String::new()
    } else {
        size.to_string()
    }
}
