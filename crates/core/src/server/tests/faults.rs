//! Every fault as a client sees it, and its count.

use std::time::Duration;

use super::super::FaultCounts;
use super::{Fixture, code, serve};

const KEY: &str = "data/00/000000000.bin";

fn faults(fixture: &Fixture) -> FaultCounts {
    fixture.server.report().faults
}

/// Body length, or the text of the error that the GET or its body ended in.
async fn get(fixture: &Fixture, key: &str) -> Result<usize, String> {
    let answer = fixture
        .client()
        .get_object()
        .bucket("source")
        .key(key)
        .send()
        .await
        .map_err(|error| format!("head: {error:?}"))?;
    let body = answer
        .body
        .collect()
        .await
        .map_err(|error| format!("body: {error:?}"))?;
    Ok(body.into_bytes().len())
}

#[tokio::test]
async fn answers_with_an_error_code() {
    for (option, expected, count) in [
        (
            "fault-500=1",
            "InternalError",
            FaultCounts {
                internal_error: 1,
                ..FaultCounts::default()
            },
        ),
        (
            "fault-slowdown=1",
            "SlowDown",
            FaultCounts {
                slow_down: 1,
                ..FaultCounts::default()
            },
        ),
        (
            "fault-expired=1",
            "ExpiredToken",
            FaultCounts {
                expired_token: 1,
                ..FaultCounts::default()
            },
        ),
        (
            "fault-missing=1",
            "NoSuchKey",
            FaultCounts {
                missing: 1,
                ..FaultCounts::default()
            },
        ),
    ] {
        let fixture = serve(option);
        assert_eq!(
            code(
                fixture
                    .client()
                    .get_object()
                    .bucket("source")
                    .key(KEY)
                    .send()
                    .await
            ),
            expected
        );
        assert_eq!(faults(&fixture), count, "{option}");
        let report = fixture.server.report();
        assert_eq!((report.gets, report.sent_bytes), (0, 0));
    }
}

#[tokio::test]
async fn a_short_body_ends_before_its_announced_length() {
    let fixture = serve("size=1MB,fault-short=1");
    let error = get(&fixture, KEY).await.unwrap_err();
    assert!(
        error.starts_with("body: ") && !error.contains("reset"),
        "{error}"
    );
    assert_eq!(
        faults(&fixture),
        FaultCounts {
            short: 1,
            ..FaultCounts::default()
        }
    );
    assert_eq!(fixture.server.report().sent_bytes, 500_000);
    assert_eq!(fixture.server.report().gets, 0);
}

#[tokio::test]
async fn a_reset_comes_before_the_head_or_in_the_body() {
    let fixture = serve("size=1MB,fault-reset=1");
    let mut seen = Vec::new();
    for index in 0..12 {
        seen.push(
            get(&fixture, &format!("data/00/{index:09}.bin"))
                .await
                .unwrap_err(),
        );
    }
    assert!(
        seen.iter().any(|error| error.starts_with("head: ")),
        "{seen:?}"
    );
    assert!(
        seen.iter().any(|error| error.starts_with("body: ")),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .all(|error| error.contains("reset") || error.contains("Reset")),
        "{seen:?}"
    );
    assert_eq!(
        faults(&fixture),
        FaultCounts {
            reset: 12,
            ..FaultCounts::default()
        }
    );
}

#[tokio::test]
async fn a_stalled_body_gives_half_and_falls_silent() {
    let fixture = serve("size=100KB,fault-stall=1");
    let mut body = fixture
        .client()
        .get_object()
        .bucket("source")
        .key(KEY)
        .send()
        .await
        .unwrap()
        .body;
    let mut received = 0;
    while received < 50_000 {
        received += body.next().await.unwrap().unwrap().len();
    }
    assert_eq!(received, 50_000);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), body.next())
            .await
            .is_err()
    );
    assert_eq!(
        faults(&fixture),
        FaultCounts {
            stall: 1,
            ..FaultCounts::default()
        }
    );
}

#[tokio::test]
async fn empty_objects_fail_too() {
    for option in ["fault-reset=1,size=0", "fault-short=1,size=0"] {
        let fixture = serve(option);
        let error = get(&fixture, KEY).await.unwrap_err();
        assert!(error.starts_with("head: "), "{option}: {error}");
    }
    let fixture = serve("fault-stall=1,size=0");
    assert!(
        tokio::time::timeout(Duration::from_millis(50), get(&fixture, KEY))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_repeated_get_can_succeed_and_a_second_server_does_the_same() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let fixture = serve("size=10,fault-500=0.5,seed=7");
        let client = fixture.client();
        let mut history = String::new();
        for index in 0..4 {
            for _ in 0..8 {
                let answer = client
                    .get_object()
                    .bucket("source")
                    .key(format!("data/00/{index:09}.bin"))
                    .send()
                    .await;
                history.push(if answer.is_ok() { '.' } else { 'x' });
            }
        }
        histories.push(history);
    }
    assert_eq!(histories[0], histories[1]);
    assert!(
        histories[0].contains(".x") && histories[0].contains("x."),
        "{}",
        histories[0]
    );
}
