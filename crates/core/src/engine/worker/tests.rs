//! Workers whose client panics: no key is lost, none comes twice.

use std::collections::{BTreeSet, HashMap};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::engine::local::LocalChannels;
use crate::engine::{EngineReport, Queue, tasks, threads};
use crate::event::Live;
use crate::plan::{FetchOptions, Layout, Mode, Order};
use crate::platform::cancel::Cancelled;
use crate::sample::KeyRecord;
use crate::spool::items::lay_out;
use crate::spool::keys::{KeyFile, KeyWriter};
use crate::spool::rows::{RowFile, RowWriter};
use crate::store::{AttemptError, BodyHead, BodySink, StoreError, StoreErrorKind, Target};

/// Answers three bytes; panics at keys that contain `bad` (always) or `once` (the first time).
#[derive(Clone, Default)]
struct Panicky {
    seen: Arc<Mutex<HashMap<String, u32>>>,
}

impl ObjectClient for Panicky {
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        let key = target.key;
        tokio::task::yield_now().await;
        let times = {
            let mut seen = self.seen.lock().unwrap();
            let times = seen.entry(key.to_owned()).or_default();
            *times += 1;
            *times
        };
        assert!(!key.contains("bad"), "scripted");
        assert!(!(key.contains("once") && times == 1), "scripted");
        sink.head(&BodyHead {
            length: Some(3),
            ..BodyHead::default()
        });
        sink.chunk(b"abc");
        Ok(())
    }

    async fn refresh_credentials(&mut self) {}

    fn connections_opened(&self) -> Option<u64> {
        Some(1)
    }
}

impl ClientFactory for Panicky {
    type Client = Self;

    fn client(&self, _number: u32) -> Result<Self, StoreError> {
        Ok(self.clone())
    }
}

/// Every fetch of a bucket: 200 keys, or the items of a layout of them.
fn run((mode, concurrency): (Mode, u32), layout: Layout) -> (EngineReport, Vec<Sample>) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = KeyWriter::create(dir.path()).unwrap();
    for i in 0..200 {
        let kind = if i % 50 == 7 { "bad" } else { "ok" };
        let kind = if i % 50 == 9 { "once" } else { kind };
        let storage_class = if i % 50 == 11 { "GLACIER" } else { "" }.to_owned();
        let size = Some(if i % 50 < 10 { 9 } else { 3 });
        writer
            .push(&KeyRecord {
                key: format!("{kind}{i:03}"),
                size,
                storage_class,
                ..KeyRecord::default()
            })
            .unwrap();
    }
    writer.finish().unwrap();
    let keys = KeyFile::open(dir.path()).unwrap();
    let units = lay_out(dir.path(), &keys, layout, &Cancelled::default())
        .unwrap()
        .items;
    let (report, live, rows) = engage(
        (mode, concurrency),
        dir.path(),
        (Panicky::default(), Queue::new(units, concurrency, None)),
    );
    if layout.is_plain() {
        assert_eq!(
            (live.ended, live.failed),
            (196, 4),
            "four keys are archived, four given up"
        );
    }
    let mut reader = rows.reader().unwrap();
    let rows = (0..units).map(|unit| reader.row(unit).unwrap()).collect();
    (report.unwrap(), rows)
}

/// Workers of this factory at what this queue hands out.
fn engage<F: ClientFactory>(
    (mode, concurrency): (Mode, u32),
    dir: &Path,
    (factory, queue): (F, Queue),
) -> (Result<EngineReport, EngineError>, Live, RowFile) {
    let (rows, sender) = RowWriter::start(dir, None, |trouble| panic!("{trouble:?}")).unwrap();
    let (gate, mut keeper) = Gate::new();
    let context = Arc::new(WorkerContext {
        factory,
        concurrency,
        fetch: FetchOptions::default(),
        items: Arc::new(Items::open(dir).unwrap()),
        board: Arc::new(Board::new(concurrency)),
        gate,
    });
    let board = Arc::clone(&context.board);
    let channels = LocalChannels {
        queue: Arc::new(queue),
        rows: sender,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(async {
        let open = async {
            keeper.all_ready(concurrency).await.unwrap();
            keeper.open(crate::platform::clock::now_ns());
        };
        let work = async {
            match mode {
                Mode::Thread => threads::run(context, channels).await,
                Mode::Async | Mode::Process => {
                    tasks::run(context, channels, NonZeroU32::new(2).unwrap()).await
                }
            }
        };
        tokio::join!(open, work).1
    });
    (report, board.live(), rows.finish().unwrap())
}

/// Makes one client for each worker, and never another.
#[derive(Default)]
struct OneEach {
    made: Mutex<BTreeSet<u32>>,
    client: Panicky,
}

impl ClientFactory for OneEach {
    type Client = Panicky;

    fn client(&self, number: u32) -> Result<Panicky, StoreError> {
        let is_first = self.made.lock().unwrap().insert(number);
        if is_first {
            Ok(self.client.clone())
        } else {
            Err(StoreError::new(StoreErrorKind::Other, "no other client"))
        }
    }
}

/// One worker cannot go on. The others would go round for ever.
#[test]
fn an_error_of_one_worker_ends_the_others_too() {
    for mode in [Mode::Async, Mode::Thread] {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for key in ["ok", "once"] {
            writer
                .push(&KeyRecord {
                    key: key.to_owned(),
                    size: Some(3),
                    ..KeyRecord::default()
                })
                .unwrap();
        }
        writer.finish().unwrap();
        let (ended, _, _) = engage(
            (mode, 4),
            dir.path(),
            (OneEach::default(), Queue::new(2, 4, Some(u64::MAX))),
        );
        assert_eq!(ended.unwrap_err().to_string(), "no other client", "{mode}");
    }
}

#[test]
fn a_panic_costs_no_key_in_any_mode() {
    for (mode, concurrency) in [(Mode::Async, 1), (Mode::Async, 5), (Mode::Thread, 3)] {
        let (report, rows) = run((mode, concurrency), Layout::default());
        assert_eq!(rows.len(), 200);
        for (i, row) in rows.iter().enumerate() {
            let expected = match i % 50 {
                7 => (Outcome::Failed, "worker-panic*2".to_owned(), None),
                11 => (Outcome::NotAttempted, String::new(), None),
                _ => (Outcome::Ok, String::new(), Some(3)),
            };
            assert_eq!(
                (row.outcome, row.codes.to_string(), row.calc_size),
                expected,
                "{mode} × {concurrency}, key {i}"
            );
        }
        assert_eq!(
            report.warnings.len(),
            4 * 2 + 4,
            "each panic is told: {:?}",
            report.warnings
        );
    }
}

#[test]
fn a_panic_costs_no_part_in_any_mode() {
    for (mode, concurrency) in [(Mode::Async, 1), (Mode::Async, 5), (Mode::Thread, 3)] {
        for order in [Order::Listed, Order::LargestFirst, Order::Shuffled] {
            let layout = Layout {
                order,
                part_size: NonZeroU64::new(3),
            };
            let (_, rows) = run((mode, concurrency), layout);
            // Of 50 keys ten have three parts, and one is archived.
            assert_eq!(rows.len(), 4 * (10 * 3 + 39));
            let failed = rows.iter().filter(|row| row.outcome == Outcome::Failed);
            assert_eq!(
                failed.clone().count(),
                4 * 3,
                "every part of what kills its worker is given up by itself"
            );
            assert!(
                failed
                    .clone()
                    .all(|row| row.codes.to_string() == "worker-panic*2")
            );
            let ok = rows
                .iter()
                .filter(|row| (row.outcome, row.calc_size) == (Outcome::Ok, Some(3)))
                .count();
            assert_eq!(ok, rows.len() - 4 * 3, "{mode} × {concurrency} {order}");
        }
    }
}

/// Ranges of three, to whom panics between two of them happen as often as `panics` says.
struct Stumbling {
    ranges: Vec<Range<u64>>,
    panics: u32,
    done: Arc<Mutex<Vec<Sample>>>,
}

impl WorkerChannel for Stumbling {
    async fn next(&mut self, _now_ns: u64) -> Option<Range<u64>> {
        if self.ranges.len() == 1 && self.panics > 0 {
            self.panics -= 1;
            panic!("scripted");
        }
        self.ranges.pop()
    }

    async fn done(&mut self, row: Sample) {
        self.done.lock().unwrap().push(row);
    }

    fn is_over(&self, _now_ns: u64) -> bool {
        false
    }

    fn leave(&mut self, _rest: Range<u64>) {}

    async fn close(&mut self) {}
}

/// Six keys, whose worker panics while it waits for the second three.
async fn stumble(panics: u32) -> (Result<(), EngineError>, Vec<Sample>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = KeyWriter::create(dir.path()).unwrap();
    (0..6).for_each(|i| {
        writer
            .push(&KeyRecord {
                key: format!("ok{i}"),
                size: Some(3),
                ..KeyRecord::default()
            })
            .unwrap();
    });
    writer.finish().unwrap();
    let (gate, mut keeper) = Gate::new();
    let context = WorkerContext {
        factory: Panicky::default(),
        concurrency: 1,
        fetch: FetchOptions::default(),
        items: Arc::new(Items::open(dir.path()).unwrap()),
        board: Arc::new(Board::new(1)),
        gate,
    };
    let done = Arc::default();
    let channel = Stumbling {
        ranges: vec![3..6, 0..3],
        panics,
        done: Arc::clone(&done),
    };
    let open = async {
        keeper.all_ready(1).await.unwrap();
        keeper.open(crate::platform::clock::now_ns());
    };
    let ((), ended) = tokio::join!(
        open,
        work(
            &context,
            WorkerId {
                number: 0,
                index: 0
            },
            channel
        )
    );
    let rows = done.lock().unwrap().clone();
    (ended, rows, context.board.take_warnings())
}

#[tokio::test]
async fn a_panic_between_two_fetches_is_charged_to_none() {
    let (ended, rows, warnings) = stumble(1).await;
    ended.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| (row.unit, row.outcome))
            .collect::<Vec<_>>(),
        (0..6).map(|unit| (unit, Outcome::Ok)).collect::<Vec<_>>()
    );
    assert_eq!(
        warnings,
        ["worker 0 panicked between two fetches and continues"]
    );
}

#[tokio::test]
async fn panics_between_two_fetches_end_the_run_when_they_do_not_end() {
    let (ended, rows, _) = stumble(9).await;
    assert_eq!(
        ended.unwrap_err().to_string(),
        "worker 0 ended: it panicked between two fetches again"
    );
    assert_eq!(
        rows.iter().map(|row| row.unit).collect::<Vec<_>>(),
        [0, 1, 2],
        "none is another worker's"
    );
}
