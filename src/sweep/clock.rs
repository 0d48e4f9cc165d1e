//! How fast runs were, and how long the rest will take.

use std::collections::HashMap;
use std::path::Path;

use super::attempt::Todo;
use crate::cell::Cell;
use crate::results::record::Record;
use crate::results::summary::Summary;

/// Bytes of complete objects ÷ fetch time, over all shards.
pub(super) fn rate(record: &Record, dir: &Path) -> Option<f64> {
    if let Some(contender) = &record.contender {
        return Some(contender.goodput_bytes as f64 * 1e9 / contender.fetch_ns as f64);
    }
    let rates = record.summaries.iter().map(|name| {
        let text = std::fs::read_to_string(dir.join(name)).ok()?;
        Summary::from_json(&text).ok()?.rates.goodput_bytes_per_s
    });
    rates.sum::<Option<f64>>().filter(|_| !record.summaries.is_empty())
}

/// Bytes that came, over all shards; none where that is not known.
pub(super) fn fetched_bytes(record: &Record, dir: &Path) -> Option<u64> {
    if let Some(contender) = &record.contender {
        return Some(contender.goodput_bytes);
    }
    let bytes = record.summaries.iter().map(|name| {
        let text = std::fs::read_to_string(dir.join(name)).ok()?;
        let totals = Summary::from_json(&text).ok()?.totals?;
        Some(totals.received_bytes.unwrap_or(totals.goodput_bytes))
    });
    bytes.sum::<Option<u64>>()
}

/// How long runs took, and so how long the rest will take.
#[derive(Default)]
pub(super) struct Clock {
    cells: HashMap<Cell, (u64, u64)>,
    all: (u64, u64),
}

impl Clock {
    pub(super) fn ran(&mut self, record: &Record) {
        let lived = record.tasks.iter().filter_map(|task| task.lived_ns).max();
        let Some(wall_ns) = record.outside.map(|outside| outside.wall_ns).or(lived) else { return };
        let of_cell = self.cells.entry(record.cell.clone()).or_default();
        for (sum, count) in [of_cell, &mut self.all] {
            *sum += wall_ns;
            *count += 1;
        }
    }

    /// Each run as long as those of its cell, or as all so far; none before the first.
    pub(super) fn left_ns<'a>(&self, todo: impl IntoIterator<Item = &'a Todo>) -> Option<u64> {
        let mean = |(sum, count): &(u64, u64)| sum.checked_div(*count);
        let overall = mean(&self.all)?;
        Some(todo.into_iter().map(|next| self.cells.get(&next.planned.cell).and_then(mean).unwrap_or(overall)).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Program;
    use crate::plan::{ClientKind, Mode};
    use crate::results::record::Outside;
    use crate::sweep::fixture;
    use crate::sweep::matrix::Planned;

    fn cell(concurrency: u32) -> Cell {
        Cell { program: Program::Client(ClientKind::Lean), cpu_units: 1024, memory_mib: 2048, mode: Mode::Async, concurrency, shards: 1 }
    }

    fn todo(concurrency: u32) -> Todo {
        Todo { planned: Planned { cell: cell(concurrency), repetition: 1, position: 0 }, attempt: 1, number: Some(1), broken: 0 }
    }

    #[test]
    fn the_rest_takes_as_long_as_runs_of_its_cells_took() {
        let mut clock = Clock::default();
        assert_eq!(clock.left_ns(&[todo(1)]), None);
        for (concurrency, wall_ns) in [(1, 10), (1, 20), (4, 6)] {
            let mut record = fixture::record(&cell(concurrency), 1);
            record.outside = Some(Outside { wall_ns, ..Outside::default() });
            clock.ran(&record);
        }
        // 15 for the first cell, 6 for the second, 36 / 3 = 12 for one that never ran.
        assert_eq!(clock.left_ns(&[todo(1), todo(4), todo(16)]), Some(15 + 6 + 12));
    }

    #[test]
    fn a_contenders_rate_is_of_its_own_time() {
        let mut record = fixture::record(&cell(1), 1);
        record.contender = Some(crate::results::record::ContenderResult { fetch_ns: 2_000_000_000, objects: 4, ok: 4, goodput_bytes: 500 });
        assert_eq!(rate(&record, Path::new("/nowhere")), Some(250.0));
        assert_eq!(rate(&fixture::record(&cell(1), 1), Path::new("/nowhere")), None);
    }
}
