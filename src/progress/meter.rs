//! Where a run is and how fast it goes: the figures behind a bar and behind a line. Pure.

use std::collections::VecDeque;

use crate::event::Live;
use crate::units::{self, SECOND_NS};

/// The current rate is that of the last so many nanoseconds.
const WINDOW_NS: u64 = 5 * SECOND_NS;

/// Before this time the rate is that of connecting, and a time left would swing.
const SETTLED_NS: u64 = 2 * SECOND_NS;

/// What ends the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Goal {
    /// Not known yet.
    #[default]
    Unknown,
    /// So many fetches.
    Units(u64),
    /// This time since the epoch.
    Time(u64),
}

/// Follows the counters of a run.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) goal: Goal,
    /// Bytes of the whole run as listed.
    bytes_listed: Option<u64>,
    live: Live,
    elapsed_ns: u64,
    /// Time and bytes, oldest first: the newest one that is at least a window old, and everything since.
    recent: VecDeque<(u64, u64)>,
}

impl Meter {
    /// The barrier is open.
    pub(super) fn start(&mut self, goal: Goal, bytes_listed: Option<u64>) {
        *self = Self {
            goal,
            bytes_listed: bytes_listed.filter(|bytes| *bytes > 0),
            recent: VecDeque::from([(0, 0)]),
            ..Self::default()
        };
    }

    /// The counters as they are by now.
    pub(super) fn update(&mut self, live: Live, elapsed_ns: u64) {
        (self.live, self.elapsed_ns) = (live, elapsed_ns);
        self.recent.push_back((elapsed_ns, live.bytes));
        while self
            .recent
            .get(1)
            .is_some_and(|next| elapsed_ns.saturating_sub(next.0) >= WINDOW_NS)
        {
            self.recent.pop_front();
        }
    }

    pub(super) const fn live(&self) -> Live {
        self.live
    }

    pub(super) const fn elapsed_ns(&self) -> u64 {
        self.elapsed_ns
    }

    /// Bytes per second of the last five seconds.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, last) = (self.recent.front()?, self.recent.back()?);
        let time_ns = last.0.checked_sub(first.0).filter(|ns| *ns > 0)?;
        Some(last.1.saturating_sub(first.1) as f64 / (time_ns as f64 / 1e9))
    }

    /// Time to the end: by the bytes that are missing and the current rate, else by objects at their rate so far.
    pub(super) fn left_ns(&self) -> Option<u64> {
        let units = match self.goal {
            Goal::Unknown => return None,
            Goal::Time(duration_ns) => return Some(duration_ns.saturating_sub(self.elapsed_ns)),
            Goal::Units(_) if self.elapsed_ns < SETTLED_NS => return None,
            Goal::Units(units) => units,
        };
        let (done, all, time_ns) = match (self.bytes_listed, self.recent.front()) {
            (Some(all), Some(first)) if self.live.bytes > first.1 => {
                // The rate of the window, as bytes done in a time.
                return Some(scale(
                    all.saturating_sub(self.live.bytes),
                    self.elapsed_ns - first.0,
                    self.live.bytes - first.1,
                ));
            }
            _ => (self.live.ended, units, self.elapsed_ns),
        };
        (done > 0).then(|| scale(all.saturating_sub(done), time_ns, done))
    }

    /// `27,310/46,000`, or `27,310` when time ends the run.
    pub(super) fn objects(&self) -> String {
        match self.goal {
            Goal::Units(units) => {
                format!("{}/{}", units::count(self.live.ended), units::count(units))
            }
            Goal::Time(_) | Goal::Unknown => units::count(self.live.ended),
        }
    }

    /// `1.97 GB/s`
    pub(super) fn rate_text(&self) -> String {
        self.rate().map_or_else(|| "– B/s".to_owned(), units::rate)
    }

    /// `24 s left`; nothing when it cannot be told.
    pub(super) fn left_text(&self) -> Option<String> {
        self.left_ns()
            .map(|ns| format!("{} left", units::duration_coarse(ns)))
    }
}

/// `amount × time ÷ done`, without overflow on the way.
fn scale(amount: u64, time_ns: u64, done: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(time_ns) / u128::from(done.max(1)))
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(ended: u64, bytes: u64) -> Live {
        Live {
            ended,
            bytes,
            ..Live::default()
        }
    }

    /// 100 MB in each of 10 s, then 10 MB in each second.
    fn slowed() -> Meter {
        let mut meter = Meter::default();
        meter.start(Goal::Units(100), Some(1_200_000_000));
        for second in 1..=10 {
            meter.update(live(second, second * 100_000_000), second * SECOND_NS);
        }
        for second in 11..=18 {
            meter.update(
                live(10, 1_000_000_000 + (second - 10) * 10_000_000),
                second * SECOND_NS,
            );
        }
        meter
    }

    #[test]
    fn the_rate_is_that_of_the_last_five_seconds() {
        let meter = slowed();
        assert!((meter.rate().unwrap() - 10_000_000.0).abs() < 1.0);
        assert!(meter.recent.len() <= 7, "what is older is forgotten");
    }

    #[test]
    fn time_left_follows_the_current_rate() {
        // 120 MB are missing at 10 MB/s.
        assert_eq!(slowed().left_ns(), Some(12 * SECOND_NS));
        assert_eq!(slowed().left_text().unwrap(), "12 s left");
    }

    #[test]
    fn without_sizes_objects_tell_the_time_left() {
        let mut meter = Meter::default();
        meter.start(Goal::Units(40), None);
        assert_eq!(meter.left_ns(), None);
        meter.update(live(10, 5), 2 * SECOND_NS);
        assert_eq!(meter.left_ns(), Some(6 * SECOND_NS));
    }

    #[test]
    fn a_timed_run_knows_its_end() {
        let mut meter = Meter::default();
        meter.start(Goal::Time(30 * SECOND_NS), Some(1));
        meter.update(live(10, 5), 31 * SECOND_NS);
        assert_eq!(
            (meter.left_ns(), meter.objects()),
            (Some(0), "10".to_owned())
        );
    }

    #[test]
    fn before_the_first_counters_nothing_is_claimed() {
        let mut meter = Meter::default();
        meter.start(Goal::Units(40), Some(5));
        assert_eq!(
            (meter.rate(), meter.left_ns(), meter.rate_text()),
            (None, None, "– B/s".to_owned())
        );
    }
}
