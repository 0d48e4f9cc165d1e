//! Numbers and names as the page writes them. Pure.

use super::types::{PageCell, PageData, PageInterval, PageSize};
use crate::render::wording::number::{UNKNOWN, certain, usd};
use crate::units::{count, three_digits};
use maud::{Markup, html};

/// Three significant digits, or that it is unknown.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), three_digits)
}

/// A count, or that it is unknown.
pub(super) fn whole(value: Option<u64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), count)
}

/// Dollars, or that the price is unknown.
pub(super) fn dollars(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), usd)
}

pub(super) fn median(value: Option<PageInterval>) -> String {
    number(value.map(|interval| certain(interval.median, half(interval))))
}

/// Half of the interval, where there is one.
fn half(interval: PageInterval) -> Option<f64> {
    interval.range.map(|(low, high)| (high - low) / 2.0)
}

/// The ends of the interval.
pub(super) fn range(value: Option<PageInterval>) -> String {
    let ends = value.and_then(|interval| {
        let (low, high) = interval.range?;
        Some([low, high].map(|end| three_digits(certain(end, half(interval)))))
    });
    ends.map_or_else(|| UNKNOWN.to_owned(), |ends| ends.join(" to "))
}

/// A rate that has to fit a narrow cell: whole from 10 on.
pub(super) fn short(value: f64) -> String {
    if value.abs() < 9.95 {
        three_digits(value)
    } else {
        three_digits(value.round())
            .split('.')
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

/// `1 vCPU, 2 GB`, `4 vCPUs, 8 GB × 10 tasks`.
pub(super) fn size_label(size: &PageSize) -> String {
    let memory = size
        .memory
        .as_ref()
        .map_or_else(String::new, |memory| format!(", {memory}"));
    format!("{}{memory}{}", vcpus(&size.vcpu), tasks(size))
}

/// `0.5 vCPU`, `4 vCPUs`.
pub(super) fn vcpus(vcpu: &str) -> String {
    let s = if vcpu.parse::<f64>().is_ok_and(|vcpu| vcpu > 1.0) {
        "s"
    } else {
        ""
    };
    format!("{vcpu} vCPU{s}")
}

fn tasks(size: &PageSize) -> String {
    if size.tasks > 1 {
        format!(" × {} tasks", size.tasks)
    } else {
        String::new()
    }
}

/// The size in as few letters as tell it apart from the others: `1`, or `1`, newline, `2 GB`.
pub(super) fn size_tick(page: &PageData, size: &PageSize) -> String {
    let mut out = size.vcpu.clone();
    let alike = page.sizes.iter().filter(|other| other.vcpu == size.vcpu);
    if alike.clone().any(|other| other.memory != size.memory) {
        out.push('\n');
        out.push_str(size.memory.as_deref().unwrap_or(UNKNOWN));
    }
    if alike.clone().any(|other| other.tasks != size.tasks) {
        out.push_str("\n× ");
        out.push_str(&size.tasks.max(1).to_string());
    }
    out
}

/// `async × 16`.
pub(super) fn worker_label(cell: &PageCell) -> String {
    format!("{} × {}", cell.mode, count(cell.concurrency))
}

/// Units that a line must not begin with.
const UNITS: [&str; 21] = [
    "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "MB/s", "GB/s", "ms", "s", "min", "h",
    "%", "vCPU", "vCPUs", "CPU", "CPUs", "Gbit/s",
];
/// Code of at most so many letters stays in one line.
const SHORT_CODE: usize = 32;

/// A sentence: what stands between backticks is code, and no line begins with a unit or a `×`.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its like is a letter.
    let is_code = |place: usize| parts.len() % 2 == 1 && place % 2 == 1;
    let written: Vec<(bool, &str)> = match parts.len() % 2 {
        1 => parts
            .iter()
            .enumerate()
            .map(|(place, part)| (is_code(place), *part))
            .collect(),
        _ => vec![(false, text)],
    };
    html! {
        @for (is_code, part) in written {
            @if is_code { code.pf-code.pf-short[part.chars().count() <= SHORT_CODE] { (part) } } @else { (unbroken(part)) }
        }
    }
}

/// Spaces that hold what belongs together in one line.
pub(super) fn unbroken(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut out = String::with_capacity(text.len());
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            let before = words[place - 1];
            let is_unit = UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']));
            let joins = *word == "×"
                || before == "×"
                || is_unit && before.ends_with(|letter: char| letter.is_ascii_digit());
            out.push(if joins { '\u{a0}' } else { ' ' });
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_begins_with_a_unit_and_no_flag_is_broken() {
        assert_eq!(
            unbroken("takes 3 min 18 s, async × 16 (2 GB)"),
            "takes 3\u{a0}min 18\u{a0}s, async\u{a0}×\u{a0}16 (2\u{a0}GB)"
        );
        assert_eq!(unbroken("a s b"), "a s b");
        let written = prose("not known (`--duration 20m` shows it)").into_string();
        assert_eq!(
            written,
            "not known (<code class=\"pf-code pf-short\">--duration 20m</code> shows it)"
        );
        assert_eq!(prose("one ` alone").into_string(), "one ` alone");
    }

    #[test]
    fn numbers_are_short_and_unknown_ones_are_not_zero() {
        assert_eq!(number(Some(1973.4)), "1,973");
        assert_eq!(number(None), "–");
        assert_eq!(whole(Some(46_012)), "46,012");
        assert_eq!(dollars(Some(0.038)), "$0.0380");
        assert_eq!(dollars(None), "–");
        assert_eq!(
            range(Some(PageInterval {
                median: 2.0,
                range: Some((1.5, 2.5))
            })),
            "1.50 to 2.50"
        );
        assert_eq!(
            range(Some(PageInterval {
                median: 2.0,
                range: None
            })),
            "–"
        );
    }

    #[test]
    fn a_rate_fits_a_narrow_cell() {
        assert_eq!(short(0.512), "0.512");
        assert_eq!(short(9.949), "9.95");
        assert_eq!(short(9.96), "10");
        assert_eq!(short(63.4), "63");
        assert_eq!(short(1973.6), "1,974");
    }

    #[test]
    fn a_size_is_told_apart_from_its_neighbours() {
        let size = |vcpu: &str, memory: Option<&str>, tasks| PageSize {
            vcpu: vcpu.to_owned(),
            memory: memory.map(str::to_owned),
            tasks,
        };
        let page = PageData {
            sizes: vec![
                size("1", Some("2 GB"), 1),
                size("1", Some("8 GB"), 1),
                size("4", Some("8 GB"), 1),
            ],
            ..PageData::default()
        };
        assert_eq!(size_tick(&page, &page.sizes[0]), "1\n2 GB");
        assert_eq!(size_tick(&page, &page.sizes[2]), "4");
        assert_eq!(size_label(&page.sizes[0]), "1 vCPU, 2 GB");
        assert_eq!(size_label(&size("4", None, 10)), "4 vCPUs × 10 tasks");
    }
}
