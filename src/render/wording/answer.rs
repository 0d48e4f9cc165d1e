//! The answer in few words, as it stands first in a report: what to run, how long and for how much, how sure that is, and what qualifies it.

use super::advice::{configuration, how_sure, ties};
use super::again::{NextCommand, next_command};
use super::edges::edge_names;
use super::facts;
use super::number::{plural, time};
use super::sections::LabelledChoice;
use super::sentence::OF_A_MODEL;
use super::whole::WholeBucketTime;
use crate::analysis::advice::{Basis, Choice, Prediction, Recommendation};
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, Limit, NOT_RECORDED, Study, Workload};
use crate::cell::Program;
use crate::shell;
use crate::units;

/// What is said of a choice.
pub(crate) struct ChoiceWords {
    /// How long the whole bucket takes, and for how much.
    pub(crate) takes: String,
    /// How sure the choice is.
    pub(crate) sure: String,
    /// What qualifies it: ties, edges, what the time rests on.
    pub(crate) rest: Vec<String>,
    /// After a first look, what to do for a recommendation.
    pub(crate) again: Option<NextCommand>,
}

impl ChoiceWords {
    pub(crate) fn paragraph(self) -> String {
        [self.takes, self.sure]
            .into_iter()
            .chain(self.rest)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// `46,000 keys, 118 GB · us-east-1 · each run: every key once · 30 configurations, 180 runs on Fargate`
pub(crate) fn what_was_measured(study: &Study) -> String {
    let (workload, counts) = (&study.workload, &study.facts);
    let keys = facts::keys(workload);
    let mut parts: Vec<String> = keys
        .into_iter()
        .chain(workload.bytes.map(units::bytes))
        .reduce(|keys, bytes| format!("{keys}, {bytes}"))
        .into_iter()
        .collect();
    parts.extend(store(workload));
    parts.push(format!("each run: {}", facts::each_run(study).join(", ")));
    let failed = if counts.failures > 0 {
        format!(", {} failed", units::count(counts.failures))
    } else {
        String::new()
    };
    let runs = plural(counts.observations + counts.failures, "run");
    parts.push(format!(
        "{}, {runs} {}{failed}",
        plural(study.cells.len() as u64, "configuration"),
        facts::whereabouts(workload)
    ));
    parts.join(" · ")
}

/// Who answered: the settings of the embedded server, an endpoint, or the region of AWS.
pub(crate) fn store(workload: &Workload) -> Option<String> {
    match (&workload.embedded, &workload.endpoint) {
        // Its title says so.
        (Some(settings), _) => Some(settings.clone())
            .filter(|settings| !settings.is_empty() && settings != NOT_RECORDED),
        (None, Some(endpoint)) => Some(endpoint.clone()),
        (None, None) => workload.region.clone(),
    }
}

/// `lean client`, or the name of a contender.
pub(crate) fn program(program: &Program) -> String {
    if program.is_parfetch() {
        format!("{} client", program.name())
    } else {
        program.name().to_owned()
    }
}

/// What was chosen, for the line above its sentences: `1 vCPU, 2 GB, async × 16`.
pub(crate) fn chosen(study: &Study, choice: &Choice) -> String {
    study
        .cells
        .get(choice.cell)
        .map_or_else(String::new, configuration)
}

/// `Cheapest for python: 1 vCPU, 2 GB, thread × 2`, `Cheapest with the lean client: …`
pub(crate) fn headline(
    study: &Study,
    recommendation: &Recommendation,
    goal: LabelledChoice<'_>,
) -> String {
    format!(
        "{} {}: {}",
        goal.title(),
        whose(&recommendation.program),
        chosen(study, goal.choice)
    )
}

/// `for python`, `with the lean client`
pub(crate) fn whose(program: &Program) -> String {
    if program.is_parfetch() {
        format!("with the {}", self::program(program))
    } else {
        format!("for {}", program.name())
    }
}

/// The sentences of a choice that nobody may miss.
pub(crate) fn in_full(study: &Study, goal: LabelledChoice<'_>) -> ChoiceWords {
    let mut said = in_brief(study, goal);
    let choice = goal.choice;
    let prediction = study
        .cells
        .get(choice.cell)
        .and_then(|report| report.prediction.as_ref());
    if let Some(prediction) = prediction {
        said.takes = WholeBucketTime::of_prediction(prediction).in_full();
    }
    said.rest.splice(0..0, ties(study, goal));
    let report = study.cells.get(choice.cell);
    said.rest.extend(
        report
            .zip(prediction)
            .and_then(|(report, prediction)| varied(prediction, &report.cell.program)),
    );
    said.rest.extend(prediction.and_then(rests_on));
    said.again = next_command(study, choice);
    said
}

/// Those of a second choice: what it is tied with and what its time rests on has mostly been said of the first.
pub(crate) fn in_brief(study: &Study, goal: LabelledChoice<'_>) -> ChoiceWords {
    let prediction = study
        .cells
        .get(goal.choice.cell)
        .and_then(|report| report.prediction.as_ref());
    let takes = prediction.map_or_else(
        || "How long the whole bucket takes is not known.".to_owned(),
        |prediction| WholeBucketTime::of_prediction(prediction).in_brief(),
    );
    let edges = edge_names(study, goal.choice);
    let at_edge = (!edges.is_empty())
        .then(|| format!("At the edge of what was measured ({edges}): better may lie beyond."));
    ChoiceWords {
        takes,
        sure: how_sure(study, goal),
        rest: at_edge.into_iter().collect(),
        again: None,
    }
}

/// That the time above is a wide range, and what makes it narrower.
fn varied(prediction: &Prediction, of: &Program) -> Option<String> {
    let times = prediction.times_varied()?;
    // A contender reads each object once.
    let longer = if of.is_parfetch() {
        "Longer runs (`--duration`)"
    } else {
        "More or larger objects"
    };
    Some(format!(
        "That is a wide range, by a factor of {times:.1}: its runs differed. {longer} and a machine and a store that do nothing else make it narrower."
    ))
}

/// Why the fastest configuration is not the one with the highest rate of the tables; `None` where it is.
pub(crate) fn highest(study: &Study, recommendation: &Recommendation) -> Option<String> {
    let fastest = recommendation.fastest.as_ref()?;
    let rate = |report: &CellReport| {
        report
            .figure(Metric::Throughput)
            .map(|figure| figure.median)
    };
    let of_program = study.cells.iter().enumerate().filter(|(_, report)| {
        let cell = &report.cell;
        (&cell.program, &cell.factors) == (&recommendation.program, &recommendation.factors)
    });
    let known = of_program.filter_map(|(place, report)| Some((place, report, rate(report)?)));
    let (place, report, highest) = known
        .max_by(|one, other| one.2.total_cmp(&other.2))
        .filter(|(place, ..)| *place != fastest.cell)?;
    let seconds = |report: &CellReport| {
        report
            .prediction
            .as_ref()
            .map(|prediction| prediction.seconds)
    };
    let own = study.cells.get(fastest.cell).and_then(seconds);
    let why = if report.has_failures() {
        "it has failed runs and is not recommended".to_owned()
    } else if report.verdict.word == Limit::ServerBound {
        "the embedded server was its limit, so it is left out".to_owned()
    } else if fastest.tied_with.contains(&place) {
        "there is no measurable difference, and the answer is the smallest of them".to_owned()
    } else {
        match (seconds(report), own) {
            (None, _) | (_, None) => "its time for the whole bucket is not known".to_owned(),
            (Some(it), Some(own)) if it >= own => format!(
                "with its start and its end it takes longer for the whole bucket, {}",
                time(it)
            ),
            (Some(_), Some(_)) if study.facts.tune.is_some() => {
                "by all runs of the tune together, it takes longer for the whole bucket".to_owned()
            }
            // Choices are made by the runs without what the time of the sweep did to them.
            (Some(_), Some(_)) => {
                "without the variation that goes with the time, it takes longer for the whole bucket"
                    .to_owned()
            }
        }
    };
    Some(format!(
        "The highest rate is {}, with {}: {why}.",
        units::rate_mb(highest),
        configuration(report)
    ))
}

/// What runs elsewhere than on Fargate cannot say; `None` there.
pub(crate) fn elsewhere(workload: &Workload) -> Option<&'static str> {
    if workload.place.is_model() {
        return Some(OF_A_MODEL);
    }
    if workload.place.is_fargate() || workload.http.is_some() {
        return None;
    }
    Some("Measured on this machine: CPU, network and store are not Fargate's.")
}

/// The line that shows what the same sweep on Fargate would cost, for a bucket of AWS that was read from elsewhere. `parfetch` is the usual name of the stack.
pub(crate) fn on_fargate(workload: &Workload) -> Option<String> {
    if workload.place.is_fargate()
        || workload.embedded.is_some()
        || workload.endpoint.is_some()
        || workload.bucket.is_empty()
    {
        return None;
    }
    Some(shell::line([
        "parfetch",
        "sweep",
        &workload.source(),
        "--on",
        "ecs",
        "--stack",
        "parfetch",
        "--dry-run",
    ]))
}

/// What the time rests on, where that is less than runs as long as it.
fn rests_on(prediction: &Prediction) -> Option<String> {
    match prediction.basis()? {
        Basis::Burst { held_s, .. } => Some(format!(
            "This is a burst rate, seen for {}: how long it lasts is not known (`--duration 20m` shows it).",
            time(held_s)
        )),
        Basis::Sustained {
            drop,
            after_drop_bytes,
        } if after_drop_bytes > 0 => Some(format!(
            "The rate drops after {} to {}, which is counted in.",
            time(drop.at_s),
            units::rate_mb(drop.after_bytes_per_s)
        )),
        Basis::Seen { .. } | Basis::BelowSustained { .. } | Basis::Sustained { .. } => None,
    }
}
