//! Which tables of a long report say something that no other one says.

use super::price::shown_as;
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, Study};
use crate::units;

/// Metrics whose tables say something, and a line on the others: what is the same in every configuration, or is another metric again.
pub(crate) fn worth_showing(study: &Study, metrics: &[Metric]) -> (Vec<Metric>, Option<String>) {
    let medians = |metric: Metric| -> Vec<f64> {
        let cells = study.cells.iter();
        cells
            .filter_map(|cell| Some(cell.figure(metric)?.median))
            .collect()
    };
    let is_near = |one: f64, other: f64| (one - other).abs() <= 1e-3 * other.abs();
    let mut shown = Vec::new();
    let mut left_out = Vec::new();
    for metric in metrics {
        let values = medians(*metric);
        let (scale, heading) = shown_as(study, *metric);
        let is_again = *metric == Metric::Goodput && {
            let rates = medians(Metric::Throughput);
            rates.len() == values.len()
                && rates
                    .iter()
                    .zip(&values)
                    .all(|(one, other)| is_near(*one, *other))
        };
        match values.first() {
            None => left_out.push(format!("{heading} (not known)")),
            _ if is_again => left_out.push(format!("{heading} (as throughput)")),
            _ if *metric == Metric::FetchTime
                && study.cells.iter().all(CellReport::is_timed_alone) =>
            {
                left_out.push(format!("{heading} (the time of a run)"));
            }
            // The tasks' price differs, and requests cost the same in each.
            _ if *metric == Metric::UsdPerTb => left_out.push(format!(
                "{heading} (the tasks' price, and what requests add)"
            )),
            Some(first)
                if values.len() > 1 && values.iter().all(|value| is_near(*value, *first)) =>
            {
                left_out.push(format!(
                    "{heading} ({} everywhere)",
                    units::three_digits(scale.apply(*first))
                ));
            }
            Some(_) => shown.push(*metric),
        }
    }
    let line = (!left_out.is_empty()).then(|| format!("Not shown: {}.", left_out.join(", ")));
    (shown, line)
}
