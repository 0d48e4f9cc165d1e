//! Children that talk nonsense: they are broken, nothing they said is counted, and their keys go back.

use std::num::NonZeroU32;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;

use super::outstanding::{Busy, Outstanding};
use super::run;
use super::wire::{self, *};
use crate::engine::{Board, ChildOptions, EngineError, Gate, Queue, WorkerJob};
use crate::plan::{Access, ClientKind, FetchOptions, Limits, Mode, Work};
use crate::sample::{KeyRecord, Outcome, Sample};
use crate::spool::keys::KeyWriter;
use crate::spool::rows::RowWriter;
use crate::store::{Recipe, S3Recipe, Session};

const KEYS: u64 = 100;

/// Frames of a child, as bytes.
async fn said(frames: &[FromChild]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        wire::send(&mut bytes, frame).await.unwrap();
    }
    bytes
}

fn rows(through: u64, units: Range<u64>) -> FromChild {
    let mut rows = Vec::new();
    units.for_each(|unit| {
        Sample {
            unit,
            outcome: Outcome::Ok,
            ..Sample::default()
        }
        .encode(&mut rows);
    });
    FromChild::Rows(RowBatch {
        through,
        rows,
        traffic: Traffic::default(),
    })
}

async fn recipe() -> Recipe {
    let access = Access {
        endpoint_url: Some("http://127.0.0.1:1".to_owned()),
        region: Some("us-east-1".to_owned()),
        no_sign_request: true,
        ..Access::default()
    };
    let session = Session::load(&access, Limits::default(), None)
        .await
        .unwrap();
    Recipe::S3(S3Recipe::resolve(&session, "source").await.unwrap())
}

/// A program that says this, whatever it is told, and ends with its parent.
fn program(dir: &Path, says: &[u8]) -> ChildOptions {
    let (executable, text) = (dir.join("child"), dir.join("text"));
    std::fs::write(dir.join("said"), says).unwrap();
    std::fs::write(
        &text,
        format!(
            "#!/bin/sh\n/bin/cat '{}'\nexec /bin/cat > /dev/null\n",
            dir.join("said").display()
        ),
    )
    .unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
    // By another process: what this one has open for writing, a child of another test may inherit, and then it cannot be executed («text file busy»).
    assert!(
        std::process::Command::new("/bin/cp")
            .args([&text, &executable])
            .status()
            .unwrap()
            .success()
    );
    ChildOptions {
        executable,
        environment: Vec::new(),
    }
}

/// Runs one worker whose children all say this: how it ended, and what is left to be fetched.
async fn run_with(says: &[u8]) -> (EngineError, Vec<u64>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = KeyWriter::create(dir.path()).unwrap();
    (0..KEYS).for_each(|i| {
        writer
            .push(&KeyRecord {
                key: format!("k{i}"),
                ..KeyRecord::default()
            })
            .unwrap();
    });
    writer.finish().unwrap();
    let (writer, rows) =
        RowWriter::start(dir.path(), None, |trouble| panic!("{trouble:?}")).unwrap();
    let (board, queue) = (Arc::new(Board::new(1)), Arc::new(Queue::new(KEYS, 1, None)));
    let job = WorkerJob {
        mode: Mode::Process,
        client: ClientKind::Lean,
        concurrency: NonZeroU32::MIN,
        fetch: FetchOptions::default(),
        recipe: recipe().await,
        feed: None,
        spool: dir.path().to_owned(),
        items: Arc::new(crate::spool::items::Items::open(dir.path()).unwrap()),
        queue: Arc::clone(&queue),
        rows,
        runtimes: NonZeroU32::MIN,
        children: program(dir.path(), says),
    };
    let (gate, mut keeper) = Gate::new();
    let mut engine = std::pin::pin!(run(job, Arc::clone(&board), gate));
    let ended = tokio::select! {
        ended = &mut engine => ended,
        ready = keeper.all_ready(1) => {
            ready.unwrap();
            keeper.open(crate::platform::clock::now_ns());
            engine.await
        }
    };
    assert_eq!(
        (
            writer.finish().unwrap().units(),
            board.live().ended,
            board.live().bytes
        ),
        (0, 0, 0),
        "nothing is counted"
    );
    let mut left: Vec<_> = std::iter::from_fn(|| queue.take(0)).flatten().collect();
    left.sort_unstable();
    (ended.unwrap_err(), left, board.take_warnings())
}

#[tokio::test]
async fn a_child_that_talks_nonsense_is_broken_and_costs_no_key() {
    let ready = || FromChild::Ready;
    let mut text = said(&[ready()]).await;
    text.extend_from_slice(b"some library printed this");
    let cases = [
        (text, "the pipe carries something that is no frame"),
        (said(&[ready(), ready()]).await, "it sent `ready` twice"),
        (
            said(&[ready(), rows(5, 0..4)]).await,
            "it sent fewer rows than it acknowledged",
        ),
        (
            said(&[ready(), rows(90, 0..90)]).await,
            "it sent rows of another range than its own",
        ),
        (
            said(&[ready(), rows(5, 1..6)]).await,
            "it sent fewer rows than it acknowledged",
        ),
        (
            said(&[ready(), FromChild::Bye(ChildReport::default())]).await,
            "it sent a good-bye before it was done",
        ),
        (
            said(&[
                ready(),
                FromChild::Pulse(Traffic {
                    bytes: 1,
                    series: vec![(1 << 50, 1)],
                }),
            ])
            .await,
            "it sent a count of bytes that cannot be",
        ),
    ];
    for (says, expected) in cases {
        let (error, left, warnings) = run_with(&says).await;
        assert!(
            matches!(&error, EngineError::ChildrenDied(_)),
            "{expected}: {error}"
        );
        assert!(
            warnings[0].contains(&format!("({expected}, and was killed)")),
            "{expected}: {warnings:?}"
        );
        assert_eq!(left, (0..KEYS).collect::<Vec<_>>(), "{expected}");
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }
}

#[tokio::test]
async fn an_error_of_a_child_is_that_of_a_worker_here_and_stops_the_queue() {
    let failures = [
        (
            wire::ChildFailure::Client("no client".to_owned(), Some("a hint".to_owned())),
            "no client",
        ),
        (
            wire::ChildFailure::Spool("cut".to_owned()),
            "cannot read the spool file of what to fetch: cut",
        ),
        (
            wire::ChildFailure::Other("odd".to_owned()),
            "a child process stopped: odd",
        ),
    ];
    for (failure, expected) in failures {
        let bye = ChildReport {
            failure: Some(failure),
            ..ChildReport::default()
        };
        let (error, left, warnings) =
            run_with(&said(&[FromChild::Ready, FromChild::Bye(bye)]).await).await;
        assert_eq!(error.to_string(), expected);
        assert!(
            left.is_empty() && warnings.is_empty(),
            "{expected}: nothing more is handed out: {left:?}, {warnings:?}"
        );
        if let EngineError::Client(error) = error {
            assert_eq!(error.hint.as_deref(), Some("a hint"));
        }
    }
}

/// Whatever comes through the pipe: every fetch is acknowledged by one row of its own, or goes back.
#[test]
fn fuzz_child_frames() {
    let valid = [
        vec![FromChild::Ready],
        vec![rows(7, 0..7), rows(20, 7..20), rows(35, 20..35)],
        vec![
            FromChild::Pulse(Traffic {
                bytes: 9,
                series: vec![(0, 4), (1, 5)],
            }),
            rows(1, 0..1),
            FromChild::Expired(3),
        ],
        vec![FromChild::Bye(ChildReport {
            warnings: vec!["w".to_owned()],
            ..ChildReport::default()
        })],
    ];
    let seeds = valid
        .iter()
        .map(|frames| said(frames).now_or_never().unwrap())
        .collect();
    crate::fuzz::Target {
        name: "child-frames",
        seeds,
        words: &["\x00\x00", "\x7f\x7f", "\x01"],
        cases: 3_000,
    }
    .run(|bytes| {
        let (queue, busy) = (Queue::new(80, 1, None), Busy::default());
        let mut outstanding = Outstanding::new(&queue, &busy);
        while outstanding.take(0).is_some() {}
        let (mut frames, mut seen, mut told) = (wire::FrameReader::new(bytes), Vec::new(), 0);
        while let Some(Ok(Some(frame))) = frames.next::<FromChild>().now_or_never() {
            let before = outstanding.fetches();
            survives(&frame);
            match frame {
                FromChild::Rows(batch) => {
                    let taken = outstanding
                        .accept((&batch, 0), |_| false)
                        .unwrap_or_default();
                    assert_eq!(outstanding.fetches() + taken.len() as u64, before);
                    seen.extend(taken.into_iter().map(|row| row.unit));
                }
                FromChild::Pulse(traffic) => {
                    if let Ok(more) = outstanding.read(&traffic, 0) {
                        told += more;
                        assert_eq!(told, traffic.bytes, "no byte is counted twice");
                    }
                }
                FromChild::Ready
                | FromChild::Expired(_)
                | FromChild::ClockOffset(_)
                | FromChild::Bye(_) => {}
            }
        }
        drop(outstanding);
        seen.extend(std::iter::from_fn(|| queue.take(0)).flatten());
        seen.sort_unstable();
        assert_eq!(seen, (0..80).collect::<Vec<_>>());
    });
}

/// What a frame means stays the same when it is written again: whatever came was read as one thing.
fn survives<T: serde::Serialize + serde::de::DeserializeOwned>(frame: &T) {
    let again = |frame: &T| {
        let mut bytes = Vec::new();
        wire::send(&mut bytes, frame)
            .now_or_never()
            .unwrap()
            .unwrap();
        bytes
    };
    let bytes = again(frame);
    let read: T = wire::FrameReader::new(&bytes[..])
        .next()
        .now_or_never()
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(again(&read), bytes);
}

#[tokio::test]
async fn fuzz_parent_frames() {
    let hello = wire::Hello {
        number: 3,
        concurrency: 16,
        client: ClientKind::Lean,
        fetch: FetchOptions {
            work: Work::Md5,
            ..FetchOptions::default()
        },
        recipe: recipe().await,
        secret: None,
        clock_offset_s: -7,
        spool: b"/tmp/spool".to_vec(),
        until_ns: Some(9),
    };
    let valid = [
        vec![
            ToChild::Hello(Box::new(hello)),
            ToChild::Go(5),
            ToChild::Range(1, 9),
        ],
        vec![
            ToChild::Range(0, u64::MAX),
            ToChild::ClockOffset(-5),
            ToChild::Stop,
            ToChild::Abort,
            ToChild::Finish,
        ],
    ];
    let mut seeds = Vec::new();
    for frames in &valid {
        let mut seed = Vec::new();
        for frame in frames {
            wire::send(&mut seed, frame).await.unwrap();
        }
        seeds.push(seed);
    }
    crate::fuzz::Target {
        name: "parent-frames",
        seeds,
        words: &["\x00\x00", "\x7f\x7f"],
        cases: 3_000,
    }
    .run(|bytes| {
        let mut frames = wire::FrameReader::new(bytes);
        let mut count = 0;
        while let Some(Ok(Some(frame))) = frames.next::<ToChild>().now_or_never() {
            survives(&frame);
            count += 1;
        }
        assert!(count <= bytes.len());
    });
}
