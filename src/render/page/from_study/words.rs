//! Names and numbers in words, shared by the sections. Pure.

use super::super::text::{size_label, worker_label};
use super::super::types;
use super::SizeKey;
use super::{Size, size_of};
use crate::analysis::Prediction;
use crate::cell::{Cell, UNITS_PER_VCPU};
use crate::render::wording::advice::{basis, one_run, time};
pub(super) use crate::render::wording::number::{UNKNOWN, plural, usd};
use crate::units;

/// A size as the page names it; what is 0 could not be found out.
pub(super) fn size(key: &SizeKey) -> Size {
    let (units, memory_mib, shards) = *key;
    let vcpu = if units == 0 {
        UNKNOWN.to_owned()
    } else {
        (f64::from(units) / f64::from(UNITS_PER_VCPU)).to_string()
    };
    Size {
        vcpu,
        memory: (memory_mib > 0).then(|| format!("{} GB", f64::from(memory_mib) / 1024.0)),
        tasks: shards,
    }
}

/// `1 vCPU, 2 GB, async × 16`.
pub(super) fn cell(cell: &Cell) -> String {
    let workers = types::Cell {
        mode: cell.mode.to_string(),
        concurrency: u64::from(cell.concurrency),
        ..types::Cell::default()
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

/// A sentence of a fragment: upper-case first letter, full stop.
pub(super) fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first: String = letters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    let stop = if fragment.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}

/// `118 GB in 3 min 20 s (3 min 15 s to 3 min 27 s), $0.0210 if it ran on Fargate`.
pub(super) fn predicted(prediction: &Prediction) -> String {
    let within = prediction
        .interval
        .map_or_else(String::new, |interval| one_run(&interval));
    let price = prediction.cost.as_ref().map_or_else(
        || ", price not known".to_owned(),
        |cost| {
            format!(
                ", {}{}",
                usd(cost.usd_total()),
                if cost.is_hypothetical {
                    " if it ran on Fargate"
                } else {
                    ""
                }
            )
        },
    );
    format!(
        "{} in {}{within}{price}",
        units::bytes(prediction.bytes),
        time(prediction.seconds)
    )
}

/// What a prediction rests on: the rate, its parts and what a reader must know.
pub(super) fn rests_on(prediction: &Prediction) -> String {
    let rate = basis(prediction);
    let parts: Vec<String> = prediction
        .parts
        .iter()
        .map(|(name, seconds)| format!("{name} {} s", units::three_digits(*seconds)))
        .collect();
    let mut sentences = vec![sentence(rate.trim_start_matches([',', '.', ' ']))];
    if !parts.is_empty() {
        sentences.push(format!("Parts: {}.", parts.join(", ")));
    }
    sentences.extend(prediction.notes.iter().map(|note| sentence(note)));
    sentences.join(" ")
}
