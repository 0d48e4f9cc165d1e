//! Every mode, client and concurrency over one large bucket with awkward keys: rows, bytes, times and the summary of each.

use std::collections::{BTreeMap, BTreeSet};

use parfetch::internals::CsvRow;
use parfetch::internals::State;
use parfetch::internals::{ClientKind, Mode};

use super::against_every_store;
use crate::support::parfetch::Parfetch;
use crate::support::results::{Found, Results, all_ok};
use crate::support::source::{MANY, Source, Store};

against_every_store!(
    async_tasks_of_lean_read_every_object_once,
    threads_of_lean_read_every_object_once,
    processes_of_lean_read_every_object_once,
    async_tasks_of_the_sdk_read_every_object_once,
    threads_of_the_sdk_read_every_object_once,
    processes_of_the_sdk_read_every_object_once,
    more_workers_than_keys_read_every_object_once,
);

fn async_tasks_of_lean_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Lean, Mode::Async);
}

fn threads_of_lean_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Lean, Mode::Thread);
}

fn processes_of_lean_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Lean, Mode::Process);
}

fn async_tasks_of_the_sdk_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Sdk, Mode::Async);
}

fn threads_of_the_sdk_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Sdk, Mode::Thread);
}

fn processes_of_the_sdk_read_every_object_once(store: Store) {
    every_concurrency(store, ClientKind::Sdk, Mode::Process);
}

/// Each cell is held against the store's own listing, so all cells agree with one another.
fn every_concurrency(store: Store, client: ClientKind, mode: Mode) {
    let source = store.many();
    assert_eq!(source.objects.len(), MANY);
    for concurrency in [1, 4, 16] {
        let results = one(
            &source,
            &Cell {
                client,
                mode,
                concurrency,
            },
        );
        let workers: BTreeSet<_> = results.rows.iter().filter_map(|row| row.worker).collect();
        assert_eq!(
            workers,
            (0..concurrency).collect(),
            "every worker takes part"
        );
    }
}

fn more_workers_than_keys_read_every_object_once(store: Store) {
    let objects: BTreeMap<String, u64> = (0..5)
        .map(|number| (format!("few/{number}"), number * 1_000))
        .collect();
    let source = store.filled(&objects);
    let found: Vec<Vec<Found>> = [ClientKind::Lean, ClientKind::Sdk]
        .into_iter()
        .flat_map(|client| {
            Mode::ALL.map(|mode| {
                one(
                    &source,
                    &Cell {
                        client,
                        mode,
                        concurrency: 12,
                    },
                )
                .found()
            })
        })
        .collect();
    assert_eq!(found, vec![all_ok(&source.objects); 6]);
}

/// One way to fetch.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) client: ClientKind,
    pub(super) mode: Mode,
    pub(super) concurrency: u32,
}

impl Cell {
    /// What the results are called.
    pub(super) fn stem(&self) -> String {
        format!("result_{}_{}_{}", self.client, self.mode, self.concurrency)
    }
}

/// Runs a cell, checks what it left in the folder and in the bucket, and returns it.
pub(super) fn one(source: &Source, cell: &Cell) -> Results {
    let folder = tempfile::tempdir().unwrap();
    let ran = Parfetch::run(source)
        .env("CONCURRENCY", &cell.concurrency.to_string())
        .env("MODE", &cell.mode.to_string())
        .env("TAG", &cell.client.to_string())
        .args(["--client", &cell.client.to_string()])
        .out(folder.path())
        .exits(0);
    assert_eq!(ran.stderr, "", "nothing to warn of");
    let results = Results::in_folder(folder.path(), &cell.stem());
    let stored = Results::in_bucket(source, &cell.stem());
    assert!(
        results.csv == stored.csv && results.json == stored.json,
        "the bucket has other results than the folder"
    );
    assert_eq!(results.found(), all_ok(&source.objects));
    times_and_workers(&results.rows, cell);
    summary_of_a_good_run(&results, cell);
    results
}

/// The order of times within a row, and no worker with two fetches at once.
fn times_and_workers(rows: &[CsvRow], cell: &Cell) {
    let mut of_worker: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for row in rows {
        let times = [
            row.start_ns,
            row.attempt_start_ns,
            row.first_byte_ns,
            row.end_ns,
        ]
        .map(Option::unwrap);
        assert!(times.is_sorted(), "{row:?}");
        let worker = row.worker.unwrap();
        assert!(worker < cell.concurrency, "{row:?}");
        assert_eq!(
            (
                row.round,
                row.backoff_ns,
                row.attempts,
                row.error_codes.as_str()
            ),
            (Some(0), Some(0), Some(1), ""),
            "{row:?}"
        );
        of_worker
            .entry(worker)
            .or_default()
            .push((times[0], times[3]));
    }
    for fetches in of_worker.values_mut() {
        fetches.sort_unstable();
        assert!(
            fetches.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "a worker fetches one object after another"
        );
    }
}

/// What the summary says must follow from the rows.
fn summary_of_a_good_run(results: &Results, cell: &Cell) {
    let (rows, summary) = (&results.rows, &results.summary);
    let count = rows.len() as u64;
    let bytes: u64 = rows.iter().filter_map(|row| row.calc_size).sum();
    let end = rows.iter().filter_map(|row| row.end_ns).max().unwrap_or(0);
    assert_eq!(
        (summary.state, &summary.warnings),
        (State::Complete, &Vec::new())
    );
    assert_eq!(
        (
            summary.settings.mode,
            summary.settings.client,
            summary.settings.concurrency
        ),
        (cell.mode, cell.client, cell.concurrency)
    );
    assert_eq!(summary.result_name, cell.stem());
    assert_eq!(summary.phases.fetch_ns, Some(end));
    assert_eq!(
        format!("{}", results.seconds),
        format!("{}", end as f64 / 1e9)
    );
    let totals = summary.totals.as_ref().unwrap();
    assert_eq!(
        (totals.keys_listed, totals.listed_bytes, totals.rounds),
        (count, Some(bytes), 1)
    );
    let outcomes = &totals.rows;
    assert_eq!(
        [
            outcomes.ok,
            outcomes.failed,
            outcomes.vanished,
            outcomes.archived,
            outcomes.not_attempted
        ],
        [count, 0, 0, 0, 0]
    );
    assert_eq!(totals.goodput_bytes, bytes);
    assert_eq!(
        totals.received_bytes,
        Some(bytes),
        "no attempt failed, so every byte received is a byte of an object"
    );
    assert_eq!(
        summary.series.as_ref().unwrap().bytes.iter().sum::<u64>(),
        bytes
    );
    assert_eq!(summary.distributions.latency.count, count);
    assert_eq!(
        summary
            .size_classes
            .iter()
            .map(|class| (class.objects, class.bytes))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (count, bytes)
    );
    let attempts = summary.attempts.as_ref().unwrap();
    assert_eq!(
        (attempts.total, attempts.retried_fetches, attempts.throttles),
        (count, 0, 0)
    );
    assert!(
        attempts
            .connections_opened
            .is_none_or(|opened| opened >= 1 && opened <= u64::from(cell.concurrency) * 2),
        "{attempts:?}"
    );
    overlap(results, cell);
}

/// How many fetches were open at once, and who did them: counted again from the rows.
fn overlap(results: &Results, cell: &Cell) {
    let in_flight = results.summary.in_flight.as_ref().unwrap();
    let mut edges: Vec<(u64, i64)> = results
        .rows
        .iter()
        .flat_map(|row| [(row.start_ns.unwrap(), 1), (row.end_ns.unwrap(), -1)])
        .collect();
    edges.sort_unstable();
    let most = edges.iter().scan(0, |open, (_, step)| {
        *open += step;
        Some(*open)
    });
    assert_eq!(in_flight.most.map(i64::from), most.max());
    assert!(in_flight.most.unwrap() <= cell.concurrency);
    let pids: BTreeSet<_> = results.rows.iter().map(|row| row.pid.unwrap()).collect();
    let tids: BTreeSet<_> = results
        .rows
        .iter()
        .map(|row| (row.pid.unwrap(), row.tid.unwrap()))
        .collect();
    let workers: BTreeSet<_> = results.rows.iter().map(|row| row.worker.unwrap()).collect();
    assert_eq!(
        (in_flight.pids, in_flight.tids),
        (pids.len() as u64, tids.len() as u64)
    );
    match cell.mode {
        Mode::Async => assert!(pids.len() == 1 && tids.len() <= workers.len()),
        Mode::Thread => assert!(pids.len() == 1 && tids.len() == workers.len()),
        Mode::Process => assert!(pids.len() == workers.len() && tids.len() == workers.len()),
    }
}
