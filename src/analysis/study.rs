//! Repetitions → studies: groups by workload and cell, then every analysis in its order.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::Held;
use super::burst::{Burst, Ends};
use super::cost::{Pricing, fargate_size};
use super::metric::Metric;
use super::model::{CellReport, Facts, Failure, Place, Standing, Study, Verdict, Workload};
use super::observation::Observation;
use super::read::{Reading, Run};
use super::{Limit, burst, curves, figures, predict, recommend, time, verdict};
use crate::cell::{Cell, memory_gb};
use crate::plan::Mode;
use crate::price::PriceList;

/// Fewest CPUs with which threads and processes can differ: on one they take turns.
const CONTRAST_CPUS: u32 = 2;
/// Seconds of fetching from which a rate is taken as settled: ten periods of a quota.
const SETTLED_S: f64 = 1.0;

/// Everything that was read, analysed: a study for each workload, in the order in which workloads were first started.
pub fn studies(reading: Reading, prices: &PriceList) -> Vec<Study> {
    let mut studies: Vec<Study> = by_workload(reading.runs)
        .into_iter()
        .map(|(workload, runs)| study(workload, runs, prices))
        .collect();
    studies.sort_by(|one, other| one.facts.first_start.cmp(&other.facts.first_start));
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
    curves::stand(&mut cells);
    curves::speed_up(&mut cells);
    let mut notes = notes(&facts, &cells, curves.len());
    notes.splice(0..0, of_time);
    notes.extend(pricing.notes_of(&cells));
    notes.extend(pricing.notes);
    Study {
        workload,
        facts,
        cells,
        curves,
        recommendations: Vec::new(),
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
        cell.notes = cell_notes(cell);
    }
    cells
}

fn empty(cell: Cell) -> CellReport {
    CellReport {
        cell,
        observations: Vec::new(),
        failures: Vec::new(),
        figures: BTreeMap::new(),
        steady: Vec::new(),
        verdict: Verdict {
            word: Limit::Unclear,
            because: Vec::new(),
        },
        standing: Standing::Unknown,
        is_knee: false,
        speed_ups: Vec::new(),
        fargate: None,
        cost: None,
        held: None,
        prediction: None,
        notes: Vec::new(),
    }
}

fn cell_notes(report: &CellReport) -> Vec<String> {
    let mut notes = Vec::new();
    if report.cell.cpu_units == 0 || report.cell.memory_mib == 0 {
        notes.push("its vCPU or memory limit is not known: no price".to_owned());
    } else if let Some((units, memory_mib)) = report
        .fargate
        .filter(|size| *size != (report.cell.cpu_units, report.cell.memory_mib))
    {
        let vcpus = crate::render::wording::number::vcpus(units);
        let size = format!("priced as {vcpus} and {} GB", memory_gb(memory_mib));
        let why = if units == report.cell.cpu_units {
            "which hold twice its measured peak of memory"
        } else {
            "the nearest size that Fargate has"
        };
        notes.push(format!("{size}, {why}"));
    }
    let again = report
        .observations
        .iter()
        .filter(|observation| observation.attempts > 1)
        .count();
    if again > 0 {
        notes.push(format!("{again} of its repetitions took more than one try"));
    }
    let overlapped = report
        .observations
        .iter()
        .filter(|observation| observation.is_overlapped)
        .count();
    if overlapped > 0 {
        notes.push(format!("{overlapped} of its repetitions ran at the same time as others of the sweep (`--max-tasks`): they shared what S3 gives"));
    }
    if report.cell.shards > 1 {
        notes.push("shards are put together by UTC; by how much clocks of different machines differ is not known".to_owned());
    }
    notes
}

/// What the rates of one study over time say of another: how long the rate of each cell held, and the burst of its size.
struct Evidence {
    held: Vec<Option<Held>>,
    bursts: Vec<Option<Burst>>,
}

/// Of each study, what all studies of the same source saw: a run of 20 minutes says of a sweep's short runs how long their rate lasts.
fn evidence(studies: &[Study]) -> Vec<Evidence> {
    let of_study = |study: &Study| {
        let all: Vec<&CellReport> = studies
            .iter()
            .filter(|other| is_same_source(&other.workload, &study.workload))
            .flat_map(|other| &other.cells)
            .collect();
        let of_cell = |cell: &Cell| {
            let same = all.iter().filter(|report| report.cell == *cell);
            burst::held(
                same.flat_map(|report| &report.observations)
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
        };
        let size = |cell: &Cell| (cell.cpu_units, cell.memory_mib);
        let mut bursts: BTreeMap<(u32, u32), Option<Burst>> = BTreeMap::new();
        for report in &study.cells {
            bursts
                .entry(size(&report.cell))
                .or_insert_with(|| of_size(&all, size(&report.cell)));
        }
        // What ends a burst is the platform's, so what one size shows holds for all of them.
        let known = |ends: Ends| {
            bursts
                .values()
                .flatten()
                .filter(|burst| burst.ends == ends)
                .count()
        };
        let ends = match known(Ends::Clock).cmp(&known(Ends::Credit)) {
            std::cmp::Ordering::Greater => Ends::Clock,
            std::cmp::Ordering::Less => Ends::Credit,
            std::cmp::Ordering::Equal => Ends::Unknown,
        };
        for burst in bursts
            .values_mut()
            .flatten()
            .filter(|burst| burst.ends == Ends::Unknown)
        {
            burst.ends = ends;
        }
        Evidence {
            held: study
                .cells
                .iter()
                .map(|report| of_cell(&report.cell))
                .collect(),
            bursts: study
                .cells
                .iter()
                .map(|report| bursts.get(&size(&report.cell)).copied().flatten())
                .collect(),
        }
    };
    studies.iter().map(of_study).collect()
}

/// The burst of one size, from all cells that fetched in it.
fn of_size(all: &[&CellReport], size: (u32, u32)) -> Option<Burst> {
    let mut cells: Vec<(&Cell, Vec<&Observation>)> = Vec::new();
    for report in all
        .iter()
        .filter(|report| (report.cell.cpu_units, report.cell.memory_mib) == size)
    {
        match cells.iter_mut().find(|(cell, _)| **cell == report.cell) {
            Some((_, observations)) => observations.extend(&report.observations),
            None => cells.push((&report.cell, report.observations.iter().collect())),
        }
    }
    burst::of_size(&cells)
}

/// Whether rates of the one say something of the other: the same data from the same place, whatever was fetched of it.
fn is_same_source(one: &Workload, other: &Workload) -> bool {
    let source = |workload: &Workload| {
        let Workload {
            bucket,
            prefix,
            work,
            layout,
            region,
            endpoint,
            place,
            ..
        } = workload;
        let place = (
            place.is_fargate(),
            place.arch.clone(),
            place.machine.clone(),
        );
        (
            bucket.clone(),
            prefix.clone(),
            (*work, *layout),
            region.clone(),
            endpoint.clone(),
            workload.embedded.clone(),
            place,
        )
    };
    source(one) == source(other)
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
    study.recommendations = recommend::recommend(study);
}

fn facts(runs: &[Run], prices: &PriceList) -> Facts {
    let mut facts = Facts {
        prices_dated: Some(prices.dated().to_owned()),
        ..Facts::default()
    };
    let mut sweeps: BTreeSet<String> = BTreeSet::new();
    let mut versions: BTreeSet<String> = BTreeSet::new();
    let mut limited_by: BTreeSet<String> = BTreeSet::new();
    for run in runs {
        let sweep = match &run.outcome {
            Ok(Observation { sweep, .. }) | Err(Failure { sweep, .. }) => sweep,
        };
        sweeps.extend(sweep.clone());
        versions.insert(run.context.tool_version.clone());
        limited_by.extend(run.context.limited_by.iter().cloned());
        let start = Some(run.started_at().to_owned());
        facts.first_start = facts.first_start.take().map_or(start.clone(), |first| {
            start.clone().map(|start| first.min(start))
        });
        facts.last_start = facts.last_start.take().max(start);
        add(&mut facts, run);
    }
    facts.sweeps = sweeps.into_iter().collect();
    facts.tool_versions = versions.into_iter().collect();
    facts.limited_by = limited_by.into_iter().collect();
    facts
}

/// Adds what one run knows and the runs before did not.
fn add(facts: &mut Facts, run: &Run) {
    let context = &run.context;
    match run.outcome {
        Ok(_) => facts.observations += 1,
        Err(_) => facts.failures += 1,
    }
    for (known, found) in [
        (&mut facts.system, &context.system),
        (&mut facts.cpu_model, &context.cpu_model),
    ] {
        if known.is_none() {
            known.clone_from(found);
        }
    }
    facts.machine_cpus = facts.machine_cpus.max(context.machine_cpus);
    facts.client_cpus = facts.client_cpus.max(context.client_cpus);
    facts.shared_with_server = match (facts.shared_with_server, context.shared_with_server) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    };
    if facts.storage_classes.is_empty() {
        facts.storage_classes.clone_from(&context.storage_classes);
    }
    facts.listing_s = facts.listing_s.or(context.listing_s);
    facts.planned_repetitions = facts.planned_repetitions.max(context.planned_repetitions);
    let warnings: BTreeSet<&String> = context.warnings.iter().collect();
    for warning in warnings {
        *facts.warnings.entry(warning.clone()).or_default() += 1;
    }
}

/// Repetitions that were planned and are not here: not done yet, or their documents are left out.
fn too_few_done(facts: &Facts, cells: &[CellReport]) -> Option<String> {
    let planned = usize::try_from(facts.planned_repetitions?).ok()?;
    let lacking = cells
        .iter()
        .filter(|cell| cell.observations.len() + cell.failures.len() < planned)
        .count();
    (lacking > 0).then(|| format!("{lacking} of {} configurations have fewer repetitions than the {planned} that were planned", cells.len()))
}

/// A quota is given out in periods of 100 ms: in a run of a few of them, what was left over and what was not used yet weigh too much.
fn too_short(cells: &[CellReport]) -> Option<String> {
    let times: Vec<f64> = cells
        .iter()
        .filter_map(|cell| Some(cell.figure(Metric::FetchTime)?.median))
        .collect();
    let short = times.iter().filter(|seconds| **seconds < SETTLED_S).count();
    let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
    (short > 0).then(|| {
        format!(
            "fetching took less than {SETTLED_S} s in {short} of {} configurations, {shortest:.2} s in the shortest: so short a run says little, least of all under a quota, \
             which is given out in periods of 0.1 s; more keys or `--duration` say more",
            times.len()
        )
    })
}

fn notes(facts: &Facts, cells: &[CellReport], curves: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if facts.failures > 0 {
        let all = facts.failures + facts.observations;
        notes.push(format!(
            "{} of {all} repetitions failed: their configurations are marked and never recommended",
            facts.failures
        ));
    }
    if facts.tool_versions.len() > 1 {
        notes.push(format!(
            "runs of different versions of parfetch are put together: {}",
            facts.tool_versions.join(", ")
        ));
    }
    if facts.sweeps.len() > 1 {
        notes.push(format!(
            "repetitions of {} sweeps over the same keys are put together",
            facts.sweeps.len()
        ));
    }
    if facts.limited_by.len() > 1 {
        notes.push(format!(
            "sizes were held by different means: {}",
            facts.limited_by.join(", ")
        ));
    }
    let has = |mode: Mode| cells.iter().any(|cell| cell.cell.mode == mode);
    if has(Mode::Thread)
        && has(Mode::Process)
        && facts.client_cpus.is_some_and(|cpus| cpus < CONTRAST_CPUS)
    {
        let why = if facts.client_cpus == Some(0) {
            "the client shared its CPUs with the server"
        } else {
            "the client had one CPU"
        };
        notes.push(format!("{why}: the contrast of threads and processes, which shows with several CPUs alone, cannot be tested here"));
    }
    if cells.iter().any(|cell| !cell.cell.program.is_parfetch())
        && cells.iter().any(|cell| cell.cell.program.is_parfetch())
    {
        notes.push("rates of contenders are by their own time, which holds the start of their workers, those of parfetch by fetch time: speed-ups compare like with like".to_owned());
    }
    notes.extend(too_few_done(facts, cells));
    notes.extend(too_short(cells));
    notes.extend(curves::too_few(cells));
    if cells.len() == 1 {
        return notes;
    }
    let families = if curves == 1 {
        "one curve".to_owned()
    } else {
        format!("each of {curves} curves")
    };
    notes.push(format!(
        "tests hold at 5 % within a family, corrected by Holm: for knees {families}, for `~` the configurations of one program and size; across families \
         they are not corrected"
    ));
    notes
}
