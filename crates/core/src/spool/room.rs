//! Whether the disks hold the rows of a run: on the spool folder's disk while it fetches, and what is made of them at the end.
//!
//! Looks at the free room beside the thread that writes rows, off the measured path. When no more than the end needs is left, the run hands out
//! nothing more: it keeps every row that it has, instead of losing some to a full disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::platform::disk::{device, free_bytes};
use crate::sample::Sample;
use crate::units;

/// Bytes of a row while the run goes on.
const ROW: u64 = Sample::ENCODED_LEN as u64;
/// Bytes of a fetch in the file that counts what was in flight.
const PAIR: u64 = 16;
/// The most that a row of the CSV takes beside its key.
const CSV_ROW: u64 = 130;
/// The least that a row of the CSV takes beside its key.
const CSV_LEAST: u64 = 30;
/// For the summary and whatever else there is.
const MARGIN: u64 = 256 * 1024;
/// Rows that are on their way to the disk while it is looked at: those of a worker, and those that wait for the writing thread.
const ROWS_OF_A_WORKER: u64 = 64;
const ROWS_WAITING: u64 = 2 * 4096;
/// So many rows or so much time between two looks.
const LOOK_ROWS: u64 = 1024;
const LOOK_TIME: Duration = Duration::from_secs(1);
/// A rate is known after this time.
const RATE_AFTER: Duration = Duration::from_secs(5);

/// The disks of a run, and what it writes there.
#[derive(Clone, Debug)]
pub struct Room {
    /// Where rows are written.
    pub spool: PathBuf,
    /// Where the CSV will be.
    pub results: PathBuf,
    /// Bytes of a key, in the mean.
    pub key_bytes: u64,
    /// How many workers there are.
    pub workers: u64,
    /// How many rows there will be; none when time ends the run.
    pub rows: Option<u64>,
    /// How long it fetches, when time ends it.
    pub duration: Option<Duration>,
}

/// A disk that has less room than is needed.
#[derive(Debug, PartialEq)]
struct ShortDisk<'a> {
    folder: &'a Path,
    needed: u64,
    free: u64,
}

impl Room {
    /// Bytes that are needed on each disk for `more` rows behind `written` ones, until the results are written.
    fn needed(&self, (written, more): (u64, u64), csv_row: u64) -> Vec<(&Path, u64)> {
        let all = written.saturating_add(more);
        let spool = more
            .saturating_mul(ROW)
            .saturating_add(all.saturating_mul(PAIR));
        let csv = all.saturating_mul(csv_row.saturating_add(self.key_bytes));
        if device(&self.spool) == device(&self.results) {
            vec![(&self.spool, spool.saturating_add(csv))]
        } else {
            vec![(&self.spool, spool), (&self.results, csv)]
        }
    }

    fn short(&self, rows: (u64, u64), (csv_row, margin): (u64, u64)) -> Option<ShortDisk<'_>> {
        self.needed(rows, csv_row)
            .into_iter()
            .find_map(|(folder, needed)| {
                let (needed, free) = (needed.saturating_add(margin), free_bytes(folder)?);
                (free < needed).then_some(ShortDisk {
                    folder,
                    needed,
                    free,
                })
            })
    }

    /// Why a run whose rows are counted beforehand cannot come to its end, if that is certain.
    pub fn refusal(&self) -> Option<String> {
        let rows = self.rows?;
        let ShortDisk {
            folder,
            needed,
            free,
        } = self.short((0, rows), (CSV_LEAST, 0))?;
        let rows = units::count(rows);
        Some(format!(
            "{rows} rows need {} in {}, which has room for {}",
            units::bytes(needed),
            folder.display(),
            units::bytes(free)
        ))
    }
}

/// What a look at the disks found.
#[derive(Debug, PartialEq, Eq)]
pub enum RoomWarning {
    /// It will be full before the time is over.
    WillBeFull(String),
    /// It has no more room than the end of the run needs.
    IsFull(String),
}

/// Looks at the disks from time to time.
#[derive(Debug)]
pub(super) struct Lookout {
    room: Room,
    /// Rows and time of the last look.
    last: Option<(u64, Instant)>,
    /// Rows and time of the first one.
    first: Option<(u64, Instant)>,
    has_warned: bool,
    is_full: bool,
}

impl Lookout {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            last: None,
            first: None,
            has_warned: false,
            is_full: false,
        }
    }

    /// So many rows are written. Says each thing once.
    pub(super) fn look(&mut self, written: u64) -> Option<RoomWarning> {
        let now = Instant::now();
        let is_time = self
            .last
            .is_none_or(|(rows, at)| written >= rows + LOOK_ROWS || now - at >= LOOK_TIME);
        if self.is_full || !is_time {
            return None;
        }
        self.last = Some((written, now));
        let first = *self.first.get_or_insert((written, now));
        let left = self
            .room
            .rows
            .map_or(u64::MAX, |rows| rows.saturating_sub(written));
        let on_their_way = self
            .room
            .workers
            .saturating_mul(ROWS_OF_A_WORKER)
            .saturating_add(ROWS_WAITING)
            .min(left);
        if let Some(ShortDisk { folder, free, .. }) =
            self.room.short((written, on_their_way), (CSV_ROW, MARGIN))
        {
            self.is_full = true;
            let text = format!(
                "{} has room for {} more: nothing more is fetched, so that no row is lost",
                folder.display(),
                units::bytes(free)
            );
            return Some(RoomWarning::IsFull(format!(
                "{text}; the figures are of the time until then"
            )));
        }
        self.forecast((written, now), first)
    }

    /// At the rate so far, will the rows of the whole time fit?
    fn forecast(
        &mut self,
        (written, now): (u64, Instant),
        (first_rows, begin): (u64, Instant),
    ) -> Option<RoomWarning> {
        let elapsed = now - begin;
        let time_left = self.room.duration?.checked_sub(elapsed)?;
        if self.has_warned || elapsed < RATE_AFTER {
            return None;
        }
        let left = time_left.as_secs_f64() / elapsed.as_secs_f64();
        let more = whole((written - first_rows) as f64 * left);
        let ShortDisk {
            folder,
            needed,
            free,
        } = self.room.short((written, more), (CSV_ROW, MARGIN))?;
        self.has_warned = true;
        let after = elapsed + time_left.mul_f64((free as f64 / needed as f64).clamp(0.0, 1.0));
        let after = units::duration_coarse(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
        let text = format!(
            "at this rate the rows need {} more in {}, which has room for {}",
            units::bytes(needed),
            folder.display(),
            units::bytes(free)
        );
        Some(RoomWarning::WillBeFull(format!(
            "{text}: fetching will end after about {after}, with every row kept (--spool-dir names another folder)"
        )))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn whole(value: f64) -> u64 {
    value.clamp(0.0, 1e18) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(folder: &Path) -> Room {
        let (spool, results) = (folder.to_owned(), folder.to_owned());
        Room {
            spool,
            results,
            key_bytes: 20,
            workers: 4,
            rows: None,
            duration: Some(Duration::from_mins(1)),
        }
    }

    #[test]
    fn what_rows_need_is_added_up_on_each_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut room = room(folder.path());
        assert_eq!(
            room.needed((10, 5), CSV_ROW),
            [(folder.path(), 5 * 160 + 15 * (16 + 130 + 20))]
        );
        room.results = PathBuf::from("/proc");
        assert_eq!(
            room.needed((10, 5), CSV_ROW),
            [
                (folder.path(), 5 * 160 + 15 * 16),
                (Path::new("/proc"), 15 * 150)
            ]
        );
    }

    #[test]
    fn only_what_is_certain_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let with = |rows| {
            Room {
                rows,
                ..room(folder.path())
            }
            .refusal()
        };
        assert_eq!((with(None), with(Some(1_000))), (None, None));
        let refusal = with(Some(u64::MAX / 1_000)).unwrap();
        assert!(
            refusal.starts_with("18,446,744,073,709,551 rows need 4.17 EB in"),
            "{refusal}"
        );
    }

    #[test]
    fn a_disk_that_will_be_full_is_foretold_once_and_one_that_is_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let begin = Instant::now();
        let mut lookout = Lookout::new(room(folder.path()));
        assert_eq!(lookout.look(10), None, "there is room");
        let later = begin + Duration::from_secs(6);
        assert_eq!(lookout.forecast((1_000, later), (0, begin)), None);
        // 54 s are left, so nine times as many rows come as there are.
        let many = free_bytes(folder.path()).unwrap() / 1_000;
        let Some(RoomWarning::WillBeFull(text)) = lookout.forecast((many, later), (0, begin))
        else {
            panic!("it fits")
        };
        assert!(text.starts_with("at this rate the rows need "), "{text}");
        assert_eq!(lookout.forecast((many, later), (0, begin)), None, "once");
        assert!(matches!(
            lookout.look(u64::MAX / 1_000_000),
            Some(RoomWarning::IsFull(_))
        ));
        assert_eq!(lookout.look(u64::MAX / 1_000), None, "once");
    }
}
