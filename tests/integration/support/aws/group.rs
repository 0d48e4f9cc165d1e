//! A control group that holds a task to its vCPU, where this machine lets one be made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PERIOD_US: u32 = 100_000;
/// A group can be removed once its processes are reaped.
const REMOVAL: Duration = Duration::from_secs(2);

/// The group; gone when dropped.
pub(super) struct CpuGroup(PathBuf);

impl CpuGroup {
    /// A group for so many CPU units, if there can be one: version 1, or version 2 below this process's own group.
    pub(super) fn make(id: &str, cpu_units: u32) -> Option<Self> {
        let name = format!("parfetch-task-{}-{id}", std::process::id());
        let quota = u64::from(PERIOD_US) * u64::from(cpu_units) / 1_024;
        let first = Self(Path::new("/sys/fs/cgroup/cpu").join(&name));
        if first.0.parent()?.join("cpu.cfs_quota_us").exists() && fs::create_dir(&first.0).is_ok() {
            let set = fs::write(first.0.join("cpu.cfs_period_us"), PERIOD_US.to_string());
            return set
                .and_then(|()| fs::write(first.0.join("cpu.cfs_quota_us"), quota.to_string()))
                .ok()
                .map(|()| first);
        }
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own
            .lines()
            .find_map(|line| line.strip_prefix("0::/"))?
            .to_owned();
        let second = Self(Path::new("/sys/fs/cgroup").join(own).join(&name));
        fs::create_dir(&second.0).ok()?;
        fs::write(second.0.join("cpu.max"), format!("{quota} {PERIOD_US}"))
            .ok()
            .map(|()| second)
    }

    /// Puts a process into it; what it starts is in it too.
    pub(super) fn take(&self, pid: u32) {
        // One that has ended already needs no limit.
        let _ = fs::write(self.0.join("cgroup.procs"), pid.to_string());
    }
}

impl Drop for CpuGroup {
    fn drop(&mut self) {
        let end = Instant::now() + REMOVAL;
        while fs::remove_dir(&self.0).is_err() && self.0.exists() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
