//! The end of a run: rows become the CSV and the summary, on this machine first, then in the bucket. Nothing is lost on the way.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::gauges::Gauges;
use super::kept::{Kept, kept, not_written, tell};
use super::price::{Requests, price};
use super::{Ended, Fetched, Log, Signal, account, last_word};
use crate::exit::{Exit, Failure};
use crate::plan::{Layout, RunPlan};
use crate::platform::clock::{now_ns, utc_now};
use crate::platform::fault;
use crate::price::PriceList;
use crate::results::csv::CsvWriter;
use crate::results::files::CsvFile;
use crate::results::place::{Place, PlaceError};
use crate::results::summary::{RunFacts, State, Summariser, Summary};
use crate::sample::{FailedKey, KeyRecord, Outcome as RowOutcome, Sample};
use crate::spool::keys::KeyFile;
use crate::spool::rows::RowFile;
use crate::spool::spill::{FileOverlap, overlap_in};
use crate::spool::table::{Asked, Rounds, Table, Visitor};
use crate::store::StoreError;

/// So many failed keys are named.
const FAILURES_NAMED: usize = 3;
/// A pass that takes longer than this after a signal is not waited for.
const SHORT: Duration = Duration::from_millis(500);
/// What a summary says that may have been stored before its CSV.
const TOLD_WHILE_STORING: &str = "told to end while the results were being stored: every fetch had ended; the CSV may be missing";

/// What the fetch phase left, and why it ended.
pub(super) struct Outcome<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) fetched: Fetched,
    pub(super) keys: Arc<KeyFile>,
    pub(super) spool: &'a Path,
    pub(super) prices: &'a PriceList,
}

/// Writes and stores the results of a run that fetched.
pub(super) async fn finish(
    mut place: Place,
    (mut facts, mut log): (RunFacts, Log<'_>),
    outcome: Outcome<'_>,
    signal: &mut Receiver<Option<Signal>>,
) -> Result<Ended, Failure> {
    let begin = now_ns();
    let Outcome {
        plan,
        fetched,
        keys,
        spool,
        prices,
    } = outcome;
    let Fetched {
        rows,
        items,
        handed,
        gauges,
        engine,
    } = fetched;
    let engine_report = engine.as_ref().ok();
    engine_report
        .into_iter()
        .flat_map(|report| &report.warnings)
        .for_each(|warning| log.warn(warning.clone()));
    gauges.fill(&mut facts, engine_report);
    // A signal from now on finds every fetch ended.
    let panic = log.beside.panic();
    log.warnings.extend(panic.clone());
    facts.state = match (&engine, *signal.borrow()) {
        _ if panic.is_some() => State::Failed,
        (Err(_), _) => State::Failed,
        (_, Some(_)) => State::Interrupted,
        _ => State::Complete,
    };
    facts.ended_at = Some(utc_now());
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            let failure = Box::pin(not_written(
                place,
                (facts, log),
                PassError::from(error).to_string(),
            ))
            .await;
            return Err(panic.map_or(failure, |line| Failure::new(Exit::Unexpected, line)));
        }
    };
    log.phases.fetch_ns = Some(rows.last_end_ns().unwrap_or(0));
    let rounds = if plan.duration.is_some() {
        Rounds::Many(handed)
    } else {
        Rounds::One
    };
    let rows = Arc::new(rows);
    let read = Read {
        keys,
        rows: Arc::clone(&rows),
        items,
        layout: plan.layout,
        spool: spool.to_owned(),
        rounds,
    };
    let times = Times {
        fetch_ns: log.phases.fetch_ns.unwrap_or(0),
        active_window_ns: facts.active_window_ns,
    };
    let mut pass = Box::pin(write_table(
        (&place, &facts),
        (read.clone(), times),
        (&mut log, signal),
    ))
    .await;
    if let Err(error) = &pass
        && let Some(dir) =
            place.fall_back(plan.destination.spool_dir.as_deref(), &error.to_string())
    {
        log.warn(format!(
            "{error}; results are written to {} instead",
            dir.display()
        ));
        pass = Box::pin(write_table(
            (&place, &facts),
            (read, times),
            (&mut log, signal),
        ))
        .await;
    }
    let mut tail = match pass {
        Ok(tail) => tail,
        Err(error) => {
            return Err(Box::pin(not_written(place, (facts, log), error.to_string())).await);
        }
    };
    place.take_name();
    facts.in_flight_most = tail.most.take();
    facts.asked = tail.asked.take();
    let first_failure = tail.first_failed.take();
    account::failures(&mut log, &tail);
    let cause = engine.as_ref().err().map(ToString::to_string);
    let is_good =
        account::close((&mut facts, &mut log), &tail, rows.written(), cause) && tail.failed == 0;
    log.phases.write_back_ns = Some(now_ns().saturating_sub(begin));
    let engine_failure = panic
        .map(|line| Failure::new(Exit::Unexpected, line))
        .or_else(|| engine.err().map(Into::into));
    let ended = Box::pin(store(
        place,
        Parcel {
            facts,
            log,
            summariser: tail.summariser,
            begin,
            prices,
        },
        signal,
    ))
    .await?;
    let ended = Ended {
        first_failure,
        ..ended
    };
    let came = *signal.borrow();
    Ok(match (engine_failure, came) {
        (Some(failure), _) => Ended {
            exit: Err(failure),
            ..ended
        },
        (None, Some(signal)) if ended.exit.is_ok() => Ended {
            exit: Ok(signal.exit()),
            ..ended
        },
        (None, None) if ended.exit.is_ok() && !is_good => Ended {
            exit: Ok(Exit::FetchesFailed),
            ..ended
        },
        _ => ended,
    })
}

/// An empty bucket, or a signal before the first fetch: no rows, and a summary that says so.
pub(super) async fn without_fetch(
    place: Place,
    (mut facts, mut log): (RunFacts, Log<'_>),
    (prices, signal): (&PriceList, &mut Receiver<Option<Signal>>),
) -> Result<Ended, Failure> {
    facts.state = if signal.borrow().is_some() {
        State::Interrupted
    } else {
        State::Complete
    };
    facts.ended_at = Some(utc_now());
    if place.leaves_earlier() {
        log.warn(format!(
            "there are no rows: the earlier results stay, and the summary of this run is {}",
            place.unfinished()
        ));
    } else {
        let csv = place.csv_file();
        csv.write(|file| {
            CsvWriter::new(file, 0)
                .and_then(|csv| csv.finish().map(drop).map_err(Into::into))
                .map_err(|error| csv.unwritable(error.into()))
        })?;
    }
    let parcel = Parcel {
        facts,
        log,
        summariser: Summariser::new(None),
        begin: now_ns(),
        prices,
    };
    let ended = Box::pin(store(place, parcel, signal)).await?;
    let came = *signal.borrow();
    Ok(match came {
        Some(signal) if ended.exit.is_ok() => Ended {
            exit: Ok(signal.exit()),
            ..ended
        },
        _ => ended,
    })
}

/// The run ended before there were rows: the summary in the results place must not say «running» for ever.
pub(super) async fn failed(
    place: &mut Place,
    (mut facts, log): (RunFacts, Log<'_>),
    failure: Failure,
) -> Failure {
    let told = matches!(failure.exit, Exit::Interrupted | Exit::Terminated);
    facts.state = if told {
        State::Interrupted
    } else {
        State::Failed
    };
    facts.ended_at = Some(utc_now());
    facts.warnings = log.warnings;
    facts.phases = log.phases;
    facts.warnings.push(failure.message.clone());
    tell(place, &Summariser::new(None).finish(facts)).await;
    failure
}

/// Why the rows could not be gone through.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("cannot use the spool files: {0}")]
    Spool(#[from] io::Error),
    #[error("cannot write the CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// What one pass over the rows found.
#[derive(Default)]
pub(super) struct Tail {
    pub(super) summariser: Summariser,
    /// What was asked for, where a time ended the run.
    asked: Option<Asked>,
    /// Fetches that were begun.
    pub(super) fetches: u64,
    /// The first key that was not attempted.
    pub(super) first_left: Option<String>,
    most: Option<u32>,
    pub(super) attempted: u64,
    pub(super) failed: u64,
    pub(super) vanished: u64,
    pub(super) named: Vec<String>,
    /// The first object of the listing that could not be fetched.
    first_failed: Option<FailedKey>,
    /// The first key whose object is not the one that was listed.
    pub(super) first_not_as_listed: Option<String>,
}

/// Takes every row: into the CSV, the summary, and the count of what was in flight.
struct Pass<W: io::Write> {
    csv: CsvWriter<W>,
    overlap: FileOverlap,
    tail: Tail,
}

impl<W: io::Write> Visitor for Pass<W> {
    type Error = PassError;

    fn fetch(&mut self, fetch: &Sample) -> Result<(), PassError> {
        self.tail.summariser.fetch(fetch);
        self.tail.fetches += 1;
        if let (Some(start), Some(end)) = (fetch.start_ns, fetch.end_ns) {
            self.overlap.push(start, end)?;
        }
        Ok(())
    }

    fn row(&mut self, key: &KeyRecord, row: &Sample, round: u64) -> Result<(), PassError> {
        self.csv.row(key, row, round)?;
        let tail = &mut self.tail;
        tail.summariser.object(key, row, round);
        tail.attempted += u64::from(row.was_attempted());
        tail.vanished += u64::from(row.outcome == RowOutcome::Vanished);
        if row.mismatch.any() && tail.first_not_as_listed.is_none() {
            tail.first_not_as_listed = Some(key.key.escape_debug().to_string());
        }
        if tail.first_left.is_none() && row.outcome_of(key) == RowOutcome::NotAttempted {
            tail.first_left = Some(key.key.clone());
        }
        if row.outcome == RowOutcome::Failed {
            tail.failed += 1;
            tail.first_failed.get_or_insert_with(|| FailedKey {
                key: key.key.clone(),
                codes: row.codes.to_string(),
            });
            if tail.named.len() < FAILURES_NAMED {
                tail.named
                    .push(format!("{} ({})", key.key.escape_debug(), row.codes));
            }
        }
        Ok(())
    }
}

/// What a pass reads.
#[derive(Clone)]
struct Read {
    keys: Arc<KeyFile>,
    rows: Arc<RowFile>,
    items: u64,
    layout: Layout,
    spool: PathBuf,
    rounds: Rounds,
}

/// What a pass must know of the whole run.
#[derive(Clone, Copy)]
struct Times {
    fetch_ns: u64,
    active_window_ns: Option<u64>,
}

/// Goes through the rows on a thread of its own: of many millions that takes a while, and a signal is heard meanwhile. Every fetch has ended, but time may
/// be short: the summary then goes before the CSV, and when it is long in coming, one goes before it that says «interrupted» instead of «running».
async fn write_table(
    (place, facts): (&Place, &RunFacts),
    (read, times): (Read, Times),
    (log, signal): (&mut Log<'_>, &mut Receiver<Option<Signal>>),
) -> Result<Tail, PassError> {
    let csv = place.csv_file();
    let mut pass = tokio::task::spawn_blocking(move || {
        fault::point("csv");
        write_rows(&csv, &read, times)
    });
    let was_told = signal.borrow().is_some();
    let is_long = async {
        let told = signal.wait_for(Option::is_some).await.is_ok();
        if told && !was_told {
            log.warn(TOLD_WHILE_STORING.to_owned());
        }
        // Nobody is left who could tell.
        if !told {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(SHORT).await;
    };
    let ended = tokio::select! {
        ended = &mut pass => ended,
        () = is_long => {
            let facts = RunFacts { warnings: log.warnings.clone(), phases: log.phases, ..facts.clone() };
            // Both to their end: the last summary must be the last one that is stored.
            tokio::join!(pass, last_word::interrupted(facts, place.proved())).0
        }
    };
    ended.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

fn write_rows(csv: &CsvFile, read: &Read, times: Times) -> Result<Tail, PassError> {
    let Read {
        keys,
        rows,
        items,
        layout,
        spool,
        rounds,
    } = read;
    let table = Table {
        keys,
        rows,
        items: *items,
        layout: *layout,
        spool,
        rounds: rounds.clone(),
    };
    let mut found = None;
    let written = csv.write::<PassError>(|file| {
        let tail = Tail {
            summariser: Summariser::new(times.active_window_ns),
            ..Tail::default()
        };
        let mut pass = Pass {
            csv: CsvWriter::new(file, times.fetch_ns)?,
            overlap: overlap_in(spool),
            tail,
        };
        pass.tail.asked = table.each(&mut pass)?;
        pass.csv.finish().map_err(csv::Error::from)?;
        found = Some((pass.overlap, pass.tail));
        Ok(())
    });
    written.map_err(|error| match error {
        PassError::Csv(error) => csv.unwritable(error.into()).into(),
        other => other,
    })?;
    let (overlap, tail) = found.ok_or_else(|| io::Error::other("the CSV was not written"))?;
    Ok(Tail {
        most: u32::try_from(overlap.finish(times.fetch_ns)?.most).ok(),
        ..tail
    })
}

/// Everything that [`store`] stores.
struct Parcel<'log, 'prices> {
    facts: RunFacts,
    log: Log<'log>,
    summariser: Summariser,
    begin: u64,
    prices: &'prices PriceList,
}

/// Stores CSV and summary; what cannot be stored is kept, and the failure says where. The summary comes last: when it is there, everything is.
/// But after a signal the time may be short, and then the small one goes first.
async fn store(
    place: Place,
    parcel: Parcel<'_, '_>,
    signal: &mut Receiver<Option<Signal>>,
) -> Result<Ended, Failure> {
    let Parcel {
        mut facts,
        mut log,
        summariser,
        begin,
        prices,
    } = parcel;
    log.heed();
    facts.phases = log.phases;
    facts.warnings.clone_from(&log.warnings);
    let lists = facts.lists;
    let mut summary = Box::new(summariser.finish(facts));
    set_price(&mut summary, (lists, &place), prices);
    // Beside its CSV at once, however long that takes on its way to the bucket.
    let _said_below = summary
        .to_json()
        .is_ok_and(|text| place.write_json(&text).is_ok());
    let summary_first = signal.borrow().is_some();
    let csv = if summary_first {
        Ok(())
    } else {
        Box::pin(upload_csv(&place, (&mut summary, &mut log), signal)).await
    };
    if let Err(error) = &csv {
        summary
            .warnings
            .push(format!("the CSV is not stored: {error}"));
    }
    summary.phases.write_back_ns = Some(now_ns().saturating_sub(begin));
    (summary.cpu.whole_user_ns, summary.cpu.whole_sys_ns) = Gauges::whole_run();
    set_price(&mut summary, (lists, &place), prices);
    let text = summary
        .to_json()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    if let Err(error) = place.write_json(&text) {
        return Err(kept(
            (place, Kept::Csv),
            &summary,
            (error.to_string(), None),
        ));
    }
    // Also without its CSV: what says «running» looks like a run that died.
    let json = place.upload_json(&text).await;
    let mut stored = csv.and(json);
    if stored.is_ok() && summary_first {
        stored = place.upload_csv().await;
    }
    let exit = match stored {
        Ok(()) => {
            if let Some(error) = place.unmet() {
                Err(kept((place, Kept::Both), &summary, (error, None)))
            } else {
                Ok(Exit::Good)
            }
        }
        Err(StoreError { message, hint, .. }) => {
            Err(kept((place, Kept::Both), &summary, (message, hint)))
        }
    };
    Ok(Ended {
        summary,
        exit,
        first_failure: None,
    })
}

/// Prices the run with what it has stored so far, and this summary.
fn set_price(summary: &mut Summary, (lists, place): (u64, &Place), prices: &PriceList) {
    let puts = place.puts() + u64::from(place.is_stored());
    (summary.price, summary.no_price) = match price(summary, Requests { lists, puts }, prices) {
        Ok(price) => (Some(price), None),
        Err(why) => (None, Some(why)),
    };
}

/// Stores the CSV. When a signal comes meanwhile, the summary does not wait for it any longer.
async fn upload_csv(
    place: &Place,
    (summary, log): (&mut Summary, &mut Log<'_>),
    signal: &mut Receiver<Option<Signal>>,
) -> Result<(), StoreError> {
    let mut upload = pin!(place.upload_csv());
    tokio::select! {
        stored = &mut upload => return stored,
        _ = signal.wait_for(Option::is_some) => {}
    }
    log.warn(TOLD_WHILE_STORING.to_owned());
    summary.warnings.push(TOLD_WHILE_STORING.to_owned());
    let early = async {
        // The last summary replaces it, and what is wrong is said then.
        if let Ok(text) = summary.to_json() {
            let _said_later = place.write_json(&text);
            let _said_later = place.upload_json(&text).await;
        }
    };
    tokio::join!(upload, early).0
}
