//! A random sample in proportion to sizes: classes of sizes, how many keys of each are taken, and which. Pure.
//!
//! Sizes of objects are skewed: in a plain random sample a few large objects more or less decide its bytes. So keys are drawn class by class (stratified
//! sampling with proportional allocation; Cochran, Sampling Techniques, 3rd ed., section 5.5), and the number of each class is rounded along the sizes
//! (systematically, from a random start), so that of every range of sizes the sample has its share of the keys to within one.

/// Classes of an octave of sizes: sizes of one class differ by less than an eighth.
const PER_OCTAVE: usize = 8;
/// All classes: those, size 0, and size unknown.
const CLASSES: usize = 64 * PER_OCTAVE + 2;

/// The class of a size; larger ones have higher numbers.
fn class_of(size: Option<u64>) -> usize {
    match size {
        None => 0,
        Some(0) => 1,
        Some(size) => {
            let octave = size.ilog2();
            // The three bits behind the first one.
            let eighth = (size << (u64::BITS - 1 - octave)) >> (u64::BITS - 4) & 7;
            2 + octave as usize * PER_OCTAVE + usize::try_from(eighth).unwrap_or(0)
        }
    }
}

/// Keys and bytes by class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strata {
    keys: Vec<u64>,
    all: u64,
    /// Keys whose size is known, and their bytes.
    known: (u64, u64),
}

impl Default for Strata {
    fn default() -> Self {
        Self {
            keys: vec![0; CLASSES],
            all: 0,
            known: (0, 0),
        }
    }
}

impl Strata {
    /// Counts a key.
    pub fn add(&mut self, size: Option<u64>) {
        self.keys[class_of(size)] += 1;
        self.all += 1;
        self.known = (
            self.known.0 + u64::from(size.is_some()),
            self.known.1.saturating_add(size.unwrap_or(0)),
        );
    }

    /// Keys counted so far.
    pub fn keys(&self) -> u64 {
        self.all
    }

    /// Mean size of the keys whose size is known; `None` when no size is.
    pub fn mean_bytes(&self) -> Option<f64> {
        (self.known.0 > 0).then(|| self.known.1 as f64 / self.known.0 as f64)
    }

    /// Draws `count` of the keys (all of them, when there are fewer): the same for the same seed and the same keys in the same order.
    pub fn draw(&self, count: u64, seed: u64) -> Draw {
        let mut random = fastrand::Rng::with_seed(seed);
        let (all, count) = (u128::from(self.all), u128::from(count.min(self.all)));
        let start = u128::from(random.u64(0..self.all.max(1)));
        // From the largest on: ⌊(keys so far × count + start) ÷ all⌋ are taken of these.
        let mut taken = vec![0; CLASSES];
        let (mut keys, mut before) = (0_u128, 0_u128);
        for class in (0..CLASSES).rev() {
            keys += u128::from(self.keys[class]);
            let until = (keys * count + start) / all.max(1);
            taken[class] = u64::try_from(until - before).unwrap_or(u64::MAX);
            before = until;
        }
        Draw {
            left: self.keys.clone(),
            wanted: taken,
            random,
        }
    }
}

/// Says of key after key whether it is drawn. The keys come in the order in which they were counted, or any other; there must be as many.
///
/// By selection sampling (Knuth, The Art of Computer Programming, vol. 2, section 3.4.2, algorithm S), class by class: no key is remembered.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Keys of each class that are still to come.
    left: Vec<u64>,
    /// Of them to be taken.
    wanted: Vec<u64>,
    random: fastrand::Rng,
}

impl Draw {
    /// Whether the next key is drawn, which has this size.
    pub fn takes(&mut self, size: Option<u64>) -> bool {
        let class = class_of(size);
        let (left, wanted) = (&mut self.left[class], &mut self.wanted[class]);
        if *left == 0 {
            // More keys than were counted.
            return false;
        }
        let takes = self.random.u64(0..*left) < *wanted;
        *left -= 1;
        *wanted -= u64::from(takes);
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strata(sizes: &[Option<u64>]) -> Strata {
        let mut strata = Strata::default();
        for size in sizes {
            strata.add(*size);
        }
        strata
    }

    fn drawn(sizes: &[Option<u64>], count: u64, seed: u64) -> Vec<usize> {
        let mut draw = strata(sizes).draw(count, seed);
        (0..sizes.len())
            .filter(|place| draw.takes(sizes[*place]))
            .collect()
    }

    /// Lognormal, in steps of what is drawn.
    fn sizes(count: usize, seed: u64) -> Vec<Option<u64>> {
        let mut random = fastrand::Rng::with_seed(seed);
        let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes of a test"
        )]
        (0..count)
            .map(|_| Some((1e6 * (1.5 * normal(&mut random)).exp()) as u64))
            .collect()
    }

    #[test]
    fn sizes_of_a_class_are_alike() {
        assert_eq!(
            (
                class_of(None),
                class_of(Some(0)),
                class_of(Some(1)),
                class_of(Some(u64::MAX))
            ),
            (0, 1, 2, CLASSES - 1)
        );
        let classes: Vec<usize> = [8, 9, 15, 16, 17, 18, 31, 32]
            .map(|size| class_of(Some(size)))
            .into();
        assert_eq!(classes, [26, 27, 33, 34, 34, 35, 41, 42]);
        for size in (1..100_000_u64).step_by(7) {
            let larger = size + size / 8 + 1;
            assert!(class_of(Some(larger)) > class_of(Some(size)), "{size}");
        }
    }

    #[test]
    fn as_many_are_drawn_as_were_asked_for_and_no_key_twice() {
        let all = sizes(2_000, 3);
        for count in [0, 1, 7, 500, 1_999, 2_000, 5_000] {
            assert_eq!(
                drawn(&all, count, 1).len() as u64,
                count.min(2_000),
                "{count}"
            );
        }
        assert_eq!(drawn(&[], 5, 1), Vec::<usize>::new());
        assert_eq!(drawn(&[None, Some(0), None], 3, 1), [0, 1, 2]);
        assert_eq!(drawn(&all, 100, 5), drawn(&all, 100, 5));
        assert_ne!(drawn(&all, 100, 5), drawn(&all, 100, 6));
    }

    #[test]
    fn every_key_is_drawn_as_often() {
        let all: Vec<Option<u64>> = (0..40)
            .map(|place| Some([1, 1_000, 1_000_000][place % 3] + place as u64))
            .collect();
        let mut counts = vec![0_u32; all.len()];
        for seed in 0..4_000 {
            for place in drawn(&all, 10, seed) {
                counts[place] += 1;
            }
        }
        // 1,000 of 4,000 each, with a standard deviation of 27.
        assert!(
            counts.iter().all(|count| (860..1_140).contains(count)),
            "{counts:?}"
        );
    }

    /// What it is for: keys and bytes of a sample agree with those of all, in every range of sizes.
    #[test]
    fn a_sample_has_its_share_of_every_range_of_sizes() {
        let all = sizes(100_000, 9);
        for seed in 1..=5 {
            let places = drawn(&all, 2_000, seed);
            let count = |wanted: &dyn Fn(u64) -> bool| {
                all.iter().flatten().filter(|size| wanted(**size)).count() as f64
            };
            let sample = |wanted: &dyn Fn(u64) -> bool| {
                places
                    .iter()
                    .filter(|place| wanted(all[**place].unwrap()))
                    .count() as f64
            };
            for octave in 0..40 {
                let inside = |size: u64| size.checked_ilog2() == Some(octave);
                assert!(
                    (sample(&inside) - count(&inside) / 50.0).abs() <= 1.0,
                    "2^{octave}: {} of {}",
                    sample(&inside),
                    count(&inside)
                );
            }
            let bytes: u64 = places.iter().filter_map(|place| all[*place]).sum();
            let share = bytes as f64 / (all.iter().flatten().sum::<u64>() as f64 / 50.0);
            assert!((share - 1.0).abs() < 0.02, "seed {seed}: {share}");
        }
    }
}
