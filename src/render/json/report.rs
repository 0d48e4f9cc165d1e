//! The report as one JSON document for other programs: what `analysis` found, with the words that explain it.
//!
//! The fields and their order are the format's, whatever the model is called inside.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::advice::{Basis, Cost, Edge, Held, KneeSide, Recommendation, ScaledBy};
use crate::analysis::metric::{Better, Metric, Unit};
use crate::analysis::model::{
    CellReport, Curve, Facts, FailedRepetition, Figure, SpeedUp, Standing, Study, Workload,
};
use crate::analysis::{MostServed, Observation, Prediction};
use crate::cell::{Cell, Program};
use crate::plan::{Factors, Mode};
use crate::render::wording::again::next_command;
use crate::render::wording::sections::LabelledChoice;
use crate::render::wording::{advice, notes, number, verdict};
use crate::results::summary::Verdict;
use crate::stats::location::Interval;

/// What the field `schema` says.
const SCHEMA: &str = "parfetch.report";

/// The version of the format: fields are added within a version.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ReportDocument<'a> {
    schema: &'static str,
    version: u32,
    tool_version: &'static str,
    metrics: Vec<MetricFacts>,
    studies: Vec<StudyPart<'a>>,
}

#[derive(Serialize)]
struct MetricFacts {
    id: &'static str,
    name: &'static str,
    unit: Unit,
    better: Better,
    definition: &'static str,
}

#[derive(Serialize)]
struct StudyPart<'a> {
    workload: &'a Workload,
    facts: &'a Facts,
    cells: Vec<CellPart<'a>>,
    curves: Vec<CurvePart<'a>>,
    recommendations: Vec<RecommendationPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<&'a MostServed>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct CellPart<'a> {
    cell: &'a Cell,
    observations: &'a [Observation],
    failures: &'a [FailedRepetition],
    figures: BTreeMap<Metric, FigurePart<'a>>,
    verdict: Verdict,
    standing: Standing,
    is_as_fast: bool,
    is_knee: bool,
    speed_ups: &'a [SpeedUp],
    fargate: Option<(u32, u32)>,
    cost: Option<&'a Cost>,
    held: Option<Held>,
    prediction: Option<PredictionPart<'a>>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct FigurePart<'a> {
    values: &'a [f64],
    median: f64,
    interval: Option<Interval>,
    n: usize,
    note: Option<String>,
}

#[derive(Serialize)]
struct CurvePart<'a> {
    program: &'a Program,
    cpu_units: u32,
    memory_mib: u32,
    mode: Mode,
    shards: u32,
    #[serde(skip_serializing_if = "Factors::is_empty")]
    factors: &'a Factors,
    cells: &'a [usize],
    knee: Option<u32>,
    note: Option<&'static str>,
}

#[derive(Serialize)]
struct PredictionPart<'a> {
    keys: Option<u64>,
    bytes: Option<u64>,
    seconds: f64,
    interval: Option<Interval>,
    usd_interval: Option<Interval>,
    fetch_s: f64,
    parts: Vec<(&'static str, f64)>,
    scaled_by: Option<ScaledBy>,
    objects_over_bytes: Option<f64>,
    basis: PredictionBasis,
    cost: Option<&'a Cost>,
    notes: Vec<String>,
}

/// What a time rests on.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
enum PredictionBasis {
    /// Nothing is predicted: it is one run, as what the program read is not known.
    OneRun,
    #[serde(untagged)]
    Bucket(Basis),
}

#[derive(Serialize)]
struct RecommendationPart<'a> {
    program: &'a Program,
    #[serde(skip_serializing_if = "Factors::is_empty")]
    factors: &'a Factors,
    cheapest: Option<ChoicePart<'a>>,
    fastest: Option<ChoicePart<'a>>,
    pareto: &'a [usize],
    because: Option<String>,
    caveat: Option<String>,
    rule: &'static str,
}

#[derive(Serialize)]
struct ChoicePart<'a> {
    cell: usize,
    words: String,
    confidence: Option<f64>,
    confidence_with_ties: Option<f64>,
    confidence_near: Option<f64>,
    tied_with: &'a [usize],
    at_edge: &'a [Edge],
    knee: Option<KneeSide>,
    first_look: Option<String>,
    next_command: Option<String>,
    environment: &'a [(String, String)],
    run_task_overrides: Option<&'a str>,
}

/// The report of these studies.
pub(super) fn document(studies: &[Study]) -> impl Serialize + '_ {
    let facts = |metric: Metric| MetricFacts {
        id: metric.id(),
        name: metric.name(),
        unit: metric.unit(),
        better: metric.better(),
        definition: metric.definition(),
    };
    ReportDocument {
        schema: SCHEMA,
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        metrics: Metric::ALL.into_iter().map(facts).collect(),
        studies: studies.iter().map(study).collect(),
    }
}

fn study(study: &Study) -> StudyPart<'_> {
    let recommendations = study.recommendations.iter();
    StudyPart {
        workload: &study.workload,
        facts: &study.facts,
        cells: study.cells.iter().map(cell).collect(),
        curves: study.curves.iter().map(curve).collect(),
        recommendations: recommendations
            .map(|found| recommendation(study, found))
            .collect(),
        served: study.served.as_ref(),
        notes: notes::of_study(study),
    }
}

fn cell(report: &CellReport) -> CellPart<'_> {
    let figures = report.figures.iter();
    CellPart {
        cell: &report.cell,
        observations: &report.observations,
        failures: &report.failures,
        figures: figures
            .map(|(metric, found)| (*metric, figure(found)))
            .collect(),
        verdict: Verdict {
            word: report.verdict.word,
            because: verdict::because(&report.verdict),
        },
        standing: report.standing,
        is_as_fast: report.is_as_fast,
        is_knee: report.is_knee,
        speed_ups: &report.speed_ups,
        fargate: report.fargate,
        cost: report.cost.as_ref(),
        held: report.held,
        prediction: report.prediction.as_ref().map(prediction),
        notes: notes::of_cell(report),
    }
}

fn figure(figure: &Figure) -> FigurePart<'_> {
    FigurePart {
        values: &figure.values,
        median: figure.median,
        interval: figure.interval,
        n: figure.n,
        note: number::no_interval(figure),
    }
}

fn curve(curve: &Curve) -> CurvePart<'_> {
    CurvePart {
        program: &curve.program,
        cpu_units: curve.cpu_units,
        memory_mib: curve.memory_mib,
        mode: curve.mode,
        shards: curve.shards,
        factors: &curve.factors,
        cells: &curve.cells,
        knee: curve.knee,
        note: curve.note.map(notes::of_curve),
    }
}

fn prediction(prediction: &Prediction) -> PredictionPart<'_> {
    let parts = prediction.parts.iter();
    let bucket = prediction.bucket;
    PredictionPart {
        keys: bucket.map(|bucket| bucket.keys),
        bytes: bucket.map(|bucket| bucket.bytes),
        seconds: prediction.seconds,
        interval: prediction.interval,
        usd_interval: prediction.usd_interval,
        fetch_s: prediction.fetch_s,
        parts: parts
            .map(|(phase, seconds)| (notes::phase(*phase), *seconds))
            .collect(),
        scaled_by: bucket.map(|bucket| bucket.scaled_by),
        objects_over_bytes: bucket.map(|bucket| bucket.objects_over_bytes),
        basis: bucket.map_or(PredictionBasis::OneRun, |bucket| {
            PredictionBasis::Bucket(bucket.basis)
        }),
        cost: prediction.cost.as_ref(),
        notes: prediction.notes.iter().map(notes::of_prediction).collect(),
    }
}

fn recommendation<'a>(study: &'a Study, found: &'a Recommendation) -> RecommendationPart<'a> {
    let words = |chosen: Option<LabelledChoice<'a>>| chosen.map(|chosen| choice(study, chosen));
    RecommendationPart {
        program: &found.program,
        factors: &found.factors,
        cheapest: words(found.cheapest.as_ref().map(LabelledChoice::cheapest)),
        fastest: words(found.fastest.as_ref().map(LabelledChoice::fastest)),
        pareto: &found.pareto,
        because: found.because.as_ref().map(advice::lack),
        caveat: advice::caveat(&study.workload),
        rule: advice::rule(study),
    }
}

fn choice<'a>(study: &Study, goal: LabelledChoice<'a>) -> ChoicePart<'a> {
    let choice = goal.choice;
    ChoicePart {
        cell: choice.cell,
        words: advice::choice(study, goal),
        confidence: choice.confidence,
        confidence_with_ties: choice.confidence_with_ties,
        confidence_near: choice.confidence_near,
        tied_with: &choice.tied_with,
        at_edge: &choice.at_edge,
        knee: choice.knee,
        first_look: choice.first_look.map(advice::first_look),
        next_command: next_command(study, choice).and_then(|next| next.line),
        environment: &choice.environment,
        run_task_overrides: choice.run_task_overrides.as_deref(),
    }
}
