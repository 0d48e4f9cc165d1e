//! What parfetch knows about the machine it runs on: limits, CPU, ECS task, clocks, and what processes use.
//!
//! Every fact is optional. What is unknown is `None`, never 0, and never a reason to stop: what went wrong becomes a note. Linux is whole;
//! elsewhere there are no files under `/proc` and `/sys/fs/cgroup`, and the values are `None`. Reads the machine and the metadata endpoint; changes
//! nothing but the soft limit of open files ([`limits::raise_nofile`]), and takes no decision of a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::cgroup::Roots;
use self::cpu::Cpu;
use self::ecs::TaskMetadata;
use self::limits::{MemoryLimit, VcpuLimit};

pub mod bounded;
pub mod cancel;
pub mod cgroup;
pub mod clock;
pub mod cpu;
pub mod disk;
pub mod ecs;
pub mod fault;
pub mod limits;
pub mod listen;
pub mod net;
pub mod panics;
pub mod usage;
pub mod wait;

/// The machine as a run found it. Holds no host name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Environment {
    /// Version of parfetch.
    pub parfetch_version: String,
    /// `linux`, `macos`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// Release of the kernel.
    pub kernel_release: Option<String>,
    /// How many vCPU this process may use.
    pub vcpu: VcpuLimit,
    /// How much memory this process may use.
    pub memory: MemoryLimit,
    /// The CPU.
    pub cpu: Cpu,
    /// Soft limit of open files, when the machine was looked at; `None` = no limit.
    pub nofile_soft: Option<u64>,
    /// Hard limit of open files; `None` = no limit.
    pub nofile_hard: Option<u64>,
    /// Limit of tasks (processes and threads) of the control group; `None` where none is to be seen.
    pub pids_max: Option<u64>,
    /// Tasks in that group when the machine was looked at.
    pub pids_current: Option<u64>,
    /// The ECS task, when this is one and its metadata could be had.
    pub ecs: Option<TaskMetadata>,
    /// The same at the end of the run: its counters less those of the start are what the interfaces carried between the two samples.
    pub ecs_at_end: Option<TaskMetadata>,
    /// What could not be found out, and what contradicts.
    pub notes: Vec<String>,
}

/// Where facts come from: the real places by default, others in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The value of `ECS_CONTAINER_METADATA_URI_V4`; `None` outside ECS.
    pub ecs_metadata_uri: Option<String>,
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// The longest that the metadata endpoint is waited for; [`ecs::MAX_TIME`] at the most.
    pub time_limit: Duration,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            ecs_metadata_uri: None,
            proc: PathBuf::from("/proc"),
            sys: PathBuf::from("/sys"),
            time_limit: ecs::MAX_TIME,
        }
    }
}

impl Sources {
    /// The control groups' view of this process, for [`cgroup::ThrottleCounter::find`] and [`cgroup::pids`].
    pub fn with_roots<T>(&self, ask: impl FnOnce(Roots<'_>) -> T) -> T {
        ask(Roots {
            proc: &self.proc,
            cgroup: &self.sys.join("fs/cgroup"),
        })
    }
}

/// Looks at the machine. A few small files, read at once; waiting is for the metadata endpoint alone.
pub async fn inspect(sources: &Sources) -> Environment {
    let mut notes = Vec::new();
    let ecs = match sources.ecs_metadata_uri.as_deref() {
        None => None,
        Some(uri) => ecs::fetch(uri, sources.time_limit)
            .await
            .map_err(|error| notes.push(format!("no facts about the ECS task: {error}")))
            .ok(),
    };
    let (ecs_vcpu, ecs_bytes) = ecs.as_ref().map_or((None, None), |task| {
        (task.limit_vcpu, task.limit_memory_bytes)
    });
    let (vcpu, memory, pids) = sources.with_roots(|roots| {
        (
            limits::vcpu(ecs_vcpu, roots),
            limits::memory(ecs_bytes, roots),
            cgroup::pids(roots),
        )
    });
    notes.extend(
        ecs.as_ref()
            .and_then(|task| task.stats_error.as_deref())
            .map(|error| format!("no statistics of the ECS task: {error}")),
    );
    notes.extend(vcpu.contradiction());
    if vcpu.limit_vcpu.is_none() {
        notes.push("how many vCPU there are could not be found out".to_owned());
    }
    let (nofile_soft, nofile_hard) = limits::nofile();
    Environment {
        parfetch_version: env!("CARGO_PKG_VERSION").to_owned(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        kernel_release: kernel_release(&sources.proc),
        vcpu,
        memory,
        cpu: cpu::read(&sources.proc),
        nofile_soft,
        nofile_hard,
        pids_max: pids.max,
        pids_current: pids.current,
        ecs,
        ecs_at_end: None,
        notes,
    }
}

impl Environment {
    /// Asks the metadata endpoint once more, at the end of a run; what it does not say is a note.
    pub async fn look_again(&mut self, sources: &Sources) {
        let Some(uri) = sources.ecs_metadata_uri.as_deref() else {
            return;
        };
        match ecs::fetch(uri, sources.time_limit).await {
            Ok(task) => self.ecs_at_end = Some(task),
            Err(error) => self
                .notes
                .push(format!("no facts about the ECS task at the end: {error}")),
        }
    }
}

/// `/proc/sys/kernel/osrelease`: what `uname -r` prints (`proc_sys_kernel(5)`).
fn kernel_release(proc: &Path) -> Option<String> {
    let text = fs::read_to_string(proc.join("sys/kernel/osrelease")).ok()?;
    Some(text.trim().to_owned()).filter(|release| !release.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_machine_is_described_all_the_same() {
        let nowhere = tempfile::tempdir().unwrap();
        let sources = Sources {
            proc: nowhere.path().join("proc"),
            sys: nowhere.path().join("sys"),
            ..Sources::default()
        };
        let environment = inspect(&sources).await;
        assert_eq!(
            (environment.cpu.clone(), environment.memory.clone()),
            (Cpu::default(), MemoryLimit::default())
        );
        assert_eq!(
            (
                environment.kernel_release.clone(),
                environment.ecs.clone(),
                environment.vcpu.cgroup_vcpu
            ),
            (None, None, None)
        );
        assert_eq!(environment.parfetch_version, env!("CARGO_PKG_VERSION"));
        let text = serde_json::to_string(&environment).unwrap();
        assert_eq!(
            serde_json::from_str::<Environment>(&text).unwrap(),
            environment
        );
        assert!(
            text.contains(r#""limit_bytes":null"#),
            "unknown is null: {text}"
        );
    }

    #[tokio::test]
    async fn an_endpoint_that_fails_is_a_note() {
        let sources = Sources {
            ecs_metadata_uri: Some("ftp://x".to_owned()),
            ..Sources::default()
        };
        let notes = inspect(&sources).await.notes;
        assert!(notes.contains(&"no facts about the ECS task: `ftp://x/task` is not an address of a metadata endpoint".to_owned()), "{notes:?}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn this_machine_is_known() {
        let environment = inspect(&Sources::default()).await;
        assert!(environment.vcpu.limit_vcpu.unwrap() > 0.0);
        assert!(environment.vcpu.affinity_vcpu.unwrap() > 0);
        assert!(environment.memory.limit_bytes.unwrap() > 0);
        assert!(environment.kernel_release.is_some());
    }
}
