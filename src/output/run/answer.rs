//! The sentences above the figures: what happened, and what became of objects that were not fetched.

use super::limits::limits;
use super::next::source;
use super::said::{Said, Tone, plain};
use super::view::RunView;
use super::web;
use crate::output::one_line;
use crate::results::summary::{Limit, Outcomes, State, Summary, Totals};
use crate::units::{self, plural};

/// A key in a sentence is not wider: it is one word, which no line end breaks.
const KEY_COLUMNS: usize = 50;

/// Everything that is said, in order.
pub(super) fn answer(summary: &Summary, view: &RunView<'_>) -> Vec<Said> {
    let mut said = vec![what_happened(summary)];
    said.extend(not_fetched(summary, view));
    if let Some(totals) = summary.totals.as_ref().filter(|totals| totals.rows.ok > 0) {
        said.extend(limits((summary, view), totals));
        if summary.settings.http.is_some() {
            said.extend(web::closing(summary));
        }
    }
    said
}

fn what_happened(summary: &Summary) -> Said {
    let (tone, text) = match (summary.state, summary.totals) {
        (State::Running, _) => (
            Tone::Caution,
            "The run is still running, or it died: nothing is known of it yet.".to_owned(),
        ),
        (State::Interrupted, Some(totals)) if totals.rows.sum() > 0 => {
            (Tone::Caution, interrupted(summary, &totals))
        }
        (State::Interrupted, _) => (
            Tone::Caution,
            "Interrupted before the first fetch: nothing was fetched.".to_owned(),
        ),
        (State::Failed, _) => (
            Tone::Bad,
            format!(
                "The run failed: {}. These results do not count.",
                why_failed(summary)
            ),
        ),
        (State::Complete, Some(totals)) if totals.rows.ok > 0 => {
            let tone = if is_failed(summary) {
                Tone::Bad
            } else {
                Tone::Strong
            };
            (tone, fetched(summary, &totals))
        }
        (State::Complete, Some(totals)) if totals.rows.sum() > 0 => (
            Tone::Bad,
            format!("{}.", units::upper_first(&why_failed(summary))),
        ),
        (State::Complete, _) => (
            Tone::Caution,
            format!(
                "Nothing to fetch: there are no keys {}.{}",
                keys_of(summary),
                where_to_look(summary)
            ),
        ),
    };
    Said { tone, text }
}

fn is_failed(summary: &Summary) -> bool {
    summary
        .verdict
        .as_ref()
        .is_some_and(|verdict| verdict.word == Limit::Failed)
}

/// The figures that decided, which the verdict of a failed run begins with.
fn why_failed(summary: &Summary) -> String {
    let because = summary
        .verdict
        .as_ref()
        .filter(|verdict| verdict.word == Limit::Failed)
        .and_then(|verdict| verdict.because.first());
    because
        .or(summary.warnings.last())
        .cloned()
        .unwrap_or_else(|| "nothing was fetched".to_owned())
}

/// `Fetched 46,000 objects, 118 GB, in 59.8 s: 1.97 GB/s.`
fn fetched(summary: &Summary, totals: &Totals) -> String {
    let bytes = units::bytes(totals.goodput_bytes);
    let flaw = if is_failed(summary) {
        format!(" The figures do not count: {}.", why_failed(summary))
    } else {
        String::new()
    };
    if summary.settings.http.is_some() {
        return format!("{}.{flaw}", web::made(summary, totals));
    }
    format!(
        "Fetched {}, {bytes}{}.{flaw}",
        how_many(totals.rows),
        in_time(summary)
    )
}

fn interrupted(summary: &Summary, totals: &Totals) -> String {
    let bytes = units::bytes(totals.goodput_bytes);
    if summary.settings.http.is_some() {
        return format!(
            "Interrupted: {}. These results are partial.",
            web::made(summary, totals)
        );
    }
    format!(
        "Interrupted: fetched {}, {bytes}{}. These results are partial.",
        how_many(totals.rows),
        in_time(summary)
    )
}

/// `46,000 objects`, `45,997 of 46,000 objects`
fn how_many(rows: Outcomes) -> String {
    let all = rows.sum();
    if rows.ok == all {
        plural(all, "object")
    } else {
        format!("{} of {}", units::count(rows.ok), plural(all, "object"))
    }
}

/// `, in 59.8 s: 1.97 GB/s`
fn in_time(summary: &Summary) -> String {
    let Some(ns) = summary.phases.fetch_ns else {
        return String::new();
    };
    let rate = summary
        .rates
        .goodput_bytes_per_s
        .map_or_else(String::new, |rate| format!(": {}", units::rate(rate)));
    format!(", in {}{rate}", units::duration(ns))
}

/// What to do about an empty bucket; a made-up one was asked for.
fn where_to_look(summary: &Summary) -> &'static str {
    if summary.server.is_some() || summary.settings.selection.shard.is_some() {
        ""
    } else {
        " Check the bucket and the prefix, or make objects with `parfetch fill`."
    }
}

/// Where there are none.
fn keys_of(summary: &Summary) -> String {
    let shard = summary
        .settings
        .selection
        .shard
        .map_or_else(String::new, |shard| format!(" for shard {shard}"));
    format!("under {}{shard}", source(summary))
}

/// What became of the other objects, and the exit code.
fn not_fetched(summary: &Summary, view: &RunView<'_>) -> Vec<Said> {
    let Outcomes {
        failed,
        vanished,
        archived,
        ..
    } = summary.totals.map(|totals| totals.rows).unwrap_or_default();
    let mut said = Vec::new();
    if failed > 0 {
        let which = view.first_failure.map_or_else(String::new, |first| {
            let codes = if first.codes.is_empty() {
                String::new()
            } else {
                format!("{}: ", first.codes)
            };
            let others = if failed == 1 {
                String::new()
            } else {
                format!(", and {}", plural(failed - 1, "other"))
            };
            format!(" ({codes}{}{others})", cut(&first.key))
        });
        let all = plural(
            summary.totals.map_or(failed, |totals| totals.rows.sum()),
            summary.settings.noun(),
        );
        let what = if summary.settings.http.is_some() {
            "failed"
        } else {
            "could not be fetched"
        };
        said.push(Said {
            tone: Tone::Bad,
            text: format!("{} of {all} {what}{which}.", units::count(failed)),
        });
    }
    if vanished > 0 {
        let were = units::were(vanished);
        said.push(Said {
            tone: Tone::Caution,
            text: format!(
                "{} {were} listed, and missing when fetched.",
                plural(vanished, "object")
            ),
        });
    }
    if archived > 0 {
        let (are, they) = if archived == 1 {
            ("is", "it")
        } else {
            ("are", "they")
        };
        let text = format!(
            "{} {are} archived and must be restored before {they} can be read.",
            plural(archived, "object")
        );
        said.push(Said {
            tone: Tone::Caution,
            text,
        });
    }
    if view.exit_code != 0 {
        let exit = format!("Exit code {}.", view.exit_code);
        match said.last_mut() {
            Some(last) => last.text = format!("{} {exit}", last.text),
            None => said.push(plain(exit)),
        }
    }
    said
}

/// As much of a key as a sentence has room for.
fn cut(key: &str) -> String {
    console::truncate_str(&one_line(key), KEY_COLUMNS, "…").into_owned()
}
