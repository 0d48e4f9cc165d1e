//! Programs that do not follow the law: what was measured wins.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rand_distr::{Distribution as _, Normal};

use crate::plan::Mode;
use crate::price::RELATIVE_RATES;
use crate::tune::{
    Found, Next, RunSeen, Size, Space, StopReason, Terms, TuneGoal, TuneQuestion, Tuner,
};

/// Tenths of a second of a run: 2 vCPUs and 4 workers are the best by far, and more of either are much slower.
fn tenths((size, _, workers): (Size, Mode, u32)) -> f64 {
    let of_size = match size.cpu_units {
        512 => 8.0,
        1_024 => 4.0,
        2_048 => 1.0,
        _ => 6.0,
    };
    let of_workers = match workers {
        1 => 5.0,
        2 => 3.0,
        4 => 1.0,
        _ => 4.0,
    };
    of_size * of_workers
}

/// How a tune of it ends, and after how many runs.
fn found(seed: u64, noise: f64) -> (Found, usize, Space) {
    let sizes = [512, 1_024, 2_048, 4_096].map(|cpu_units| Size {
        cpu_units,
        memory_mib: 2 * cpu_units,
    });
    let workers = vec![1, 2, 4, 8];
    let space = Space::new(sizes.to_vec(), vec![Mode::Process], workers, |_, _, _| true);
    let mut tuner = Tuner::new(TuneQuestion {
        space: space.clone(),
        terms: Terms {
            objects: 20.0,
            mean_bytes: 1_024.0,
            listing_s: 0.0,
            rates: RELATIVE_RATES,
        },
        goal: TuneGoal::Fastest,
        is_contender: true,
        is_web: false,
        within: 0.05,
        confidence: 0.95,
        most_runs: 150,
        run_s: 5.0,
        seed,
    });
    let mut random = SmallRng::seed_from_u64(seed);
    let noise = Normal::new(0.0, noise).unwrap();
    loop {
        match tuner.decide() {
            Next::Run(wanted) => {
                let fetch_s =
                    tenths(space.at(wanted.config)) * 0.1 * noise.sample(&mut random).exp();
                tuner.saw(RunSeen {
                    config: wanted.config,
                    log_rate: (20.0 / fetch_s).ln(),
                    log_bytes: 0.0,
                    fetch_s,
                    tail_s: 0.0,
                    cpu: None,
                    throttled: 0.0,
                    drop: None,
                    is_soak: false,
                    worker_start_s: 0.0,
                    around_s: 0.0,
                    pull_s: 0.0,
                });
            }
            Next::Stop(found) => return (found.unwrap(), tuner.runs().len(), space),
        }
    }
}

#[test]
fn the_best_of_a_program_that_does_not_follow_the_law_is_found() {
    for seed in 1..=8 {
        let (found, runs, space) = found(seed, 0.04);
        let (size, _, workers) = space.at(found.config);
        assert_eq!(
            (size.cpu_units, workers, found.stopped),
            (2_048, 4, StopReason::Sure),
            "seed {seed}: {runs} runs, {found:?}"
        );
        assert!(runs < 100, "seed {seed}: {runs} runs");
    }
}
