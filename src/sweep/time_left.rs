//! How fast runs were, and how long the rest will take.

use std::collections::HashMap;
use std::path::Path;

use super::attempt::Todo;
use crate::cell::Cell;
use crate::event::{Left, RunRate};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::results::record::Record;
use crate::results::summary::Summary;

fn summary(dir: &Path, name: &str) -> Option<Summary> {
    let text = read_text(&dir.join(name), DOCUMENT_BYTES).ok()?;
    Summary::from_json(&text).ok()
}

/// Bytes of complete objects, or good answers of a web server, ÷ fetch time, over all shards.
pub(super) fn rate(record: &Record, dir: &Path) -> Option<RunRate> {
    if record.sweep.http.is_some() {
        return requests_per_s(record, dir).map(RunRate::RequestsPerS);
    }
    if let Some(contender) = &record.contender {
        let rate = contender.goodput_bytes? as f64 * 1e9 / contender.fetch_ns as f64;
        return Some(RunRate::BytesPerS(rate));
    }
    let rates = record
        .summaries
        .iter()
        .map(|name| summary(dir, name)?.rates.goodput_bytes_per_s);
    rates
        .sum::<Option<f64>>()
        .filter(|_| !record.summaries.is_empty())
        .map(RunRate::BytesPerS)
}

fn requests_per_s(record: &Record, dir: &Path) -> Option<f64> {
    if let Some(contender) = &record.contender {
        return Some(contender.ok? as f64 * 1e9 / contender.fetch_ns as f64);
    }
    let rates = record.summaries.iter().map(|name| {
        let summary = summary(dir, name)?;
        let fetch_ns = summary.phases.fetch_ns.filter(|ns| *ns > 0)?;
        Some(summary.totals?.rows.ok as f64 * 1e9 / fetch_ns as f64)
    });
    rates
        .sum::<Option<f64>>()
        .filter(|_| !record.summaries.is_empty())
}

/// Whether it failed, or some of its fetches did: a report does not recommend its configuration then.
pub(super) fn has_failures(record: &Record, dir: &Path) -> bool {
    if let Some(contender) = &record.contender {
        return record.failure.is_some() || contender.ok < contender.objects;
    }
    let totals = |name: &String| summary(dir, name)?.totals;
    let mut known = record.summaries.iter().filter_map(totals);
    record.failure.is_some() || known.any(|totals| totals.rows.failed > 0)
}

/// Bytes that came, over all shards; none where that is not known.
pub(super) fn fetched_bytes(record: &Record, dir: &Path) -> Option<u64> {
    if let Some(contender) = &record.contender {
        return contender.goodput_bytes;
    }
    let bytes = record.summaries.iter().map(|name| {
        let totals = summary(dir, name)?.totals?;
        Some(totals.received_bytes.unwrap_or(totals.goodput_bytes))
    });
    bytes.sum::<Option<u64>>()
}

/// Seconds of fetching, of the shard that took longest.
pub(super) fn fetch_seconds(record: &Record, dir: &Path) -> Option<f64> {
    if let Some(contender) = &record.contender {
        return Some(contender.fetch_ns as f64 / 1e9);
    }
    let times = record
        .summaries
        .iter()
        .map(|name| summary(dir, name)?.phases.fetch_ns);
    let longest_ns = times.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    Some(longest_ns as f64 / 1e9)
}

/// How long runs took, and so how long the rest will take.
#[derive(Default)]
pub(super) struct TimeLeft {
    cells: HashMap<Cell, CellTimes>,
    /// When the run before began, and how long the runs that ended since then took.
    begun: Option<(u64, u64)>,
    /// The longest time between two runs that neither of them took.
    pause_ns: u64,
    limit: SaidEnd,
}

/// How long runs of a cell took, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct CellTimes {
    sum_ns: u64,
    count: u64,
    longest_ns: u64,
}

/// What was said of the end of the sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SaidEnd {
    /// Nothing yet.
    #[default]
    None,
    /// It ends at this time at the latest.
    Until(u64),
    /// A limit was said that does not hold: no other one is said.
    Broken,
}

impl TimeLeft {
    pub(super) fn ran(&mut self, record: &Record) {
        let lived = record.tasks.iter().filter_map(|task| task.lived_ns).max();
        let Some(wall_ns) = record.outside.map(|outside| outside.wall_ns).or(lived) else {
            return;
        };
        let times = self.cells.entry(record.cell.clone()).or_default();
        times.sum_ns += wall_ns;
        times.count += 1;
        times.longest_ns = times.longest_ns.max(wall_ns);
        if let Some((_, took_ns)) = &mut self.begun {
            *took_ns += wall_ns;
        }
    }

    /// The next run begins at `now_ns`, with `width` runs side by side: how long it and the rest take. None before every program has run once.
    ///
    /// A run takes at most as long as the longest of its cell; where there are none yet, at most as long as those with fewer workers or vCPU, which more
    /// of them do not make slower. The first cell of each program, the smallest, runs first as its warm-up: so there is a limit from then on. It only
    /// falls, or it was none: then, and when every cell has run, it is said what the rest takes if all goes on as before.
    pub(super) fn begins<'a>(
        &mut self,
        todo: impl IntoIterator<Item = &'a Todo>,
        (now_ns, width): (u64, u64),
    ) -> Option<Left> {
        if let Some((begun_ns, took_ns)) = self.begun.replace((now_ns, 0))
            && width == 1
        {
            let pause_ns = now_ns.saturating_sub(begun_ns).saturating_sub(took_ns);
            self.pause_ns = self.pause_ns.max(pause_ns);
        }
        let (mut most_ns, mut about_ns, mut is_known) = (0_u64, 0_u64, true);
        for next in todo {
            let cell = &next.planned.cell;
            let own = self.cells.get(cell);
            is_known &= own.is_some();
            let (most, about) = match own {
                Some(times) => (times.longest_ns, times.sum_ns / times.count),
                None => self.bound(cell).map(|ns| (ns, ns))?,
            };
            most_ns = most_ns.saturating_add(most).saturating_add(self.pause_ns);
            about_ns = about_ns.saturating_add(about).saturating_add(self.pause_ns);
        }
        let about = Left::About(about_ns / width);
        if is_known {
            return Some(about);
        }
        let most_ns = most_ns / width;
        let end_ns = now_ns.saturating_add(most_ns);
        self.limit = match self.limit {
            SaidEnd::Until(before_ns) if end_ns > before_ns => SaidEnd::Broken,
            SaidEnd::None | SaidEnd::Until(_) => SaidEnd::Until(end_ns),
            SaidEnd::Broken => SaidEnd::Broken,
        };
        Some(match self.limit {
            SaidEnd::Broken => about,
            SaidEnd::None | SaidEnd::Until(_) => Left::AtMost(most_ns),
        })
    }

    /// The least bound that a cell of the same program gives.
    fn bound(&self, cell: &Cell) -> Option<u64> {
        let same = self
            .cells
            .iter()
            .filter(|(other, _)| other.program == cell.program);
        same.map(|(other, times)| scaled(times.longest_ns, slower(other, cell)))
            .min()
    }
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
            factors: crate::plan::Factors::default(),
        }
    }

    fn todo(concurrency: u32) -> Todo {
        Todo {
            planned: Planned {
                cell: cell(concurrency),
                repetition: 1,
                position: 0,
                amount: None,
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

    /// Nothing passes between runs.
    const NOW: (u64, u64) = (0, 1);

    #[test]
    fn the_rest_takes_as_long_as_runs_of_its_cells_took() {
        let mut clock = TimeLeft::default();
        assert_eq!(clock.begins(&[todo(1)], NOW), None);
        for (concurrency, wall_ns) in [(4, 10), (4, 20), (16, 6)] {
            clock.ran(&record(concurrency, wall_ns));
        }
        assert_eq!(
            clock.begins(&[todo(4), todo(16)], NOW),
            Some(Left::About(15 + 6))
        );
        // One with a fourth of the workers takes up to four times as long as the one with 4; one with more no longer than the one with 16.
        assert_eq!(clock.begins(&[todo(1)], NOW), Some(Left::AtMost(80)));
        assert_eq!(
            clock.begins(&[todo(4), todo(64)], NOW),
            Some(Left::AtMost(20 + 6))
        );
        assert_eq!(
            clock.begins(&[todo(4), todo(64)], (0, 2)),
            Some(Left::AtMost(13)),
            "two at once take half the time"
        );
    }

    #[test]
    fn a_program_that_never_ran_has_no_limit() {
        let mut clock = TimeLeft::default();
        clock.ran(&record(1, 10));
        let mut other = todo(1);
        other.planned.cell.program = Program::Contender("python".to_owned());
        assert_eq!(clock.begins(&[todo(1), other], NOW), None);
    }

    #[test]
    fn what_passes_between_runs_counts() {
        let mut clock = TimeLeft::default();
        clock.begins(&[todo(1)], (1_000, 1));
        clock.ran(&record(1, 100));
        assert_eq!(
            clock.begins(&[todo(1), todo(1)], (1_130, 1)),
            Some(Left::About(2 * (100 + 30)))
        );
    }

    /// Whatever runs take, and however wrong the first bounds are.
    #[test]
    fn a_limit_that_was_said_never_grows() {
        let mut broken = 0;
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut clock = TimeLeft::default();
            let (mut now_ns, mut end_ns) = (0, u64::MAX);
            let mut rest: Vec<Todo> = (0..60).map(|_| todo(1 << random.u32(0..7))).collect();
            rest.insert(0, todo(1));
            while let Some(next) = rest.first().cloned() {
                match clock.begins(&rest, (now_ns, 1)) {
                    Some(Left::AtMost(ns)) => {
                        assert!(now_ns + ns <= end_ns, "seed {seed}");
                        end_ns = now_ns + ns;
                    }
                    Some(Left::About(_)) => broken += 1,
                    None => {}
                }
                let concurrency = next.planned.cell.concurrency;
                let wall_ns = random.u64(500..2_000) / u64::from(concurrency.min(8));
                clock.ran(&record(concurrency, wall_ns));
                now_ns += wall_ns + random.u64(0..50);
                rest.remove(0);
            }
        }
        assert!(
            broken > 0,
            "bounds are wrong at times, and then none is said"
        );
    }

    #[test]
    fn a_run_with_a_failed_fetch_has_failures() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = fixture::record(&cell(1), 1);
        record.summaries = vec!["result_a.json".to_owned()];
        let mut summary = crate::results::summary::fixture::complete();
        let mut with = |failed| {
            summary.totals.as_mut().unwrap().rows.failed = failed;
            let text = summary.to_json().unwrap();
            std::fs::write(dir.path().join("result_a.json"), text).unwrap();
            has_failures(&record, dir.path())
        };
        assert_eq!((with(0), with(1)), (false, true));
    }

    #[test]
    fn a_contenders_rate_is_of_its_own_time() {
        let mut record = fixture::record(&cell(1), 1);
        record.contender = Some(crate::results::record::ContenderResult {
            fetch_ns: 2_000_000_000,
            objects: Some(4),
            ok: Some(4),
            goodput_bytes: Some(500),
        });
        let of = |record: &Record| rate(record, Path::new("/nowhere"));
        assert_eq!(of(&record), Some(RunRate::BytesPerS(250.0)));
        record.sweep.http = Some(fixture::requests());
        assert_eq!(of(&record), Some(RunRate::RequestsPerS(2.0)));
        assert!(!has_failures(&record, Path::new("/nowhere")));
        record.contender.as_mut().unwrap().ok = Some(3);
        assert!(has_failures(&record, Path::new("/nowhere")));
        assert_eq!(
            rate(&fixture::record(&cell(1), 1), Path::new("/nowhere")),
            None
        );
    }
}
