//! What a run left, read back: from a folder, or from the results bucket.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use parfetch::internals::Outcome;
use parfetch::internals::{CsvReader, CsvRow};
use parfetch::internals::{Outcomes, State, Summary};

use super::source::Source;

/// The results of one run.
pub(crate) struct Results {
    /// The CSV as it lies there.
    pub(crate) csv: Vec<u8>,
    /// The summary as it lies there.
    pub(crate) json: Vec<u8>,
    /// The CSV's rows.
    pub(crate) rows: Vec<CsvRow>,
    /// The seconds in its header.
    pub(crate) seconds: f64,
    /// The summary.
    pub(crate) summary: Summary,
}

/// What a fetch found, without when and by whom.
pub(crate) type Found = (String, Option<u64>, Option<u64>, Option<Outcome>);

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let kept = include_str!("../../../schema/summary-v1.json");
    jsonschema::validator_for(&serde_json::from_str(kept).unwrap()).unwrap()
});

impl Results {
    /// Those called `stem` in a folder.
    pub(crate) fn in_folder(folder: &Path, stem: &str) -> Self {
        let read = |ending: &str| std::fs::read(folder.join(format!("{stem}.{ending}"))).unwrap();
        Self::of(read("csv"), read("json"))
    }

    /// Those called `stem` (with the result prefix) in the source's results bucket.
    pub(crate) fn in_bucket(source: &Source, stem: &str) -> Self {
        let s3 = source.s3();
        let read = |ending: &str| s3.get(&source.results, &format!("{stem}.{ending}"));
        Self::of(read("csv"), read("json"))
    }

    fn of(csv: Vec<u8>, json: Vec<u8>) -> Self {
        let value = serde_json::from_slice(&json).unwrap();
        let errors: Vec<String> = SCHEMA
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let summary = Summary::from_json(std::str::from_utf8(&json).unwrap()).unwrap();
        let mut reader = CsvReader::new(csv.as_slice()).unwrap();
        let rows = reader.by_ref().map(Result::unwrap).collect();
        let seconds = reader.fetch_seconds();
        let results = Self {
            csv,
            json,
            rows,
            seconds,
            summary,
        };
        results.account_closes();
        results
    }

    /// What every run must hold: rows and bytes add up to what was asked for, no key comes twice in a round, and complete means that all were attempted.
    #[track_caller]
    fn account_closes(&self) {
        let Some(totals) = self.summary.totals else {
            return assert!(self.rows.is_empty(), "rows without totals");
        };
        if self.summary.settings.http.is_none() {
            let keys: BTreeSet<_> = self.rows.iter().map(|row| (row.round, &row.key)).collect();
            assert_eq!(keys.len(), self.rows.len(), "a key comes twice in a round");
        }
        let count = |outcome| {
            self.rows
                .iter()
                .filter(|row| row.outcome == Some(outcome))
                .count() as u64
        };
        let rows = Outcomes {
            ok: count(Outcome::Ok),
            failed: count(Outcome::Failed),
            vanished: count(Outcome::Vanished),
            archived: count(Outcome::Archived),
            not_attempted: count(Outcome::NotAttempted),
        };
        assert_eq!(
            (totals.rows, totals.asked_objects),
            (rows, Some(rows.sum())),
            "rows by outcome: {totals:?}"
        );
        let requests = self
            .summary
            .settings
            .http
            .as_ref()
            .and_then(|http| http.requests);
        if let Some(requests) = requests {
            assert_eq!(totals.asked_objects, Some(requests), "{totals:?}");
        } else if self.summary.settings.duration_ns.is_none() {
            assert_eq!(
                (totals.asked_objects, totals.asked_bytes),
                (Some(totals.keys_listed), totals.listed_bytes),
                "{totals:?}"
            );
        }
        if let Some(asked) = totals.asked_bytes {
            assert_eq!(totals.row_bytes.unwrap().sum(), asked, "{totals:?}");
        }
        let ok = self
            .rows
            .iter()
            .filter(|row| row.outcome == Some(Outcome::Ok));
        assert_eq!(
            totals.goodput_bytes,
            ok.map(|row| row.calc_size.unwrap()).sum::<u64>(),
            "{totals:?}"
        );
        if self.summary.state == State::Complete {
            assert_eq!(
                totals.rows.not_attempted, totals.cut_by_time,
                "complete, and not attempted: {totals:?}"
            );
        }
    }

    /// Key, size and counted size of each row of a CSV, of parfetch or of the study.
    pub(crate) fn rows_of(csv: &[u8]) -> Vec<(String, Option<u64>, Option<u64>)> {
        let rows = CsvReader::new(csv).unwrap().map(Result::unwrap);
        rows.map(|row| (row.key, row.size, row.calc_size)).collect()
    }

    /// What every row says of its object.
    pub(crate) fn found(&self) -> Vec<Found> {
        self.rows
            .iter()
            .map(|row| (row.key.clone(), row.size, row.calc_size, row.outcome))
            .collect()
    }
}

/// What a good run finds in these objects.
pub(crate) fn all_ok(objects: &[(String, u64)]) -> Vec<Found> {
    objects
        .iter()
        .map(|(key, size)| (key.clone(), Some(*size), Some(*size), Some(Outcome::Ok)))
        .collect()
}
