//! How fast runs were, and how long the rest will take.

use std::collections::HashMap;
use std::path::Path;

use super::attempt::Todo;
use crate::cell::Cell;
use crate::event::Left;
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
    rates
        .sum::<Option<f64>>()
        .filter(|_| !record.summaries.is_empty())
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
pub(super) struct TimeLeft {
    /// Sum of the times in nanoseconds, and their number.
    cells: HashMap<Cell, (u64, u64)>,
}

impl TimeLeft {
    pub(super) fn ran(&mut self, record: &Record) {
        let lived = record.tasks.iter().filter_map(|task| task.lived_ns).max();
        let Some(wall_ns) = record.outside.map(|outside| outside.wall_ns).or(lived) else {
            return;
        };
        let (sum, count) = self.cells.entry(record.cell.clone()).or_default();
        *sum += wall_ns;
        *count += 1;
    }

    /// Each run as long as those of its cell; where there are none yet, at most as long as those with fewer workers or vCPU, which more of them do not make
    /// slower. The first cell of each program, the smallest, runs first as its warm-up: so there is a bound from then on, and it only shrinks.
    pub(super) fn left<'a>(&self, todo: impl IntoIterator<Item = &'a Todo>) -> Option<Left> {
        let (mut sum_ns, mut is_known) = (0_u64, true);
        for next in todo {
            let cell = &next.planned.cell;
            let own = self.cells.get(cell).and_then(mean);
            is_known &= own.is_some();
            sum_ns = sum_ns.saturating_add(own.or_else(|| self.bound(cell))?);
        }
        Some(if is_known {
            Left::About(sum_ns)
        } else {
            Left::AtMost(sum_ns)
        })
    }

    /// The least bound that a cell of the same program gives; of a program that never ran, the longest run of the others.
    fn bound(&self, cell: &Cell) -> Option<u64> {
        let all = self
            .cells
            .iter()
            .filter_map(|(other, times)| Some((other, mean(times)?)));
        let same = all
            .clone()
            .filter(|(other, _)| other.program == cell.program);
        same.map(|(other, ns)| scaled(ns, slower(other, cell)))
            .min()
            .or_else(|| all.map(|(_, ns)| ns).max())
    }
}

fn mean((sum, count): &(u64, u64)) -> Option<u64> {
    sum.checked_div(*count)
}

/// How many times as long as a run of `measured` one of `other` may take: by as much as it has fewer workers, and fewer vCPU.
fn slower(measured: &Cell, other: &Cell) -> f64 {
    let more = |of: fn(&Cell) -> u32| {
        (f64::from(of(measured)) * f64::from(measured.shards)
            / (f64::from(of(other)) * f64::from(other.shards)))
        .max(1.0)
    };
    more(|cell| cell.concurrency.max(1)) * more(|cell| cell.cpu_units.max(1))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and times are not negative"
)]
fn scaled(ns: u64, factor: f64) -> u64 {
    (ns as f64 * factor) as u64
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
        Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units: 1024,
            memory_mib: 2048,
            mode: Mode::Async,
            concurrency,
            shards: 1,
        }
    }

    fn todo(concurrency: u32) -> Todo {
        Todo {
            planned: Planned {
                cell: cell(concurrency),
                repetition: 1,
                position: 0,
            },
            attempt: 1,
            number: Some(1),
            broken: 0,
        }
    }

    fn record(concurrency: u32, wall_ns: u64) -> Record {
        let mut record = fixture::record(&cell(concurrency), 1);
        record.outside = Some(Outside {
            wall_ns,
            ..Outside::default()
        });
        record
    }

    #[test]
    fn the_rest_takes_as_long_as_runs_of_its_cells_took() {
        let mut clock = TimeLeft::default();
        assert_eq!(clock.left(&[todo(1)]), None);
        for (concurrency, wall_ns) in [(4, 10), (4, 20), (16, 6)] {
            clock.ran(&record(concurrency, wall_ns));
        }
        assert_eq!(clock.left(&[todo(4), todo(16)]), Some(Left::About(15 + 6)));
        // One with more workers takes no longer than the one with 16; one with a fourth of the workers up to four times as long as the one with 4.
        assert_eq!(clock.left(&[todo(4), todo(64)]), Some(Left::AtMost(15 + 6)));
        assert_eq!(clock.left(&[todo(1)]), Some(Left::AtMost(60)));
    }

    #[test]
    fn what_is_left_never_grows_while_runs_are_as_the_first_one_or_faster() {
        let mut clock = TimeLeft::default();
        let (mut rest, mut before_ns) = (
            vec![
                todo(1),
                todo(2),
                todo(4),
                todo(8),
                todo(16),
                todo(1),
                todo(2),
                todo(4),
                todo(8),
                todo(16),
            ],
            u64::MAX,
        );
        // The warm-up is of the smallest.
        clock.ran(&record(1, 1_600));
        while let Some(next) = rest.pop() {
            let concurrency = next.planned.cell.concurrency;
            clock.ran(&record(concurrency, 1_600 / u64::from(concurrency)));
            let Some(Left::About(ns) | Left::AtMost(ns)) = clock.left(&rest) else {
                panic!("{rest:?}")
            };
            assert!(ns <= before_ns, "{ns} after {before_ns}");
            before_ns = ns;
        }
        assert_eq!(before_ns, 0);
    }

    #[test]
    fn a_contenders_rate_is_of_its_own_time() {
        let mut record = fixture::record(&cell(1), 1);
        record.contender = Some(crate::results::record::ContenderResult {
            fetch_ns: 2_000_000_000,
            objects: 4,
            ok: 4,
            goodput_bytes: 500,
        });
        assert_eq!(rate(&record, Path::new("/nowhere")), Some(250.0));
        assert_eq!(
            rate(&fixture::record(&cell(1), 1), Path::new("/nowhere")),
            None
        );
    }
}
