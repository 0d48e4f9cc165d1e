//! Which answers of a web server are good: a set of HTTP statuses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The first status, and how many there are.
const FIRST: u16 = 100;
const COUNT: u16 = 500;

/// A set of statuses from 100 to 599, written `2xx,404`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSet([u64; 8]);

impl Default for StatusSet {
    /// Every 2xx.
    fn default() -> Self {
        let mut set = Self([0; 8]);
        (200..300).for_each(|status| set.insert(status));
        set
    }
}

impl StatusSet {
    /// Whether it has this status.
    pub fn has(&self, status: u16) -> bool {
        place(status).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }

    fn insert(&mut self, status: u16) {
        if let Some((word, bit)) = place(status) {
            self.0[word] |= bit;
        }
    }
}

fn place(status: u16) -> Option<(usize, u64)> {
    let index = status.checked_sub(FIRST).filter(|index| *index < COUNT)?;
    Some((usize::from(index / 64), 1 << (index % 64)))
}

impl FromStr for StatusSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut set = Self([0; 8]);
        for word in text.split(',').map(str::trim) {
            let class = word
                .strip_suffix("xx")
                .and_then(|class| class.parse::<u16>().ok())
                .filter(|class| (1..=5).contains(class));
            match (class, word.parse::<u16>()) {
                (Some(class), _) => {
                    (class * 100..class * 100 + 100).for_each(|status| set.insert(status));
                }
                (None, Ok(status)) if place(status).is_some() && word.len() == 3 => {
                    set.insert(status);
                }
                _ => return Err(format!("`{}` is not an HTTP status", word.escape_debug())),
            }
        }
        Ok(set)
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        for class in 1..=5_u16 {
            let statuses = class * 100..class * 100 + 100;
            if statuses.clone().all(|status| self.has(status)) {
                words.push(format!("{class}xx"));
            } else {
                words.extend(
                    statuses
                        .filter(|status| self.has(*status))
                        .map(|status| status.to_string()),
                );
            }
        }
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_statuses_are_read_and_written() {
        assert_eq!(StatusSet::default().to_string(), "2xx");
        for (text, written) in [
            ("2xx,404", "2xx,404"),
            ("404, 200", "200,404"),
            ("5xx,503,1xx", "1xx,5xx"),
        ] {
            let set: StatusSet = text.parse().unwrap();
            assert_eq!(set.to_string(), written);
            assert_eq!(written.parse::<StatusSet>().unwrap(), set);
        }
        let set: StatusSet = "2xx,404".parse().unwrap();
        assert!(set.has(200) && set.has(299) && set.has(404));
        assert!(!set.has(199) && !set.has(300) && !set.has(500) && !set.has(0) && !set.has(999));
        for text in [
            "", "2x", "6xx", "0xx", "99", "600", "2xx,", "+200", "200-299", "ok",
        ] {
            assert!(text.parse::<StatusSet>().is_err(), "{text}");
        }
    }
}
