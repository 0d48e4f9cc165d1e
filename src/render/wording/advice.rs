//! What is recommended, in words: the configuration, its time and price, how sure that is, what it is tied with, and what limits the answer.

use super::edges::edges;
use super::number::{behind, confidence, of_100, plural, time, vcpus};
use super::sections::LabelledChoice;
use super::sentence::{AS_BILLED, OF_A_MODEL};
use super::{notes, prediction, tune_sure};
use crate::analysis::advice::{Choice, FirstLook, KneeSide, Lack};
use crate::analysis::model::{CellReport, Study, Workload};
use crate::analysis::thresholds::REPETITIONS;
use crate::cell::{Cell, memory_gb};

/// By which rule that is recommended which is.
pub(crate) const fn rule(study: &Study) -> &'static str {
    if study.facts.tune.is_some() {
        RULE_OF_TUNE
    } else {
        RULE
    }
}

const RULE_OF_TUNE: &str =
    "what the tune found, by all its runs together and a law that is fitted to them";
const RULE: &str = "of all configurations without a measurable difference from the best (within 2 %, or within two standard errors and 4 %) the smallest task \
                               counts, then async before threads before processes, then the fewest workers, but what costs the same and is more than 10 % slower comes last, and what is the fastest as well comes first; cheapest: by the price of the tasks for the whole bucket, \
                               as requests cost the same in each; fastest: by the time for the whole bucket; left out are configurations with failed repetitions, and \
                               those of which the embedded server was the limit";

/// Groups of ties that are named one by one.
const NAMED: usize = 2;
/// From these shares of samples on an answer is sure, and likely.
const SURE: f64 = 0.95;
const LIKELY: f64 = 0.75;

/// All of a choice: `1 vCPU, 2 GB, async × 16. 118 GB in 3 min 20 s (one run: …), …`.
pub(crate) fn choice(study: &Study, goal: LabelledChoice<'_>) -> String {
    let choice = goal.choice;
    let report = &study.cells[choice.cell];
    let Some(predicted) = &report.prediction else {
        return String::new();
    };
    let mut sentences = vec![
        format!("{}.", configuration(report)),
        prediction::in_full(predicted),
    ];
    sentences.push(how_sure(study, goal));
    let document = study.facts.tune.as_deref();
    sentences.extend(document.and_then(|found| tune_sure::contradicted(&report.cell, found)));
    sentences.extend(ties(study, goal));
    if !is_alone(study, choice) {
        sentences.extend(same_again(choice));
    }
    sentences.extend(position(choice));
    sentences.extend(edges(study, choice));
    if predicted.cost.as_ref().is_some_and(|cost| cost.is_minimum) {
        sentences.push(MINIMUM.to_owned());
    }
    if let Some((units, memory_mib)) = report
        .fargate
        .filter(|size| *size != (report.cell.cpu_units, report.cell.memory_mib))
    {
        sentences.push(measured(&report.cell, (units, memory_mib)));
    }
    let notes = predicted.notes.iter().map(notes::of_prediction);
    sentences.extend(notes.map(|note| format!("Note: {note}.")));
    sentences.extend(left_out(choice.left_out));
    sentences.join(" ")
}

/// `1 vCPU, 2 GB, async × 16`, in a size that Fargate has.
pub(crate) fn configuration(report: &CellReport) -> String {
    let Cell {
        concurrency,
        ref factors,
        ..
    } = report.cell;
    format!(
        "{} × {concurrency}{}",
        without_workers(report),
        behind(factors)
    )
}

/// CPU units and MiB of the task.
fn size(report: &CellReport) -> (u32, u32) {
    let own = (report.cell.cpu_units, report.cell.memory_mib);
    report.fargate.unwrap_or(own)
}

/// `1 vCPU, 2 GB, async`
fn without_workers(report: &CellReport) -> String {
    let (units, memory_mib) = size(report);
    let Cell { mode, shards, .. } = report.cell;
    let tasks = if shards > 1 {
        format!("{shards} tasks of ")
    } else {
        String::new()
    };
    format!(
        "{tasks}{}, {} GB, {mode}",
        vcpus(units),
        memory_gb(memory_mib)
    )
}

fn measured(cell: &Cell, (units, _): (u32, u32)) -> String {
    let measured = format!(
        "{}, {} GB",
        vcpus(cell.cpu_units),
        memory_gb(cell.memory_mib)
    );
    if units == cell.cpu_units {
        format!(
            "Measured with {measured}; the memory here is the smallest that holds twice the measured peak."
        )
    } else {
        format!("Measured with {measured}: this is the nearest size that Fargate has.")
    }
}

/// What one can be sure of. Each claim has its own confidence: what is cheapest need not be fastest as well.
pub(crate) fn how_sure(study: &Study, goal: LabelledChoice<'_>) -> String {
    let by_tune = study
        .cells
        .get(goal.choice.cell)
        .zip(study.facts.tune.as_deref())
        .and_then(|(report, document)| tune_sure::sure_of(&report.cell, document));
    if let Some(by_tune) = by_tune {
        return by_tune;
    }
    if let Some(why) = goal.choice.first_look.map(first_look) {
        return format!("Not a recommendation yet ({why}).");
    }
    if is_alone(study, goal.choice) {
        return "It is the only configuration that was measured.".to_owned();
    }
    let mut said: Vec<(&str, String)> = Vec::new();
    for (better, near) in goal.claims() {
        let is_sure_of_price = better == "cheaper" && word(near) == "Sure";
        let why = if is_sure_of_price && is_least_billed(study, goal.choice) {
            AS_BILLED
        } else {
            ""
        };
        let confidence = format!("{}{why}", confidence(near.unwrap_or(0.0)));
        match said.last_mut().filter(|(last, _)| *last == word(near)) {
            Some((_, claim)) => *claim = format!("{claim} or {better} ({confidence})"),
            None => said.push((word(near), format!("{better} (confidence {confidence})"))),
        }
    }
    let sentences: Vec<String> = said
        .into_iter()
        .map(|(word, claim)| format!("{word}: nothing measured is more than 5 % {claim}."))
        .collect();
    sentences.join(" ")
}

/// Whether its program has no other configuration with figures: there is nothing to be sure against.
fn is_alone(study: &Study, choice: &Choice) -> bool {
    let Some(own) = study.cells.get(choice.cell) else {
        return false;
    };
    let is_other =
        |report: &CellReport| report.cell.program == own.cell.program && report.cell != own.cell;
    let mut others = study.cells.iter().filter(|report| is_other(report));
    others.all(|report| report.figures.is_empty())
}

/// Whether a choice has the least price that there is: that of a minute of the smallest task of all that its program ran in.
fn is_least_billed(study: &Study, choice: &Choice) -> bool {
    let Some(own) = study.cells.get(choice.cell) else {
        return false;
    };
    let is_certain = own.prediction.as_ref().is_some_and(|found| {
        // In the slowest of all cases too.
        found.cost.as_ref().is_some_and(|cost| cost.is_minimum)
            && found.usd_interval.is_none_or(|usd| usd.low >= usd.high)
    });
    let is_as_large = |other: &CellReport| {
        let ((cpu, memory), (own_cpu, own_memory)) = (size(other), size(own));
        cpu >= own_cpu && memory >= own_memory && other.cell.shards >= own.cell.shards
    };
    let mut others = study
        .cells
        .iter()
        .filter(|other| other.cell.program == own.cell.program);
    is_certain && others.all(is_as_large)
}

/// How often this very configuration would be chosen.
fn same_again(choice: &Choice) -> Option<String> {
    let same = choice.confidence?;
    Some(format!(
        "As many repetitions again would choose the same one in {} cases{}.",
        of_100(same),
        or_equal(choice)
    ))
}

/// Why a choice is a first look.
pub(crate) fn first_look(why: FirstLook) -> String {
    match why {
        FirstLook::Unlike(ratio) => {
            let (factor, which) = if ratio > 1.0 {
                (ratio, "larger")
            } else {
                (1.0 / ratio, "smaller")
            };
            format!(
                "the objects that were measured are {factor:.1} times {which} than the bucket's: a random sample would be like them"
            )
        }
        FirstLook::Repetitions(found) => format!("{found} of {REPETITIONS} repetitions"),
        FirstLook::Short(seconds) => format!("runs of {}", time(seconds)),
    }
}

/// In a word, by the thresholds of METHODOLOGY.md.
fn word(near: Option<f64>) -> &'static str {
    match near.unwrap_or(0.0) {
        near if near >= SURE => "Sure",
        near if near >= LIKELY => "Likely",
        _ => "Not sure",
    }
}

/// `, and this one or an equal one in 99 of 100`, where that says more.
fn or_equal(choice: &Choice) -> String {
    if choice.tied_with.is_empty() {
        return String::new();
    }
    format!(
        ", and this one or one that is as good in {}",
        of_100(choice.confidence_with_ties.unwrap_or(0.0))
    )
}

/// `3 others are as cheap: 1 vCPU, 2 GB: thread × 8, 16; 2 vCPUs, 4 GB: async × 16; this is the smallest.`
pub(crate) fn ties(study: &Study, goal: LabelledChoice<'_>) -> Option<String> {
    let mut groups: Vec<([String; 2], Vec<u32>)> = Vec::new();
    let tied: Vec<usize> = goal.ties().collect();
    for report in tied.iter().filter_map(|place| study.cells.get(*place)) {
        let name = [without_workers(report), behind(&report.cell.factors)];
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, workers)) => workers.push(report.cell.concurrency),
            None => groups.push((name, vec![report.cell.concurrency])),
        }
    }
    let named: Vec<String> = groups
        .iter_mut()
        .take(NAMED)
        .map(|([name, factors], workers)| {
            workers.sort_unstable();
            let workers: Vec<String> = workers.iter().map(u32::to_string).collect();
            format!("{name} × {}{factors}", workers.join(", "))
        })
        .collect();
    let rest: usize = groups.iter().skip(NAMED).map(|(_, all)| all.len()).sum();
    let more = if rest > 0 {
        format!("; and {rest} more")
    } else {
        String::new()
    };
    let are = match tied.len() {
        0 => return None,
        1 => format!("1 other is {}", goal.equal),
        all => format!("{all} others are {}", goal.equal),
    };
    // Among equal sizes something else decided.
    let own = study.cells.get(goal.choice.cell).map(size);
    let others = tied.iter().filter_map(|place| study.cells.get(*place));
    let is_smallest = others
        .map(size)
        .any(|other| own.is_some_and(|own| other > own));
    // Where the minimum is billed, how sure it is says so.
    let smallest = if is_smallest && !is_least_billed(study, goal.choice) {
        "; this is the smallest"
    } else {
        ""
    };
    Some(format!("{are}: {}{more}{smallest}.", named.join("; ")))
}

/// Where it lies on its curve.
fn position(choice: &Choice) -> Option<String> {
    match choice.knee? {
        KneeSide::Above => Some("It has more workers than the knee, the fewest that are as fast as the fastest.".to_owned()),
        KneeSide::Below => {
            Some("It has fewer workers than the knee, the fewest that are as fast as the fastest: more workers are faster.".to_owned())
        }
        KneeSide::At => None,
    }
}

/// Said of the price of a task that is done before a minute is over.
const MINIMUM: &str = "The price is that of one minute, the least that Fargate bills.";

/// The fastest may have measured the server: then the fastest that is named is not the fastest of the table.
fn left_out(faster: usize) -> Option<String> {
    match faster {
        0 => None,
        1 => Some("One faster configuration measured the server and is left out.".to_owned()),
        _ => Some(format!(
            "{faster} faster configurations measured the server and are left out."
        )),
    }
}

/// Why there is nothing to recommend, or no cheapest configuration.
pub(crate) fn lack(lack: &Lack) -> String {
    let Lack::NoCell {
        of,
        failed,
        server_bound,
    } = *lack
    else {
        return "no cheapest configuration: Fargate has no task of these sizes".to_owned();
    };
    let reasons = [
        (failed, "had failed repetitions or objects"),
        (server_bound, "measured the server"),
        (
            of - failed - server_bound,
            "lack what a prediction needs (keys and bytes of the bucket)",
        ),
    ];
    let reasons: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    format!(
        "nothing to recommend: of {} {}",
        plural(of as u64, "configuration"),
        reasons.join(", ")
    )
}

/// What runs elsewhere than on Fargate cannot say; `None` there.
pub(crate) fn caveat(workload: &Workload) -> Option<String> {
    if workload.place.is_model() {
        return Some(OF_A_MODEL.to_owned());
    }
    if workload.place.is_fargate() || workload.http.is_some() {
        return None;
    }
    let store = match (&workload.embedded, &workload.endpoint) {
        (Some(_), _) => "the embedded server",
        (None, Some(_)) => "this endpoint",
        (None, None) => "S3 over this machine's network",
    };
    Some(format!(
        "measured on this machine against {store}: it compares programs, modes and workers here, and does not show how fast Fargate's vCPUs and network are \
         (`parfetch sweep --on ecs` does)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::sketch;
    use crate::render::wording::sections;

    #[test]
    fn each_claim_has_its_own_confidence() {
        let study = sketch();
        let said = |near: [f64; 2]| {
            let mut found = study.recommendations[0].clone();
            let cheapest = found.cheapest.as_mut().unwrap();
            cheapest.confidence_near = Some(near[0]);
            let cell = cheapest.cell;
            let fastest = found.fastest.as_mut().unwrap();
            (fastest.cell, fastest.confidence_near) = (cell, Some(near[1]));
            let goals = sections::choices(&found);
            assert_eq!(goals.len(), 1, "one configuration is both");
            how_sure(&study, goals[0])
        };
        assert_eq!(
            said([1.0, 0.52]),
            "Sure: nothing measured is more than 5 % cheaper (confidence above 99 %). Not sure: nothing measured is more than 5 % faster (confidence 52 %)."
        );
        assert_eq!(
            said([1.0, 0.97]),
            "Sure: nothing measured is more than 5 % cheaper (confidence above 99 %) or faster (97 %)."
        );
    }

    #[test]
    fn the_only_configuration_of_a_program_is_sure_against_nothing() {
        let mut study = sketch();
        let found = study.recommendations[0].clone();
        let goals = sections::choices(&found);
        let chosen = goals[0].choice.cell;
        let said = |study: &Study| how_sure(study, goals[0]);
        let program = study.cells[chosen].cell.program.clone();
        let others = 0..study.cells.len();
        let others: Vec<usize> = others
            .filter(|place| *place != chosen && study.cells[*place].cell.program == program)
            .collect();
        for place in &others[1..] {
            study.cells[*place].figures.clear();
        }
        assert!(said(&study).contains("nothing measured is more"));
        study.cells[others[0]].figures.clear();
        assert_eq!(
            said(&study),
            "It is the only configuration that was measured."
        );
    }

    #[test]
    fn where_billing_alone_makes_one_the_cheapest_that_is_said() {
        let said = |near: f64, is_minimum: bool, place: Option<usize>| {
            let mut study = sketch();
            let mut found = study.recommendations[0].clone();
            let cheapest = found.cheapest.as_mut().unwrap();
            cheapest.confidence_near = Some(near);
            cheapest.cell = place.unwrap_or(cheapest.cell);
            let prediction = study.cells[cheapest.cell].prediction.as_mut().unwrap();
            prediction.cost.as_mut().unwrap().is_minimum = is_minimum;
            prediction.usd_interval = None;
            how_sure(&study, sections::choices(&found)[0]).contains(AS_BILLED)
        };
        assert!(said(1.0, true, None));
        assert!(!said(1.0, false, None), "its time decides the price");
        assert!(!said(0.8, true, None), "it is not sure");
        let study = sketch();
        let mut cells = study.cells.iter();
        let larger = cells.position(|one| one.cell.cpu_units == 4_096 && one.prediction.is_some());
        assert!(!said(1.0, true, larger), "a smaller task was measured");
    }
}
