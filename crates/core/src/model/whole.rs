//! The whole bucket by the law: the truth that tests hold answers against.

use super::law::Law;
use super::run::{Chance, Ran, RunAmount};
use crate::cell::Cell;

/// The whole bucket with one configuration, without noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Seconds of fetching.
    pub fetch_s: f64,
    /// Seconds of the process.
    pub seconds: f64,
    /// GETs that are paid: answers that say «too fast» are not.
    pub gets: f64,
    /// What it was like.
    pub ran: Ran,
}

impl Law {
    /// The whole bucket, without noise: what a run of `cell` would take.
    pub fn whole(&self, cell: &Cell) -> Whole {
        self.whole_when(cell, 1.0)
    }

    /// The same, in a run that takes `slower` times as long.
    pub fn whole_when(&self, cell: &Cell, slower: f64) -> Whole {
        let ran = self.run(
            cell,
            RunAmount::Objects(self.objects()),
            Chance {
                slower,
                last: self.model.store.last_fetch,
            },
        );
        let around: f64 = self.around(cell, self.objects() as f64).iter().sum();
        Whole {
            fetch_s: ran.fetch_s,
            seconds: around + self.listing_s() + ran.fetch_s,
            gets: self.objects() as f64,
            ran,
        }
    }
}
