//! What to run: for each program the cheapest cell, the fastest one, and those that no other beats, with how sure that is and what is needed to run them.

use serde_json::json;

use super::advice::{Choice, Edge, FirstLook, KneeSide, Lack, Recommendation};
use super::choose::{self, Candidate};
use super::figures::median_of;
use super::fit::{CpuOfObject, Objects, Subject};
use super::metric::Metric;
use super::model::{CellReport, Curve, Limit, Study};
use super::tuned::{TuneAnswer, TunedPlace};
use crate::cell::{Cell, Program};
use crate::plan::Factors;
use crate::price::CPU_UNITS;

/// When bytes and objects of the bucket differ by more than this factor from those measured, what limits may be something else there.
const UNLIKE: f64 = 1.5;

/// One recommendation for each program with each of its factors: first those that somebody brought, which the question is about, then parfetch's own
/// clients.
pub(super) fn recommend(study: &Study) -> Vec<Recommendation> {
    let mut subjects: Vec<SubjectKey<'_>> = Vec::new();
    for cell in &study.cells {
        if !subjects.contains(&subject_of(&cell.cell)) {
            subjects.push(subject_of(&cell.cell));
        }
    }
    subjects.sort_by_key(|(program, _)| program.is_parfetch());
    subjects
        .into_iter()
        .map(|subject| of_subject(subject, study))
        .collect()
}

/// What a recommendation is for: a law that is fitted to one server says nothing of another.
type SubjectKey<'a> = (&'a Program, &'a Factors);

fn subject_of(cell: &Cell) -> SubjectKey<'_> {
    (&cell.program, &cell.factors)
}

/// A cell that can be recommended.
struct Able<'a> {
    place: usize,
    report: &'a CellReport,
    seconds: f64,
    order: Option<f64>,
}

fn of_subject(key: SubjectKey<'_>, study: &Study) -> Recommendation {
    let (program, factors) = key;
    let all = || study.cells.iter().enumerate();
    let of_subject = || all().filter(|(_, cell)| subject_of(&cell.cell) == key);
    let able: Vec<Able<'_>> = of_subject()
        .filter(|(_, cell)| !cell.has_failures() && cell.verdict.word != Limit::ServerBound)
        .filter_map(|(place, report)| {
            let prediction = report.prediction.as_ref()?;
            Some(Able {
                place,
                report,
                seconds: prediction.seconds,
                order: prediction.order,
            })
        })
        .collect();
    let subject = subject(program, study);
    let candidates = |values: fn(&super::Prediction) -> &Vec<f64>, wished| -> Vec<Candidate> {
        let found = able
            .iter()
            .filter_map(|able| candidate(able, values, subject));
        let wish = |one: Candidate| Candidate {
            is_wished: Some(one.place) == wished,
            ..one
        };
        found.map(wish).collect()
    };
    if let Some(answer) = TuneAnswer::of(study.facts.tune.as_deref(), key) {
        return by_tune(study, (key, answer), pareto(&able));
    }
    let fastest = choose::choose(&candidates(|prediction| &prediction.runs_s, None), subject);
    // Below the least time that is billed many cost the same: then one configuration is the answer to both.
    let wished = fastest.as_ref().map(|chosen| chosen.place);
    let by_price = candidates(|prediction| &prediction.runs_order, wished);
    let cheapest = choose::choose(&by_price, subject);
    let because = match (&fastest, &cheapest) {
        (None, _) => Some(nothing(of_subject().map(|(_, cell)| cell))),
        (Some(_), None) => Some(Lack::NoSize),
        _ => None,
    };
    let of_chosen =
        |chosen: &choose::Chosen, goal| choice(study, (chosen, first_look(study, chosen)), goal);
    let fastest = fastest.map(|chosen| {
        let seconds = |cell: &CellReport| Some(cell.prediction.as_ref()?.seconds);
        let own = seconds(&study.cells[chosen.place]).unwrap_or(0.0);
        let is_faster = |cell: &CellReport| seconds(cell).is_some_and(|other| other < own);
        let left_out = of_subject()
            .filter(|(_, cell)| cell.verdict.word == Limit::ServerBound && is_faster(cell))
            .count();
        Choice {
            left_out,
            ..of_chosen(&chosen, Objective::Fastest)
        }
    });
    Recommendation {
        program: program.clone(),
        factors: factors.clone(),
        cheapest: cheapest.map(|chosen| of_chosen(&chosen, Objective::Cheapest)),
        fastest,
        pareto: pareto(&able),
        because,
    }
}

/// What the tune found, whose runs these are.
fn by_tune(
    study: &Study,
    (key, answer): (SubjectKey<'_>, TuneAnswer<'_>),
    pareto: Vec<usize>,
) -> Recommendation {
    let (program, factors) = key;
    let choice = |found: TunedPlace, goal| Choice {
        confidence_near: found.confidence,
        at_edge: found.at_edge,
        ..choice(study, (&found.chosen, found.first_look), goal)
    };
    Recommendation {
        program: program.clone(),
        factors: factors.clone(),
        cheapest: answer
            .cheapest(study)
            .map(|found| choice(found, Objective::Cheapest)),
        fastest: answer
            .fastest(study)
            .map(|found| choice(found, Objective::Fastest)),
        pareto,
        because: None,
    }
}

/// Why nothing of these cells can be recommended.
fn nothing<'a>(cells: impl Iterator<Item = &'a CellReport>) -> Lack {
    let (mut of, mut failed, mut server_bound) = (0, 0, 0);
    for cell in cells {
        of += 1;
        if cell.has_failures() {
            failed += 1;
        } else if cell.verdict.word == Limit::ServerBound {
            server_bound += 1;
        }
    }
    Lack::NoCell {
        of,
        failed,
        server_bound,
    }
}

fn subject(program: &Program, study: &Study) -> Subject {
    let count = study.workload.keys.unwrap_or(1).max(1) as f64;
    Subject {
        objects: Objects {
            count,
            mean_bytes: study.workload.bytes.unwrap_or(0) as f64 / count,
        },
        is_contender: !program.is_parfetch(),
    }
}

fn candidate(
    able: &Able<'_>,
    values: fn(&super::Prediction) -> &Vec<f64>,
    subject: Subject,
) -> Option<Candidate> {
    let report = able.report;
    let Cell {
        cpu_units,
        memory_mib,
        mode,
        concurrency,
        shards,
        ..
    } = report.cell;
    let tasks = u64::from(shards.max(1));
    let (units, memory_mib) = report.fargate.unwrap_or((cpu_units, memory_mib));
    let prediction = report.prediction.as_ref()?;
    let (logs, times): (Vec<f64>, Vec<f64>) = values(prediction)
        .iter()
        .zip(&prediction.runs_s)
        .map(|(value, seconds)| (value.ln(), seconds.ln()))
        .filter(|(log, time)| log.is_finite() && time.is_finite())
        .unzip();
    let cpu_s = median_of(&report.observations, |one| {
        one.cpu_per_object_s(subject.objects.count)
    });
    let cpu = cpu_s.map(|seconds| CpuOfObject {
        log_s: seconds.ln(),
        share: report
            .figure(Metric::CpuShare)
            .map_or(1.0, |figure| figure.median),
    });
    (!logs.is_empty()).then_some(Candidate {
        place: able.place,
        size: (u64::from(units) * tasks, u64::from(memory_mib) * tasks),
        mode,
        concurrency,
        tasks,
        times,
        logs,
        cpu,
        is_wished: false,
    })
}

/// Container of parfetch's own task definition.
const PARFETCH: &str = "parfetch";

/// What a choice is good at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Objective {
    Cheapest,
    Fastest,
}

fn choice(
    study: &Study,
    (chosen, first_look): (&choose::Chosen, Option<FirstLook>),
    goal: Objective,
) -> Choice {
    let report = &study.cells[chosen.place];
    let curve = study
        .curves
        .iter()
        .find(|curve| curve.cells.contains(&chosen.place));
    let told = report
        .observations
        .iter()
        .find_map(|observation| observation.told.as_deref());
    let environment = told.map_or_else(
        || report.cell.variables(),
        |told| told.settings.environment.clone().into_iter().collect(),
    );
    let container = match told {
        None => report.cell.program.is_parfetch().then_some(PARFETCH),
        Some(told) => told.container.as_deref(),
    };
    let again = chosen.again.filter(|_| first_look.is_none());
    Choice {
        cell: chosen.place,
        confidence: again.map(|again| again.same),
        confidence_with_ties: again.map(|again| again.same_or_tied),
        confidence_near: again.map(|again| again.near_best),
        tied_with: chosen.tied.clone(),
        at_edge: edges(study, (report, curve), goal),
        knee: curve.and_then(|curve| side(report, curve)),
        run_task_overrides: container.filter(|_| first_look.is_none()).map(|container| {
            let command = told.map_or(&[][..], |told| &told.settings.command);
            overrides(report, (container, &environment), command)
        }),
        first_look,
        environment,
        left_out: 0,
    }
}

/// Why so little was measured that nothing is recommended by it.
fn first_look(study: &Study, chosen: &choose::Chosen) -> Option<FirstLook> {
    let report = &study.cells[chosen.place];
    let repetitions = report.observations.len();
    let seconds = report
        .figure(Metric::FetchTime)
        .map_or(f64::INFINITY, |figure| figure.median);
    let bucket = report.prediction.as_ref().and_then(|found| found.bucket);
    let unlike = bucket
        .map(|bucket| bucket.objects_over_bytes)
        .filter(|ratio| ratio.max(1.0 / ratio) > UNLIKE)
        .map(FirstLook::Unlike);
    unlike
        .or_else(|| FirstLook::of_repetitions(repetitions))
        .or_else(|| FirstLook::of_seconds(seconds))
}

/// Where a better configuration may lie outside of what was measured.
fn edges(
    study: &Study,
    (report, curve): (&CellReport, Option<&Curve>),
    goal: Objective,
) -> Vec<Edge> {
    let cell = &report.cell;
    let mut edges = Vec::new();
    let workers = || {
        curve
            .into_iter()
            .flat_map(|curve| &curve.cells)
            .map(|place| study.cells[*place].cell.concurrency)
    };
    // A curve that is flat before its end is no edge.
    let is_flat = curve
        .and_then(|curve| curve.knee)
        .is_some_and(|knee| workers().max().is_some_and(|most| knee < most));
    // Where one value was measured, nobody asked for another.
    let have_several_workers = workers().max() != workers().min();
    if have_several_workers && workers().max() == Some(cell.concurrency) && !is_flat {
        edges.push(Edge::MostWorkers);
    }
    if have_several_workers && workers().min() == Some(cell.concurrency) && cell.concurrency > 1 {
        edges.push(Edge::FewestWorkers);
    }
    let sizes = || {
        study
            .cells
            .iter()
            .filter(|other| subject_of(&other.cell) == subject_of(cell))
            .map(|other| other.cell.cpu_units)
    };
    let have_several_sizes = sizes().max() != sizes().min();
    if goal == Objective::Fastest && have_several_sizes && sizes().max() == Some(cell.cpu_units) {
        edges.push(Edge::LargestTask);
    }
    let cost = report
        .prediction
        .as_ref()
        .and_then(|found| found.cost.as_ref());
    // A minute of a smaller task costs less, whatever runs in it.
    let is_minimum = cost.is_some_and(|cost| cost.is_minimum);
    if goal == Objective::Cheapest
        && (have_several_sizes || is_minimum)
        && sizes().min() == Some(cell.cpu_units)
        && cell.cpu_units > CPU_UNITS[0]
    {
        edges.push(Edge::SmallestTask);
    }
    edges
}

fn side(report: &CellReport, curve: &Curve) -> Option<KneeSide> {
    let knee = curve.knee?;
    Some(match report.cell.concurrency.cmp(&knee) {
        std::cmp::Ordering::Less => KneeSide::Below,
        std::cmp::Ordering::Equal => KneeSide::At,
        std::cmp::Ordering::Greater => KneeSide::Above,
    })
}

/// Those that no other is at least as good as in time and price and better in one, fastest first.
fn pareto(able: &[Able<'_>]) -> Vec<usize> {
    let priced: Vec<(usize, f64, f64)> = able
        .iter()
        .filter_map(|cell| Some((cell.place, cell.seconds, cell.order?)))
        .collect();
    front(&priced)
}

fn front(priced: &[(usize, f64, f64)]) -> Vec<usize> {
    let is_beaten = |(_, seconds, usd): &(usize, f64, f64)| {
        priced.iter().any(|(_, other_s, other_usd)| {
            other_s <= seconds && other_usd <= usd && (other_s < seconds || other_usd < usd)
        })
    };
    let mut front: Vec<&(usize, f64, f64)> =
        priced.iter().filter(|cell| !is_beaten(cell)).collect();
    front.sort_by(|one, other| one.1.total_cmp(&other.1));
    front.into_iter().map(|(place, ..)| *place).collect()
}

/// The `overrides` of `RunTask`, with a size that Fargate has.
fn overrides(
    report: &CellReport,
    (container, environment): (&str, &[(String, String)]),
    command: &[String],
) -> String {
    let (units, memory_mib) = report
        .fargate
        .unwrap_or((report.cell.cpu_units, report.cell.memory_mib));
    container_overrides((units, memory_mib), (container, environment), command)
}

/// The `overrides` of `RunTask` for a task of parfetch of this size with these variables.
pub fn task_overrides(size: (u32, u32), environment: &[(String, String)]) -> String {
    container_overrides(size, (PARFETCH, environment), &[])
}

/// Those of this container; without words, its image's own command.
pub fn container_overrides(
    (units, memory_mib): (u32, u32),
    (container, environment): (&str, &[(String, String)]),
    command: &[String],
) -> String {
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let mut container = json!({"name": container, "environment": environment});
    if !command.is_empty() {
        container["command"] = command.into();
    }
    json!({"cpu": units.to_string(), "memory": memory_mib.to_string(), "containerOverrides": [container]}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_what_no_other_cell_beats() {
        assert_eq!(
            front(&[
                (0, 10.0, 5.0),
                (1, 20.0, 2.0),
                (2, 20.0, 3.0),
                (3, 30.0, 2.0),
                (4, 40.0, 1.0)
            ]),
            [0, 1, 4]
        );
        assert_eq!(
            front(&[(0, 10.0, 5.0), (1, 10.0, 5.0)]),
            [0, 1],
            "equal cells do not beat each other"
        );
    }
}
