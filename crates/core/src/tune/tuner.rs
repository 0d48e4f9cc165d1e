//! The way: a start over the whole space, blocks of what is worth a run, longer runs that look for the end of bursts, and the stop.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use super::draws::JudgeInput;
use super::judge::{Judgement, judge};
use super::posterior::Posterior;
#[cfg(test)]
use super::question::Without;
use super::question::{Found, Next, StopReason, TuneQuestion, WantedRun, Why};
use super::seen::{RunSeen, SeenRuns};
use super::space::Size;
use crate::law::RateLaw;
use crate::plan::Mode;

/// Configurations of a block, and from so many runs on twice as many.
const BLOCK: usize = 4;
const MANY: usize = 40;
/// Runs of what is recommended.
pub(super) const LEAST: usize = 3;
/// Neighbours that are less worse than this (logarithm, in the mean) run as often, and those that are less worse than that once.
const NEAR: f64 = 0.15;
const FAR: f64 = 0.5;
/// After so many runs, and as many more, a burst is looked for in a size that is still in question: short runs never see their ends.
const SOAKS_FROM: usize = 16;
/// Looks at most.
const SOAKS: usize = 9;
/// What is next to a challenger is worth this share of what it was.
const NEXT_TO: f64 = 0.3;
/// Objects of a run at least, and for each worker: with fewer the queue is empty before the rate has settled.
const LEAST_OBJECTS: f64 = 20.0;
const LEAST_OF_WORKER: f64 = 2.0;

/// A tune under way.
pub struct Tuner {
    pub(super) question: TuneQuestion,
    pub(super) seen: SeenRuns,
    pub(super) posterior: Posterior,
    queue: VecDeque<(usize, Why)>,
    random: SmallRng,
    soaks: usize,
    is_judged: bool,
    #[cfg(test)]
    without: Option<Without>,
}

impl Tuner {
    /// Nothing is measured yet.
    pub fn new(question: TuneQuestion) -> Self {
        let mut tuner = Self {
            seen: SeenRuns::new(&question.space, question.run_s),
            posterior: Posterior::new(RateLaw {
                is_contender: question.is_contender,
                ..if question.is_web {
                    RateLaw::of_a_server(question.space.sizes.len())
                } else {
                    RateLaw::new(question.space.sizes.len(), question.terms.mean_bytes)
                }
            }),
            queue: VecDeque::new(),
            random: SmallRng::seed_from_u64(question.seed),
            // A web server has no network whose burst ends.
            soaks: if question.is_web { SOAKS } else { 0 },
            is_judged: false,
            question,
            #[cfg(test)]
            without: None,
        };
        tuner.queue = tuner.start().into();
        tuner
    }

    /// Without a part of the strategy.
    #[cfg(test)]
    #[must_use]
    pub fn without(mut self, part: Without) -> Self {
        if part == Without::Deviations {
            let space = &mut self.question.space;
            space.covariance = nalgebra::DMatrix::identity(space.len(), space.len()) * 1e-8;
        }
        self.without = Some(part);
        self
    }

    #[cfg(test)]
    fn lacks(&self, part: Without) -> bool {
        self.without == Some(part)
    }

    /// Runs so far.
    pub fn runs(&self) -> &[RunSeen] {
        &self.seen.runs
    }

    /// The ends and the middle of the space.
    fn start(&self) -> Vec<(usize, Why)> {
        let space = &self.question.space;
        let vcpu =
            |size: Option<&Size>| size.map_or(1.0, |size| f64::from(size.cpu_units) / 1_024.0);
        let (small, large) = (vcpu(space.sizes.first()), vcpu(space.sizes.last()));
        let most = f64::from(space.workers.last().copied().unwrap_or(1));
        let fewest = f64::from(space.workers.first().copied().unwrap_or(1));
        let middle = 1_f64.clamp(small, large);
        let mut wanted = vec![
            (middle, Mode::Async, fewest),
            (middle, Mode::Async, 4.0 * fewest),
            (middle, Mode::Thread, 4.0 * fewest),
            (middle, Mode::Process, 4.0 * fewest),
            (middle, Mode::Async, 64.0),
            (small, Mode::Async, 32.0),
            (large, Mode::Async, most),
        ];
        if self.question.is_contender {
            wanted.push((middle, Mode::Process, 64.0));
        }
        let mut start: Vec<(usize, Why)> = Vec::new();
        for (vcpu, mode, workers) in wanted {
            if let Some(config) = space.nearest(vcpu, mode, workers)
                && start.iter().all(|(other, _)| *other != config)
            {
                start.push((config, Why::Start));
            }
        }
        start
    }

    /// The expected objects a second of each configuration, by all runs and the law.
    pub fn expected(&self) -> Vec<f64> {
        let of = self
            .posterior
            .expected(&self.question.space, &self.seen.runs);
        of.into_iter().map(f64::exp).collect()
    }

    /// What a run showed.
    pub fn saw(&mut self, run: RunSeen) {
        self.seen.add(&self.question.space, run);
        self.is_judged = false;
    }

    /// A run of this configuration failed: it is not asked for again.
    pub fn failed(&mut self, config: usize) {
        self.seen.fail(config);
        self.is_judged = false;
    }

    /// This configuration cannot run: it is not asked for.
    pub fn leave_out(&mut self, config: usize) {
        self.seen.leave_out(config);
    }

    /// Looks for no more bursts: there is no time, or there are no bytes left for it.
    pub fn stop_soaks(&mut self) {
        self.soaks = SOAKS;
    }

    /// The run that is worth most now, or the answer where none is.
    pub fn decide(&mut self) -> Next {
        loop {
            if self.seen.all() >= self.question.most_runs {
                return Next::Stop(self.conclude(StopReason::Runs));
            }
            if let Some((config, why)) = self.queue.pop_front() {
                if self.seen.is_unable(config) {
                    continue;
                }
                return Next::Run(self.wanted(config, why));
            }
            if let ControlFlow::Break(found) = self.plan() {
                return Next::Stop(found);
            }
        }
    }

    /// How much to fetch.
    fn wanted(&mut self, config: usize, why: Why) -> WantedRun {
        let all = self.question.terms.objects;
        let is_in_question = why != Why::Start
            && self.seen.count(config) > 0
            && (why == Why::Burst
                || self.seen.has_drop()
                || self.seen.runs.len() >= SOAKS_FROM * (self.soaks + 1));
        let soak_s = self.may_soak().then(|| self.soak_s(config)).flatten();
        let rate = self.expected_rate(config);
        if let Some(seconds) = soak_s.filter(|_| is_in_question) {
            self.soaks += 1;
            return WantedRun {
                config,
                why: Why::Burst,
                objects: all,
                ends_s: Some(seconds),
                expected_s: seconds,
                expected_rate: rate,
            };
        }
        let workers = self.question.space.places[config].workers;
        let least = LEAST_OBJECTS.max(LEAST_OF_WORKER * workers);
        let objects = (rate * self.question.run_s).ceil().max(least).min(all);
        WantedRun {
            config,
            why,
            objects,
            ends_s: None,
            expected_s: objects / rate,
            expected_rate: rate,
        }
    }

    fn may_soak(&self) -> bool {
        #[cfg(test)]
        if self.lacks(Without::Soaks) {
            return false;
        }
        self.soaks < SOAKS
    }

    fn soak_s(&self, config: usize) -> Option<f64> {
        let objects = self.question.terms.objects;
        self.seen.soak_s(&self.question.space, (config, objects))
    }

    fn expected_rate(&mut self, config: usize) -> f64 {
        if let Some(rate) = self.seen.rate(config) {
            return rate;
        }
        if !self.is_judged {
            self.fit();
        }
        let expected = self
            .posterior
            .expected(&self.question.space, &self.seen.runs);
        expected[config].exp()
    }

    fn fit(&mut self) {
        if !self.seen.runs.is_empty() {
            // Where numbers fail, what was found before still serves to choose how much to fetch.
            let _ = self.posterior.fit(&self.question.space, &self.seen);
        }
    }

    pub(super) fn judge(&mut self) -> Option<Judgement> {
        if self.seen.runs.is_empty() {
            return None;
        }
        self.posterior.fit(&self.question.space, &self.seen)?;
        self.is_judged = true;
        let TuneQuestion {
            space,
            terms,
            goal,
            within,
            seed,
            ..
        } = &self.question;
        let subject = JudgeInput {
            space,
            terms,
            seen: &self.seen,
            goal: *goal,
            within: within.ln_1p(),
        };
        judge(
            &subject,
            &self.posterior,
            seed.wrapping_add(self.seen.runs.len() as u64),
        )
    }

    /// Fills the queue; the answer where there is nothing left to measure.
    fn plan(&mut self) -> ControlFlow<Option<Found>> {
        let Some(judgement) = self.judge() else {
            return ControlFlow::Break(None);
        };
        let Some(incumbent) = judgement.best(|config| !self.seen.is_unable(config)) else {
            return ControlFlow::Break(None);
        };
        let mut todo = if judgement.good[incumbent] >= self.question.confidence {
            let todo = self.to_confirm(&judgement, incumbent);
            if todo.is_empty() {
                if self.may_soak() && self.soak_s(incumbent).is_some() {
                    vec![(incumbent, Why::Burst)]
                } else {
                    return ControlFlow::Break(self.answer(
                        &judgement,
                        incumbent,
                        StopReason::Sure,
                    ));
                }
            } else {
                todo
            }
        } else {
            self.block(&judgement, incumbent)
        };
        todo.shuffle(&mut self.random);
        self.queue = todo.into();
        ControlFlow::Continue(())
    }

    /// What must be measured before the incumbent is recommended: itself, and its neighbours.
    fn to_confirm(&self, judgement: &Judgement, incumbent: usize) -> Vec<(usize, Why)> {
        let missing = |config: usize, wanted: usize, why: Why| {
            let count = wanted.saturating_sub(self.seen.count(config));
            std::iter::repeat_n((config, why), count)
        };
        let mut todo: Vec<(usize, Why)> = missing(incumbent, LEAST, Why::Confirm).collect();
        #[cfg(test)]
        if self.lacks(Without::Neighbours) {
            return todo;
        }
        let neighbours = self.question.space.neighbours(incumbent);
        let able = |config: &usize| !self.seen.is_unable(*config);
        for config in neighbours.into_iter().filter(able) {
            let wanted = match judgement.loss[config] {
                loss if loss < NEAR => LEAST,
                loss if loss < FAR => 1,
                _ => 0,
            };
            todo.extend(missing(config, wanted, Why::Neighbour));
        }
        todo
    }

    /// The incumbent, and the configurations with which most could be gained.
    fn block(&self, judgement: &Judgement, incumbent: usize) -> Vec<(usize, Why)> {
        let mut gains = judgement.gains(incumbent);
        let most = if self.seen.runs.len() < MANY {
            BLOCK
        } else {
            2 * BLOCK
        };
        let mut block = vec![(incumbent, Why::Best)];
        while block.len() < most {
            let (best, gain) = gains
                .iter()
                .copied()
                .enumerate()
                .fold(
                    (0, 0.0),
                    |best, one| if one.1 > best.1 { one } else { best },
                );
            if gain <= 0.0 {
                break;
            }
            block.push((best, Why::MayBeBetter));
            for (config, gain) in gains.iter_mut().enumerate() {
                if self.question.space.are_alike(config, best) {
                    *gain *= NEXT_TO;
                }
            }
            gains[best] = 0.0;
        }
        block.retain(|(config, _)| !self.seen.is_unable(*config));
        block
    }
}
