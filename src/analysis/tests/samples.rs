//! Whether the interval for the whole bucket holds the truth when a random sample was measured, over worlds with a known truth.

use super::scores::Tally;
use super::worlds::{Class, World, reading};
use crate::analysis::{Basis, studies};
use crate::model::Amount;
use crate::price::PriceList;

/// How a bucket's sizes are spread, and classes of worlds in which they are so.
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
fn held(classes: &[Class], worlds: std::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for (class, number) in classes
        .iter()
        .flat_map(|class| worlds.clone().map(move |number| (*class, number)))
    {
        let mut world = World::new(class, number);
        world.sweeps.truncate(1);
        world.sweeps[0].amount =
            Amount::Sample(world.law.objects() / SHARES[usize::try_from(number % 3).unwrap()]);
        world.sweeps[0].seed = number + 1;
        let studies = studies(reading(world.documents()), &PriceList::built_in());
        assert_eq!(
            studies[0].workload.keys,
            Some(world.law.objects()),
            "the whole bucket is predicted"
        );
        for report in &studies[0].cells {
            let Some(prediction) = &report.prediction else {
                panic!("{class:?} {number} {}: no prediction", report.cell.slug())
            };
            let truth = world.law.whole(&report.cell);
            let is_conditional =
                matches!(prediction.basis, Basis::Burst { .. }) && truth.ran.dropped_s.is_some();
            if let Some(interval) = prediction.interval.filter(|_| !is_conditional) {
                tally.add(interval.low <= truth.seconds && truth.seconds <= interval.high);
            }
        }
    }
    tally
}

fn hold(worlds: u64) {
    for (spread, classes) in SPREADS {
        let tally = held(classes, 0..worlds * 5 / classes.len() as u64);
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
