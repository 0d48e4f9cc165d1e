//! The ECS task metadata endpoint, version 4: what the container agent knows of this task and this container.
//!
//! Plain HTTP to a link-local address, `GET {base}/task` and `GET {base}/task/stats`, both at once, bounded in time as a whole, once at the start
//! and once at the end of a run. The agent limits the rate: when it says so, it is asked again while there is time. The shape is that of the agent's own types (`ecs-agent/tmds/handlers/v4/state` in
//! github.com/aws/amazon-ecs-agent), which promise that fields are added and never taken away. So every field is optional here, what is unknown is
//! skipped, and a field of an unexpected type is as good as none. The trap: a task's `Limits.CPU` is in vCPU, a container's in CPU units.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that [`fetch`] takes, whatever time it is given. Without an answer a task is taken for another machine, so a busy one gets time.
pub const MAX_TIME: Duration = Duration::from_secs(5);

/// The longest that it waits for statistics, which a run can do without.
const STATS_TIME: Duration = Duration::from_secs(1);

/// Wait after an answer that may be another soon.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Real answers have a few thousand bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Facts about the task and the container that this process runs in, each of them optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskMetadata {
    /// Name or ARN of the cluster.
    pub cluster: Option<String>,
    /// ARN of the task.
    pub task_arn: Option<String>,
    /// Family of the task definition.
    pub family: Option<String>,
    /// Revision of the task definition.
    pub revision: Option<String>,
    /// Availability zone: `us-east-1d`, whose meaning differs from account to account.
    pub availability_zone: Option<String>,
    /// Availability zone by its id, `use1-az4`, the same for all accounts; newer agents.
    pub availability_zone_id: Option<String>,
    /// `FARGATE`, `EC2` …
    pub launch_type: Option<String>,
    /// CPU limit of the task.
    pub limit_vcpu: Option<f64>,
    /// Memory limit of the task.
    pub limit_memory_bytes: Option<u64>,
    /// Image of this container.
    pub image: Option<String>,
    /// Digest of that image, `sha256:…`.
    pub image_digest: Option<String>,
    /// When the pull of the images began (RFC 3339): from here on a task is paid for.
    pub pull_started_utc: Option<String>,
    /// When the pull of the images ended (RFC 3339).
    pub pull_stopped_utc: Option<String>,
    /// Name of this container in the task definition.
    pub container_name: Option<String>,
    /// ARN of this container.
    pub container_arn: Option<String>,
    /// When this container was made (RFC 3339).
    pub container_created_utc: Option<String>,
    /// When this container was started (RFC 3339).
    pub container_started_utc: Option<String>,
    /// How images are unpacked: `overlayfs`, or `soci` for those that are loaded lazily.
    pub snapshotter: Option<String>,
    /// Log group of `CloudWatch` that this container's lines go to.
    pub log_group: Option<String>,
    /// Log stream of that group.
    pub log_stream: Option<String>,
    /// How far the wall clock may be off.
    pub clock_error_bound_ms: Option<f64>,
    /// `SYNCHRONIZED` or `NOT_SYNCHRONIZED`.
    pub clock_sync_status: Option<String>,
    /// When the clock was last looked at (RFC 3339).
    pub clock_checked_utc: Option<String>,
    /// Whether faults may be injected into the network of the task: then its times are not those of others.
    pub fault_injection: Option<bool>,
    /// When the interfaces' counters were read (RFC 3339); up to about 10 s before they were asked for.
    pub interface_read_utc: Option<String>,
    /// Bytes received until then on the interfaces of this container, which a task's containers share.
    pub interface_rx_bytes: Option<u64>,
    /// Bytes sent until then on the interfaces of this container.
    pub interface_tx_bytes: Option<u64>,
    /// Ephemeral storage in use.
    pub ephemeral_used_bytes: Option<u64>,
    /// Ephemeral storage of the task.
    pub ephemeral_reserved_bytes: Option<u64>,
    /// Why there are no interface counters. There are none in the first second of a container.
    pub stats_error: Option<String>,
}

/// Why the metadata could not be had. Never a reason to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EcsError {
    /// The base address is not `http://host[:port]/path`.
    #[error("`{0}` is not an address of a metadata endpoint")]
    Uri(String),
    /// No whole answer in time.
    #[error("no answer from the metadata endpoint within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// No connection, or one that broke.
    #[error("connection to the metadata endpoint failed: {0}")]
    Connection(String),
    /// An answer other than 200; the agent explains it in a JSON string.
    #[error("the metadata endpoint answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// What it said, at most 200 characters.
        message: String,
    },
    /// An answer that is no JSON object.
    #[error("the metadata endpoint answered no JSON object: {0}")]
    Body(String),
}

/// Asks the endpoint at `base_uri` (the value of `ECS_CONTAINER_METADATA_URI_V4`), for `time_limit` or [`MAX_TIME`] at the most in all.
/// Without the task's answer there is nothing; without its statistics there is [`TaskMetadata::stats_error`]. Needs a runtime with I/O and time.
pub async fn fetch(base_uri: &str, time_limit: Duration) -> Result<TaskMetadata, EcsError> {
    let times = [MAX_TIME, STATS_TIME].map(|most| time_limit.min(most));
    fetch_within(base_uri, times).await
}

/// The same with the times for the task's answer and for its statistics.
async fn fetch_within(
    base_uri: &str,
    [task_time, stats_time]: [Duration; 2],
) -> Result<TaskMetadata, EcsError> {
    let base_uri = base_uri.trim_end_matches('/');
    let (task_uri, stats_uri) = (format!("{base_uri}/task"), format!("{base_uri}/task/stats"));
    // In its first second a container has no statistics, and the agent says that something is wrong with it: not worth a wait.
    let (task, stats) = tokio::join!(
        get_in(&task_uri, task_time, |status| status
            == StatusCode::TOO_MANY_REQUESTS
            || status.is_server_error()),
        get_in(&stats_uri, stats_time, |status| status
            == StatusCode::TOO_MANY_REQUESTS)
    );
    let container_id = base_uri.rsplit('/').next().unwrap_or_default();
    Ok(parse(&task?, stats.as_ref(), container_id))
}

/// Asks `again` after answers that may be others soon, until the time is up; then the last of them tells more than that it is.
async fn get_in(
    uri: &str,
    time_limit: Duration,
    again: impl Fn(StatusCode) -> bool,
) -> Result<Value, EcsError> {
    let mut last = None;
    let asking = async {
        loop {
            match get(uri).await {
                Err(error @ EcsError::Status { status, .. }) if again(status) => {
                    last = Some(error);
                }
                done => return done,
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    let done = timeout(time_limit, asking).await;
    done.unwrap_or_else(|_| Err(last.unwrap_or(EcsError::TimedOut(time_limit))))
}

/// One GET on a connection of its own; the body as a JSON object.
async fn get(uri: &str) -> Result<Value, EcsError> {
    let bad = || EcsError::Uri(uri.to_owned());
    let broken = |error: &dyn std::error::Error| EcsError::Connection(error.to_string());
    let parsed: Uri = uri.parse().map_err(|_| bad())?;
    let authority = parsed
        .authority()
        .filter(|_| parsed.scheme_str() == Some("http"))
        .ok_or_else(bad)?;
    // An IPv6 address stands in brackets, which the resolver does not know.
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| broken(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let path = parsed.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority.as_str())
        .body(Empty::<Bytes>::new())
        .map_err(|_| bad())?;
    let exchange = pin!(async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_BODY_BYTES)
            .collect()
            .await
            .map_err(|error| broken(error.as_ref()))?;
        Ok((status, body.to_bytes()))
    });
    // The connection does the reading, so both are polled. It may end first, when the server closes; the answer is then in its channel.
    let (status, body) = match select(exchange, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, exchange)) => exchange.await,
    }?;
    read_body(status, &body)
}

fn read_body(status: StatusCode, body: &[u8]) -> Result<Value, EcsError> {
    if status != StatusCode::OK {
        let message = serde_json::from_slice::<String>(body)
            .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
        return Err(EcsError::Status {
            status,
            message: message.trim().chars().take(200).collect(),
        });
    }
    match serde_json::from_slice(body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err(EcsError::Body("something else".to_owned())),
        Err(error) => Err(EcsError::Body(error.to_string())),
    }
}

/// Picks the facts out of the two answers. `container_id` is the last part of the endpoint's address: on Fargate the container's id. Elsewhere it
/// is another, and the container is known only when it is the task's one container.
fn parse(task: &Value, stats: Result<&Value, &EcsError>, container_id: &str) -> TaskMetadata {
    let text = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let at = |pointer: &str| text(task.pointer(pointer));
    let mib = |pointer: &str| {
        task.pointer(pointer)
            .and_then(Value::as_u64)
            .and_then(|mib| mib.checked_mul(1 << 20))
    };
    let container = own_container(task, container_id);
    let container_text = |name: &str| text(container.and_then(|container| container.get(name)));
    let id = container_text("DockerId").unwrap_or_else(|| container_id.to_owned());
    let log_option =
        |name: &str| text(container.and_then(|container| container.get("LogOptions")?.get(name)));
    let own_stats = stats.ok().and_then(|stats| stats.get(&id));
    let networks = own_stats.and_then(|stats| stats.get("networks"));
    TaskMetadata {
        cluster: at("/Cluster"),
        task_arn: at("/TaskARN"),
        family: at("/Family"),
        revision: at("/Revision"),
        availability_zone: at("/AvailabilityZone"),
        availability_zone_id: at("/AvailabilityZoneID"),
        launch_type: at("/LaunchType"),
        limit_vcpu: task
            .pointer("/Limits/CPU")
            .and_then(Value::as_f64)
            .filter(|vcpu| *vcpu > 0.0),
        limit_memory_bytes: mib("/Limits/Memory").filter(|bytes| *bytes > 0),
        image: container_text("Image"),
        image_digest: container_text("ImageID"),
        pull_started_utc: at("/PullStartedAt"),
        pull_stopped_utc: at("/PullStoppedAt"),
        container_name: container_text("Name"),
        container_arn: container_text("ContainerARN"),
        container_created_utc: container_text("CreatedAt"),
        container_started_utc: container_text("StartedAt"),
        snapshotter: container_text("Snapshotter"),
        log_group: log_option("awslogs-group"),
        log_stream: log_option("awslogs-stream"),
        clock_error_bound_ms: task
            .pointer("/ClockDrift/ClockErrorBound")
            .and_then(Value::as_f64),
        clock_sync_status: at("/ClockDrift/ClockSynchronizationStatus"),
        clock_checked_utc: at("/ClockDrift/ReferenceTimestamp"),
        fault_injection: task
            .pointer("/FaultInjectionEnabled")
            .and_then(Value::as_bool),
        interface_read_utc: networks
            .and(own_stats)
            .and_then(|stats| text(stats.get("read"))),
        interface_rx_bytes: networks.and_then(|networks| sum_of(networks, "rx_bytes")),
        interface_tx_bytes: networks.and_then(|networks| sum_of(networks, "tx_bytes")),
        ephemeral_used_bytes: mib("/EphemeralStorageMetrics/Utilized"),
        ephemeral_reserved_bytes: mib("/EphemeralStorageMetrics/Reserved"),
        stats_error: match stats {
            Err(error) => Some(error.to_string()),
            Ok(_) if networks.is_none() => {
                Some("no network statistics of this container yet".to_owned())
            }
            Ok(_) => None,
        },
    }
}

/// The container of that id, or else the only one that the task's author defined (the agent adds its own, of another type).
fn own_container<'a>(task: &'a Value, id: &str) -> Option<&'a Value> {
    let all = task.get("Containers")?.as_array()?;
    let by_id = all
        .iter()
        .find(|container| container.get("DockerId").and_then(Value::as_str) == Some(id));
    by_id.or_else(|| {
        let mut normal = all.iter().filter(|container| {
            container
                .get("Type")
                .and_then(Value::as_str)
                .is_none_or(|kind| kind == "NORMAL")
        });
        normal.next().filter(|_| normal.next().is_none())
    })
}

/// The sum of a counter over the interfaces; `None` when any of them lacks it.
fn sum_of(networks: &Value, counter: &str) -> Option<u64> {
    let interfaces = networks
        .as_object()
        .filter(|interfaces| !interfaces.is_empty())?;
    interfaces
        .values()
        .map(|interface| interface.get(counter)?.as_u64())
        .try_fold(0_u64, |sum, bytes| sum.checked_add(bytes?))
}

#[cfg(test)]
mod tests;
