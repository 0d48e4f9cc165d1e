//! How a repetition was held to its vCPUs and memory.

use serde::{Deserialize, Serialize};

/// How the vCPU of a repetition were limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A quota in a control group of version 2.
    #[serde(rename = "cgroup-v2")]
    CgroupV2,
    /// A quota in a control group of version 1.
    #[serde(rename = "cgroup-v1")]
    CgroupV1,
    /// A quota in a scope of the user's systemd.
    SystemdScope,
    /// CPU affinity: whole vCPU only.
    Affinity,
    /// The size of a Fargate task.
    Fargate,
}

impl Means {
    /// The words that stand in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CgroupV2 => "cgroup v2 quota",
            Self::CgroupV1 => "cgroup v1 quota",
            Self::SystemdScope => "systemd scope quota",
            Self::Affinity => "CPU affinity",
            Self::Fargate => "Fargate task size",
        }
    }
}

/// How a repetition was held to its cell's size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limited {
    /// What held its vCPU.
    pub cpu: Means,
    /// What held its memory; null where nothing did.
    pub memory: Option<Means>,
    /// Numbers of the CPUs it could run on, all shards together; empty where they are not known (on Fargate).
    pub cpus: Vec<u32>,
    /// CPUs of the machine that the sweep could use; null where that is not known (on Fargate).
    pub machine_cpus: Option<u32>,
    /// Whether it shared CPUs with the server; null where that is not known (a server elsewhere).
    pub shared_with_server: Option<bool>,
}
