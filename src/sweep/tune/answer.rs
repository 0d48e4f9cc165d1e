//! From what the strategy found to the answer of a program, as the document has it.

use super::program::ProgramTune;
use crate::cell::Cell;
use crate::price::{MINIMUM_SECONDS, TaskRates, TaskSize, task_usd};
use crate::results::tune::{
    DroppedSize, EdgeWord, ExpectedRate, GoalWord, ProgramAnswer, StepReason, TunedChoice,
    TunedConfiguration,
};
use crate::tune::{Dropped, Extreme, MOST_NOISE, SpaceEdge, Why};

/// What is asked of the answer.
#[derive(Clone, Copy)]
pub(super) struct AnswerTerms {
    pub(super) goal: GoalWord,
    pub(super) within: f64,
    /// Of a web server: of how many requests times are.
    pub(super) requests: Option<f64>,
    /// None without a price.
    pub(super) rates: Option<TaskRates>,
}

/// Standard errors at which two configurations differ (one-sided 5 %) and are found to (80 %): 1.645 + 0.842.
const APART: f64 = 2.487;

/// About how many runs of each of two configurations tell a difference of `within` apart, where runs vary by `sigma`.
fn runs_needed(sigma: f64, within: f64) -> u64 {
    let runs = 2.0 * (APART * sigma / within.ln_1p()).powi(2);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the number is not negative"
    )]
    let runs = runs.ceil() as u64;
    runs.max(2)
}

/// The answer; without figures where nothing was found.
pub(super) fn answer(tuned: &ProgramTune, terms: AnswerTerms) -> ProgramAnswer {
    let nothing = ProgramAnswer {
        factors: tuned.factors.clone(),
        is_timed_alone: tuned.run_objects.is_some(),
        ..ProgramAnswer::nothing(&tuned.program)
    };
    let Some(found) = &tuned.found else {
        return nothing;
    };
    let configuration = |config: &usize| TunedConfiguration::of(&tuned.cells[*config]);
    let chosen = choice(
        (tuned, found.pull_s),
        Extreme {
            config: found.config,
            seconds: found.seconds,
        },
        terms,
    );
    let [fastest, cheapest] = found
        .extremes
        .map(|extreme| choice((tuned, found.pull_s), extreme, terms));
    let first_look_s = tuned.first_look_s(found.config);
    let first_look_runs = tuned.first_look_runs(found.stopped);
    let is_first_look = first_look_s.is_some() || first_look_runs.is_some();
    let mut edges = edges(found.edge, terms.goal, &tuned.cells[found.config]);
    if terms.requests.is_some() {
        // The client's size is no question of a server: where its CPU is the limit, that is said.
        edges.retain(|edge| *edge != EdgeWord::SmallestTask && *edge != EdgeWord::LargestTask);
    }
    ProgramAnswer {
        cheapest: Some(if terms.goal == GoalWord::Cheapest {
            chosen
        } else {
            cheapest
        }),
        fastest: Some(if terms.goal == GoalWord::Fastest {
            chosen
        } else {
            fastest
        }),
        balanced: (terms.goal == GoalWord::Balanced).then_some(chosen),
        confidence: (!is_first_look).then_some(found.confidence),
        first_look_s,
        first_look_runs,
        at_worst: Some(found.at_worst),
        tied_with: found.tied.iter().map(configuration).collect(),
        open: found.open.iter().map(configuration).collect(),
        runs_needed: Some(runs_needed(found.sigma, terms.within)),
        noise: Some(found.sigma),
        noise_is_more: found.sigma >= MOST_NOISE,
        at_edge: !edges.is_empty(),
        edges,
        curve: curve(tuned, found.config),
        dropped: found
            .dropped
            .iter()
            .map(|one| dropped(tuned, *one))
            .collect(),
        seen_for_s: Some(tuned.seen_for_s(found.config)),
        ..nothing
    }
}

/// What is expected of each configuration of the size of this one.
fn curve(tuned: &ProgramTune, config: usize) -> Vec<ExpectedRate> {
    let size = |cell: &Cell| (cell.cpu_units, cell.memory_mib);
    let of = size(&tuned.cells[config]);
    let all = tuned.cells.iter().zip(tuned.tuner.expected());
    all.filter(|(cell, _)| size(cell) == of)
        .map(|(cell, expected)| {
            let (objects_per_s, run_s) = tuned.rate_or_run_s(expected);
            ExpectedRate {
                configuration: TunedConfiguration::of(cell),
                objects_per_s,
                run_s,
            }
        })
        .collect()
}

fn dropped(tuned: &ProgramTune, of: Dropped) -> DroppedSize {
    DroppedSize {
        configuration: TunedConfiguration::of(&tuned.cells[of.config]),
        worse: of.worse,
        runs: runs(tuned, of.config),
    }
}

fn runs(tuned: &ProgramTune, config: usize) -> u64 {
    let runs = tuned.tuner.runs().iter();
    runs.filter(|run| run.config == config).count() as u64
}

fn choice((tuned, pull_s): (&ProgramTune, f64), of: Extreme, terms: AnswerTerms) -> TunedChoice {
    let cell = &tuned.cells[of.config];
    let size = TaskSize {
        vcpu: cell.vcpu(),
        memory_mib: u64::from(cell.memory_mib),
    };
    let usd = terms.rates.map(|rates| {
        of.seconds
            .map(|seconds| task_usd(rates, size, seconds + pull_s))
    });
    TunedChoice {
        configuration: TunedConfiguration::of(cell),
        seconds: of.seconds,
        is_minimum: usd.is_some() && of.seconds[1] + pull_s <= MINIMUM_SECONDS,
        is_of_on_demand: false,
        usd,
        // What the report of the runs finds.
        usd_requests: None,
        usd_retrieval: None,
        usd_egress: None,
        requests_per_s: terms.requests.map(|requests| {
            let [low_s, middle_s, high_s] = of.seconds;
            [high_s, middle_s, low_s].map(|seconds| requests / seconds)
        }),
        runs: runs(tuned, of.config),
    }
}

/// The ends beyond which something better may lie: a smaller task is no faster, and a larger one no cheaper.
fn edges(edge: SpaceEdge, goal: GoalWord, cell: &Cell) -> Vec<EdgeWord> {
    let is_smallest_of_all = cell.cpu_units == crate::price::CPU_UNITS[0];
    let ends = [
        (edge.fewest, EdgeWord::FewestWorkers),
        (edge.most, EdgeWord::MostWorkers),
        (
            edge.smallest && goal != GoalWord::Fastest && !is_smallest_of_all,
            EdgeWord::SmallestTask,
        ),
        (
            edge.largest && goal != GoalWord::Cheapest,
            EdgeWord::LargestTask,
        ),
    ];
    let at = ends.into_iter().filter(|(is_at, _)| *is_at);
    at.map(|(_, word)| word).collect()
}

/// Takes over the prices that the report of the runs found, which reads the same document.
pub(super) fn take_prices(answer: &mut ProgramAnswer, priced: &ProgramAnswer) {
    let pairs = [
        (&mut answer.cheapest, priced.cheapest),
        (&mut answer.fastest, priced.fastest),
        (&mut answer.balanced, priced.balanced),
    ];
    for (own, found) in pairs {
        if found.is_some_and(|found| found.usd.is_some()) {
            *own = found;
        }
    }
}

/// Why a run is made, as the document has it.
pub(super) const fn reason(why: Why) -> StepReason {
    match why {
        Why::Start => StepReason::Start,
        Why::Best => StepReason::Best,
        Why::MayBeBetter => StepReason::MayBeBetter,
        Why::Confirm => StepReason::Confirm,
        Why::Neighbour => StepReason::Neighbour,
        Why::Burst => StepReason::Burst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_tell_a_difference_apart_by_hand() {
        // The table of METHODOLOGY.md: 5 % at a noise of 3, 5, 10 and 15 %, and 10 %.
        let runs = |noise: f64, within| runs_needed(noise, within);
        assert_eq!(
            [0.03, 0.05, 0.10, 0.15].map(|noise| runs(noise, 0.05)),
            [5, 13, 52, 117]
        );
        assert_eq!(
            [0.03, 0.05, 0.10, 0.15].map(|noise| runs(noise, 0.10)),
            [2, 4, 14, 31]
        );
    }

    #[test]
    fn only_ends_beyond_which_something_better_may_lie_are_edges() {
        let cell = |cpu_units| crate::cell::Cell {
            cpu_units,
            ..crate::sweep::fixture::cell()
        };
        let all = SpaceEdge {
            fewest: false,
            most: true,
            smallest: true,
            largest: true,
        };
        let of = |goal, cpu_units| edges(all, goal, &cell(cpu_units));
        assert_eq!(
            of(GoalWord::Cheapest, 1_024),
            [EdgeWord::MostWorkers, EdgeWord::SmallestTask]
        );
        // Fargate has no smaller one.
        assert_eq!(of(GoalWord::Cheapest, 256), [EdgeWord::MostWorkers]);
        assert_eq!(
            of(GoalWord::Fastest, 1_024),
            [EdgeWord::MostWorkers, EdgeWord::LargestTask]
        );
    }
}
