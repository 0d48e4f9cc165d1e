//! One coarse tick a worker instead of a timer a request: notices stalls, the time limit of a fetch, and the end of the run.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::plan::Limits;

/// Set when fetches in flight are to be given up.
#[derive(Debug, Default)]
pub struct Halt(AtomicBool);

impl Halt {
    /// Gives up all fetches in flight, within one tick.
    pub fn halt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a future was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halted {
    Stalled,
    TimedOut,
    Interrupted,
}

/// The tick of one worker.
#[derive(Debug)]
pub struct Watchdog {
    halt: std::sync::Arc<Halt>,
    tick: Interval,
    /// `None`: silence is no reason.
    stall: Option<Duration>,
    deadline: Option<Instant>,
}

impl Watchdog {
    /// Ticks as coarsely as the limits allow: with very many workers every 2 s, so that ticks cost nothing that shows. A stall is noticed up to one
    /// tick late, never early. Must be called inside a tokio runtime.
    pub fn new(halt: std::sync::Arc<Halt>, limits: &Limits, concurrency: u32) -> Self {
        let least = Duration::from_millis(10);
        let shortest = limits
            .fetch_timeout
            .into_iter()
            .chain(limits.stall_timeout)
            .min();
        let every = (Duration::from_micros(100) * concurrency)
            .clamp(Duration::from_millis(250), Duration::from_secs(2))
            .min(shortest.map_or(Duration::MAX, |limit| limit / 4))
            .max(least);
        let mut tick = tokio::time::interval_at(Instant::now() + every, every);
        // A process that was stopped for a while must not count that time as many ticks.
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            halt,
            tick,
            stall: limits.stall_timeout,
            deadline: None,
        }
    }

    /// A fetch begins; its time limit runs from here.
    pub(super) fn begin(&mut self, timeout: Option<Duration>) {
        self.deadline = timeout.map(|timeout| Instant::now() + timeout);
    }

    /// Runs `future` unless it stalls: `pulse` must change at least once in every stall time-out.
    pub(super) async fn guard<F: Future>(
        &mut self,
        pulse: &Cell<u64>,
        future: F,
    ) -> Result<F::Output, Halted> {
        let mut quiet = Duration::ZERO;
        let mut seen = pulse.get();
        let mut fresh = true;
        let (stall, every) = (self.stall, self.tick.period());
        self.run(future, || {
            let now = pulse.get();
            // The first tick of a quiet time says nothing: it may have begun just before.
            quiet = if fresh || now != seen {
                Duration::ZERO
            } else {
                quiet + every
            };
            (fresh, seen) = (false, now);
            stall
                .is_some_and(|stall| quiet >= stall)
                .then_some(Halted::Stalled)
        })
        .await
    }

    /// Runs `future`, which may be quiet: a wait.
    pub(super) async fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Halted> {
        self.run(future, || None).await
    }

    async fn run<F: Future>(
        &mut self,
        future: F,
        mut on_tick: impl FnMut() -> Option<Halted>,
    ) -> Result<F::Output, Halted> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            match self.poll_tick(context, &mut on_tick) {
                Some(halted) => Poll::Ready(Err(halted)),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn poll_tick(
        &mut self,
        context: &mut Context<'_>,
        on_tick: &mut impl FnMut() -> Option<Halted>,
    ) -> Option<Halted> {
        while let Poll::Ready(now) = self.tick.poll_tick(context) {
            if self.halt.is_set() {
                return Some(Halted::Interrupted);
            }
            if self.deadline.is_some_and(|deadline| now >= deadline) {
                return Some(Halted::TimedOut);
            }
            if let Some(halted) = on_tick() {
                return Some(halted);
            }
        }
        None
    }
}
