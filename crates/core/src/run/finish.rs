//! The end of a run, however it came: its rows become the CSV and the summary, and nothing in the results place says «running» any more.

use std::path::Path;
use std::sync::Arc;

use super::account;
use super::context::RunEnd;
use super::fetch::Fetched;
use super::log::RunLog;
use super::pass::{Findings, PassError, RunTable, write_table};
use super::storing::{UnstoredResults, store};
use super::unstored::{not_written, replace_running};
use crate::exit::{Exit, Failure, Signal};
use crate::plan::RunPlan;
use crate::platform::clock::{now_ns, utc_now};
use crate::price::PriceList;
use crate::results::csv::CsvWriter;
use crate::results::place::{EARLIER_STAY, ResultsPlace};
use crate::results::summary::{RunFacts, State, Summariser};
use crate::spool::table::{Handed, Rounds};

/// A run whose fetch phase is over, or did not begin.
pub(super) struct Closing<'a, 'log> {
    pub(super) plan: &'a RunPlan,
    pub(super) prices: &'a PriceList,
    pub(super) place: ResultsPlace,
    pub(super) facts: RunFacts,
    pub(super) log: RunLog<'log>,
}

impl<'a, 'log> Closing<'a, 'log> {
    /// Writes and stores the results of a run that fetched.
    pub(super) async fn with_rows(
        mut self,
        fetched: Fetched,
        spool: &Path,
    ) -> Result<RunEnd, Failure> {
        let begin_ns = now_ns();
        let panic = self.conclude(&fetched);
        let Fetched {
            keys,
            rows,
            items,
            handed,
            engine,
            ..
        } = fetched;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                let failure = self.not_written(error.into()).await;
                return Err(panic.map_or(failure, |line| Failure::new(Exit::Unexpected, line)));
            }
        };
        let table = RunTable {
            keys,
            items,
            layout: self.plan.layout,
            spool: spool.to_owned(),
            rounds: match (self.plan.duration, self.plan.source.requests()) {
                (Some(_), _) => Rounds::Many(handed),
                (None, Some(requests)) => Rounds::Many(Handed::new(requests, Vec::new())),
                (None, None) => Rounds::One,
            },
            fetch_ns: rows.last_end_ns().unwrap_or(0),
            active_window_ns: self.facts.fetch.active_window_ns,
            rows: Arc::new(rows),
        };
        self.log.phases.fetch_ns = Some(table.fetch_ns);
        let mut found = match Box::pin(self.write_rows(table)).await {
            Ok(found) => found,
            Err(error) => return Err(self.not_written(error).await),
        };
        let first_failure = found.first_failed.take();
        let cause = engine.as_ref().err().map(ToString::to_string);
        let is_good = self.account(&found, cause);
        self.log.phases.write_back_ns = Some(now_ns().saturating_sub(begin_ns));
        let failure = panic
            .map(|line| Failure::new(Exit::Unexpected, line))
            .or_else(|| engine.err().map(Into::into));
        let signal = self.log.signal();
        // SIGTERM while the results of a complete run are stored costs nothing: AWS Batch must not start it again. A person who types Ctrl-C wants an end.
        let is_complete = self.facts.state == State::Complete;
        let end = Box::pin(store(self.results(found.summariser, begin_ns))).await?;
        let came = signal
            .borrow()
            .filter(|signal| !is_complete || *signal == Signal::Interrupt);
        let exit = match (failure, came) {
            (Some(failure), _) => Err(failure),
            (None, Some(signal)) => end.exit.map(|_| signal.exit()),
            (None, None) if !is_good => end.exit.map(|_| Exit::FetchesFailed),
            (None, None) => end.exit,
        };
        Ok(RunEnd {
            exit,
            first_failure,
            ..end
        })
    }

    /// An empty bucket, or a signal before the first fetch: no rows, and a summary that says so.
    pub(super) async fn without_fetch(mut self) -> Result<RunEnd, Failure> {
        self.facts.state = match self.log.signalled() {
            Some(_) => State::Interrupted,
            None => State::Complete,
        };
        self.facts.ended_at = Some(utc_now());
        if self.place.leaves_earlier() {
            self.log.warn(format!(
                "{EARLIER_STAY}, and the summary of this run is {}",
                self.place.unfinished()
            ));
        } else {
            let csv = self.place.csv_file();
            csv.write(|file| {
                CsvWriter::new(file, 0)
                    .and_then(|csv| csv.finish().map(drop).map_err(Into::into))
                    .map_err(|error| csv.unwritable(error.into()))
            })?;
        }
        let signal = self.log.signal();
        let end = Box::pin(store(self.results(Summariser::new(None), now_ns()))).await?;
        let came = *signal.borrow();
        Ok(RunEnd {
            exit: end.exit.map(|exit| came.map_or(exit, Signal::exit)),
            ..end
        })
    }

    /// The run ended before there were rows: the summary in the results place must not say «running» for ever.
    pub(super) async fn failed(mut self, failure: Failure) -> Failure {
        let has_listed = self.log.phases.listing_ns.is_some();
        if failure.exit == Exit::SetUp && !has_listed && self.place.proved().unmake() {
            return failure;
        }
        let mut facts = self.facts;
        facts.state = match failure.exit {
            Exit::Interrupted | Exit::Terminated => State::Interrupted,
            _ => State::Failed,
        };
        facts.ended_at = Some(utc_now());
        facts.warnings = self.log.warnings;
        facts.phases = self.log.phases;
        facts.warnings.push(failure.message.clone());
        let summary = Summariser::new(None).finish(facts);
        replace_running(&mut self.place, &summary).await;
        failure
    }

    /// What is known at the end of the last worker. A signal from now on finds every fetch ended. The first panic's line, if there was one.
    fn conclude(&mut self, fetched: &Fetched) -> Option<String> {
        let report = fetched.engine.as_ref().ok();
        for warning in report.into_iter().flat_map(|report| &report.warnings) {
            self.log.warn(warning.clone());
        }
        self.facts.fetch = fetched.gauges.facts(&self.facts.header, report);
        let panic = self.log.background.panic();
        self.log.warnings.extend(panic.clone());
        self.facts.state = match (&fetched.engine, self.log.signalled()) {
            _ if panic.is_some() => State::Failed,
            (Err(_), _) => State::Failed,
            (_, Some(_)) => State::Interrupted,
            _ => State::Complete,
        };
        self.facts.ended_at = Some(utc_now());
        panic
    }

    /// Writes the CSV, in another folder where `--out` does not take it.
    async fn write_rows(&mut self, table: RunTable) -> Result<Findings, PassError> {
        let (facts, log) = (&self.facts, &mut self.log);
        let pass = Box::pin(write_table(&self.place, facts, table.clone(), log)).await;
        let Err(error) = &pass else {
            return pass;
        };
        let spool = self.plan.destination.spool_dir.as_deref();
        let Some(dir) = self.place.fall_back(spool, &error.to_string()) else {
            return pass;
        };
        log.warn(format!(
            "{error}; results are written to {} instead",
            dir.display()
        ));
        Box::pin(write_table(&self.place, facts, table, log)).await
    }

    /// Takes over what the pass found. True when all is well.
    fn account(&mut self, found: &Findings, cause: Option<String>) -> bool {
        self.place.take_name();
        self.facts.pass = found.facts;
        account::failures(&mut self.log, found);
        account::close(&mut self.facts, &mut self.log, found, cause) && found.failed == 0
    }

    fn results(self, summariser: Summariser, begin_ns: u64) -> UnstoredResults<'a, 'log> {
        UnstoredResults {
            place: self.place,
            facts: self.facts,
            log: self.log,
            summariser,
            prices: self.prices,
            begin_ns,
        }
    }

    async fn not_written(self, error: PassError) -> Failure {
        Box::pin(not_written(
            self.place,
            self.facts,
            self.log,
            error.to_string(),
        ))
        .await
    }
}
