//! Waiting to a tenth of a millisecond: tokio's timer is a millisecond late, which is as much as the delays that are to be modelled.
//!
//! On Linux one timerfd a runtime with a heap of deadlines; elsewhere tokio's timer. Also the clock that all deadlines are on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// `CLOCK_MONOTONIC` in nanoseconds.
pub(super) fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).expect("the monotonic clock does not run below zero");
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).expect("nanoseconds are never negative")
}

#[cfg(not(target_os = "linux"))]
pub(super) use portable::{TokioSleep as Sleep, TokioTimer as Timer};
#[cfg(target_os = "linux")]
pub(super) use timerfd::{FdSleep as Sleep, FdTimer as Timer};

#[cfg(target_os = "linux")]
mod timerfd {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::task::Waker;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use super::{Context, Future, Pin, Poll, now_ns};

    /// Deadlines of one runtime. Clones share the timer.
    #[derive(Clone)]
    pub(in crate::server) struct FdTimer(Arc<TimerQueue>);

    struct TimerQueue {
        fd: AsyncFd<OwnedFd>,
        heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    }

    struct Entry {
        deadline_ns: u64,
        slot: Arc<Slot>,
    }

    #[derive(Default)]
    struct Slot {
        fired: AtomicBool,
        waker: Mutex<Option<Waker>>,
    }

    impl PartialEq for Entry {
        fn eq(&self, other: &Self) -> bool {
            self.deadline_ns == other.deadline_ns
        }
    }

    impl Eq for Entry {}

    impl PartialOrd for Entry {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Entry {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.deadline_ns.cmp(&other.deadline_ns)
        }
    }

    impl FdTimer {
        /// A timer on the current runtime; [`FdTimer::drive`] has to run on it too.
        #[expect(
            deprecated,
            reason = "the descriptor is owned by the AsyncFd, which is what `register` (unsafe) asks for"
        )]
        pub(in crate::server) fn new() -> io::Result<Self> {
            let fd = timerfd_create(
                TimerfdClockId::Monotonic,
                TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
            )?;
            Ok(Self(Arc::new(TimerQueue {
                fd: AsyncFd::new(fd)?,
                heap: Mutex::default(),
            })))
        }

        /// Wakes sleepers, for ever.
        pub(in crate::server) async fn drive(self) -> io::Result<()> {
            loop {
                let mut guard = self.0.fd.readable().await?;
                let mut count = [0; 8];
                match rustix::io::read(self.0.fd.get_ref(), &mut count) {
                    Ok(_) | Err(rustix::io::Errno::AGAIN) => guard.clear_ready(),
                    Err(error) => return Err(error.into()),
                }
                self.fire();
            }
        }

        /// Done at `deadline_ns` on [`now_ns`]'s clock.
        pub(in crate::server) fn until(&self, deadline_ns: u64) -> FdSleep {
            FdSleep {
                timer: self.clone(),
                deadline_ns,
                slot: None,
            }
        }

        fn fire(&self) {
            let mut heap = self.0.heap.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(Reverse(first)) = heap.peek() {
                if first.deadline_ns > now_ns() {
                    self.arm(first.deadline_ns);
                    return;
                }
                let Some(Reverse(due)) = heap.pop() else {
                    return;
                };
                due.slot.fired.store(true, Ordering::Release);
                let waker = due
                    .slot
                    .waker
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                waker.into_iter().for_each(Waker::wake);
            }
        }

        fn add(&self, deadline_ns: u64, slot: Arc<Slot>) {
            let mut heap = self.0.heap.lock().unwrap_or_else(PoisonError::into_inner);
            let first = heap
                .peek()
                .is_none_or(|Reverse(first)| deadline_ns < first.deadline_ns);
            heap.push(Reverse(Entry { deadline_ns, slot }));
            if first {
                self.arm(deadline_ns);
            }
        }

        fn arm(&self, deadline_ns: u64) {
            let at = |ns: u64| i64::try_from(ns).expect("a deadline lies within 292 years");
            // Zero would disarm.
            let deadline_ns = deadline_ns.max(1);
            let value = Itimerspec {
                it_interval: Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: Timespec {
                    tv_sec: at(deadline_ns / 1_000_000_000),
                    tv_nsec: at(deadline_ns % 1_000_000_000),
                },
            };
            timerfd_settime(self.0.fd.get_ref(), TimerfdTimerFlags::ABSTIME, &value)
                .expect("the descriptor is a timer and the time is valid");
        }
    }

    /// Waits for a deadline.
    pub(in crate::server) struct FdSleep {
        timer: FdTimer,
        deadline_ns: u64,
        slot: Option<Arc<Slot>>,
    }

    impl Future for FdSleep {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let Some(slot) = &self.slot else {
                if self.deadline_ns <= now_ns() {
                    return Poll::Ready(());
                }
                let slot = Arc::new(Slot {
                    waker: Mutex::new(Some(cx.waker().clone())),
                    ..Slot::default()
                });
                self.timer.add(self.deadline_ns, Arc::clone(&slot));
                self.slot = Some(slot);
                return Poll::Pending;
            };
            *slot.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if slot.fired.load(Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::io;
    use std::time::Duration;

    use super::{Context, Future, Pin, Poll, now_ns};

    /// Deadlines of one runtime, on tokio's timer.
    #[derive(Clone)]
    pub(in crate::server) struct TokioTimer(());

    impl TokioTimer {
        pub(in crate::server) fn new() -> io::Result<Self> {
            Ok(Self(()))
        }

        pub(in crate::server) async fn drive(self) -> io::Result<()> {
            std::future::pending().await
        }

        pub(in crate::server) fn until(&self, deadline_ns: u64) -> TokioSleep {
            TokioSleep(Box::pin(tokio::time::sleep(Duration::from_nanos(
                deadline_ns.saturating_sub(now_ns()),
            ))))
        }
    }

    /// Waits for a deadline.
    pub(in crate::server) struct TokioSleep(Pin<Box<tokio::time::Sleep>>);

    impl Future for TokioSleep {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.0.as_mut().poll(cx)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_deadlines_and_never_early() {
        let timer = Timer::new().unwrap();
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(timer.clone().drive());
        let start = now_ns();
        let mut sleepers = tokio::task::JoinSet::new();
        for ms in [20_u64, 5, 15, 0, 10] {
            let timer = timer.clone();
            sleepers.spawn(async move {
                timer.until(start + ms * 1_000_000).await;
                (ms, now_ns())
            });
        }
        let mut order = Vec::new();
        while let Some(done) = sleepers.join_next().await {
            let (ms, woken) = done.unwrap();
            assert!(woken >= start + ms * 1_000_000);
            order.push(ms);
        }
        assert_eq!(order, [0, 5, 10, 15, 20]);
    }
}
