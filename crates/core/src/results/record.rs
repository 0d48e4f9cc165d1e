//! The record of one repetition in a sweep: which cell, how it was limited, what was measured from outside, and where its own results are.
//!
//! It is `repetition.json` beside the results, for contenders too, which write no summary. FORMAT.md describes every field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::contender::{ContenderResult, ContenderSettings, ContenderTimes};
use super::document::{DocumentKind, NotThisDocument};
pub use super::left_out::{LeftOutCells, LeftOutReason};
pub use super::limited::{Limited, Means};
use super::summary::{HttpSettings, SampleFacts, StorageClass};
use crate::cell::Cell;
use crate::units;

/// What the field `schema` says in every record.
pub const SCHEMA: &str = "parfetch.repetition";

/// The version of the format that this program writes.
pub const VERSION: u32 = 1;

/// How the record is called in the folder of its repetition.
pub const FILE_NAME: &str = "repetition.json";

/// One repetition of one cell, as the sweep saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// `parfetch.repetition`: what kind of document this is.
    pub schema: String,
    /// The version of the format.
    pub version: u32,
    /// Version of parfetch.
    pub tool_version: String,
    /// What holds for the whole sweep.
    pub sweep: SweepFacts,
    /// Which cell.
    pub cell: Cell,
    /// Which repetition: from 1; 0 is the warm-up, which does not count.
    pub repetition: u32,
    /// Which try at it, from 1: a repetition that was cut off is tried again.
    pub attempt: u32,
    /// Its place in the order of the sweep, from 0.
    pub position: u32,
    /// How much of the key list it fetches; null where all repetitions of the sweep fetch the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<RepetitionAmount>,
    /// UTC, RFC 3339: a label.
    pub started_at: String,
    /// How vCPU and memory were limited.
    pub limited: Limited,
    /// Why it failed; null when it did not.
    pub failure: Option<RepetitionFailure>,
    /// What was measured from outside, for parfetch and contenders alike; null when it did not start.
    pub outside: Option<Outside>,
    /// What a contender's own CSV says; null for parfetch, whose summaries say more.
    pub contender: Option<ContenderResult>,
    /// What the optional columns of its CSV say; null where it has no times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contender_times: Option<Box<ContenderTimes>>,
    /// What a contender was told of its configuration; null for parfetch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contender_settings: Option<Box<ContenderSettings>>,
    /// Names of the summaries of parfetch beside this record, one a shard.
    pub summaries: Vec<String>,
    /// The embedded server during this repetition; null without one.
    pub server: Option<ServerUse>,
    /// The server that was started for this repetition; null without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_server: Option<StartedServer>,
    /// Its tasks on Fargate, one a shard; empty elsewhere.
    #[serde(default)]
    pub tasks: Vec<TaskRun>,
    /// Other repetitions of the sweep whose tasks ran at the same time, as `CELL/rNN-aM`: they share what S3 gives. Empty when it ran alone.
    #[serde(default)]
    pub beside: Vec<String>,
}

/// How much of the key list a repetition fetches, where `tune` decided it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RepetitionAmount {
    /// The first so many keys of the list, which is in a random order; null = all.
    pub keys: Option<u64>,
    /// The keys were gone round until this time had passed; null = once.
    pub duration_ns: Option<u64>,
}

/// One task as ECS told of it. What it did not reach, or ECS did not tell, is null. Times are UTC, RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TaskRun {
    /// Which shard it fetched, from 0.
    pub shard: u32,
    /// Its ARN; null when no task was started.
    pub arn: Option<String>,
    /// Starts before it that were refused: no capacity, throttled.
    pub refused_starts: u32,
    /// `RunTask` was taken.
    pub created_utc: Option<String>,
    /// The pull of the image began: billing begins.
    pub pull_started_utc: Option<String>,
    /// The image was there.
    pub pull_stopped_utc: Option<String>,
    /// The container ran.
    pub started_utc: Option<String>,
    /// It was told to stop, or had ended.
    pub stopping_utc: Option<String>,
    /// The container had ended.
    pub execution_stopped_utc: Option<String>,
    /// It had stopped: billing ends.
    pub stopped_utc: Option<String>,
    /// From `pull_started_utc` to `stopped_utc`, without the minimum of a minute; null when one of them is.
    pub billed_ns: Option<u64>,
    /// From `created_utc` to `stopped_utc`; null when one of them is.
    pub lived_ns: Option<u64>,
    /// Exit code of the container.
    pub exit_code: Option<i32>,
    /// `EssentialContainerExited`, `SpotInterruption` …
    pub stop_code: Option<String>,
    /// Why it stopped, in ECS's words.
    pub stopped_reason: Option<String>,
    /// Why its container stopped, in ECS's words.
    pub container_reason: Option<String>,
    /// Such as `us-east-1d`.
    pub availability_zone: Option<String>,
    /// `FARGATE` or `FARGATE_SPOT`.
    pub capacity: Option<String>,
    /// Whether it had a public IPv4 address, which costs money; null where that is not known.
    #[serde(default)]
    pub public_address: Option<bool>,
    /// Name of the container that was measured, where it is a contender's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Names of other containers in it, such as `aws-guardduty-agent`: they share its CPU and memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<String>,
}

/// What holds for every repetition of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SweepFacts {
    /// The sweep's name.
    pub id: String,
    /// SHA-256 of the plan that it was begun with.
    pub plan_sha256: String,
    /// SHA-256 of the frozen key list.
    pub keys_sha256: String,
    /// Where the cells ran: `local` or `ecs`.
    pub on: String,
    /// On ECS the task definition with its revision, which holds for the whole sweep; null elsewhere, and where contenders alone are measured.
    #[serde(default)]
    pub task_definition: Option<String>,
    /// On ECS the task definitions of contenders with their revisions, by the contenders' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contender_definitions: BTreeMap<String, String>,
    /// On ECS the processor architecture of its tasks, as ECS calls it: prices differ by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Seed of the order.
    pub seed: u64,
    /// Repetitions of each cell that the plan asks for.
    pub repetitions: u32,
    /// Configurations of the plan that the place had no room for when this repetition was made; missing = none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutCells>,
    /// Source bucket.
    pub bucket: String,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys fetched in a repetition at most, the first of the list; null = all.
    pub limit: Option<u64>,
    /// The random sample that every repetition fetches: it is the frozen key list. Null = the key list has every key.
    #[serde(default)]
    pub sample: Option<SampleFacts>,
    /// The keys were gone round until this time had passed; null = once.
    pub duration_ns: Option<u64>,
    /// Region that prices are looked up for; null where it is not known.
    pub region: Option<String>,
    /// The S3 endpoint, when it is not AWS's own.
    pub endpoint: Option<String>,
    /// Settings of the embedded server; null without one.
    pub embedded: Option<String>,
    /// What was requested of a web server, with names in braces; null for a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSettings>,
    /// Keys that were listed: the bucket's size, whatever `limit` and `sample` say.
    pub keys: u64,
    /// Their size as listed.
    pub bytes: Option<u64>,
    /// The keys by storage class.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// How long the one listing took.
    pub listing_ns: Option<u64>,
    /// Where its results are stored as well, `s3://bucket/prefix`; null where they stay on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<String>,
}

impl SweepFacts {
    /// Keys and bytes of the frozen key list.
    pub fn frozen(&self) -> (u64, Option<u64>) {
        self.sample
            .as_ref()
            .map_or((self.keys, self.bytes), |sample| {
                (sample.keys, sample.bytes)
            })
    }

    /// Keys that the runs of one repetition list together; `None` where that does not follow: a limit holds for each shard by itself.
    pub fn keys_of_a_repetition(
        &self,
        (shards, amount): (u32, Option<RepetitionAmount>),
    ) -> Option<u64> {
        match amount.and_then(|amount| amount.keys).or(self.limit) {
            Some(limit) if shards <= 1 => Some(self.frozen().0.min(limit)),
            Some(_) => None,
            None => Some(self.frozen().0),
        }
    }

    /// What is wrong when these runs, one a shard, listed other keys than the key list has.
    pub fn other_keys(
        &self,
        listed: impl Iterator<Item = u64>,
        of: (u32, Option<RepetitionAmount>),
    ) -> Option<String> {
        let (listed, keys) = (listed.sum::<u64>(), self.keys_of_a_repetition(of)?);
        let has = if of.1.is_some_and(|amount| amount.keys.is_some()) {
            "it was to fetch"
        } else {
            "the sweep's key list has"
        };
        (listed != keys).then(|| {
            format!(
                "its runs had {} keys, and {has} {}",
                units::count(listed),
                units::count(keys)
            )
        })
    }
}

/// Why a repetition gave no figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RepetitionFailure {
    /// One line.
    pub reason: String,
    /// Exit code; null after a signal.
    pub exit_code: Option<i32>,
    /// The last lines that it wrote to stderr.
    pub stderr: Vec<String>,
    /// Whether the platform broke it, so that another attempt follows.
    #[serde(default)]
    pub again: bool,
    /// Whether memory or time ran out, so that a larger size may not fail. Not in the file.
    #[serde(skip)]
    pub is_of_size: bool,
}

/// What was measured from outside: the whole processes, from their start to their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outside {
    /// Start of the first process to the end of the last.
    pub wall_ns: u64,
    /// CPU time, user.
    pub cpu_user_ns: Option<u64>,
    /// CPU time, system.
    pub cpu_sys_ns: Option<u64>,
    /// Largest sum of the processes' PSS that a sample found.
    pub peak_pss_bytes: Option<u64>,
    /// How many samples were taken.
    pub pss_samples: u64,
    /// Time in which the quota held it back; null where the kernel does not say.
    pub throttled_ns: Option<u64>,
}

/// What the embedded server used while a repetition went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerUse {
    /// Its CPU time.
    pub cpu_ns: u64,
    /// Threads that serve.
    pub threads: u32,
    /// GETs it answered.
    pub gets: u64,
    /// Mean time from a request to its last byte; null without a GET.
    pub service_mean_ns: Option<u64>,
}

/// A server that was started for one repetition, from the moment when it was ready to the end of what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StartedServer {
    /// Its name in the plan.
    pub name: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// vCPU that it was limited to.
    pub vcpu: f64,
    /// Numbers of the CPUs it could run on.
    pub cpus: Vec<u32>,
    /// From its start until it was ready, with the time to settle.
    pub ready_ns: u64,
    /// CPU time of all its processes, user; null where no control group counts it.
    pub cpu_user_ns: Option<u64>,
    /// CPU time, system.
    pub cpu_sys_ns: Option<u64>,
    /// Time in which its quota held it back; null where the kernel does not say.
    pub throttled_ns: Option<u64>,
    /// Sum of its processes' PSS at the end; null where it cannot be read.
    pub pss_bytes: Option<u64>,
    /// Its processes at the end.
    pub processes: u64,
}

/// What the document is called.
const KIND: DocumentKind = DocumentKind {
    schema: SCHEMA,
    version: VERSION,
    name: "repetition's record",
    short: "record",
};

impl Record {
    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// Never for what this program computes; serde's own otherwise.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a document back; fields that a later parfetch added are passed over.
    ///
    /// # Errors
    /// When it is another document, or of a later version.
    pub fn from_json(text: &str) -> Result<Self, NotThisDocument> {
        KIND.read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Program;
    use crate::fuzz::Target;
    use crate::plan::Mode;

    /// Names of all properties below this place of a schema.
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        if let Some(properties) = value
            .get("properties")
            .and_then(|properties| properties.as_object())
        {
            found.extend(properties.keys().cloned());
        }
        let inner = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, inner)| inner);
        inner
            .chain(value.as_array().into_iter().flatten())
            .for_each(|inner| names(inner, found));
    }

    #[test]
    fn every_field_is_documented() {
        let text = include_str!("../../../../FORMAT.md");
        let mut found = Vec::new();
        names(&schemars::schema_for!(Record).to_value(), &mut found);
        assert!(found.len() > 40, "the schema was walked");
        let stands = |name: &str| {
            [
                format!("`{name}`"),
                format!(".{name}`"),
                format!("`{name}."),
            ]
            .iter()
            .any(|form| text.contains(form))
        };
        let missing: Vec<&String> = found.iter().filter(|name| !stands(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn other_documents_and_later_versions_are_refused() {
        let other = r#"{"schema": "parfetch.run-summary", "version": 1}"#;
        assert!(matches!(
            Record::from_json(other),
            Err(NotThisDocument::Schema { .. })
        ));
        let later = r#"{"schema": "parfetch.repetition", "version": 2}"#;
        assert!(matches!(
            Record::from_json(later),
            Err(NotThisDocument::Version { version: 2, .. })
        ));
        assert!(matches!(
            Record::from_json("{"),
            Err(NotThisDocument::Json { .. })
        ));
    }

    #[test]
    fn fuzz_records() {
        let words = &[
            "null",
            "true",
            "{}",
            "[]",
            "\"\"",
            ",",
            "\"cgroup-v2\"",
            "1e999",
            "\\u0000",
            "\\ud800",
        ];
        let mode = Mode::Thread;
        let cell = Cell {
            program: Program::Contender("python".to_owned()),
            cpu_units: 512,
            memory_mib: 1_024,
            mode,
            concurrency: 4,
            shards: 2,
            factors: crate::plan::Factors::default(),
        };
        let seed = crate::results::fixture::record(&cell, 3)
            .to_json()
            .unwrap()
            .into_bytes();
        Target {
            name: "record",
            seeds: vec![seed],
            words,
            cases: 5_000,
        }
        .run(|bytes| {
            let Ok(record) = Record::from_json(&String::from_utf8_lossy(bytes)) else {
                return;
            };
            assert_eq!(
                Record::from_json(&record.to_json().unwrap()).unwrap(),
                record
            );
        });
    }
}
