//! The metadata client against tiny servers on the loopback, and its parser against the shapes in `tests/data`.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const TASK: &str = include_str!("../../../../../tests/data/ecs_task.json");
const STATS: &str = include_str!("../../../../../tests/data/ecs_task_stats.json");
const CONTAINER: &str = "0123456789abcdef0123456789abcdef-2886439692";
const LONG: Duration = Duration::from_mins(1);

/// Answers requests for ever, one a connection, with what `answer` has for the path; `None` hangs, keeping the connection open.
async fn serve(listener: TcpListener, answer: impl Fn(&str) -> Option<(&'static str, String)>) {
    let mut hanging = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        assert!(
            request.to_ascii_lowercase().contains("\r\nhost: "),
            "{request}"
        );
        match answer(request.split(' ').nth(1).unwrap()) {
            None => hanging.push(stream),
            Some((status, body)) => {
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(body.as_bytes()).await.unwrap();
            }
        }
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// What comes of a server that answers so, whether this machine is fast or slow.
async fn fetch_from(
    time_limit: Duration,
    answer: impl Fn(&str) -> Option<(&'static str, String)>,
) -> Result<TaskMetadata, EcsError> {
    let (listener, address) = listen().await;
    let base = format!("http://{address}/v4/{CONTAINER}");
    tokio::select! {
        result = fetch_within(&base, [time_limit; 2]) => result,
        () = serve(listener, answer) => unreachable!("the server never ends"),
    }
}

fn documents(path: &str) -> Option<(&'static str, String)> {
    match path.strip_prefix("/v4/")?.strip_prefix(CONTAINER)? {
        "/task" => Some(("200 OK", TASK.to_owned())),
        "/task/stats" => Some(("200 OK", STATS.to_owned())),
        other => panic!("nobody asks for {other}"),
    }
}

#[tokio::test]
async fn every_fact_of_a_fargate_task_is_read() {
    let expected = TaskMetadata {
        cluster: Some("arn:aws:ecs:us-east-1:123456789012:cluster/parfetch".to_owned()),
        task_arn: Some("arn:aws:ecs:us-east-1:123456789012:task/parfetch/0123456789abcdef0123456789abcdef".to_owned()),
        family: Some("parfetch".to_owned()),
        revision: Some("7".to_owned()),
        availability_zone: Some("us-east-1d".to_owned()),
        availability_zone_id: None,
        launch_type: Some("FARGATE".to_owned()),
        limit_vcpu: Some(4.0),
        limit_memory_bytes: Some(8_589_934_592),
        image: Some("123456789012.dkr.ecr.us-east-1.amazonaws.com/parfetch:1.0.0".to_owned()),
        image_digest: Some("sha256:00".to_owned()),
        pull_started_utc: Some("2026-01-02T03:04:05.031284568Z".to_owned()),
        pull_stopped_utc: Some("2026-01-02T03:04:09.478277684Z".to_owned()),
        container_name: Some("parfetch".to_owned()),
        container_arn: Some(
            "arn:aws:ecs:us-east-1:123456789012:container/parfetch/0123456789abcdef0123456789abcdef/b31c78c2-0000-4000-8000-000000000000".to_owned(),
        ),
        container_created_utc: Some("2026-01-02T03:04:10.728610677Z".to_owned()),
        container_started_utc: Some("2026-01-02T03:04:10.728610677Z".to_owned()),
        snapshotter: Some("overlayfs".to_owned()),
        log_group: Some("/ecs/parfetch".to_owned()),
        log_stream: Some("parfetch/parfetch/0123456789abcdef0123456789abcdef".to_owned()),
        clock_error_bound_ms: Some(0.556_966),
        clock_sync_status: Some("SYNCHRONIZED".to_owned()),
        clock_checked_utc: Some("2026-01-02T03:25:08Z".to_owned()),
        fault_injection: None,
        interface_read_utc: Some("2026-01-02T03:13:26.739041788Z".to_owned()),
        interface_rx_bytes: Some(83_721_227),
        interface_tx_bytes: Some(663_800),
        ephemeral_used_bytes: Some(281 << 20),
        ephemeral_reserved_bytes: Some(20_496 << 20),
        stats_error: None,
    };
    assert_eq!(fetch_from(LONG, documents).await.unwrap(), expected);
}

#[tokio::test]
async fn a_host_may_be_a_name_and_the_address_may_end_in_a_slash() {
    let (listener, address) = listen().await;
    let base = format!("http://localhost:{}/v4/{CONTAINER}/", address.port());
    let task = tokio::select! {
        result = fetch_within(&base, [LONG; 2]) => result.unwrap(),
        () = serve(listener, documents) => unreachable!("the server never ends"),
    };
    assert_eq!(task.interface_rx_bytes, Some(83_721_227));
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_time_given_and_no_more() {
    let error = fetch_from(Duration::from_millis(20), |_| None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from the metadata endpoint within 20 ms"
    );
}

#[tokio::test]
async fn statistics_that_hang_leave_the_facts_of_the_task() {
    let (listener, address) = listen().await;
    let base = format!("http://{address}/v4/{CONTAINER}");
    let all_but_stats = |path: &str| documents(path).filter(|_| !path.ends_with("/stats"));
    let task = tokio::select! {
        result = fetch(&base, LONG) => result.unwrap(),
        () = serve(listener, all_but_stats) => unreachable!("the server never ends"),
    };
    assert_eq!(
        (task.limit_vcpu, task.interface_rx_bytes),
        (Some(4.0), None)
    );
    assert_eq!(
        task.stats_error.as_deref(),
        Some("no answer from the metadata endpoint within 1000 ms"),
        "a second at most, whatever is given"
    );
}

#[tokio::test]
async fn a_refusal_is_told_in_the_agents_words() {
    let refuse = |_: &str| {
        Some((
            "429 Too Many Requests",
            "\"rate limit exceeded\"".to_owned(),
        ))
    };
    let error = fetch_from(MAX_TIME, refuse).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the metadata endpoint answered 429 Too Many Requests: rate limit exceeded"
    );
}

#[tokio::test]
async fn an_agent_that_is_asked_too_often_is_asked_again() {
    let left = std::cell::Cell::new(3);
    let busy_at_first = |path: &str| {
        left.set(left.get() - 1);
        if left.get() >= 0 {
            Some((
                "429 Too Many Requests",
                "\"rate limit exceeded\"".to_owned(),
            ))
        } else {
            documents(path)
        }
    };
    let task = fetch_from(LONG, busy_at_first).await.unwrap();
    assert_eq!(
        (task.limit_vcpu, task.interface_rx_bytes),
        (Some(4.0), Some(83_721_227))
    );
}

#[tokio::test]
async fn an_agent_in_trouble_is_asked_again_for_the_task_alone() {
    let (tasks, stats) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let trouble = |path: &str| {
        let count = if path.ends_with("/stats") {
            &stats
        } else {
            &tasks
        };
        count.set(count.get() + 1);
        if count.get() == 1 {
            Some(("500 Internal Server Error", "\"no stats\"".to_owned()))
        } else {
            documents(path)
        }
    };
    let task = fetch_from(LONG, trouble).await.unwrap();
    assert_eq!(
        (tasks.get(), stats.get(), task.limit_vcpu),
        (2, 1, Some(4.0))
    );
    assert_eq!(
        task.stats_error.as_deref(),
        Some("the metadata endpoint answered 500 Internal Server Error: no stats")
    );
}

#[tokio::test]
async fn what_is_no_object_is_an_error() {
    for body in ["", "[1]", "{\"Cluster\":", "\"text\""] {
        let error = fetch_from(LONG, |_| Some(("200 OK", body.to_owned())))
            .await
            .unwrap_err();
        assert!(matches!(error, EcsError::Body(_)), "{body}: {error}");
    }
}

#[tokio::test]
async fn only_plain_http_is_spoken() {
    for base in ["https://127.0.0.1/v4/x", "", "not an address", "/v4/x"] {
        assert!(
            matches!(fetch(base, LONG).await.unwrap_err(), EcsError::Uri(_)),
            "{base}"
        );
    }
    let (listener, address) = listen().await;
    drop(listener);
    let error = fetch(&format!("http://{address}/v4/x"), LONG)
        .await
        .unwrap_err();
    assert!(matches!(error, EcsError::Connection(_)), "{error}");
}

#[test]
fn fields_that_lack_or_have_another_type_are_unknown() {
    let empty = parse(
        &Value::Object(serde_json::Map::default()),
        Ok(&Value::Null),
        "x",
    );
    let stats_error = Some("no network statistics of this container yet".to_owned());
    assert_eq!(
        empty,
        TaskMetadata {
            stats_error: stats_error.clone(),
            ..TaskMetadata::default()
        }
    );
    let odd = serde_json::json!({"Cluster": 1, "Family": "f", "Limits": {"CPU": "4", "Memory": -1}, "Containers": {}, "ClockDrift": null, "New": []});
    assert_eq!(
        parse(&odd, Ok(&Value::Null), "x"),
        TaskMetadata {
            family: Some("f".to_owned()),
            stats_error,
            ..TaskMetadata::default()
        }
    );
}

#[test]
fn the_container_is_found_by_its_id_or_when_it_is_the_only_one() {
    let container = |id: &str, kind: &str| serde_json::json!({"DockerId": id, "Image": id, "Type": kind, "Limits": {"CPU": 256}});
    let task = serde_json::json!({"Limits": {"CPU": 0.25}, "Containers": [container("a", "NORMAL"), container("b", "NORMAL")]});
    let stats = serde_json::json!({"a": null, "b": {"networks": {"eth0": {"rx_bytes": 3, "tx_bytes": 1}, "eth1": {"rx_bytes": 4}}}});
    let own = parse(&task, Ok(&stats), "b");
    assert_eq!(
        (own.image.as_deref(), own.limit_vcpu),
        (Some("b"), Some(0.25)),
        "the task's limit, not the container's"
    );
    assert_eq!(
        (own.interface_rx_bytes, own.interface_tx_bytes),
        (Some(7), None),
        "a counter that one interface lacks has no sum"
    );
    assert_eq!(parse(&task, Ok(&stats), "endpoint-id").image, None);
    let one =
        serde_json::json!({"Containers": [container("p", "CNI_PAUSE"), container("b", "NORMAL")]});
    assert_eq!(
        parse(&one, Ok(&stats), "endpoint-id").interface_rx_bytes,
        Some(7)
    );
}
