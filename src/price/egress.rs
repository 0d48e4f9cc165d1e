//! Egress: bytes that leave the bucket's region, which AWS bills by the GB on top of the requests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where the bytes that are read go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    /// They stay in the bucket's region, or nobody pays for them.
    #[default]
    None,
    /// To the internet: a laptop, another cloud.
    Internet,
    /// To another region of AWS.
    Region,
}

impl Egress {
    /// Every kind, in the order in which texts name them.
    pub const ALL: [Self; 3] = [Self::None, Self::Internet, Self::Region];

    /// The word that stands in settings and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Internet => "internet",
            Self::Region => "region",
        }
    }

    /// `egress to the internet`, as a price names it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::None => "no egress",
            Self::Internet => "egress to the internet",
            Self::Region => "egress to another region",
        }
    }
}

impl fmt::Display for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Egress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of none, internet, region"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_round_trip() {
        for kind in Egress::ALL {
            assert_eq!(kind.to_string().parse::<Egress>(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!(
            "world".parse::<Egress>().unwrap_err(),
            "`world` is not one of none, internet, region"
        );
    }
}
