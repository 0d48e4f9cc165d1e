//! Repetitions → medians and their intervals.

use std::collections::BTreeMap;

use super::metric::Metric;
use super::model::Figure;
use super::observation::Observation;
use super::thresholds::CONFIDENCE;
use crate::stats::location::{median, median_interval};

/// The figure of these values; `None` without any.
pub(super) fn figure(values: Vec<f64>) -> Option<Figure> {
    let n = values.len();
    let interval = median_interval(&values, CONFIDENCE);
    Some(Figure {
        median: median(&values)?,
        interval,
        n,
        values,
    })
}

/// Every metric that at least one repetition knows.
pub(super) fn figures(observations: &[Observation]) -> BTreeMap<Metric, Figure> {
    let of = |metric: Metric| {
        figure(values(observations, |observation| {
            observation.value(metric)
        }))
    };
    Metric::ALL
        .into_iter()
        .filter_map(|metric| Some((metric, of(metric)?)))
        .collect()
}

/// The values of those that know them.
pub(super) fn values(
    observations: &[Observation],
    value: impl Fn(&Observation) -> Option<f64>,
) -> Vec<f64> {
    observations
        .iter()
        .filter_map(value)
        .filter(|value| value.is_finite())
        .collect()
}

/// The median of those that know it.
pub(super) fn median_of(
    observations: &[Observation],
    value: impl Fn(&Observation) -> Option<f64>,
) -> Option<f64> {
    median(&values(observations, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_repetitions_have_an_interval_and_five_have_none() {
        let six = figure(vec![6.0, 1.0, 5.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!((six.median, six.n), (3.5, 6));
        let interval = six.interval.unwrap();
        assert_eq!(
            (
                interval.low,
                interval.high,
                interval.level,
                interval.half_width()
            ),
            (1.0, 6.0, 0.968_75, 2.5)
        );
        let five = figure(vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((five.median, five.interval), (3.0, None));
        assert_eq!(figure(Vec::new()), None);
    }

    #[test]
    fn a_repetition_that_does_not_know_a_metric_is_left_out_of_it_alone() {
        let mut known = Observation::default();
        known.times.fetch_s = Some(2.0);
        known.counts.goodput_bytes = Some(10);
        let unknown = Observation {
            times: known.times,
            ..Observation::default()
        };
        let figures = figures(&[known, unknown]);
        assert_eq!(
            (
                figures[&Metric::Goodput].values.as_slice(),
                figures[&Metric::FetchTime].n
            ),
            ([5.0].as_slice(), 2)
        );
        assert!(
            !figures.contains_key(&Metric::Throughput),
            "received bytes are not known, so there is no figure, not a 0"
        );
    }
}
