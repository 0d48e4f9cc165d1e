//! The document of a tune, `tune.json` beside its repetitions: each step with what was expected and seen, and the answer. FORMAT.md describes every field.

use serde::{Deserialize, Serialize};

use super::contender::ContenderSettings;
use super::document::{DocumentKind, NotThisDocument};
use super::left_out::LeftOutCells;
use super::summary::Limit;
use crate::cell::{Cell, Program};
use crate::plan::{Factors, Mode};

/// What the field `schema` says.
pub const SCHEMA: &str = "parfetch.tune";
/// The version of the format that this program writes.
pub const VERSION: u32 = 1;
/// How the document is called in the folder of its sweep.
pub const FILE_NAME: &str = "tune.json";

/// A tune: what was asked, every step, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TuneDocument {
    /// `parfetch.tune`: what kind of document this is.
    pub schema: String,
    /// The version of the format.
    pub version: u32,
    /// Version of parfetch.
    pub tool_version: String,
    /// The name of the tune, and of the sweep that its runs are.
    pub id: String,
    /// Where it ran: `local`, `ecs` or `model`.
    pub on: String,
    /// The URLs that are requested, with names in braces; null for a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<String>,
    /// What is to be small.
    pub goal: GoalWord,
    /// The longest time of the whole bucket that is allowed, in seconds; null = any.
    pub deadline_s: Option<f64>,
    /// What counts as good as the best: 0.05 is 5 %.
    pub within: f64,
    /// How likely the answer must be that good for the tune to stop.
    pub wanted_confidence: f64,
    /// Objects of the whole bucket; of a web server the requests whose time is compared.
    pub objects: u64,
    /// Their bytes; null where sizes are not known.
    pub object_bytes: Option<u64>,
    /// One for each program, and for each server and each value of a factor, in the order in which they were tuned.
    pub answers: Vec<ProgramAnswer>,
    /// Configurations that were asked for, and that the place had no room for; missing = none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutCells>,
    /// Runs, failed ones too.
    pub runs: u64,
    /// Runs at most.
    pub most_runs: u64,
    /// Bytes that the runs fetched, as far as they say so.
    pub bytes: u64,
    /// Seconds of the runs, one after another.
    pub seconds: f64,
    /// What its tasks cost, in US dollars; null where nothing ran as a task, and without a price.
    pub usd_spent: Option<f64>,
    /// CPUs that the client had to itself, in the run with the most: 0 = it shared all of them with the server. Missing = not known, as on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cpus: Option<u32>,
    /// Why it ended; null while it goes on.
    pub stopped_because: Option<StoppedBecause>,
    /// Every run, in their order.
    pub steps: Vec<TuneStep>,
}

/// What the answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GoalWord {
    /// The least price of the task.
    Cheapest,
    /// The least time.
    Fastest,
    /// The least price × time.
    Balanced,
}

/// Why a tune ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoppedBecause {
    /// More runs would not change the answer.
    Sure,
    /// `--max-runs`.
    MaxRuns,
    /// `--max-time`.
    MaxTime,
    /// `--max-bytes`.
    MaxBytes,
    /// `--max-cost`.
    MaxCost,
    /// A signal.
    Interrupted,
    /// Nothing can be said: no run gave figures.
    Nothing,
}

/// The configuration that was found for one program, and how sure that is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProgramAnswer {
    /// `lean`, `sdk`, or the name of a contender.
    pub program: String,
    /// The server and the factors that the configurations of this answer have, by their names.
    #[serde(default, skip_serializing_if = "Factors::is_empty")]
    pub factors: Factors,
    /// The cheapest that was measured; the answer, where this is the goal.
    pub cheapest: Option<TunedChoice>,
    /// The fastest that was measured; the answer, where this is the goal.
    pub fastest: Option<TunedChoice>,
    /// The answer, where this is the goal; null otherwise.
    pub balanced: Option<TunedChoice>,
    /// Chance that no configuration is better by more than `within`, as far as the platform behaves as such platforms do; null without an answer and
    /// for a first look.
    pub confidence: Option<f64>,
    /// The answer is a first look, as its runs fetched for only so many seconds in the median; null where they were long enough.
    #[serde(default)]
    pub first_look_s: Option<f64>,
    /// The answer is a first look, as the tune was ended after so many runs of the program; missing where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_look_runs: Option<u64>,
    /// By which share the answer is worse than the best, in 95 of 100 cases at most.
    pub at_worst: Option<f64>,
    /// Configurations that are as good as the answer, in the order in which they would be taken.
    pub tied_with: Vec<TunedConfiguration>,
    /// Configurations that may be better by more than `within`, most likely first; empty where the answer is sure.
    pub open: Vec<TunedConfiguration>,
    /// About how many runs of each of two configurations show a difference of `within`; null without an answer.
    pub runs_needed: Option<u64>,
    /// How runs vary: the standard deviation of the logarithm of a rate.
    pub noise: Option<f64>,
    /// Whether they may vary by more: `noise` is the most that is looked for, and `runs_needed` are the fewest.
    #[serde(default)]
    pub noise_is_more: bool,
    /// Whether the answer lies at the edge of what could be measured.
    pub at_edge: bool,
    /// At which.
    pub edges: Vec<EdgeWord>,
    /// What limits the answer, by the rules of the report; null without an answer.
    pub limit: Option<Limit>,
    /// What is expected of each configuration of the answer's size, by all runs and the law; measured or not.
    #[serde(default)]
    pub curve: Vec<ExpectedRate>,
    /// The best configuration of each other size that was not looked at any further, the best of them first.
    #[serde(default)]
    pub dropped: Vec<DroppedSize>,
    /// What a contender gets in the configuration that was found; null for parfetch's own clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<ContenderSettings>,
    /// Its container on ECS; null elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Whether the time of its runs is all that is known: times and prices are those of one run, and what it read is not known. Missing = false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_timed_alone: bool,
    /// The longest run of this size in seconds of fetching: a burst that lasts longer was not seen to end.
    pub seen_for_s: Option<f64>,
}

/// What is expected of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedRate {
    /// The configuration.
    #[serde(flatten)]
    pub configuration: TunedConfiguration,
    /// While every worker is busy; null where the time of a run is all that is known.
    pub objects_per_s: Option<f64>,
    /// Seconds of a run, where that is all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_s: Option<f64>,
}

/// A size that cannot be the answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DroppedSize {
    /// The best of it.
    #[serde(flatten)]
    pub configuration: TunedConfiguration,
    /// By which share it is expected to be worse than the answer.
    pub worse: f64,
    /// Runs of it.
    pub runs: u64,
}

/// An end of what could be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EdgeWord {
    /// No configuration has fewer workers.
    FewestWorkers,
    /// No configuration has more workers.
    MostWorkers,
    /// There is no smaller size.
    SmallestTask,
    /// There is no larger size.
    LargestTask,
}

/// A configuration of a program.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TunedConfiguration {
    /// vCPUs of the task.
    pub vcpu: f64,
    /// Its memory in MiB.
    pub memory_mib: u32,
    /// What a worker is.
    pub mode: Mode,
    /// Workers.
    pub concurrency: u32,
}

/// A configuration that was measured, and what the whole bucket takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TunedChoice {
    /// The configuration.
    #[serde(flatten)]
    pub configuration: TunedConfiguration,
    /// Seconds of the process for the whole bucket: 2.5, 50 and 97.5 %.
    pub seconds: [f64; 3],
    /// Price of the task for it in US dollars: 2.5, 50 and 97.5 %; null without a price.
    pub usd: Option<[f64; 3]>,
    /// Price of its requests in US dollars, which come on top; null without a price.
    #[serde(default)]
    pub usd_requests: Option<f64>,
    /// Price of reading from colder storage classes in US dollars; on top as well, null without a price.
    #[serde(default)]
    pub usd_retrieval: Option<f64>,
    /// Price of bytes that leave the region in US dollars; on top as well, null where that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_egress: Option<f64>,
    /// Good answers of a web server a second: 2.5, 50 and 97.5 %; null for a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_s: Option<[f64; 3]>,
    /// Whether that is the price of the shortest time that is billed.
    pub is_minimum: bool,
    /// Whether its tasks ran on Spot capacity and have the price of On-Demand, because the price of Spot is not known: less was paid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_on_demand: bool,
    /// Runs of this configuration.
    pub runs: u64,
}

/// One run: why it was made, what was expected, and what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TuneStep {
    /// From 1.
    pub run: u64,
    /// `lean`, `sdk`, or the name of a contender.
    pub program: String,
    /// The server and the factors of the configuration, by their names.
    #[serde(default, skip_serializing_if = "Factors::is_empty")]
    pub factors: Factors,
    /// The configuration.
    #[serde(flatten)]
    pub configuration: TunedConfiguration,
    /// Which run of this configuration, from 1.
    pub repetition: u32,
    /// Why it was made.
    pub why: StepReason,
    /// Objects that it was to fetch; null where time ended it, or it fetched all.
    pub keys: Option<u64>,
    /// Seconds after which time ended it; null where it did not.
    pub duration_s: Option<f64>,
    /// What was expected; null where the time of a run is all that is known.
    pub expected_objects_per_s: Option<f64>,
    /// Seconds that a run was expected to take, where that is all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_s: Option<f64>,
    /// What was seen; null where it failed.
    pub seen: Option<StepFigures>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// Why a run was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StepReason {
    /// The ends and the middle of what is possible.
    Start,
    /// It was the best so far.
    Best,
    /// It may have been better than the best.
    MayBeBetter,
    /// What is recommended must run more than once.
    Confirm,
    /// It is next to what may be recommended.
    Neighbour,
    /// Its size may have a burst that ends.
    Burst,
}

/// What a run showed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepFigures {
    /// While every worker was busy, before any drop; null where the time of the run is all that is known.
    pub objects_per_s: Option<f64>,
    /// Bytes of complete objects ÷ seconds of fetching; null where they are not known, and of a web server.
    pub bytes_per_s: Option<f64>,
    /// Seconds of fetching.
    pub fetch_s: f64,
    /// Of them those when some workers had nothing left to do; null where a program does not say it.
    pub tail_s: Option<f64>,
    /// Share of the attempts that were told «too fast»; null where a program does not say it.
    pub throttled: Option<f64>,
    /// Share of the vCPUs that was used; null where it is not known.
    pub cpu_share: Option<f64>,
    /// When the rate dropped for good, in seconds; null where it did not.
    pub drop_at_s: Option<f64>,
}

/// What the document is called.
const KIND: DocumentKind = DocumentKind {
    schema: SCHEMA,
    version: VERSION,
    name: "document of a tune",
    short: "document of a tune",
};

impl TunedConfiguration {
    /// That of a cell.
    pub fn of(cell: &Cell) -> Self {
        Self {
            vcpu: cell.vcpu(),
            memory_mib: cell.memory_mib,
            mode: cell.mode,
            concurrency: cell.concurrency,
        }
    }

    /// Whether a cell is this configuration of what an answer is of.
    pub fn is_of(&self, cell: &Cell, answer: &ProgramAnswer) -> bool {
        *self == Self::of(cell) && answer.is_of(&cell.program, &cell.factors)
    }
}

impl TuneStep {
    /// Whether it is a run of what an answer is of.
    pub fn is_of(&self, answer: &ProgramAnswer) -> bool {
        self.program == answer.program && self.factors == answer.factors
    }
}

impl ProgramAnswer {
    /// Of a program of which nothing is known.
    pub fn nothing(program: &Program) -> Self {
        Self {
            program: program.name().to_owned(),
            ..Self::default()
        }
    }

    /// Whether it is the answer for this program with these factors.
    pub fn is_of(&self, program: &Program, factors: &Factors) -> bool {
        self.program == program.name() && self.factors == *factors
    }

    /// The configuration that was asked for.
    pub fn choice(&self, goal: GoalWord) -> Option<&TunedChoice> {
        match goal {
            GoalWord::Cheapest => self.cheapest.as_ref(),
            GoalWord::Fastest => self.fastest.as_ref(),
            GoalWord::Balanced => self.balanced.as_ref(),
        }
    }
}

impl TuneDocument {
    /// The document, indented, with a line end. Errors are serde's own, and what this program computes has none.
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

    const KEPT_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/tune-v1.json");

    fn schema() -> serde_json::Value {
        schemars::schema_for!(TuneDocument).to_value()
    }

    fn schema_text() -> String {
        serde_json::to_string_pretty(&schema()).unwrap() + "\n"
    }

    #[test]
    fn the_kept_schema_is_the_generated_one() {
        let kept = std::fs::read_to_string(KEPT_SCHEMA).unwrap_or_default();
        assert!(kept == schema_text(), "`cargo xtask schema` writes it");
    }

    #[test]
    #[ignore = "writes schema/tune-v1.json; run it after a change of the types"]
    fn regenerate_the_kept_schema() {
        std::fs::write(KEPT_SCHEMA, schema_text()).unwrap();
    }

    #[test]
    fn every_field_is_documented() {
        let text = include_str!("../../../../FORMAT.md");
        let schema = schema();
        let definitions = schema["$defs"].as_object().unwrap().values();
        let mut missing = Vec::new();
        for object in definitions.chain([&schema]) {
            let properties = object["properties"].as_object().into_iter().flatten();
            missing.extend(
                properties
                    .map(|(name, _)| name.clone())
                    .filter(|name| !text.contains(&format!("`{name}`"))),
            );
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn other_documents_and_later_versions_are_refused() {
        let refused = |text: &str| TuneDocument::from_json(text).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"schema": "parfetch.repetition", "version": 1}"#),
            "not a document of a tune: its schema is `parfetch.repetition`"
        );
        assert_eq!(
            refused(r#"{"schema": "parfetch.tune", "version": 2}"#),
            "the document of a tune has version 2, and this parfetch reads up to version 1"
        );
    }
}
