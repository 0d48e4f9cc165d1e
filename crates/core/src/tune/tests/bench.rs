//! A platform on which a tune measures: runs by its law, and the truth of each configuration.

use super::families::{Draw, Family, Trait, model, trait_of};
use crate::cell::{Cell, Program};
use crate::model::{Law, ModelSession, Ran, RunAmount};
use crate::plan::{ClientKind, Factors, Mode};
use crate::price::{TaskRates, TaskSize, task_usd};
use crate::stats::change::change_point;
use crate::tune::{CpuUse, RunSeen, SeenDrop, Size, Space, Terms, TuneGoal, TuneQuestion};

/// Prices of us-east-1.
pub(super) const RATES: TaskRates = TaskRates {
    usd_per_vcpu_hour: 0.04048,
    usd_per_gb_hour: 0.004_445,
};
pub(super) const WORKERS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const SIZES: [u32; 7] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];
/// With stress: how far each configuration is off, and what is left beyond a cliff.
const OWN: f64 = 0.04;
const CLIFF: f64 = 0.6;

pub(super) struct Bench {
    pub(super) space: Space,
    pub(super) terms: Terms,
    pub(super) of: Trait,
    pub(super) law: Law,
    /// How many times as long as the law says each configuration takes.
    slower: Vec<f64>,
    /// Of the whole bucket, by configuration: seconds, and US dollars of the task.
    pub(super) truth: Vec<(f64, f64)>,
    session: ModelSession,
    pub(super) runs: usize,
    pub(super) task_s: f64,
}

pub(super) fn space() -> Space {
    let sizes = SIZES.map(|cpu_units| Size {
        cpu_units,
        memory_mib: 2 * cpu_units,
    });
    Space::new(
        sizes.to_vec(),
        Mode::ALL.to_vec(),
        WORKERS.to_vec(),
        |_, _, _| true,
    )
}

/// What is asked of a platform.
pub(super) fn question(bench: &Bench, goal: TuneGoal) -> TuneQuestion {
    TuneQuestion {
        space: bench.space.clone(),
        terms: bench.terms,
        goal,
        is_contender: bench.of == Trait::Lock,
        is_web: false,
        within: 0.05,
        confidence: 0.95,
        most_runs: 150,
        run_s: 30.0,
        seed: 1,
    }
}

impl Bench {
    pub(super) fn new(family: Family, number: u64, seed: u64) -> Self {
        let law = Law::new(model(family, number));
        let space = space();
        let slower = slower(family, number, &space);
        let of = trait_of(number);
        let terms = Terms {
            objects: law.objects() as f64,
            mean_bytes: law.bytes() / law.objects() as f64,
            listing_s: law.listing_s(),
            rates: RATES,
        };
        let session = ModelSession::new(law.clone(), (seed, 150));
        let mut bench = Self {
            space,
            terms,
            of,
            slower,
            truth: Vec::new(),
            session,
            law,
            runs: 0,
            task_s: 0.0,
        };
        bench.truth = (0..bench.space.len())
            .map(|index| bench.true_of(index))
            .collect();
        bench
    }

    fn cell(&self, index: usize) -> Cell {
        let (size, mode, concurrency) = self.space.at(index);
        let program = if self.of == Trait::Lock {
            Program::Contender("python".to_owned())
        } else {
            Program::Client(ClientKind::Lean)
        };
        Cell {
            program,
            cpu_units: size.cpu_units,
            memory_mib: size.memory_mib,
            mode,
            concurrency,
            shards: 1,
            factors: Factors::default(),
        }
    }

    fn true_of(&self, index: usize) -> (f64, f64) {
        let whole = self.law.whole_when(&self.cell(index), self.slower[index]);
        let (size, ..) = self.space.at(index);
        let task = TaskSize {
            vcpu: f64::from(size.cpu_units) / 1_024.0,
            memory_mib: u64::from(size.memory_mib),
        };
        let usd = task_usd(RATES, task, whole.seconds + self.law.model().start.pull_s);
        (whole.seconds, usd)
    }

    /// By which share each configuration is worse than the best.
    pub(super) fn losses(&self, goal: TuneGoal) -> Vec<f64> {
        let value = |truth: &(f64, f64)| match goal {
            TuneGoal::Fastest => truth.0,
            _ => truth.1,
        };
        let best = self.truth.iter().map(value).fold(f64::INFINITY, f64::min);
        self.truth
            .iter()
            .map(|truth| value(truth) / best - 1.0)
            .collect()
    }

    /// The next run: so many objects, or until the clock says so.
    pub(super) fn run(&mut self, config: usize, (objects, ends_s): (f64, Option<f64>)) -> RunSeen {
        let cell = self.cell(config);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and not negative"
        )]
        let amount = ends_s.map_or(RunAmount::Objects(objects as u64), RunAmount::Seconds);
        let ran = self.session.run((&cell, self.slower[config]), amount);
        let series = self.session.series(&ran);
        let [start_up_s, worker_start_s, write_back_s] = self.session.around(&cell, ran.objects);
        self.runs += 1;
        self.task_s += ran.fetch_s + worker_start_s + self.law.model().start.pull_s;
        let tail_s = ran.window_s.map_or(0.0, |window_s| ran.fetch_s - window_s);
        let mean = ran.bytes / ran.objects;
        let drop = drop(&series, &ran, mean);
        let rate = drop.map_or_else(|| steady(&ran, mean), |drop| drop.before);
        RunSeen {
            config,
            log_rate: rate.ln(),
            log_bytes: (mean / self.terms.mean_bytes).ln(),
            fetch_s: ran.fetch_s,
            tail_s,
            cpu: Some(CpuUse {
                log_s: (ran.cpu_s / ran.objects).ln(),
                share: ran.cpu_s / ran.fetch_s / cell.vcpu(),
            }),
            throttled: ran.refused / (ran.refused + ran.objects),
            drop,
            is_soak: ends_s.is_some(),
            worker_start_s,
            around_s: start_up_s + write_back_s,
            pull_s: self.law.model().start.pull_s,
        }
    }
}

/// Objects a second while every worker was busy.
fn steady(ran: &Ran, mean: f64) -> f64 {
    match ran.window_s.filter(|seconds| *seconds > 0.0) {
        Some(window_s) => ran.window_bytes / window_s / mean,
        None => ran.objects / ran.fetch_s,
    }
}

fn drop(series: &[f64], ran: &Ran, mean: f64) -> Option<SeenDrop> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds"
    )]
    let busy = ran.window_s.unwrap_or(ran.fetch_s) as usize;
    let rates = series.get(1..busy.min(series.len().saturating_sub(1)))?;
    let change = change_point(rates).filter(|change| change.after < change.before)?;
    Some(SeenDrop {
        at_s: change.at as f64 + 1.0,
        before: change.before / mean,
        after: change.after / mean,
    })
}

/// What of each configuration no law says.
fn slower(family: Family, number: u64, space: &Space) -> Vec<f64> {
    if family != Family::Stress {
        return vec![1.0; space.len()];
    }
    let mut draw = Draw::new(number * 31 + 5);
    let size = draw.one_of(&SIZES);
    let from = draw.one_of(&[16, 32, 64, 128]);
    (0..space.len())
        .map(|index| {
            let (of, _, workers) = space.at(index);
            let cliff = if of.cpu_units == size && workers > from {
                CLIFF
            } else {
                1.0
            };
            (OWN * draw.normal()).exp() / cliff
        })
        .collect()
}
