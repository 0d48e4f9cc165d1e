//! Platforms of fixed seeds: plain ones, twisted ones, and ones that no law describes.

use std::fmt::Write;

use crate::model::Model;

/// How far platforms deviate from what a tune supposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// As the law has it.
    Plain,
    /// Each size has a network of its own, corners are round, too many workers and too many requests slow down, modes differ.
    Twisted,
    /// The same, and each configuration has 4 % of its own, and one size a cliff.
    Stress,
}

/// What limits most of a platform's configurations, or is special about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trait {
    Connection,
    Network,
    Cpu,
    Mixed,
    Throttled,
    Burst,
    Lock,
}

impl Trait {
    pub(super) const ALL: [Self; 7] = [
        Self::Connection,
        Self::Network,
        Self::Cpu,
        Self::Mixed,
        Self::Throttled,
        Self::Burst,
        Self::Lock,
    ];
}

pub(super) const NOISES: [&str; 4] = ["iid", "ar1", "outliers", "drift"];
pub(super) const SIGMAS: [f64; 5] = [0.01, 0.03, 0.05, 0.1, 0.15];

/// Numbers of a platform, from its seed.
pub(super) struct Draw(fastrand::Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Evenly by factors.
    pub(super) fn by_factor(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    pub(super) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.0.usize(..values.len())]
    }

    /// Of N(0, 1).
    pub(super) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.0.f64()).ln()).sqrt() * (std::f64::consts::TAU * self.0.f64()).cos()
    }
}

pub(super) fn trait_of(number: u64) -> Trait {
    Trait::ALL[usize::try_from(number % 7).unwrap()]
}

/// Platform `number` of a family, as a person would write its file.
pub(super) fn model(family: Family, number: u64) -> Model {
    let mut draw = Draw::new(number * 7_919 + family as u64 * 104_729 + 17);
    let draw = &mut draw;
    let is_twisted = family != Family::Plain;
    let of = trait_of(number);
    let mut mean = draw.by_factor(1e5, 8e6);
    let objects = draw.by_factor(8e3, 1.2e5).round();
    let sigma = draw.between(0.2, 1.0);
    let (mut first_byte, mut connection) = (draw.by_factor(0.01, 0.05), draw.by_factor(3e7, 1.2e8));
    let mut network = draw.by_factor(8e7, 4e8);
    let (mut request, mut byte) = (draw.by_factor(1e-5, 1e-4), draw.by_factor(1e-10, 8e-10));
    let mut store = draw.by_factor(2e4, 1e5);
    let (mut burst, mut program) = (String::new(), String::new());
    match of {
        Trait::Connection => {
            (first_byte, connection) = (draw.by_factor(0.05, 0.3), draw.by_factor(1e7, 4e7));
            network = draw.by_factor(6e8, 3e9);
        }
        Trait::Network => (network, byte) = (draw.by_factor(3e7, 1e8), 1e-10),
        Trait::Cpu => {
            (request, mean) = (draw.by_factor(2e-4, 2e-3), draw.by_factor(5e4, 5e5));
            network = draw.by_factor(6e8, 3e9);
        }
        Trait::Throttled => {
            (store, mean) = (draw.by_factor(150.0, 1_500.0), draw.by_factor(5e4, 5e5));
        }
        Trait::Burst => {
            network = draw.by_factor(3e7, 1.2e8);
            let (factor, lasts) = (draw.between(1.5, 6.0), draw.between(60.0, 400.0));
            burst = format!("burst_factor = {factor}\nburst_s = {lasts}\n");
        }
        Trait::Lock => {
            let serial = draw.by_factor(3e-4, 5e-3);
            program = format!(
                "[program.python]\nserial_s = {serial}\nrequest_s = {{ async = 1e-3, thread = 1e-3, process = 1.1e-3 }}\n"
            );
        }
        Trait::Mixed => {}
    }
    let (thread, process) = (
        request * draw.between(1.0, 1.5),
        request * draw.between(1.0, 2.0),
    );
    let per_worker = draw.by_factor(5e-5, 1e-3);
    let kind = NOISES[usize::try_from(number / 7 % 4).unwrap()];
    let noise = SIGMAS[usize::try_from(number / 28 % 5).unwrap()];
    let mut text = format!("seed = {}\n", number * 31 + family as u64);
    write!(
        text,
        "[bucket]\nobjects = {objects}\nmean_bytes = {mean}\nsigma = {sigma}\n"
    )
    .unwrap();
    write!(text, "[store]\nfirst_byte_s = {first_byte}\nconnection_bytes_per_s = {connection}\nmax_requests_per_s = {store}\n").unwrap();
    let exponent = if is_twisted {
        draw.between(0.3, 1.3)
    } else {
        draw.between(0.5, 1.0)
    };
    write!(
        text,
        "[network]\nbytes_per_s = {network}\nexponent = {exponent}\n{burst}"
    )
    .unwrap();
    if is_twisted {
        let sizes = ["0.25", "0.5", "1", "2", "4", "8", "16"]
            .map(|size| format!("\"{size}\" = {}", (0.15 * draw.normal()).exp()))
            .join(", ");
        writeln!(text, "by_size = {{ {sizes} }}").unwrap();
    }
    write!(text, "[cpu]\nrequest_s = {{ async = {request}, thread = {thread}, process = {process} }}\nbyte_s = {byte}\nper_worker = {per_worker}\n").unwrap();
    if is_twisted {
        let (quarter, half) = (draw.between(0.6, 1.0), draw.between(0.8, 1.0));
        writeln!(
            text,
            "usable_by_size = {{ \"0.25\" = {quarter}, \"0.5\" = {half} }}"
        )
        .unwrap();
        writeln!(text, "[corner]\npower = {}", draw.by_factor(4.0, 12.0)).unwrap();
        let modes = [0; 3].map(|_| draw.between(0.97, 1.03));
        write!(
            text,
            "[mode]\nfactor = {{ async = {}, thread = {}, process = {} }}\nfall = {}\n",
            modes[0],
            modes[1],
            modes[2],
            draw.between(0.0, 0.3)
        )
        .unwrap();
        writeln!(text, "[throttle]\nretreat = {}", draw.between(0.0, 0.6)).unwrap();
    } else {
        writeln!(text, "[mode]\nfactor = {{ async = 1.0, thread = 1.0, process = 1.0 }}\n[throttle]\nretreat = 0.0").unwrap();
    }
    write!(
        text,
        "[noise]\nkind = \"{kind}\"\nsigma = {noise}\n[start]\npull_s = {}\n{program}",
        draw.between(5.0, 40.0)
    )
    .unwrap();
    Model::parse(&text).unwrap()
}
