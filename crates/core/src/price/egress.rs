//! Egress: bytes that leave the bucket's region, which AWS bills by the GB on top of the requests.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// Where the bytes that are read go.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    pub enum Egress {
        /// They stay in the bucket's region, or nobody pays for them.
        #[default]
        None = "none",
        /// To the internet: a laptop, another cloud.
        Internet = "internet",
        /// To another region of AWS.
        Region = "region",
    }
}

impl Egress {
    /// `egress to the internet`, as a price names it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::None => "no egress",
            Self::Internet => "egress to the internet",
            Self::Region => "egress to another region",
        }
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
