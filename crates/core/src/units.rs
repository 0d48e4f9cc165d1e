//! Bytes, rates and times as a person reads and types them. Rates and sizes are shown decimal (MB, GB); pure functions, no I/O.
//!
//! Parsing takes both families (`MB` is 10⁶, `MiB` is 2²⁰) and is exact: no floating point on the way from text to bytes.

use std::time::Duration;

/// One second in nanoseconds.
pub const SECOND_NS: u64 = 1_000_000_000;

/// What each unit of a size stands for, in lower case.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("p", 1_000_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
    ("ti", 1 << 40),
    ("tib", 1 << 40),
    ("pi", 1 << 50),
    ("pib", 1 << 50),
];

/// To the nearest whole unit; what is below none is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
pub fn round_to_u64(number: f64) -> u64 {
    number.round() as u64
}

/// Bytes of a size as typed: `1000`, `256KiB`, `16 MiB`, `1MB`, `1.5 GiB`. Upper and lower case are the same; `K`, `M`, `G` alone are decimal.
///
/// A fraction of a byte is rounded to the nearest byte.
///
/// # Errors
/// One lower-case sentence that quotes the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bad =
        || format!("`{text}` is not a size: a number and B, KB, MB, GB, TB, KiB, MiB, GiB or TiB");
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = SIZE_UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, factor)| u128::from(*factor))
        .ok_or_else(bad)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // 18 digits of a fraction are finer than a byte of any unit, and keep the products below within 128 bits.
    if whole.is_empty() || fraction.len() > 18 || (number.contains('.') && fraction.is_empty()) {
        return Err(bad());
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| bad())?);
    let whole: u64 = whole.parse().map_err(|_| bad())?;
    let part: u64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| bad())?
    };
    let bytes = u128::from(whole) * factor + (u128::from(part) * factor + scale / 2) / scale;
    u64::try_from(bytes).map_err(|_| format!("`{text}` is more bytes than 64 bits count"))
}

/// The longest time that a setting may have: whatever is added to it still fits the clocks.
pub const LONGEST_TIME: Duration = Duration::from_hours(366 * 24);

/// A time as typed: `500ms`, `3s`, `20m`, `1h 30m`. A number without its unit is refused, and so is more than a year.
///
/// # Errors
/// One lower-case sentence that quotes the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text.trim()).map_err(|error| {
        format!(
            "`{text}` is not a time such as 500ms, 3s or 20m: {}",
            lower_first(&error.to_string())
        )
    })?;
    if time > LONGEST_TIME {
        Err(format!("`{text}` is longer than a year"))
    } else {
        Ok(time)
    }
}

/// A time as it is typed, to the nanosecond: `10s`, `1m 30s`, `500ms`. [`parse_duration`] reads it back.
pub fn typed_duration(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// With a capital letter in front, for the beginning of a sentence.
pub fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A number and what it counts: `1 run`, `6 runs`.
pub fn plural(number: u64, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(number))
}

/// `2 vCPUs`, `0.5 vCPU`
pub fn vcpus(number: f64) -> String {
    let s = if number > 1.0 { "s" } else { "" };
    format!("{number} vCPU{s}")
}

/// The verb of so many things: `was`, `were`.
pub const fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// A count with thousands separators: `46,000`.
pub fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// Thousands separators for a string of digits with an optional fraction.
fn separated(digits: &str) -> String {
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::with_capacity(digits.len() + whole.len() / 3);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && whole.as_bytes()[i - 1].is_ascii_digit()
        {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(fraction);
    out
}

/// A number with so many decimals and thousands separators: `1,973.0`.
pub fn fixed(value: f64, decimals: usize) -> String {
    separated(&format!("{value:.decimals$}"))
}

/// A number with three significant digits, never fewer digits than its whole part has: `0.0512`, `2.57`, `64.2`, `1,973`.
pub fn three_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let mut decimals: usize = 0;
    let mut scaled = value.abs();
    // 99.95 rounds to 100: past that point no decimal is left to show. Nine decimals end the search for values next to zero.
    while scaled < 99.95 && decimals < 9 {
        scaled *= 10.0;
        decimals += 1;
    }
    separated(&format!("{value:.decimals$}"))
}

/// `value` in the largest of `units` (each 1000 times the one before) of which it has at least one, with three significant digits.
fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{} {}", three_digits(value), units[unit])
}

/// Bytes, decimal, three significant digits: `512 B`, `2.57 MB`, `118 GB`.
pub fn bytes(value: u64) -> String {
    if value < 1000 {
        return format!("{value} B");
    }
    scaled(value as f64, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// A size of memory in the GB in which tasks are sold and configurations are named, 1,024 MiB each: `8 GB`, `7.79 GB`. So a machine has the same size
/// wherever it is named. No task is as small as what is shown in MB.
pub fn memory(bytes: u64) -> String {
    if bytes < 1 << 28 {
        return format!("{} MB", three_digits(bytes as f64 / f64::from(1 << 20)));
    }
    let gb = bytes as f64 / f64::from(1 << 30);
    format!("{} GB", (gb * 100.0).round() / 100.0)
}

/// Bytes per second in the unit that suits: `1.97 GB/s`.
pub fn rate(bytes_per_s: f64) -> String {
    scaled(bytes_per_s, &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"])
}

/// Bytes per second in MB/s however many, so that lines compare: `1,973 MB/s`. Less than one is in smaller units: `512 kB/s`.
pub fn rate_mb(bytes_per_s: f64) -> String {
    if bytes_per_s < 1e6 {
        rate(bytes_per_s)
    } else {
        format!("{} MB/s", three_digits(bytes_per_s / 1e6))
    }
}

/// Bytes per second as the network counts: `15.8 Gbit/s`, `88.9 kbit/s`.
pub fn rate_bits(bytes_per_s: f64) -> String {
    scaled(
        bytes_per_s * 8.0,
        &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
    )
}

/// A time: `850 ns`, `120 µs`, `6.2 ms`, `190 ms`, `1.21 s`, `64.2 s`, `3 min 20 s`, `1 h 44 min`, `2 d 3 h`.
pub fn duration(ns: u64) -> String {
    let value = ns as f64;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => format!("{} µs", one_decimal(value / 1e3)),
        999_500..999_500_000 => format!("{} ms", one_decimal(value / 1e6)),
        999_500_000..99_950_000_000 => format!("{} s", three_digits(value / 1e9)),
        _ => long_duration(ns),
    }
}

/// Tenths below a hundred, none above.
fn one_decimal(value: f64) -> String {
    if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// A time to whole seconds, for what is only roughly known: `24 s`, `3 min 20 s`.
pub fn duration_coarse(ns: u64) -> String {
    if ns < 99_500_000_000 {
        format!("{} s", rounded(ns, SECOND_NS))
    } else {
        long_duration(ns)
    }
}

/// A time that somebody asked for, without digits that say nothing: `5 s`, `1.50 s`, `20 min 0 s`.
pub fn asked_time(ns: u64) -> String {
    if ns.is_multiple_of(SECOND_NS) {
        duration_coarse(ns)
    } else {
        duration(ns)
    }
}

/// Two neighbouring units, the smaller one rounded.
fn long_duration(ns: u64) -> String {
    let seconds = rounded(ns, SECOND_NS);
    if seconds < 3600 {
        return format!("{} min {} s", seconds / 60, seconds % 60);
    }
    let minutes = rounded(seconds, 60);
    if minutes < 24 * 60 {
        return format!("{} h {} min", minutes / 60, minutes % 60);
    }
    let hours = rounded(minutes, 60);
    format!("{} d {} h", count(hours / 24), hours % 24)
}

/// `value ÷ unit`, to the nearest.
const fn rounded(value: u64, unit: u64) -> u64 {
    value / unit + (value % unit) / unit.div_ceil(2)
}

/// A share of one as a percentage with one decimal: `1.1 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn sizes_are_parsed_to_the_byte() {
        for (text, bytes) in [
            ("1000", 1_000),
            ("0", 0),
            ("256KiB", 262_144),
            ("16 MiB", 16_777_216),
            ("1MB", 1_000_000),
            ("1.5 GiB", 1_610_612_736),
            ("2.5M", 2_500_000),
            (" 3 tb ", 3_000_000_000_000),
            ("1.0005kB", 1_001),
            ("7b", 7),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1..2",
            "1.",
            ".5",
            "1 zb",
            "1e3",
            "1,000",
            "0.1234567890123456789",
            "18446744073709551616",
            "16384 PiB",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_size("20000 PB").unwrap_err(),
            "`20000 PB` is more bytes than 64 bits count"
        );
    }

    #[test]
    fn times_are_written_as_a_person_types_them() {
        for (ns, text) in [
            (10_000_000_000, "10s"),
            (90_000_000_000, "1m 30s"),
            (500_000_000, "500ms"),
            (1_000_000_001, "1s 1ns"),
            (0, "0s"),
        ] {
            assert_eq!(typed_duration(Duration::from_nanos(ns)), text);
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)));
        }
    }

    #[test]
    fn times_need_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration(" 1h 30m "), Ok(Duration::from_mins(90)));
        assert!(
            parse_duration("10")
                .unwrap_err()
                .starts_with("`10` is not a time such as 500ms, 3s or 20m: ")
        );
        assert!(parse_duration("").is_err());
        assert_eq!(parse_duration("366days"), Ok(LONGEST_TIME));
        assert_eq!(
            parse_duration("584554531years"),
            Err("`584554531years` is longer than a year".to_owned())
        );
    }

    #[test]
    fn counts_have_thousands_separators() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (46_000, "46,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn three_digits_survive_the_edges_of_rounding() {
        for (value, text) in [
            (0.0, "0"),
            (0.0512, "0.0512"),
            (0.31, "0.310"),
            (2.57, "2.57"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (64.2, "64.2"),
            (99.94, "99.9"),
            (99.96, "100"),
            (999.4, "999"),
            (1973.4, "1,973"),
            (-1973.4, "-1,973"),
            (-2.5, "-2.50"),
        ] {
            assert_eq!(three_digits(value), text, "{value}");
        }
    }

    #[test]
    fn a_fixed_number_of_decimals_is_kept() {
        assert_eq!(
            (fixed(1973.04, 1), fixed(-1973.0, 0), fixed(0.5, 2)),
            ("1,973.0".to_owned(), "-1,973".to_owned(), "0.50".to_owned())
        );
    }

    #[test]
    fn bytes_are_decimal() {
        for (value, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (16_384, "16.4 kB"),
            (2_565_217, "2.57 MB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (118_000_000_000, "118 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(value), text, "{value}");
        }
    }

    #[test]
    fn memory_has_the_size_that_its_configuration_is_named_by() {
        for (mib, text) in [
            (8_192, "8 GB"),
            (512, "0.5 GB"),
            (7_981, "7.79 GB"),
            (61, "61.0 MB"),
        ] {
            assert_eq!(memory(mib << 20), text);
        }
    }

    #[test]
    fn rates_are_decimal() {
        assert_eq!(rate(1_973_000_000.0), "1.97 GB/s");
        assert_eq!(rate(0.0), "0 B/s");
        assert_eq!(rate_mb(1_973_000_000.0), "1,973 MB/s");
        assert_eq!(rate_mb(1_000_000.0), "1.00 MB/s");
        assert_eq!(rate_mb(512_000.0), "512 kB/s");
        assert_eq!(rate_bits(1_973_000_000.0), "15.8 Gbit/s");
        assert_eq!(rate_bits(11_100.0), "88.8 kbit/s");
    }

    #[test]
    fn a_time_that_was_asked_for_has_no_empty_digits() {
        let times = [5_000_000_000, 1_500_000_000, 500_000_000].map(asked_time);
        assert_eq!(times, ["5 s", "1.50 s", "500 ms"]);
    }

    #[test]
    fn times_read_as_a_person_says_them() {
        for (ns, text) in [
            (0, "0 ns"),
            (850, "850 ns"),
            (12_500, "12.5 µs"),
            (120_400, "120 µs"),
            (999_499, "999 µs"),
            (999_500, "1.0 ms"),
            (6_200_000, "6.2 ms"),
            (81_300_000, "81.3 ms"),
            (99_950_000, "100 ms"),
            (190_000_000, "190 ms"),
            (1_210_000_000, "1.21 s"),
            (64_200_000_000, "64.2 s"),
            (99_949_000_000, "99.9 s"),
            (99_950_000_000, "1 min 40 s"),
            (200_000_000_000, "3 min 20 s"),
            (3_599_499_000_000, "59 min 59 s"),
            (3_599_500_000_000, "1 h 0 min"),
            (6_240_000_000_000, "1 h 44 min"),
            (183_600_000_000_000, "2 d 3 h"),
        ] {
            assert_eq!(duration(ns), text, "{ns}");
        }
        assert_eq!(duration_coarse(24_400_000_000), "24 s");
        assert_eq!(duration_coarse(99_500_000_000), "1 min 40 s");
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(percent(0.011), "1.1 %");
    }

    #[test]
    fn fuzz_sizes_and_times() {
        let words = &[
            "KiB", "MB", "GB", "TiB", "ms", "s", "h", "days", " ", ".", "e", "\u{a0}", "²",
        ];
        let seeds = ["256KiB", "1.5MB", "12ms", "1h 30m", "300"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
        Target {
            name: "units",
            seeds,
            words,
            cases: 30_000,
        }
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            if let Ok(size) = parse_size(&text) {
                super::bytes(size);
            }
            if let Ok(time) = parse_duration(&text) {
                duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            }
        });
    }
}
