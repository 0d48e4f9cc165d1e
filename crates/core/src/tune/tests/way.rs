//! The way of single tunes: what holds of each, whatever it finds.

use super::bench::{Bench, question};
use super::families::Family;
use crate::tune::{Found, Next, RunSeen, StopReason, TuneGoal, Tuner, Why};

/// Goes on with a tune for so many runs at most.
fn go_on(tuner: &mut Tuner, bench: &mut Bench, most: usize) -> Option<Found> {
    for _ in 0..most {
        match tuner.decide() {
            Next::Run(wanted) => {
                assert!(
                    wanted.objects > 0.0 && wanted.expected_s > 0.0 && wanted.expected_rate > 0.0
                );
                let run = bench.run(wanted.config, (wanted.objects, wanted.ends_s));
                tuner.saw(run);
            }
            Next::Stop(found) => return found,
        }
    }
    None
}

#[test]
fn no_run_is_made_beyond_the_limit_and_what_is_recommended_was_measured() {
    for most in [1, 3, 7, 20] {
        let mut bench = Bench::new(Family::Twisted, 5, 1);
        let mut asked = question(&bench, TuneGoal::Cheapest);
        asked.most_runs = most;
        let mut tuner = Tuner::new(asked);
        let found = go_on(&mut tuner, &mut bench, 1_000).unwrap();
        assert_eq!((bench.runs, found.stopped), (most, StopReason::Runs));
        assert!(tuner.runs().iter().any(|run| run.config == found.config));
    }
}

#[test]
fn somebody_who_ends_it_gets_the_best_so_far() {
    let mut bench = Bench::new(Family::Plain, 0, 1);
    let mut tuner = Tuner::new(question(&bench, TuneGoal::Balanced));
    assert_eq!(
        tuner.conclude(StopReason::Asked),
        None,
        "nothing was measured"
    );
    assert_eq!(go_on(&mut tuner, &mut bench, 5), None);
    let found = tuner.conclude(StopReason::Asked).unwrap();
    assert_eq!(found.stopped, StopReason::Asked);
    assert!(tuner.runs().iter().any(|run| run.config == found.config));
}

#[test]
fn a_tune_that_was_killed_goes_on_to_the_same_answer() {
    let mut bench = Bench::new(Family::Plain, 9, 1);
    let asked = question(&bench, TuneGoal::Cheapest);
    let mut tuner = Tuner::new(asked.clone());
    let found = go_on(&mut tuner, &mut bench, 1_000).unwrap();
    assert_eq!(found.stopped, StopReason::Sure);
    // The same runs, as they lie in the folder: each is what is asked for at that moment.
    let before: Vec<RunSeen> = tuner.runs().to_vec();
    let mut again = Tuner::new(asked);
    for run in &before {
        match again.decide() {
            Next::Run(wanted) => assert_eq!(wanted.config, run.config),
            Next::Stop(found) => panic!("stopped with {found:?}"),
        }
        again.saw(*run);
    }
    assert_eq!(again.decide(), Next::Stop(Some(found)));
}

#[test]
fn an_answer_rests_on_its_neighbours() {
    let mut bench = Bench::new(Family::Twisted, 2, 1);
    let mut tuner = Tuner::new(question(&bench, TuneGoal::Fastest));
    let found = go_on(&mut tuner, &mut bench, 1_000).unwrap();
    assert_eq!(found.stopped, StopReason::Sure);
    let runs = |config| {
        let of = tuner.runs().iter().filter(|run| run.config == config);
        of.count()
    };
    assert!(runs(found.config) >= 3 && found.confidence >= 0.95);
    let [low, middle, high] = found.seconds;
    assert!(low <= middle && middle <= high);
    let truth = bench.truth[found.config].0;
    assert!((truth / middle).ln().abs() < 0.15, "{middle} for {truth}");
    assert!(
        (0.0..0.05).contains(&found.at_worst) && found.sigma < 0.1,
        "{found:?}"
    );
    // The most vCPU that there are: a larger task might be faster.
    let (size, ..) = bench.space.at(found.config);
    assert_eq!(found.edge.largest, size.cpu_units == 16_384);
    assert!(found.tied.iter().all(|tied| runs(*tied) >= 3));
}

#[test]
fn a_burst_is_looked_for_before_it_is_recommended() {
    let mut bench = Bench::new(Family::Plain, 5, 1);
    let mut tuner = Tuner::new(question(&bench, TuneGoal::Cheapest));
    let mut soaks = Vec::new();
    while let Next::Run(wanted) = tuner.decide() {
        if wanted.why == Why::Burst {
            soaks.push((wanted.ends_s.unwrap(), tuner.runs().len()));
        }
        tuner.saw(bench.run(wanted.config, (wanted.objects, wanted.ends_s)));
    }
    assert!(
        soaks.iter().any(|(seconds, _)| *seconds > 45.0),
        "{soaks:?}"
    );
    assert!(
        soaks
            .iter()
            .all(|(seconds, before)| *seconds <= 900.0 && *before >= 7)
    );
    assert!(tuner.runs().iter().any(|run| run.drop.is_some()));
}

#[test]
fn a_size_is_left_out_for_the_price_of_its_task_whatever_is_billed_at_least() {
    let mut bench = Bench::new(Family::Plain, 0, 1);
    let mut asked = question(&bench, TuneGoal::Cheapest);
    // Done within the minute that is billed at least, in each size.
    (asked.terms.objects, asked.terms.listing_s) = (1_000.0, 0.0);
    asked.most_runs = 40;
    let space = asked.space.clone();
    let mut tuner = Tuner::new(asked);
    let found = go_on(&mut tuner, &mut bench, 1_000).unwrap();
    let units = |config| f64::from(space.at(config).0.cpu_units);
    let larger = found
        .dropped
        .iter()
        .filter(|one| units(one.config) > units(found.config));
    let larger: Vec<(f64, f64)> = larger
        .map(|one| (units(one.config) / units(found.config), 1.0 + one.worse))
        .collect();
    assert!(larger.len() >= 4, "{found:?}");
    for (times, worse) in larger {
        assert!((worse / times - 1.0).abs() < 1e-9, "{worse} for {times}");
    }
}
