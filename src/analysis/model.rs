//! What a report says, as plain data: studies, their cells with figures and verdicts, prices, predictions and recommendations.
//!
//! Everything that renders a report (terminal, Markdown, CSV, JSON, page, `compare`) reads these types and computes nothing of its own.
//! Values are in base units (bytes, seconds, bytes a second, US dollars); `None` is «not known» and is shown as `–`, never as 0.

use std::collections::BTreeMap;

use serde::Serialize;

use super::advice::{Cost, Held, MostServed, Prediction, Recommendation};
use super::grounds::Ground;
use super::metric::Metric;
use super::notes::{CellNote, CurveNote, Note};
use super::observation::Observation;
use crate::cell::{Cell, Program};
use crate::plan::{Access, Factors, Layout, Mode, Work};
use crate::results::record::LeftOutCells;
use crate::results::summary;
pub use crate::results::summary::Limit;
use crate::results::summary::{HttpSettings, StorageClass};
use crate::results::tune::TuneDocument;
pub use crate::stats::best::Standing;
pub use crate::stats::location::Interval;

/// What limited a cell, and the figures it was judged by.
pub type CellVerdict = summary::Verdict<Ground>;

/// One workload at one place, with every cell that was measured. Runs of different workloads never share a median.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What was fetched, and where.
    pub workload: Workload,
    /// What else is known of it.
    pub facts: Facts,
    /// In the order program, vCPU, memory, factors, mode, shards, concurrency.
    pub cells: Vec<CellReport>,
    /// The cells that differ in concurrency alone, with their knee; in the order of the cells.
    pub curves: Vec<Curve>,
    /// One a program: contenders first, then parfetch's own clients, each in the order of the cells.
    pub recommendations: Vec<Recommendation>,
    /// Of a web server, which configuration answers most requests a second; it has no recommendations.
    pub served: Option<MostServed>,
    /// What a reader must know.
    pub notes: Vec<Note>,
}

/// In place of the settings of an embedded server that a single run had: its summary has none.
pub const NOT_RECORDED: &str = "settings not recorded";

/// What makes runs comparable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// Source bucket; empty where a web server was measured.
    pub bucket: String,
    /// What was sent to a web server; `None` for a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSettings>,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys of a repetition at most, the first of the listing.
    pub limit: Option<u64>,
    /// The random sample that was fetched; `None` when it was every key, or the first of them.
    pub sample: Option<Sampled>,
    /// The keys were gone round until this time had passed.
    pub duration_ns: Option<u64>,
    /// CPU work on every body; `None` where contenders ran alone.
    pub work: Option<Work>,
    /// Order of fetching and size of parts; `None` where contenders ran alone.
    pub layout: Option<Layout>,
    /// SHA-256 of the frozen key list; `None` for runs of their own.
    pub keys_sha256: Option<String>,
    /// Keys of the whole listing, whatever limit and sample say.
    pub keys: Option<u64>,
    /// Their size.
    pub bytes: Option<u64>,
    /// Region.
    pub region: Option<String>,
    /// Endpoint, when it is not AWS's own.
    pub endpoint: Option<String>,
    /// Settings of the embedded server, or [`NOT_RECORDED`].
    pub embedded: Option<String>,
    /// Where the cells ran.
    pub place: Place,
}

impl Workload {
    /// What its configurations are compared by.
    pub fn rate(&self) -> Metric {
        if self.http.is_some() {
            Metric::RequestsPerS
        } else {
            Metric::Throughput
        }
    }

    /// `s3://images/2024/`, or the URLs in a few words.
    pub fn source(&self) -> String {
        if let Some(http) = &self.http {
            return http.urls.clone();
        }
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.bucket, self.prefix)
    }

    /// What a person calls it: the embedded server has a bucket, whose name nobody chose.
    pub fn title(&self) -> String {
        if self.embedded.is_some() {
            "embedded server".to_owned()
        } else {
            self.source()
        }
    }

    /// Whether the store was on the machine that fetched: then there is no network between them.
    pub fn is_without_network(&self) -> bool {
        let access = Access {
            endpoint_url: self.endpoint.clone(),
            ..Access::default()
        };
        !self.place.is_fargate() && (self.embedded.is_some() || access.is_on_this_machine())
    }
}

/// A random sample of all keys, in proportion within size classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sampled {
    /// How large it was to be, in words.
    pub asked: String,
    /// What it was drawn with.
    pub seed: u64,
    /// Its keys.
    pub keys: u64,
    /// Their size; `None` where a size is not known.
    pub bytes: Option<u64>,
}

impl Sampled {
    /// With the sample of another shard, which has other keys.
    pub(super) fn with(self, other: &Self) -> Self {
        let bytes = self.bytes.zip(other.bytes).map(|(one, other)| one + other);
        Self {
            keys: self.keys + other.keys,
            bytes,
            ..self
        }
    }
}

/// Where runs took place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// `local`, `ecs`, `batch` as the sweep says; `fargate` or `local` for runs of their own.
    pub on: String,
    /// `x86_64`, `aarch64`.
    pub arch: Option<String>,
    /// CPU model and number of CPUs where that makes the machine (not on Fargate, whose hosts differ).
    pub machine: Option<String>,
}

impl Place {
    /// Whether a model of a platform made the results: nothing was measured.
    pub fn is_model(&self) -> bool {
        self.on == "model"
    }

    /// Whether sizes are those of Fargate's tasks, and a price is that of the tasks themselves.
    pub fn is_fargate(&self) -> bool {
        matches!(self.on.as_str(), "ecs" | "batch" | "fargate" | "model")
    }
}

/// Facts of a study that its tables stand on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Sweeps; empty for runs of their own.
    pub sweeps: Vec<String>,
    /// UTC of the first start.
    pub first_start: Option<String>,
    /// UTC of the last start.
    pub last_start: Option<String>,
    /// Versions of parfetch.
    pub tool_versions: Vec<String>,
    /// `linux`, with its kernel.
    pub system: Option<String>,
    /// CPU model.
    pub cpu_model: Option<String>,
    /// CPUs of the machine that could be used.
    pub machine_cpus: Option<u32>,
    /// How vCPU and memory were held, in words, every means that was used.
    pub limited_by: Vec<String>,
    /// Fewest CPUs that the cells could run on, apart from those shared with the server; `None` when not recorded.
    pub client_cpus: Option<u32>,
    /// Whether any repetition shared its CPUs with the embedded server.
    pub shared_with_server: Option<bool>,
    /// Keys by storage class.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// The one listing of all keys, seconds.
    pub listing_s: Option<f64>,
    /// Repetitions of each cell that were planned; the largest of several sweeps.
    pub planned_repetitions: Option<u32>,
    /// Configurations that the last command of a sweep had no room for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutCells>,
    /// Repetitions that ended well.
    pub observations: u64,
    /// Repetitions that failed.
    pub failures: u64,
    /// Warnings of the runs, with how many runs gave each.
    pub warnings: BTreeMap<String, u64>,
    /// Date of the price list.
    pub prices_dated: Option<String>,
    /// Where the results were stored, `s3://bucket/prefix`; `None` where they stayed on the machine.
    pub results: Option<String>,
    /// The document of the tune whose runs these are.
    #[serde(skip)]
    pub tune: Option<Box<TuneDocument>>,
    /// The file of the sweep's plan; `None` where it is not beside the results that were read.
    pub plan: Option<String>,
    /// Sweeps that lay in the same place and are not in this study, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_sweeps: Vec<OtherSweep>,
}

/// A sweep that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherSweep {
    /// Its name.
    pub id: String,
    /// UTC of its last start.
    pub last_start: String,
    /// Its folder, or its prefix in a bucket.
    pub folder: String,
    /// No repetition that counts has figures.
    pub is_without_figures: bool,
}

/// A cell and everything that was found out about it.
#[derive(Clone, Debug, PartialEq)]
pub struct CellReport {
    /// The factors. A size of 0 is one that could not be found out (a run of its own on a system that does not tell).
    pub cell: Cell,
    /// Repetitions that ended well, in order.
    pub observations: Vec<Observation>,
    /// Repetitions that did not.
    pub failures: Vec<FailedRepetition>,
    /// Figures by metric; a metric of which no repetition knows its value is not in it.
    pub figures: BTreeMap<Metric, Figure>,
    /// The throughput of each repetition without what the time of the run did to it: what tests compare.
    pub steady: Vec<f64>,
    /// What limited it.
    pub verdict: CellVerdict,
    /// Against the best of the cells of its program and size, by throughput.
    pub standing: Standing,
    /// Whether it is as fast as the fastest of its curve, by the rule of the knee, which is the first of these; false where there is no knee.
    pub is_as_fast: bool,
    /// Whether it is the knee of its curve.
    pub is_knee: bool,
    /// Against other cells, on worker start + fetch time.
    pub speed_ups: Vec<SpeedUp>,
    /// CPU units and MiB of the Fargate task that it is priced and recommended as; `None` where there is none or its size is not known.
    pub fargate: Option<(u32, u32)>,
    /// What it costs; `None` where the price is not known (the notes say why).
    pub cost: Option<Cost>,
    /// How long its rate was seen to hold, and whether it dropped; `None` without a series.
    pub held: Option<Held>,
    /// The whole bucket with this cell; `None` without figures, or when the bucket's size is not known.
    pub prediction: Option<Prediction>,
    /// What a reader must know.
    pub notes: Vec<CellNote>,
}

impl CellReport {
    /// The figure of a metric; `None` is shown as `–`.
    pub fn figure(&self, metric: Metric) -> Option<&Figure> {
        self.figures.get(&metric)
    }

    /// Whether its time is all that is known of it: its program writes no CSV.
    pub fn is_timed_alone(&self) -> bool {
        self.observations.iter().any(|one| one.is_timed_alone)
    }

    /// Whether any repetition failed: shown as `!`.
    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty()
            || self
                .observations
                .iter()
                .any(|observation| observation.counts.failed.is_some_and(|failed| failed > 0))
    }
}

/// A repetition without figures. Never dropped in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FailedRepetition {
    /// The record or summary.
    pub document: String,
    /// The sweep; `None` for a run of its own.
    pub sweep: Option<String>,
    /// Which repetition.
    pub repetition: u32,
    /// How many tries there were.
    pub attempts: u32,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// One line.
    pub reason: String,
    /// Of a sharded run, the shards of which nothing was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_shards: Vec<u32>,
}

/// One metric of one cell over its repetitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The repetitions' values, in their order, without those that do not know it.
    pub values: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// 95 % interval of the median; `None` with too few repetitions.
    pub interval: Option<Interval>,
    /// Repetitions.
    pub n: usize,
}

/// Cells that differ in concurrency alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What fetches.
    pub program: Program,
    /// vCPU × 1024 of each shard.
    pub cpu_units: u32,
    /// Memory of each shard, MiB.
    pub memory_mib: u32,
    /// Concurrency model.
    pub mode: Mode,
    /// Runs side by side.
    pub shards: u32,
    /// The server, and the sweep's own factors.
    pub factors: Factors,
    /// Places of its cells in [`Study::cells`], by ascending concurrency.
    pub cells: Vec<usize>,
    /// The smallest concurrency whose rate is within 2 % of the best, or within 5 % (two standard errors of the difference of two medians where they vary more, 15 % at
    /// most) and not significantly slower; `None` when there is none to tell.
    pub knee: Option<u32>,
    /// Why there is no knee, or what it lacks.
    pub note: Option<CurveNote>,
}

/// How much faster a cell is than another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeedUp {
    /// The other one.
    pub against: Cell,
    /// What the other one is.
    pub kind: Against,
    /// Time of the other ÷ time of this cell: above 1 this one is faster.
    pub ratio: f64,
    /// 95 %; `None` with too few repetitions.
    pub interval: Option<Interval>,
}

/// What a cell is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The first cell of the same program: smallest size, first mode, lowest concurrency.
    First,
    /// A contender's cell of the same size, mode, concurrency and shards.
    Contender,
}
