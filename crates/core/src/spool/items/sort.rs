//! Pairs of numbers in ascending order, however many there are: sorted a chunk at a time, merged from a temporary file.

use std::io;
use std::path::Path;

use crate::spool::spill::{CHUNK_LEN, FileSpill};
use crate::stats::overlap::{FetchSpan, Merge, Spill};

/// Sorts in about 10 MB of memory.
#[derive(Debug)]
pub(super) struct Sorter {
    chunk: Vec<FetchSpan>,
    spill: FileSpill,
    chunk_len: usize,
}

/// What was sorted, in order.
pub(super) type SortedPairs = Box<dyn Iterator<Item = io::Result<FetchSpan>>>;

impl Sorter {
    /// What memory should not hold goes to a temporary file in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            chunk: Vec::new(),
            spill: FileSpill::new(folder),
            chunk_len: CHUNK_LEN.get(),
        }
    }

    /// Takes one pair.
    pub(super) fn push(&mut self, pair: FetchSpan) -> io::Result<()> {
        self.chunk.push(pair);
        if self.chunk.len() == self.chunk_len {
            self.spill()
        } else {
            Ok(())
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.chunk.sort_unstable();
        self.spill.append(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// All pairs, in ascending order.
    pub(super) fn finish(mut self) -> io::Result<SortedPairs> {
        if !self.chunk.is_empty() {
            self.spill()?;
        }
        // Its memory is free for the readers of the runs.
        drop(self.chunk);
        Ok(Box::new(Merge::new(self.spill.into_runs()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_in_order_whatever_fits_a_chunk() {
        let folder = tempfile::tempdir().unwrap();
        for count in [0_u64, 1, 9, 10, 11, 1_000] {
            let mut sorter = Sorter {
                chunk_len: 10,
                ..Sorter::new(folder.path())
            };
            let mut pairs: Vec<_> = (0..count)
                .map(|number| (number * 7_919 % 101, number))
                .collect();
            for pair in &pairs {
                sorter.push(*pair).unwrap();
            }
            pairs.sort_unstable();
            assert_eq!(
                sorter
                    .finish()
                    .unwrap()
                    .map(Result::unwrap)
                    .collect::<Vec<_>>(),
                pairs,
                "{count}"
            );
        }
    }
}
