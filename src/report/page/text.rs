//! Numbers and names as the page writes them. Pure.

use super::types::{Cell, Interval, PageData, Size};
use crate::units::{count, three_digits};

/// What stands for an unknown number.
pub(super) const UNKNOWN: &str = "–";

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
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("${}", three_digits(value)))
}

/// The median.
pub(super) fn median(value: Option<Interval>) -> String {
    number(value.map(|interval| interval.median))
}

/// The ends of the interval.
pub(super) fn range(value: Option<Interval>) -> String {
    value
        .and_then(|interval| interval.range)
        .map_or_else(|| UNKNOWN.to_owned(), |(low, high)| format!("{} to {}", three_digits(low), three_digits(high)))
}

/// A rate that has to fit a narrow cell: whole from 10 on.
pub(super) fn short(value: f64) -> String {
    if value.abs() < 9.95 { three_digits(value) } else { three_digits(value.round()).split('.').next().unwrap_or_default().to_owned() }
}

/// `1 vCPU, 2 GB`, `4 vCPU, 8 GB × 10 tasks`.
pub(super) fn size_label(size: &Size) -> String {
    let memory = size.memory.as_ref().map_or_else(String::new, |memory| format!(", {memory}"));
    format!("{} vCPU{memory}{}", size.vcpu, tasks(size))
}

fn tasks(size: &Size) -> String {
    if size.tasks > 1 { format!(" × {} tasks", size.tasks) } else { String::new() }
}

/// The size in as few letters as tell it apart from the others: `1`, or `1`, newline, `2 GB`.
pub(super) fn size_tick(page: &PageData, size: &Size) -> String {
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
pub(super) fn worker_label(cell: &Cell) -> String {
    format!("{} × {}", cell.mode, count(cell.concurrency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_unknown_ones_are_not_zero() {
        assert_eq!(number(Some(1973.4)), "1,973");
        assert_eq!(number(None), "–");
        assert_eq!(whole(Some(46_012)), "46,012");
        assert_eq!(dollars(Some(0.038)), "$0.0380");
        assert_eq!(dollars(None), "–");
        assert_eq!(range(Some(Interval { median: 2.0, range: Some((1.5, 2.5)) })), "1.50 to 2.50");
        assert_eq!(range(Some(Interval { median: 2.0, range: None })), "–");
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
        let size = |vcpu: &str, memory: Option<&str>, tasks| Size { vcpu: vcpu.to_owned(), memory: memory.map(str::to_owned), tasks };
        let page =
            PageData { sizes: vec![size("1", Some("2 GB"), 1), size("1", Some("8 GB"), 1), size("4", Some("8 GB"), 1)], ..PageData::default() };
        assert_eq!(size_tick(&page, &page.sizes[0]), "1\n2 GB");
        assert_eq!(size_tick(&page, &page.sizes[2]), "4");
        assert_eq!(size_label(&page.sizes[0]), "1 vCPU, 2 GB");
        assert_eq!(size_label(&size("4", None, 10)), "4 vCPU × 10 tasks");
    }
}
