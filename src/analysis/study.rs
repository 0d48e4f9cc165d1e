//! Repetitions → studies: groups by workload and cell, then every analysis in its order.

use std::collections::{BTreeMap, BTreeSet};

use super::cost::{Pricing, fargate_size};
use super::evidence::{Evidence, evidence};
use super::facts::facts;
use super::model::{CellReport, CellVerdict, Place, Standing, Study, Workload};
use super::notes::Note;
use super::observation::{Counts, Observation};
use super::read::{ReadResults, Run};
use super::{
    Limit, burst, curves, figures, predict, recommend, remarks, served, time, tuned, verdict,
};
use crate::cell::{Cell, Program};
use crate::price::PriceList;

/// Everything that was read, analysed: a study for each workload, in the order in which workloads were first started.
pub fn studies(reading: ReadResults, prices: &PriceList) -> Vec<Study> {
    let ReadResults {
        runs,
        sweeps_of_places,
        plans,
        tunes,
        ..
    } = reading;
    let mut studies: Vec<Study> = by_workload(runs)
        .into_iter()
        .map(|(workload, runs)| study(workload, runs, prices))
        .collect();
    studies.sort_by(|one, other| one.facts.first_start.cmp(&other.facts.first_start));
    for study in &mut studies {
        let is_of = |id: &String| study.facts.sweeps.contains(id);
        let others = sweeps_of_places.iter().filter(|place| is_of(&place.newest));
        let other_sweeps = others.flat_map(|place| place.others.clone()).collect();
        let plan = plans.iter().find(|(id, _)| is_of(id));
        let tune = tunes.iter().find(|(id, _)| is_of(id));
        study.facts.tune = tune.map(|(_, document)| Box::new(document.clone()));
        study.facts.plan = plan.map(|(_, file)| file.clone());
        study.facts.other_sweeps = other_sweeps;
    }
    let evidence = evidence(&studies);
    for (study, evidence) in studies.iter_mut().zip(&evidence) {
        finish(study, evidence, prices);
    }
    studies
}

/// The runs of each workload. A run that failed before it knew its keys joins the workload that is the same otherwise.
fn by_workload(runs: Vec<Run>) -> Vec<(Workload, Vec<Run>)> {
    let mut groups: Vec<(Workload, Vec<Run>)> = Vec::new();
    let (known, unknown): (Vec<Run>, Vec<Run>) = runs
        .into_iter()
        .partition(|run| run.workload.keys.is_some());
    for run in known {
        match groups
            .iter_mut()
            .find(|(workload, _)| *workload == run.workload)
        {
            Some((_, group)) => group.push(run),
            None => groups.push((run.workload.clone(), vec![run])),
        }
    }
    let nameless = |workload: &Workload| {
        // An embedded server shows in a summary once it has measured something.
        Workload {
            keys: None,
            bytes: None,
            sample: None,
            embedded: None,
            endpoint: None,
            ..workload.clone()
        }
    };
    for run in unknown {
        match groups
            .iter_mut()
            .find(|(workload, _)| nameless(workload) == nameless(&run.workload))
        {
            Some((_, group)) => group.push(run),
            None => groups.push((run.workload.clone(), vec![run])),
        }
    }
    groups
}

/// Groups the runs into cells and gives every cell what follows from it and its neighbours.
fn study(workload: Workload, runs: Vec<Run>, prices: &PriceList) -> Study {
    let facts = facts(&runs, prices);
    let pricing = Pricing::of(&workload, &facts, prices);
    let mut cells = cells(runs, &pricing, &workload.place);
    let of_time = time::take_off(&mut cells);
    for cell in &mut cells {
        cell.steady = figures::values(&cell.observations, Observation::steady_throughput);
    }
    let mut curves = curves::curves(&cells);
    for cell in &mut cells {
        cell.verdict = verdict::alone(cell);
    }
    for curve in &mut curves {
        curves::find_knee(curve, &mut cells);
    }
    for curve in &curves {
        verdict::among_neighbours(curve, &mut cells);
    }
    if workload.is_without_network() {
        verdict::without_network(&mut cells);
    }
    curves::stand(&mut cells);
    curves::speed_up(&mut cells);
    let mut notes = of_time;
    notes.extend(remarks::of_study(&facts, &cells, curves.len()));
    let prices = pricing.notes_of(&cells).into_iter().chain(pricing.notes);
    notes.extend(prices.map(Note::Price));
    Study {
        workload,
        facts,
        cells,
        curves,
        recommendations: Vec::new(),
        served: None,
        notes,
    }
}

fn cells(runs: Vec<Run>, pricing: &Pricing, where_run: &Place) -> Vec<CellReport> {
    let mut cells: Vec<CellReport> = Vec::new();
    // Runs are sorted by cell; failed ones that joined late are not, so cells are looked for from the end.
    for run in runs {
        let place = cells
            .iter()
            .rposition(|report| report.cell == run.cell)
            .unwrap_or_else(|| {
                cells.push(empty(run.cell.clone()));
                cells.len() - 1
            });
        match run.outcome {
            Ok(observation) => cells[place].observations.push(observation),
            Err(failure) => cells[place].failures.push(failure),
        }
    }
    cells.sort_by(|one, other| super::read::order(&one.cell).cmp(&super::read::order(&other.cell)));
    compare_times_alone(&mut cells);
    for cell in &mut cells {
        cell.fargate = fargate_size(cell, where_run);
        let prices = |observation: &Observation| {
            (
                pricing.usd_per_tb(cell, observation),
                pricing.task_usd_per_tb(cell, observation),
            )
        };
        let prices: Vec<(Option<f64>, Option<f64>)> =
            cell.observations.iter().map(prices).collect();
        for (observation, usd) in cell.observations.iter_mut().zip(prices) {
            (observation.usd_per_tb, observation.task_usd_per_tb) = usd;
        }
        cell.figures = figures::figures(&cell.observations);
        cell.cost = pricing.repetition(cell);
        cell.held = burst::held(cell.observations.iter());
        cell.notes = remarks::of_cell(cell, where_run);
    }
    cells
}

/// One figure compares the runs of a program: where some of them have their time alone, all do.
fn compare_times_alone(cells: &mut [CellReport]) {
    let timed = cells.iter().filter(|cell| cell.is_timed_alone());
    let timed: BTreeSet<Program> = timed.map(|cell| cell.cell.program.clone()).collect();
    let of_timed = cells
        .iter_mut()
        .filter(|cell| timed.contains(&cell.cell.program));
    for observation in of_timed.flat_map(|cell| &mut cell.observations) {
        observation.is_timed_alone = true;
        observation.counts = Counts::default();
    }
}

fn empty(cell: Cell) -> CellReport {
    CellReport {
        cell,
        observations: Vec::new(),
        failures: Vec::new(),
        figures: BTreeMap::new(),
        steady: Vec::new(),
        verdict: CellVerdict {
            word: Limit::Unclear,
            because: Vec::new(),
        },
        standing: Standing::Unknown,
        is_as_fast: false,
        is_knee: false,
        speed_ups: Vec::new(),
        fargate: None,
        cost: None,
        held: None,
        prediction: None,
        notes: Vec::new(),
    }
}

/// What takes all studies.
fn finish(study: &mut Study, evidence: &Evidence, prices: &PriceList) {
    let pricing = Pricing::of(&study.workload, &study.facts, prices);
    for (cell, (held, burst)) in study
        .cells
        .iter_mut()
        .zip(evidence.held.iter().zip(&evidence.bursts))
    {
        cell.held = *held;
        cell.prediction =
            predict::predict(cell, (&study.workload, &study.facts), (&pricing, *burst));
    }
    if let Some(document) = &mut study.facts.tune {
        for cell in &mut study.cells {
            let own = cell.cell.clone();
            let answers = document.answers.iter_mut();
            for choice in answers.flat_map(|answer| tuned::choices_of(answer, &own)) {
                predict::agree(cell, choice, &pricing);
            }
        }
    }
    if study.workload.http.is_some() {
        study.served = served::most_served(study);
    } else {
        study.recommendations = recommend::recommend(study);
    }
}
