//! How far the store's clock is ahead of this machine's: found out once by whichever worker was refused for it, then part of every signature.
//!
//! Nothing that is measured uses it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::platform::clock;

/// Two offsets that are nearer to each other than this are the same: stores take signatures of minutes ago, and a `Date` is whole seconds old.
const SAME_S: u64 = 60;

/// The offset as one worker knows it, and the place from which all take it.
#[derive(Clone, Debug)]
pub struct ClockOffset {
    shared: Arc<watch::Sender<i64>>,
    news: watch::Receiver<i64>,
    /// As last read: what this worker's requests are signed with.
    offset_s: i64,
}

impl ClockOffset {
    /// What is known, in s, until somebody knows better: 0 is this machine's clock.
    pub fn of(offset_s: i64) -> Self {
        let (shared, news) = watch::channel(offset_s);
        Self {
            shared: Arc::new(shared),
            news,
            offset_s,
        }
    }

    /// What to add to this machine's time, in s. An atomic load while nothing changes.
    pub(super) fn offset_s(&mut self) -> i64 {
        if self.news.has_changed().is_ok_and(|changed| changed) {
            self.offset_s = *self.news.borrow_and_update();
        }
        self.offset_s
    }

    /// The store refused a request for its time just now, at `store_unix_s` by its own clock. False when another signature would not help: the one it
    /// refused had that time.
    pub(super) fn correct(&mut self, store_unix_s: i64) -> bool {
        let offset_s = offset_from_now(store_unix_s);
        let helps = offset_s.abs_diff(self.offset_s) >= SAME_S;
        if helps {
            self.set(offset_s);
        }
        helps
    }

    /// Takes over what somebody found out.
    pub fn set(&self, offset_s: i64) {
        self.shared.send_if_modified(|known| {
            let other = known.abs_diff(offset_s) >= SAME_S;
            if other {
                *known = offset_s;
            }
            other
        });
    }

    /// The newest offset, in s.
    pub fn newest(&self) -> i64 {
        *self.shared.borrow()
    }

    /// Waits for the next offset.
    pub async fn changed(&mut self) -> i64 {
        match self.news.changed().await {
            Ok(()) => self.offset_s = *self.news.borrow_and_update(),
            Err(_) => unreachable!("the sender is in this very struct"),
        }
        self.offset_s
    }
}

/// How far a clock that shows this now is ahead of this machine's, in s.
pub(super) fn offset_from_now(store_unix_s: i64) -> i64 {
    let now_s = i64::try_from(clock::unix_ms() / 1000).unwrap_or(i64::MAX);
    store_unix_s.saturating_sub(now_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now_s() -> i64 {
        i64::try_from(clock::unix_ms() / 1000).unwrap()
    }

    #[test]
    fn what_one_worker_finds_out_all_use() {
        let mut first = ClockOffset::of(0);
        let mut second = first.clone();
        assert!(first.correct(now_s() + 1_800));
        assert!(
            (1_798..=1_800).contains(&second.offset_s()),
            "{}",
            second.offset_s
        );
        assert_eq!(first.offset_s(), second.offset_s());
        assert!(!second.correct(now_s() + 1_800), "it was signed so");
        let third = second.clone();
        assert!(second.correct(now_s() - 7_200));
        assert!((-7_202..=-7_200).contains(&third.newest()));
    }

    #[test]
    fn a_worker_whose_request_was_on_its_way_meanwhile_tries_again() {
        let mut first = ClockOffset::of(0);
        let mut second = first.clone();
        assert!(first.correct(now_s() + 1_800));
        assert!(
            second.correct(now_s() + 1_800),
            "its request was signed with the old time"
        );
        assert!((1_798..=1_800).contains(&second.newest()));
    }

    #[tokio::test]
    async fn those_who_wait_hear_of_it_and_those_who_come_later_too() {
        let offset = ClockOffset::of(0);
        let mut later = offset.clone();
        offset.set(900);
        offset.set(901);
        assert_eq!(
            (later.changed().await, offset.clone().changed().await),
            (900, 900),
            "a second is no news"
        );
    }
}
