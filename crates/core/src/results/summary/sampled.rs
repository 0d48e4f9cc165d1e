//! A random sample of the keys, and what it was drawn from.

use serde::{Deserialize, Serialize};

use crate::units;

/// A random sample of the keys, in proportion within size classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampleFacts {
    /// How large it was to be, in words.
    pub asked: String,
    /// What it was drawn with.
    pub seed: u64,
    /// Its keys.
    pub keys: u64,
    /// Their size as listed; null where a size is not known.
    pub bytes: Option<u64>,
    /// The keys that it was drawn from: all that were listed, after prefix and shard.
    pub of_keys: u64,
    /// Their size as listed; null where a size is not known.
    pub of_bytes: Option<u64>,
    /// Both by size, smallest class first; keys whose size is not known are in none.
    pub classes: Vec<SampleClass>,
}

/// The keys of one range of sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampleClass {
    /// The largest size of the class; null for the class without an upper end.
    pub up_to_bytes: Option<u64>,
    /// Keys of the sample.
    pub keys: u64,
    /// Their size.
    pub bytes: u64,
    /// Keys that they were drawn from.
    pub of_keys: u64,
    /// Their size.
    pub of_bytes: u64,
}

impl SampleFacts {
    /// `3,500 of 1,000,000 keys at random, seed 1`
    pub fn in_words(&self) -> String {
        format!(
            "{} of {} keys at random, seed {}",
            units::count(self.keys),
            units::count(self.of_keys),
            self.seed
        )
    }
}
