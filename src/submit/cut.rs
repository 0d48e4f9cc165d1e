//! A list of keys → contiguous runs of equal bytes, in one pass. Pure.
//!
//! Contiguous, so that shards read different prefixes at the same time, and every key file is a piece of the listing.

/// What a key weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weigh {
    /// Its size; where that is not known, the mean of those that are.
    Bytes {
        /// The mean.
        unknown: u64,
    },
    /// All the same: no size is known, or all are 0.
    Equal,
}

impl Weigh {
    /// From what the list adds up to.
    pub(super) fn of(known_keys: u64, known_bytes: u64) -> Self {
        match known_bytes.checked_div(known_keys) {
            Some(_) if known_bytes > 0 => Self::Bytes {
                unknown: (known_bytes + known_keys / 2) / known_keys,
            },
            _ => Self::Equal,
        }
    }

    pub(super) fn weight(self, size: Option<u64>) -> u64 {
        match self {
            Self::Bytes { unknown } => size.unwrap_or(unknown),
            Self::Equal => 1,
        }
    }
}

/// Says of one key after another to which part it belongs.
///
/// The cut behind part `i` is where the running sum comes nearest to `(i + 1) / parts` of the whole, the earlier of two equally near places; but every
/// part has a key. So no part is further from the even share than the heaviest key weighs.
#[derive(Clone, Debug)]
pub(super) struct Cutter {
    keys: u64,
    parts: u64,
    whole: u128,
    /// Keys and weight before the next key.
    taken: u64,
    sum: u128,
    /// The current part, and where it began.
    part: u64,
    begin: u64,
}

impl Cutter {
    /// Of so many keys that weigh so much together; there are at least as many keys as parts.
    pub(super) fn new(keys: u64, whole: u128, parts: u32) -> Self {
        Self {
            keys,
            parts: u64::from(parts),
            whole,
            taken: 0,
            sum: 0,
            part: 0,
            begin: 0,
        }
    }

    /// The part of the next key, from 0.
    pub(super) fn part_of(&mut self, weight: u64) -> u64 {
        let after = self.sum + u128::from(weight);
        let parts_behind = self.parts - self.part - 1;
        if parts_behind > 0 && self.taken > self.begin {
            let keys_left = self.keys - self.taken;
            // Before this key it is as near to the mark as behind it, or nearer: (mark - sum) <= (after - mark).
            let is_nearest = (self.sum + after) * u128::from(self.parts)
                >= 2 * u128::from(self.part + 1) * self.whole;
            if is_nearest || keys_left <= parts_behind {
                self.part += 1;
                self.begin = self.taken;
            }
        }
        self.taken += 1;
        self.sum = after;
        self.part
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(weights: &[u64], parts: u32) -> Vec<Vec<u64>> {
        let whole = weights.iter().map(|weight| u128::from(*weight)).sum();
        let mut cutter = Cutter::new(weights.len() as u64, whole, parts);
        let mut found: Vec<Vec<u64>> = Vec::new();
        for weight in weights {
            let part = usize::try_from(cutter.part_of(*weight)).unwrap();
            assert!(
                part == found.len() || part + 1 == found.len(),
                "parts come one after another"
            );
            found.resize(part + 1, Vec::new());
            found[part].push(*weight);
        }
        found
    }

    #[test]
    fn cuts_are_where_the_sum_is_nearest() {
        // 100 in all, marks at 50: 40 is 10 before it, 70 is 20 behind.
        assert_eq!(cut(&[10, 30, 30, 30], 2), [vec![10, 30], vec![30, 30]]);
        // Marks at 33.3 and 66.7: 30 and 70 are nearest.
        assert_eq!(
            cut(&[10, 20, 40, 30], 3),
            [vec![10, 20], vec![40], vec![30]]
        );
        // As near before as behind (mark 5; 4 and 6): the earlier one.
        assert_eq!(cut(&[4, 2, 4], 2), [vec![4], vec![2, 4]]);
        assert_eq!(cut(&[7, 8, 9], 1), [vec![7, 8, 9]]);
    }

    #[test]
    fn every_part_has_a_key() {
        assert_eq!(
            cut(&[100, 10, 10, 10], 4),
            [vec![100], vec![10], vec![10], vec![10]]
        );
        assert_eq!(
            cut(&[1, 1, 1, 100], 4),
            [vec![1], vec![1], vec![1], vec![100]]
        );
        assert_eq!(cut(&[0, 0, 0, 100], 2), [vec![0, 0, 0], vec![100]]);
        assert_eq!(cut(&[100, 0, 0, 0], 2), [vec![100], vec![0, 0, 0]]);
    }

    #[test]
    fn sizes_that_are_not_known_count_as_the_mean() {
        // (10 + 21) / 2 = 15.5, to the nearest.
        assert_eq!(Weigh::of(2, 31), Weigh::Bytes { unknown: 16 });
        assert_eq!(
            [Some(3), None].map(|size| Weigh::of(2, 31).weight(size)),
            [3, 16]
        );
        assert_eq!(
            (Weigh::of(0, 0), Weigh::of(5, 0)),
            (Weigh::Equal, Weigh::Equal)
        );
        assert_eq!(
            [Some(0), None].map(|size| Weigh::Equal.weight(size)),
            [1, 1]
        );
    }

    proptest! {
        #[test]
        fn every_key_is_in_one_part_and_parts_are_even(
            weights in proptest::collection::vec(prop_oneof![0_u64..4, 0_u64..1_000, 0_u64..1_000_000_000_000], 1..200),
            parts in 1_u32..40,
        ) {
            let parts = parts.min(u32::try_from(weights.len()).unwrap());
            let found = cut(&weights, parts);
            prop_assert_eq!(found.concat(), weights.clone());
            prop_assert_eq!(found.len(), parts as usize);
            prop_assert!(found.iter().all(|part| !part.is_empty()));
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            let heaviest = i128::from(*weights.iter().max().unwrap());
            for part in found {
                let sum: i128 = part.iter().map(|weight| i128::from(*weight)).sum();
                // |sum - whole / parts| <= heaviest
                prop_assert!((sum * i128::from(parts) - whole).abs() <= heaviest * i128::from(parts));
            }
        }
    }
}
