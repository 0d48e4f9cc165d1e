//! The factors of a sweep that have a name of their own: a server, and what texts name in braces. The values of one configuration, in a fixed order.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The factor that says which server answers.
pub const SERVER: &str = "server";
/// Longest value that a folder's name has as it is.
const SHOWN: usize = 24;

/// One value of each factor, by the factor's name. Values are ordered as numbers where both are numbers, so 3 comes before 10.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Factors(BTreeMap<String, String>);

impl Factors {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a factor.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values, in the order of the names; the server comes first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let server = self.0.get_key_value(SERVER);
        let others = self.0.iter().filter(|(name, _)| *name != SERVER);
        server
            .into_iter()
            .chain(others)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// With one value more.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut all = self.0.clone();
        all.insert(name.to_owned(), value.to_owned());
        Self(all)
    }

    /// Part of a folder's name: `-server=uvicorn-workers=3`; empty without factors. Different factors have different names.
    pub fn slug(&self) -> String {
        self.iter().fold(String::new(), |mut slug, (name, value)| {
            slug.extend(["-", name, "=", &safe(value)]);
            slug
        })
    }
}

/// A value as part of a folder's name. What had to be changed gets a mark of its own, so that no two are alike.
fn safe(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    if value.len() <= SHOWN && value.chars().all(is_plain) {
        return value.to_owned();
    }
    let shown: String = value
        .chars()
        .take(SHOWN)
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    format!("{shown}~{:08x}", xxh3_64(value.as_bytes()) & 0xffff_ffff)
}

impl fmt::Display for Factors {
    /// `server uvicorn · workers 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let between = if index == 0 { "" } else { " · " };
            write!(f, "{between}{name} {value}")?;
        }
        Ok(())
    }
}

impl Ord for Factors {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.iter().zip(other.iter());
        let first = pairs
            .map(|(one, two)| one.0.cmp(two.0).then_with(|| by_value(one.1, two.1)))
            .find(|order| order.is_ne());
        first.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Factors {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers come first, by their size; then words.
fn by_value(one: &str, two: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let order = match (number(one), number(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    order.then_with(|| one.cmp(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(pairs: &[(&str, &str)]) -> Factors {
        pairs.iter().fold(Factors::default(), |all, (name, value)| {
            all.with(name, value)
        })
    }

    #[test]
    fn the_server_comes_first_and_numbers_go_by_their_size() {
        let one = factors(&[("endpoint", "sync"), ("server", "uvicorn")]);
        assert_eq!(one.to_string(), "server uvicorn · endpoint sync");
        assert_eq!(one.slug(), "-server=uvicorn-endpoint=sync");
        let workers = |value| factors(&[("workers", value)]);
        let mut all = ["auto", "10", "3", "1"].map(workers);
        all.sort();
        assert_eq!(all, ["1", "3", "10", "auto"].map(workers));
        assert!(Factors::default() < workers("1"));
    }

    #[test]
    fn every_value_has_a_folder_of_its_own() {
        let slug = |value: &str| factors(&[("a", value)]).slug();
        assert_eq!(
            slug("./old"),
            format!("-a=._old~{:08x}", xxh3_64(b"./old") & 0xffff_ffff)
        );
        assert_ne!(slug("a/b"), slug("a b"));
        let long = "x".repeat(1_000);
        assert!(slug(&long).len() < 50 && slug(&long) != slug(&long[1..]));
        assert!(!slug("../../etc").contains('/') && !slug("\u{1b}[2J").contains('\u{1b}'));
        assert_ne!(slug(""), slug("_"));
    }

    #[test]
    fn they_are_an_object_in_files() {
        let one = factors(&[("workers", "3"), ("server", "g")]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(text, r#"{"server":"g","workers":"3"}"#);
        assert_eq!(serde_json::from_str::<Factors>(&text).unwrap(), one);
    }
}
