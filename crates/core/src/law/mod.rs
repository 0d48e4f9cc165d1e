//! The law that is fitted to measurements: which of a platform's limits lets how many objects a second through, and what is supposed of each before
//! anything was measured.
//!
//! The rate of a configuration is the lowest of its limits, rounded off where two meet: (Σ limit ^ −power) ^ (−1 ÷ power). `model` has the law of platforms
//! that are made up; this one has fewer parameters, and knows none of them.

mod deviations;
mod ties;

pub use deviations::{OWN, together};
pub use ties::{MUCH_SLOWER, Tied, in_order};

use nalgebra::{DMatrix, DVector};

use crate::plan::Mode;

// Places of the parameters. All but the exponent and the shares are logarithms.

/// Seconds of a fetch that waits for nothing but its connection.
pub const CONNECTION_S: usize = 0;
/// CPU seconds of a request, by mode.
pub const REQUEST_S: usize = 1;
/// By which share of them each worker adds to them.
pub const PER_WORKER: usize = 4;
/// Share of the vCPU that can be used, by mode.
pub const USABLE: usize = 5;
/// Objects a second over the network of one vCPU, and how they grow with the vCPU.
pub const NETWORK: usize = 8;
/// Of the vCPU.
pub const EXPONENT: usize = 9;
/// Objects a second that the store answers.
pub const STORE: usize = 10;
/// Objects a second of a program in which one worker of a process at a time can be.
pub const SERIAL: usize = 11;
/// How sharp corners are.
pub const POWER: usize = 12;
/// How much less of a quarter of a vCPU can be used, then of half of one.
pub const USABLE_SMALL: usize = 13;
/// By which share of a difference of mean sizes the seconds of a fetch differ, then the CPU seconds of one.
pub const BY_BYTES: usize = 15;
/// The network of each size against the trend.
pub const OF_SIZES: usize = 17;

/// The parameters before anything was measured: standard deviations, as wide as platforms differ.
const APART: [f64; OF_SIZES] = [
    1.5, 2.0, 2.0, 2.0, 1.2, 0.07, 0.07, 0.07, 1.8, 0.35, 2.0, 1.2, 0.6, 0.15, 0.08, 0.25, 0.25,
];
const APART_OF_SIZES: f64 = 0.12;
/// Of what is a web server's own: from a millisecond to minutes.
const APART_OF_A_SERVER: f64 = 4.0;
/// Corners are no rounder and no sharper than this: logarithms of the power.
const POWERS: (f64, f64) = (0.9, 5.3);
/// What is less than e to the minus this adds nothing to a sum.
const NOTHING: f64 = 34.0;

/// A configuration as the law has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LawPoint {
    /// Which size it has: a number from 0.
    pub size: usize,
    /// Its concurrency model.
    pub mode: Mode,
    /// Logarithm of the vCPU of one task.
    pub log_vcpu: f64,
    /// Of one task.
    pub workers: f64,
    /// Logarithm of them.
    pub log_workers: f64,
    /// Logarithm of the number of tasks that fetch side by side.
    pub log_tasks: f64,
    /// Logarithm of the mean size of what is fetched over that of the whole bucket.
    pub log_bytes: f64,
}

/// What is supposed of the parameters: means and standard deviations.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLaw {
    /// Mean of each parameter.
    pub before: Vec<f64>,
    /// Standard deviation of each.
    pub apart: Vec<f64>,
    /// Whether it has a lock.
    pub is_contender: bool,
}

/// The law with these parameters.
#[derive(Clone, Copy, Debug)]
pub struct FixedLaw<'a> {
    of: &'a [f64],
    per_worker: f64,
    power: f64,
    is_contender: bool,
}

/// What the law says of a configuration: a logarithm.
pub type OfPoint = fn(&FixedLaw<'_>, &LawPoint) -> f64;
/// Objects a second.
pub const RATE: OfPoint = |law, at| law.rate(at);
/// CPU seconds of an object.
pub const CPU: OfPoint = |law, at| law.cpu(at);

/// A place in the parameters that are there for each mode.
pub const fn place_of(mode: Mode) -> usize {
    match mode {
        Mode::Async => 0,
        Mode::Thread => 1,
        Mode::Process => 2,
    }
}

/// What a function of the parameters is here, and by how much each parameter (column) moves each of its values (row).
pub fn slopes(
    of: &DVector<f64>,
    values: impl Fn(&DVector<f64>) -> DVector<f64>,
) -> (DVector<f64>, DMatrix<f64>) {
    const STEP: f64 = 1e-4;
    let here = values(of);
    let mut slopes = DMatrix::zeros(here.len(), of.len());
    let mut moved = of.clone();
    for place in 0..of.len() {
        moved[place] += STEP;
        slopes.set_column(place, &((values(&moved) - &here) / STEP));
        moved[place] = of[place];
    }
    (here, slopes)
}

impl LawPoint {
    /// One task.
    pub fn new(size: usize, vcpu: f64, (mode, workers): (Mode, f64)) -> Self {
        Self {
            size,
            mode,
            log_vcpu: vcpu.max(0.01).ln(),
            workers,
            log_workers: workers.ln(),
            log_tasks: 0.0,
            log_bytes: 0.0,
        }
    }

    /// Several tasks side by side.
    #[must_use]
    pub fn times(self, tasks: f64) -> Self {
        Self {
            log_tasks: tasks.ln(),
            ..self
        }
    }
}

impl RateLaw {
    /// For so many sizes of tasks and a bucket of this mean size; a contender's has a lock besides.
    pub fn new(sizes: usize, mean_bytes: f64) -> Self {
        let mean = mean_bytes.max(1.0);
        let (first_byte_s, body_s) = (0.02, mean / 6e7);
        let (request_s, bytes_s) = (6e-5, 1e-9 * mean);
        let mut before = vec![0.0; OF_SIZES + sizes];
        before[CONNECTION_S] = f64::ln(first_byte_s + body_s);
        before[REQUEST_S..PER_WORKER].fill(f64::ln(request_s + bytes_s));
        before[PER_WORKER] = 3e-4_f64.ln();
        before[USABLE..NETWORK].fill(-0.05);
        before[NETWORK] = (3e8 / mean).ln();
        before[EXPONENT] = 0.7;
        before[STORE] = 2e4_f64.ln();
        before[SERIAL] = 2e3_f64.ln();
        before[POWER] = 12_f64.ln();
        before[USABLE_SMALL] = -0.05;
        before[USABLE_SMALL + 1] = -0.03;
        before[BY_BYTES] = body_s / (first_byte_s + body_s);
        before[BY_BYTES + 1] = bytes_s / (request_s + bytes_s);
        let mut apart = APART.to_vec();
        apart.resize(OF_SIZES + sizes, APART_OF_SIZES);
        Self {
            before,
            apart,
            is_contender: false,
        }
    }

    /// Of a web server: how long it takes, and how many answers it has a second, may be anything; its answers are small.
    pub fn of_a_server(sizes: usize) -> Self {
        let mut law = Self::new(sizes, 1.0);
        for place in [CONNECTION_S, STORE] {
            law.apart[place] = APART_OF_A_SERVER;
        }
        law.before[STORE] = 1e3_f64.ln();
        law
    }

    /// With these parameters.
    pub fn with<'a>(&self, of: &'a [f64]) -> FixedLaw<'a> {
        FixedLaw {
            of,
            per_worker: of[PER_WORKER].exp(),
            power: of[POWER].clamp(POWERS.0, POWERS.1).exp(),
            is_contender: self.is_contender,
        }
    }
}

impl FixedLaw<'_> {
    /// Logarithm of the CPU seconds of an object.
    pub fn cpu(&self, at: &LawPoint) -> f64 {
        self.of[REQUEST_S + place_of(at.mode)]
            + (self.per_worker * at.workers).ln_1p()
            + self.of[BY_BYTES + 1] * at.log_bytes
    }

    /// Logarithm of the objects a second that the network of a size carries.
    pub fn network(&self, at: &LawPoint) -> f64 {
        let of = self.of;
        of[NETWORK] + of[EXPONENT] * at.log_vcpu + of[OF_SIZES + at.size] - at.log_bytes
    }

    /// Logarithm of the objects a second.
    pub fn rate(&self, at: &LawPoint) -> f64 {
        self.rate_over(at, self.network(at))
    }

    /// The same over a network of so many objects a second.
    pub fn rate_over(&self, at: &LawPoint, network: f64) -> f64 {
        let of = self.of;
        // ln 0.4 and ln 0.8.
        let small = match at.log_vcpu {
            vcpu if vcpu < -0.916 => of[USABLE_SMALL],
            vcpu if vcpu < -0.223 => of[USABLE_SMALL + 1],
            _ => 0.0,
        };
        let processes = match at.mode {
            Mode::Process => at.log_workers,
            Mode::Async | Mode::Thread => 0.0,
        };
        let serial = if self.is_contender {
            of[SERIAL] + processes + at.log_tasks
        } else {
            f64::INFINITY
        };
        let limits = [
            at.log_workers - of[CONNECTION_S] - of[BY_BYTES] * at.log_bytes + at.log_tasks,
            network + at.log_tasks,
            at.log_vcpu + of[USABLE + place_of(at.mode)] + small - self.cpu(at) + at.log_tasks,
            serial,
            of[STORE],
        ];
        let lowest = limits.iter().copied().fold(f64::INFINITY, f64::min);
        let mut sum = 0.0;
        for limit in limits {
            let above = self.power * (limit - lowest);
            if above < NOTHING {
                sum += (-above).exp();
            }
        }
        lowest - sum.ln() / self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_counts_and_two_that_meet_make_a_corner() {
        let law = RateLaw {
            is_contender: true,
            ..RateLaw::new(1, 1e6)
        };
        let mut of = law.before.clone();
        of[CONNECTION_S] = 0.1_f64.ln();
        of[REQUEST_S..PER_WORKER].fill(1e-6_f64.ln());
        of[NETWORK] = 80_f64.ln();
        of[STORE] = 1e6_f64.ln();
        of[SERIAL] = 1e6_f64.ln();
        of[POWER] = 4_f64.ln();
        let rate = |workers| {
            law.with(&of)
                .rate(&LawPoint::new(0, 1.0, (Mode::Async, workers)))
                .exp()
        };
        // One worker: 10 a second of 80. Eight: two equal limits, 80 × 2^(−1/4). 512: the network.
        assert!((rate(1.0) - 10.0).abs() < 0.01);
        assert!((rate(8.0) - 80.0 * 2_f64.powf(-0.25)).abs() < 0.01);
        assert!((rate(512.0) - 80.0).abs() < 0.01);
        of[SERIAL] = 40_f64.ln();
        let of_mode = |mode| {
            law.with(&of)
                .rate(&LawPoint::new(0, 1.0, (mode, 512.0)))
                .exp()
        };
        assert!((of_mode(Mode::Thread) - 40.0).abs() < 1.0 && of_mode(Mode::Process) > 75.0);
        // Twice the size over the network is half as many.
        let large = LawPoint {
            log_bytes: 2_f64.ln(),
            ..LawPoint::new(0, 1.0, (Mode::Process, 512.0))
        };
        assert!((law.with(&of).rate(&large).exp() - 40.0).abs() < 1.0);
    }
}
