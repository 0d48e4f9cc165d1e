//! What to run: for each program the cheapest cell, the fastest one, and those that no other beats, with what is needed to run them.

use serde_json::json;

use super::advice::{Basis, Choice, Prediction, Recommendation};
use super::cost::fargate_size;
use super::model::{CellReport, Interval, Limit};
use super::wording::number::usd;
use crate::cell::{Cell, Program};
use crate::units;

/// Prices that differ by less are alike.
const ALIKE: f64 = 1.02;

const RULE: &str = "cheapest: the lowest predicted price of the whole bucket, and among those within 2 % of it the fastest; fastest: the shortest \
                    predicted time; cells with failed repetitions and server-bound ones are left out";

/// One recommendation a program, in the order of the cells.
pub(super) fn recommend(cells: &[CellReport]) -> Vec<Recommendation> {
    let mut programs: Vec<&Program> = cells.iter().map(|cell| &cell.cell.program).collect();
    programs.dedup();
    programs.into_iter().map(|program| of_program(program, cells)).collect()
}

/// A cell that can be recommended.
#[derive(Clone, Copy)]
struct Candidate {
    place: usize,
    seconds: f64,
    usd: Option<f64>,
}

fn of_program(program: &Program, cells: &[CellReport]) -> Recommendation {
    let of_program = || cells.iter().enumerate().filter(|(_, cell)| cell.cell.program == *program);
    let candidates: Vec<Candidate> = of_program()
        .filter(|(_, cell)| !cell.has_failures() && cell.verdict.limit != Limit::ServerBound)
        .filter_map(|(place, cell)| {
            let prediction = cell.prediction.as_ref()?;
            Some(Candidate { place, seconds: prediction.seconds, usd: prediction.cost.as_ref().map(super::Cost::usd_total) })
        })
        .collect();
    let fastest = candidates.iter().min_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let cheapest = cheapest(&candidates);
    let because = match (fastest, cheapest) {
        (None, _) => Some(nothing_because(&of_program().map(|(_, cell)| cell).collect::<Vec<_>>())),
        (Some(_), None) => Some("no cheapest cell: no price is known".to_owned()),
        _ => None,
    };
    let left_out = |than: f64| {
        let is_faster = |cell: &CellReport| cell.prediction.as_ref().is_some_and(|prediction| prediction.seconds < than);
        of_program().filter(|(_, cell)| cell.verdict.limit == Limit::ServerBound && is_faster(cell)).count()
    };
    Recommendation {
        program: program.clone(),
        cheapest: cheapest.and_then(|found| choice(found.place, &cells[found.place])),
        fastest: fastest.and_then(|found| Some(with_left_out(choice(found.place, &cells[found.place])?, left_out(found.seconds)))),
        pareto: pareto(&candidates),
        because,
        rule: RULE,
    }
}

fn cheapest(candidates: &[Candidate]) -> Option<Candidate> {
    let lowest = candidates.iter().filter_map(|cell| cell.usd).min_by(f64::total_cmp)?;
    let alike = candidates.iter().filter(|cell| cell.usd.is_some_and(|usd| usd <= lowest * ALIKE));
    alike.min_by(|one, other| one.seconds.total_cmp(&other.seconds)).copied()
}

/// Those that no other is at least as good as in time and price and better in one, fastest first.
fn pareto(candidates: &[Candidate]) -> Vec<usize> {
    let priced: Vec<(usize, f64, f64)> = candidates.iter().filter_map(|cell| Some((cell.place, cell.seconds, cell.usd?))).collect();
    let is_beaten = |(_, seconds, usd): &(usize, f64, f64)| {
        priced.iter().any(|(_, other_s, other_usd)| other_s <= seconds && other_usd <= usd && (other_s < seconds || other_usd < usd))
    };
    let mut front: Vec<&(usize, f64, f64)> = priced.iter().filter(|cell| !is_beaten(cell)).collect();
    front.sort_by(|one, other| one.1.total_cmp(&other.1));
    front.into_iter().map(|(place, ..)| *place).collect()
}

fn nothing_because(cells: &[&CellReport]) -> String {
    let count = |what: fn(&CellReport) -> bool| cells.iter().filter(|cell| what(cell)).count();
    let failed = count(CellReport::has_failures);
    let server = count(|cell| !cell.has_failures() && cell.verdict.limit == Limit::ServerBound);
    let unknown = cells.len() - failed - server;
    let reasons = [
        (failed, "had failed repetitions or objects"),
        (server, "measured the server"),
        (unknown, "lack what a prediction needs (keys and bytes of the bucket)"),
    ];
    let reasons: Vec<String> = reasons.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    format!("nothing to recommend: of {} cells {}", cells.len(), reasons.join(", "))
}

fn choice(place: usize, report: &CellReport) -> Option<Choice> {
    let prediction = report.prediction.as_ref()?;
    let environment = environment(&report.cell);
    Some(Choice { cell: place, words: words(&report.cell, prediction), run_task_overrides: overrides(&report.cell, &environment), environment })
}

/// The fastest cells may have measured the server: then the fastest that is named is not the fastest of the table.
fn with_left_out(choice: Choice, faster: usize) -> Choice {
    match faster {
        0 => choice,
        1 => Choice { words: format!("{} One faster cell measured the server and is left out.", choice.words), ..choice },
        _ => Choice { words: format!("{} {faster} faster cells measured the server and are left out.", choice.words), ..choice },
    }
}

fn environment(cell: &Cell) -> Vec<(String, String)> {
    let mut environment = vec![("MODE".to_owned(), cell.mode.to_string()), ("CONCURRENCY".to_owned(), cell.concurrency.to_string())];
    if let Program::Client(client) = cell.program {
        environment.push(("PARFETCH_CLIENT".to_owned(), client.to_string()));
    }
    if cell.shards > 1 {
        // Each task needs its own number: as it stands here it is refused.
        environment.push(("PARFETCH_SHARD".to_owned(), format!("I/{}", cell.shards)));
    }
    environment
}

/// The `overrides` of `RunTask`, with a size that Fargate has.
fn overrides(cell: &Cell, environment: &[(String, String)]) -> String {
    let (units, memory_mib) = fargate_size(cell).unwrap_or((cell.cpu_units, cell.memory_mib));
    let environment: Vec<_> = environment.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let container = json!({"name": "parfetch", "environment": environment});
    json!({"cpu": units.to_string(), "memory": memory_mib.to_string(), "containerOverrides": [container]}).to_string()
}

/// Seconds as people read them.
pub(super) fn time(seconds: f64) -> String {
    if seconds < SHORT_S { units::duration(nanoseconds(seconds)) } else { units::duration_coarse(nanoseconds(seconds)) }
}

/// Below so many seconds whole ones would say too little.
const SHORT_S: f64 = 10.0;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "predicted times are far below 2^63 ns, and the cast saturates")]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

/// ` ± 6 s`; never nothing, which no measurement is exact to.
pub(super) fn within(interval: &Interval) -> String {
    let half = interval.half_width();
    // As fine as the time that it stands behind.
    match interval.high {
        high if high < SHORT_S => format!(" ± {}", time(half.max(1e-3))),
        _ if half < 1.0 => " ± <1 s".to_owned(),
        _ => format!(" ± {}", units::duration_coarse(nanoseconds(half))),
    }
}

/// `1 vCPU, 2 GB, async × 16. 118 GB in 3 min 20 s ± 6 s, …`.
fn words(cell: &Cell, prediction: &Prediction) -> String {
    let (units, memory_mib) = fargate_size(cell).unwrap_or((cell.cpu_units, cell.memory_mib));
    let size = Cell { cpu_units: units, memory_mib, ..cell.clone() };
    let tasks = if cell.shards > 1 { format!("{} tasks of ", cell.shards) } else { String::new() };
    let within = prediction.interval.map_or_else(String::new, |interval| within(&interval));
    let mut sentences = vec![
        format!("{tasks}{} vCPU, {} GB, {} × {}.", size.vcpu(), f64::from(memory_mib) / 1024.0, cell.mode, cell.concurrency),
        format!("{} in {}{within}{}{}", units::bytes(prediction.bytes), time(prediction.seconds), cost(prediction), basis(prediction)),
    ];
    if (units, memory_mib) != (cell.cpu_units, cell.memory_mib) {
        let measured = format!("{} vCPU, {} MiB", cell.vcpu(), units::count(u64::from(cell.memory_mib)));
        sentences.push(format!("Measured with {measured}: this is the nearest size that Fargate has."));
    }
    sentences.extend(prediction.notes.iter().map(|note| format!("Note: {note}.")));
    sentences.join(" ")
}

fn cost(prediction: &Prediction) -> String {
    let Some(cost) = &prediction.cost else { return ", price not known".to_owned() };
    let retrieval = if cost.usd_retrieval > 0.0 { format!(", retrieval {}", usd(cost.usd_retrieval)) } else { String::new() };
    let would = if cost.is_hypothetical { " if it ran on Fargate" } else { "" };
    let parts = format!("task {}, requests {}{retrieval}; prices of {}", usd(cost.usd_task), usd(cost.usd_requests), cost.prices_dated);
    format!(", {}{would} ({parts})", usd(cost.usd_total()))
}

pub(super) fn basis(prediction: &Prediction) -> String {
    match prediction.basis {
        Basis::Seen { held_s, .. } => format!(". Runs of this cell held the rate for {}.", time(held_s)),
        Basis::Burst { held_s, needed_s } => format!(
            ", if the burst rate holds for {}: runs of this cell held it for {}; sustained rate not measured (--duration 20m would).",
            time(needed_s),
            time(held_s)
        ),
        Basis::Sustained { drop, after_drop_bytes: 0 } => {
            format!(". It fits into the burst: the rate dropped after {} and {}.", time(drop.at_s), units::bytes(drop.bytes))
        }
        Basis::Sustained { drop, after_drop_bytes } => format!(
            ". The rate dropped after {} and {} from {} to {}: {} come at the lower rate.",
            time(drop.at_s),
            units::bytes(drop.bytes),
            units::rate_mb(drop.before_bytes_per_s),
            units::rate_mb(drop.after_bytes_per_s),
            units::bytes(after_drop_bytes)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(place: usize, seconds: f64, usd: f64) -> Candidate {
        Candidate { place, seconds, usd: Some(usd) }
    }

    #[test]
    fn the_front_holds_what_no_other_cell_beats() {
        let cells = [candidate(0, 10.0, 5.0), candidate(1, 20.0, 2.0), candidate(2, 20.0, 3.0), candidate(3, 30.0, 2.0), candidate(4, 40.0, 1.0)];
        assert_eq!(pareto(&cells), [0, 1, 4]);
        let twins = [candidate(0, 10.0, 5.0), candidate(1, 10.0, 5.0)];
        assert_eq!(pareto(&twins), [0, 1], "equal cells do not beat each other");
    }

    #[test]
    fn of_prices_that_are_alike_the_faster_cell_is_taken() {
        let cells = [candidate(0, 50.0, 1.0), candidate(1, 30.0, 1.019), candidate(2, 10.0, 1.03)];
        assert_eq!(cheapest(&cells).unwrap().place, 1);
        assert!(cheapest(&[Candidate { usd: None, ..cells[0] }]).is_none());
    }
}
