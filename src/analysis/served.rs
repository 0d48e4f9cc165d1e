//! Which configurations of a web server answer most requests a second: what a report says of a server in the place of a recommendation, which is of a bucket.

use super::advice::{FirstLook, MostServed};
use super::choose::AS_GOOD;
use super::figures::median_of;
use super::metric::Metric;
use super::model::{CellReport, Study};
use super::observation::Observation;

/// `None` where a bucket was read, and where no configuration served without failures.
pub(super) fn most_served(study: &Study) -> Option<MostServed> {
    study.workload.http.as_ref()?;
    let rate = |report: &CellReport| Some(report.figure(Metric::RequestsPerS)?.median);
    let rates = study.cells.iter().enumerate();
    let mut known: Vec<(usize, &CellReport, f64)> = rates
        .filter_map(|(place, report)| Some((place, report, rate(report)?)))
        .collect();
    known.sort_by(|one, other| other.2.total_cmp(&one.2));
    let left_out = known
        .iter()
        .take_while(|(_, report, _)| report.has_failures());
    let left_out = left_out.count();
    let mut able = known.iter().filter(|(_, report, _)| !report.has_failures());
    let (cell, report, requests_per_s) = *able.next()?;
    let within = able.take_while(|(.., rate)| rate * AS_GOOD >= requests_per_s);
    Some(MostServed {
        cell,
        requests_per_s,
        within: within.map(|(place, ..)| *place).collect(),
        left_out,
        first_look: first_look(report),
    })
}

fn first_look(report: &CellReport) -> Option<FirstLook> {
    let seconds = median_of(&report.observations, |one: &Observation| one.times.fetch_s);
    FirstLook::of_repetitions(report.observations.len()).or_else(|| FirstLook::of_seconds(seconds?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Sweep, lean};
    use crate::plan::Mode;

    /// Sixteen configurations would do as well: here four numbers of workers.
    fn study(rates: [f64; 4]) -> Study {
        let mut sweep = Sweep::new("s1");
        for (workers, rate) in [1, 2, 4, 8].into_iter().zip(rates) {
            sweep = sweep.cell(&lean(1_024, Mode::Async, workers), &[rate; 6]);
        }
        let mut study = sweep.study();
        study.workload.http = Some(crate::sweep::fixture::requests());
        study
    }

    #[test]
    fn the_best_is_named_with_all_that_are_within_two_per_cent() {
        let mut study = study([100.0, 200.0, 198.0, 190.0]);
        let rate = |study: &Study, place: usize| {
            study.cells[place]
                .figure(Metric::RequestsPerS)
                .unwrap()
                .median
        };
        let found = most_served(&study).unwrap();
        assert_eq!((found.cell, found.within.as_slice()), (1, &[2][..]));
        assert_eq!(found.requests_per_s.to_bits(), rate(&study, 1).to_bits());
        assert_eq!((found.left_out, found.first_look), (0, None));
        // With a failure it is not compared, and that is said.
        study.cells[1].observations[0].counts.failed = Some(1);
        let found = most_served(&study).unwrap();
        assert_eq!((found.cell, found.left_out), (2, 1));
        study.workload.http = None;
        assert_eq!(most_served(&study), None);
    }
}
