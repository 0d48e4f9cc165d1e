//! The summary of requests to a web server: requests a second first, statuses, times; nothing of bytes a second, which such a server is not asked for.

use super::page::{Piece, RunPage};
use super::percentiles::{UNKNOWN, equal_steps};
use super::said::{Said, plain};
use crate::results::summary::{HttpSettings, RequestSteps, StepTimes, Summary, Totals};
use crate::stats::histogram::Snapshot;
use crate::units::{self, plural};

/// Good answers a second; `None` before the fetch phase.
fn rate(summary: &Summary, totals: &Totals) -> Option<f64> {
    let fetch_ns = summary.phases.fetch_ns.filter(|ns| *ns > 0)?;
    Some(totals.rows.ok as f64 / (fetch_ns as f64 / 1e9))
}

/// `1,000 requests in 25.3 s: 39.5 requests/s`
pub(super) fn made(summary: &Summary, totals: &Totals) -> String {
    let (ok, all) = (totals.rows.ok, totals.rows.sum());
    let what = if ok == all {
        plural(all, "request")
    } else {
        format!(
            "{} of {} ended well",
            units::count(ok),
            plural(all, "request")
        )
    };
    let time = summary
        .phases
        .fetch_ns
        .map_or_else(String::new, |ns| format!(" in {}", units::duration(ns)));
    let rate = rate(summary, totals).map_or_else(String::new, |rate| {
        format!(": {} requests/s", units::three_digits(rate))
    });
    format!("{what}{time}{rate}")
}

/// What these figures are of, for whoever knows other programs.
pub(super) fn closing(summary: &Summary) -> Vec<Said> {
    let side_by_side = summary.rates.served_side_by_side.map(|served| {
        plain(format!(
            "The server worked on about {} requests at once: an estimate from good answers × the fastest ÷ the time of all.",
            units::three_digits(served)
        ))
    });
    let closed = plain(
        "Each worker waits for an answer before its next request (a closed loop): a slow server gets fewer requests.",
    );
    side_by_side.into_iter().chain([closed]).collect()
}

/// Everything that is known of requests.
pub(super) fn figures(page: &mut RunPage, summary: &Summary, http: &HttpSettings) {
    let Some(totals) = &summary.totals else {
        return;
    };
    requests(page, summary, totals);
    statuses(page, summary);
    asked(page, http);
    received(page, totals);
    if let Some(ns) = summary.phases.lookup_ns {
        page.line(
            "Look-up",
            &units::duration(ns),
            &[Piece::Fact(
                "of the server's addresses, once for all requests".to_owned(),
            )],
        );
    }
    if let Some(served) = summary.rates.served_side_by_side {
        page.line(
            "Side by side",
            &units::three_digits(served),
            &[Piece::Fact(
                "requests that the server worked on at once, an estimate".to_owned(),
            )],
        );
    }
}

fn requests(page: &mut RunPage, summary: &Summary, totals: &Totals) {
    let rows = totals.rows;
    let mut parts = vec![Piece::Fact(format!("{} ended well", units::count(rows.ok)))];
    parts.extend(
        (rows.failed > 0).then(|| Piece::Bad(format!("{} failed", units::count(rows.failed)))),
    );
    parts.extend((rows.not_attempted > 0).then(|| {
        Piece::Caution(format!(
            "{} not attempted",
            units::count(rows.not_attempted)
        ))
    }));
    if let Some(attempts) = &summary.attempts {
        parts.extend(
            attempts
                .by_code
                .iter()
                .map(|(code, count)| Piece::Caution(format!("{} {code}", units::count(*count)))),
        );
        parts.extend(
            attempts
                .connections_opened
                .map(|opened| Piece::Fact(plural(opened, "connection"))),
        );
    }
    let rate = rate(summary, totals).map_or_else(
        || UNKNOWN.to_owned(),
        |rate| format!("{} /s", units::three_digits(rate)),
    );
    page.line("Requests", &rate, &parts);
}

fn statuses(page: &mut RunPage, summary: &Summary) {
    let mut codes = summary.status_codes.iter();
    let Some((first, count)) = codes.next() else {
        return;
    };
    let piece = |code: &str, count: &u64| format!("{code}: {}", units::count(*count));
    let others: Vec<_> = codes
        .map(|(code, count)| Piece::Fact(piece(code, count)))
        .collect();
    page.line("Status", &piece(first, count), &others);
}

fn asked(page: &mut RunPage, http: &HttpSettings) {
    let mut parts = Vec::new();
    parts
        .extend((!http.headers.is_empty()).then(|| format!("headers {}", http.headers.join(", "))));
    parts.extend(http.has_body.then(|| "with a body".to_owned()));
    parts.extend((!http.keep_alive).then(|| "a connection for each".to_owned()));
    parts.extend((http.expect != "2xx").then(|| format!("{} expected", http.expect)));
    parts.extend(
        (!http.connect_to.is_empty()).then(|| format!("to {}", http.connect_to.join(", "))),
    );
    if !parts.is_empty() || http.method != "GET" {
        let parts: Vec<_> = parts.into_iter().map(Piece::Fact).collect();
        page.line("Method", &http.method, &parts);
    }
}

fn received(page: &mut RunPage, totals: &Totals) {
    let each = totals.goodput_bytes.checked_div(totals.rows.ok);
    let parts: Vec<_> = each
        .map(|each| Piece::Fact(format!("{} each on average", units::bytes(each))))
        .into_iter()
        .collect();
    page.line("Received", &units::bytes(totals.goodput_bytes), &parts);
}

/// A column of the percentiles: its head, the fewest times of which it says something, and its value.
type LatencyColumn = (&'static str, u64, fn(&Snapshot) -> Option<u64>);

const COLUMNS: [LatencyColumn; 9] = [
    ("fastest", 1, |times| times.min_ns),
    ("10 %", 10, |times| times.p10_ns),
    ("25 %", 4, |times| times.p25_ns),
    ("50 %", 2, |times| times.p50_ns),
    ("75 %", 4, |times| times.p75_ns),
    ("90 %", 10, |times| times.p90_ns),
    ("95 %", 20, |times| times.p95_ns),
    ("99 %", 100, |times| times.p99_ns),
    ("slowest", 1, |times| times.max_ns),
];

/// How long requests took: percentiles, steps, and how many took how long.
pub(super) fn times(page: &mut RunPage, summary: &Summary) {
    let latency = &summary.distributions.latency;
    if latency.count == 0 {
        return;
    }
    page.lines.extend([
        String::new(),
        "  How long good answers took: so many of them took at most".to_owned(),
    ]);
    for (head, _, value) in COLUMNS.iter().filter(|column| latency.count >= column.1) {
        let time = value(latency).map_or_else(|| UNKNOWN.to_owned(), units::duration);
        page.lines.push(format!("  {head:>11}{time:>11}"));
    }
    if let Some(steps) = &summary.steps {
        self::steps(page, steps);
    }
    equal_steps(page, latency);
}

fn steps(page: &mut RunPage, steps: &RequestSteps) {
    page.lines.extend([
        String::new(),
        format!("  {:<13}{:>11}{:>11}{:>11}", "", "mean", "least", "most"),
    ]);
    let RequestSteps {
        connect,
        send,
        wait,
        read,
    } = *steps;
    for (name, step) in [
        ("Connect", connect),
        ("Send", send),
        ("Wait", wait),
        ("Read", read),
    ] {
        let StepTimes {
            mean_ns,
            min_ns,
            max_ns,
            ..
        } = step;
        let cell = |ns: Option<u64>| ns.map_or_else(|| UNKNOWN.to_owned(), units::duration);
        page.lines.push(format!(
            "  {name:<13}{:>11}{:>11}{:>11}",
            cell(mean_ns),
            cell(min_ns),
            cell(max_ns)
        ));
    }
}
