//! One pass over the rows of a run: into the CSV, the summary, and the count of what was in flight.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::fallback;
use super::log::RunLog;
use crate::plan::Layout;
use crate::platform::fault;
use crate::platform::wait::comes;
use crate::results::csv::CsvWriter;
use crate::results::files::CsvFile;
use crate::results::place::{PlaceError, ResultsPlace};
use crate::results::summary::{PassFacts, RunFacts, Summariser};
use crate::sample::{FailedKey, KeyRecord, Outcome, Sample};
use crate::spool::keys::KeyFile;
use crate::spool::rows::RowFile;
use crate::spool::spill::{FileOverlap, overlap_in};
use crate::spool::table::{Rounds, RowTable, Visitor};

/// So many failed keys are named.
const FAILURES_NAMED: usize = 3;
/// A pass that takes longer than this after a signal is not waited for.
const SHORT: Duration = Duration::from_millis(500);
/// What a summary says that may have been stored before its CSV.
pub(super) const SIGNAL_WHILE_STORING: &str = "told to end while the results were being stored: every fetch had ended; the CSV may be missing";

/// Why the rows could not be gone through.
#[derive(Debug, thiserror::Error)]
pub(super) enum PassError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("cannot use the spool files: {0}")]
    Spool(#[from] io::Error),
    #[error("cannot write the CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// What one pass over the rows found.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) summariser: Summariser,
    pub(super) facts: PassFacts,
    /// Fetches that workers handed in.
    pub(super) written: u64,
    /// Fetches that were begun.
    pub(super) fetches: u64,
    /// The first key that was not attempted.
    pub(super) first_left: Option<String>,
    pub(super) attempted: u64,
    pub(super) failed: u64,
    pub(super) vanished: u64,
    pub(super) named: Vec<String>,
    /// The first object of the listing that could not be fetched.
    pub(super) first_failed: Option<FailedKey>,
    /// The first key whose object is not the one that was listed.
    pub(super) first_not_as_listed: Option<String>,
}

/// Takes every row: into the CSV, the summary, and the count of what was in flight.
struct Pass<W: io::Write> {
    csv: CsvWriter<W>,
    overlap: FileOverlap,
    findings: Findings,
}

impl<W: io::Write> Visitor for Pass<W> {
    type Error = PassError;

    fn fetch(&mut self, fetch: &Sample) -> Result<(), PassError> {
        self.findings.summariser.fetch(fetch);
        self.findings.fetches += 1;
        if let (Some(start), Some(end)) = (fetch.start_ns, fetch.end_ns) {
            self.overlap.push(start, end)?;
        }
        Ok(())
    }

    fn row(&mut self, key: &KeyRecord, row: &Sample, round: u64) -> Result<(), PassError> {
        self.csv.row(key, row, round)?;
        let found = &mut self.findings;
        found.summariser.object(key, row, round);
        found.attempted += u64::from(row.was_attempted());
        found.vanished += u64::from(row.outcome == Outcome::Vanished);
        if row.mismatch.any() && found.first_not_as_listed.is_none() {
            found.first_not_as_listed = Some(key.key.escape_debug().to_string());
        }
        if found.first_left.is_none() && row.outcome_of(key) == Outcome::NotAttempted {
            found.first_left = Some(key.key.clone());
        }
        if row.outcome == Outcome::Failed {
            found.failed += 1;
            found.first_failed.get_or_insert_with(|| FailedKey {
                key: key.key.clone(),
                codes: row.codes.to_string(),
            });
            if found.named.len() < FAILURES_NAMED {
                found
                    .named
                    .push(format!("{} ({})", key.key.escape_debug(), row.codes));
            }
        }
        Ok(())
    }
}

/// What a pass reads.
#[derive(Clone)]
pub(super) struct RunTable {
    pub(super) keys: Arc<KeyFile>,
    pub(super) rows: Arc<RowFile>,
    /// Items in a round.
    pub(super) items: u64,
    pub(super) layout: Layout,
    pub(super) spool: PathBuf,
    pub(super) rounds: Rounds,
    pub(super) fetch_ns: u64,
    pub(super) active_window_ns: Option<u64>,
}

/// Goes through the rows on a thread of its own: many millions take a while, and a signal is noticed meanwhile. Every fetch has ended, but time may
/// be short: the summary then goes before the CSV, and when it is long in coming, one goes before it that says «interrupted» instead of «running».
pub(super) async fn write_table(
    place: &ResultsPlace,
    facts: &RunFacts,
    table: RunTable,
    log: &mut RunLog<'_>,
) -> Result<Findings, PassError> {
    let csv = place.csv_file();
    let mut pass = tokio::task::spawn_blocking(move || {
        fault::point("csv");
        write_rows(&csv, &table)
    });
    let (mut signal, came_before) = (log.signal(), log.signalled().is_some());
    let is_long = async {
        comes(&mut signal).await;
        if !came_before {
            log.warn(SIGNAL_WHILE_STORING.to_owned());
        }
        tokio::time::sleep(SHORT).await;
    };
    let ended = tokio::select! {
        ended = &mut pass => ended,
        () = is_long => {
            let facts = RunFacts { warnings: log.warnings.clone(), phases: log.phases, ..facts.clone() };
            // Both to their end: the last summary must be the last one that is stored.
            tokio::join!(pass, fallback::interrupted(facts, place.proved())).0
        }
    };
    ended.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

fn write_rows(csv: &CsvFile, run: &RunTable) -> Result<Findings, PassError> {
    let table = RowTable {
        keys: &run.keys,
        rows: &run.rows,
        items: run.items,
        layout: run.layout,
        spool: &run.spool,
        rounds: run.rounds.clone(),
    };
    let mut found = None;
    let written = csv.write::<PassError>(|file| {
        let findings = Findings {
            summariser: Summariser::new(run.active_window_ns),
            written: run.rows.written(),
            ..Findings::default()
        };
        let mut pass = Pass {
            csv: CsvWriter::new(file, run.fetch_ns)?,
            overlap: overlap_in(&run.spool),
            findings,
        };
        let asked = table.each(&mut pass)?;
        pass.csv.finish().map_err(csv::Error::from)?;
        found = Some((asked, pass.overlap, pass.findings));
        Ok(())
    });
    written.map_err(|error| match error {
        PassError::Csv(error) => csv.unwritable(error.into()).into(),
        other => other,
    })?;
    let (asked, overlap, findings) =
        found.ok_or_else(|| io::Error::other("the CSV was not written"))?;
    let most = overlap.finish(run.fetch_ns)?.most;
    Ok(Findings {
        facts: PassFacts {
            asked,
            in_flight_most: u32::try_from(most).ok(),
        },
        ..findings
    })
}
