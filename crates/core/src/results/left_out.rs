//! Configurations that were asked for and not measured, because the place had no room for them.

use serde::{Deserialize, Serialize};

use crate::units;

/// Configurations that a sweep or a tune left out before it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeftOutCells {
    /// So many.
    pub configurations: u64,
    /// Their vCPUs, ascending.
    pub vcpu: Vec<f64>,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a configuration is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// More vCPUs than there were.
    TooLarge,
    /// Nothing could limit a process to this size.
    NotLimited,
    /// Its workers may need more memory, processes or open files than there were.
    NoRoom,
}

impl LeftOutCells {
    /// `12 configurations (4, 8 vCPUs) were left out: there were not so many vCPUs`
    pub fn in_words(&self) -> String {
        let why = match self.reason {
            LeftOutReason::TooLarge => "there were not so many vCPUs",
            LeftOutReason::NotLimited => "nothing could limit a process to this size",
            LeftOutReason::NoRoom => {
                "so many workers may need more memory, processes or open files than there were"
            }
        };
        let sizes: Vec<String> = self.vcpu.iter().map(f64::to_string).collect();
        let s = if self.vcpu.last().is_some_and(|vcpu| *vcpu > 1.0) {
            "s"
        } else {
            ""
        };
        let were = if self.configurations == 1 {
            "was"
        } else {
            "were"
        };
        format!(
            "{} ({} vCPU{s}) {were} left out: {why}",
            units::plural(self.configurations, "configuration"),
            sizes.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said_with_its_reason() {
        let of = |configurations, vcpu: &[f64], reason| LeftOutCells {
            configurations,
            vcpu: vcpu.to_vec(),
            reason,
        };
        assert_eq!(
            of(12, &[4.0, 8.0], LeftOutReason::TooLarge).in_words(),
            "12 configurations (4, 8 vCPUs) were left out: there were not so many vCPUs"
        );
        assert_eq!(
            of(1, &[0.5], LeftOutReason::NoRoom).in_words(),
            "1 configuration (0.5 vCPU) was left out: so many workers may need more memory, processes or open files than there were"
        );
    }
}
