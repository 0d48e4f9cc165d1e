//! What a sweep is asked to do: lists of factors and the work of a repetition, as plain data with its TOML form.
//!
//! Owns the plan file's format (FORMAT.md). Checks nothing that takes the machine or the network; the rules between settings live in `settings`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use super::contender::{Contender, ContenderOutput, SET_BY_SWEEP, TimedBy};
use super::header::PlanHeader;
pub use super::memory::{Auto, MEMORY, MemoryChoice};
pub use super::tune_plan::TunePlan;
use super::written;
use crate::cell::UNITS_PER_VCPU;
use crate::plan::{ClientKind, Mode, Order, Work};
use crate::units;

/// The version of the plan file's format.
pub const VERSION: u32 = 1;

/// A server that each repetition starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerProgram {
    /// Its name in tables: the value of the factor `server`.
    pub name: String,
    /// Program and arguments, quoted as for a shell; none is started.
    pub command: String,
    /// More variables for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// A sweep, every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepPlan {
    /// Version of this format.
    pub version: u32,
    /// Source bucket; empty with the embedded server.
    pub bucket: String,
    /// Only keys that begin with this.
    pub prefix: String,
    /// URLs that are requested instead of objects, with names in braces; empty = a bucket.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "written::texts"
    )]
    pub urls: Vec<String>,
    /// Settings of the embedded server (`objects=…,size=…`); none = no embedded server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedded: Option<String>,
    /// vCPU of each shard.
    #[serde(deserialize_with = "written::vcpu")]
    pub vcpu: Vec<f64>,
    /// Memory of each shard.
    #[serde(deserialize_with = "written::memory")]
    pub memory: Vec<MemoryChoice>,
    /// Concurrency models.
    pub mode: Vec<Mode>,
    /// Clients of parfetch.
    pub client: Vec<ClientKind>,
    /// Workers of each shard.
    #[serde(deserialize_with = "written::whole")]
    pub concurrency: Vec<u32>,
    /// Runs side by side.
    #[serde(deserialize_with = "written::whole")]
    pub shards: Vec<u32>,
    /// Repetitions of each cell.
    pub repeat: u32,
    /// Keys of a repetition at most, the first of the list; none = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Random keys over the whole listing: a number, a size, `auto` or `all`; none = `all` with a limit, and elsewhere the default of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// Go round the keys until this time has passed, as `20m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// So many requests, round and round the URLs; none = each URL once, or until a time has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Their method; none = GET.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Their headers. A plan that is written has the names alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<PlanHeader>,
    /// Their body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// File that holds their body, as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_file: Option<PathBuf>,
    /// Statuses of good answers; none = `2xx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Whether each request opens a connection.
    #[serde(skip_serializing_if = "is_default")]
    pub no_keep_alive: bool,
    /// Where connections go instead of the URLs' own server, `HOST:PORT,…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// CPU work on every body.
    pub work: Work,
    /// Larger objects are fetched in parts of this size, as `8MiB`; none = every object whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<String>,
    /// In which order a repetition fetches its objects.
    #[serde(skip_serializing_if = "is_default")]
    pub order: Order,
    /// Seed of the order of the repetitions.
    pub seed: u64,
    /// A server is ready when it answers this path with a code from 200 to 299; none = when it accepts a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_ready: Option<String>,
    /// How long it may take until then, as `30s`; none = [`SERVER_TIMEOUT`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_timeout: Option<String>,
    /// How long to wait after it was ready, as `1s`; none = [`SERVER_SETTLE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_settle: Option<String>,
    /// vCPU of the server; none = 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_vcpu: Option<f64>,
    /// What a tune looks for; none = every configuration is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tune: Option<TunePlan>,
    /// Factors of the sweep's own, which texts name in braces.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "written::factors"
    )]
    pub factor: BTreeMap<String, Vec<String>>,
    /// Other programs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contender: Vec<Contender>,
    /// Servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server: Vec<ServerProgram>,
}

/// How long a server may take until it is ready, where the plan does not say.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a server was ready: the first of several workers answers before the others are there.
pub const SERVER_SETTLE: Duration = Duration::from_secs(1);

/// A plan says what is not usual: one of before there was a setting stays the same plan.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for SweepPlan {
    /// The study's matrix with `async` added, both clients, six repetitions.
    fn default() -> Self {
        Self {
            version: VERSION,
            bucket: String::new(),
            prefix: String::new(),
            urls: Vec::new(),
            embedded: None,
            vcpu: vec![1.0, 2.0, 4.0],
            memory: vec![MemoryChoice::Auto(Auto::Auto)],
            mode: Mode::ALL.to_vec(),
            client: vec![ClientKind::Sdk, ClientKind::Lean],
            concurrency: vec![1, 2, 4, 8, 16],
            shards: vec![1],
            repeat: 6,
            limit: None,
            sample: None,
            duration: None,
            requests: None,
            method: None,
            header: Vec::new(),
            body: None,
            body_file: None,
            expect: None,
            no_keep_alive: false,
            connect_to: None,
            work: Work::None,
            part_size: None,
            order: Order::Listed,
            seed: 1,
            server_ready: None,
            server_timeout: None,
            server_settle: None,
            server_vcpu: None,
            tune: None,
            factor: BTreeMap::new(),
            contender: Vec::new(),
            server: Vec::new(),
        }
    }
}

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Not TOML, or a field that is not known or of another kind.
    #[error("{0}")]
    Toml(String),
    /// Of a later parfetch.
    #[error("the plan has version {0}, and this parfetch reads version {VERSION}")]
    Version(u32),
}

/// When a server counts as ready, and how large it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRules {
    /// It answers this path with a code from 200 to 299; none = it accepts a connection.
    pub ready: Option<String>,
    /// How long that may take.
    pub timeout: Duration,
    /// How long to wait after that.
    pub settle: Duration,
    /// vCPU × 1024.
    pub cpu_units: u32,
}

impl SweepPlan {
    /// What holds for every server.
    pub fn server_rules(&self) -> ServerRules {
        let time = |text: &Option<String>, default| {
            text.as_deref()
                .and_then(|text| units::parse_duration(text).ok())
                .unwrap_or(default)
        };
        ServerRules {
            ready: self.server_ready.clone(),
            timeout: time(&self.server_timeout, SERVER_TIMEOUT),
            settle: time(&self.server_settle, SERVER_SETTLE),
            cpu_units: self
                .server_vcpu
                .and_then(cpu_units)
                .unwrap_or(UNITS_PER_VCPU),
        }
    }

    /// Whether requests to a web server are measured, and no bucket.
    pub fn is_web(&self) -> bool {
        !self.urls.is_empty()
    }

    /// How long a repetition lasts, when time ends it.
    pub fn time(&self) -> Option<Duration> {
        units::parse_duration(self.duration.as_deref()?).ok()
    }

    /// The plan file.
    ///
    /// # Panics
    /// Never: a plan is plain data.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a plan is plain data")
    }

    /// Reads a plan file; what it leaves out has its default.
    ///
    /// # Errors
    /// When it is none: one line, with the place.
    pub fn from_toml(text: &str) -> Result<Self, PlanError> {
        let plan: Self =
            toml::from_str(text).map_err(|error| PlanError::Toml(in_one_line(&error, text)))?;
        if plan.version == VERSION {
            Ok(plan)
        } else {
            Err(PlanError::Version(plan.version))
        }
    }

    /// Reads a plan file; what it leaves out is as in the plan below, also in its table `[tune]`.
    ///
    /// # Errors
    /// As of [`Self::from_toml`].
    pub fn from_toml_over(text: &str, below: &Self) -> Result<Self, PlanError> {
        // What is wrong is said with its line.
        Self::from_toml(text)?;
        let in_words = |error: toml::de::Error| PlanError::Toml(in_one_line(&error, text));
        let read = |text: &str| toml::from_str::<toml::Table>(text).map_err(in_words);
        let mut plan = read(&below.to_toml())?;
        for (name, given) in read(text)? {
            match (plan.get_mut(&name), given) {
                (Some(toml::Value::Table(below)), toml::Value::Table(given)) if name == "tune" => {
                    below.extend(given);
                }
                (_, given) => drop(plan.insert(name, given)),
            }
        }
        plan.try_into().map_err(in_words)
    }
}

/// `line 3: unknown field …`: the crate's own text draws the line and an arrow below it.
fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().trim().replace('\n', " ");
    match error.span() {
        Some(span) => format!(
            "line {}: {message}",
            text[..span.start.min(text.len())].matches('\n').count() + 1
        ),
        None => message,
    }
}

/// vCPU as CPU units: whole quarters up to 32, as Fargate has them.
pub fn cpu_units(vcpu: f64) -> Option<u32> {
    let units = vcpu * f64::from(UNITS_PER_VCPU);
    (1..=32 * 4)
        .map(|quarters| quarters * (UNITS_PER_VCPU / 4))
        .find(|whole| (f64::from(*whole) - units).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tune::GoalWord;

    #[test]
    fn a_plan_survives_its_file() {
        let plan = SweepPlan {
            embedded: Some("objects=5".to_owned()),
            limit: Some(7),
            part_size: Some("8MiB".to_owned()),
            order: Order::LargestFirst,
            memory: vec![MemoryChoice::Auto(Auto::Auto), MemoryChoice::Mib(2048)],
            contender: vec![Contender {
                name: "python".to_owned(),
                command: "python3 'a b.py'".to_owned(),
                mode: vec![Mode::Thread],
                environment: BTreeMap::from([("WORKERS".to_owned(), "{workers}".to_owned())]),
                task_definition: Some("fetch-study:3".to_owned()),
                container: Some("app".to_owned()),
                task_command: vec!["--workers".to_owned(), "{concurrency}".to_owned()],
                result: ContenderOutput {
                    csv: Some("{tag}.csv".to_owned()),
                    time: None,
                },
            }],
            server_ready: Some("/healthcheck".to_owned()),
            server_vcpu: Some(0.5),
            factor: BTreeMap::from([(
                "workers".to_owned(),
                vec!["1".to_owned(), "x y".to_owned()],
            )]),
            server: vec![ServerProgram {
                name: "uvicorn".to_owned(),
                command: "uvicorn --port {port}".to_owned(),
                environment: BTreeMap::new(),
            }],
            ..SweepPlan::default()
        };
        assert_eq!(SweepPlan::from_toml(&plan.to_toml()).unwrap(), plan);
        assert_eq!(SweepPlan::from_toml("").unwrap(), SweepPlan::default());
        let numbers = SweepPlan::from_toml("[factor]\na = [1, 2.5, true, 'x']\nb = 'c,d'").unwrap();
        assert_eq!(numbers.factor["a"], ["1", "2.5", "true", "x"]);
        assert_eq!(numbers.factor["b"], ["c", "d"]);
        assert!(
            plan.to_toml()
                .contains("part_size = \"8MiB\"\norder = \"largest-first\"\n"),
            "{}",
            plan.to_toml()
        );
        assert!(
            !SweepPlan::default().to_toml().contains("order"),
            "a sweep that was begun before there was an order can go on"
        );
        assert!(plan.to_toml().contains("memory = [\"auto\", 2048]"));
    }

    #[test]
    fn what_a_file_leaves_out_is_as_in_the_plan_below() {
        let below = SweepPlan {
            vcpu: vec![0.25],
            repeat: 1,
            tune: Some(TunePlan {
                run: "5s".to_owned(),
                ..TunePlan::default()
            }),
            ..SweepPlan::default()
        };
        let text = "concurrency = '1..4'\n[tune]\ngoal = 'fastest'\n[[contender]]\nname = 'app'\ncommand = 'x'\n";
        let plan = SweepPlan::from_toml_over(text, &below).unwrap();
        let tune = plan.tune.unwrap();
        assert_eq!((plan.vcpu, plan.repeat), (vec![0.25], 1));
        assert_eq!(plan.concurrency, [1, 2, 4]);
        assert_eq!((tune.goal, tune.run.as_str()), (GoalWord::Fastest, "5s"));
        assert_eq!(plan.contender[0].name, "app");
        let error = SweepPlan::from_toml_over("\nvcpus = 1\n", &below).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("line 2: unknown field `vcpus`")
        );
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said_with_its_line() {
        let error = |text: &str| SweepPlan::from_toml(text).unwrap_err().to_string();
        assert!(
            error("vcpu = [1]\ncolour = 3\n").starts_with("line 2: unknown field `colour`"),
            "{}",
            error("vcpu = [1]\ncolour = 3\n")
        );
        assert!(error("vcpu = \"many\"").starts_with("line 1: "));
        assert_eq!(
            error("version = 2"),
            "the plan has version 2, and this parfetch reads version 1"
        );
    }

    #[test]
    fn vcpu_are_whole_quarters() {
        let quarters = [0.25, 0.5, 1.0, 2.0, 32.0].map(cpu_units);
        assert_eq!(
            quarters,
            [Some(256), Some(512), Some(1024), Some(2048), Some(32_768)]
        );
        assert_eq!([0.0, 0.3, -1.0, 33.0, f64::NAN].map(cpu_units), [None; 5]);
    }
}
