//! Bytes as sockets return them: live counters for progress, and the one-second series.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Length of one interval of the series.
const SECOND_NS: u64 = 1_000_000_000;

/// Live counters of one worker, alone on their cache lines. Written by the worker, read by progress; nothing is computed from them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Body bytes read.
    pub bytes: AtomicU64,
    /// Fetches ended.
    pub ended: AtomicU64,
    /// Of them, failed.
    pub failed: AtomicU64,
}

/// Bytes read in each second since the epoch, of all workers of a process.
#[derive(Debug, Default)]
pub struct ByteSeries(Mutex<Vec<u64>>);

impl ByteSeries {
    /// Adds what was read in one second.
    pub fn add(&self, second: u64, bytes: u64) {
        let Ok(second) = usize::try_from(second) else {
            return;
        };
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if series.len() <= second {
            series.resize(second + 1, 0);
        }
        series[second] += bytes;
    }

    /// The series so far.
    pub fn snapshot(&self) -> Vec<u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What was added since the last call, as (second, bytes).
    pub fn drain(&self) -> Vec<(u64, u64)> {
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (0..)
            .zip(series.iter_mut())
            .filter(|(_, bytes)| **bytes > 0)
            .map(|(second, bytes)| (second, std::mem::take(bytes)))
            .collect()
    }
}

/// One worker's counting: adds to the shared series once a second at the most.
#[derive(Debug)]
pub struct ByteMeter {
    counters: Arc<[Counters]>,
    index: usize,
    series: Arc<ByteSeries>,
    second_ends_ns: u64,
    pending: u64,
}

impl ByteMeter {
    /// Counts into `counters[index]` and `series`.
    pub fn new(counters: Arc<[Counters]>, index: usize, series: Arc<ByteSeries>) -> Self {
        Self {
            counters,
            index,
            series,
            second_ends_ns: SECOND_NS,
            pending: 0,
        }
    }

    /// One read returned `bytes` at `now_ns`.
    pub(super) fn read(&mut self, now_ns: u64, bytes: u64) {
        if now_ns >= self.second_ends_ns {
            self.flush();
            self.second_ends_ns = (now_ns / SECOND_NS + 1) * SECOND_NS;
        }
        self.pending += bytes;
        // The worker is the only writer: no read-modify-write is needed.
        let total = &self.counters[self.index].bytes;
        total.store(total.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }

    /// One fetch ended.
    pub fn ended(&self, failed: u64) {
        let Counters {
            ended,
            failed: failures,
            ..
        } = &self.counters[self.index];
        ended.store(ended.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        failures.store(failures.load(Ordering::Relaxed) + failed, Ordering::Relaxed);
    }

    /// Adds what is pending to the series.
    pub fn flush(&mut self) {
        if self.pending > 0 {
            self.series.add(
                self.second_ends_ns / SECOND_NS - 1,
                std::mem::take(&mut self.pending),
            );
        }
    }
}

impl Drop for ByteMeter {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_fall_into_the_second_in_which_they_were_read() {
        let series = Arc::new(ByteSeries::default());
        let counters: Arc<[Counters]> = Arc::new([Counters::default()]);
        let mut meter = ByteMeter::new(Arc::clone(&counters), 0, Arc::clone(&series));
        for (now_ns, bytes) in [
            (0, 1),
            (999_999_999, 2),
            (1_000_000_000, 4),
            (3_500_000_000, 8),
        ] {
            meter.read(now_ns, bytes);
        }
        meter.ended(1);
        drop(meter);
        assert_eq!(series.snapshot(), [3, 4, 0, 8]);
        assert_eq!(series.drain(), [(0, 3), (1, 4), (3, 8)]);
        assert_eq!(series.drain(), []);
        assert_eq!(counters[0].bytes.load(Ordering::Relaxed), 15);
        assert_eq!(counters[0].failed.load(Ordering::Relaxed), 1);
    }
}
