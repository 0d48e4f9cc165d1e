//! The measured path against a scripted client on a clock that only moves when the script says so.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::plan::{Limits, Work};
use crate::store::Part;

/// tokio's paused clock, counted from the start of the test.
struct PausedClock(tokio::time::Instant);

impl Clock for PausedClock {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap()
    }
}

/// What one attempt does.
#[derive(Clone)]
enum Step {
    Wait(u64),
    Head(Option<u64>),
    Answer(BodyHead<'static>),
    Body(&'static [u8]),
    Bytes(usize),
    Fail(AttemptError),
    Hang,
}

struct Scripted {
    attempts: std::vec::IntoIter<Vec<Step>>,
    refreshes: u32,
}

impl ObjectClient for Scripted {
    async fn get<S: BodySink>(
        &mut self,
        _target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        for step in self
            .attempts
            .next()
            .expect("the script has another attempt")
        {
            match step {
                Step::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Step::Head(length) => sink.head(&BodyHead {
                    length,
                    ..BodyHead::default()
                }),
                Step::Answer(head) => sink.head(&head),
                Step::Body(bytes) => sink.chunk(bytes),
                Step::Bytes(count) => sink.chunk(&vec![0; count]),
                Step::Fail(error) => return Err(error),
                Step::Hang => std::future::pending().await,
            }
        }
        Ok(())
    }

    async fn refresh_credentials(&mut self) {
        self.refreshes += 1;
    }

    fn connections_opened(&self) -> Option<u64> {
        None
    }
}

fn fetcher(attempts: Vec<Vec<Step>>, limits: Limits) -> Fetcher<Scripted, PausedClock> {
    let counters: Arc<[Counters]> = Arc::new([Counters::default()]);
    Fetcher {
        client: Scripted {
            attempts: attempts.into_iter(),
            refreshes: 0,
        },
        clock: PausedClock(tokio::time::Instant::now()),
        options: FetchOptions {
            limits,
            work: Work::Sha256,
        },
        meter: ByteMeter::new(counters, 0, Arc::default()),
        watchdog: Watchdog::new(Arc::default(), &limits, 1),
        identity: WorkerIdentity {
            worker: 3,
            pid: 4,
            tid: 5,
        },
        random: fastrand::Rng::with_seed(1),
    }
}

const MS: u64 = 1_000_000;

fn slow_down() -> Step {
    Step::Fail(AttemptError::answer(503, Some("SlowDown")))
}

#[tokio::test(start_paused = true)]
async fn times_of_a_fetch_that_is_retried_twice_are_what_was_scripted() {
    let script = vec![
        vec![Step::Wait(10), slow_down()],
        vec![
            Step::Wait(5),
            Step::Head(Some(4)),
            Step::Wait(2),
            Step::Bytes(2),
            Step::Fail(AttemptError::own("reset", Remedy::BackOff)),
        ],
        vec![
            Step::Wait(7),
            Step::Head(Some(6)),
            Step::Wait(3),
            Step::Bytes(4),
            Step::Wait(4),
            Step::Bytes(2),
            Step::Wait(1),
        ],
    ];
    let mut fetcher = fetcher(script, Limits::default());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let sample = fetcher.fetch(9, Target::whole("k")).await;
    assert_eq!(
        (sample.unit, sample.outcome, sample.attempts),
        (9, Outcome::Ok, 3)
    );
    assert_eq!(sample.codes.to_string(), "SlowDown;reset");
    assert_eq!(sample.start_ns, Some(100 * MS));
    let attempt_start = sample.attempt_start_ns.unwrap();
    // tokio's clock ticks in whole milliseconds; each wait takes what it took, and that is what the row says.
    assert_eq!(attempt_start, (100 + 10 + 5 + 2) * MS + sample.backoff_ns);
    assert!(
        sample.backoff_ns <= (50 + 100) * MS + 2 * MS && sample.backoff_ns > 0,
        "{}",
        sample.backoff_ns
    );
    assert_eq!(sample.first_byte_ns, Some(attempt_start + (7 + 3) * MS));
    assert_eq!(sample.end_ns, Some(attempt_start + (7 + 3 + 4 + 1) * MS));
    assert_eq!((sample.size, sample.calc_size), (Some(6), Some(6)));
    assert_eq!(
        (sample.ttfb_ns(), sample.latency_ns()),
        (Some(10 * MS), Some(15 * MS))
    );
    assert_eq!((sample.worker, sample.pid, sample.tid), (3, 4, 5));
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_has_its_first_byte_when_the_head_is_complete() {
    let sample = fetcher(
        vec![vec![Step::Wait(3), Step::Head(Some(0)), Step::Wait(2)]],
        Limits::default(),
    )
    .fetch(0, Target::whole("k"))
    .await;
    assert_eq!(
        (sample.outcome, sample.size, sample.calc_size),
        (Outcome::Ok, Some(0), Some(0))
    );
    assert_eq!(
        (sample.first_byte_ns, sample.end_ns),
        (Some(3 * MS), Some(5 * MS))
    );
}

#[tokio::test(start_paused = true)]
async fn attempts_end_at_the_limit_and_the_last_sizes_stand() {
    let short = vec![Step::Head(Some(10)), Step::Bytes(4)];
    let limits = Limits {
        attempts: 3,
        ..Limits::default()
    };
    let sample = fetcher(vec![short.clone(), short.clone(), short], limits)
        .fetch(0, Target::whole("k"))
        .await;
    assert_eq!((sample.outcome, sample.attempts), (Outcome::Failed, 3));
    assert_eq!(sample.codes.to_string(), "short-body*3");
    assert_eq!((sample.size, sample.calc_size), (Some(10), Some(4)));
}

#[tokio::test(start_paused = true)]
async fn a_part_is_as_long_as_was_asked_for() {
    let part = |last| Target {
        part: Some(Part { first: 10, last }),
        etag: "e",
        ..Target::whole("k")
    };
    let script = || vec![vec![Step::Head(Some(4)), Step::Bytes(4)]];
    let sample = fetcher(script(), Limits::default())
        .fetch(0, part(13))
        .await;
    assert_eq!(
        (sample.outcome, sample.size, sample.calc_size),
        (Outcome::Ok, Some(4), Some(4))
    );
    // An object that has another size than was listed: asking again would not help.
    for (last, code) in [(14, "short-body"), (12, "long-body")] {
        let sample = fetcher(script(), Limits::default())
            .fetch(0, part(last))
            .await;
        assert_eq!(
            (
                sample.outcome,
                sample.attempts,
                sample.codes.to_string().as_str()
            ),
            (Outcome::Failed, 1, code)
        );
    }
    let unannounced = vec![vec![Step::Head(None), Step::Bytes(4)]];
    assert_eq!(
        fetcher(unannounced, Limits::default())
            .fetch(0, part(14))
            .await
            .outcome,
        Outcome::Failed
    );
    let cut = vec![
        vec![Step::Head(Some(4)), Step::Bytes(3)],
        vec![Step::Head(Some(4)), Step::Bytes(4)],
    ];
    let sample = fetcher(cut, Limits::default()).fetch(0, part(13)).await;
    assert_eq!(
        (sample.outcome, sample.attempts),
        (Outcome::Ok, 2),
        "a body cut short is tried again"
    );
    let replaced = vec![vec![Step::Fail(AttemptError::answer(
        412,
        Some("PreconditionFailed"),
    ))]];
    let sample = fetcher(replaced, Limits::default())
        .fetch(0, part(13))
        .await;
    assert_eq!(
        (
            sample.outcome,
            sample.attempts,
            sample.codes.to_string().as_str()
        ),
        (Outcome::Failed, 1, "PreconditionFailed")
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_object_is_vanished_and_not_retried() {
    let sample = fetcher(
        vec![vec![Step::Fail(AttemptError::answer(
            404,
            Some("NoSuchKey"),
        ))]],
        Limits::default(),
    )
    .fetch(0, Target::whole("k"))
    .await;
    assert_eq!(
        (
            sample.outcome,
            sample.attempts,
            sample.size,
            sample.calc_size
        ),
        (Outcome::Vanished, 1, None, None)
    );
    assert_eq!(sample.backoff_ns, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_retried_at_once() {
    let stale = vec![Step::Fail(AttemptError::own(
        "stale-connection",
        Remedy::NewConnection,
    ))];
    let sample = fetcher(
        vec![stale, vec![Step::Head(Some(1)), Step::Bytes(1)]],
        Limits {
            attempts: 1,
            ..Limits::default()
        },
    )
    .fetch(0, Target::whole("k"))
    .await;
    assert_eq!(
        (sample.outcome, sample.attempts, sample.backoff_ns),
        (Outcome::Ok, 2, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_refreshed_once() {
    let expired = || vec![Step::Fail(AttemptError::answer(400, Some("ExpiredToken")))];
    let mut good = fetcher(
        vec![expired(), vec![Step::Head(Some(0))]],
        Limits::default(),
    );
    assert_eq!(good.fetch(0, Target::whole("k")).await.outcome, Outcome::Ok);
    assert_eq!(good.client.refreshes, 1);
    let mut bad = fetcher(vec![expired(), expired()], Limits::default());
    let sample = bad.fetch(0, Target::whole("k")).await;
    assert_eq!(
        (
            sample.outcome,
            sample.codes.to_string().as_str(),
            bad.client.refreshes
        ),
        (Outcome::Failed, "ExpiredToken*2", 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_connections_is_tried_until_the_stall_time_out() {
    let refused = || {
        vec![
            Step::Wait(1),
            Step::Fail(AttemptError::own("connect-refused", Remedy::Reconnect)),
        ]
    };
    // Away for 20 tries, far more than the five attempts.
    let mut script: Vec<_> = (0..20).map(|_| refused()).collect();
    script.push(vec![Step::Head(Some(1)), Step::Bytes(1)]);
    let limits = Limits {
        stall_timeout: Some(Duration::from_mins(10)),
        ..Limits::default()
    };
    let sample = fetcher(script, limits).fetch(0, Target::whole("k")).await;
    assert_eq!(
        (
            sample.outcome,
            sample.attempts,
            sample.codes.to_string().as_str()
        ),
        (Outcome::Ok, 21, "connect-refused*20")
    );
    let forever = (0..10_000).map(|_| refused()).collect();
    let sample = fetcher(forever, Limits::default())
        .fetch(0, Target::whole("k"))
        .await;
    assert_eq!(sample.outcome, Outcome::Failed);
    assert!(sample.fetch_duration_ns().unwrap() >= 10_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_noticed_and_retried() {
    let stall = vec![Step::Head(Some(9)), Step::Bytes(1), Step::Hang];
    let sample = fetcher(
        vec![stall, vec![Step::Head(Some(9)), Step::Bytes(9)]],
        Limits::default(),
    )
    .fetch(0, Target::whole("k"))
    .await;
    assert_eq!(
        (sample.outcome, sample.codes.to_string().as_str()),
        (Outcome::Ok, "stalled")
    );
    let waited = sample.attempt_start_ns.unwrap() - sample.backoff_ns;
    assert!((10_000 * MS..=10_600 * MS).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_no_stall() {
    let drip: Vec<_> = std::iter::once(Step::Head(Some(5)))
        .chain((0..5).flat_map(|_| [Step::Wait(9_000), Step::Bytes(1)]))
        .collect();
    let sample = fetcher(vec![drip], Limits::default())
        .fetch(0, Target::whole("k"))
        .await;
    assert_eq!((sample.outcome, sample.attempts), (Outcome::Ok, 1));
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_a_fetch_ends_attempts_and_waits() {
    let limits = Limits {
        fetch_timeout: Some(Duration::from_secs(4)),
        attempts: 10,
        ..Limits::default()
    };
    let sample = fetcher(vec![vec![Step::Wait(60_000)]], limits)
        .fetch(0, Target::whole("k"))
        .await;
    assert_eq!(
        (sample.outcome, sample.codes.to_string().as_str()),
        (Outcome::Failed, "timeout")
    );
    assert!(sample.fetch_duration_ns().unwrap() <= 5_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_fetch_is_a_failed_row() {
    let mut fetcher = fetcher(
        vec![vec![Step::Head(Some(2)), Step::Bytes(1), Step::Hang]],
        Limits::default(),
    );
    let halt: Arc<Halt> = Arc::default();
    fetcher.watchdog = Watchdog::new(Arc::clone(&halt), &Limits::default(), 1);
    halt.halt();
    let sample = fetcher.fetch(0, Target::whole("k")).await;
    assert_eq!(
        (
            sample.outcome,
            sample.codes.to_string().as_str(),
            sample.calc_size
        ),
        (Outcome::Failed, "interrupted", Some(1))
    );
}

/// An object that was listed with 9 bytes.
fn listed() -> Target<'static> {
    Target {
        size: Some(9),
        etag: "abc",
        ..Target::whole("k")
    }
}

fn answer(length: Option<u64>, etag: &'static str) -> Step {
    Step::Answer(BodyHead {
        length,
        etag: etag.as_bytes(),
        ..BodyHead::default()
    })
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_the_one_that_was_listed_is_marked() {
    let mismatch = |size, etag| Mismatch { size, etag };
    for (length, etag, expected) in [
        (9, "\"abc\"", mismatch(false, false)),
        (8, "abc", mismatch(true, false)),
        (9, "\"x\"", mismatch(false, true)),
        (10, "x", mismatch(true, true)),
    ] {
        let script = vec![vec![
            answer(Some(length), etag),
            Step::Bytes(usize::try_from(length).unwrap()),
        ]];
        let sample = fetcher(script, Limits::default()).fetch(0, listed()).await;
        assert_eq!(
            (sample.outcome, sample.calc_size, sample.mismatch),
            (Outcome::Ok, Some(length), expected)
        );
    }
    let retried = vec![
        vec![answer(Some(8), "\"abc\""), Step::Bytes(3)],
        vec![answer(Some(9), "\"abc\""), Step::Bytes(9)],
    ];
    let sample = fetcher(retried, Limits::default()).fetch(0, listed()).await;
    assert_eq!(
        (sample.attempts, sample.mismatch),
        (2, Mismatch::default()),
        "the last attempt counts"
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_document_in_a_200_is_not_an_object() {
    let document = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>";
    let error = || {
        vec![
            answer(Some(document.len() as u64), ""),
            Step::Body(&document[..20]),
            Step::Body(&document[20..]),
        ]
    };
    let sample = fetcher(
        vec![error(), vec![answer(Some(9), ""), Step::Bytes(9)]],
        Limits::default(),
    )
    .fetch(0, listed())
    .await;
    assert_eq!(
        (
            sample.outcome,
            sample.codes.to_string().as_str(),
            sample.mismatch
        ),
        (Outcome::Ok, "SlowDown", Mismatch::default())
    );
    let same = Target {
        size: Some(document.len() as u64),
        ..listed()
    };
    let sample = fetcher(vec![error()], Limits::default())
        .fetch(0, same)
        .await;
    assert_eq!(
        (sample.outcome, sample.attempts),
        (Outcome::Ok, 1),
        "an object of the listed size is what it is"
    );
    let text = vec![
        answer(None, ""),
        Step::Body(b"text "),
        Step::Body(b"<Error><Code>SlowDown</Code></Error>"),
    ];
    let sample = fetcher(vec![text], Limits::default())
        .fetch(0, listed())
        .await;
    assert_eq!((sample.outcome, sample.mismatch.size), (Outcome::Ok, true));
}

#[tokio::test(start_paused = true)]
async fn a_signature_of_the_wrong_time_is_made_anew_at_once_and_not_for_ever() {
    let skewed = || {
        vec![Step::Fail(AttemptError {
            remedy: Remedy::ClockCorrected,
            ..AttemptError::answer(403, Some("RequestTimeTooSkewed"))
        })]
    };
    let good = vec![Step::Head(Some(9)), Step::Bytes(9)];
    let sample = fetcher(vec![skewed(), skewed(), good], Limits::default())
        .fetch(0, listed())
        .await;
    assert_eq!(
        (
            sample.outcome,
            sample.backoff_ns,
            sample.codes.to_string().as_str()
        ),
        (Outcome::Ok, 0, "RequestTimeTooSkewed*2")
    );
    let sample = fetcher(vec![skewed(), skewed(), skewed()], Limits::default())
        .fetch(0, listed())
        .await;
    assert_eq!((sample.outcome, sample.attempts), (Outcome::Failed, 3));
}
