//! The clocks of a run. [`now_ns`] is raw `CLOCK_MONOTONIC`, the one clock of every process of a run, so that times of children and parent
//! compare; every duration comes from it. The wall clock only labels a run, and this file is the only one that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const RFC_3339_MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Nanoseconds of `CLOCK_MONOTONIC`: since boot on Linux, the same in every process of the machine (of the time namespace).
#[expect(clippy::missing_panics_doc, reason = "the clock counts up from zero")]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).expect("the monotonic clock counts up from zero");
    let nanoseconds =
        u64::try_from(now.tv_nsec).expect("the part below a second is never negative");
    seconds * 1_000_000_000 + nanoseconds
}

/// Wall-clock time as milliseconds since 1970-01-01T00:00:00Z; 0 with a clock set before that.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock, which labels runs"
)]
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Wall-clock time as RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
pub fn utc_now() -> String {
    utc_text(unix_ms())
}

/// Milliseconds since 1970 as RFC 3339 in UTC, `2026-01-02T03:04:05.678Z`; years past 9999 are held at the start of 1970.
#[expect(
    clippy::missing_panics_doc,
    reason = "the format is a constant, and a test writes it"
)]
pub fn utc_text(unix_ms: u64) -> String {
    let date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(RFC_3339_MILLISECONDS)
        .expect("every component of the format is one that a date with a time has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_text_has_milliseconds_and_leading_zeroes() {
        assert_eq!(utc_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc_text(1_767_323_045_007), "2026-01-02T03:04:05.007Z");
        assert_eq!(utc_text(u64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_monotonic_clock_is_the_systems_own() {
        let before = clock_gettime(ClockId::Monotonic);
        let now = now_ns();
        let after = clock_gettime(ClockId::Monotonic);
        let ns = |t: rustix::time::Timespec| {
            u64::try_from(t.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap()
        };
        assert!((ns(before)..=ns(after)).contains(&now));
    }

    #[test]
    fn the_wall_clock_is_past_the_year_this_was_written_in() {
        assert!(utc_now().as_str() > "2025", "{}", utc_now());
    }
}
