//! Figures of a model as documents have them: whole numbers, nanoseconds, and what arrived in each second.

use super::noise::Random;
use super::run::Ran;
use crate::results::summary::Series;
use crate::units::round_to_u64;

/// Correlation of neighbouring seconds.
const SECONDS: f64 = 0.3;

/// What arrived in each second.
pub(super) fn series(ran: &Ran, noise: f64, random: &mut Random) -> Series {
    let bytes = ran.each_second(|stretch| stretch.bytes);
    let fetches = ran.each_second(|stretch| stretch.objects);
    let mut state = random.normal();
    let (bytes, fetches) = bytes
        .into_iter()
        .zip(fetches)
        .map(|(bytes, fetches)| {
            state = SECONDS * state + (1.0 - SECONDS * SECONDS).sqrt() * random.normal();
            let factor = (1.0 + noise * state).max(0.0);
            (round_to_u64(bytes * factor), round_to_u64(fetches * factor))
        })
        .unzip();
    Series {
        interval_ns: 1_000_000_000,
        bytes,
        fetches,
    }
}

pub(super) fn ns(seconds: f64) -> u64 {
    round_to_u64(seconds * 1e9)
}
