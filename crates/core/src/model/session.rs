//! Runs on a model, one after another: each with its noise, as a sweep would see them.

use super::law::Law;
use super::noise::{Random, Weather};
use super::run::{Chance, Ran, RunAmount};
use crate::cell::Cell;

/// Correlation of neighbouring seconds.
const SECONDS: f64 = 0.3;

/// A series of runs.
pub struct ModelSession {
    law: Law,
    random: Random,
    weather: Weather,
}

impl ModelSession {
    /// Of so many runs, over which what drifts drifts.
    pub fn new(law: Law, (seed, runs): (u64, usize)) -> Self {
        let mut random = Random::new(law.model.seed ^ seed.rotate_left(17));
        let weather = Weather::new(law.model.noise, runs, &mut random);
        Self {
            law,
            random,
            weather,
        }
    }

    /// The next run, which takes `slower` times as long as the law says.
    pub fn run(&mut self, (cell, slower): (&Cell, f64), amount: RunAmount) -> Ran {
        let store = &self.law.model.store;
        let last = store.last_fetch * (store.last_fetch_sigma * self.random.normal()).exp();
        let chance = Chance {
            slower: self.weather.next(&mut self.random) * slower,
            last,
        };
        self.law.run(cell, amount, chance)
    }

    /// Its seconds and workers' starts besides fetching: [start-up, worker start, write-back].
    pub fn around(&self, cell: &Cell, objects: f64) -> [f64; 3] {
        self.law.around(cell, objects)
    }

    /// Bytes of each second of a run.
    pub fn series(&mut self, ran: &Ran) -> Vec<f64> {
        let noise = self.law.model.noise.second;
        let mut bytes = ran.each_second(|stretch| stretch.bytes);
        let mut state = self.random.normal();
        for bytes in &mut bytes {
            state = SECONDS * state + (1.0 - SECONDS * SECONDS).sqrt() * self.random.normal();
            *bytes *= (1.0 + noise * state).max(0.0);
        }
        bytes
    }
}
