//! The answer of a tune: which configuration stands for those that are as good, what it is tied with, and what is open.

use std::collections::HashMap;

use super::goal::{TuneGoal, log_usd};
use super::judge::Judgement;
use super::question::{Dropped, Extreme, Found, StopReason};
use super::space::Size;
use super::tuner::{LEAST, Tuner};
use crate::law::{MUCH_SLOWER, Tied, in_order};
use crate::price::BELOW_MINIMUM;
use crate::price::MINIMUM_SECONDS;

/// Of two that are both as good, what is worse by no more than this (logarithm) may be taken for being smaller.
const TIE: f64 = 0.01;
/// Configurations that are named as open at most.
const OPEN: usize = 5;
/// Standard errors within which 95 of 100 lie.
const NORMAL_975: f64 = 1.96;

impl Tuner {
    /// The best so far, where it ends before the answer is sure.
    pub fn conclude(&mut self, stopped: StopReason) -> Option<Found> {
        let judgement = self.judge()?;
        let most = (0..self.question.space.len())
            .map(|config| self.seen.count(config))
            .max()?;
        // What is recommended was measured.
        let best = judgement.best(|config| {
            self.seen.count(config) >= most.min(2) && !self.seen.is_unable(config)
        })?;
        self.answer(&judgement, best, stopped)
    }

    pub(super) fn answer(
        &self,
        judgement: &Judgement,
        best: usize,
        stopped: StopReason,
    ) -> Option<Found> {
        let sure = self.question.confidence.min(judgement.good[best]);
        let is_tied = |config: &usize| {
            self.seen.count(*config) >= LEAST.min(self.seen.count(best))
                && judgement.good[*config] >= sure
        };
        let all = 0..self.question.space.len();
        let mut tied = self.in_order(all.filter(is_tied), judgement);
        let may_stand_for = |config: &usize| {
            let worse = self.may_be_worse(judgement, (best, *config));
            judgement.loss[*config] <= judgement.loss[best] + worse
        };
        let config = tied.iter().copied().find(may_stand_for).unwrap_or(best);
        tied.retain(|other| *other != config);
        Some(Found {
            config,
            confidence: judgement.good[config],
            at_worst: judgement.at_worst(config),
            tied,
            edge: self.question.space.is_edge(config),
            seconds: judgement.seconds(config)?,
            pull_s: self.seen.around().pull_s,
            extremes: [TuneGoal::Fastest, TuneGoal::Cheapest]
                .map(|goal| self.extreme(judgement, (goal, config)))
                .into_iter()
                .collect::<Option<Vec<Extreme>>>()?
                .try_into()
                .ok()?,
            open: self.open(judgement, config),
            dropped: self.dropped(judgement, config),
            sigma: self.posterior.sigma,
            stopped,
        })
    }

    /// In the order in which they are taken.
    fn in_order(&self, tied: impl Iterator<Item = usize>, judgement: &Judgement) -> Vec<usize> {
        let of = |config: usize| {
            let (size, mode, workers) = self.question.space.at(config);
            Tied {
                place: config,
                size: (size.cpu_units.into(), size.memory_mib.into()),
                mode,
                workers,
                log_s: log_s(judgement, config),
            }
        };
        in_order(tied.map(of).collect())
    }

    /// How much worse (logarithm) one may be by what is looked for and still stand for the best: below the least time that is billed both cost the same,
    /// whatever is preferred on the way.
    fn may_be_worse(&self, judgement: &Judgement, (best, config): (usize, usize)) -> f64 {
        let later = log_s(judgement, config) - log_s(judgement, best);
        let pull_s = self.seen.around().pull_s;
        let is_minimum = |config| log_s(judgement, config).exp() + pull_s <= MINIMUM_SECONDS;
        let is_of_price = matches!(
            self.question.goal,
            TuneGoal::Cheapest | TuneGoal::CheapestWithin(_)
        );
        if is_of_price && [best, config].into_iter().all(is_minimum) {
            TIE + BELOW_MINIMUM * later.clamp(0.0, MUCH_SLOWER.ln())
        } else {
            TIE
        }
    }

    /// The least of what was measured; at least what was chosen.
    fn extreme(&self, judgement: &Judgement, (goal, chosen): (TuneGoal, usize)) -> Option<Extreme> {
        let pull_s = self.seen.around().pull_s;
        let rates = self.question.terms.rates;
        let value = |one: &Extreme| {
            let (size, ..) = self.question.space.at(one.config);
            goal.of(rates, size, (one.seconds[1], pull_s))
        };
        let expected = self.expected();
        let measured = (0..self.question.space.len()).filter_map(|config| {
            let seconds = if config == chosen {
                judgement.seconds(config)?
            } else {
                self.measured_s(judgement, (config, expected[config]))?
            };
            Some(Extreme { config, seconds })
        });
        measured.min_by(|one, other| value(one).total_cmp(&value(other)))
    }

    /// Seconds of the whole bucket at the rate that the runs of a configuration had, whatever the law makes of it: 2.5, 50, 97.5 % by how much runs vary.
    /// The law and the other runs were asked about the goal, and where they miss one configuration far from it, nothing corrects them.
    fn measured_s(
        &self,
        judgement: &Judgement,
        (config, expected): (usize, f64),
    ) -> Option<[f64; 3]> {
        let rate = self.seen.rate(config)?;
        let [_, middle_s, _] = judgement.seconds(config)?;
        let objects = self.question.terms.objects;
        let middle_s = middle_s + objects / rate - objects / expected;
        let error = self.posterior.sigma / (self.seen.count(config) as f64).sqrt();
        Some([-NORMAL_975, 0.0, NORMAL_975].map(|errors| middle_s * (errors * error).exp()))
    }

    /// The best of each size that cannot be the answer, the best of them first.
    fn dropped(&self, judgement: &Judgement, config: usize) -> Vec<Dropped> {
        let size = |config: usize| self.question.space.at(config).0;
        let expected = self.expected();
        let worth = |config: usize| {
            self.worth(
                size(config),
                self.middle_s(judgement, (config, expected[config])),
            )
        };
        let mut best: HashMap<Size, (f64, Dropped)> = HashMap::new();
        for index in (0..self.question.space.len()).filter(|one| !self.seen.is_unable(*one)) {
            let loss = judgement.loss[index] - judgement.loss[config];
            let one = Dropped {
                config: index,
                worse: (worth(index) - worth(config)).exp_m1(),
            };
            let known = best.entry(size(index)).or_insert((loss, one));
            // Those that are much worse have one loss.
            if (loss, one.worse) < (known.0, known.1.worse) {
                *known = (loss, one);
            }
        }
        best.remove(&size(config));
        let mut dropped: Vec<Dropped> = best
            .into_values()
            .filter(|(loss, _)| *loss > self.question.within.ln_1p())
            .map(|(_, one)| one)
            .collect();
        dropped.sort_by(|one, other| {
            let by_worth = one.worse.total_cmp(&other.worse);
            by_worth.then(one.config.cmp(&other.config))
        });
        dropped
    }

    /// Logarithm of what somebody would compare: of the cheapest it is the price, without the preference below the minimum of a minute.
    fn worth(&self, size: Size, seconds: f64) -> f64 {
        let rates = self.question.terms.rates;
        let pull_s = self.seen.around().pull_s;
        match self.question.goal {
            TuneGoal::Cheapest => log_usd(rates, size, seconds + pull_s),
            goal => goal.of(rates, size, (seconds, pull_s)),
        }
    }

    /// Seconds of the whole bucket; of what is hopeless, by the law and the runs.
    fn middle_s(&self, judgement: &Judgement, (config, rate): (usize, f64)) -> f64 {
        let terms = &self.question.terms;
        judgement.seconds(config).map_or_else(
            || terms.objects / rate + self.seen.around().fixed_s + terms.listing_s,
            |[_, middle, _]| middle,
        )
    }

    /// What may be better than this one by more than what counts as good.
    fn open(&self, judgement: &Judgement, config: usize) -> Vec<usize> {
        if judgement.good[config] >= self.question.confidence {
            return Vec::new();
        }
        let gains = judgement.gains(config);
        let mut open: Vec<usize> = (0..gains.len())
            .filter(|config| gains[*config] > 0.0 && !self.seen.is_unable(*config))
            .collect();
        open.sort_by(|one, other| gains[*other].total_cmp(&gains[*one]));
        open.truncate(OPEN);
        open
    }
}

/// Logarithm of the seconds of the whole bucket, in the middle of the draws.
fn log_s(judgement: &Judgement, config: usize) -> f64 {
    let seconds = judgement.seconds(config);
    seconds.map_or(f64::INFINITY, |[_, middle, _]| middle.ln())
}
