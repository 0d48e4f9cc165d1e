//! Where keys lie between each other: keys as numbers, so that one can say how much lies between two of them and what stands in the middle. Pure.
//!
//! A key is a number whose digits are its characters behind what all keys at hand begin with. Which characters count at a place is learned from
//! the keys seen there (a digit stands for all digits, a letter for its kind), so that `img-0000017` and `img-9` are as far apart as they look.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Characters of a key from which its number is made: behind them, places count as one alphabet.
const PLACES: usize = 96;
/// Numbers stay below this, so that two of them can be added.
const MOST: u128 = 1 << 120;

/// What is known of the characters of keys.
#[derive(Debug, Default)]
pub(super) struct Alphabets {
    places: Vec<BTreeSet<char>>,
}

impl Alphabets {
    /// Learns from a key.
    pub(super) fn observe(&mut self, key: &str) {
        for (place, c) in key.chars().take(PLACES).enumerate() {
            if self.places.len() == place {
                self.places.push(BTreeSet::new());
            }
            self.places[place].insert(c);
        }
    }

    /// Characters at a place, in order: those seen, their kind, and these.
    fn at(&self, place: usize, also: [Option<char>; 2]) -> Vec<char> {
        let seen = self.places.get(place);
        let mut all: BTreeSet<char> = also.into_iter().flatten().collect();
        let seen: Vec<char> = seen.into_iter().flatten().copied().collect();
        all.extend(&seen);
        let any = |is: fn(&char) -> bool| {
            seen.iter().any(is) || (seen.is_empty() && also.iter().flatten().any(is))
        };
        if any(char::is_ascii_digit) || seen.is_empty() {
            all.extend('0'..='9');
        }
        for (first, last, hex) in [('a', 'z', 'f'), ('A', 'Z', 'F')] {
            let mut letters = seen
                .iter()
                .filter(|c| (first..=last).contains(*c))
                .peekable();
            if letters.peek().is_some() {
                // Letters up to f next to digits are hexadecimal until another one is seen.
                let hexadecimal = any(char::is_ascii_digit) && letters.all(|c| *c <= hex);
                all.extend(first..=if hexadecimal { hex } else { last });
            } else if seen.is_empty() && first == 'a' {
                all.extend('a'..='z');
            }
        }
        all.into_iter().collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct KeyInterval<'a> {
    /// Not itself.
    pub(super) after: &'a str,
    /// Itself included; none = to the last key there can be.
    pub(super) end: Option<&'a str>,
}

/// Digits of numbers between two keys.
struct DigitScale {
    /// What both begin with, in characters.
    shared: Vec<char>,
    /// The characters of each digit; digit 0 is the end of the key.
    digits: Vec<Vec<char>>,
    /// What one step of each digit is worth.
    worth: Vec<u128>,
}

impl DigitScale {
    fn new(alphabets: &Alphabets, interval: KeyInterval<'_>) -> Self {
        let KeyInterval { after, end } = interval;
        let shared: Vec<char> = after
            .chars()
            .zip(end.unwrap_or_default().chars())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a)
            .collect();
        let (mut low, mut high) = (
            after.chars().skip(shared.len()),
            end.unwrap_or_default().chars().skip(shared.len()),
        );
        let mut digits = Vec::new();
        let mut total: u128 = 1;
        loop {
            let alphabet = alphabets.at(shared.len() + digits.len(), [low.next(), high.next()]);
            let base = alphabet.len() as u128 + 1;
            match total.checked_mul(base) {
                Some(next) if next < MOST => total = next,
                _ => break,
            }
            digits.push(alphabet);
        }
        let mut worth = vec![1; digits.len()];
        for place in (1..digits.len()).rev() {
            worth[place - 1] = worth[place] * (digits[place].len() as u128 + 1);
        }
        Self {
            shared,
            digits,
            worth,
        }
    }

    fn top(&self) -> u128 {
        self.worth
            .first()
            .map_or(0, |worth| worth * (self.digits[0].len() as u128 + 1) - 1)
    }

    /// The number of a key; for one outside the shared beginning, the nearest.
    fn number(&self, key: &str) -> u128 {
        let mut chars = key.chars();
        for c in &self.shared {
            match chars.next().map(|found| found.cmp(c)) {
                Some(Ordering::Equal) => {}
                Some(Ordering::Greater) => return self.top(),
                _ => return 0,
            }
        }
        let mut number = 0;
        for (alphabet, worth) in self.digits.iter().zip(&self.worth) {
            let Some(c) = chars.next() else { break };
            match alphabet.binary_search(&c) {
                Ok(rank) => number += (rank as u128 + 1) * worth,
                // A character nobody has seen here: between its neighbours.
                Err(rank) => return number + rank as u128 * worth + (worth - 1),
            }
        }
        number
    }

    /// The keys that a number begins with, shortest first: `2`, `24`, `249` …
    fn keys(&self, mut number: u128) -> impl Iterator<Item = (u128, String)> + '_ {
        let mut key: String = self.shared.iter().collect();
        let mut so_far = 0;
        self.digits
            .iter()
            .zip(&self.worth)
            .map_while(move |(alphabet, worth)| {
                let digit = number / worth;
                number %= worth;
                let rank = usize::try_from(digit).ok()?.checked_sub(1)?;
                key.push(*alphabet.get(rank)?);
                so_far += digit * worth;
                Some((so_far, key.clone()))
            })
    }
}

/// How much lies in `part` for each unit of what lies in `whole`; `part` lies in `whole`. None where that cannot be told.
pub(super) fn ratio(
    alphabets: &Alphabets,
    whole: KeyInterval<'_>,
    (from, to): (&str, &str),
) -> Option<f64> {
    let scale = DigitScale::new(alphabets, whole);
    let part = scale.number(to).saturating_sub(scale.number(from));
    let left = whole
        .end
        .map_or_else(|| scale.top(), |end| scale.number(end))
        .saturating_sub(scale.number(to));
    // Lossy on purpose: an estimate.
    (part > 0).then(|| to_f64(left) / to_f64(part))
}

fn to_f64(number: u128) -> f64 {
    let high = u64::try_from(number >> 60).unwrap_or(u64::MAX);
    let low = u64::try_from(number & ((1 << 60) - 1)).unwrap_or_default();
    high as f64 * 2_f64.powi(60) + low as f64
}

/// A key that divides an interval: 1/2^`shift` of the way to its end, the shortest that is about there. None where nothing lies between.
pub(super) fn divide(
    alphabets: &Alphabets,
    interval: KeyInterval<'_>,
    shift: u32,
) -> Option<String> {
    let scale = DigitScale::new(alphabets, interval);
    let low = scale.number(interval.after);
    let high = interval
        .end
        .map_or_else(|| scale.top(), |end| scale.number(end));
    let step = (high.checked_sub(low)? >> shift).max(1);
    let wanted = low.checked_add(step)?;
    let inside = |key: &String| {
        key.as_str() > interval.after && interval.end.is_none_or(|end| key.as_str() < end)
    };
    let near = |number: u128| number >= low + step / 2;
    let candidates = scale.keys(wanted).filter(|(_, key)| inside(key));
    let mut last = None;
    for (number, key) in candidates {
        if near(number) {
            return Some(key);
        }
        last = Some(key);
    }
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn knowing(keys: &[&str]) -> Alphabets {
        let mut alphabets = Alphabets::default();
        for key in keys {
            alphabets.observe(key);
        }
        alphabets
    }

    fn half(alphabets: &Alphabets, after: &str, end: Option<&str>) -> Option<String> {
        divide(alphabets, KeyInterval { after, end }, 1)
    }

    #[test]
    fn numbers_in_keys_are_divided_as_numbers() {
        let names = knowing(&["img-0000000.jpg", "img-0000999.jpg"]);
        assert_eq!(
            half(&names, "img-0000999.jpg", Some("img-9999999.jpg")).unwrap(),
            "img-5"
        );
        assert_eq!(half(&names, "img-4", Some("img-5")).unwrap(), "img-44");
        assert_eq!(
            divide(
                &names,
                KeyInterval {
                    after: "img-0000",
                    end: Some("img-9")
                },
                4
            )
            .unwrap(),
            "img-06"
        );
        let hex = knowing(&["0a", "3f", "b7"]);
        assert_eq!(half(&hex, "0a", Some("ff")).unwrap(), "8");
    }

    #[test]
    fn without_an_end_the_kinds_of_characters_bound_the_search() {
        let names = knowing(&["img-0000000.jpg"]);
        assert_eq!(half(&names, "img-0000000.jpg", None).unwrap(), "r");
        assert_eq!(half(&knowing(&["0001"]), "0001", None).unwrap(), "5");
    }

    #[test]
    fn what_lies_behind_is_estimated_from_what_was_read() {
        let names = knowing(&["k000", "k999"]);
        let whole = KeyInterval {
            after: "k",
            end: Some("k999"),
        };
        let ratio = ratio(&names, whole, ("k000", "k099")).unwrap();
        assert!((8.0..10.5).contains(&ratio), "{ratio}");
    }

    #[test]
    fn nothing_lies_between_a_key_and_itself() {
        let names = knowing(&["a"]);
        assert_eq!(half(&names, "a", Some("a")), None);
        assert_eq!(half(&names, "b", Some("a")), None);
    }

    proptest! {
        #[test]
        fn a_divider_lies_inside(
            mut ends in ["\\PC{0,20}|(a/){0,40}[0-9a-f]{0,8}", "\\PC{0,20}|(a/){0,40}[0-9a-f]{0,8}"],
            seen in proptest::collection::vec("\\PC{0,12}", 0..4),
            (shift, bounded) in (1..8_u32, any::<bool>()),
        ) {
            ends.sort();
            let mut alphabets = Alphabets::default();
            for key in seen.iter().chain(&ends) {
                alphabets.observe(key);
            }
            let end = bounded.then_some(ends[1].as_str());
            if let Some(key) = divide(&alphabets, KeyInterval { after: &ends[0], end }, shift) {
                prop_assert!(ends[0] < key);
                prop_assert!(end.is_none_or(|end| key.as_str() < end), "{key}");
            }
        }
    }
}
