//! What the page is made of: sizes, programs, and each program's share of the study.

use crate::analysis::{CellReport, Recommendation, Study, tuned_place};
use crate::cell::{Cell, Program};
use crate::plan::Factors;
use crate::render::wording::price::Per;
use crate::render::wording::tune_served;

/// CPU units, MiB, shards: what the page calls a size.
pub(super) type SizeKey = (u32, u32, u32);

pub(super) fn size_of(cell: &Cell) -> SizeKey {
    (cell.cpu_units, cell.memory_mib, cell.shards)
}

/// Every size of the study, ascending.
pub(super) fn sizes(study: &Study) -> Vec<SizeKey> {
    let mut sizes: Vec<SizeKey> = study
        .cells
        .iter()
        .map(|report| size_of(&report.cell))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// What a part of the page shows: a program, with one server and one value of each other factor.
pub(super) type PartKey<'a> = (&'a Program, &'a Factors);

/// The one that the answer above the page is of; then the contenders, which somebody brought and asks about; then parfetch's own clients.
pub(super) fn programs(study: &Study) -> Vec<PartKey<'_>> {
    let mut programs: Vec<PartKey<'_>> = Vec::new();
    for report in &study.cells {
        let key = (&report.cell.program, &report.cell.factors);
        if !programs.contains(&key) {
            programs.push(key);
        }
    }
    programs.sort_by_key(|key| (!is_of_answer(study, *key), key.0.is_parfetch()));
    programs
}

/// Whether the answer names this server; of a bucket each program has an answer of its own.
fn is_of_answer(study: &Study, (program, factors): PartKey<'_>) -> bool {
    if study.workload.http.is_none() {
        return false;
    }
    if let Some(document) = &study.facts.tune {
        return tune_served::first(document)
            .is_some_and(|answer| answer.program == program.name() && answer.factors == *factors);
    }
    let best = study
        .served
        .as_ref()
        .and_then(|served| study.cells.get(served.cell));
    best.is_some_and(|report| (&report.cell.program, &report.cell.factors) == (program, factors))
}

/// A program's share of a study.
pub(super) struct ProgramPart<'a> {
    pub(super) study: &'a Study,
    pub(super) program: &'a Program,
    pub(super) factors: &'a Factors,
    pub(super) sizes: &'a [SizeKey],
    /// What its prices are per.
    pub(super) per: Per,
    /// Whether its time is all that is known.
    pub(super) is_timed_alone: bool,
    /// Places of its cells in the study; the page counts cells in this order.
    pub(super) places: Vec<usize>,
}

impl<'a> ProgramPart<'a> {
    pub(super) fn of(
        study: &'a Study,
        key: PartKey<'a>,
        (sizes, per): (&'a [SizeKey], Per),
    ) -> Self {
        let (program, factors) = key;
        let is_shown = |cell: &Cell| (&cell.program, &cell.factors) == key;
        let places: Vec<usize> = (0..study.cells.len())
            .filter(|place| is_shown(&study.cells[*place].cell))
            .collect();
        let is_timed_alone = places
            .iter()
            .any(|place| study.cells[*place].is_timed_alone());
        Self {
            study,
            program,
            factors,
            sizes,
            per: if is_timed_alone { Per::RUN } else { per },
            is_timed_alone,
            places,
        }
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = &'a CellReport> {
        self.places.iter().map(|place| &self.study.cells[*place])
    }

    /// Place of a cell's size among the page's.
    pub(super) fn size(&self, cell: &Cell) -> Option<usize> {
        let of = size_of(cell);
        self.sizes.iter().position(|size| *size == of)
    }

    /// What is recommended for this program.
    pub(super) fn recommendation(&self) -> Option<&'a Recommendation> {
        self.study
            .recommendations
            .iter()
            .find(|found| (&found.program, &found.factors) == (self.program, self.factors))
    }

    /// The configuration that the answer is of: a tune's own, else the cheapest, else the fastest; of a web server the one with most requests/s.
    pub(super) fn answer(&self) -> Option<&'a CellReport> {
        let by_rule = || {
            if let Some(served) = &self.study.served {
                return Some(served.cell).filter(|place| self.places.contains(place));
            }
            let found = self.recommendation()?;
            Some(found.cheapest.as_ref().or(found.fastest.as_ref())?.cell)
        };
        let by_tune = tuned_place(self.study, (self.program, self.factors));
        self.study.cells.get(by_tune.or_else(by_rule)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::known;
    use super::*;
    use crate::analysis::MostServed;
    use crate::analysis::fixture::{Sweep, lean};
    use crate::plan::{ClientKind, Mode};
    use crate::render::page::build::fixture::six;
    use crate::render::wording::answer::highest;
    use crate::render::wording::notes::cautions;
    use crate::render::wording::{others, sections};
    use crate::results::tune::{ProgramAnswer, TuneDocument};

    /// A tune for the fastest of the known sweep, which found another configuration as the cheapest.
    fn tuned() -> TuneDocument {
        let choice = |vcpu: u32| {
            json!({"vcpu": vcpu, "memory_mib": 2048 * vcpu, "mode": "async", "concurrency": 16, "seconds": [1, 1, 1], "usd": null,
                "is_minimum": false, "runs": 6})
        };
        let nothing = ProgramAnswer::nothing(&Program::Client(ClientKind::Lean));
        let mut answer = serde_json::to_value(nothing).unwrap();
        answer["cheapest"] = choice(1);
        answer["fastest"] = choice(2);
        let document = json!({"schema": "parfetch.tune", "version": 1, "tool_version": "0.1.0", "id": "s", "on": "local", "goal": "fastest",
            "deadline_s": null, "within": 0.05, "wanted_confidence": 0.95, "objects": 96, "object_bytes": 960, "answers": [answer], "runs": 12,
            "most_runs": 150, "bytes": 960, "seconds": 12.0, "usd_spent": null, "stopped_because": "sure", "steps": []});
        TuneDocument::from_json(&document.to_string()).unwrap()
    }

    #[test]
    fn a_higher_rate_than_the_answer_s_has_the_reason_of_its_way() {
        let cell = |concurrency| lean(2_048, Mode::Async, concurrency);
        let sweep = Sweep::new("s1")
            .cell(&cell(4), &six(100.0))
            .cell(&cell(16), &six(350.0));
        let mut study = sweep.study();
        let mut chosen = study.recommendations[0].clone();
        let fastest = chosen.fastest.as_mut().unwrap();
        fastest.cell = 1 - fastest.cell;
        fastest.tied_with.clear();
        let reason = |study: &Study| highest(study, &chosen).unwrap();
        let of_sweep = reason(&study);
        assert!(
            of_sweep.ends_with("async × 16: without the variation that goes with the time, it takes longer for the whole bucket."),
            "{of_sweep}"
        );
        study.facts.tune = Some(Box::new(tuned()));
        let of_tune = reason(&study);
        assert!(
            of_tune.ends_with(
                ": by all runs of the tune together, it takes longer for the whole bucket."
            ),
            "{of_tune}"
        );
    }

    #[test]
    fn what_is_drawn_first_is_of_the_answer() {
        let sweep = known();
        let mut study = sweep.study();
        let sizes = sizes(&study);
        let of = |study: &Study| {
            let (key, per) = (programs(study).pop().unwrap(), Per::of(study));
            let part = ProgramPart::of(study, key, (&sizes, per));
            part.answer()
                .map(|report| (report.cell.cpu_units, report.cell.concurrency))
        };
        assert_eq!(of(&study), Some((1024, 16)), "the cheapest of a sweep");
        study.facts.tune = Some(Box::new(tuned()));
        assert_eq!(of(&study), Some((2048, 16)), "what was asked for");
    }

    #[test]
    fn a_tune_shows_no_times_but_its_own_and_one_that_is_running_no_addition() {
        let mut study = known().study();
        let front = |study: &Study| sections::front(study, &study.recommendations[0]).len();
        assert!(front(&study) > 0, "of a sweep");
        study.facts.tune = Some(Box::new(tuned()));
        assert_eq!(front(&study), 0);
        let added = |study: &Study| others::added(study).len();
        assert_eq!(added(&study), 1, "another program");
        let mut of_another = tuned();
        of_another.answers[0].program = "brought".to_owned();
        study.facts.tune = Some(Box::new(of_another.clone()));
        assert_eq!(added(&study), 2);
        of_another.answers.clear();
        study.facts.tune = Some(Box::new(of_another));
        assert_eq!(added(&study), 0, "still running");
    }

    #[test]
    fn a_tune_is_not_said_to_have_too_few_runs_for_tests() {
        let cell = |workers| lean(1_024, Mode::Async, workers);
        let mut study = Sweep::new("s1")
            .cell(&cell(1), &[50.0; 2])
            .cell(&cell(2), &[100.0; 2])
            .study();
        let is_said = |study: &Study| {
            let said = cautions(study);
            said.iter().any(|note| note.contains("too few to test"))
        };
        assert!(is_said(&study));
        study.facts.tune = Some(Box::new(tuned()));
        assert!(!is_said(&study));
    }

    #[test]
    fn the_server_of_the_answer_comes_first() {
        let of = |workers: &str, concurrency| Cell {
            factors: Factors::default().with("workers", workers),
            ..lean(1_024, Mode::Async, concurrency)
        };
        let sweep = Sweep::new("s1")
            .cell(&of("2", 4), &[50.0; 6])
            .cell(&of("2", 8), &[100.0; 6])
            .cell(&of("8", 4), &[200.0; 6]);
        let mut study = sweep.study();
        study.workload.http = Some(crate::sweep::fixture::requests());
        let is_best = |report: &CellReport| report.cell.factors.get("workers") == Some("8");
        study.served = Some(MostServed {
            cell: study.cells.iter().position(is_best).unwrap(),
            requests_per_s: 200.0,
            within: Vec::new(),
            left_out: 0,
            first_look: None,
        });
        let keys = programs(&study);
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].1.get("workers"), Some("8"));
        let (sizes, per) = (sizes(&study), Per::of(&study));
        let shaded = |key| {
            let part = ProgramPart::of(&study, key, (&sizes, per));
            let cells = super::super::cells::cells(&part);
            cells
                .iter()
                .filter_map(|cell| cell.share_of_best)
                .fold(0.0, f64::max)
        };
        // Each server is shaded by its own highest.
        assert!((shaded(keys[0]) - 1.0).abs() < 1e-9 && (shaded(keys[1]) - 1.0).abs() < 1e-9);
    }
}
