//! A contender as the plan has it: another program that takes part, here and as a task on Fargate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::Mode;

/// Name of the CSV that a contender stores where its plan names none.
pub const CSV_NAME: &str = "result_{tag}_{mode}_{concurrency}.csv";

/// Variables that a sweep sets for its contenders by itself, each with the text that means the same; empty where settings of the sweep say it.
pub const SET_BY_SWEEP: [(&str, &str); 9] = [
    ("BUCKET_NAME", "{bucket}"),
    ("RESULT_BUCKET_NAME", "{results_bucket}"),
    ("CONCURRENCY", "{concurrency}"),
    ("MODE", "{mode}"),
    ("TAG", "{tag}"),
    ("PARFETCH_OUT", "{out}"),
    ("AWS_ENDPOINT_URL", ""),
    ("AWS_REGION", ""),
    ("AWS_DEFAULT_REGION", ""),
];

/// Another program that takes part. It reads the six variables of the study, or what its own texts name in braces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// Its name in tables.
    pub name: String,
    /// Program and arguments on this machine, quoted as for a shell; none is started. Empty: it runs as a task alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The modes that it has; empty = all of the plan, or one way of working where it does not take its mode from parfetch.
    #[serde(default, alias = "modes")]
    pub mode: Vec<Mode>,
    /// Its task definition on ECS: a family, `family:revision`, or an ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<String>,
    /// Its container in the task definition; none = the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What replaces the command of the container, word by word; empty = the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub task_command: Vec<String>,
    /// More variables for it; their values may name factors in braces, as its commands may.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// What its figures are read from.
    #[serde(default, skip_serializing_if = "ContenderOutput::is_default")]
    pub result: ContenderOutput,
}

/// What a contender's figures are read from: a CSV, or its time alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContenderOutput {
    /// Key of its CSV in the results bucket; none = [`CSV_NAME`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
    /// It writes no CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimedBy>,
}

/// What is timed where there is no CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimedBy {
    /// The whole program: from the start of its process or container to its end.
    Program,
}

impl ContenderOutput {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Contender {
    /// Whether its time is all that is known of it.
    pub const fn is_timed(&self) -> bool {
        self.result.time.is_some()
    }

    /// The text that names its CSV.
    pub fn csv(&self) -> &str {
        self.result.csv.as_deref().unwrap_or(CSV_NAME)
    }

    /// What it says with braces in it on this machine and on ECS.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.command.as_str())
            .chain(self.task_command.iter().map(String::as_str))
            .chain(self.environment.values().map(String::as_str))
    }
}
