//! Whether the interval for the whole bucket holds the truth when a random sample was measured, over scenarios with a known truth.

use super::scenarios::{Class, Scenario, reading};
use super::scores::Tally;
use crate::analysis::{Basis, studies};
use crate::model::RunAmount;
use crate::price::PriceList;

/// How a bucket's sizes are spread, and classes of scenarios in which they are so.
const SPREADS: [(&str, &[Class]); 4] = [
    (
        "plain",
        &[
            Class::Connection,
            Class::Network,
            Class::Cpu,
            Class::Mixed,
            Class::Tail,
        ],
    ),
    ("clustered", &[Class::Clustered]),
    ("heavy-tailed", &[Class::Heavy]),
    ("ordered", &[Class::Ordered]),
];

/// So much of the objects is drawn, in turn.
const SHARES: [u64; 3] = [20, 50, 200];

/// Cells whose interval holds the true time of the whole bucket.
fn held(classes: &[Class], scenarios: std::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for (class, number) in classes
        .iter()
        .flat_map(|class| scenarios.clone().map(move |number| (*class, number)))
    {
        let mut scenario = Scenario::new(class, number);
        scenario.sweeps.truncate(1);
        scenario.sweeps[0].amount = RunAmount::Sample(
            scenario.law.objects() / SHARES[usize::try_from(number % 3).unwrap()],
        );
        scenario.sweeps[0].seed = number + 1;
        let studies = studies(reading(scenario.documents()), &PriceList::built_in());
        assert_eq!(
            studies[0].workload.keys,
            Some(scenario.law.objects()),
            "the whole bucket is predicted"
        );
        for report in &studies[0].cells {
            let Some(prediction) = &report.prediction else {
                panic!("{class:?} {number} {}: no prediction", report.cell.slug())
            };
            let truth = scenario.law.whole(&report.cell);
            let is_conditional = matches!(prediction.basis(), Some(Basis::Burst { .. }))
                && truth.ran.dropped_s.is_some();
            if let Some(interval) = prediction.interval.filter(|_| !is_conditional) {
                tally.add(interval.low <= truth.seconds && truth.seconds <= interval.high);
            }
        }
    }
    tally
}

fn hold(scenarios: u64) {
    for (spread, classes) in SPREADS {
        let tally = held(classes, 0..scenarios * 5 / classes.len() as u64);
        println!(
            "{spread:<13} {}/{} = {:.3}",
            tally.held,
            tally.of,
            tally.share()
        );
        assert!(tally.share() >= 0.93, "{spread}: {tally:?}");
    }
}

#[test]
fn a_few_samples_of_every_spread_hold_the_truth() {
    hold(2);
}

#[test]
#[ignore = "a minute unoptimised: cargo test --lib analysis::tests::samples -- --ignored --nocapture"]
fn many_samples_of_every_spread_hold_the_truth() {
    hold(12);
}
