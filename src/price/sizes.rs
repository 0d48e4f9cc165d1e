//! The sizes that Fargate has: pairs of CPU units and memory.
//!
//! From the rules E3047 and E3048 of cfn-lint 1.58 and the model of AWS Batch in botocore 1.44.5, which has 32 vCPU since 2026.

/// CPU units of the sizes, 1,024 a vCPU.
pub const CPU_UNITS: [u32; 8] = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];

/// Memory that goes with so many CPU units, in MiB, ascending; none for a size that there is not.
pub fn fargate_memories(cpu_units: u32) -> Option<Vec<u32>> {
    let steps = |from: u32, to: u32, step: u32| (from..=to).step_by(usize::try_from(step).unwrap_or(1)).map(|gib| gib * 1024).collect();
    Some(match cpu_units {
        256 => vec![512, 1024, 2048],
        512 => steps(1, 4, 1),
        1024 => steps(2, 8, 1),
        2048 => steps(4, 16, 1),
        4096 => steps(8, 30, 1),
        8192 => steps(16, 60, 4),
        16_384 => steps(32, 120, 8),
        32_768 => vec![60 * 1024, 120 * 1024, 244 * 1024],
        _ => return None,
    })
}

/// The pairs nearest to one that there is not, at most three: the nearest memory for the same vCPU, and the nearest vCPU that have that memory.
pub fn nearest_sizes(cpu_units: u32, memory_mib: u32) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    let nearest = |memories: Vec<u32>| memories.into_iter().min_by_key(|memory| memory.abs_diff(memory_mib));
    let same = CPU_UNITS.into_iter().min_by_key(|units| units.abs_diff(cpu_units)).unwrap_or(CPU_UNITS[0]);
    pairs.extend(fargate_memories(same).and_then(nearest).map(|memory| (same, memory)));
    let mut others: Vec<u32> = CPU_UNITS.into_iter().filter(|units| fargate_memories(*units).is_some_and(|all| all.contains(&memory_mib))).collect();
    // By ratio: 1 vCPU is as far from 0.5 as from 2.
    others.sort_by_key(|units| units.ilog2().abs_diff(cpu_units.max(1).ilog2()));
    pairs.extend(others.into_iter().filter(|units| *units != same).take(2).map(|units| (units, memory_mib)));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_fargate() {
        let ends = CPU_UNITS.map(|units| {
            let memories = fargate_memories(units).unwrap();
            assert!(memories.is_sorted());
            (memories[0], *memories.last().unwrap(), memories.len())
        });
        let expected = [
            (512, 2048, 3),
            (1024, 4096, 4),
            (2048, 8192, 7),
            (4096, 16_384, 13),
            (8192, 30_720, 23),
            (16_384, 61_440, 12),
            (32_768, 122_880, 12),
            (61_440, 249_856, 3),
        ];
        assert_eq!(ends, expected);
        assert_eq!(fargate_memories(768), None);
    }

    #[test]
    fn what_there_is_not_has_neighbours() {
        assert_eq!(nearest_sizes(512, 8192), [(512, 4096), (1024, 8192), (2048, 8192)]);
        assert_eq!(nearest_sizes(256, 4096), [(256, 2048), (512, 4096), (1024, 4096)]);
        assert_eq!(nearest_sizes(32_768, 65_536), [(32_768, 61_440), (16_384, 65_536)], "8 vCPU end at 60 GB");
        assert_eq!(nearest_sizes(1024, 1), [(1024, 2048)]);
    }
}
