//! The figures of a run: a line each, then the percentiles. What says nothing has no line.

use super::page::{Piece, RunPage};
use super::percentiles::{self, UNKNOWN};
use super::price::price;
use super::web;
use crate::results::summary::{Attempts, Outcomes, Summary, Totals};
use crate::units::{self, vcpus};

/// A phase that took a smaller share of the time than this is not named.
const WORTH: f64 = 0.01;
/// Rates that are closer than this are one.
const ALIKE: f64 = 0.01;

/// Everything that is known.
pub(super) fn figures(page: &mut RunPage, summary: &Summary) {
    let Some(totals) = &summary.totals else {
        return;
    };
    if let Some(http) = &summary.settings.http {
        web::figures(page, summary, http);
        time(page, summary);
        workers(page, summary);
        cpu(page, summary);
        price(page, summary);
        return web::times(page, summary);
    }
    objects(page, totals);
    selection(page, summary);
    not_fetched(page, totals);
    time(page, summary);
    throughput(page, summary);
    requests(page, summary);
    workers(page, summary);
    cpu(page, summary);
    price(page, summary);
    percentiles::percentiles(page, &summary.distributions);
}

fn objects(page: &mut RunPage, totals: &Totals) {
    let Outcomes {
        ok,
        failed,
        vanished,
        archived,
        not_attempted,
    } = totals.rows;
    let mut parts = Vec::new();
    if ok == totals.rows.sum() {
        parts.push(Piece::Fact("all fetched".to_owned()));
    } else {
        parts.push(Piece::Fact(format!("{} fetched", units::count(ok))));
    }
    let others = [
        (vanished, "missing"),
        (archived, "archived"),
        (not_attempted, "not attempted"),
    ];
    parts.extend((failed > 0).then(|| Piece::Bad(format!("{} failed", units::count(failed)))));
    parts.extend(
        others
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| Piece::Caution(format!("{} {what}", units::count(count)))),
    );
    if totals.rounds > 1 {
        // Workers take many keys at once: when a run ends, a round has begun for some while another still goes on for others.
        let whole = totals
            .keys_listed
            .saturating_sub(archived)
            .saturating_mul(totals.rounds);
        let part = if totals.rows.tried() < whole {
            ", not all complete"
        } else {
            ""
        };
        parts.push(Piece::Fact(format!(
            "in {} rounds{part}",
            units::count(totals.rounds)
        )));
    }
    parts.extend(
        totals
            .goodput_bytes
            .checked_div(ok)
            .filter(|_| ok > 1)
            .map(|mean| Piece::Fact(format!("{} each on average", units::bytes(mean)))),
    );
    page.line("Objects", &units::count(totals.keys_listed), &parts);
}

/// What the objects are of the bucket, where they are not all of it.
fn selection(page: &mut RunPage, summary: &Summary) {
    if let Some(limit) = summary.settings.selection.limit {
        page.line(
            "Limit",
            &units::count(limit),
            &[
                Piece::Fact("the first of the listing".to_owned()),
                Piece::Fact("the others may be unlike them (--sample)".to_owned()),
            ],
        );
    }
    let Some(sample) = &summary.sample else {
        return;
    };
    let mut parts = vec![Piece::Fact(format!(
        "{} at random, seed {}",
        sample.asked, sample.seed
    ))];
    parts.extend(
        sample
            .of_bytes
            .map(|bytes| Piece::Fact(format!("of {}", units::bytes(bytes)))),
    );
    page.line("Sample of", &units::count(sample.of_keys), &parts);
}

/// Objects that did not end `ok`, and their bytes as listed. Nothing where all did.
fn not_fetched(page: &mut RunPage, totals: &Totals) {
    let (ok, all) = (totals.rows.ok, totals.rows.sum());
    if ok == all {
        return;
    }
    let mut parts = vec![Piece::Caution(format!(
        "{} of the objects",
        units::percent((all - ok) as f64 / all as f64)
    ))];
    if let Some(bytes) = totals.row_bytes {
        let (left, listed) = (bytes.sum() - bytes.ok, bytes.sum());
        parts.push(Piece::Fact(format!(
            "{} of {} as listed",
            units::bytes(left),
            units::bytes(listed)
        )));
    }
    page.line("Not fetched", &units::count(all - ok), &parts);
}

fn time(page: &mut RunPage, summary: &Summary) {
    let phases = &summary.phases;
    let idle = summary.rates.tail_share.filter(|share| *share >= WORTH);
    let idle = idle.map_or_else(String::new, |share| {
        format!(" (the last {} with idle workers)", units::percent(share))
    });
    let ordering = phases.ordering_ns.map_or_else(String::new, |ns| {
        format!(" (ordering {})", units::duration(ns))
    });
    let all = [
        ("start-up", phases.start_up_ns, ""),
        ("listing", phases.listing_ns, ordering.as_str()),
        ("starting workers", phases.worker_start_ns, ""),
        ("fetching", phases.fetch_ns, idle.as_str()),
        ("writing results", phases.write_back_ns, ""),
    ];
    let whole: u64 = all.iter().filter_map(|phase| phase.1).sum();
    if whole == 0 {
        return;
    }
    let is_worth = |ns: u64, note: &str| !note.is_empty() || ns as f64 >= WORTH * whole as f64;
    let named = all
        .iter()
        .filter_map(|(name, time, note)| Some((name, (*time)?, note)))
        .filter(|(_, ns, note)| is_worth(*ns, note));
    let parts: Vec<Piece> = named
        .map(|(name, ns, note)| Piece::Fact(format!("{name} {}{note}", units::duration(ns))))
        .collect();
    page.line("Time", &units::duration(whole), &parts);
}

fn throughput(page: &mut RunPage, summary: &Summary) {
    let rates = &summary.rates;
    // Where what was received is not known, what ended well is.
    let Some(rate) = rates.throughput_bytes_per_s.or(rates.goodput_bytes_per_s) else {
        return;
    };
    let mut parts = vec![Piece::Fact(units::rate_bits(rate))];
    let differs = |other: &f64| (other / rate - 1.0).abs() > ALIKE;
    if let Some(goodput) = rates.goodput_bytes_per_s.filter(differs) {
        parts.push(Piece::Fact(format!(
            "{} of complete objects",
            units::rate_mb(goodput)
        )));
    }
    if let Some(active) = rates
        .active_window_bytes_per_s
        // Where a worker had nothing to do from the first moment on, there is no such rate.
        .filter(|active| *active > 0.0 && differs(active))
    {
        parts.push(Piece::Fact(format!(
            "{} until the first worker was idle",
            units::rate_mb(active)
        )));
    }
    page.line("Throughput", &units::rate_mb(rate), &parts);
}

fn requests(page: &mut RunPage, summary: &Summary) {
    let Some(rate) = summary.rates.requests_per_s else {
        return;
    };
    let parts = summary
        .attempts
        .as_ref()
        .map(|attempts| request_parts(attempts, summary.settings.concurrency))
        .unwrap_or_default();
    page.line(
        "Requests",
        &format!("{} /s", units::three_digits(rate)),
        &parts,
    );
}

fn request_parts(attempts: &Attempts, workers: u32) -> Vec<Piece> {
    let mut parts = vec![Piece::Fact(format!(
        "{} in all",
        units::count(attempts.total)
    ))];
    parts.extend(
        attempts
            .by_code
            .iter()
            .map(|(code, count)| Piece::Caution(format!("{} {code}", units::count(*count)))),
    );
    if attempts.backoff_ns > 0 {
        parts.push(Piece::Fact(format!(
            "{} of waiting before retries",
            units::duration(attempts.backoff_ns)
        )));
    }
    // One for each worker goes without saying.
    if let Some(opened) = attempts
        .connections_opened
        .filter(|opened| *opened > u64::from(workers))
    {
        parts.push(Piece::Fact(units::plural(opened, "connection")));
    }
    parts
}

fn workers(page: &mut RunPage, summary: &Summary) {
    let Some(mean) = summary.in_flight.and_then(|found| found.mean) else {
        return;
    };
    let of = format!(
        "of {}, on average",
        units::count(u64::from(summary.settings.concurrency))
    );
    page.line(
        "Workers",
        &format!("{} busy", units::three_digits(mean)),
        &[Piece::Fact(of)],
    );
}

fn cpu(page: &mut RunPage, summary: &Summary) {
    let cpu = &summary.cpu;
    let per_gb = cpu
        .s_per_gb
        .map(|seconds| format!("{} s/GB", units::three_digits(seconds)));
    let per_request = cpu
        .us_per_request
        .map(|us| format!("{} µs per request", units::three_digits(us)));
    // A web server is asked for requests, and not for bytes.
    let (first, second) = match summary.settings.http {
        Some(_) => (per_request, None),
        None => (per_gb, per_request),
    };
    let mut parts: Vec<Piece> = second.into_iter().map(Piece::Fact).collect();
    parts.extend(cpu.used_vcpu.map(|used| {
        Piece::Fact(match cpu.limit_vcpu {
            Some(limit) => format!("{used:.2} of {}", vcpus(limit)),
            None => format!("{used:.2} vCPUs, of an unknown number"),
        })
    }));
    parts.extend(cpu.throttled_ns.filter(|ns| *ns > 0).map(|ns| {
        Piece::Caution(format!(
            "held back by the quota for {}",
            units::duration(ns)
        ))
    }));
    let memory = summary
        .memory
        .peak_pss_bytes
        .or(summary.memory.peak_rss_bytes);
    parts.extend(memory.map(|bytes| Piece::Fact(format!("peak memory {}", units::bytes(bytes)))));
    if !parts.is_empty() {
        let first = first.unwrap_or_else(|| UNKNOWN.to_owned());
        page.line("CPU", &first, &parts);
    }
}
