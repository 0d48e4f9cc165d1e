//! What is recommended, in words: the cell, its time and price, how sure that is, what it is tied with, and what limits the answer.

pub(crate) use super::number::time;
use super::number::{plural, usd};
use crate::cell::Cell;
use crate::report::advice::{Basis, Choice, Cost, Edge, KneeSide, Prediction};
use crate::report::model::{CellReport, Interval, Limit, Study, Workload};
use crate::units;

/// Ties that are named one by one.
const NAMED: usize = 3;
/// From these shares of samples on an answer is sure, and likely.
const SURE: f64 = 0.95;
const LIKELY: f64 = 0.75;

/// ` (one run: 3 min 14 s to 3 min 30 s)`: what one run takes in 95 % of all cases.
pub(crate) fn one_run(interval: &Interval) -> String {
    let (low, high) = (time(interval.low), time(interval.high));
    if low == high { String::new() } else { format!(" (one run: {low} to {high})") }
}

/// The whole of a choice: `1 vCPU, 2 GB, async × 16. 118 GB in 3 min 20 s (one run: …), …`.
pub(crate) fn choice(study: &Study, choice: &Choice) -> String {
    let report = &study.cells[choice.cell];
    let Some(prediction) = &report.prediction else { return String::new() };
    let within = prediction.interval.as_ref().map_or_else(String::new, one_run);
    let mut sentences = vec![
        format!("{}.", configuration(report)),
        format!("{} in {}{within}{}{}", units::bytes(prediction.bytes), time(prediction.seconds), cost(prediction), basis(prediction)),
    ];
    sentences.push(sure(choice));
    sentences.extend(ties(study, choice));
    sentences.extend(position(choice));
    if prediction.cost.as_ref().is_some_and(|cost| cost.is_minimum) {
        sentences.push("The price is that of one minute, the least that Fargate bills.".to_owned());
    }
    if let Some((units, memory_mib)) = report.fargate.filter(|size| *size != (report.cell.cpu_units, report.cell.memory_mib)) {
        sentences.push(measured(&report.cell, (units, memory_mib)));
    }
    sentences.extend(prediction.notes.iter().map(|note| format!("Note: {note}.")));
    sentences.join(" ")
}

/// `1 vCPU, 2 GB, async × 16`, in a size that Fargate has.
fn configuration(report: &CellReport) -> String {
    let (units, memory_mib) = report.fargate.unwrap_or((report.cell.cpu_units, report.cell.memory_mib));
    let cell = Cell { cpu_units: units, memory_mib, ..report.cell.clone() };
    let tasks = if cell.shards > 1 { format!("{} tasks of ", cell.shards) } else { String::new() };
    format!("{tasks}{} vCPU, {} GB, {} × {}", cell.vcpu(), f64::from(memory_mib) / 1024.0, cell.mode, cell.concurrency)
}

fn measured(cell: &Cell, (units, _): (u32, u32)) -> String {
    let measured = format!("{} vCPU, {} MiB", cell.vcpu(), units::count(u64::from(cell.memory_mib)));
    if units == cell.cpu_units {
        format!("Measured with {measured}; the memory here is the smallest that holds twice the measured peak.")
    } else {
        format!("Measured with {measured}: this is the nearest size that Fargate has.")
    }
}

/// How sure a choice is, with its number.
fn sure(choice: &Choice) -> String {
    if let Some(why) = &choice.first_look {
        return format!(
            "This is a first look ({why}), not a recommendation: 6 repetitions of 1 s or more over objects like the bucket's would be one."
        );
    }
    let (same, with_ties) = (choice.confidence.unwrap_or(0.0), choice.confidence_with_ties.unwrap_or(0.0));
    let of_100 = |share: f64| format!("{:.0} of 100", (share * 100.0).floor());
    let also = if choice.tied_with.is_empty() || same >= SURE {
        String::new()
    } else {
        format!(", and it or one that it is tied with in {}", of_100(with_ties))
    };
    let word = match (same, with_ties) {
        (same, _) if same >= SURE => "sure",
        (same, _) if same >= LIKELY => "likely",
        (_, with_ties) if with_ties >= SURE => "tied",
        _ => "open",
    };
    format!("Confidence: {word}. Another sample of as many repetitions would choose the same in {} cases{also}.", of_100(same))
}

/// What it is tied with.
fn ties(study: &Study, choice: &Choice) -> Option<String> {
    let names: Vec<String> = choice.tied_with.iter().take(NAMED).filter_map(|place| study.cells.get(*place)).map(configuration).collect();
    let more = choice.tied_with.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("No measurable difference from {}{more}: of these it is the smallest.", names.join("; ")))
}

/// Where it lies on its curve, and in what was measured.
fn position(choice: &Choice) -> Vec<String> {
    let mut sentences = Vec::new();
    match choice.knee {
        Some(KneeSide::Above) => sentences.push("It has more workers than the knee of its curve needs.".to_owned()),
        Some(KneeSide::Below) => sentences.push("It lies below the knee of its curve: more workers are faster.".to_owned()),
        Some(KneeSide::At) | None => {}
    }
    let edges: Vec<&str> = choice
        .at_edge
        .iter()
        .map(|edge| match edge {
            Edge::MostWorkers => "the most workers",
            Edge::FewestWorkers => "the fewest workers",
            Edge::LargestTask => "the largest task",
            Edge::SmallestTask => "the smallest task",
        })
        .collect();
    if !edges.is_empty() {
        sentences.push(format!("It is at the edge of what was measured ({}): something better may lie beyond.", edges.join(", ")));
    }
    sentences
}

fn cost(prediction: &Prediction) -> String {
    let Some(cost) = &prediction.cost else { return ", price not known".to_owned() };
    let Cost { usd_task, usd_requests, .. } = *cost;
    let others = other_costs(cost);
    let would = if cost.is_hypothetical { " if it ran on Fargate" } else { "" };
    let within = prediction.usd_interval.as_ref().map_or_else(String::new, |interval| {
        let (low, high) = (usd(interval.low), usd(interval.high));
        if low == high { String::new() } else { format!(" (one run: {low} to {high})") }
    });
    let share = units::percent(usd_requests / cost.usd_total().max(1e-12));
    let parts = format!(
        "task {}, requests {}: {share}, the same in every configuration{others}; prices of {}",
        usd(usd_task),
        usd(usd_requests),
        cost.prices_dated
    );
    format!(", {}{within}{would} ({parts})", usd(cost.usd_total()))
}

/// `, retrieval $1.20, egress $9.00`: what is not in every price.
pub(crate) fn other_costs(cost: &Cost) -> String {
    let retrieval = Some(cost.usd_retrieval).filter(|usd| *usd > 0.0);
    let parts = [(retrieval, "retrieval"), (cost.usd_egress, "egress")];
    parts.into_iter().filter_map(|(money, what)| Some(format!(", {what} {}", usd(money?)))).collect()
}

/// What a predicted rate rests on; follows a clause.
pub(crate) fn basis(prediction: &Prediction) -> String {
    match prediction.basis {
        Basis::Seen { held_s, .. } => format!(". Runs of this cell held the rate for {}.", time(held_s)),
        Basis::Burst { held_s, needed_s } => format!(
            ", if the burst rate holds for {}: runs of this cell held it for {}; sustained rate not measured (--duration 20m would).",
            time(needed_s),
            time(held_s)
        ),
        Basis::BelowSustained { sustained_bytes_per_s } => {
            format!(". Its rate can last: this size carried {} after its burst.", units::rate_mb(sustained_bytes_per_s))
        }
        Basis::Sustained { drop, after_drop_bytes: 0 } => {
            format!(". It fits into the burst, which lasts for {} and {} in this size.", time(drop.at_s), units::bytes(drop.bytes))
        }
        Basis::Sustained { drop, after_drop_bytes } => format!(
            ". In this size the rate drops after {} and {} from {} to {}: {} come at the lower rate.",
            time(drop.at_s),
            units::bytes(drop.bytes),
            units::rate_mb(drop.before_bytes_per_s),
            units::rate_mb(drop.after_bytes_per_s),
            units::bytes(after_drop_bytes)
        ),
    }
}

/// The fastest cells may have measured the server: then the fastest that is named is not the fastest of the table.
pub(crate) fn left_out(faster: usize) -> String {
    match faster {
        0 => String::new(),
        1 => " One faster cell measured the server and is left out.".to_owned(),
        _ => format!(" {faster} faster cells measured the server and are left out."),
    }
}

/// Why there is nothing to recommend.
pub(crate) fn nothing(cells: &[&CellReport]) -> String {
    let count = |what: fn(&CellReport) -> bool| cells.iter().filter(|cell| what(cell)).count();
    let failed = count(CellReport::has_failures);
    let server = count(|cell| !cell.has_failures() && cell.verdict.word == Limit::ServerBound);
    let unknown = cells.len() - failed - server;
    let reasons = [
        (failed, "had failed repetitions or objects"),
        (server, "measured the server"),
        (unknown, "lack what a prediction needs (keys and bytes of the bucket)"),
    ];
    let reasons: Vec<String> = reasons.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    format!("nothing to recommend: of {} {}", plural(cells.len() as u64, "cell"), reasons.join(", "))
}

/// What runs elsewhere than on Fargate cannot say; `None` there.
pub(crate) fn caveat(workload: &Workload) -> Option<String> {
    if workload.place.is_fargate() {
        return None;
    }
    let store = match (&workload.embedded, &workload.endpoint) {
        (Some(_), _) => "the embedded server",
        (None, Some(_)) => "this endpoint",
        (None, None) => "S3 over this machine's network",
    };
    Some(format!(
        "measured on this machine against {store}: it shows how programs, modes and workers compare here; how fast Fargate's vCPUs and network are, it cannot \
         show (`parfetch sweep --on ecs` with these configurations would)"
    ))
}
