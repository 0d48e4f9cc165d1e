//! The pairs of vCPU and memory in which Fargate sells tasks (Linux, platform version 1.4.0).

/// Every CPU size, in CPU units; 1,024 of them are one vCPU.
pub const CPU_UNITS: [u32; 8] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];

/// Most pairs that [`nearest_sizes`] names.
const NEAREST: usize = 3;

/// Memory sizes in MiB, ascending, that go with `cpu_units`; `None` when Fargate has no such CPU size.
///
/// From <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>; 32 vCPU, sold since 2026, has three sizes only
/// (<https://github.com/aws-cloudformation/cfn-lint/pull/4668>).
pub fn fargate_memories(cpu_units: u32) -> Option<Vec<u32>> {
    let steps = |first: u32, last: u32, step: usize| Some((first..=last).step_by(step).collect());
    match cpu_units {
        256 => Some(vec![512, 1_024, 2_048]),
        512 => steps(1_024, 4_096, 1_024),
        1_024 => steps(2_048, 8_192, 1_024),
        2_048 => steps(4_096, 16_384, 1_024),
        4_096 => steps(8_192, 30_720, 1_024),
        8_192 => steps(16_384, 61_440, 4_096),
        16_384 => steps(32_768, 122_880, 8_192),
        32_768 => Some(vec![61_440, 122_880, 249_856]),
        _ => None,
    }
}

/// The smallest valid pair with at least these CPU units and, as far as so many allow, this memory; `None` above 32 vCPU and for a size that is not known
/// (0).
pub fn holding_size(cpu_units: u32, memory_mib: u32) -> Option<(u32, u32)> {
    if cpu_units == 0 || memory_mib == 0 {
        return None;
    }
    let units = CPU_UNITS.into_iter().find(|units| *units >= cpu_units)?;
    let memories = fargate_memories(units)?;
    let memory_mib = memories
        .iter()
        .find(|memory| **memory >= memory_mib)
        .or(memories.last())?;
    Some((units, *memory_mib))
}

/// MiB that a task needs for a measured peak of so many bytes: samples lie seconds apart, and a whole bucket takes longer than one run.
pub fn memory_for_peak(peak_bytes: f64) -> u32 {
    const MARGIN: f64 = 2.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates"
    )]
    let mib = (peak_bytes * MARGIN / f64::from(1 << 20)).ceil() as u32;
    mib.max(1)
}

/// The valid pairs of CPU units and MiB nearest to a pair that is not: at most 3, the nearest first; of a valid one, itself is first.
///
/// Distance is in factors, half as far as twice, those of vCPU and memory multiplied; of equally near ones the smaller is first, since it costs less.
pub fn nearest_sizes(cpu_units: u32, memory_mib: u32) -> Vec<(u32, u32)> {
    let factor = |one: u32, other: u32| {
        (f64::from(one.max(1)) / f64::from(other.max(1)))
            .log2()
            .abs()
    };
    let mut sizes: Vec<(u32, u32)> = CPU_UNITS
        .iter()
        .flat_map(|cpu| {
            fargate_memories(*cpu)
                .into_iter()
                .flatten()
                .map(|memory| (*cpu, memory))
        })
        .collect();
    // Stable, and from small to large before.
    sizes.sort_by(|one, other| {
        let distance =
            |(cpu, memory): (u32, u32)| factor(cpu, cpu_units) + factor(memory, memory_mib);
        distance(*one).total_cmp(&distance(*other))
    });
    sizes.truncate(NEAREST);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_by_hand() {
        assert_eq!(fargate_memories(256), Some(vec![512, 1_024, 2_048]));
        assert_eq!(
            fargate_memories(512),
            Some(vec![1_024, 2_048, 3_072, 4_096])
        );
        assert_eq!(
            fargate_memories(1_024),
            Some(vec![2_048, 3_072, 4_096, 5_120, 6_144, 7_168, 8_192])
        );
        assert_eq!(
            fargate_memories(32_768),
            Some(vec![61_440, 122_880, 249_856])
        );
        assert_eq!(fargate_memories(1_000), None);
        // Count, first and last of the long ones.
        let ends = |cpu| {
            fargate_memories(cpu)
                .map(|memories| (memories.len(), memories[0], memories[memories.len() - 1]))
        };
        assert_eq!(ends(2_048), Some((13, 4_096, 16_384)));
        assert_eq!(ends(4_096), Some((23, 8_192, 30_720)));
        assert_eq!(ends(8_192), Some((12, 16_384, 61_440)));
        assert_eq!(ends(16_384), Some((12, 32_768, 122_880)));
        assert!(CPU_UNITS.iter().all(|cpu| fargate_memories(*cpu).is_some()));
    }

    #[test]
    fn nearest_by_hand() {
        // 1 vCPU with 512 MiB: each of these is a factor of 4 away in all; the smallest CPU first.
        assert_eq!(
            nearest_sizes(1_024, 512),
            [(256, 512), (512, 1_024), (1_024, 2_048)]
        );
        // 16 vCPU have 32 or 40 GiB, not 36: 40/36 is nearer than 36/32. Half the CPU with 36 GiB is a factor of 2 away.
        assert_eq!(
            nearest_sizes(16_384, 36_864),
            [(16_384, 40_960), (16_384, 32_768), (16_384, 49_152)]
        );
        // 3 vCPU with 8 GiB: 4/3 from 4 vCPU, 3/2 from 2.
        assert_eq!(
            nearest_sizes(3_072, 8_192),
            [(4_096, 8_192), (4_096, 9_216), (2_048, 8_192)]
        );
        assert_eq!(nearest_sizes(1_024, 2_048)[0], (1_024, 2_048));
        assert_eq!(nearest_sizes(0, 0)[0], (256, 512));
        assert_eq!(nearest_sizes(u32::MAX, u32::MAX)[0], (32_768, 249_856));
    }

    #[test]
    fn a_size_becomes_the_smallest_that_holds_it() {
        for (asked, found) in [
            ((256, 512), Some((256, 512))),
            ((256, 513), Some((256, 1_024))),
            ((1_024, 2_048), Some((1_024, 2_048))),
            ((1_024, 1_000), Some((1_024, 2_048))),
            ((1_500, 5_000), Some((2_048, 5_120))),
            ((2_048, 64_000), Some((2_048, 16_384))),
            ((4_096, 30_720), Some((4_096, 30_720))),
            ((8_192, 17_000), Some((8_192, 20_480))),
            ((32_768, 65_536), Some((32_768, 122_880))),
            ((65_536, 65_536), None),
            ((0, 1_024), None),
            ((1_024, 0), None),
        ] {
            assert_eq!(holding_size(asked.0, asked.1), found, "{asked:?}");
        }
        assert_eq!(
            [0.0, 1.0, 100.0 * 1_048_576.0, 1e30].map(memory_for_peak),
            [1, 1, 200, u32::MAX]
        );
    }
}
