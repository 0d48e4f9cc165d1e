//! What limited a run or the repetitions of a configuration, in one word and with the figures it was judged by.
//!
//! A run and a report judge by the same rules, in the order of [`Limit::ALL`]; where several runs are judged, by the medians of their shares:
//!
//! 1. `failed`: the account of the run does not close (`account`), nothing was fetched, less than half was, or more than 1 % had vanished.
//! 2. `server-bound`: the embedded server used more than 80 % of its threads' time. The run measured the server.
//! 3. `cpu-bound`: the fetch phase used at least 95 % of the vCPU limit.
//! 4. `quota-throttled`: the CPU quota held it back for at least 10 % of the time, though the mean is below its limit.
//! 5. `s3-throttled`, of a web server `throttled`: at least 1 % of the attempts were answered with «too fast». `kms-throttled` where most of these answers
//!    came from KMS, which has a limit of its own.
//! 6. `tail-bound`: at least 20 % of the fetch time went by after the queue was empty. Not of a web server, whose answers have no sizes that decide.
//! 7. Whether the network or the single connection sets the rate takes runs at several concurrencies: a report of them says
//!    `per-connection-bound` or `network-bound`.
//! 8. else `unclear`.

use serde::{Deserialize, Serialize};

use super::thresholds::{CPU_SHARE, QUOTA_SHARE, S3_SHARE, SERVER_SHARE, TAIL_SHARE};

/// What limited a run or a configuration, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Not every object has its outcome, nothing or little was fetched, or more than 1 % had vanished; of a configuration: no repetition gave figures.
    Failed,
    /// The embedded server.
    ServerBound,
    /// The vCPU.
    CpuBound,
    /// The CPU quota, in bursts above a mean below it.
    QuotaThrottled,
    /// S3's own limits.
    #[serde(rename = "s3-throttled")]
    S3Throttled,
    /// The limit of KMS, which S3 calls to decrypt.
    KmsThrottled,
    /// A web server's own limits.
    Throttled,
    /// The last few fetches.
    TailBound,
    /// What one connection carries: more concurrency is faster (from several concurrencies).
    PerConnectionBound,
    /// The network: more concurrency is not faster, and the CPU is idle (from several concurrencies).
    NetworkBound,
    /// Nothing that was measured shows it.
    #[serde(alias = "inconclusive")]
    Unclear,
}

impl Limit {
    /// Every word, in the order in which the rules win.
    pub const ALL: [Self; 11] = [
        Self::Failed,
        Self::ServerBound,
        Self::CpuBound,
        Self::QuotaThrottled,
        Self::S3Throttled,
        Self::KmsThrottled,
        Self::Throttled,
        Self::TailBound,
        Self::PerConnectionBound,
        Self::NetworkBound,
        Self::Unclear,
    ];

    /// The word as it stands in files and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::ServerBound => "server-bound",
            Self::CpuBound => "cpu-bound",
            Self::QuotaThrottled => "quota-throttled",
            Self::S3Throttled => "s3-throttled",
            Self::KmsThrottled => "kms-throttled",
            Self::Throttled => "throttled",
            Self::TailBound => "tail-bound",
            Self::PerConnectionBound => "per-connection-bound",
            Self::NetworkBound => "network-bound",
            Self::Unclear => "unclear",
        }
    }

    /// Whether such a share of time, vCPU or attempts makes it the limit. What takes more than a share is never it.
    fn is_reached_by(self, share: f64) -> bool {
        match self {
            Self::ServerBound => share > SERVER_SHARE,
            Self::CpuBound => share >= CPU_SHARE,
            Self::QuotaThrottled => share >= QUOTA_SHARE,
            Self::S3Throttled | Self::KmsThrottled | Self::Throttled => share >= S3_SHARE,
            Self::TailBound => share >= TAIL_SHARE,
            Self::Failed | Self::PerConnectionBound | Self::NetworkBound | Self::Unclear => false,
        }
    }
}

/// A verdict and its grounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Verdict"))]
pub struct Verdict<G = String> {
    /// What limited it.
    pub word: Limit,
    /// The figures it was judged by, as sentence fragments; those that decided first.
    pub because: Vec<G>,
}

/// One rule's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<G = String> {
    pub(super) limit: Limit,
    pub(super) holds: bool,
    pub(super) figure: G,
}

impl<G> Finding<G> {
    /// By the share that the rule of this limit looks at, and what to say of it.
    pub fn of_share(limit: Limit, share: f64, figure: G) -> Self {
        Self {
            limit,
            holds: limit.is_reached_by(share),
            figure,
        }
    }
}

impl<G> Verdict<G> {
    /// The first limit, in the order of [`Limit::ALL`], whose rule holds; what else was seen stands behind its figure.
    pub fn of(findings: Vec<Finding<G>>) -> Self {
        let holds = |limit: &Limit| {
            findings
                .iter()
                .any(|finding| finding.holds && finding.limit == *limit)
        };
        let word = Limit::ALL.into_iter().find(holds).unwrap_or(Limit::Unclear);
        let (decided, seen): (Vec<Finding<G>>, Vec<Finding<G>>) = findings
            .into_iter()
            .partition(|finding| finding.limit == word);
        Self {
            word,
            because: decided
                .into_iter()
                .chain(seen)
                .map(|finding| finding.figure)
                .collect(),
        }
    }
}
