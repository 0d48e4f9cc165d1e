//! What is drawn: sizes, delays, faults, `ETag`s. Every draw is a pure function of the seed and of what it is for, so that a second run sees the same.

use super::options::{Faults, Options, SizeRange};
use crate::units::round_to_u64;

/// What a draw is for; keeps the draws of one object apart.
#[derive(Clone, Copy)]
enum DrawFor {
    Size = 1,
    Tag = 2,
    Missing = 3,
    Archived = 4,
    Fault = 5,
    Delay = 6,
}

/// 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    ResetBeforeHead,
    ResetInBody,
    Stall,
    Short,
    InternalError,
    SlowDown,
    ExpiredToken,
}

/// Draws from the options' seed.
#[derive(Clone, Debug)]
pub(super) struct ServiceModel {
    seed: u64,
    sizes: SizeRange,
    size_bytes: u64,
    ttfb_ns: u64,
    ttfb_sigma: f64,
    faults: Faults,
    archived_share: f64,
}

impl ServiceModel {
    pub(super) fn new(options: &Options) -> Self {
        let sigma = options
            .ttfb_p99_ns
            .filter(|_| options.ttfb_ns > 0)
            .map_or(0.0, |p99| (p99 as f64 / options.ttfb_ns as f64).ln() / Z99);
        Self {
            seed: options.seed,
            sizes: options.sizes,
            size_bytes: options.size_bytes,
            ttfb_ns: options.ttfb_ns,
            ttfb_sigma: sigma,
            faults: options.faults,
            archived_share: options.archived_share,
        }
    }

    /// Whether no object is missing, archived or answered with a fault.
    pub(super) fn is_faultless(&self) -> bool {
        !self.faults.any_transient() && self.faults.missing <= 0.0 && self.archived_share <= 0.0
    }

    /// Size of an object in bytes.
    pub(super) fn size(&self, object: u64) -> u64 {
        match self.sizes {
            SizeRange::Fixed => self.size_bytes,
            // exp(N(-1/2, 1)) has a mean of 1.
            SizeRange::Lognormal => round_to_u64(
                self.size_bytes as f64 * (self.normal(DrawFor::Size, object, 0) - 0.5).exp(),
            ),
        }
    }

    /// An object's `ETag`, without quotes.
    pub(super) fn tag(&self, object: u64) -> String {
        format!(
            "{:016x}{:016x}",
            self.draw(DrawFor::Tag, object, 0),
            self.draw(DrawFor::Tag, object, 1)
        )
    }

    /// Listed, and always 404.
    pub(super) fn is_missing(&self, object: u64) -> bool {
        self.faults.missing > 0.0 && self.unit(DrawFor::Missing, object, 0) < self.faults.missing
    }

    /// In a storage class that needs a restore.
    pub(super) fn is_archived(&self, object: u64) -> bool {
        self.archived_share > 0.0 && self.unit(DrawFor::Archived, object, 0) < self.archived_share
    }

    /// The fault of an object's GET number `asked`, from 0.
    pub(super) fn fault(&self, object: u64, asked: u64) -> Option<Fault> {
        if !self.faults.any_transient() {
            return None;
        }
        let mut point = self.unit(DrawFor::Fault, object, asked);
        let shares = [
            (self.faults.reset / 2.0, Fault::ResetBeforeHead),
            (self.faults.reset / 2.0, Fault::ResetInBody),
            (self.faults.stall, Fault::Stall),
            (self.faults.short, Fault::Short),
            (self.faults.internal_error, Fault::InternalError),
            (self.faults.slow_down, Fault::SlowDown),
            (self.faults.expired_token, Fault::ExpiredToken),
        ];
        for (share, fault) in shares {
            if point < share {
                return Some(fault);
            }
            point -= share;
        }
        None
    }

    /// Time to the first byte of request number `request` of this server.
    pub(super) fn first_byte_delay_ns(&self, request: u64) -> u64 {
        if self.ttfb_sigma == 0.0 {
            return self.ttfb_ns;
        }
        round_to_u64(
            self.ttfb_ns as f64 * (self.ttfb_sigma * self.normal(DrawFor::Delay, request, 0)).exp(),
        )
    }

    fn draw(&self, purpose: DrawFor, subject: u64, nth: u64) -> u64 {
        mix(mix(mix(self.seed ^ ((purpose as u64) << 56)).wrapping_add(subject)).wrapping_add(nth))
    }

    /// Uniform in [0, 1).
    fn unit(&self, purpose: DrawFor, subject: u64, nth: u64) -> f64 {
        (self.draw(purpose, subject, nth) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    fn normal(&self, purpose: DrawFor, subject: u64, nth: u64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit(purpose, subject, 2 * nth)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit(purpose, subject, 2 * nth + 1)).cos()
    }
}

/// The step of `SplitMix64`: every bit of the input reaches every bit of the output.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The nearest whole number; below 0 is 0, too large is the largest.
#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> ServiceModel {
        ServiceModel::new(&text.parse().unwrap())
    }

    #[test]
    fn lognormal_sizes_keep_their_mean() {
        let model = model("sizes=lognormal,size=1MB");
        let total: u64 = (0..100_000).map(|object| model.size(object)).sum();
        let mean = total as f64 / 100_000.0;
        assert!((mean / 1_000_000.0 - 1.0).abs() < 0.02, "mean {mean}");
        let mut sizes: Vec<u64> = (0..100_000).map(|object| model.size(object)).collect();
        sizes.sort_unstable();
        let median = sizes[50_000] as f64;
        assert!((median / 606_531.0 - 1.0).abs() < 0.02, "median {median}");
    }

    #[test]
    fn delays_keep_median_and_p99() {
        let model = model("network=s3");
        let mut delays: Vec<u64> = (0..100_000)
            .map(|request| model.first_byte_delay_ns(request))
            .collect();
        delays.sort_unstable();
        assert!(
            (delays[50_000] as f64 / 12e6 - 1.0).abs() < 0.02,
            "median {}",
            delays[50_000]
        );
        assert!(
            (delays[99_000] as f64 / 60e6 - 1.0).abs() < 0.04,
            "p99 {}",
            delays[99_000]
        );
    }

    #[test]
    fn faults_come_as_often_as_asked_and_change_with_each_time() {
        let model = model("fault-reset=0.1,fault-500=0.2");
        let count = |wanted: Fault| {
            (0..100_000)
                .filter(|object| model.fault(*object, 0) == Some(wanted))
                .count()
        };
        for (fault, share) in [
            (Fault::ResetBeforeHead, 5_000),
            (Fault::ResetInBody, 5_000),
            (Fault::InternalError, 20_000),
        ] {
            assert!(
                count(fault).abs_diff(share) < share / 10,
                "{fault:?}: {}",
                count(fault)
            );
        }
        let faulty = (0..1_000)
            .find(|object| model.fault(*object, 0).is_some())
            .unwrap();
        assert!((1..20).any(|asked| model.fault(faulty, asked).is_none()));
        assert_eq!(model.fault(faulty, 0), model.clone().fault(faulty, 0));
    }

    #[test]
    fn another_seed_draws_another_bucket() {
        let (one, two) = (model("sizes=lognormal"), model("sizes=lognormal,seed=2"));
        assert_ne!(one.size(7), two.size(7));
        assert_ne!(one.tag(7), two.tag(7));
        assert_ne!(one.tag(7), one.tag(8));
    }
}
