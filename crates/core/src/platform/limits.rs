//! How much of the machine this process may use: CPUs, memory, open files; and how that was found.
//!
//! Chooses among what [`super::ecs`] and [`super::cgroup`] say and what the kernel says itself. The order is fixed: on ECS the quota is on the task's
//! control group, which a container cannot see, so the metadata comes first; the affinity mask of a Fargate task below 2 vCPU has 2 CPUs, so it
//! comes last. `std::thread::available_parallelism` knows the last two alone, and rounds down.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::cgroup::{self, Roots, Version};
use super::usage::parse_kib_line;

/// Which source said how many vCPU there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VcpuSource {
    /// The task's limit in the ECS task metadata.
    Ecs,
    /// The tightest visible `cpu.max`.
    CgroupV2,
    /// The tightest visible `cpu.cfs_quota_us`.
    CgroupV1,
    /// The CPUs of the affinity mask.
    Affinity,
}

impl VcpuSource {
    /// As it stands in a line for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Ecs => "ECS task limit",
            Self::CgroupV2 | Self::CgroupV1 => "cgroup quota",
            Self::Affinity => "CPU affinity",
        }
    }
}

/// How many vCPU this process may use, and what each source said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct VcpuLimit {
    /// The limit; may be a fraction.
    pub limit_vcpu: Option<f64>,
    /// Where `limit_vcpu` comes from.
    pub source: Option<VcpuSource>,
    /// What the ECS task metadata says.
    pub ecs_vcpu: Option<f64>,
    /// The tightest CPU quota among the control groups that can be seen.
    pub cgroup_vcpu: Option<f64>,
    /// CPUs in the affinity mask.
    pub affinity_vcpu: Option<u32>,
}

impl VcpuLimit {
    /// The first that is known of: ECS, control group, affinity.
    pub fn choose(
        ecs_vcpu: Option<f64>,
        cgroup: Option<(f64, Version)>,
        affinity_vcpu: Option<u32>,
    ) -> Self {
        let ecs = ecs_vcpu.map(|vcpu| (vcpu, VcpuSource::Ecs));
        let quota = cgroup.map(|(vcpu, version)| match version {
            Version::V2 => (vcpu, VcpuSource::CgroupV2),
            Version::V1 => (vcpu, VcpuSource::CgroupV1),
        });
        let affinity = affinity_vcpu.map(|count| (f64::from(count), VcpuSource::Affinity));
        let (limit_vcpu, source) = ecs.or(quota).or(affinity).unzip();
        Self {
            limit_vcpu,
            source,
            ecs_vcpu,
            cgroup_vcpu: cgroup.map(|quota| quota.0),
            affinity_vcpu,
        }
    }

    /// What to tell a person when the sources contradict: the affinity mask has fewer CPUs than the limit that was chosen.
    pub fn contradiction(&self) -> Option<String> {
        let (limit, affinity) = (self.limit_vcpu?, self.affinity_vcpu?);
        (f64::from(affinity) < limit).then(|| {
            format!("the limit is {limit} vCPU, and the affinity mask allows {affinity} CPUs alone")
        })
    }
}

/// Which source said how much memory there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MemorySource {
    /// The task's limit in the ECS task metadata.
    Ecs,
    /// The tightest visible `memory.max`.
    CgroupV2,
    /// The tightest visible `memory.limit_in_bytes`.
    CgroupV1,
    /// The memory of the machine.
    MemTotal,
}

impl MemorySource {
    /// As it stands in a line for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Ecs => "ECS task limit",
            Self::CgroupV2 | Self::CgroupV1 => "cgroup limit",
            Self::MemTotal => "the machine's",
        }
    }
}

/// How much memory this process may use, and what each source said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MemoryLimit {
    /// The limit.
    pub limit_bytes: Option<u64>,
    /// Where `limit_bytes` comes from.
    pub source: Option<MemorySource>,
    /// What the ECS task metadata says.
    pub ecs_bytes: Option<u64>,
    /// The tightest limit among the control groups that can be seen.
    pub cgroup_bytes: Option<u64>,
    /// `MemTotal` of the machine.
    pub mem_total_bytes: Option<u64>,
}

impl MemoryLimit {
    /// The first that is known of: ECS, control group (unless it allows more than the machine has, which limits nothing), machine.
    pub fn choose(
        ecs_bytes: Option<u64>,
        cgroup: Option<(u64, Version)>,
        mem_total_bytes: Option<u64>,
    ) -> Self {
        let ecs = ecs_bytes.map(|bytes| (bytes, MemorySource::Ecs));
        let group = cgroup
            .filter(|(bytes, _)| mem_total_bytes.is_none_or(|total| *bytes <= total))
            .map(|(bytes, version)| match version {
                Version::V2 => (bytes, MemorySource::CgroupV2),
                Version::V1 => (bytes, MemorySource::CgroupV1),
            });
        let (limit_bytes, source) = ecs
            .or(group)
            .or(mem_total_bytes.map(|bytes| (bytes, MemorySource::MemTotal)))
            .unzip();
        Self {
            limit_bytes,
            source,
            ecs_bytes,
            cgroup_bytes: cgroup.map(|limit| limit.0),
            mem_total_bytes,
        }
    }
}

/// The vCPU limit of this process; `ecs_vcpu` is what the task metadata says.
pub fn vcpu(ecs_vcpu: Option<f64>, roots: Roots<'_>) -> VcpuLimit {
    VcpuLimit::choose(
        ecs_vcpu,
        cgroup::cpu_quota(roots).map(|quota| (quota.vcpu, quota.version)),
        affinity(),
    )
}

/// The memory limit of this process; `ecs_bytes` is what the task metadata says.
pub fn memory(ecs_bytes: Option<u64>, roots: Roots<'_>) -> MemoryLimit {
    MemoryLimit::choose(
        ecs_bytes,
        cgroup::memory_limit(roots),
        mem_total_bytes(roots.proc),
    )
}

/// CPUs in the affinity mask of the calling thread.
#[cfg(target_os = "linux")]
fn affinity() -> Option<u32> {
    u32::try_from(cpus().len()).ok().filter(|count| *count > 0)
}

/// Only Linux has the mask.
#[cfg(not(target_os = "linux"))]
fn affinity() -> Option<u32> {
    None
}

/// `MemTotal` of `/proc/meminfo` (`proc_meminfo(5)`), which is in kibibytes.
fn mem_total_bytes(proc: &Path) -> Option<u64> {
    parse_kib_line(&fs::read_to_string(proc.join("meminfo")).ok()?, "MemTotal:")
}

/// Limits of open files of this process: (soft, hard). `None` is «no limit», which Linux does not have.
pub fn nofile() -> (Option<u64>, Option<u64>) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    (current, maximum)
}

/// What macOS grants at the most below a hard limit of «no limit» (`OPEN_MAX`, setrlimit(2) there).
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit of open files to the hard one, for this process and the children it starts later; (before, after), `None` = no limit.
/// Where the system refuses, the limit stays as it was: compare what is needed with `after`.
pub fn raise_nofile() -> (Option<u64>, Option<u64>) {
    let before = getrlimit(Resource::Nofile);
    for wanted in [
        before.maximum,
        before
            .maximum
            .map_or(Some(OPEN_MAX), |hard| Some(hard.min(OPEN_MAX))),
    ] {
        let is_more = before
            .current
            .is_some_and(|soft| wanted.is_none_or(|wanted| wanted > soft));
        if is_more
            && setrlimit(
                Resource::Nofile,
                Rlimit {
                    current: wanted,
                    maximum: before.maximum,
                },
            )
            .is_ok()
        {
            break;
        }
    }
    (before.current, getrlimit(Resource::Nofile).current)
}

/// Numbers of the CPUs that this process may run on; empty where that is not known.
#[cfg(target_os = "linux")]
pub fn cpus() -> Vec<u32> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .filter_map(|cpu| u32::try_from(cpu).ok())
        .collect()
}

/// Numbers of the CPUs that this process may run on: not known here.
#[cfg(not(target_os = "linux"))]
pub fn cpus() -> Vec<u32> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_that_knows_decides_and_all_are_kept() {
        let all = VcpuLimit::choose(Some(0.25), Some((4.0, Version::V2)), Some(2));
        assert_eq!(
            (all.limit_vcpu, all.source),
            (Some(0.25), Some(VcpuSource::Ecs))
        );
        assert_eq!(
            (all.ecs_vcpu, all.cgroup_vcpu, all.affinity_vcpu),
            (Some(0.25), Some(4.0), Some(2))
        );
        assert_eq!(all.contradiction(), None);
        let group = VcpuLimit::choose(None, Some((4.0, Version::V1)), Some(2));
        assert_eq!(
            (group.limit_vcpu, group.source),
            (Some(4.0), Some(VcpuSource::CgroupV1))
        );
        assert_eq!(
            group.contradiction().unwrap(),
            "the limit is 4 vCPU, and the affinity mask allows 2 CPUs alone"
        );
        let mask = VcpuLimit::choose(None, None, Some(2));
        assert_eq!(
            (mask.limit_vcpu, mask.source),
            (Some(2.0), Some(VcpuSource::Affinity))
        );
        assert_eq!(VcpuLimit::choose(None, None, None), VcpuLimit::default());
    }

    #[test]
    fn a_memory_limit_above_the_machine_is_none() {
        let limit = MemoryLimit::choose(None, Some((8, Version::V2)), Some(4));
        assert_eq!(
            (limit.limit_bytes, limit.source, limit.cgroup_bytes),
            (Some(4), Some(MemorySource::MemTotal), Some(8))
        );
        let limit = MemoryLimit::choose(None, Some((3, Version::V1)), Some(4));
        assert_eq!(
            (limit.limit_bytes, limit.source),
            (Some(3), Some(MemorySource::CgroupV1))
        );
        let limit = MemoryLimit::choose(Some(2), Some((3, Version::V1)), Some(4));
        assert_eq!(
            (limit.limit_bytes, limit.source),
            (Some(2), Some(MemorySource::Ecs))
        );
    }

    #[test]
    fn sources_are_written_as_their_documented_words() {
        let words = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        let vcpu = [
            VcpuSource::Ecs,
            VcpuSource::CgroupV2,
            VcpuSource::CgroupV1,
            VcpuSource::Affinity,
        ];
        assert_eq!(
            vcpu.map(|source| words(serde_json::to_value(source).unwrap())),
            ["ecs", "cgroup-v2", "cgroup-v1", "affinity"]
        );
        assert_eq!(
            words(serde_json::to_value(MemorySource::MemTotal).unwrap()),
            "mem-total"
        );
    }

    #[test]
    fn the_soft_limit_of_open_files_goes_up_to_the_hard_one() {
        let hard = nofile().1;
        let lower = hard.map_or(OPEN_MAX, |hard| hard.min(OPEN_MAX)) - 1;
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(lower),
                maximum: hard,
            },
        )
        .unwrap();
        let (before, after) = raise_nofile();
        assert_eq!((before, after), (Some(lower), nofile().0));
        assert!(after.is_none_or(|after| after > lower));
        if cfg!(target_os = "linux") {
            assert_eq!(after, hard);
        }
        assert_eq!(raise_nofile(), (after, after), "there is no more");
    }
}
