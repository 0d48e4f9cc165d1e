//! The sizes of Fargate, written down a second time: what parfetch believes of them is under test.

/// CPU units; least and most MiB, and the step between.
const SIZES: [(u32, u32, u32, u32); 5] = [
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
];

/// Whether Fargate has this pair.
pub(super) fn exists(cpu_units: u32, memory_mib: u32) -> bool {
    match cpu_units {
        256 => [512, 1_024, 2_048].contains(&memory_mib),
        16_384 => (32_768..=122_880).contains(&memory_mib) && memory_mib.is_multiple_of(8_192),
        32_768 => [61_440, 122_880, 249_856].contains(&memory_mib),
        _ => SIZES.iter().any(|(cpu, least, most, step)| {
            *cpu == cpu_units
                && (*least..=*most).contains(&memory_mib)
                && memory_mib.is_multiple_of(*step)
        }),
    }
}

/// CPU units of `1024` or `1 vCPU`.
pub(super) fn cpu_units(text: &str) -> Option<u32> {
    match text
        .strip_suffix(" vCPU")
        .or_else(|| text.strip_suffix("vCPU"))
    {
        Some(vcpu) => units(vcpu.trim()),
        None => text.parse().ok(),
    }
}

/// CPU units of vCPU in decimals, `0.25`.
pub(super) fn units(vcpu: &str) -> Option<u32> {
    let known = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];
    let vcpu: f64 = vcpu.parse().ok()?;
    known
        .into_iter()
        .find(|units| (f64::from(*units) / 1_024.0 - vcpu).abs() < 1e-9)
}

/// MiB of `2048` or `2 GB`.
pub(super) fn memory_mib(text: &str) -> Option<u32> {
    match text.strip_suffix("GB") {
        Some(gigabytes) => gigabytes.trim().parse::<u32>().ok()?.checked_mul(1_024),
        None => text.parse().ok(),
    }
}
