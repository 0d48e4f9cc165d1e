//! What the page is told: plain input, every statistic and every sentence ready-made.
//!
//! Nothing here is computed. An unknown number is `None` and shows as `–`; an empty list leaves its section out or says so in one line.
//! Any string may come from a bucket: the page shows all of them as text.

use super::charts::AtAxis;
use crate::render::wording::sections::Explanation;

/// The whole page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PageData {
    /// Of the document: `Cheapest for s3://images: 1 vCPU, 2 GB, async × 16`.
    pub title: String,
    /// Above the answer: `Cheapest for s3://images`.
    pub label: String,
    /// The answer: `1 vCPU, 2 GB, async × 16`; when nothing can be recommended, that.
    pub headline: String,
    /// What was measured, in one line: keys, region, configurations, runs.
    pub measured: String,
    /// What stands in place of choices: what a single configuration showed, or why nothing is recommended.
    pub sentences: Vec<String>,
    /// What stands above them.
    pub others_title: String,
    /// What other programs need, a line each.
    pub others: Vec<String>,
    /// Sentences that limit the answer (measured elsewhere than on Fargate); shown beside it.
    pub caveats: Vec<String>,
    /// Sentences that limit what the figures say; shown beside them.
    pub cautions: Vec<String>,
    /// Container sizes in the order of the page; cells name them by index.
    pub sizes: Vec<PageSize>,
    /// One each for every contender program, `lean` and `sdk`; never merged. The answer is that of the first.
    pub clients: Vec<Client>,
    /// What the intervals are, for the legends: `95 % interval of the median`.
    pub interval_label: String,
    /// Which price that is, and of when; a sentence each.
    pub price_notes: Vec<String>,
    /// What limits each configuration, with the figures behind it.
    pub limits: Vec<Explanation>,
    /// Of a tune: its steps, a line each, in the order in which they were made.
    pub way: Vec<String>,
    /// What it measured and expected in the size of each answer.
    pub way_curves: Vec<WayCurve>,
    /// Runs that failed, and why.
    pub failures: Vec<Explanation>,
    /// Notes and warnings of the runs.
    pub warnings: Vec<String>,
    /// What was measured, where and with what.
    pub facts: Vec<Fact>,
    /// How the numbers were made: one paragraph each.
    pub method: Vec<String>,
    /// The figures of every configuration as CSV, to download; empty for none.
    pub csv: String,
    /// Last line: program and version.
    pub made_by: String,
}

/// MB/s of a bucket, requests/s of a web server, runs/h of a program whose time alone is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateUnit {
    /// Of a bucket.
    #[default]
    MbPerS,
    /// Of a web server.
    RequestsPerS,
    /// Of a program that does not say what it read.
    RunsPerH,
}

impl RateUnit {
    /// As it stands behind a number.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MbPerS => "MB/s",
            Self::RequestsPerS => "requests/s",
            Self::RunsPerH => "runs/h",
        }
    }

    /// What may fail in a run.
    pub const fn fetched(self) -> &'static str {
        match self {
            Self::MbPerS | Self::RunsPerH => "objects",
            Self::RequestsPerS => "requests",
        }
    }
}

/// Objects a second against workers, in one size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WayCurve {
    /// `lean, 0.5 vCPU, 1 GB: objects per second against workers`
    pub title: String,
    /// `objects/s`
    pub unit: &'static str,
    pub workers: Vec<u32>,
    pub lines: Vec<WayLine>,
    /// What was left out, and why, a line each.
    pub left_out: Vec<String>,
}

/// A line over these workers: nothing, or median, least and most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WayLine {
    pub label: String,
    /// Name of its colour and dashes.
    pub style: String,
    pub points: Vec<AtAxis>,
}

/// A label and what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// `Region`.
    pub label: String,
    /// `eu-west-1`.
    pub value: String,
}

/// A container size. Several memory sizes of one vCPU are sizes of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageSize {
    /// `0.25`, `4`.
    pub vcpu: String,
    /// `2 GB`; `None` where memory was not limited.
    pub memory: Option<String>,
    /// Tasks (shards) that worked side by side, from 1.
    pub tasks: u32,
}

/// Whose program fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientRole {
    /// A client of parfetch.
    #[default]
    Own,
    /// Another program; in the other clients' charts its lines are grey.
    Contender,
}

/// Everything about one client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Client {
    /// `lean`, `sdk`, `python`.
    pub name: String,
    /// One sentence: what this client is.
    pub about: String,
    /// Own or contender.
    pub role: ClientRole,
    /// What its rates are in.
    pub rate_unit: RateUnit,
    /// What [`PageCell::usd`] is per: `million objects`.
    pub price_unit: String,
    /// What to run: cheapest, fastest, or both in one. Empty when nothing can be recommended.
    pub choices: Vec<PageChoice>,
    /// Why there is nothing to recommend, or no cheapest one.
    pub because: Option<String>,
    /// Sentences on its highest rate, where that is not the fastest.
    pub notes: Vec<String>,
    /// Every planned configuration, in any order. What is not here was not planned and shows as missing.
    pub cells: Vec<PageCell>,
    /// Index into [`PageData::sizes`] of what the answer is of.
    pub answer_size: Option<usize>,
    /// Indices into `cells` that no other one beats in both time and price of the whole bucket, cheapest first. Empty when there are no prices.
    pub front: Vec<usize>,
    /// The answer is billed for one minute, the minimum: what it costs is not what its rate costs.
    pub is_minimum: bool,
    /// Why there is no price; `None` where there is one.
    pub no_price: Option<String>,
    /// Distributions of the time to first byte, on one scale.
    pub histograms: Option<Histograms>,
    /// Bytes each second.
    pub series: Option<PageSeries>,
    /// Every fetch of one run.
    pub timeline: Option<Timeline>,
    /// Sentences in place of charts that could not be drawn.
    pub left_out: Vec<String>,
    /// What is expected beyond what was measured.
    pub predictions: Vec<PagePrediction>,
}

/// A recommended configuration, in words and to paste.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageChoice {
    /// `Cheapest`.
    pub label: String,
    /// `1 vCPU, 2 GB, async × 16`.
    pub headline: String,
    /// How long the whole bucket takes, and for how much.
    pub takes: String,
    /// How sure that is.
    pub sure: String,
    /// What else qualifies it.
    pub sentences: Vec<String>,
    /// What to paste; each in a box of its own. Empty for a first look.
    pub snippets: Vec<Snippet>,
}

/// A text to paste.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// `Environment`, `Fargate task`.
    pub label: String,
    /// Verbatim; may have several lines.
    pub text: String,
}

/// A middle and where it may lie as well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PageInterval {
    /// Median of the repetitions.
    pub median: f64,
    /// Lower and upper end of the interval; `None` with too few repetitions.
    pub range: Option<(f64, f64)>,
}

/// How a configuration stands among those of its size (and client).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageStanding {
    /// Highest median of its size.
    Highest,
    /// Measured.
    #[default]
    Measured,
    /// Runs failed and there is no standing: `!`.
    Failed,
    /// Not run, or not yet: `–`.
    Missing,
}

/// One cell of the matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageCell {
    /// Index into [`PageData::sizes`].
    pub size: usize,
    /// `async`, `thread`, `process`, or what a contender calls it.
    pub mode: String,
    /// Configured workers.
    pub concurrency: u64,
    /// What it is chosen as: `Cheapest`; empty for most.
    pub chosen: String,
    /// Its letters: `C` and `F` for that, `c` and `f` for what the answer calls as good.
    pub mark: String,
    /// Among the cells of its size.
    pub standing: PageStanding,
    /// Whether it is as fast as the fastest of its row: `~`.
    pub as_fast: bool,
    /// Repetitions that failed, whatever its standing: `!`.
    pub failures: u32,
    /// Highest median of its mode at its size: a point of the panel `Best of each size`.
    pub best_of_mode: bool,
    /// The fewest workers that are as fast as the fastest, for this size and mode.
    pub knee: bool,
    /// Timed repetitions that count.
    pub repetitions: u32,
    /// What the rate is in.
    pub rate_unit: RateUnit,
    /// Its rate.
    pub throughput: Option<PageInterval>,
    /// Throughput as a share of the best of its size, 0 to 1: the shade.
    pub share_of_best: Option<f64>,
    /// Fetch time, seconds.
    pub seconds: Option<PageInterval>,
    /// Time to first byte, ms.
    pub ttfb_p50_ms: Option<f64>,
    /// Time to first byte, ms.
    pub ttfb_p99_ms: Option<f64>,
    /// Latency, ms.
    pub latency_p50_ms: Option<f64>,
    /// Latency, ms.
    pub latency_p99_ms: Option<f64>,
    /// CPU seconds per GB.
    pub cpu_s_per_gb: Option<f64>,
    /// Peak memory, MB.
    pub memory_mb: Option<f64>,
    /// The tasks' price in dollars per [`Client::price_unit`].
    pub usd: Option<f64>,
    /// HTTP attempts of all repetitions.
    pub attempts: Option<u64>,
    /// Fetches that failed, all repetitions.
    pub errors: Option<u64>,
    /// What limits it, in words; may be empty.
    pub limit: String,
}

/// Distributions side by side on one scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histograms {
    /// Which cell, how many requests.
    pub caption: String,
    /// One each, two to four.
    pub panels: Vec<PageHistogram>,
}

/// One distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageHistogram {
    /// `async`, or what tells it apart from its neighbours.
    pub label: String,
    /// Picks the colour.
    pub mode: String,
    /// `p50 38 · p99 233 ms`.
    pub summary: String,
    /// Adjacent, ascending; lower ends above 0 (the scale is logarithmic).
    pub bins: Vec<Bin>,
    /// Labelled places on the scale.
    pub marks: Vec<Mark>,
}

/// From, to and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Lower end, ms, above 0.
    pub from_ms: f64,
    /// Upper end, ms.
    pub to_ms: f64,
    /// Requests.
    pub count: u64,
    /// Share of all requests, percent.
    pub percent: f64,
}

/// A percentile on the scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// `p50`.
    pub label: String,
    /// Where, ms.
    pub at_ms: f64,
}

/// Throughput second by second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageSeries {
    /// Which runs, and what can be seen.
    pub caption: String,
    /// One per run.
    pub lines: Vec<SeriesLine>,
}

/// One run's seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesLine {
    /// `async`, or what tells it apart from the others.
    pub label: String,
    /// Picks the colour.
    pub mode: String,
    /// MB/s of second 0, 1, 2 …
    pub mb_per_s: Vec<f64>,
}

/// Every fetch of one run, a row per worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Which run, how many fetches, what was left out. At most 64 workers and 1,500 fetches draw well.
    pub caption: String,
    /// In any order.
    pub fetches: Vec<TimelineFetch>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineFetch {
    /// From 0.
    pub worker: u32,
    /// Since the epoch, seconds.
    pub start_s: f64,
    /// First body byte; `None` when none came.
    pub first_byte_s: Option<f64>,
    /// Complete or given up.
    pub end_s: f64,
    /// `ok`, `failed`, `vanished` …: anything but `ok` draws as failed.
    pub outcome: String,
    /// 1 = not retried.
    pub attempts: u32,
    /// Of the object, verbatim; empty when it is not known.
    pub key: String,
}

/// A statement about what was not measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagePrediction {
    /// `118 GB in 3 min 20 s (3 min 15 s to 3 min 27 s)`.
    pub statement: String,
    /// `if the burst rate holds for 200 s; runs of this size held it for 74 s`.
    pub rests_on: String,
}
