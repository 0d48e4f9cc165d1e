//! A comparison as one JSON document for other programs.

use serde::Serialize;

use crate::analysis::{Better, Compared, Comparison, Metric, Overall};
use crate::render::form::Names;
use crate::render::wording::caveats::caveats;
use crate::render::wording::warnings::warnings;

#[derive(Serialize)]
struct ComparisonDocument<'a> {
    schema: &'static str,
    version: u32,
    tool_version: &'static str,
    base: &'a str,
    new: &'a str,
    metric: Metric,
    better: Better,
    cells: &'a [Compared],
    comparisons: usize,
    alpha: f64,
    same_time: bool,
    overall: Option<&'a Overall>,
    caveats: Vec<String>,
    warnings: Vec<String>,
}

/// The document of a comparison.
pub(super) fn document<'a>(comparison: &'a Comparison, names: Names<'a>) -> impl Serialize + 'a {
    ComparisonDocument {
        schema: "parfetch.comparison",
        version: 1,
        tool_version: env!("CARGO_PKG_VERSION"),
        base: names.base,
        new: names.new,
        metric: comparison.metric,
        better: comparison.better,
        cells: &comparison.cells,
        comparisons: comparison.comparisons,
        alpha: comparison.alpha,
        same_time: comparison.same_time,
        overall: comparison.overall.as_ref(),
        caveats: caveats(comparison),
        warnings: warnings(comparison),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::slower;

    #[test]
    fn json_of_a_comparison_says_what_it_is() {
        let found = slower();
        let names = Names {
            base: "a",
            new: "b",
            extent: crate::render::form::Extent::All,
        };
        let value = serde_json::to_value(document(&found, names)).unwrap();
        assert_eq!(
            (
                &value["schema"],
                &value["base"],
                &value["cells"][0]["change"]
            ),
            (&"parfetch.comparison".into(), &"a".into(), &"worse".into())
        );
    }
}
