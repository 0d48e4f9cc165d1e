//! What follows the tables: verdicts, failures, warnings, recommendations and the Pareto front, grouped so that equal things are said once.

use super::number::{self, UNKNOWN, behind, memory, plural, usd, vcpu, vcpus};
use super::price::Per;
use super::sentence::as_first_look;
use super::{notes, verdict};
use crate::analysis::advice::{Choice, Recommendation};
use crate::analysis::model::{CellReport, Curve, Study};
use crate::cell::Cell;
use crate::plan::Mode;
use crate::shell;
use crate::units;

/// Who and what: `lean · 1 vCPU · 2 GB · async × 1, 2, 4`, its word, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// Which configurations.
    pub(crate) who: String,
    /// The word.
    pub(crate) word: String,
    /// The figures behind it.
    pub(crate) because: String,
}

/// Verdicts, neighbours of a curve with the same word in one line; the figure is what decided the last of them.
pub(crate) fn verdicts(study: &Study) -> Vec<Explanation> {
    let mut lines = Vec::new();
    // In the order of the answers.
    let mut curves: Vec<&Curve> = study.curves.iter().collect();
    curves.sort_by_key(|curve| curve.program.is_parfetch());
    for curve in curves {
        let cells: Vec<&CellReport> = curve
            .cells
            .iter()
            .filter_map(|place| study.cells.get(*place))
            .collect();
        for group in cells.chunk_by(|one, other| one.verdict.word == other.verdict.word) {
            let Some(last) = group.last() else { continue };
            // The one that decided.
            let because = verdict::decided(&last.verdict).unwrap_or_default();
            let at = if group.len() > 1 && !because.is_empty() {
                format!(
                    "at {}: ",
                    plural(u64::from(last.cell.concurrency), "worker")
                )
            } else {
                String::new()
            };
            lines.push(Explanation {
                who: who(curve, group),
                word: verdict::limit_of(last),
                because: at + &because,
            });
        }
    }
    lines
}

fn who(curve: &Curve, cells: &[&CellReport]) -> String {
    let concurrencies: Vec<String> = cells
        .iter()
        .map(|cell| cell.cell.concurrency.to_string())
        .collect();
    let shards = if curve.shards > 1 {
        format!(" · {} shards", curve.shards)
    } else {
        String::new()
    };
    let size = size(curve.cpu_units, curve.memory_mib);
    format!(
        "{} · {size} · {} × {}{shards}{}",
        curve.program.name(),
        curve.mode,
        concurrencies.join(", "),
        behind(&curve.factors)
    )
}

/// `1 vCPU · 2 GB`.
pub(crate) fn size(cpu_units: u32, memory_mib: u32) -> String {
    format!("{} · {} GB", vcpus(cpu_units), memory(memory_mib))
}

/// Why a curve has no knee, or what its knee lacks; curves of which the same is said in one line.
pub(crate) fn knees(study: &Study) -> Vec<String> {
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for curve in &study.curves {
        let Some(note) = curve.note.map(notes::of_curve) else {
            continue;
        };
        let name = format!(
            "{} {} {}",
            curve.program.name(),
            vcpus(curve.cpu_units),
            curve.mode
        );
        match said.iter_mut().find(|(known, _)| *known == note) {
            Some((_, curves)) => curves.push(name),
            None => said.push((note, vec![name])),
        }
    }
    let all = study.curves.len();
    let line = |(note, curves): (&str, Vec<String>)| {
        if curves.len() == all && all > 1 {
            format!("all: {note}")
        } else {
            format!("{}: {note}", curves.join(", "))
        }
    };
    said.into_iter().map(line).collect()
}

/// Repetitions that failed: which configuration, how many, and each reason with where it is written down.
pub(crate) fn failures(study: &Study) -> Vec<Explanation> {
    let mut lines = Vec::new();
    for cell in study.cells.iter().filter(|cell| cell.has_failures()) {
        let mut reasons: Vec<(&str, Vec<&crate::analysis::model::FailedRepetition>)> = Vec::new();
        for failure in &cell.failures {
            match reasons
                .iter_mut()
                .find(|(reason, _)| *reason == failure.reason)
            {
                Some((_, known)) => known.push(failure),
                None => reasons.push((&failure.reason, vec![failure])),
            }
        }
        let all = cell.failures.len() + cell.observations.len();
        for (reason, of) in reasons {
            let repetitions: Vec<String> = of
                .iter()
                .map(|failure| failure.repetition.to_string())
                .collect();
            let s = if of.len() == 1 { "" } else { "s" };
            let document = of.first().map_or("", |failure| &failure.document);
            let word = format!("{} of {all} failed", of.len());
            lines.push(Explanation {
                who: cell.cell.to_string(),
                word,
                because: format!(
                    "repetition{s} {}: {reason} ({document})",
                    repetitions.join(", ")
                ),
            });
        }
    }
    lines
}

/// Notes of the study, then warnings of its runs, then notes of cells (equal ones once).
pub(crate) fn notes(study: &Study) -> Vec<String> {
    let mut notes = notes::of_study(study);
    notes.extend(
        study
            .facts
            .warnings
            .iter()
            .map(|(warning, count)| format!("warning of {}: {warning}", plural(*count, "run"))),
    );
    notes.extend(notes_of_cells(study));
    notes
}

/// Equal ones once.
fn notes_of_cells(study: &Study) -> Vec<String> {
    let mut of_cells: Vec<(String, Vec<&Cell>)> = Vec::new();
    for cell in &study.cells {
        for note in notes::of_cell(cell) {
            match of_cells.iter_mut().find(|(known, _)| *known == note) {
                Some((_, cells)) => cells.push(&cell.cell),
                None => of_cells.push((note, vec![&cell.cell])),
            }
        }
    }
    of_cells
        .into_iter()
        .map(|(note, cells)| match cells.as_slice() {
            [cell] => format!("{cell}: {note}"),
            _ => format!("{} configurations: {note}", cells.len()),
        })
        .collect()
}

/// A choice with what it is good at.
#[derive(Clone, Copy)]
pub(crate) struct LabelledChoice<'a> {
    /// `Cheapest`, `Fastest`, or both in one.
    pub(crate) label: &'static str,
    /// What an equal one is: `as cheap`.
    pub(crate) equal: &'static str,
    /// The configuration.
    pub(crate) choice: &'a Choice,
    is_fastest: bool,
    /// Where it is both, the second one.
    also: Option<&'a Choice>,
}

impl<'a> LabelledChoice<'a> {
    /// What stands above it: `Cheapest`, `A first look: cheapest`.
    pub(crate) fn title(&self) -> String {
        match self.choice.first_look {
            Some(_) => as_first_look(self.label),
            None => self.label.to_owned(),
        }
    }

    pub(crate) const fn cheapest(choice: &'a Choice) -> Self {
        Self {
            label: "Cheapest",
            equal: "as cheap",
            choice,
            is_fastest: false,
            also: None,
        }
    }

    pub(crate) const fn fastest(choice: &'a Choice) -> Self {
        Self {
            label: "Fastest",
            equal: "as fast",
            choice,
            is_fastest: true,
            also: None,
        }
    }

    /// What a better one would be, and how sure it is that no other one is so by more than 5 %: for each goal that it is best at.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> + '_ {
        let better = if self.is_fastest { "faster" } else { "cheaper" };
        let first = (better, self.choice.confidence_near);
        let second = self.also.map(|also| ("faster", also.confidence_near));
        std::iter::once(first).chain(second)
    }

    /// The others that are as good; at both where it is both. Places in the study.
    pub(crate) fn ties(&self) -> impl Iterator<Item = usize> + '_ {
        let is_tied_in_both =
            move |place: &usize| self.also.is_none_or(|also| also.tied_with.contains(place));
        self.choice
            .tied_with
            .iter()
            .copied()
            .filter(is_tied_in_both)
    }
}

/// What to run, each with its label.
pub(crate) fn choices(recommendation: &Recommendation) -> Vec<LabelledChoice<'_>> {
    match (&recommendation.cheapest, &recommendation.fastest) {
        (Some(cheapest), Some(fastest)) if cheapest.cell == fastest.cell => {
            vec![LabelledChoice {
                label: "Cheapest and fastest",
                equal: "as cheap and as fast",
                also: Some(fastest),
                ..LabelledChoice::cheapest(cheapest)
            }]
        }
        (cheapest, fastest) => {
            let cheapest = cheapest.as_ref().map(LabelledChoice::cheapest);
            let fastest = fastest.as_ref().map(LabelledChoice::fastest);
            cheapest.into_iter().chain(fastest).collect()
        }
    }
}

/// What a configuration is in the answer of its program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnswerMark {
    /// `C` and `F` for the cheapest and the fastest, `c` and `f` for what the answer calls as good.
    pub(crate) letters: String,
    /// `cheapest`; empty for what is only as good.
    pub(crate) chosen: &'static str,
}

/// By its place in the study: the sentences of the answer name the same ones.
pub(crate) fn answer_mark(study: &Study, place: usize) -> AnswerMark {
    let rank = |choice: &Option<Choice>| match choice {
        Some(choice) if choice.cell == place => Some(true),
        Some(choice) if choice.tied_with.contains(&place) => Some(false),
        _ => None,
    };
    let ranks = study.recommendations.iter();
    let mut ranks = ranks.map(|found| [rank(&found.cheapest), rank(&found.fastest)]);
    let [cheapest, fastest] = ranks
        .find(|ranks| ranks.iter().any(Option::is_some))
        .unwrap_or_else(|| of_served(study, place));
    let letter = |rank: Option<bool>, [best, equal]: [char; 2]| {
        rank.map(|is_chosen| if is_chosen { best } else { equal })
    };
    let letters = [letter(cheapest, ['C', 'c']), letter(fastest, ['F', 'f'])];
    AnswerMark {
        letters: letters.into_iter().flatten().collect(),
        chosen: match (cheapest == Some(true), fastest == Some(true)) {
            (true, true) => "cheapest and fastest",
            (true, false) => "cheapest",
            (false, true) => "fastest",
            (false, false) => "",
        },
    }
}

/// A tune of a web server has no recommendations: it names the fastest of each server.
fn of_served(study: &Study, place: usize) -> [Option<bool>; 2] {
    let cell = study.cells.get(place).map(|report| &report.cell);
    let answers = study.facts.tune.iter().flat_map(|tune| &tune.answers);
    let mut pairs = answers.filter_map(|answer| Some((answer.fastest.as_ref()?, answer)));
    let is_fastest = study.workload.http.is_some()
        && cell.is_some_and(|cell| {
            pairs.any(|(choice, answer)| choice.configuration.is_of(cell, answer))
        });
    [None, is_fastest.then_some(true)]
}

/// `MODE=async CONCURRENCY=16 …`, quoted for a shell where that is needed.
pub(crate) fn environment(choice: &Choice) -> String {
    let pairs = choice
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={}", shell::word(value)));
    pairs.collect::<Vec<_>>().join(" ")
}

/// Heads of [`pareto`]'s columns.
pub(crate) fn pareto_heads(study: &Study, recommendation: &Recommendation) -> [&'static str; 6] {
    let mut cells = recommendation.pareto.iter();
    let is_one_run = cells.any(|place| {
        let report = study.cells.get(*place);
        report.is_some_and(CellReport::is_timed_alone)
    });
    let (what, per) = if is_one_run {
        ("one run", Per::RUN)
    } else {
        ("whole bucket", Per::of(study))
    };
    ["vCPUs", "GB", "mode", what, "price", per.short]
}

/// Places of those that no other beats in both time and price. A tune has times of its own for what it names, and those of the others would be another count.
pub(crate) fn front<'a>(study: &Study, found: &'a Recommendation) -> &'a [usize] {
    match study.facts.tune {
        Some(_) => &[],
        None => &found.pareto,
    }
}

/// Cells that no other beats in both time and price, fastest first.
pub(crate) fn pareto(study: &Study, recommendation: &Recommendation) -> Vec<[String; 6]> {
    let per = Per::of(study);
    let cells = front(study, recommendation)
        .iter()
        .filter_map(|place| study.cells.get(*place));
    let rows = cells.filter_map(|report| {
        let Cell {
            cpu_units,
            memory_mib,
            mode,
            concurrency,
            shards,
            factors: own,
            ..
        } = &report.cell;
        let prediction = report.prediction.as_ref()?;
        let within = prediction.interval.map_or_else(String::new, |interval| {
            let (low, high) = (number::time(interval.low), number::time(interval.high));
            if low == high {
                String::new()
            } else {
                format!(" ({low} to {high})")
            }
        });
        let price = prediction
            .cost
            .as_ref()
            .map_or_else(|| UNKNOWN.to_owned(), |cost| usd(cost.usd_total()));
        let of_objects = per
            .tasks(report)
            .map_or_else(|| UNKNOWN.to_owned(), |usd| units::fixed(usd, 3));
        let time = format!("{}{within}", number::time(prediction.seconds));
        Some([
            vcpu(*cpu_units),
            memory(*memory_mib),
            format!("{}{}", factors(*mode, *concurrency, *shards), behind(own)),
            time,
            price,
            of_objects,
        ])
    });
    rows.collect()
}

/// `async × 16`, with the shards where there are several.
pub(crate) fn factors(mode: Mode, concurrency: u32, shards: u32) -> String {
    let parts = if shards > 1 {
        format!(" × {shards} shards")
    } else {
        String::new()
    };
    format!("{mode} × {concurrency}{parts}")
}
