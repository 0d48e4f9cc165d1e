//! Memory of a cell: MiB, or the least that there is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::ranges::{ListForm, doubling, memory_mib};

/// Memory of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MemoryChoice {
    /// MiB.
    Mib(u32),
    /// The least that Fargate has for the vCPU: it is the cheapest.
    Auto(Auto),
}

impl fmt::Display for MemoryChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mib(mib) => write!(f, "{mib} MiB"),
            Self::Auto(_) => f.write_str("auto"),
        }
    }
}

/// The word `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// As [`MemoryChoice::Auto`] says.
    Auto,
}

/// Memories of a list; a range doubles.
pub const MEMORY: ListForm<MemoryChoice> = ListForm {
    value: |word| match word {
        "auto" => Some(MemoryChoice::Auto(Auto::Auto)),
        word => memory_mib(word).map(MemoryChoice::Mib),
    },
    between: |first, last| match (first, last) {
        (MemoryChoice::Mib(first), MemoryChoice::Mib(last)) => Some(
            doubling(*first, *last)
                .into_iter()
                .map(MemoryChoice::Mib)
                .collect(),
        ),
        _ => None,
    },
};
