//! A part of the keys.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// One of `count` disjoint parts of the keys: those whose XXH3-64 modulo `count` is `index`, or those of a key file of its own
/// (`KeySource::Folder`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many shards there are.
    pub count: NonZeroU32,
}

impl Shard {
    /// Which of `count` shards has a key, from 0.
    pub fn of_key(key: &str, count: NonZeroU32) -> u64 {
        xxh3_64(key.as_bytes()) % u64::from(count.get())
    }

    /// Whether a key is in this shard.
    pub fn has(self, key: &str) -> bool {
        Self::of_key(key, self.count) == u64::from(self.index)
    }

    /// Name of its key file in a folder of them: `00003-of-00008.tsv`.
    pub fn key_file(self) -> String {
        format!("{:05}-of-{:05}.tsv", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not I/N with I from 0 to N-1");
        let (index, count) = text.split_once('/').ok_or_else(bad)?;
        let index: u32 = index.parse().map_err(|_| bad())?;
        let count: NonZeroU32 = count.parse().map_err(|_| bad())?;
        if index >= count.get() {
            return Err(bad());
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_takes_an_index_below_its_count() {
        assert_eq!("2/3".parse::<Shard>().unwrap().to_string(), "2/3");
        assert_eq!(
            "2/10000".parse::<Shard>().unwrap().key_file(),
            "00002-of-10000.tsv"
        );
        for bad in ["3/3", "-1/3", "1", "1/0", "a/b", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
