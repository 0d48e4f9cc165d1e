//! Which CPU this is, from the text of `/proc/cpuinfo`: model, vendor, and the few instruction sets that decide what TLS and the checksums cost.
//!
//! Hosts of one Fargate size differ by their CPU, and results with them. Parses; decides nothing.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The instruction sets worth knowing: AES-GCM (`aes`, `vaes`, `pclmulqdq`, `vpclmulqdq`, `pmull`), SHA-256 (`sha_ni`, `sha2`), wide vectors
/// (`avx512f`). x86 first, then ARM, which shares `aes`.
const FLAGS: [&str; 8] = [
    "aes",
    "vaes",
    "avx512f",
    "sha_ni",
    "pclmulqdq",
    "vpclmulqdq",
    "pmull",
    "sha2",
];

/// ARM writes numbers, not names: (implementer, part, name), from the kernel's `arch/arm64/include/asm/cputype.h`. The server cores alone.
const ARM_PARTS: [(&str, &str, &str); 6] = [
    ("0x41", "0xd0c", "Neoverse-N1"),
    ("0x41", "0xd40", "Neoverse-V1"),
    ("0x41", "0xd49", "Neoverse-N2"),
    ("0x41", "0xd4f", "Neoverse-V2"),
    ("0x41", "0xd84", "Neoverse-V3"),
    ("0x41", "0xd8e", "Neoverse-N3"),
];

/// Facts about the CPU, each of them optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cpu {
    /// The name of the model: `AMD EPYC 9R14`; on ARM the core's name, or its numbers.
    pub model: Option<String>,
    /// `GenuineIntel`, `AuthenticAMD`; on ARM `ARM`, or the implementer's number.
    pub vendor: Option<String>,
    /// Those of `aes`, `vaes`, `avx512f`, `sha_ni`, `pclmulqdq`, `vpclmulqdq` (x86), `aes`, `pmull`, `sha2` (ARM) that it has; `None` when not known.
    pub flags: Option<Vec<String>>,
    /// CPUs online, whether this process may use them or not.
    pub online: Option<u32>,
}

/// The CPU of this machine; `proc` is `/proc`.
pub fn read(proc: &Path) -> Cpu {
    fs::read_to_string(proc.join("cpuinfo")).map_or_else(|_| Cpu::default(), |text| parse(&text))
}

/// Reads the text of `/proc/cpuinfo`: the first value of each field, and the number of processors.
pub fn parse(text: &str) -> Cpu {
    let fields = || {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
    };
    let first = |wanted: &str| {
        fields()
            .find(|(name, value)| *name == wanted && !value.is_empty())
            .map(|(_, value)| value)
    };
    let online = u32::try_from(fields().filter(|(name, _)| *name == "processor").count()).ok();
    let arm = first("CPU implementer").zip(first("CPU part"));
    let named = arm.and_then(|arm| {
        ARM_PARTS
            .iter()
            .find(|known| (known.0, known.1) == arm)
            .map(|known| known.2.to_owned())
    });
    let numbered =
        || arm.map(|(implementer, part)| format!("implementer {implementer} part {part}"));
    let vendor = first("vendor_id").or_else(|| {
        first("CPU implementer").map(|number| if number == "0x41" { "ARM" } else { number })
    });
    let flags = first("flags").or_else(|| first("Features")).map(|all| {
        let has = |flag: &&str| all.split_ascii_whitespace().any(|word| word == *flag);
        FLAGS.into_iter().filter(has).map(str::to_owned).collect()
    });
    Cpu {
        model: first("model name")
            .map(str::to_owned)
            .or(named)
            .or_else(numbered),
        vendor: vendor.map(str::to_owned),
        flags,
        online: online.filter(|count| *count > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nflags\t\t: fpu aes \
        sha_ni_not pclmulqdq avx512f vaes\nbugs\t\t: spectre_v1\npower management:\n\nprocessor\t: 1\nvendor_id\t: AuthenticAMD\nmodel name\t: other\n";
    const ARM: &str = "processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics\nCPU implementer\t: 0x41\n\
        CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd40\nCPU revision\t: 1\n\n";

    #[test]
    fn x86_names_its_model_and_flags() {
        let cpu = parse(X86);
        assert_eq!(cpu.model.as_deref(), Some("AMD EPYC"));
        assert_eq!(cpu.vendor.as_deref(), Some("AuthenticAMD"));
        assert_eq!(
            cpu.flags.unwrap(),
            ["aes", "vaes", "avx512f", "pclmulqdq"],
            "whole words alone: sha_ni_not is another flag"
        );
        assert_eq!(cpu.online, Some(2));
    }

    #[test]
    fn arm_is_named_by_its_part() {
        let cpu = parse(ARM);
        assert_eq!(
            (cpu.model.as_deref(), cpu.vendor.as_deref()),
            (Some("Neoverse-V1"), Some("ARM"))
        );
        assert_eq!(cpu.flags.unwrap(), ["aes", "pmull", "sha2"]);
        assert_eq!(cpu.online, Some(1));
        let unknown = parse("CPU implementer : 0x61\nCPU part : 0x022\n");
        assert_eq!(
            (unknown.model.as_deref(), unknown.vendor.as_deref()),
            (Some("implementer 0x61 part 0x022"), Some("0x61"))
        );
    }

    #[test]
    fn an_empty_text_knows_nothing() {
        assert_eq!(parse(""), Cpu::default());
        assert_eq!(read(Path::new("/nonexistent")), Cpu::default());
    }
}
