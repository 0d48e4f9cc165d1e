//! The rows of a run on disk while it goes on: workers fill buffers, one thread writes them by position, off the measured path.
//!
//! A row is a fetch: of an object, or of a part of one. Row `unit` stands at `unit × Sample::ENCODED_LEN`; what was never written reads as zeroes, which is `not_attempted`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::room::{Lookout, Room, RoomWarning};
use crate::platform::{fault, panics};
use crate::sample::Sample;

/// Name of the rows' file in the spool folder.
const ROWS: &str = "rows.bin";
/// Rows that a worker keeps before it hands them over.
const BUFFER: usize = 64;
/// Rows that the writer holds before it sorts them, so that neighbours go out by one write; 0.7 MB.
const BATCH: usize = 4096;

/// Rows that are read at once, at the most.
const MOST_AT_ONCE: u64 = 1024;

/// What the thread that writes rows has to say.
#[derive(Debug)]
pub enum Trouble<'a> {
    /// Rows are being lost, and no more can be kept. Said once.
    Lost(&'a io::Error),
    /// A disk has no more room than the end of the run needs; no row is lost yet. Said once.
    Full(String),
    /// A disk will be full before the time is over. Said once.
    WillBeFull(String),
}

type OnTrouble = Box<dyn FnMut(Trouble<'_>) + Send>;

/// Why rows were lost: the thread that writes them panicked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Panicked(pub String);

/// Hands rows to the writing thread.
#[derive(Clone, Debug)]
pub struct RowSender(mpsc::Sender<Vec<Sample>>);

/// One worker's rows on their way; hands over what it has when dropped.
#[derive(Debug)]
pub struct RowBuffer {
    rows: Vec<Sample>,
    sender: RowSender,
}

impl RowSender {
    /// Hands rows over.
    pub fn send(&self, rows: Vec<Sample>) {
        // The writer ends only after every sender is gone, unless it panicked: then it has told.
        let _writer_gone = self.0.send(rows);
    }

    /// A buffer of one worker's own.
    pub fn buffer(&self) -> RowBuffer {
        RowBuffer {
            rows: Vec::with_capacity(BUFFER),
            sender: self.clone(),
        }
    }
}

impl RowBuffer {
    /// Adds a row.
    pub fn push(&mut self, row: Sample) {
        self.rows.push(row);
        if self.rows.len() == BUFFER {
            self.sender.send(std::mem::replace(
                &mut self.rows,
                Vec::with_capacity(BUFFER),
            ));
        }
    }
}

impl Drop for RowBuffer {
    fn drop(&mut self) {
        if !self.rows.is_empty() {
            self.sender.send(std::mem::take(&mut self.rows));
        }
    }
}

/// The writing thread.
#[derive(Debug)]
pub struct RowWriter {
    thread: JoinHandle<io::Result<Written>>,
    path: PathBuf,
}

impl RowWriter {
    /// Starts it in `dir`. `on_trouble` gets what the run must do something about; `room` is looked at from time to time.
    pub fn start(
        dir: &Path,
        room: Option<Room>,
        on_trouble: impl FnMut(Trouble<'_>) + Send + 'static,
    ) -> io::Result<(Self, RowSender)> {
        let path = dir.join(ROWS);
        let file = File::create(&path)?;
        let (sender, receiver) = mpsc::channel();
        let mut reporter = TroubleReporter {
            on_trouble: Box::new(on_trouble),
            has_lost: false,
        };
        let lookout = room.map(Lookout::new);
        let write = move || {
            let written = std::panic::catch_unwind(AssertUnwindSafe(|| {
                write_all(&file, &receiver, (&mut reporter, lookout))
            }));
            written.unwrap_or_else(|payload| {
                let error = io::Error::other(Panicked(panics::caught(&*payload)));
                reporter.lost(&error);
                Err(error)
            })
        };
        let thread = std::thread::Builder::new()
            .name("parfetch-rows".to_owned())
            .spawn(write)?;
        Ok((Self { thread, path }, RowSender(sender)))
    }

    /// Waits until every row is written (all senders must be gone) and opens the file for reading.
    pub fn finish(self) -> io::Result<RowFile> {
        let written = self
            .thread
            .join()
            .map_err(|_| io::Error::other("the thread that writes rows panicked"))??;
        Ok(RowFile {
            path: self.path,
            written,
        })
    }
}

/// How far the rows go.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    /// How many came.
    rows: u64,
    units: u64,
    last_end_ns: Option<u64>,
}

impl Written {
    fn count(&mut self, batch: &[Sample]) {
        self.rows += batch.len() as u64;
        for row in batch {
            self.units = self.units.max(row.unit + 1);
            self.last_end_ns = self.last_end_ns.max(row.end_ns);
        }
    }
}

/// Says what is wrong.
struct TroubleReporter {
    on_trouble: OnTrouble,
    has_lost: bool,
}

impl TroubleReporter {
    fn lost(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.has_lost, true) {
            (self.on_trouble)(Trouble::Lost(error));
        }
    }
}

fn write_all(
    file: &File,
    receiver: &mpsc::Receiver<Vec<Sample>>,
    (reporter, mut lookout): (&mut TroubleReporter, Option<Lookout>),
) -> io::Result<Written> {
    let mut result = Ok(());
    let mut written = Written::default();
    // Workers take turns at the keys: what one of them hands over has few neighbours, what all of them hand over has many.
    let mut held = Vec::with_capacity(BATCH);
    while let Ok(batch) = receiver.recv() {
        fault::point("rows");
        if result.is_err() {
            continue; // Rows go on coming until the workers have noticed.
        }
        written.count(&batch);
        held.extend(batch);
        if held.len() >= BATCH {
            result = write_batch(file, &mut held, reporter);
        }
        match lookout
            .as_mut()
            .and_then(|lookout| lookout.look(written.rows))
        {
            Some(RoomWarning::IsFull(text)) => (reporter.on_trouble)(Trouble::Full(text)),
            Some(RoomWarning::WillBeFull(text)) => (reporter.on_trouble)(Trouble::WillBeFull(text)),
            None => {}
        }
    }
    result.and_then(|()| write_batch(file, &mut held, reporter))?;
    Ok(written)
}

/// Writes rows sorted, each run of neighbours at once, and lets go of them.
fn write_batch(
    file: &File,
    held: &mut Vec<Sample>,
    reporter: &mut TroubleReporter,
) -> io::Result<()> {
    held.sort_unstable_by_key(|row| row.unit);
    let mut bytes = Vec::new();
    let written = held
        .chunk_by(|a, b| b.unit == a.unit + 1)
        .try_for_each(|run| {
            bytes.clear();
            for row in run {
                row.encode(&mut bytes);
            }
            file.write_all_at(&bytes, run[0].unit * Sample::ENCODED_LEN as u64)
        });
    held.clear();
    written.inspect_err(|error| reporter.lost(error))
}

/// The rows of a run that has ended.
#[derive(Debug)]
pub struct RowFile {
    path: PathBuf,
    written: Written,
}

impl RowFile {
    /// One more than the highest row that was written.
    pub fn units(&self) -> u64 {
        self.written.units
    }

    /// How many rows were written: one a fetch, unless a fetch was done twice.
    pub fn written(&self) -> u64 {
        self.written.rows
    }

    /// The end of the fetch that ended last, in ns since the epoch.
    pub fn last_end_ns(&self) -> Option<u64> {
        self.written.last_end_ns
    }

    /// Opens them.
    pub fn reader(&self) -> io::Result<RowReader> {
        Ok(RowReader {
            file: File::open(&self.path)?,
            written: self.written.units,
            block: Vec::new(),
            first: 0,
            longest: 1,
        })
    }
}

/// Reads rows by number: a block at a time while they follow each other, one by one where they do not.
#[derive(Debug)]
pub struct RowReader {
    file: File,
    written: u64,
    /// Rows from `first` on, encoded.
    block: Vec<u8>,
    first: u64,
    /// Rows of the next block: more each time that one was used up.
    longest: u64,
}

impl RowReader {
    /// The row of this number; what was never written is `not_attempted`.
    pub fn row(&mut self, unit: u64) -> io::Result<Sample> {
        const LENGTH: u64 = Sample::ENCODED_LEN as u64;
        if unit >= self.written {
            return Ok(Sample {
                unit,
                ..Sample::default()
            });
        }
        let end = self.first + self.block.len() as u64 / LENGTH;
        if unit < self.first || unit >= end {
            self.longest = if unit == end {
                (self.longest * 2).min(MOST_AT_ONCE)
            } else {
                1
            };
            let count = self.longest.min(self.written - unit);
            self.block.resize(
                usize::try_from(count * LENGTH).map_err(io::Error::other)?,
                0,
            );
            self.file.read_exact_at(&mut self.block, unit * LENGTH)?;
            self.first = unit;
        }
        let at = usize::try_from((unit - self.first) * LENGTH).map_err(io::Error::other)?;
        Ok(Sample {
            unit,
            ..Sample::decode(&self.block[at..])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Outcome;

    #[test]
    fn rows_written_in_any_order_come_back_in_order_and_gaps_are_not_attempted() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, sender) =
            RowWriter::start(dir.path(), None, |_| panic!("nothing fails here")).unwrap();
        let mut buffer = sender.buffer();
        let mut units: Vec<u64> = (0..10_000).filter(|unit| unit % 7 != 3).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut units);
        for unit in &units {
            buffer.push(Sample {
                unit: *unit,
                outcome: Outcome::Ok,
                end_ns: Some(unit * 10),
                ..Sample::default()
            });
        }
        drop((buffer, sender));
        let rows = writer.finish().unwrap();
        assert_eq!(
            rows.units(),
            9_999,
            "the last unit that was written is 9,998"
        );
        let mut reader = rows.reader().unwrap();
        let read: Vec<Sample> = (0..10_002).map(|unit| reader.row(unit).unwrap()).collect();
        for unit in [9_000, 5, 6, 9_998, 0, 10_001] {
            assert_eq!(
                reader.row(unit).unwrap(),
                read[usize::try_from(unit).unwrap()],
                "in any order"
            );
        }
        assert_eq!(read.len(), 10_002);
        for (unit, row) in (0..).zip(&read) {
            let expected = if unit % 7 == 3 || unit >= 10_000 {
                (Outcome::NotAttempted, None)
            } else {
                (Outcome::Ok, Some(unit * 10))
            };
            assert_eq!((row.unit, (row.outcome, row.end_ns)), (unit, expected));
        }
    }

    #[test]
    fn a_write_that_fails_is_told_and_returned() {
        let (told, hear) = mpsc::channel();
        let (sender, receiver) = mpsc::channel();
        sender
            .send(vec![Sample {
                outcome: Outcome::Ok,
                ..Sample::default()
            }])
            .unwrap();
        sender.send(vec![Sample::default()]).unwrap();
        drop(sender);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ro"), b"").unwrap();
        let read_only = File::open(dir.path().join("ro")).unwrap();
        let on_trouble = Box::new(move |trouble: Trouble<'_>| {
            let Trouble::Lost(error) = trouble else {
                panic!("{trouble:?}")
            };
            told.send(error.kind()).unwrap();
        });
        let result = write_all(
            &read_only,
            &receiver,
            (
                &mut TroubleReporter {
                    on_trouble,
                    has_lost: false,
                },
                None,
            ),
        );
        assert!(result.is_err());
        assert!(hear.recv().is_ok());
    }
}
