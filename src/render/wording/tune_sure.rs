//! How sure an answer of a tune is, in words, and why one is only a first look.

use super::number::{self, plural, share, time};
use super::tune_steps;
use crate::cell::Cell;
use crate::price::BELOW_MINIMUM;
use crate::results::tune::{GoalWord, ProgramAnswer, StoppedBecause, TuneDocument};

/// From this chance on an answer is likely; from the one that was asked for on it is sure, if it ran so often.
pub(super) const LIKELY: f64 = 0.75;
const CONFIRMED: u64 = 3;
const SURE: &str = "Sure";

/// What a better configuration would be.
const fn better(document: &TuneDocument) -> &'static str {
    match document.goal {
        _ if document.urls.is_some() => "faster",
        GoalWord::Cheapest if document.deadline_s.is_some() => "cheaper and in time",
        GoalWord::Cheapest => "cheaper",
        GoalWord::Fastest => "faster",
        GoalWord::Balanced => "better in price × time",
    }
}

/// How sure a configuration of a tune is, for a report of its runs. Of what the tune did not look for, nothing is known. How a first look
/// becomes a recommendation is said beside it.
pub(crate) fn sure_of(cell: &Cell, document: &TuneDocument) -> Option<String> {
    let mut answers = document.answers.iter();
    let own = answers.find(|answer| answer.is_of(&cell.program, &cell.factors))?;
    let choice = own.choice(document.goal)?;
    Some(if choice.configuration.is_of(cell, own) {
        first_look(own, document).map_or_else(|| how_sure(own, document), |[why, _]| why)
    } else {
        "The tune did not look for it: how sure this is, is not known.".to_owned()
    })
}

/// Whether the runs of a configuration of the answer say another time than it.
pub(super) fn contradicted(cell: &Cell, document: &TuneDocument) -> Option<String> {
    let mut answers = document.answers.iter();
    let own = answers.find(|answer| answer.is_of(&cell.program, &cell.factors))?;
    let choices = [&own.cheapest, &own.fastest, &own.balanced];
    let mut choices = choices.into_iter().flatten();
    let choice = choices.find(|choice| choice.configuration.is_of(cell, own))?;
    tune_steps::contradicted(own, (choice, document))
}

/// Why an answer is a first look, which its title says, and how it becomes a recommendation; `None` of one that is.
pub(super) fn first_look(answer: &ProgramAnswer, document: &TuneDocument) -> Option<[String; 2]> {
    if let Some(seconds) = answer.first_look_s.map(time) {
        let (did, more) = match (answer.is_timed_alone, &document.urls) {
            (true, _) => ("took", "Longer runs need more work for the program."),
            (false, Some(_)) => ("lasted", "A new tune with -z 5s has longer runs."),
            (false, None) => ("fetched for", "A larger bucket gives longer runs."),
        };
        return Some([
            format!("Not a recommendation yet: its runs {did} only {seconds}."),
            more.to_owned(),
        ]);
    }
    let runs = plural(answer.first_look_runs?, "run");
    Some([
        format!("Not a recommendation yet: the tune ended after {runs} of it."),
        format!(
            "The same command with `--id {}`{} continues it.",
            document.id,
            beyond_limit(document).replace(" with", " and")
        ),
    ])
}

/// What the command that continues a tune needs: at a limit that is used up, the same command makes no run.
pub(super) const fn beyond_limit(document: &TuneDocument) -> &'static str {
    use StoppedBecause::{MaxBytes, MaxCost, MaxRuns, MaxTime};
    match document.stopped_because {
        Some(MaxRuns | MaxTime | MaxBytes | MaxCost) => " with a higher limit",
        _ => "",
    }
}

/// What a better configuration would be where the minimum of a minute is billed: no other is cheaper there, and a faster one counts as cheaper. A task on
/// Fargate is billed for the pull of its image too, and so its whole time counts.
fn at_one_price(answer: &ProgramAnswer, document: &TuneDocument) -> Option<String> {
    let is_cheapest = document.goal == GoalWord::Cheapest;
    let choice = answer.cheapest.filter(|_| is_cheapest)?;
    let faster = (1.0 + document.within).powf(1.0 / BELOW_MINIMUM) - 1.0;
    let with_pull = if document.on == "local" {
        ""
    } else {
        " with the pull of its image"
    };
    choice.is_minimum.then(|| {
        format!(
            ", or as cheap and more than {:.0} % faster{with_pull}",
            faster * 100.0
        )
    })
}

pub(super) fn how_sure(answer: &ProgramAnswer, document: &TuneDocument) -> String {
    let better = better(document);
    let confidence = answer.confidence.unwrap_or(0.0);
    let runs = answer.choice(document.goal).map_or(0, |choice| choice.runs);
    let word = match confidence {
        sure if sure >= document.wanted_confidence && runs >= CONFIRMED => SURE,
        likely if likely >= LIKELY => "Likely",
        _ => "Not sure",
    };
    // A chance that would be sure, of too few runs.
    let by_runs = if word != SURE && confidence >= document.wanted_confidence {
        format!(", by {} of it", plural(runs, "run"))
    } else {
        String::new()
    };
    let (other, platform) = if document.urls.is_some() {
        ("mode or number of workers", "server")
    } else {
        ("configuration", "platform")
    };
    format!(
        "{word} ({}{by_runs}): no other {other} is more than {} {better}{}, as far as the {platform} behaves as such {platform}s do.",
        number::confidence(confidence),
        share(document.within),
        at_one_price(answer, document).unwrap_or_default()
    )
}
