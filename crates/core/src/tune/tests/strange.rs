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

fn question(space: &Space, (objects, mean_bytes): (f64, f64)) -> TuneQuestion {
    TuneQuestion {
        space: space.clone(),
        terms: Terms {
            objects,
            mean_bytes,
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
        seed: 1,
    }
}

/// A run over so many objects in so many seconds, and nothing else.
fn run(config: usize, (objects, fetch_s): (f64, f64)) -> RunSeen {
    RunSeen {
        config,
        log_rate: (objects / fetch_s).ln(),
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
    }
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
        seed,
        ..question(&space, (20.0, 1_024.0))
    });
    let mut random = SmallRng::seed_from_u64(seed);
    let noise = Normal::new(0.0, noise).unwrap();
    loop {
        match tuner.decide() {
            Next::Run(wanted) => {
                let fetch_s =
                    tenths(space.at(wanted.config)) * 0.1 * noise.sample(&mut random).exp();
                tuner.saw(run(wanted.config, (20.0, fetch_s)));
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

/// Runs of a program on a machine whose store took CPU as well, as they came: size, mode, workers, and objects a second.
const SEEN: [((u32, Mode, u32), f64); 17] = [
    ((1_024, Mode::Thread, 1), 157.8),
    ((1_024, Mode::Thread, 4), 181.1),
    ((1_024, Mode::Process, 4), 163.3),
    ((1_024, Mode::Thread, 64), 61.3),
    ((1_024, Mode::Process, 64), 92.0),
    ((256, Mode::Thread, 2), 40.6),
    ((256, Mode::Process, 1), 42.9),
    ((256, Mode::Process, 1), 41.0),
    ((256, Mode::Process, 2), 44.0),
    ((256, Mode::Process, 4), 41.8),
    ((256, Mode::Process, 2), 44.4),
    ((256, Mode::Process, 8), 40.0),
    ((256, Mode::Process, 1), 47.2),
    ((256, Mode::Process, 8), 40.6),
    ((256, Mode::Process, 8), 34.6),
    ((256, Mode::Thread, 2), 44.8),
    ((512, Mode::Process, 2), 83.5),
];

/// The law misses such a program, and a tune for the least price does not look at what is fast: so the runs say how fast that is.
#[test]
fn the_fastest_that_is_named_beside_the_cheapest_is_that_of_the_runs() {
    let sizes = [256, 512, 1_024, 2_048].map(|cpu_units| Size {
        cpu_units,
        memory_mib: 2 * cpu_units,
    });
    let modes = vec![Mode::Thread, Mode::Process];
    let workers = (0..10).map(|power| 1 << power).collect();
    let space = Space::new(sizes.to_vec(), modes, workers, |_, _, _| true);
    let mut tuner = Tuner::new(TuneQuestion {
        goal: TuneGoal::Cheapest,
        ..question(&space, (1_000.0, 1e6))
    });
    let place = |at: (u32, Mode, u32)| {
        (0..space.len()).find(|config| {
            let (size, mode, workers) = space.at(*config);
            (size.cpu_units, mode, workers) == at
        })
    };
    for (at, rate) in SEEN {
        tuner.saw(run(place(at).unwrap(), (1_000.0, 1_000.0 / rate)));
    }
    let [fastest, _] = tuner.conclude(StopReason::Asked).unwrap().extremes;
    assert_eq!(Some(fastest.config), place((1_024, Mode::Thread, 4)));
    let [low_s, middle_s, high_s] = fastest.seconds;
    let own_s = 1_000.0 / 181.1;
    assert!(
        low_s < own_s && own_s < high_s && (middle_s - own_s).abs() < 0.1,
        "{own_s} s, {fastest:?}"
    );
}
