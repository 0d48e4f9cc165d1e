//! The report as one JSON document for other programs.

use serde::Serialize;

use crate::analysis::model::Study;

/// What the field `schema` says.
pub const SCHEMA: &str = "parfetch.report";

/// The version of the format: fields are added within a version.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    tool_version: &'static str,
    metrics: Vec<MetricFacts>,
    studies: &'a [Study],
}

#[derive(Serialize)]
struct MetricFacts {
    id: &'static str,
    name: &'static str,
    unit: crate::analysis::Unit,
    better: crate::analysis::Better,
    definition: &'static str,
}

/// The document, indented, with a line end.
///
/// # Errors
/// Never for what this program computes; serde's own otherwise.
pub fn to_json(studies: &[Study]) -> Result<String, serde_json::Error> {
    let facts = |metric: crate::analysis::Metric| MetricFacts {
        id: metric.id(),
        name: metric.name(),
        unit: metric.unit(),
        better: metric.better(),
        definition: metric.definition(),
    };
    let metrics = crate::analysis::Metric::ALL
        .into_iter()
        .map(facts)
        .collect();
    let document = Document {
        schema: SCHEMA,
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        metrics,
        studies,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}
