//! What control groups say of this process: CPU quota, memory limit, throttled time, number of tasks; version 2, then version 1.
//!
//! Paths and formats are those of the kernel's `Documentation/admin-guide/cgroup-v2.rst`, `cgroup-v1/memory.rst`, `cgroup-v1/pids.rst` and
//! `Documentation/scheduler/sched-bwc.rst`, and of cgroups(7) for `/proc/self/cgroup`. A limit of any parent holds for its children, so every
//! level that can be seen is read and the tightest wins. On Fargate the quota is on the task's group, which a container cannot see: nothing is
//! found then, and the ECS metadata ([`super::ecs`]) has to say it.
//!
//! Reads files under the two roots it is given; decides nothing, writes nothing. A file that is not there is not an error.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Which generation of control groups a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy for every controller.
    V2,
    /// A hierarchy for each controller.
    V1,
}

/// Where the kernel's files are; temporary folders in tests.
#[derive(Clone, Copy, Debug)]
pub struct Roots<'a> {
    /// `/proc`.
    pub proc: &'a Path,
    /// `/sys/fs/cgroup`.
    pub cgroup: &'a Path,
}

/// A CPU bandwidth limit.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuQuota {
    /// Quota ÷ period.
    pub vcpu: f64,
    /// The generation it comes from.
    pub version: Version,
    /// The group's folder.
    level: PathBuf,
}

/// The tightest CPU quota over this process; version 1 is asked only where version 2 has none. `None`: unlimited as far as can be seen.
pub fn cpu_quota(roots: Roots<'_>) -> Option<CpuQuota> {
    hierarchies(roots, "cpu")
        .into_iter()
        .find_map(|Hierarchy { version, levels }| {
            let quotas = levels.into_iter().filter_map(|level| {
                Some(CpuQuota {
                    vcpu: quota_of(&level, version)?,
                    version,
                    level,
                })
            });
            quotas.min_by(|a, b| a.vcpu.total_cmp(&b.vcpu))
        })
}

fn quota_of(level: &Path, version: Version) -> Option<f64> {
    match version {
        Version::V2 => parse_cpu_max(&read(level, "cpu.max")?),
        Version::V1 => parse_cfs_quota(
            &read(level, "cpu.cfs_quota_us")?,
            &read(level, "cpu.cfs_period_us")?,
        ),
    }
}

/// `cpu.max`: `QUOTA PERIOD` in microseconds, QUOTA `max` when unlimited; vCPU = quota ÷ period.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    parse_cfs_quota(quota, period)
}

/// `cpu.cfs_quota_us` (−1 when unlimited) and `cpu.cfs_period_us`.
fn parse_cfs_quota(quota: &str, period: &str) -> Option<f64> {
    let microseconds = |text: &str| {
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|value| *value > 0)
            .map(f64::from)
    };
    Some(microseconds(quota)? / microseconds(period)?)
}

/// The counter of the time that this process's group was held back by its CPU quota.
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottleCounter {
    version: Version,
    level: PathBuf,
}

impl ThrottleCounter {
    /// The counter of the group that holds the tightest quota. `None` where no quota is visible: a group without one counts zero however much its
    /// parent is throttled, and zero would be a lie.
    pub fn find(roots: Roots<'_>) -> Option<Self> {
        cpu_quota(roots).map(|CpuQuota { version, level, .. }| Self { version, level })
    }

    /// Nanoseconds so far, over all CPUs and all processes of the group; take the difference of two readings.
    pub fn read_ns(&self) -> Option<u64> {
        parse_throttled_ns(&read(&self.level, "cpu.stat")?, self.version)
    }
}

/// `cpu.stat`: `throttled_usec` (version 2, microseconds) or `throttled_time` (version 1, nanoseconds).
fn parse_throttled_ns(text: &str, version: Version) -> Option<u64> {
    let (name, ns) = match version {
        Version::V2 => ("throttled_usec", 1_000),
        Version::V1 => ("throttled_time", 1),
    };
    let (_, value) = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)?;
    value.trim().parse::<u64>().ok()?.checked_mul(ns)
}

/// From here on a memory limit means «none»: version 1 writes the largest page-aligned `i64` for it.
const UNLIMITED_BYTES: u64 = 1 << 60;

/// The tightest memory limit over this process, in bytes, and its generation.
pub fn memory_limit(roots: Roots<'_>) -> Option<(u64, Version)> {
    hierarchies(roots, "memory")
        .into_iter()
        .find_map(|Hierarchy { version, levels }| {
            let name = match version {
                Version::V2 => "memory.max",
                Version::V1 => "memory.limit_in_bytes",
            };
            let limits = levels
                .iter()
                .filter_map(|level| parse_limit(&read(level, name)?));
            Some((
                limits.filter(|limit| *limit < UNLIMITED_BYTES).min()?,
                version,
            ))
        })
}

/// A number, or `max`.
fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// How many tasks (processes and threads) a group may hold, and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pids {
    /// The limit; `None` when there is none to be seen.
    pub max: Option<u64>,
    /// Tasks now, in the group that `max` belongs to.
    pub current: Option<u64>,
}

impl Pids {
    /// Tasks that can still start; the largest number where there is no limit, so that groups sort by it.
    fn room(&self) -> u64 {
        self.max.map_or(u64::MAX, |max| {
            max.saturating_sub(self.current.unwrap_or(0))
        })
    }
}

/// The group over this process that has room for the fewest more tasks.
pub fn pids(roots: Roots<'_>) -> Pids {
    let levels = hierarchies(roots, "pids")
        .into_iter()
        .flat_map(|hierarchy| hierarchy.levels);
    let all = levels.map(|level| {
        let number = |name| read(&level, name).and_then(|text| parse_limit(&text));
        Pids {
            max: number("pids.max"),
            current: number("pids.current"),
        }
    });
    let known = all.filter(|pids| *pids != Pids::default());
    known.min_by_key(Pids::room).unwrap_or_default()
}

/// Folders of the groups that this process is in for a controller, its own first and the mount last; those of version 2 first.
pub fn levels_of(roots: Roots<'_>, controller: &str) -> Vec<(Version, PathBuf)> {
    let all = hierarchies(roots, controller).into_iter();
    all.flat_map(|Hierarchy { version, levels }| {
        levels.into_iter().map(move |level| (version, level))
    })
    .collect()
}

/// The folders of one controller that this process is in: its own first, then each parent up to the mount.
struct Hierarchy {
    version: Version,
    levels: Vec<PathBuf>,
}

/// The hierarchies in which `controller` may be, version 2 first.
fn hierarchies(roots: Roots<'_>, controller: &str) -> Vec<Hierarchy> {
    let text = read(roots.proc, "self/cgroup").unwrap_or_default();
    let mut found: Vec<Hierarchy> = text
        .lines()
        .filter_map(parse_membership)
        .filter_map(|(controllers, path)| {
            let (version, mount) = mount_of(roots.cgroup, controllers, controller)?;
            Some(Hierarchy {
                version,
                levels: levels(&mount, path),
            })
        })
        .collect();
    found.sort_by_key(|hierarchy| hierarchy.version == Version::V1);
    found
}

/// A line of `/proc/self/cgroup`, `number:controllers:path`; controllers are empty for version 2, and a path may hold colons.
fn parse_membership(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.splitn(3, ':');
    let _number = fields.next()?;
    Some((fields.next()?, fields.next()?))
}

/// Where the hierarchy of these controllers is mounted, if `wanted` can be one of them: by systemd's convention version 2 is the root itself,
/// or `unified` beside version 1; version 1 has a folder of the controllers' names, or a link of one name.
fn mount_of(root: &Path, controllers: &str, wanted: &str) -> Option<(Version, PathBuf)> {
    if controllers.is_empty() {
        let mounts = [root.to_path_buf(), root.join("unified")];
        return mounts
            .into_iter()
            .find(|mount| mount.join("cgroup.controllers").exists())
            .map(|mount| (Version::V2, mount));
    }
    if !controllers.split(',').any(|name| name == wanted) {
        return None;
    }
    let mounts = [root.join(controllers), root.join(wanted)];
    mounts
        .into_iter()
        .find(|mount| mount.is_dir())
        .map(|mount| (Version::V1, mount))
}

/// `path` below `mount`, and its parents up to `mount`. In a container without a cgroup namespace `path` is the host's and is not below the
/// mount, which then is the container's own group; such levels hold no files and drop out when they are read. A path that leaves the namespace
/// (`/../x`) leaves the mount alone.
fn levels(mount: &Path, path: &str) -> Vec<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    if path.components().any(|part| part == Component::ParentDir) {
        return vec![mount.to_path_buf()];
    }
    mount
        .join(path)
        .ancestors()
        .take_while(|level| level.starts_with(mount))
        .map(Path::to_path_buf)
        .collect()
}

fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folders like the kernel's, from pairs of path and content.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for (path, content) in files {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Self(root)
        }

        fn with<T>(&self, ask: impl Fn(Roots<'_>) -> T) -> T {
            let root = self.0.path();
            ask(Roots {
                proc: &root.join("proc"),
                cgroup: &root.join("cgroup"),
            })
        }
    }

    const V2: &[(&str, &str)] = &[
        ("proc/self/cgroup", "0::/a/b\n"),
        ("cgroup/cgroup.controllers", "cpu memory pids\n"),
        ("cgroup/a/cpu.max", "50000 100000\n"),
        (
            "cgroup/a/cpu.stat",
            "usage_usec 9\nnr_throttled 3\nthrottled_usec 1500\n",
        ),
        ("cgroup/a/b/cpu.max", "400000 100000\n"),
        (
            "cgroup/a/b/cpu.stat",
            "usage_usec 9\nnr_throttled 0\nthrottled_usec 0\n",
        ),
        ("cgroup/a/memory.max", "2147483648\n"),
        ("cgroup/a/b/memory.max", "max\n"),
        ("cgroup/a/pids.max", "100\n"),
        ("cgroup/a/pids.current", "95\n"),
        ("cgroup/a/b/pids.max", "50\n"),
        ("cgroup/a/b/pids.current", "3\n"),
    ];

    #[test]
    fn the_tightest_level_of_version_2_wins() {
        let tree = Tree::new(V2);
        let quota = tree.with(cpu_quota).unwrap();
        assert_eq!((quota.vcpu, quota.version), (0.5, Version::V2));
        assert_eq!(tree.with(memory_limit), Some((2_147_483_648, Version::V2)));
        assert_eq!(
            tree.with(pids),
            Pids {
                max: Some(100),
                current: Some(95)
            },
            "5 left in the parent, 47 in the group itself"
        );
        assert_eq!(
            tree.with(ThrottleCounter::find).unwrap().read_ns(),
            Some(1_500_000),
            "of the level whose quota is the tightest"
        );
    }

    #[test]
    fn throttled_time_is_unknown_where_no_quota_is_visible() {
        let tree = Tree::new(&[
            ("proc/self/cgroup", "0::/\n"),
            ("cgroup/cgroup.controllers", "cpu\n"),
            ("cgroup/cpu.max", "max 100000\n"),
            ("cgroup/cpu.stat", "throttled_usec 0\n"),
        ]);
        assert_eq!(tree.with(cpu_quota), None);
        assert_eq!(tree.with(ThrottleCounter::find), None);
    }

    #[test]
    fn version_1_in_a_container_is_read_at_the_mount() {
        let tree = Tree::new(&[
            (
                "proc/self/cgroup",
                "5:pids:/docker/x\n4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n",
            ),
            ("cgroup/cpu,cpuacct/cpu.cfs_quota_us", "25000\n"),
            ("cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            (
                "cgroup/cpu,cpuacct/cpu.stat",
                "nr_periods 4\nnr_throttled 2\nthrottled_time 123\n",
            ),
            (
                "cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("cgroup/pids/pids.max", "max\n"),
            ("cgroup/pids/pids.current", "7\n"),
        ]);
        let quota = tree.with(cpu_quota).unwrap();
        assert_eq!((quota.vcpu, quota.version), (0.25, Version::V1));
        assert_eq!(
            tree.with(ThrottleCounter::find).unwrap().read_ns(),
            Some(123)
        );
        assert_eq!(
            tree.with(memory_limit),
            None,
            "version 1 writes a huge number for none"
        );
        assert_eq!(
            tree.with(pids),
            Pids {
                max: None,
                current: Some(7)
            }
        );
    }

    #[test]
    fn version_1_is_asked_where_version_2_beside_it_has_no_quota() {
        let tree = Tree::new(&[
            ("proc/self/cgroup", "8:cpu:/box\n0::/\n"),
            ("cgroup/unified/cgroup.controllers", "\n"),
            ("cgroup/cpu/box/cpu.cfs_quota_us", "150000\n"),
            ("cgroup/cpu/box/cpu.cfs_period_us", "100000\n"),
            ("cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        let quota = |tree: &Tree| {
            tree.with(cpu_quota)
                .map(|quota| (quota.vcpu, quota.version))
        };
        assert_eq!(quota(&tree), Some((1.5, Version::V1)));
        fs::write(
            tree.0.path().join("cgroup/unified/cpu.max"),
            "200000 100000\n",
        )
        .unwrap();
        assert_eq!(quota(&tree), Some((2.0, Version::V2)));
    }

    #[test]
    fn a_path_out_of_the_namespace_stays_at_the_mount() {
        assert_eq!(levels(Path::new("/m"), "/../other"), [Path::new("/m")]);
        assert_eq!(
            levels(Path::new("/m"), "/a/b"),
            ["/m/a/b", "/m/a", "/m"].map(PathBuf::from)
        );
        assert_eq!(levels(Path::new("/m"), "/").len(), 1);
    }

    #[test]
    fn levels_go_from_the_own_group_to_the_mount() {
        let tree = Tree::new(V2);
        let root = tree.0.path().join("cgroup");
        let expected = ["a/b", "a", ""].map(|level| {
            (
                Version::V2,
                if level.is_empty() {
                    root.clone()
                } else {
                    root.join(level)
                },
            )
        });
        assert_eq!(tree.with(|roots| levels_of(roots, "cpu")), expected);
    }

    #[test]
    fn nothing_there_is_nothing_known() {
        let tree = Tree::new(&[]);
        assert_eq!(tree.with(cpu_quota), None);
        assert_eq!(tree.with(memory_limit), None);
        assert_eq!(tree.with(pids), Pids::default());
    }

    #[test]
    fn odd_content_is_unknown() {
        for bad in ["", "max", "0 100000", "100000 0", "a b", "-1 100000"] {
            assert_eq!(parse_cpu_max(bad), None, "{bad}");
        }
        assert_eq!(parse_throttled_ns("throttled_usec x\n", Version::V2), None);
        assert_eq!(
            parse_throttled_ns("throttled_usec 18446744073709551615\n", Version::V2),
            None
        );
        assert_eq!(parse_membership("4:cpu:/a:b"), Some(("cpu", "/a:b")));
        assert_eq!(parse_membership("4:cpu"), None);
    }
}
