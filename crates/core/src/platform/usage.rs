//! What a process has used: CPU time and context switches from getrusage(2), memory from `/proc/PID/smaps_rollup` (`proc_pid_smaps(5)`) and
//! `/proc/self/status`.
//!
//! Readings only; who subtracts two of them decides over which phase.

use std::fs;
use std::ops::{Add, Sub};
use std::path::Path;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

/// CPU time, as a reading since the process began or as the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CpuTimes {
    /// Time in the program.
    pub user_ns: u64,
    /// Time in the kernel on the program's behalf.
    pub sys_ns: u64,
}

impl CpuTimes {
    #[cfg(test)]
    fn total_ns(&self) -> u64 {
        self.user_ns.saturating_add(self.sys_ns)
    }
}

impl Add for CpuTimes {
    type Output = Self;

    /// What two processes used together.
    fn add(self, other: Self) -> Self {
        Self {
            user_ns: self.user_ns.saturating_add(other.user_ns),
            sys_ns: self.sys_ns.saturating_add(other.sys_ns),
        }
    }
}

impl Sub for CpuTimes {
    type Output = Self;

    /// What was used since an `earlier` reading, never below 0.
    fn sub(self, earlier: Self) -> Self {
        Self {
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            sys_ns: self.sys_ns.saturating_sub(earlier.sys_ns),
        }
    }
}

/// CPU time of this process, all threads.
pub fn cpu_times() -> Option<CpuTimes> {
    times(UsageWho::RUSAGE_SELF)
}

/// CPU time of the children that have ended and been waited for, and of theirs.
pub fn children_cpu_times() -> Option<CpuTimes> {
    times(UsageWho::RUSAGE_CHILDREN)
}

/// The number of this thread: the kernel's on Linux; elsewhere none is to be had without `unsafe`, and 0 stands for it.
pub fn thread_id() -> u32 {
    #[cfg(target_os = "linux")]
    return u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    return 0;
}

/// The most memory that this process ever had resident, shared pages counted whole.
///
/// On Linux `VmHWM` of `/proc/self/status` (`proc_pid_status(5)`), which begins anew with exec. `ru_maxrss` of getrusage(2) does not: a process starts
/// out with the peak of the one that started it (`exec_mmap` in the kernel's `fs/exec.c`), so each child of `--mode process` would
/// be as large as its parent. Elsewhere `ru_maxrss` is all there is.
pub fn peak_rss_bytes() -> Option<u64> {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| parse_kib_line(&text, "VmHWM:"))
        .or_else(max_rss_bytes)
}

fn max_rss_bytes() -> Option<u64> {
    // Kibibytes on Linux, bytes on macOS: getrusage(2) of either.
    const UNIT: u64 = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };
    u64::try_from(getrusage(UsageWho::RUSAGE_SELF).ok()?.max_rss())
        .ok()?
        .checked_mul(UNIT)
}

/// The memory of a process now, shared pages counted in proportion (PSS), so that processes can be summed. Costs a walk over its page tables,
/// so never inside a measured phase. `None` for a process that is gone or not ours, and wherever the kernel is not Linux.
pub fn pss_bytes(pid: u32) -> Option<u64> {
    let path = Path::new("/proc")
        .join(pid.to_string())
        .join("smaps_rollup");
    parse_kib_line(&fs::read_to_string(path).ok()?, "Pss:")
}

/// A process and all that came from it and still run, as `/proc` shows them now (`stat`, field 4: the parent's id); the process alone elsewhere.
pub fn family(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids
        .filter_map(|pid| {
            Some((
                pid,
                parent_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?,
            ))
        })
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
        next += 1;
    }
    family
}

/// The name in parentheses may hold anything, parentheses too.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// True when a process wants a CPU, or is held by a debugger: if it is silent, that is not its own doing. As `/proc/PID/stat` says (field 3,
/// `proc_pid_stat(5)`); false for one that sleeps, was stopped or is gone, and wherever the kernel is not Linux.
pub fn wants_cpu(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| state_in(&stat).is_some_and(|state| ["R", "t"].contains(&state)))
}

fn state_in(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().next()
}

fn times(who: UsageWho) -> Option<CpuTimes> {
    let usage: Usage = getrusage(who).ok()?;
    Some(CpuTimes {
        user_ns: ns(usage.user_time())?,
        sys_ns: ns(usage.system_time())?,
    })
}

fn ns(time: TimeVal) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    let microseconds = u64::try_from(time.tv_usec()).ok()?;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(microseconds.checked_mul(1_000)?)
}

/// A line like `MemTotal:  1234 kB` (kibibytes, whatever it says) of a file under `/proc`, in bytes.
pub(super) fn parse_kib_line(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value
        .trim()
        .strip_suffix("kB")?
        .trim_end()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_of_proc_are_kibibytes() {
        assert_eq!(
            parse_kib_line("MemFree: 1 kB\nMemTotal:       16 kB\n", "MemTotal:"),
            Some(16_384)
        );
        assert_eq!(parse_kib_line("MemFree: 1 kB\n", "MemTotal:"), None);
        assert_eq!(parse_kib_line("MemTotal: 1 MB\n", "MemTotal:"), None);
    }

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("12 (a) b) (c) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in("12 a S 7"), None);
        assert_eq!(
            (
                state_in("12 (a) b) (c) S 7 12"),
                state_in("12 (R) T 7"),
                state_in("12 R")
            ),
            (Some("S"), Some("T"), None)
        );
        assert!(!wants_cpu(u32::MAX));
        let own = std::process::id();
        assert_eq!(family(own).first(), Some(&own));
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = cpu_times().unwrap();
        let mut sum = 0_u64;
        while (cpu_times().unwrap() - before).total_ns() < 2_000_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(children_cpu_times().is_some());
    }

    #[test]
    fn a_difference_never_goes_below_zero() {
        let early = CpuTimes {
            user_ns: 5,
            sys_ns: 9,
        };
        let late = CpuTimes {
            user_ns: 8,
            sys_ns: 7,
        };
        assert_eq!(
            late - early,
            CpuTimes {
                user_ns: 3,
                sys_ns: 0
            }
        );
        assert_eq!(late.total_ns(), 15);
    }

    #[test]
    fn times_are_whole_nanoseconds() {
        assert_eq!(ns(TimeVal::new(2, 345_678)), Some(2_345_678_000));
        assert_eq!(ns(TimeVal::new(-1, 0)), None);
    }

    #[test]
    fn pss_is_read_from_the_rollup() {
        let text = "5581e0000-7ffd1000 ---p 00000000 00:00 0    [rollup]\nRss:    884 kB\nPss:    385 kB\nPss_Dirty:    68 kB\n";
        assert_eq!(parse_kib_line(text, "Pss:"), Some(394_240));
        assert_eq!(parse_kib_line("Rss: 1 kB\n", "Pss:"), None);
    }

    #[test]
    fn this_process_has_memory() {
        // A test process has at least a mebibyte resident, and cannot have a tebibyte.
        assert!((1 << 20..1 << 40).contains(&peak_rss_bytes().unwrap()));
        assert!((1 << 20..1 << 40).contains(&max_rss_bytes().unwrap()));
        if cfg!(target_os = "linux") {
            assert!(pss_bytes(std::process::id()).unwrap() > 1 << 19);
        }
        assert_eq!(pss_bytes(u32::MAX), None);
    }
}
