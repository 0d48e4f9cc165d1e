//! A header in a plan: read with its value, written without it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `name: value`, or the name alone: a plan that a sweep has written has no values, which may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanHeader {
    /// As it was given.
    pub name: String,
    /// With names in braces; none where the name alone was given.
    pub value: Option<String>,
}

impl fmt::Debug for PlanHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl From<&str> for PlanHeader {
    fn from(text: &str) -> Self {
        let (name, value) = text
            .split_once(':')
            .map_or((text, None), |(name, value)| (name, Some(value.trim())));
        Self {
            name: name.trim().to_ascii_lowercase(),
            value: value.map(str::to_owned),
        }
    }
}

impl<'de> Deserialize<'de> for PlanHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self::from(text.as_str()))
    }
}

impl Serialize for PlanHeader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use crate::sweep::plan::SweepPlan;

    #[test]
    fn a_plan_is_written_without_the_values_of_its_headers() {
        let text = "urls = 'http://h/'\nheader = ['X-Key:  s3cret', 'accept']\n";
        let plan = SweepPlan::from_toml(text).unwrap();
        assert_eq!(plan.header[0].value.as_deref(), Some("s3cret"));
        let written = plan.to_toml();
        assert!(
            written.contains("header = [\"x-key\", \"accept\"]\n"),
            "{written}"
        );
        assert!(!format!("{written}{plan:?}").contains("s3cret"));
        assert_eq!(
            SweepPlan::from_toml(&written).unwrap().to_toml(),
            written,
            "whoever continues the sweep has the same plan"
        );
    }
}
