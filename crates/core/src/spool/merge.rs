//! One row for an object that was fetched in parts.
//!
//! Owns what a row says then: times span all parts, amounts add up, and the object is as good as its worst part. Takes parts one by one, so that
//! memory does not grow with their number.

use crate::sample::{Outcome, Sample};

/// Takes the parts of one object, in their order.
#[derive(Debug)]
pub struct PartMerge {
    row: Sample,
    /// Content-Length of every part so far; `None` once one had none.
    size: Option<u64>,
}

/// The higher wins: an object is as good as its worst part.
const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Ok => 0,
        Outcome::NotAttempted => 1,
        Outcome::Vanished => 2,
        Outcome::Archived => 3,
        Outcome::Failed => 4,
    }
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

impl PartMerge {
    /// Begins with the first part.
    pub fn of(first: Sample) -> Self {
        Self {
            size: first.size,
            row: first,
        }
    }

    /// Takes the next part.
    pub fn add(&mut self, part: &Sample) {
        let row = &mut self.row;
        self.size = self
            .size
            .zip(part.size)
            .map(|(sum, size)| sum.saturating_add(size));
        row.calc_size = row
            .calc_size
            .into_iter()
            .chain(part.calc_size)
            .reduce(u64::saturating_add);
        row.attempts = row.attempts.saturating_add(part.attempts);
        row.backoff_ns = row.backoff_ns.saturating_add(part.backoff_ns);
        row.codes.append(&part.codes);
        row.mismatch = row.mismatch.or(part.mismatch);
        row.start_ns = earlier(row.start_ns, part.start_ns);
        row.attempt_start_ns = earlier(row.attempt_start_ns, part.attempt_start_ns);
        row.connected_ns = earlier(row.connected_ns, part.connected_ns);
        row.sent_ns = earlier(row.sent_ns, part.sent_ns);
        row.head_ns = earlier(row.head_ns, part.head_ns);
        row.first_byte_ns = earlier(row.first_byte_ns, part.first_byte_ns);
        if part.end_ns > row.end_ns {
            row.end_ns = part.end_ns;
            (row.worker, row.pid, row.tid) = (part.worker, part.pid, part.tid);
        }
        if weight(part.outcome) > weight(row.outcome) {
            (row.outcome, row.status) = (part.outcome, part.status);
        }
    }

    /// The object's row.
    pub fn finish(self) -> Sample {
        Sample {
            size: self.size,
            ..self.row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ErrorCode, ErrorCodes, Mismatch};

    fn codes(words: &[&str]) -> ErrorCodes {
        let mut codes = ErrorCodes::default();
        for word in words {
            codes.push(ErrorCode::from_word(word));
        }
        codes
    }

    /// Worker, [start, last attempt's start, first byte, end], bytes.
    fn ok(worker: u32, times: [u64; 4], bytes: u64) -> Sample {
        let [start_ns, attempt_start_ns, first_byte_ns, end_ns] = times.map(Some);
        let (size, calc_size) = (Some(bytes), Some(bytes));
        let (pid, tid) = (100 + worker, 200 + worker);
        Sample {
            outcome: Outcome::Ok,
            size,
            calc_size,
            attempts: 1,
            start_ns,
            attempt_start_ns,
            sent_ns: start_ns,
            head_ns: first_byte_ns,
            first_byte_ns,
            end_ns,
            status: Some(206),
            worker,
            pid,
            tid,
            ..Sample::default()
        }
    }

    fn ok_part() -> Sample {
        ok(0, [0, 0, 1, 2], 5)
    }

    fn merged(parts: &[Sample]) -> Sample {
        let mut merge = PartMerge::of(parts[0].clone());
        for part in &parts[1..] {
            merge.add(part);
        }
        merge.finish()
    }

    #[test]
    fn times_span_all_parts_and_amounts_add_up() {
        let retried = Sample {
            attempts: 3,
            backoff_ns: 7,
            codes: codes(&["SlowDown", "reset"]),
            ..ok(2, [10, 60, 80, 95], 100)
        };
        let late = Sample {
            connected_ns: Some(25),
            attempts: 2,
            backoff_ns: 4,
            codes: codes(&["reset"]),
            ..ok(1, [20, 50, 55, 90], 30)
        };
        let row = merged(&[ok(0, [30, 30, 58, 70], 100), retried, late]);
        assert_eq!(
            [
                row.start_ns,
                row.attempt_start_ns,
                row.first_byte_ns,
                row.end_ns
            ],
            [Some(10), Some(30), Some(55), Some(95)]
        );
        assert_eq!(
            (row.ttfb_ns(), row.latency_ns(), row.fetch_duration_ns()),
            (Some(25), Some(65), Some(85))
        );
        assert_eq!(
            (row.size, row.calc_size, row.attempts, row.backoff_ns),
            (Some(230), Some(230), 6, 11)
        );
        assert_eq!(
            (row.worker, row.pid, row.tid),
            (2, 102, 202),
            "of the part that ended last"
        );
        assert_eq!(
            (row.connected_ns, row.sent_ns, row.head_ns, row.status),
            (Some(25), Some(10), Some(55), Some(206))
        );
        assert_eq!(
            (row.outcome, row.codes.to_string().as_str()),
            (Outcome::Ok, "SlowDown;reset*2")
        );
    }

    #[test]
    fn an_object_is_as_good_as_its_worst_part() {
        let of = |outcome| Sample {
            outcome,
            ..ok(0, [0, 0, 1, 2], 5)
        };
        let (ok, left, gone) = (of(Outcome::Ok), Sample::default(), of(Outcome::Vanished));
        let (failed, archived) = (of(Outcome::Failed), of(Outcome::Archived));
        for (parts, outcome) in [
            (vec![ok.clone(), ok.clone()], Outcome::Ok),
            (vec![ok.clone(), left.clone()], Outcome::NotAttempted),
            (vec![left.clone(), ok.clone()], Outcome::NotAttempted),
            (
                vec![left.clone(), gone.clone(), ok.clone()],
                Outcome::Vanished,
            ),
            (vec![gone, archived.clone()], Outcome::Archived),
            (vec![archived, failed, ok, left], Outcome::Failed),
        ] {
            assert_eq!(merged(&parts).outcome, outcome);
        }
        let throttled = Sample {
            outcome: Outcome::Failed,
            status: Some(503),
            ..ok_part()
        };
        assert_eq!(
            merged(&[ok_part(), throttled, ok_part()]).status,
            Some(503),
            "the status of the worst part"
        );
    }

    #[test]
    fn an_object_is_another_than_was_listed_when_one_of_its_parts_says_so() {
        let changed = |size, etag| Sample {
            mismatch: Mismatch { size, etag },
            ..ok(0, [0, 0, 1, 2], 5)
        };
        assert_eq!(
            merged(&[
                ok(0, [0, 0, 1, 2], 5),
                changed(true, false),
                changed(false, true)
            ])
            .mismatch,
            Mismatch {
                size: true,
                etag: true
            }
        );
        assert_eq!(
            merged(&[ok(0, [0, 0, 1, 2], 5), ok(0, [0, 0, 1, 2], 5)]).mismatch,
            Mismatch::default()
        );
    }

    #[test]
    fn what_a_part_does_not_know_is_not_made_up() {
        let failed = Sample {
            outcome: Outcome::Failed,
            size: None,
            calc_size: None,
            first_byte_ns: None,
            ..ok(1, [5, 5, 0, 9], 0)
        };
        let row = merged(&[failed.clone(), ok(0, [0, 0, 1, 2], 5)]);
        assert_eq!(
            (row.size, row.calc_size, row.first_byte_ns, row.end_ns),
            (None, Some(5), Some(1), Some(9))
        );
        assert_eq!(merged(&[failed.clone(), failed]).calc_size, None);
        assert_eq!(
            merged(&[Sample::default(), Sample::default()]),
            Sample::default()
        );
    }
}
