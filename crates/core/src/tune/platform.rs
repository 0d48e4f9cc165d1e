//! What runs say of their platform, by the law: each limit with a name and a unit. For a model that fits what was measured.

use super::posterior::Posterior;
use super::seen::{RunSeen, SeenRuns};
use super::space::{Size, Space};
use crate::law::{
    BY_BYTES, CONNECTION_S, EXPONENT, NETWORK, OF_SIZES, PER_WORKER, POWER, REQUEST_S, RateLaw,
    SERIAL, STORE, USABLE, USABLE_SMALL, place_of,
};
use crate::plan::Mode;
use crate::stats::location::median;

/// A platform as the law has it; what no run showed is what was supposed before.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedPlatform {
    /// Seconds from a request to the first byte of its answer.
    pub first_byte_s: f64,
    /// Of one connection.
    pub connection_bytes_per_s: f64,
    /// CPU seconds of a request, by mode.
    pub request_s: [f64; 3],
    /// CPU seconds of a byte.
    pub byte_s: f64,
    /// By this share of a request's CPU seconds each worker adds to them.
    pub per_worker: f64,
    /// Share of the vCPU that can be used, by mode.
    pub usable: [f64; 3],
    /// Factors of it for a quarter and a half of a vCPU.
    pub usable_small: [f64; 2],
    /// Of one vCPU.
    pub network_bytes_per_s: f64,
    /// Power of the vCPU with which the network grows.
    pub exponent: f64,
    /// Factors of it by size.
    pub by_size: Vec<(Size, f64)>,
    /// Of the store.
    pub max_requests_per_s: f64,
    /// Seconds of each object during which a process does nothing else.
    pub serial_s: f64,
    /// How sharply limits meet.
    pub power: f64,
    /// Standard deviation of the logarithm of a run's rate.
    pub noise: f64,
    /// Seconds besides fetching and starting workers, and those that are billed only.
    pub start_up_s: f64,
    /// Seconds that are billed beyond them, of the image's pull.
    pub pull_s: f64,
    /// Of the drops that were seen: the rate before over the rate after, and when.
    pub burst: Option<(f64, f64)>,
    /// How many runs it fits.
    pub runs: usize,
}

impl FittedPlatform {
    /// Fits the law to runs of one program over a bucket with objects of this mean size; `None` without runs, or where numbers fail.
    pub fn of(space: &Space, runs: &[RunSeen], (mean, is_contender): (f64, bool)) -> Option<Self> {
        let mut seen = SeenRuns::new(space, 0.0);
        for run in runs {
            seen.add(space, *run);
        }
        let mut posterior = Posterior::new(RateLaw {
            is_contender,
            ..RateLaw::new(space.sizes.len(), mean)
        });
        if runs.is_empty() {
            return None;
        }
        posterior.fit(space, &seen)?;
        let of = &posterior.of;
        let share = |place: usize| of[place].clamp(0.01, 0.99);
        let (connection_s, by_bytes) = (of[CONNECTION_S].exp(), share(BY_BYTES));
        let by_mode = |first: usize| Mode::ALL.map(|mode| of[first + place_of(mode)].exp());
        let cpu_s = by_mode(REQUEST_S);
        let of_bytes_s = cpu_s[place_of(Mode::Async)] * share(BY_BYTES + 1);
        let request_s = cpu_s.map(|all_s| (all_s - of_bytes_s).max(all_s * 0.01));
        let first = place_of(Mode::Async);
        let drops: Vec<_> = runs.iter().filter_map(|run| run.drop).collect();
        let middle = |values: Vec<f64>| median(&values);
        Some(Self {
            first_byte_s: connection_s * (1.0 - by_bytes),
            connection_bytes_per_s: mean / (connection_s * by_bytes),
            request_s,
            byte_s: of_bytes_s / mean,
            per_worker: of[PER_WORKER].exp() * cpu_s[first] / request_s[first],
            usable: by_mode(USABLE).map(|share| share.min(1.0)),
            usable_small: [of[USABLE_SMALL].exp(), of[USABLE_SMALL + 1].exp()]
                .map(|factor| factor.min(1.0)),
            network_bytes_per_s: of[NETWORK].exp() * mean,
            exponent: of[EXPONENT],
            by_size: space
                .sizes
                .iter()
                .enumerate()
                .map(|(size, of_size)| (*of_size, of[OF_SIZES + size].exp()))
                .collect(),
            max_requests_per_s: of[STORE].exp(),
            serial_s: (-of[SERIAL]).exp(),
            power: of[POWER].exp(),
            noise: posterior.sigma,
            start_up_s: seen.around().fixed_s,
            pull_s: seen.around().pull_s,
            runs: runs.len(),
            burst: middle(drops.iter().map(|drop| drop.before / drop.after).collect())
                .zip(middle(drops.iter().map(|drop| drop.at_s).collect())),
        })
    }
}
