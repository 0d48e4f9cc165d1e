//! A run's plan as variables: the form in which a run is started elsewhere. `settings` reads them back.
//!
//! Whoever starts a run elsewhere gives every variable a value or empties it: what a task's own definition says of them is not meant for that run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::access::Access;
use super::fetch::{FetchOptions, Limits};
use super::http_source::{HttpHeader, HttpSource, RequestBody};
use super::layout::Layout;
use super::run::{Destination, RunPlan};
use super::selection::{KeySample, KeySource, SampleSize, Selection};
use super::source::ObjectSource;
use super::status_set::StatusSet;
use super::words::{ClientKind, Mode};
use crate::units::typed_duration;

/// Start without a question: whoever starts a run elsewhere was asked.
pub const YES: &str = "PARFETCH_YES";
/// Bytes at which a run stops.
pub const MAX_BYTES: &str = "PARFETCH_MAX_BYTES";
/// How long a run may take.
pub const RUN_TIMEOUT: &str = "PARFETCH_RUN_TIMEOUT";
/// When progress is shown.
pub const PROGRESS: &str = "PARFETCH_PROGRESS";
/// Which part of the keys.
pub const SHARD: &str = "PARFETCH_SHARD";
/// How many children an array job has: Batch does not say it of itself.
pub const SHARD_COUNT: &str = "PARFETCH_SHARD_COUNT";
/// Which shards the children of an array job have, in their order, where they are not all of them.
pub const SHARDS_LEFT: &str = "PARFETCH_SHARDS_LEFT";

/// Parts of names of variables that hold secrets.
const SECRETS: [&str; 6] = [
    "SECRET",
    "ACCESS_KEY",
    "API_KEY",
    "APIKEY",
    "PASSWORD",
    "PRIVATE_KEY",
];

/// Whether a variable of this name holds a secret, most likely.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // A file of it, or how many of them, is none.
    let is_token = name.ends_with("_TOKEN") || name == "TOKEN";
    is_token || SECRETS.iter().any(|part| name.contains(part))
}

/// Variables of a run that say nothing of its plan, and another name of one that does.
const BESIDE_THE_PLAN: [&str; 11] = [
    "AWS_ENDPOINT_URL",
    "PARFETCH_ALLOW_RESULTS_IN_SOURCE",
    "PARFETCH_EMBEDDED",
    "PARFETCH_OUTPUT",
    "PARFETCH_PRICES",
    MAX_BYTES,
    PROGRESS,
    RUN_TIMEOUT,
    SHARDS_LEFT,
    SHARD_COUNT,
    YES,
];

/// Variables that are the task's own business: where it is, which files its image has, how its log looks. They change nothing of what is measured, and
/// what the plan does not say of them is left as it is.
#[cfg(any(test, feature = "fixtures"))]
pub const OF_THE_TASK: [&str; 7] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "PARFETCH_SPOOL_DIR",
    "PARFETCH_LOG_LEVEL",
    "PARFETCH_LOG_FORMAT",
    "PARFETCH_EMF",
];

type Variable = (&'static str, Option<String>);

/// Every variable of a run, and its value; none = unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunVariables(BTreeMap<&'static str, Option<String>>);

impl RunVariables {
    /// Those of a plan.
    pub fn of(plan: &RunPlan) -> Self {
        let RunPlan {
            source,
            selection,
            concurrency,
            mode,
            client,
            tag,
            access,
            fetch: FetchOptions { limits, work },
            duration,
            layout,
            destination,
            egress,
        } = plan;
        let own = [
            ("BUCKET_NAME", Some(source.bucket().to_owned())),
            ("TAG", Some(tag.clone())),
            ("PARFETCH_DURATION", time(*duration)),
            ("PARFETCH_WORK", Some(work.to_string())),
            ("PARFETCH_EGRESS", Some(egress.to_string())),
        ];
        let all = BESIDE_THE_PLAN
            .map(|name| (name, None))
            .into_iter()
            .chain(own)
            .chain(of_http(source))
            .chain(of_workers(*mode, concurrency.get(), Some(*client)))
            .chain(of_selection(selection))
            .chain(of_access(access))
            .chain(of_limits(limits))
            .chain(of_layout(layout))
            .chain(of_destination(destination));
        let task = [
            ("AWS_REGION", access.region.clone()),
            ("AWS_CA_BUNDLE", path(access.ca_bundle.as_ref())),
            ("PARFETCH_SPOOL_DIR", path(destination.spool_dir.as_ref())),
        ];
        Self(
            all.chain(task.into_iter().filter(|(_, value)| value.is_some()))
                .collect(),
        )
    }

    /// Sets one of those that say nothing of the plan.
    ///
    /// # Panics
    /// For another variable.
    pub fn set(&mut self, name: &'static str, value: String) {
        assert!(BESIDE_THE_PLAN.contains(&name), "{name} is of the plan");
        self.0.insert(name, Some(value));
    }

    /// Whether it gives this variable a value or empties it.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of them; empty means unset.
    pub fn complete(self) -> Vec<(String, String)> {
        self.0
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_default()))
            .collect()
    }

    /// Those that have a value.
    pub fn given(self) -> impl Iterator<Item = (&'static str, String)> {
        self.0
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    }
}

/// What fetches, and how many at once.
pub fn of_workers(mode: Mode, concurrency: u32, client: Option<ClientKind>) -> [Variable; 3] {
    [
        ("MODE", Some(mode.to_string())),
        ("CONCURRENCY", Some(concurrency.to_string())),
        ("PARFETCH_CLIENT", client.map(|client| client.to_string())),
    ]
}

fn of_selection(selection: &Selection) -> [Variable; 6] {
    let Selection {
        source,
        prefix,
        limit,
        sample,
        shard,
    } = selection;
    let keys = match source {
        KeySource::Listing => None,
        KeySource::File(path) => Some(path.display().to_string()),
        KeySource::Object(uri) | KeySource::Folder(uri) => Some(uri.to_string()),
    };
    let size = |sample: &KeySample| match sample.size {
        SampleSize::Auto => "auto".to_owned(),
        SampleSize::Keys(keys) => keys.to_string(),
        SampleSize::Bytes(bytes) => format!("{bytes}B"),
    };
    [
        ("PARFETCH_KEYS", keys),
        ("PARFETCH_PREFIX", Some(prefix.clone())),
        ("PARFETCH_LIMIT", limit.map(|keys| keys.to_string())),
        ("PARFETCH_SAMPLE", sample.as_ref().map(size)),
        (
            "PARFETCH_SEED",
            sample.map(|sample| sample.seed.to_string()),
        ),
        (SHARD, shard.map(|shard| shard.to_string())),
    ]
}

/// Of a web server; of a bucket they are unset.
fn of_http(source: &ObjectSource) -> [Variable; 9] {
    let Some(HttpSource {
        urls,
        requests,
        method,
        headers,
        body,
        keep_alive,
        expect,
        connect_to,
    }) = source.http()
    else {
        return OF_HTTP.map(|name| (name, None));
    };
    let lines = |headers: &[HttpHeader]| {
        let lines: Vec<_> = headers
            .iter()
            .map(|header| format!("{}: {}", header.name, header.value))
            .collect();
        lines.join("\n")
    };
    let (text, file) = match body {
        RequestBody::None => (None, None),
        RequestBody::Text(text) => (Some(text.clone()), None),
        RequestBody::File(file) => (None, path(Some(file))),
    };
    let replicas: Vec<_> = connect_to.iter().map(ToString::to_string).collect();
    let values = [
        Some(urls.to_string()),
        requests.map(|requests| requests.to_string()),
        Some(method.as_str().to_owned()),
        Some(lines(headers)),
        text,
        file,
        (!keep_alive).then(on),
        (*expect != StatusSet::default()).then(|| expect.to_string()),
        Some(replicas.join(",")),
    ];
    let mut values = values.into_iter();
    OF_HTTP.map(|name| (name, values.next().flatten()))
}

/// The variables of a web server, in the order of [`of_http`].
const OF_HTTP: [&str; 9] = [
    "PARFETCH_URLS",
    "PARFETCH_REQUESTS",
    "PARFETCH_METHOD",
    "PARFETCH_HEADERS",
    "PARFETCH_BODY",
    "PARFETCH_BODY_FILE",
    "PARFETCH_NO_KEEP_ALIVE",
    "PARFETCH_EXPECT",
    "PARFETCH_CONNECT_TO",
];

fn of_access(access: &Access) -> [Variable; 5] {
    // Region and certificates are the task's own.
    let Access {
        endpoint_url,
        region: _,
        profile,
        virtual_host,
        no_sign_request,
        request_payer,
        ca_bundle: _,
    } = access;
    [
        ("AWS_ENDPOINT_URL_S3", endpoint_url.clone()),
        ("AWS_PROFILE", profile.clone()),
        ("PARFETCH_VIRTUAL_HOST", virtual_host.then(on)),
        ("PARFETCH_NO_SIGN_REQUEST", no_sign_request.then(on)),
        ("PARFETCH_REQUEST_PAYER", request_payer.then(on)),
    ]
}

fn of_limits(limits: &Limits) -> [Variable; 4] {
    let Limits {
        attempts,
        connect_timeout,
        stall_timeout,
        fetch_timeout,
    } = limits;
    [
        ("PARFETCH_ATTEMPTS", Some(attempts.to_string())),
        ("PARFETCH_CONNECT_TIMEOUT", time(*connect_timeout)),
        ("PARFETCH_STALL_TIMEOUT", time(*stall_timeout)),
        ("PARFETCH_TIMEOUT", time(*fetch_timeout)),
    ]
}

fn of_layout(layout: &Layout) -> [Variable; 2] {
    let Layout { order, part_size } = layout;
    [
        ("PARFETCH_ORDER", Some(order.to_string())),
        ("PARFETCH_PART_SIZE", part_size.map(|size| size.to_string())),
    ]
}

fn of_destination(destination: &Destination) -> [Variable; 4] {
    // Where spool files are is the task's own.
    let Destination {
        bucket,
        prefix,
        out,
        spool_dir: _,
        no_overwrite,
    } = destination;
    [
        ("RESULT_BUCKET_NAME", bucket.clone()),
        ("PARFETCH_RESULT_PREFIX", Some(prefix.clone())),
        ("PARFETCH_OUT", path(out.as_ref())),
        ("PARFETCH_NO_OVERWRITE", no_overwrite.then(on)),
    ]
}

/// What a switch is set to.
fn on() -> String {
    "1".to_owned()
}

fn time(time: Option<Duration>) -> Option<String> {
    time.map(typed_duration)
}

fn path(path: Option<&std::path::PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// A plan of defaults, for tests.
#[cfg(any(test, feature = "fixtures"))]
pub fn example() -> RunPlan {
    RunPlan {
        source: ObjectSource::Bucket("images".to_owned()),
        selection: Selection::of(KeySource::Listing),
        concurrency: std::num::NonZeroU32::MIN,
        mode: Mode::Async,
        client: ClientKind::Lean,
        tag: "run".to_owned(),
        access: Access::default(),
        fetch: FetchOptions::default(),
        duration: None,
        layout: Layout::default(),
        destination: Destination {
            bucket: Some("results".to_owned()),
            prefix: String::new(),
            out: None,
            spool_dir: None,
            no_overwrite: false,
        },
        egress: crate::price::Egress::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        let secrets = [
            "TOKEN",
            "GITHUB_TOKEN",
            "API_KEY",
            "MY_SECRET",
            "db_password",
        ];
        let others = [
            "MAX_TOKENS",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "KEYS",
            "WORKERS",
        ];
        assert!(secrets.into_iter().all(is_secret));
        assert!(!others.into_iter().any(is_secret));
    }

    #[test]
    fn what_is_not_set_is_emptied() {
        let mut variables = RunVariables::of(&example());
        variables.set(MAX_BYTES, "5".to_owned());
        let given: Vec<_> = variables.clone().given().map(|(name, _)| name).collect();
        assert!(given.contains(&"MODE") && given.contains(&MAX_BYTES) && !given.contains(&YES));
        let all: BTreeMap<_, _> = variables.complete().into_iter().collect();
        assert_eq!(
            (all["MODE"].as_str(), all["PARFETCH_VIRTUAL_HOST"].as_str()),
            ("async", "")
        );
        assert!(
            OF_THE_TASK.iter().all(|name| !all.contains_key(*name)),
            "the task's own"
        );
    }
}
