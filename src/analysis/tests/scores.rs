//! What a report says of a scenario against what is true there.

use super::scenarios::{Class, Scenario, reading};
use crate::analysis::{Basis, CellReport, Choice, Limit, Study, studies};
use crate::cell::{Cell, Program};
use crate::model::Whole;
use crate::price::PriceList;

/// So much worse than the best is right still.
const NEAR: f64 = 1.05;
/// So much slower is as fast.
const AS_FAST: f64 = 1.02;

/// How often something held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) held: u64,
    pub(super) of: u64,
}

impl Tally {
    pub(super) fn add(&mut self, holds: bool) {
        self.held += u64::from(holds);
        self.of += 1;
    }

    pub(super) fn share(self) -> f64 {
        if self.of == 0 {
            1.0
        } else {
            self.held as f64 / self.of as f64
        }
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self {
            held: self.held + other.held,
            of: self.of + other.of,
        }
    }
}

/// Of the scenarios of one class.
#[derive(Clone, Debug, Default)]
pub(super) struct Scores {
    pub(super) cheapest: Tally,
    pub(super) fastest: Tally,
    pub(super) worst_fastest: f64,
    pub(super) worst_cheapest: f64,
    pub(super) knee: Tally,
    pub(super) verdict: Tally,
    pub(super) abstained: Tally,
    /// The true time without noise lies in the interval.
    pub(super) held: Tally,
    pub(super) no_smaller: Tally,
    pub(super) price: Tally,
    /// No answer but a first look.
    pub(super) first_looks: Tally,
    /// What was sure, or tied for sure, was right.
    pub(super) sure: Tally,
}

/// What is true of a cell.
struct Truth {
    whole: Whole,
    usd_task: f64,
    usd: f64,
}

pub(super) fn score(class: Class, numbers: std::ops::Range<u64>) -> Scores {
    let mut scores = Scores::default();
    for number in numbers {
        let scenario = Scenario::new(class, number);
        let studies = studies(reading(scenario.documents()), &PriceList::built_in());
        let study = studies
            .iter()
            .find(|study| study.facts.sweeps == ["sweep"])
            .unwrap();
        let truths: Vec<Truth> = study
            .cells
            .iter()
            .map(|report| truth(&scenario, &report.cell))
            .collect();
        for program in programs(study) {
            scores.choices((&scenario, number), study, (&truths, &program));
        }
        scores.cells(&scenario, study, &truths);
    }
    scores
}

/// Every cell of a scenario: predicted and true.
pub(super) fn show(class: Class, number: u64) {
    let scenario = Scenario::new(class, number);
    println!("{:#?}", scenario.law.model());
    let studies = studies(reading(scenario.documents()), &PriceList::built_in());
    for study in &studies {
        println!("{:?} {:?}", study.facts.sweeps, study.notes);
        for report in &study.cells {
            let truth = truth(&scenario, &report.cell);
            let found = report.prediction.as_ref().unwrap();
            println!(
                "{:<36} {:>8.1} s for {:>8.1} s ({:+.1} %), task {:.5} for {:.5}, dropped {:?}, {:?}",
                report.cell.slug(),
                found.seconds,
                truth.whole.seconds,
                (found.seconds / truth.whole.seconds - 1.0) * 100.0,
                found.cost.as_ref().map_or(0.0, |cost| cost.usd_task),
                truth.usd_task,
                truth.whole.ran.dropped_s,
                found.basis()
            );
        }
    }
}

fn programs(study: &Study) -> Vec<Program> {
    let mut programs: Vec<Program> = study
        .cells
        .iter()
        .map(|report| report.cell.program.clone())
        .collect();
    programs.dedup();
    programs
}

fn truth(scenario: &Scenario, cell: &Cell) -> Truth {
    let prices = PriceList::built_in();
    let (task, requests) = (
        prices.fargate("us-east-1", "x86_64").unwrap(),
        prices.s3("us-east-1", "").unwrap(),
    );
    let whole = scenario.law.whole(cell);
    let size = crate::price::TaskSize {
        vcpu: cell.vcpu(),
        memory_mib: u64::from(cell.memory_mib),
    };
    let usd_task = crate::price::task_usd(
        task,
        size,
        whole.seconds + scenario.law.model().start.pull_s,
    );
    let pages = scenario.law.objects().div_ceil(1_000) as f64;
    let usd = usd_task
        + whole.gets * requests.usd_per_1000_get / 1e3
        + pages * requests.usd_per_1000_list / 1e3;
    Truth {
        whole,
        usd_task,
        usd,
    }
}

impl Scores {
    fn choices(
        &mut self,
        (scenario, number): (&Scenario, u64),
        study: &Study,
        (truths, program): (&[Truth], &Program),
    ) {
        let of_program = || {
            study
                .cells
                .iter()
                .zip(truths)
                .filter(|(report, _)| report.cell.program == *program)
        };
        let least = |value: fn(&Truth) -> f64| {
            of_program()
                .map(|(_, truth)| value(truth))
                .fold(f64::INFINITY, f64::min)
        };
        let found = study
            .recommendations
            .iter()
            .find(|found| found.program == *program)
            .unwrap();
        let chosen = |choice: &Option<Choice>| choice.as_ref().map(|choice| choice.cell);
        let loss = |cell: Option<usize>, value: fn(&Truth) -> f64| {
            cell.map_or(f64::INFINITY, |cell| value(&truths[cell]) / least(value))
        };
        let cheapest = loss(chosen(&found.cheapest), |truth| truth.usd_task);
        let fastest = loss(chosen(&found.fastest), |truth| truth.whole.seconds);
        let is_answer = |choice: &Option<Choice>| {
            choice
                .as_ref()
                .is_none_or(|choice| choice.first_look.is_none())
        };
        self.first_looks.add(!is_answer(&found.fastest));
        if !is_answer(&found.cheapest) || !is_answer(&found.fastest) {
            return;
        }
        if let Some(choice) = &found.cheapest {
            self.sure
                .add(choice.confidence_near.unwrap_or(0.0) < 0.95 || cheapest <= NEAR);
        }
        self.cheapest.add(cheapest <= NEAR);
        self.worst_cheapest = self.worst_cheapest.max(cheapest);
        self.fastest.add(fastest <= NEAR);
        self.worst_fastest = self.worst_fastest.max(fastest);
        let smaller = chosen(&found.fastest).is_some_and(|cell| {
            let (vcpu, seconds) = (study.cells[cell].cell.vcpu(), truths[cell].whole.seconds);
            of_program().any(|(other, truth)| {
                other.cell.vcpu() < vcpu && truth.whole.seconds <= seconds * AS_FAST
            })
        });
        self.no_smaller.add(!smaller);
        if cheapest > NEAR || fastest > NEAR || smaller {
            let noise = scenario.law.model().noise;
            let name = |choice: &Option<Choice>| {
                chosen(choice).map_or_else(String::new, |cell| study.cells[cell].cell.slug())
            };
            println!(
                "{:?} {number} {:?} {}: cheapest {cheapest:.3} ({}) fastest {fastest:.3} ({}) smaller {smaller}",
                scenario.class,
                noise.kind,
                noise.sigma,
                name(&found.cheapest),
                name(&found.fastest)
            );
        }
    }

    fn cells(&mut self, scenario: &Scenario, study: &Study, truths: &[Truth]) {
        for (report, truth) in study.cells.iter().zip(truths) {
            if let Some(prediction) = &report.prediction {
                let is_conditional = matches!(prediction.basis(), Some(Basis::Burst { .. }))
                    && truth.whole.ran.dropped_s.is_some();
                if let Some(interval) = prediction.interval.filter(|_| !is_conditional) {
                    self.held.add(
                        interval.low <= truth.whole.seconds && truth.whole.seconds <= interval.high,
                    );
                }
                if let Some(cost) = prediction
                    .cost
                    .as_ref()
                    .filter(|_| truth.whole.ran.refused > 0.01 * truth.whole.ran.objects)
                {
                    self.price
                        .add((cost.usd_total() / truth.usd - 1.0).abs() <= 0.1);
                }
            }
            self.verdict(scenario, study, report);
        }
        for curve in study.curves.iter().filter(|curve| curve.cells.len() > 1) {
            let rates: Vec<f64> = curve
                .cells
                .iter()
                .map(|cell| sweep_rate(scenario, &study.cells[*cell].cell))
                .collect();
            let best = rates.iter().copied().fold(0.0, f64::max);
            let knee = rates.iter().position(|rate| *rate >= 0.95 * best).unwrap();
            let found = curve.knee.and_then(|knee| {
                curve
                    .cells
                    .iter()
                    .position(|cell| study.cells[*cell].cell.concurrency == knee)
            });
            let steps = found.map(|found| found.abs_diff(knee));
            if steps.is_none_or(|steps| steps > 1) {
                let shares: Vec<String> = rates
                    .iter()
                    .map(|rate| format!("{:.3}", rate / best))
                    .collect();
                let noise = scenario.law.model().noise;
                println!(
                    "knee {:?} {:?} {}: {found:?} for {knee}: {shares:?} {:?}",
                    scenario.class, noise.kind, noise.sigma, curve.note
                );
            }
            self.knee
                .add(found.is_some_and(|found| found.abs_diff(knee) <= 1));
        }
    }

    fn verdict(&mut self, scenario: &Scenario, study: &Study, report: &CellReport) {
        self.abstained.add(report.verdict.word == Limit::Unclear);
        if report.verdict.word == Limit::Unclear {
            return;
        }
        let cell = &report.cell;
        let ran = sweep_run(scenario, cell);
        let size = scenario.law.bytes() / scenario.law.objects() as f64;
        let sample = ran.bytes / ran.objects;
        let network = if ran.dropped_s.is_some() {
            1.0
        } else {
            scenario.law.model().network.burst_factor
        };
        let limits = scenario
            .law
            .flow(cell, sample.min(size), scenario.law.network(cell) * network)
            .limits;
        let other = scenario
            .law
            .flow(cell, sample.max(size), scenario.law.network(cell) * network)
            .limits;
        let (lowest, _) = limits.lowest_two();
        let (least, _) = other.lowest_two();
        let is_near = |of: fn(&crate::model::RateLimits) -> f64| {
            of(&limits) <= lowest * 1.25 || of(&other) <= least * 1.25
        };
        let right = match report.verdict.word {
            Limit::CpuBound | Limit::QuotaThrottled => is_near(|limits| limits.cpu),
            Limit::S3Throttled | Limit::KmsThrottled | Limit::Throttled => {
                ran.refused > 0.005 * ran.objects
            }
            Limit::TailBound => ran
                .window_s
                .is_some_and(|window_s| ran.fetch_s - window_s > 0.15 * ran.fetch_s),
            Limit::PerConnectionBound => {
                let higher = study.cells.iter().filter(|other| {
                    let other = &other.cell;
                    other.concurrency > cell.concurrency
                        && *other
                            == Cell {
                                concurrency: other.concurrency,
                                ..cell.clone()
                            }
                });
                let rate = sweep_rate(scenario, cell);
                higher
                    .into_iter()
                    .any(|other| sweep_rate(scenario, &other.cell) > 1.03 * rate)
            }
            Limit::NetworkBound => is_near(|limits| limits.network),
            Limit::Failed | Limit::ServerBound | Limit::Unclear => false,
        };
        self.verdict.add(right);
        if !right {
            println!(
                "{:?} {}: {:?} {:?} {limits:?}",
                scenario.class,
                cell.slug(),
                report.verdict.word,
                report.verdict.because
            );
        }
    }
}

fn sweep_run(scenario: &Scenario, cell: &Cell) -> crate::model::Ran {
    let chance = crate::model::Chance {
        slower: 1.0,
        last: scenario.law.model().store.last_fetch,
    };
    scenario.law.run(cell, scenario.sweeps[0].amount, chance)
}

/// Bytes a second of a run of the sweep, without noise.
fn sweep_rate(scenario: &Scenario, cell: &Cell) -> f64 {
    let ran = sweep_run(scenario, cell);
    ran.bytes / ran.fetch_s
}
