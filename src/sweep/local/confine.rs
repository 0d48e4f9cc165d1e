//! Holds processes to a number of vCPU and an amount of memory on this machine, and reads what they used.
//!
//! By a quota in a control group of version 2 or 1 (`Documentation/admin-guide/cgroup-v2.rst`, `Documentation/scheduler/sched-bwc.rst`), else in a
//! scope of the user's systemd, else by affinity for whole vCPU. Owns the groups that it makes, and removes them with all that is left in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::cell::UNITS_PER_VCPU;
use crate::platform::cgroup::{self, Roots, Version};
use crate::platform::usage::CpuTimes;
use crate::results::record::Means;

/// Length of a quota's period: the kernel's default, and what container engines take.
const PERIOD_US: u64 = 100_000;
/// Tries to empty a group; each kill is done when its process is next scheduled.
const KILLS: u32 = 200;

/// What this machine offers to hold processes with.
#[derive(Clone, Debug)]
pub(super) struct Confiner {
    quota: Option<Quota>,
    memory: Option<(Version, PathBuf)>,
    accounting: Option<PathBuf>,
    /// Part of every group's name: groups that a killed sweep left are found by it.
    name: String,
}

#[derive(Clone, Debug)]
enum Quota {
    ControlGroup(Version, PathBuf),
    Systemd,
}

/// The size that processes are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellSize {
    /// vCPU × 1024.
    pub(super) cpu_units: u32,
    /// MiB; none = as much as there is.
    pub(super) memory_mib: Option<u32>,
}

impl Confiner {
    /// Finds out, by making a group and removing it. `name` tells the groups of one sweep from those of others.
    pub(super) fn probe(roots: Roots<'_>, name: &str) -> Self {
        let usable = |controller: &str, file: fn(Version) -> &'static str| {
            let levels = cgroup::levels_of(roots, controller);
            levels
                .into_iter()
                .find(|(version, level)| can_make(level, &format!("{name}-probe"), file(*version)))
        };
        let quota = usable("cpu", |version| {
            if version == Version::V2 {
                "cpu.max"
            } else {
                "cpu.cfs_quota_us"
            }
        });
        let quota = quota
            .map(|(version, level)| Quota::ControlGroup(version, level))
            .or_else(|| systemd_works().then_some(Quota::Systemd));
        let memory = usable("memory", |version| {
            if version == Version::V2 {
                "memory.max"
            } else {
                "memory.limit_in_bytes"
            }
        });
        let accounting = usable("cpuacct", |version| {
            if version == Version::V2 {
                "cpu.stat"
            } else {
                "cpuacct.usage"
            }
        });
        // Version 2 counts CPU time in the group of the quota itself.
        let accounting = accounting
            .filter(|(version, _)| *version == Version::V1)
            .map(|(_, level)| level);
        Self {
            quota,
            memory,
            accounting,
            name: name.to_owned(),
        }
    }

    /// What would hold the vCPU of this size; none when nothing here can.
    pub(super) fn means(&self, cpu_units: u32) -> Option<Means> {
        match &self.quota {
            Some(Quota::ControlGroup(Version::V2, _)) => Some(Means::CgroupV2),
            Some(Quota::ControlGroup(Version::V1, _)) => Some(Means::CgroupV1),
            Some(Quota::Systemd) => Some(Means::SystemdScope),
            None => cpu_units
                .is_multiple_of(UNITS_PER_VCPU)
                .then_some(Means::Affinity),
        }
    }

    /// What would hold the memory.
    pub(super) fn memory_means(&self) -> Option<Means> {
        match (&self.memory, &self.quota) {
            (Some((Version::V2, _)), _) => Some(Means::CgroupV2),
            (Some((Version::V1, _)), _) => Some(Means::CgroupV1),
            (None, Some(Quota::Systemd)) => Some(Means::SystemdScope),
            (None, _) => None,
        }
    }

    /// Ends what a killed sweep of the same name left behind, and removes its groups.
    pub(super) fn clean(&self) {
        let parents = [
            self.quota_parent().map(|(_, path)| path),
            self.memory.as_ref().map(|(_, path)| path),
            self.accounting.as_ref(),
        ];
        for parent in parents.into_iter().flatten() {
            let left = fs::read_dir(parent)
                .into_iter()
                .flatten()
                .filter_map(Result::ok);
            for entry in left.filter(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("{}-", self.name))
            }) {
                remove(&entry.path());
            }
        }
    }

    fn quota_parent(&self) -> Option<(Version, &PathBuf)> {
        match &self.quota {
            Some(Quota::ControlGroup(version, path)) => Some((*version, path)),
            _ => None,
        }
    }

    /// Makes the groups for one process of this size; `label` tells it from others that run at the same time.
    pub(super) fn group(&self, size: CellSize, label: &str) -> io::Result<ControlGroup> {
        let name = format!("{}-{label}", self.name);
        let mut group = ControlGroup {
            cpu: None,
            memory: None,
            accounting: None,
            scope: Vec::new(),
        };
        let quota_us = PERIOD_US * u64::from(size.cpu_units) / u64::from(UNITS_PER_VCPU);
        let bytes = size.memory_mib.map(|mib| u64::from(mib) << 20);
        if let Some((version, parent)) = self.quota_parent() {
            let path = make(parent, &name)?;
            group.cpu = Some((version, path.clone()));
            match version {
                Version::V2 => fs::write(path.join("cpu.max"), format!("{quota_us} {PERIOD_US}"))?,
                Version::V1 => {
                    fs::write(path.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
                    fs::write(path.join("cpu.cfs_quota_us"), quota_us.to_string())?;
                }
            }
        } else if let Some(Quota::Systemd) = self.quota {
            // A percentage with decimals: 12.5 % of a CPU is the smallest step there is.
            let percent = f64::from(size.cpu_units) * 100.0 / f64::from(UNITS_PER_VCPU);
            group.scope = vec![format!("CPUQuota={percent}%")];
            group
                .scope
                .extend(bytes.map(|bytes| format!("MemoryMax={bytes}")));
        }
        if let (Some((version, parent)), Some(bytes)) = (&self.memory, bytes) {
            // One group can hold both in version 2, and it is the same folder then.
            let path = make(parent, &name)?;
            group.memory = Some((*version, path.clone()));
            fs::write(
                path.join(if *version == Version::V2 {
                    "memory.max"
                } else {
                    "memory.limit_in_bytes"
                }),
                bytes.to_string(),
            )?;
        }
        if let Some(parent) = &self.accounting {
            group.accounting = Some(make(parent, &name)?);
        }
        Ok(group)
    }
}

/// One run's control groups. Dropping them ends whatever is still in them.
#[derive(Debug)]
pub(super) struct ControlGroup {
    cpu: Option<(Version, PathBuf)>,
    memory: Option<(Version, PathBuf)>,
    accounting: Option<PathBuf>,
    scope: Vec<String>,
}

impl ControlGroup {
    /// Folders that a process enters before it becomes the program.
    pub(super) fn folders(&self) -> Vec<&Path> {
        let groups = [
            self.cpu.as_ref().map(|(_, path)| path),
            self.memory.as_ref().map(|(_, path)| path),
            self.accounting.as_ref(),
        ];
        let mut folders: Vec<&Path> = groups.into_iter().flatten().map(PathBuf::as_path).collect();
        folders.dedup();
        folders
    }

    /// Properties of the systemd scope to start in; none without one.
    pub(super) fn scope(&self) -> &[String] {
        &self.scope
    }

    /// Processes in the group now; `None` when no group holds them.
    pub(super) fn processes(&self) -> Option<Vec<u32>> {
        let folder = self.folders().into_iter().next()?;
        Some(
            fs::read_to_string(folder.join("cgroup.procs"))
                .ok()?
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect(),
        )
    }

    /// CPU time of all that ran in the group.
    pub(super) fn cpu_times(&self) -> Option<CpuTimes> {
        if let Some(folder) = &self.accounting {
            let read = |name| {
                fs::read_to_string(folder.join(name))
                    .ok()?
                    .trim()
                    .parse::<u64>()
                    .ok()
            };
            return Some(CpuTimes {
                user_ns: read("cpuacct.usage_user")?,
                sys_ns: read("cpuacct.usage_sys")?,
            });
        }
        let (Version::V2, folder) = self.cpu.as_ref()? else {
            return None;
        };
        let text = fs::read_to_string(folder.join("cpu.stat")).ok()?;
        let read = |name: &str| field(&text, name)?.checked_mul(1_000);
        Some(CpuTimes {
            user_ns: read("user_usec")?,
            sys_ns: read("system_usec")?,
        })
    }

    /// Time in which the quota held the group back, summed over its CPUs.
    pub(super) fn throttled_ns(&self) -> Option<u64> {
        let (version, folder) = self.cpu.as_ref()?;
        let text = fs::read_to_string(folder.join("cpu.stat")).ok()?;
        match version {
            Version::V2 => field(&text, "throttled_usec")?.checked_mul(1_000),
            Version::V1 => field(&text, "throttled_time"),
        }
    }

    /// Processes that the kernel ended because the group was out of memory.
    pub(super) fn out_of_memory(&self) -> bool {
        let Some((version, folder)) = &self.memory else {
            return false;
        };
        let name = if *version == Version::V2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        fs::read_to_string(folder.join(name))
            .ok()
            .and_then(|text| field(&text, "oom_kill"))
            .is_some_and(|kills| kills > 0)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        for folder in self.folders() {
            remove(folder);
        }
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)?
        .1
        .trim()
        .parse()
        .ok()
}

fn make(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let path = parent.join(name);
    match fs::create_dir(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(path),
    }
}

/// Whether a group can be made below this level and has the file that limits.
fn can_make(level: &Path, name: &str, file: &str) -> bool {
    let Ok(path) = make(level, name) else {
        return false;
    };
    // A folder that is no control group takes no `cgroup.procs`, and a level that does not hand the controller down has no such file.
    let works = path.join(file).exists() && path.join("cgroup.procs").exists();
    remove(&path);
    works
}

/// Ends what is in a group and removes it: a group with processes in it stays.
fn remove(folder: &Path) {
    for _ in 0..KILLS {
        let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        for pid in processes
            .lines()
            .filter_map(|line| line.parse().ok())
            .filter_map(Pid::from_raw)
        {
            // Gone already is what was wanted.
            let _gone = kill_process(pid, Signal::KILL);
        }
        match fs::remove_dir(folder) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => {
                std::thread::yield_now();
            }
            _ => return,
        }
    }
}

/// Whether `systemd-run --user --scope` starts something.
fn systemd_works() -> bool {
    let mut command = Command::new("systemd-run");
    command.args([
        "--user",
        "--scope",
        "--quiet",
        "--collect",
        "-p",
        "CPUQuota=100%",
        "--",
        "true",
    ]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folders that look like a hierarchy: files do not appear by themselves, so a group can be made in none of them.
    #[test]
    fn folders_that_are_no_control_groups_hold_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::create_dir_all(root.path().join("cgroup/cpu")).unwrap();
        fs::write(root.path().join("proc/self/cgroup"), "1:cpu:/\n0::/\n").unwrap();
        let confiner = Confiner::probe(
            Roots {
                proc: &root.path().join("proc"),
                cgroup: &root.path().join("cgroup"),
            },
            "p",
        );
        assert_eq!(confiner.memory_means(), None);
        assert_eq!(
            fs::read_dir(root.path().join("cgroup/cpu"))
                .unwrap()
                .count(),
            0,
            "the probe leaves nothing"
        );
        if confiner.quota.is_none() {
            assert_eq!(
                (confiner.means(2048), confiner.means(512)),
                (Some(Means::Affinity), None)
            );
        }
    }

    fn group(files: &[(&str, &str)], version: Version) -> (tempfile::TempDir, ControlGroup) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let path = dir.path().to_owned();
        let accounting = (version == Version::V1).then(|| path.clone());
        (
            dir,
            ControlGroup {
                cpu: Some((version, path.clone())),
                memory: Some((version, path)),
                accounting,
                scope: Vec::new(),
            },
        )
    }

    #[test]
    fn what_a_group_used_is_read() {
        let v2 = [
            (
                "cpu.stat",
                "usage_usec 9\nuser_usec 5\nsystem_usec 4\nnr_throttled 1\nthrottled_usec 7\n",
            ),
            ("memory.events", "oom 1\noom_kill 1\n"),
            ("cgroup.procs", ""),
        ];
        let (_dir, group) = group(&v2, Version::V2);
        assert_eq!(
            group.cpu_times(),
            Some(CpuTimes {
                user_ns: 5_000,
                sys_ns: 4_000
            })
        );
        assert_eq!(
            (
                group.throttled_ns(),
                group.out_of_memory(),
                group.processes()
            ),
            (Some(7_000), true, Some(vec![]))
        );
        assert_eq!(group.folders().len(), 1, "one folder for both controllers");
    }

    #[test]
    fn version_1_counts_in_nanoseconds() {
        let v1 = [
            ("cpu.stat", "nr_throttled 1\nthrottled_time 7\n"),
            ("cpuacct.usage_user", "5\n"),
            ("cpuacct.usage_sys", "4\n"),
            (
                "memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
            ),
        ];
        let (_dir, group) = group(&v1, Version::V1);
        assert_eq!(
            group.cpu_times(),
            Some(CpuTimes {
                user_ns: 5,
                sys_ns: 4
            })
        );
        assert_eq!(
            (
                group.throttled_ns(),
                group.out_of_memory(),
                group.processes()
            ),
            (Some(7), false, None)
        );
    }
}
