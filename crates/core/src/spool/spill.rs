//! Sorted runs of intervals in a temporary file: where [`Overlap`] puts what memory should not hold.
//!
//! 16 bytes for each interval, little-endian, one run after the other. The file has no name, so it goes with the process whatever happens, and it
//! comes into being with the first run: a small run of parfetch makes none. Knows nothing of what the intervals mean.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::stats::overlap::{FetchSpan, Overlap, Spill};

/// Intervals sorted at a time: 8 MiB.
pub(super) const CHUNK_LEN: NonZeroUsize = NonZeroUsize::new(512 * 1024).expect("it is not zero");

/// Bytes of an interval in the file.
const PAIR_BYTES: usize = 16;

/// What all readers of runs may hold together: as much as the chunk, whose memory is free by then.
const READ_BYTES: usize = CHUNK_LEN.get() * PAIR_BYTES;

/// The most and the least that one reader holds; fewer bytes a read would cost more calls than memory is worth.
const BUFFER_BYTES: (usize, usize) = (4 * 1024, 64 * 1024);

/// An overlap whose runs wait in a file.
pub type FileOverlap = Overlap<FileSpill>;

/// The overlap of any number of intervals in about 10 MB of memory, with its runs in a temporary file in `folder`.
pub fn overlap_in(folder: &Path) -> FileOverlap {
    Overlap::new(FileSpill::new(folder), CHUNK_LEN)
}

/// Runs in one temporary file.
#[derive(Debug)]
pub struct FileSpill {
    folder: PathBuf,
    file: Option<File>,
    /// Where each run ends in the file.
    ends: Vec<u64>,
}

impl FileSpill {
    /// No runs yet, and no file; there will be one in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            file: None,
            ends: Vec::new(),
        }
    }
}

impl Spill for FileSpill {
    type Error = io::Error;
    type Run = FileRun;

    fn append(&mut self, run: &[FetchSpan]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let mut end = self.ends.last().copied().unwrap_or(0);
        let mut bytes = Vec::with_capacity(BUFFER_BYTES.1);
        for piece in run.chunks(BUFFER_BYTES.1 / PAIR_BYTES) {
            bytes.clear();
            for (first, second) in piece {
                bytes.extend_from_slice(&first.to_le_bytes());
                bytes.extend_from_slice(&second.to_le_bytes());
            }
            file.write_all(&bytes)?;
            end += u64::try_from(bytes.len()).expect("a length fits 64 bits");
        }
        self.ends.push(end);
        Ok(())
    }

    fn into_runs(self) -> io::Result<Vec<FileRun>> {
        let Some(file) = self.file.map(Arc::new) else {
            return Ok(Vec::new());
        };
        let share = (READ_BYTES / self.ends.len().max(1)).clamp(BUFFER_BYTES.0, BUFFER_BYTES.1);
        let capacity = share - share % PAIR_BYTES;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let run = |(offset, end)| FileRun {
            file: Arc::clone(&file),
            offset,
            end,
            capacity,
            buffer: Vec::new(),
            used: 0,
        };
        Ok(starts.zip(self.ends.iter().copied()).map(run).collect())
    }
}

/// One run, read a buffer at a time. After an error it is at its end.
#[derive(Debug)]
pub struct FileRun {
    file: Arc<File>,
    offset: u64,
    end: u64,
    capacity: usize,
    buffer: Vec<u8>,
    used: usize,
}

impl FileRun {
    fn refill(&mut self) -> io::Result<()> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        self.used = 0;
        self.buffer.resize(self.capacity.min(left), 0);
        self.file.read_exact_at(&mut self.buffer, self.offset)?;
        self.offset += u64::try_from(self.buffer.len()).expect("a length fits 64 bits");
        Ok(())
    }
}

impl Iterator for FileRun {
    type Item = io::Result<FetchSpan>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.used == self.buffer.len() {
            if self.offset == self.end {
                return None;
            }
            if let Err(error) = self.refill() {
                self.buffer.clear();
                self.offset = self.end;
                return Some(Err(error));
            }
        }
        let (first, rest) = self.buffer[self.used..]
            .split_first_chunk()
            .expect("buffers hold whole intervals");
        let second = rest.first_chunk().expect("buffers hold whole intervals");
        self.used += PAIR_BYTES;
        Some(Ok((
            u64::from_le_bytes(*first),
            u64::from_le_bytes(*second),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of several lengths, one longer than a buffer.
    fn runs() -> Vec<Vec<FetchSpan>> {
        let run = |len: u64, step: u64| (0..len).map(|i| (i * step, u64::MAX - i)).collect();
        vec![run(1, 7), run(10_000, 3), run(4096, 1), run(5, 2)]
    }

    #[test]
    fn runs_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = FileSpill::new(folder.path());
        for run in runs() {
            spill.append(&run).unwrap();
        }
        let back: Vec<Vec<FetchSpan>> = spill
            .into_runs()
            .unwrap()
            .into_iter()
            .map(|run| run.map(Result::unwrap).collect())
            .collect();
        assert_eq!(back, runs());
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "the file has no name"
        );
    }

    #[test]
    fn no_runs_make_no_file() {
        let nowhere = FileSpill::new(Path::new("/nonexistent"));
        assert_eq!(nowhere.into_runs().unwrap().len(), 0);
        let mut overlap = overlap_in(Path::new("/nonexistent"));
        overlap.push(0, 2).unwrap();
        assert_eq!(overlap.finish(4).unwrap().mean, Some(0.5));
        assert!(
            FileSpill::new(Path::new("/nonexistent"))
                .append(&[(0, 1)])
                .is_err()
        );
    }

    #[test]
    fn a_file_cut_short_is_an_error_and_then_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = FileSpill::new(folder.path());
        spill.append(&[(0, 1), (1, 2)]).unwrap();
        spill.file.as_ref().unwrap().set_len(20).unwrap();
        let mut run = spill.into_runs().unwrap().remove(0);
        assert!(run.next().unwrap().is_err());
        assert!(run.next().is_none());
    }

    #[test]
    fn workers_that_overlap_through_many_runs_are_counted() {
        // 8 workers, each busy for 8 of every 10 ns; worker w begins at w, so at 7 all are busy, and worker 7 ends at 15 of the last round.
        let folder = tempfile::tempdir().unwrap();
        let mut overlap = Overlap::new(
            FileSpill::new(folder.path()),
            NonZeroUsize::new(100).unwrap(),
        );
        for round in 0..1000 {
            for worker in (0..8).rev() {
                overlap
                    .push(round * 10 + worker, round * 10 + worker + 8)
                    .unwrap();
            }
        }
        let found = overlap.finish(9_990 + 15).unwrap();
        assert_eq!((found.mean, found.most), (Some(64_000.0 / 10_005.0), 8));
    }
}
