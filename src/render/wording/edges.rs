//! At which edges of what was measured an answer lies, in words, and what measures beyond them.

use std::str::FromStr as _;

use crate::analysis::advice::{Choice, Edge};
use crate::analysis::model::Study;
use crate::plan::Mode;
use crate::price::CPU_UNITS;

/// Where it lies in what was measured.
pub(super) fn edges(study: &Study, choice: &Choice) -> Option<String> {
    let edges = edge_names(study, choice);
    (!edges.is_empty()).then(|| {
        format!(
            "It is at the edge of what was measured ({edges}): something better may lie beyond."
        )
    })
}

/// `the most workers: try -c 16..128; the smallest task: try --vcpu 0.25..1`
pub(crate) fn edge_names(study: &Study, choice: &Choice) -> String {
    let smaller = study
        .cells
        .get(choice.cell)
        .map_or_else(String::new, |report| {
            let fewest = f64::from(CPU_UNITS[0]) / 1_024.0;
            format!(": try `--vcpu {fewest}..{}`", report.cell.vcpu())
        });
    let name = |edge: &Edge| match edge {
        Edge::MostWorkers => format!("the most workers{}", beyond(choice)),
        Edge::FewestWorkers => "the fewest workers".to_owned(),
        Edge::LargestTask => "the largest task".to_owned(),
        Edge::SmallestTask => format!("the smallest task{smaller}"),
    };
    choice
        .at_edge
        .iter()
        .map(name)
        .collect::<Vec<_>>()
        .join("; ")
}

/// What measures more workers: `: try -c 16..128`; nothing where the mode has no more.
fn beyond(choice: &Choice) -> String {
    let value = |name: &str| {
        let pair = choice.environment.iter().find(|(other, _)| other == name);
        pair.map(|(_, value)| value.as_str())
    };
    let workers = value("CONCURRENCY").and_then(|text| text.parse::<u32>().ok());
    let mode = value("MODE").and_then(|text| Mode::from_str(text).ok());
    let Some((workers, mode)) = workers.zip(mode) else {
        return String::new();
    };
    let most = mode.max_concurrency().min(workers.saturating_mul(8));
    if most > workers {
        format!(": try `-c {workers}..{most}`")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::sketch;

    #[test]
    fn an_edge_says_what_measures_beyond_it() {
        let study = sketch();
        let mut choice = study.recommendations[0].cheapest.clone().unwrap();
        choice.at_edge = vec![Edge::MostWorkers, Edge::SmallestTask];
        assert_eq!(
            edge_names(&study, &choice),
            "the most workers: try `-c 16..128`; the smallest task: try `--vcpu 0.25..1`"
        );
        choice.at_edge[1] = Edge::LargestTask;
        choice.environment = [("MODE", "process"), ("CONCURRENCY", "1024")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            edge_names(&study, &choice),
            "the most workers; the largest task",
            "no mode has more workers than it takes"
        );
    }
}
