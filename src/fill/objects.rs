//! Keys, sizes and bytes of made objects: pure, and the same for the same seed on every machine and in every order.

use std::num::NonZeroU64;

use crate::store::PART_BYTES;
use crate::units;

/// Largest object that is made, in bytes: an upload has at most 10,000 parts.
pub const MOST_BYTES: u64 = 10_000 * PART_BYTES;

/// Objects that are made: the same for the same numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made {
    /// How many.
    pub objects: NonZeroU64,
    /// Their sizes.
    pub sizes: Sizes,
    /// What sizes and bytes follow from.
    pub seed: u64,
}

/// Objects of a folder.
const FOLDER: u64 = 1_000;
/// Version of the bytes: part of the mark, so that objects of another rule are not taken for these.
const RULE: u32 = 1;

/// How large made objects are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sizes {
    /// All of one size, in bytes.
    Fixed(u64),
    /// Lognormal.
    Lognormal {
        /// Median in bytes.
        median: u64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Sizes {
    /// `2.62 MB each`
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Fixed(bytes) => format!("{} each", units::bytes(bytes)),
            Self::Lognormal { median, sigma } => format!(
                "lognormal sizes, median {}, sigma {sigma}",
                units::bytes(median)
            ),
        }
    }
}

impl Made {
    /// What tells these objects from others: part of their metadata.
    pub(super) fn mark(&self) -> String {
        format!("made-{RULE} seed={}", self.seed)
    }

    /// `000/000123.bin`
    pub(super) fn key(number: u64) -> String {
        format!("{:03}/{number:06}.bin", number / FOLDER)
    }

    /// Bytes of an object.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the number is not negative"
    )]
    pub(super) fn size(&self, number: u64) -> u64 {
        match self.sizes {
            Sizes::Fixed(bytes) => bytes,
            Sizes::Lognormal { median, sigma } => {
                let size =
                    median as f64 * (sigma * normal(self.stream(number).wrapping_add(1))).exp();
                (size.round() as u64).clamp(1, MOST_BYTES)
            }
        }
    }

    /// The bytes from `start` on, `length` of them: nothing that a store could compress. `start` is a multiple of 8.
    pub(super) fn bytes(&self, number: u64, start: u64, length: usize) -> Vec<u8> {
        let stream = self.stream(number);
        let mut bytes = Vec::with_capacity(length + 8);
        let mut place = start / 8;
        while bytes.len() < length {
            bytes.extend_from_slice(
                &mixed(stream.wrapping_add(place.wrapping_mul(STEP))).to_le_bytes(),
            );
            place += 1;
        }
        bytes.truncate(length);
        bytes
    }

    /// Where the random numbers of an object begin.
    fn stream(&self, number: u64) -> u64 {
        mixed(mixed(self.seed).wrapping_add(number))
    }
}

/// Step of `SplitMix64`.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output of `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014): any place of the sequence at once.
const fn mixed(state: u64) -> u64 {
    let mut value = state.wrapping_add(STEP);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A standard normal number (Box and Muller, 1958).
fn normal(state: u64) -> f64 {
    // 53 bits, in (0, 1].
    let uniform = |state: u64| ((mixed(state) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    (-2.0 * uniform(state).ln()).sqrt()
        * (std::f64::consts::TAU * uniform(state.wrapping_add(STEP))).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(sizes: Sizes, seed: u64) -> Made {
        Made {
            objects: 1_000.try_into().unwrap(),
            sizes,
            seed,
        }
    }

    #[test]
    fn keys_are_sorted_and_in_folders_of_a_thousand() {
        let keys: Vec<_> = [0, 999, 1_000, 999_999, 1_000_000]
            .into_iter()
            .map(Made::key)
            .collect();
        assert_eq!(
            keys,
            [
                "000/000000.bin",
                "000/000999.bin",
                "001/001000.bin",
                "999/999999.bin",
                "1000/1000000.bin"
            ]
        );
    }

    #[test]
    fn bytes_are_the_same_wherever_a_part_begins() {
        let made = made(Sizes::Fixed(1), 7);
        let whole = made.bytes(3, 0, 1_001);
        assert_eq!(whole.len(), 1_001);
        assert_eq!(
            [made.bytes(3, 0, 504), made.bytes(3, 504, 497)].concat(),
            whole
        );
        assert_ne!(made.bytes(4, 0, 1_001), whole, "another object");
        assert_ne!(
            Made { seed: 8, ..made }.bytes(3, 0, 1_001),
            whole,
            "another seed"
        );
        assert!(made.bytes(3, 0, 0).is_empty());
        // Held, so that a later version does not take other bytes for the same.
        assert_eq!(made.bytes(0, 0, 8), mixed(mixed(mixed(7))).to_le_bytes());
    }

    #[test]
    fn lognormal_sizes_have_their_median_and_spread() {
        let sizes = Sizes::Lognormal {
            median: 1_000_000,
            sigma: 1.0,
        };
        let drawn = |seed| {
            (0..4_001)
                .map(|number| made(sizes, seed).size(number))
                .collect::<Vec<_>>()
        };
        let mut one = drawn(1);
        assert_eq!(one, drawn(1));
        assert_ne!(one, drawn(2));
        one.sort_unstable();
        // Half of 4,001 numbers lie below the median, to within three standard errors.
        let ratio = |place: usize, expected: f64| (one[place] as f64 / 1e6 / expected).ln().abs();
        assert!(
            ratio(2_000, 1.0) < 0.06
                && ratio(3_366, std::f64::consts::E) < 0.08
                && ratio(635, (-1.0_f64).exp()) < 0.08,
            "{}",
            one[2_000]
        );
    }

    #[test]
    fn sizes_have_bounds() {
        let extreme = |median| made(Sizes::Lognormal { median, sigma: 4.0 }, 1);
        assert!((0..1_000).all(|number| extreme(1).size(number) >= 1));
        assert!((0..1_000).all(|number| extreme(MOST_BYTES).size(number) <= MOST_BYTES));
    }
}
