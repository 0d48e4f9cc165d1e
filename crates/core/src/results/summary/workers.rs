//! When each worker began and ended, and in which processes and threads: what a summary says of overlap.

use std::collections::BTreeSet;

use super::parts::InFlight;
use crate::plan::Mode;
use crate::sample::Sample;

/// What is kept of each worker: bounded by the number of workers.
#[derive(Debug, Default)]
pub(super) struct Workers {
    spans: Vec<Option<Span>>,
    pids: BTreeSet<u32>,
    tids: BTreeSet<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    first_start_ns: u64,
    last_end_ns: u64,
    /// Process and thread of the worker's row before: most rows add nothing to the sets.
    place: (u32, u32),
}

impl Workers {
    /// Takes one attempted fetch.
    pub(super) fn row(&mut self, sample: &Sample) {
        let (Some(start), Some(end)) = (sample.start_ns, sample.end_ns) else {
            return;
        };
        let Ok(worker) = usize::try_from(sample.worker) else {
            return;
        };
        // A number beyond any concurrency can only come from a damaged row.
        if sample.worker >= Mode::Async.max_concurrency() {
            return;
        }
        if self.spans.len() <= worker {
            self.spans.resize(worker + 1, None);
        }
        let place = (sample.pid, sample.tid);
        if self.spans[worker].is_none_or(|span| span.place != place) {
            self.pids.insert(sample.pid);
            self.tids.insert(place);
        }
        let span = self.spans[worker].get_or_insert(Span {
            first_start_ns: start,
            last_end_ns: end,
            place,
        });
        *span = Span {
            first_start_ns: span.first_start_ns.min(start),
            last_end_ns: span.last_end_ns.max(end),
            place,
        };
    }

    /// When the first of them had nothing left to do; `None` without a row.
    pub(super) fn first_idle_ns(&self) -> Option<u64> {
        self.spans
            .iter()
            .flatten()
            .map(|span| span.last_end_ns)
            .min()
    }

    /// The overlap that the workers' spans show; `most` and `mean` come from elsewhere.
    pub(super) fn in_flight(&self, most: Option<u32>, mean: Option<f64>) -> InFlight {
        let spread = |time: fn(&Span) -> u64| {
            let (min, max) = self
                .spans
                .iter()
                .flatten()
                .map(time)
                .fold((u64::MAX, 0), |(min, max), ns| (min.min(ns), max.max(ns)));
            max.checked_sub(min)
        };
        InFlight {
            mean,
            most,
            first_start_spread_ns: spread(|span| span.first_start_ns),
            last_end_spread_ns: spread(|span| span.last_end_ns),
            pids: self.pids.len() as u64,
            tids: self.tids.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(worker: u32, pid: u32, tid: u32) -> Sample {
        Sample {
            worker,
            pid,
            tid,
            start_ns: Some(u64::from(worker)),
            end_ns: Some(100 + u64::from(tid)),
            ..Sample::default()
        }
    }

    #[test]
    fn processes_and_threads_are_counted_once() {
        let mut workers = Workers::default();
        for (worker, pid, tid) in [(0, 1, 1), (1, 1, 2), (0, 1, 1), (2, 3, 1), (0, 1, 2)] {
            workers.row(&row(worker, pid, tid));
        }
        let found = workers.in_flight(None, None);
        assert_eq!(
            (
                found.pids,
                found.tids,
                found.first_start_spread_ns,
                found.last_end_spread_ns
            ),
            (2, 3, Some(2), Some(1))
        );
    }

    #[test]
    fn without_a_row_no_spread_is_known() {
        let found = Workers::default().in_flight(None, None);
        assert_eq!(
            (
                found.pids,
                found.first_start_spread_ns,
                found.last_end_spread_ns
            ),
            (0, None, None)
        );
    }

    #[test]
    fn a_damaged_worker_number_takes_no_memory() {
        let mut workers = Workers::default();
        workers.row(&row(u32::MAX, 1, 1));
        assert!(workers.spans.is_empty());
    }
}
