//! The table: how often each way is within 5 % of the best, with how many runs, and how often it was right where it said that it was sure.

use std::collections::BTreeMap;

use super::bench::{Bench, question};
use super::families::{Family, NOISES, Trait};
use crate::plan::Mode;
use crate::stats::location::median;
use crate::tune::question::Without;
use crate::tune::{Next, RunSeen, StopReason, TuneGoal, Tuner};

const WITHIN: f64 = 0.05;

/// A way to choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Tune,
    Lacking(Without),
    /// The same answer everywhere, without a run.
    Constant,
    /// Every configuration six times.
    Full,
}

/// What one tune came to.
#[derive(Clone, Debug)]
pub(super) struct Tuned {
    pub(super) number: u64,
    pub(super) of: Trait,
    pub(super) noise: String,
    pub(super) sigma: f64,
    /// By which share what it chose is worse than the best.
    pub(super) loss: f64,
    pub(super) runs: usize,
    pub(super) task_minutes: f64,
    pub(super) is_sure: bool,
    pub(super) confidence: f64,
    pub(super) chosen: String,
    pub(super) best: String,
}

pub(super) fn tune(
    bench: &mut Bench,
    goal: TuneGoal,
    without: Option<Without>,
) -> (usize, f64, bool) {
    let mut tuner = Tuner::new(question(bench, goal));
    if let Some(part) = without {
        tuner = tuner.without(part);
    }
    loop {
        match tuner.decide() {
            Next::Run(wanted) => {
                let run = bench.run(wanted.config, (wanted.objects, wanted.ends_s));
                tuner.saw(run);
            }
            Next::Stop(found) => {
                let found = found.expect("numbers do not fail");
                return (
                    found.config,
                    found.confidence,
                    found.stopped == StopReason::Sure,
                );
            }
        }
    }
}

fn constant(bench: &Bench, goal: TuneGoal) -> usize {
    let wanted = match goal {
        TuneGoal::Fastest => (16.0, 512.0),
        _ => (0.25, 32.0),
    };
    bench
        .space
        .nearest(wanted.0, Mode::Async, wanted.1)
        .unwrap()
}

/// Six runs of each, in blocks; each size whose best looks best is run for long once.
fn full(bench: &mut Bench, goal: TuneGoal) -> usize {
    let mut order: Vec<usize> = (0..bench.space.len()).collect();
    let mut random = fastrand::Rng::with_seed(5);
    let mut runs: Vec<Vec<RunSeen>> = vec![Vec::new(); order.len()];
    for _ in 0..6 {
        random.shuffle(&mut order);
        for config in &order {
            let rate = runs[*config].first().map_or_else(
                || bench.terms.objects / bench.truth[*config].0,
                |run| run.log_rate.exp(),
            );
            let objects = (rate * 30.0).ceil().max(20.0).min(bench.terms.objects);
            let run = bench.run(*config, (objects, None));
            runs[*config].push(run);
        }
    }
    let rates: Vec<f64> = runs
        .iter()
        .map(|runs| {
            median(&runs.iter().map(|run| run.log_rate).collect::<Vec<_>>())
                .unwrap()
                .exp()
        })
        .collect();
    let tails: Vec<f64> = runs
        .iter()
        .map(|runs| median(&runs.iter().map(|run| run.tail_s).collect::<Vec<_>>()).unwrap())
        .collect();
    // By size: the rate after a drop over the one before, the rate it has then, the credit; looked for once.
    let mut soaked: BTreeMap<u32, Option<(f64, f64)>> = BTreeMap::new();
    loop {
        let value = |config: usize| {
            let (size, ..) = bench.space.at(config);
            let (rate, all) = (rates[config], bench.terms.objects);
            let steady = match soaked.get(&size.cpu_units).copied().flatten() {
                Some((base, credit))
                    if rate > 1.02 * base && all > rate * credit / (rate - base) =>
                {
                    let for_s = credit / (rate - base);
                    for_s + (all - rate * for_s) / base
                }
                _ => all / rate,
            };
            let first = &runs[config][0];
            let seconds = steady
                + tails[config]
                + first.around_s
                + first.worker_start_s
                + bench.terms.listing_s;
            goal.of(bench.terms.rates, size, (seconds, first.pull_s))
        };
        let best = (0..bench.space.len())
            .min_by(|one, other| value(*one).total_cmp(&value(*other)))
            .unwrap();
        let (size, ..) = bench.space.at(best);
        if soaked.contains_key(&size.cpu_units) {
            return best;
        }
        let seconds = (bench.terms.objects / rates[best]).min(900.0);
        let run = bench.run(best, (0.0, Some(seconds)));
        let drop = run.drop.map(|drop| {
            let base = drop.after / drop.before * rates[best];
            (base, (drop.before - drop.after) * drop.at_s)
        });
        soaked.insert(size.cpu_units, drop);
    }
}

fn outcome((family, number): (Family, u64), goal: TuneGoal, way: Way) -> Tuned {
    let mut bench = Bench::new(family, number, 1);
    let (config, confidence, is_sure) = match way {
        Way::Tune => tune(&mut bench, goal, None),
        Way::Lacking(part) => tune(&mut bench, goal, Some(part)),
        Way::Constant => (constant(&bench, goal), 0.0, false),
        Way::Full => (full(&mut bench, goal), 0.0, false),
    };
    let losses = bench.losses(goal);
    let name = |config: usize| {
        let (size, mode, workers) = bench.space.at(config);
        format!("{}/{mode}/{workers}", f64::from(size.cpu_units) / 1_024.0)
    };
    let best = (0..losses.len())
        .find(|config| losses[*config] <= 0.0)
        .unwrap();
    let model = bench.law.model();
    Tuned {
        number,
        of: bench.of,
        noise: format!("{:?}", model.noise.kind).to_lowercase(),
        sigma: model.noise.sigma,
        loss: losses[config],
        runs: bench.runs,
        task_minutes: bench.task_s / 60.0,
        is_sure,
        confidence,
        chosen: name(config),
        best: name(best),
    }
}

/// Every one of these platforms, two threads at a time.
pub(super) fn outcomes(
    (family, numbers): (Family, std::ops::Range<u64>),
    goal: TuneGoal,
    way: Way,
) -> Vec<Tuned> {
    let next = std::sync::atomic::AtomicU64::new(numbers.start);
    let work = || {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number >= numbers.end {
                return found;
            }
            found.push(outcome((family, number), goal, way));
        }
    };
    let mut found: Vec<Tuned> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    found.sort_by_key(|outcome| outcome.number);
    found
}

pub(super) fn right(outcomes: &[Tuned], of: impl Fn(&Tuned) -> bool) -> (usize, usize) {
    let of: Vec<&Tuned> = outcomes.iter().filter(|one| of(one)).collect();
    (
        of.iter().filter(|one| one.loss <= WITHIN + 1e-9).count(),
        of.len(),
    )
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place"
    )]
    let at = ((values.len() - 1) as f64 * share).round() as usize;
    values[at]
}

fn show(name: &str, outcomes: &[Tuned]) {
    let (held, of) = right(outcomes, |_| true);
    let (sure, of_sure) = right(outcomes, |one| one.is_sure);
    let runs = |share| quantile(outcomes.iter().map(|one| one.runs as f64).collect(), share);
    let minutes = |share| quantile(outcomes.iter().map(|one| one.task_minutes).collect(), share);
    let worst = outcomes.iter().map(|one| one.loss).fold(0.0, f64::max);
    println!(
        "{name:<34} {held}/{of} = {:.3}, worst +{:.0} %, runs {:.0}/{:.0}, minutes {:.0}/{:.0}, sure {sure}/{of_sure}",
        held as f64 / of as f64,
        worst * 100.0,
        runs(0.5),
        runs(0.95),
        minutes(0.5),
        minutes(0.95)
    );
}

fn show_parts(outcomes: &[Tuned]) {
    let parts = |name: &str, of: &dyn Fn(&Tuned) -> bool| {
        let (held, of) = right(outcomes, of);
        print!("  {name} {held}/{of}");
    };
    for of in Trait::ALL {
        parts(&format!("{of:?}"), &|one| one.of == of);
    }
    println!();
    for kind in NOISES {
        parts(kind, &|one| one.noise == kind);
    }
    for sigma in super::families::SIGMAS {
        parts(&sigma.to_string(), &|one| (one.sigma - sigma).abs() < 1e-9);
    }
    println!();
    // What was stated against what was right.
    for (from, to) in [
        (0.0, 0.5),
        (0.5, 0.7),
        (0.7, 0.85),
        (0.85, 0.95),
        (0.95, 0.98),
        (0.98, 1.01),
    ] {
        let is_stated = |one: &Tuned| (from..to).contains(&one.confidence);
        let (held, of) = right(outcomes, is_stated);
        print!("  P {from}–{to}: {held}/{of}");
    }
    println!();
}

pub(super) fn table(numbers: std::ops::Range<u64>, ways: &[Way], families: &[Family]) {
    for family in families {
        for goal in [TuneGoal::Cheapest, TuneGoal::Fastest] {
            for way in ways {
                let started = std::time::Instant::now();
                let outcomes = outcomes((*family, numbers.clone()), goal, *way);
                show(&format!("{family:?} {goal:?} {way:?}"), &outcomes);
                if *way == Way::Tune {
                    show_parts(&outcomes);
                    for one in outcomes.iter().filter(|one| one.loss > WITHIN) {
                        println!(
                            "    {} {:?} {} {}: +{:.1} % P {:.2} {} runs, {} for {}",
                            one.number,
                            one.of,
                            one.noise,
                            one.sigma,
                            one.loss * 100.0,
                            one.confidence,
                            one.runs,
                            one.chosen,
                            one.best
                        );
                    }
                    println!("    {:.0} s", started.elapsed().as_secs_f64());
                }
            }
        }
    }
}
