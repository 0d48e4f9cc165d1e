//! In which order objects are fetched, and in how many parts each: pure arithmetic over listed sizes.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// In which order objects are handed out.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    pub enum Order {
        /// As they were listed.
        #[default]
        Listed = "listed",
        /// By listed size, the largest first; equal ones as listed, those whose size is not known last.
        LargestFirst = "largest-first",
        /// By a hash of their place in the listing with [`SHUFFLE_SEED`]: the same for the same listing.
        Shuffled = "shuffled",
    }
}

/// Seed of [`Order::Shuffled`]: a constant, so that repetitions are comparable.
pub const SHUFFLE_SEED: u64 = 1;

/// The smallest part that can be asked for: below that a request costs more than the bytes that it brings.
pub const MIN_PART_SIZE: u64 = 1 << 20;

/// How objects become items of the queue: in which order, and in how many parts each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// In which order objects are handed out.
    pub order: Order,
    /// An object of more bytes than these is fetched in parts of so many bytes; none = every object whole.
    pub part_size: Option<NonZeroU64>,
}

impl Layout {
    /// Every object whole, as listed.
    pub fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// True where a worker must not take several items at once: neighbours are parts of one object, or the largest of all.
    pub fn is_one_by_one(self) -> bool {
        self.part_size.is_some() || self.order == Order::LargestFirst
    }

    /// How many items an object of this listed size makes: one where the size is not known.
    pub fn items_of(self, size: Option<u64>) -> u64 {
        match (size, self.part_size) {
            (Some(size), Some(part)) => size.div_ceil(part.get()).max(1),
            _ => 1,
        }
    }

    /// First and last byte of item `number` (from 0) of an object of this listed size; `None` when it is fetched whole.
    pub fn part_of(self, size: Option<u64>, number: u64) -> Option<(u64, u64)> {
        let (size, part) = (size?, self.part_size?.get());
        let first = number
            .checked_mul(part)
            .filter(|first| size > part && *first < size)?;
        Some((first, first.saturating_add(part).min(size) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_a_round_trip() {
        for order in Order::ALL {
            assert_eq!(order.to_string().parse::<Order>().unwrap(), order);
            assert_eq!(serde_json::to_value(order).unwrap(), order.as_str());
        }
    }

    fn in_parts(part_size: u64) -> Layout {
        Layout {
            part_size: NonZeroU64::new(part_size),
            ..Layout::default()
        }
    }

    #[test]
    fn only_what_is_larger_than_a_part_is_divided() {
        let layout = in_parts(100);
        let ranges = |size: Option<u64>| {
            (0..layout.items_of(size))
                .map(|number| layout.part_of(size, number))
                .collect::<Vec<_>>()
        };
        for whole in [None, Some(0), Some(1), Some(99), Some(100)] {
            assert_eq!(ranges(whole), [None], "{whole:?}");
        }
        assert_eq!(ranges(Some(101)), [Some((0, 99)), Some((100, 100))]);
        assert_eq!(ranges(Some(200)), [Some((0, 99)), Some((100, 199))]);
        assert_eq!(
            ranges(Some(201)),
            [Some((0, 99)), Some((100, 199)), Some((200, 200))]
        );
        assert_eq!(layout.part_of(Some(200), 2), None, "there is no third part");
        assert_eq!(
            (
                Layout::default().items_of(Some(u64::MAX)),
                Layout::default().part_of(Some(u64::MAX), 0)
            ),
            (1, None)
        );
        let largest = in_parts(u64::MAX - 1);
        assert_eq!(
            (
                largest.items_of(Some(u64::MAX)),
                largest.part_of(Some(u64::MAX), 1)
            ),
            (2, Some((u64::MAX - 1, u64::MAX - 1)))
        );
    }

    proptest::proptest! {
        #[test]
        fn parts_cover_an_object_exactly_once(size in 0..5_000_u64, part_size in 1..700_u64) {
            let (layout, size) = (in_parts(part_size), Some(size));
            let count = layout.items_of(size);
            let mut next = 0;
            for number in 0..count {
                match layout.part_of(size, number) {
                    None => proptest::prop_assert!(count == 1 && size <= Some(part_size)),
                    Some((first, last)) => {
                        proptest::prop_assert!(first == next && last >= first && last - first < part_size && count > 1);
                        next = last + 1;
                    }
                }
            }
            proptest::prop_assert!(count == 1 || Some(next) == size);
        }
    }
}
