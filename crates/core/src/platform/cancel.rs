//! Long work on files of one's own, on a thread of its own, that ends when nobody waits for its result any more: a signal came.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

/// Says to work whether it was cancelled.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Of work that nobody waits for any more.
    #[cfg(test)]
    pub fn already() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Cancels when what is returned is dropped, and waits for nobody: for work that may wait for a pipe.
    #[must_use]
    pub fn when_dropped(&self) -> CancelGuard {
        CancelGuard(self.clone())
    }

    /// To be asked once a record: it is one load.
    ///
    /// # Errors
    /// When the work was cancelled.
    pub fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled"))
        } else {
            Ok(())
        }
    }
}

/// Does `work` on a thread of its own. When this future is dropped, the work is cancelled, and the drop waits for the thread: whatever it used, a folder
/// say, may go. So the work must ask [`Cancelled`] often, and must not wait for anybody but the disk.
///
/// # Panics
/// When `work` does.
pub async fn cancellable<T: Send + 'static>(
    work: impl FnOnce(&Cancelled) -> T + Send + 'static,
) -> T {
    let cancelled = Cancelled::default();
    let (ended, wait) = channel::<()>();
    let guard = WaitGuard {
        cancelled: Some(cancelled.when_dropped()),
        wait,
    };
    let thread = tokio::task::spawn_blocking(move || {
        // Dropped behind the work, also when that panics.
        let _ended = ended;
        work(&cancelled)
    });
    let done = thread.await;
    drop(guard);
    done.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

/// Cancels work when it is dropped.
#[derive(Debug)]
pub struct CancelGuard(Cancelled);

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Cancels work when it is dropped, and waits for its end.
struct WaitGuard {
    cancelled: Option<CancelGuard>,
    /// Nothing comes: it ends when the thread has ended.
    wait: Receiver<()>,
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        drop(self.cancelled.take());
        let _ended = self.wait.recv();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn a_dropped_future_ends_its_thread_before_it_is_gone() {
        let (begun, rounds) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
        let (there, has_ended) = (Arc::clone(&begun), Arc::clone(&rounds));
        let work = cancellable(move |cancelled| {
            there.wait();
            while cancelled.check().is_ok() {
                std::thread::yield_now();
            }
            has_ended.store(true, Ordering::Relaxed);
        });
        let signal = tokio::task::spawn_blocking(move || begun.wait());
        tokio::select! {
            () = work => panic!("nothing ends it by itself"),
            _ = signal => {}
        }
        assert!(
            rounds.load(Ordering::Relaxed),
            "the thread has ended when the future is gone"
        );
    }

    #[tokio::test]
    async fn what_comes_to_its_end_has_its_result() {
        assert!(cancellable(Cancelled::check).await.is_ok());
        let work = std::panic::AssertUnwindSafe(cancellable(|_| assert_eq!(1, 2, "on purpose")));
        assert!(
            futures::FutureExt::catch_unwind(work).await.is_err(),
            "a panic is passed on"
        );
    }
}
