//! The measured path: one object read to its end, all attempts. The same function in all three modes and with both clients.
//!
//! Owns the retry policy and the times of a row. Takes no lock, sends nothing, logs nothing, arms no timer of its own per request; everything
//! off this path (key files, row buffers, progress) belongs to the engine.

mod check;
mod meter;
mod watchdog;
mod work;

use std::cell::Cell;
use std::time::Duration;

pub use meter::{ByteMeter, ByteSeries, Counters};
pub use watchdog::{Halt, Watchdog};

use crate::plan::FetchOptions;
use crate::sample::{ErrorCode, Mismatch, Outcome, Sample};
use crate::store::{
    AttemptError, BodyHead, BodySink, CLOCK_CORRECTIONS, ObjectClient, Remedy, Target, backoff,
};
use check::{ReceivedBody, is_same_tag, mismatch_of};
use watchdog::Halted;
use work::Hasher;

/// Nanoseconds since the run's epoch.
pub trait Clock {
    /// Now.
    fn now_ns(&self) -> u64;
}

/// The monotonic clock, counted from the epoch that all processes of the run share.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    /// The epoch, as `CLOCK_MONOTONIC` gave it.
    pub epoch_ns: u64,
}

impl Clock for RunClock {
    fn now_ns(&self) -> u64 {
        crate::platform::clock::now_ns().saturating_sub(self.epoch_ns)
    }
}

/// Who fetches: what a row says of its worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerIdentity {
    /// Number of the worker, from 0.
    pub worker: u32,
    /// Process.
    pub pid: u32,
    /// Thread.
    pub tid: u32,
}

/// Everything one worker fetches with.
pub struct Fetcher<C, K> {
    /// The client.
    pub client: C,
    /// The clock of the run.
    pub clock: K,
    /// How objects are fetched.
    pub options: FetchOptions,
    /// Counts bytes as they are read.
    pub meter: ByteMeter,
    /// Notices stalls and interruption.
    pub watchdog: Watchdog,
    /// Who this is.
    pub identity: WorkerIdentity,
    /// For the waits between attempts.
    pub random: fastrand::Rng,
}

/// Tries of one fetch so far.
#[derive(Default)]
struct TriesSoFar {
    /// GETs that count against the limit.
    gets: u32,
    /// Tries in a row that got no connection, and when the first of them began.
    unconnected: u32,
    cut_off_since_ns: Option<u64>,
    refreshed: bool,
    /// How often it was signed anew with the store's time.
    corrected: u32,
}

/// What to do after a failed attempt.
enum AfterFailure {
    End(Outcome),
    AtOnce,
    Refresh,
    Wait(Duration),
}

impl<C: ObjectClient, K: Clock> Fetcher<C, K> {
    /// Fetches `target` as fetch `unit` of the run. Never fails: how it ended is in the row.
    pub async fn fetch(&mut self, unit: u64, target: Target<'_>) -> Sample {
        let WorkerIdentity { worker, pid, tid } = self.identity;
        let mut sample = Sample {
            unit,
            worker,
            pid,
            tid,
            ..Sample::default()
        };
        let mut tries = TriesSoFar::default();
        self.watchdog.begin(self.options.limits.fetch_timeout);
        loop {
            let error = match self.attempt(target, &mut sample).await {
                Ok(()) => {
                    sample.outcome = Outcome::Ok;
                    return sample;
                }
                Err(error) => error,
            };
            sample.codes.push(error.code);
            sample.mismatch = mismatch_of(error.code, target);
            let halted = match self.after(error.remedy, &sample, &mut tries) {
                AfterFailure::End(outcome) => {
                    sample.outcome = outcome;
                    return sample;
                }
                AfterFailure::AtOnce => None,
                AfterFailure::Refresh => self
                    .watchdog
                    .wait(self.client.refresh_credentials())
                    .await
                    .err(),
                AfterFailure::Wait(time) => self.back_off(time, &mut sample).await,
            };
            if let Some(halted) = halted {
                sample.codes.push(halted.code());
                sample.outcome = Outcome::Failed;
                sample.end_ns = Some(self.clock.now_ns());
                return sample;
            }
        }
    }

    /// One attempt; fills in its times and sizes.
    async fn attempt(
        &mut self,
        target: Target<'_>,
        sample: &mut Sample,
    ) -> Result<(), AttemptError> {
        let start = self.clock.now_ns();
        sample.attempts += 1;
        sample.start_ns.get_or_insert(start);
        sample.attempt_start_ns = Some(start);
        let pulse = Cell::new(0);
        let mut sink = Sink {
            clock: &self.clock,
            meter: &mut self.meter,
            pulse: &pulse,
            hasher: Hasher::new(self.options.work),
            target,
            head: None,
            same_tag: true,
            counted: 0,
            times: AttemptTimes::default(),
            status: None,
        };
        let result = self
            .watchdog
            .guard(&pulse, self.client.get(target, &mut sink))
            .await;
        let end = self.clock.now_ns();
        sample.size = sink.head.and_then(|head| head.announced).or(sample.size);
        sample.calc_size = sink.head.map(|_| sink.counted);
        let AttemptTimes {
            connected_ns,
            sent_ns,
            head_ns,
            first_byte_ns,
        } = sink.times;
        (sample.connected_ns, sample.sent_ns) = (connected_ns, sent_ns);
        (sample.head_ns, sample.first_byte_ns) = (head_ns, first_byte_ns);
        (sample.status, sample.end_ns) = (sink.status, Some(end));
        let received = ReceivedBody {
            counted: sink.counted,
            ..sink.head.unwrap_or_default()
        };
        let same_tag = sink.same_tag;
        let document = sink.hasher.finish();
        match result {
            Err(halted) => Err(AttemptError {
                code: halted.code(),
                remedy: halted.remedy(),
            }),
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => {
                // A body without bytes has no first byte: its head was complete when it ended.
                sample.first_byte_ns.get_or_insert(end);
                received.check(target)?;
                sample.mismatch = Mismatch {
                    size: received.is_resized(target),
                    etag: !same_tag,
                };
                let refused = document
                    .filter(|_| sample.mismatch.size)
                    .and_then(|document| AttemptError::of_document(&document));
                refused.map_or(Ok(()), Err)
            }
        }
    }

    /// The retry policy: one for both clients.
    fn after(&mut self, remedy: Remedy, sample: &Sample, tries: &mut TriesSoFar) -> AfterFailure {
        if remedy != Remedy::Reconnect {
            (tries.unconnected, tries.cut_off_since_ns) = (0, None);
        }
        match remedy {
            Remedy::Nothing(outcome) => AfterFailure::End(outcome),
            Remedy::NewConnection => AfterFailure::AtOnce,
            Remedy::Refresh if tries.refreshed => AfterFailure::End(Outcome::Failed),
            Remedy::Refresh => {
                tries.refreshed = true;
                AfterFailure::Refresh
            }
            Remedy::ClockCorrected if tries.corrected >= CLOCK_CORRECTIONS => {
                AfterFailure::End(Outcome::Failed)
            }
            Remedy::ClockCorrected => {
                tries.corrected += 1;
                AfterFailure::AtOnce
            }
            Remedy::BackOff => {
                tries.gets += 1;
                if tries.gets >= self.options.limits.attempts {
                    AfterFailure::End(Outcome::Failed)
                } else {
                    AfterFailure::Wait(backoff(tries.gets - 1, self.random.f64()))
                }
            }
            Remedy::Reconnect => {
                let since = *tries
                    .cut_off_since_ns
                    .get_or_insert(sample.attempt_start_ns.unwrap_or_default());
                let cut_off =
                    Duration::from_nanos(sample.end_ns.unwrap_or_default().saturating_sub(since));
                tries.unconnected += 1;
                let limit = self.options.limits.stall_timeout;
                if limit.is_none_or(|limit| cut_off >= limit) {
                    AfterFailure::End(Outcome::Failed)
                } else {
                    AfterFailure::Wait(backoff(tries.unconnected - 1, self.random.f64()))
                }
            }
        }
    }

    async fn back_off(&mut self, time: Duration, sample: &mut Sample) -> Option<Halted> {
        let begin = self.clock.now_ns();
        let halted = self.watchdog.wait(tokio::time::sleep(time)).await.err();
        sample.backoff_ns += self.clock.now_ns().saturating_sub(begin);
        halted
    }
}

impl Halted {
    fn code(self) -> ErrorCode {
        ErrorCode::from_word(match self {
            Self::Stalled => "stalled",
            Self::TimedOut => "timeout",
            Self::Interrupted => "interrupted",
        })
    }

    fn remedy(self) -> Remedy {
        match self {
            Self::Stalled => Remedy::BackOff,
            Self::TimedOut | Self::Interrupted => Remedy::Nothing(Outcome::Failed),
        }
    }
}

/// Counts a body while it arrives.
struct Sink<'a, K> {
    clock: &'a K,
    meter: &'a mut ByteMeter,
    pulse: &'a Cell<u64>,
    hasher: Hasher,
    target: Target<'a>,
    /// What the head said; nothing is counted there.
    head: Option<ReceivedBody>,
    /// Whether the object's entity tag is the listed one, as far as is known.
    same_tag: bool,
    counted: u64,
    times: AttemptTimes,
    status: Option<u16>,
}

/// When an attempt came how far, in ns since the epoch.
#[derive(Clone, Copy, Default)]
struct AttemptTimes {
    connected_ns: Option<u64>,
    sent_ns: Option<u64>,
    head_ns: Option<u64>,
    first_byte_ns: Option<u64>,
}

impl<K: Clock> BodySink for Sink<'_, K> {
    fn connected(&mut self) {
        self.times.connected_ns = Some(self.clock.now_ns());
    }

    fn sent(&mut self) {
        self.times.sent_ns = Some(self.clock.now_ns());
    }

    fn answered(&mut self, status: u16) {
        (self.status, self.times.head_ns) = (Some(status), Some(self.clock.now_ns()));
    }

    fn refused(&mut self, status: u16) {
        self.status = Some(status);
    }

    fn head(&mut self, head: &BodyHead<'_>) {
        self.pulse.set(self.pulse.get() + 1);
        self.head = Some(ReceivedBody {
            announced: head.length,
            until_close: head.until_close,
            total: head.total,
            counted: 0,
        });
        self.same_tag = is_same_tag(self.target.etag, head.etag);
        if head.length == Some(0) {
            let head_ns = self.times.head_ns;
            self.times.first_byte_ns = Some(head_ns.unwrap_or_else(|| self.clock.now_ns()));
        }
        if self.target.part.is_none()
            && self.target.size.is_some()
            && self.target.size != head.length
        {
            // It may be an error document in a 200.
            self.hasher.keep_document();
        }
    }

    fn chunk(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let now = self.clock.now_ns();
        let length = bytes.len() as u64;
        self.times.first_byte_ns.get_or_insert(now);
        self.counted += length;
        self.pulse.set(self.pulse.get() + 1);
        self.meter.read(now, length);
        self.hasher.update(bytes);
    }
}

#[cfg(test)]
mod tests;
