//! The charts of single runs: distributions, seconds, timeline; each only where there is enough to be drawn.

use super::charts::{Seconds, Spec, milli, round};
use super::curves::mode_style;
use super::types::{
    Client, Histograms, PageHistogram, PageSeries, SeriesLine, Timeline, TimelineFetch,
};

/// Fetches of a timeline that are drawn and listed: more would be neither legible nor light.
pub(super) const TIMELINE_FETCHES: usize = 1500;

/// Bars from which on a distribution shows something.
const BINS: usize = 3;
/// Seconds from which on a curve of them shows something: the first and the last are incomplete.
const SECONDS: usize = 5;

/// The distributions that show something.
pub(super) fn drawn_histograms(client: &Client) -> Option<&Histograms> {
    client
        .histograms
        .as_ref()
        .filter(|all| all.panels.iter().any(|one| one.bins.len() >= BINS))
}

/// The seconds, where there are enough of them.
pub(super) fn drawn_series(client: &Client) -> Option<&PageSeries> {
    client.series.as_ref().filter(|series| {
        series
            .lines
            .iter()
            .any(|line| line.mb_per_s.len() >= SECONDS)
    })
}

/// The fetches, where there are several.
pub(super) fn drawn_timeline(client: &Client) -> Option<&Timeline> {
    client
        .timeline
        .as_ref()
        .filter(|timeline| timeline.fetches.len() > 1)
}

/// One distribution, on the scale of all of them.
pub(super) fn histogram(all: &Histograms, one: &PageHistogram, grey: usize) -> Spec {
    let bins = || all.panels.iter().flat_map(|panel| &panel.bins);
    let range = bins().fold((f64::INFINITY, 0.0_f64), |(low, high), bin| {
        (low.min(bin.from_ms), high.max(bin.to_ms))
    });
    Spec::Histogram {
        style: mode_style(&one.mode, grey),
        bins: one
            .bins
            .iter()
            .map(|bin| {
                (
                    round(bin.from_ms),
                    round(bin.to_ms),
                    round(bin.percent),
                    bin.count,
                )
            })
            .collect(),
        marks: one
            .marks
            .iter()
            .map(|mark| (mark.label.clone(), round(mark.at_ms)))
            .collect(),
        range,
        top: bins().fold(0.0, |top, bin| bin.percent.max(top)),
    }
}

/// Throughput second by second.
pub(super) fn series(series: &PageSeries) -> Spec {
    let one = |(i, line): (usize, &SeriesLine)| Seconds {
        label: line.label.clone(),
        style: mode_style(&line.mode, i),
        values: line.mb_per_s.iter().copied().map(round).collect(),
    };
    Spec::Series {
        lines: series.lines.iter().enumerate().map(one).collect(),
    }
}

/// The worker timeline.
pub(super) fn timeline(timeline: &Timeline) -> Spec {
    let one = |fetch: &TimelineFetch| {
        let state = if fetch.outcome == "ok" {
            u8::from(fetch.attempts > 1)
        } else {
            2
        };
        (
            fetch.worker,
            milli(fetch.start_s),
            fetch.first_byte_s.map(milli),
            milli(fetch.end_s),
            state,
            fetch.attempts,
        )
    };
    Spec::Timeline {
        fetches: timeline
            .fetches
            .iter()
            .take(TIMELINE_FETCHES)
            .map(one)
            .collect(),
    }
}
