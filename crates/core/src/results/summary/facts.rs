//! What a run knows of itself apart from its rows: the input of a summary. Plain data.

use serde::{Deserialize, Serialize};

use super::parts::{Interface, Memory, Phases, Series};
use super::sampled::SampleFacts;
use super::settings::Settings;
use crate::plan::RunPlan;
use crate::platform::Environment;
use crate::spool::table::Asked;

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Stored before the run began: one that still says so died, or goes on.
    Running,
    /// Every object asked for has its outcome.
    Complete,
    /// A signal ended it early.
    Interrupted,
    /// It could not go on, or its account does not close: objects were not attempted, or rows are missing.
    Failed,
}

/// What is known before anything is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The label of the run.
    pub tag: String,
    /// The name of its results, without an ending.
    pub result_name: String,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// What was asked for.
    pub settings: Settings,
    /// The machine.
    pub environment: Environment,
    /// Region of the source bucket.
    pub region: Option<String>,
    /// The endpoint, when it is not AWS's own.
    pub endpoint: Option<String>,
    /// Addresses that the endpoint's name led to.
    pub resolved_addresses: Option<u32>,
}

impl Header {
    /// The header of a run of `plan`; region, endpoint and addresses stay to be filled in.
    pub fn new(plan: &RunPlan, started_at: String, environment: Environment) -> Self {
        let settings = Settings::from(plan);
        Self {
            tag: plan.tag.clone(),
            result_name: plan.result_stem(),
            started_at,
            environment,
            region: None,
            endpoint: settings.access.endpoint_url.clone(),
            resolved_addresses: None,
            settings,
        }
    }
}

/// Processor time as measured, summed over the processes of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuFacts {
    /// Between barrier and end, user.
    pub fetch_user_ns: Option<u64>,
    /// Between barrier and end, system.
    pub fetch_sys_ns: Option<u64>,
    /// How many vCPU there are.
    pub limit_vcpu: Option<f64>,
    /// Time in which the kernel held the run back.
    pub throttled_ns: Option<u64>,
}

/// The embedded server's own account of the fetch phase.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerFacts {
    /// Its processor time.
    pub cpu_ns: u64,
    /// Threads that serve: it is full when CPU time reaches wall time × threads.
    pub threads: u32,
    /// Its whole report, kept as it is.
    pub report: serde_json::Value,
}

/// What there is to fetch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListingFacts {
    /// The sample that is fetched; `None`: every key.
    pub sample: Option<SampleFacts>,
    /// Keys to fetch.
    pub keys: u64,
    /// Their size as listed.
    pub bytes: Option<u64>,
    /// LIST requests that this took.
    pub lists: u64,
}

/// What was read around the fetch phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchFacts {
    /// Epoch to the moment the queue was empty.
    pub active_window_ns: Option<u64>,
    /// Body bytes read from sockets.
    pub received_bytes: Option<u64>,
    /// The same by second.
    pub series: Option<Series>,
    /// Connections opened.
    pub connections_opened: Option<u64>,
    /// Processor time.
    pub cpu: CpuFacts,
    /// Memory.
    pub memory: Memory,
    /// Network interfaces.
    pub interface: Interface,
    /// The embedded server.
    pub server: Option<ServerFacts>,
}

/// What only a pass over the rows shows, and the summary's own pass does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PassFacts {
    /// What was asked for in a run that time ends; `None`: each key once.
    pub asked: Option<Asked>,
    /// Most fetches open at one instant.
    pub in_flight_most: Option<u32>,
}

/// Everything about a run that its rows do not say. Each part is made whole by the step that knows it: none of its fields can be left out there.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// What was known before.
    pub header: Header,
    /// How far it came.
    pub state: State,
    /// UTC, RFC 3339.
    pub ended_at: Option<String>,
    /// How long each part took.
    pub phases: Phases,
    /// What there is to fetch.
    pub listing: ListingFacts,
    /// What was read around the fetch phase.
    pub fetch: FetchFacts,
    /// What the pass over the rows showed.
    pub pass: PassFacts,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl RunFacts {
    /// Facts of a run of which nothing was measured (yet).
    pub fn new(header: Header, state: State) -> Self {
        Self {
            header,
            state,
            ended_at: None,
            phases: Phases::default(),
            listing: ListingFacts::default(),
            fetch: FetchFacts::default(),
            pass: PassFacts::default(),
            warnings: Vec::new(),
        }
    }
}
