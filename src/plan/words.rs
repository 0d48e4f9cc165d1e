//! What fetches, and what it does with the bytes: the words of the settings and of results.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The concurrency model: what one worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One async task a worker, on one single-threaded runtime a vCPU.
    Async,
    /// One OS thread a worker.
    Thread,
    /// One child process a worker.
    Process,
}

impl Mode {
    /// Every mode, in the order in which tables show them.
    pub const ALL: [Self; 3] = [Self::Async, Self::Thread, Self::Process];

    /// The most workers that this mode serves.
    pub const fn max_concurrency(self) -> u32 {
        match self {
            Self::Async => 65_535,
            Self::Thread => 4_096,
            Self::Process => 1_024,
        }
    }

    /// The word that stands in settings, file names and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Thread => "thread",
            Self::Process => "process",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of async, thread, process"))
    }
}

/// Which S3 client fetches the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// parfetch's own: costs next to nothing, so it measures the platform.
    Lean,
    /// `aws-sdk-s3` as it comes: measures what a program on the SDK gets.
    Sdk,
}

impl ClientKind {
    /// Both clients.
    pub const ALL: [Self; 2] = [Self::Lean, Self::Sdk];

    /// The word that stands in settings and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lean => "lean",
            Self::Sdk => "sdk",
        }
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ClientKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of lean, sdk"))
    }
}

/// CPU work done on every byte of a body, to find where the models cross over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Count the bytes only.
    #[default]
    None,
    /// MD5 of the body.
    Md5,
    /// SHA-256 of the body.
    Sha256,
    /// CRC-64/NVME of the body.
    Crc64nvme,
}

impl Work {
    const ALL: [Self; 4] = [Self::None, Self::Md5, Self::Sha256, Self::Crc64nvme];

    /// The word that stands in settings and results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Crc64nvme => "crc64nvme",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|work| work.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of none, md5, sha256, crc64nvme"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_round_trip() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        }
        for work in Work::ALL {
            assert_eq!(work.to_string().parse::<Work>().unwrap(), work);
        }
        assert_eq!(
            "fiber".parse::<Mode>().unwrap_err(),
            "`fiber` is not one of async, thread, process"
        );
    }
}
