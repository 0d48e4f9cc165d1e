//! Names and numbers in words, shared by the sections. Pure.

use super::super::text::{size_label, worker_label};
use super::super::types::{self, PageSize};
use super::part::{SizeKey, size_of};
use crate::cell::{Cell, UNITS_PER_VCPU};
use crate::render::wording::number::{UNKNOWN, plural};

/// A size as the page names it; what is 0 could not be found out.
pub(super) fn size(key: &SizeKey) -> PageSize {
    let (units, memory_mib, shards) = *key;
    let vcpu = if units == 0 {
        UNKNOWN.to_owned()
    } else {
        (f64::from(units) / f64::from(UNITS_PER_VCPU)).to_string()
    };
    PageSize {
        vcpu,
        memory: (memory_mib > 0).then(|| format!("{} GB", f64::from(memory_mib) / 1024.0)),
        tasks: shards,
    }
}

/// `1 vCPU, 2 GB, async × 16`.
pub(super) fn cell(cell: &Cell) -> String {
    let workers = types::PageCell {
        mode: cell.mode.to_string(),
        concurrency: u64::from(cell.concurrency),
        ..types::PageCell::default()
    };
    format!(
        "{}, {}",
        size_label(&size(&size_of(cell))),
        worker_label(&workers)
    )
}

/// `1 vCPU, 2 GB, 16 workers`: what cells of several modes have in common.
pub(super) fn size_and_workers(cell: &Cell) -> String {
    format!(
        "{}, {}",
        size_label(&size(&size_of(cell))),
        plural(u64::from(cell.concurrency), "worker")
    )
}

/// A length as a count.
pub(super) fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
