//! What a tune answered, as a choice among the cells of its study: the report recommends what the tune found, and nothing of its own beside it.

use super::advice::{Edge, FirstLook};
use super::choose::Chosen;
use super::model::Study;
use crate::cell::{Cell, Program};
use crate::plan::Factors;
use crate::results::tune::{
    EdgeWord, GoalWord, ProgramAnswer, TuneDocument, TunedChoice, TunedConfiguration,
};

/// The answer of a tune for one program.
#[derive(Clone, Copy)]
pub(super) struct TuneAnswer<'a> {
    answer: &'a ProgramAnswer,
    goal: GoalWord,
}

/// One of its configurations, by its place in the study.
pub(super) struct TunedPlace {
    pub(super) chosen: Chosen,
    /// Known of what was asked for.
    pub(super) confidence: Option<f64>,
    pub(super) first_look: Option<FirstLook>,
    pub(super) at_edge: Vec<Edge>,
}

impl<'a> TuneAnswer<'a> {
    /// `None` where the runs are no tune's.
    pub(super) fn of(
        document: Option<&'a TuneDocument>,
        (program, factors): (&Program, &Factors),
    ) -> Option<Self> {
        let document = document?;
        let mut answers = document.answers.iter();
        Some(Self {
            answer: answers.find(|answer| answer.is_of(program, factors))?,
            goal: document.goal,
        })
    }

    pub(super) fn cheapest(self, study: &Study) -> Option<TunedPlace> {
        self.place(study, (self.answer.cheapest.as_ref()?, GoalWord::Cheapest))
    }

    pub(super) fn fastest(self, study: &Study) -> Option<TunedPlace> {
        self.place(study, (self.answer.fastest.as_ref()?, GoalWord::Fastest))
    }

    /// Where a configuration of the answer is in the study.
    fn place_of(self, study: &Study, of: &TunedConfiguration) -> Option<usize> {
        let mut cells = study.cells.iter();
        cells.position(|report| of.is_of(&report.cell, self.answer))
    }

    fn place(self, study: &Study, (choice, goal): (&TunedChoice, GoalWord)) -> Option<TunedPlace> {
        let answer = self.answer;
        let place = self.place_of(study, &choice.configuration)?;
        let is_asked = self.goal == goal;
        let tied = answer.tied_with.iter().filter(|_| is_asked);
        let edges = answer.edges.iter().filter(|_| is_asked);
        Some(TunedPlace {
            chosen: Chosen {
                place,
                tied: tied.filter_map(|of| self.place_of(study, of)).collect(),
                again: None,
            },
            confidence: answer.confidence.filter(|_| is_asked),
            first_look: first_look(answer),
            at_edge: edges.map(|edge| of_edge(*edge)).collect(),
        })
    }
}

/// Place in the study of what a tune answers for a program with these factors; `None` where the runs are no tune's, or it has no answer of them.
pub fn tuned_place(study: &Study, key: (&Program, &Factors)) -> Option<usize> {
    let found = TuneAnswer::of(study.facts.tune.as_deref(), key)?;
    let choice = found.answer.choice(found.goal)?;
    found.place_of(study, &choice.configuration)
}

fn first_look(answer: &ProgramAnswer) -> Option<FirstLook> {
    let runs = answer.first_look_runs.map(|runs| {
        let runs = usize::try_from(runs).unwrap_or(usize::MAX);
        FirstLook::Repetitions(runs)
    });
    answer.first_look_s.map(FirstLook::Short).or(runs)
}

/// The choices of an answer that are this cell.
pub(super) fn choices_of<'a>(
    answer: &'a mut ProgramAnswer,
    cell: &Cell,
) -> impl Iterator<Item = &'a mut TunedChoice> {
    let is_own = answer.is_of(&cell.program, &cell.factors);
    let configuration = TunedConfiguration::of(cell);
    [
        &mut answer.cheapest,
        &mut answer.fastest,
        &mut answer.balanced,
    ]
    .into_iter()
    .flatten()
    .filter(move |choice| is_own && choice.configuration == configuration)
}

const fn of_edge(edge: EdgeWord) -> Edge {
    match edge {
        EdgeWord::FewestWorkers => Edge::FewestWorkers,
        EdgeWord::MostWorkers => Edge::MostWorkers,
        EdgeWord::SmallestTask => Edge::SmallestTask,
        EdgeWord::LargestTask => Edge::LargestTask,
    }
}
