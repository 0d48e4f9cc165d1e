//! What fetches, and what it does with the bytes: the words of the settings and of results.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// The concurrency model: what one worker is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    pub enum Mode {
        /// One async task a worker, on one single-threaded runtime a vCPU.
        Async = "async",
        /// One OS thread a worker.
        Thread = "thread",
        /// One child process a worker.
        Process = "process",
    }
}

impl Mode {
    /// The most workers that this mode serves.
    pub const fn max_concurrency(self) -> u32 {
        match self {
            Self::Async => 65_535,
            Self::Thread => 4_096,
            Self::Process => 1_024,
        }
    }
}

words! {
    /// Which S3 client fetches the objects.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    pub enum ClientKind {
        /// parfetch's own: costs next to nothing, so it measures the platform.
        Lean = "lean",
        /// `aws-sdk-s3` as it comes: measures what a program on the SDK gets.
        Sdk = "sdk",
    }
}

words! {
    /// CPU work done on every byte of a body, to find where the models cross over.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[cfg_attr(test, derive(schemars::JsonSchema))]
    pub enum Work {
        /// Count the bytes only.
        #[default]
        None = "none",
        /// MD5 of the body.
        Md5 = "md5",
        /// SHA-256 of the body.
        Sha256 = "sha256",
        /// CRC-64/NVME of the body.
        Crc64nvme = "crc64nvme",
    }
}
