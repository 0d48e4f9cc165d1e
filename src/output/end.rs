//! The end of a run as one line of a log: how it ended and its totals.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::log_line::{Severity, log_line};
use crate::results::summary::{State, Summary};
use crate::stats::histogram::Snapshot;
use crate::units;

/// Writes the line. `exit_code` is what the process ends with.
///
/// # Errors
/// When writing fails.
pub fn end_line(
    writer: &mut (impl Write + ?Sized),
    summary: &Summary,
    exit_code: u8,
) -> io::Result<()> {
    let level = if exit_code == 0 {
        Severity::Info
    } else {
        Severity::Warn
    };
    log_line(writer, level, &message(summary), fields(summary, exit_code))
}

/// `run complete: fetched 46,000 objects, 118 GB, 1,970 MB/s, 0 failed`
fn message(summary: &Summary) -> String {
    let state = match summary.state {
        State::Running => "not ended",
        State::Complete => "complete",
        State::Interrupted => "interrupted",
        State::Failed => "failed",
    };
    let Some(totals) = summary.totals else {
        return format!("run {state}: nothing was fetched");
    };
    let (ok, failed) = (totals.rows.ok, units::count(totals.rows.failed));
    let rate = summary
        .rates
        .throughput_bytes_per_s
        .map_or_else(String::new, |rate| format!(", {}", units::rate_mb(rate)));
    let s = if ok == 1 { "" } else { "s" };
    format!(
        "run {state}: fetched {} object{s}, {}{rate}, {failed} failed",
        units::count(ok),
        units::bytes(totals.goodput_bytes)
    )
}

fn fields(summary: &Summary, exit_code: u8) -> Value {
    let Summary {
        totals,
        phases,
        rates,
        attempts,
        cpu,
        settings,
        ..
    } = summary;
    let rows = totals.map(|totals| totals.rows);
    let seconds = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e9);
    let times =
        |times: &Snapshot| [times.p50_ns, times.p99_ns].map(|ns| ns.map(|ns| ns as f64 / 1e6));
    let ([ttfb_p50, ttfb_p99], [fetch_p50, fetch_p99]) = (
        times(&summary.distributions.ttfb),
        times(&summary.distributions.fetch_duration),
    );
    let mut fields = json!({
        "state": summary.state,
        "exit_code": exit_code,
        "mode": settings.mode,
        "client": settings.client,
        "concurrency": settings.concurrency,
        "listed_objects": totals.map(|totals| totals.keys_listed),
        "ok": rows.map(|rows| rows.ok),
        "failed": rows.map(|rows| rows.failed),
        "vanished": rows.map(|rows| rows.vanished),
        "archived": rows.map(|rows| rows.archived),
        "not_attempted": rows.map(|rows| rows.not_attempted),
        "goodput_bytes": totals.map(|totals| totals.goodput_bytes),
        "received_bytes": totals.and_then(|totals| totals.received_bytes),
        "throughput_bytes_per_s": rates.throughput_bytes_per_s,
        "goodput_bytes_per_s": rates.goodput_bytes_per_s,
        "requests_per_s": rates.requests_per_s,
        "ttfb_p50_ms": ttfb_p50,
        "ttfb_p99_ms": ttfb_p99,
        "fetch_p50_ms": fetch_p50,
        "fetch_p99_ms": fetch_p99,
    });
    let more = json!({
        "listing_s": seconds(phases.listing_ns),
        "fetch_s": seconds(phases.fetch_ns),
        "write_back_s": seconds(phases.write_back_ns),
        "attempts": attempts.as_ref().map(|attempts| attempts.total),
        "throttles": attempts.as_ref().map(|attempts| attempts.throttles),
        "used_vcpu": cpu.used_vcpu,
        "limit_vcpu": cpu.limit_vcpu,
        "warnings": summary.warnings.len(),
        "verdict": summary.verdict.as_ref().map(|verdict| verdict.word.as_str()),
        "result_bucket": settings.destination.bucket,
        "result_key": settings.destination.bucket.as_ref().map(|_| format!("{}{}.json", settings.destination.prefix, summary.result_name)),
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::fixture;

    fn line(summary: &Summary, exit_code: u8) -> Value {
        let mut out = Vec::new();
        end_line(&mut out, summary, exit_code).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_totals_of_a_good_run() {
        let summary = fixture::complete();
        let line = line(&summary, 0);
        let totals = summary.totals.unwrap();
        assert_eq!(
            (&line["level"], &line["state"], &line["exit_code"]),
            (&json!("INFO"), &json!("complete"), &json!(0))
        );
        assert_eq!(
            (&line["ok"], &line["failed"], &line["goodput_bytes"]),
            (&json!(2_000), &json!(0), &json!(totals.goodput_bytes))
        );
        assert_eq!(line["listing_s"], json!(0.39));
        assert_eq!(
            (&line["result_bucket"], &line["result_key"]),
            (&json!("results"), &json!("result_run_async_32.json"))
        );
        assert!(
            line["message"]
                .as_str()
                .unwrap()
                .starts_with("run complete: fetched 2,000 objects, 4.81 GB, 1,171 MB/s, 0 failed"),
            "{line}"
        );
        // Of the fixture's lifetimes the median is a whole number of µs.
        assert_eq!(
            line["fetch_p50_ms"].as_f64(),
            summary
                .distributions
                .fetch_duration
                .p50_ns
                .map(|ns| ns as f64 / 1e6)
        );
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let line = line(&Summary::running(fixture::header()), 143);
        assert_eq!(
            (&line["level"], &line["message"]),
            (&json!("WARN"), &json!("run not ended: nothing was fetched"))
        );
        let members = line.as_object().unwrap();
        assert!(members.values().all(|value| !value.is_null()));
        for name in [
            "ok",
            "failed",
            "goodput_bytes",
            "throughput_bytes_per_s",
            "fetch_s",
            "verdict",
        ] {
            assert!(!members.contains_key(name), "{name}");
        }
    }
}
