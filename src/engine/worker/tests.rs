//! Workers whose client panics: no key is lost, none comes twice.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Mutex;

use super::*;
use crate::engine::{EngineReport, tasks, threads};
use crate::plan::Mode;
use crate::results::keys::KeyWriter;
use crate::results::rows::RowWriter;
use crate::sample::KeyRecord;
use crate::store::{AttemptError, BodySink, StoreError, Target};

/// Answers three bytes; panics at keys that contain `bad` (always) or `once` (the first time).
#[derive(Clone, Default)]
struct Panicky {
    seen: Arc<Mutex<HashMap<String, u32>>>,
}

impl ObjectClient for Panicky {
    async fn get<S: BodySink>(&mut self, target: Target<'_>, sink: &mut S) -> Result<(), AttemptError> {
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
        sink.head(Some(3));
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

fn run(mode: Mode, concurrency: u32) -> (EngineReport, Vec<Sample>) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = KeyWriter::create(dir.path()).unwrap();
    for i in 0..200 {
        let kind = if i % 50 == 7 { "bad" } else { "ok" };
        let kind = if i % 50 == 9 { "once" } else { kind };
        let storage_class = if i % 50 == 11 { "GLACIER" } else { "" }.to_owned();
        writer.push(&KeyRecord { key: format!("{kind}{i:03}"), storage_class, ..KeyRecord::default() }).unwrap();
    }
    writer.finish().unwrap();
    let (rows, sender) = RowWriter::start(dir.path(), |error| panic!("{error}")).unwrap();
    let (gate, mut keeper) = Gate::new();
    let crew = Arc::new(Crew {
        factory: Panicky::default(),
        concurrency,
        limits: Limits::default(),
        work: Work::None,
        keys: Arc::new(KeyFile::open(dir.path()).unwrap()),
        board: Arc::new(Board::new(concurrency)),
        gate,
    });
    let board = Arc::clone(&crew.board);
    let stations = LocalStations { queue: Arc::new(Queue::new(200, concurrency, None)), rows: sender };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let open = async {
            keeper.all_ready(concurrency).await.unwrap();
            keeper.open(crate::platform::clock::now_ns());
        };
        let work = async {
            match mode {
                Mode::Thread => threads::run(crew, stations).await,
                _ => tasks::run(crew, stations, NonZeroU32::new(2).unwrap()).await,
            }
        };
        tokio::join!(open, work).1.unwrap()
    });
    assert_eq!(board.live().ended + 4, 196, "four keys are archived, four given up");
    let rows = rows.finish().unwrap().read(200).unwrap().map(Result::unwrap).collect();
    (report, rows)
}

#[test]
fn a_panic_costs_no_key_in_any_mode() {
    for (mode, concurrency) in [(Mode::Async, 1), (Mode::Async, 5), (Mode::Thread, 3)] {
        let (report, rows) = run(mode, concurrency);
        assert_eq!(rows.len(), 200);
        for (i, row) in rows.iter().enumerate() {
            let expected = match i % 50 {
                7 => (Outcome::Failed, "worker-panic*2".to_owned(), None),
                11 => (Outcome::NotAttempted, String::new(), None),
                _ => (Outcome::Ok, String::new(), Some(3)),
            };
            assert_eq!((row.outcome, row.codes.to_string(), row.calc_size), expected, "{mode} × {concurrency}, key {i}");
        }
        assert_eq!(report.warnings.len(), 4 * 2 + 4, "each panic is told: {:?}", report.warnings);
    }
}
