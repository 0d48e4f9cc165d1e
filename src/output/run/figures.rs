//! The figures of a run: a line each, then the percentiles. What says nothing has no line.

use super::{Page, Part};
use crate::output::bars;
use crate::results::summary::{Attempts, Distributions, Outcomes, Price, Summary, Totals};
use crate::stats::histogram::Snapshot;
use crate::units;

/// What stands where nothing is known.
const UNKNOWN: &str = "–";
/// A phase that took a smaller share of the time than this is not named.
const WORTH: f64 = 0.01;
/// Rates that are closer than this are one.
const ALIKE: f64 = 0.01;
/// Rows whose percentiles are all closer than this are one.
const NEARLY: f64 = 0.03;
/// From so many columns on there is room for the histogram.
const WIDE: usize = 100;
/// Columns beside the bars of the histogram, and the longest bar.
const BESIDE_BARS: usize = 50;
const LONGEST_BAR: usize = 60;

/// Everything that is known.
pub(super) fn figures(page: &mut Page, summary: &Summary) {
    let Some(totals) = &summary.totals else {
        return;
    };
    objects(page, totals);
    selection(page, summary);
    not_fetched(page, totals);
    time(page, summary);
    throughput(page, summary);
    requests(page, summary);
    workers(page, summary);
    cpu(page, summary);
    price(page, summary);
    percentiles(page, &summary.distributions);
    if page.width >= WIDE {
        histogram(page, &summary.distributions.latency);
    }
}

fn objects(page: &mut Page, totals: &Totals) {
    let Outcomes {
        ok,
        failed,
        vanished,
        archived,
        not_attempted,
    } = totals.rows;
    let mut parts = Vec::new();
    if ok == totals.rows.sum() {
        parts.push(Part::Fact("all fetched".to_owned()));
    } else {
        parts.push(Part::Fact(format!("{} fetched", units::count(ok))));
    }
    let others = [
        (vanished, "missing"),
        (archived, "archived"),
        (not_attempted, "not attempted"),
    ];
    parts.extend((failed > 0).then(|| Part::Bad(format!("{} failed", units::count(failed)))));
    parts.extend(
        others
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| Part::Caution(format!("{} {what}", units::count(count)))),
    );
    if totals.rounds > 1 {
        parts.push(Part::Fact(format!(
            "in {} rounds",
            units::count(totals.rounds)
        )));
    }
    parts.extend(
        totals
            .goodput_bytes
            .checked_div(ok)
            .filter(|_| ok > 1)
            .map(|mean| Part::Fact(format!("{} each on average", units::bytes(mean)))),
    );
    page.line("Objects", &units::count(totals.keys_listed), &parts);
}

/// What the objects are of the bucket, where they are not all of it.
fn selection(page: &mut Page, summary: &Summary) {
    if let Some(limit) = summary.settings.selection.limit {
        page.line(
            "Limit",
            &units::count(limit),
            &[Part::Fact(
                "the first of the listing: the others may be unlike them (--sample)".to_owned(),
            )],
        );
    }
    let Some(sample) = &summary.sample else {
        return;
    };
    let mut parts = vec![Part::Fact(format!(
        "{} at random, seed {}",
        sample.asked, sample.seed
    ))];
    parts.extend(
        sample
            .of_bytes
            .map(|bytes| Part::Fact(format!("of {}", units::bytes(bytes)))),
    );
    page.line("Sample of", &units::count(sample.of_keys), &parts);
}

/// Objects that did not end `ok`, and their bytes as listed. Nothing where all did.
fn not_fetched(page: &mut Page, totals: &Totals) {
    let (ok, all) = (totals.rows.ok, totals.rows.sum());
    if ok == all {
        return;
    }
    let mut parts = vec![Part::Caution(format!(
        "{} of the objects",
        units::percent((all - ok) as f64 / all as f64)
    ))];
    if let Some(bytes) = totals.row_bytes {
        let (left, listed) = (bytes.sum() - bytes.ok, bytes.sum());
        parts.push(Part::Fact(format!(
            "{} of {} as listed",
            units::bytes(left),
            units::bytes(listed)
        )));
    }
    page.line("Not fetched", &units::count(all - ok), &parts);
}

fn time(page: &mut Page, summary: &Summary) {
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
    let parts: Vec<Part> = named
        .map(|(name, ns, note)| Part::Fact(format!("{name} {}{note}", units::duration(ns))))
        .collect();
    page.line("Time", &units::duration(whole), &parts);
}

fn throughput(page: &mut Page, summary: &Summary) {
    let rates = &summary.rates;
    // Where what was received is not known, what ended well is.
    let Some(rate) = rates.throughput_bytes_per_s.or(rates.goodput_bytes_per_s) else {
        return;
    };
    let mut parts = vec![Part::Fact(units::rate_gbit(rate))];
    let differs = |other: &f64| (other / rate - 1.0).abs() > ALIKE;
    if let Some(goodput) = rates.goodput_bytes_per_s.filter(differs) {
        parts.push(Part::Fact(format!(
            "{} of complete objects",
            units::rate_mb(goodput)
        )));
    }
    if let Some(active) = rates.active_window_bytes_per_s.filter(differs) {
        parts.push(Part::Fact(format!(
            "{} until the first worker was idle",
            units::rate_mb(active)
        )));
    }
    page.line("Throughput", &units::rate_mb(rate), &parts);
}

fn requests(page: &mut Page, summary: &Summary) {
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

fn request_parts(attempts: &Attempts, workers: u32) -> Vec<Part> {
    let mut parts = vec![Part::Fact(format!(
        "{} in all",
        units::count(attempts.total)
    ))];
    parts.extend(
        attempts
            .by_code
            .iter()
            .map(|(code, count)| Part::Caution(format!("{} {code}", units::count(*count)))),
    );
    if attempts.backoff_ns > 0 {
        parts.push(Part::Fact(format!(
            "{} of waiting before retries",
            units::duration(attempts.backoff_ns)
        )));
    }
    // One for each worker goes without saying.
    if let Some(opened) = attempts
        .connections_opened
        .filter(|opened| *opened > u64::from(workers))
    {
        parts.push(Part::Fact(units::plural(opened, "connection")));
    }
    parts
}

fn workers(page: &mut Page, summary: &Summary) {
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
        &[Part::Fact(of)],
    );
}

fn cpu(page: &mut Page, summary: &Summary) {
    let cpu = &summary.cpu;
    let mut parts = Vec::new();
    parts.extend(
        cpu.us_per_request
            .map(|us| Part::Fact(format!("{} µs per request", units::three_digits(us)))),
    );
    parts.extend(cpu.used_vcpu.map(|used| {
        Part::Fact(match cpu.limit_vcpu {
            Some(limit) => format!("{used:.2} of {}", vcpus(limit)),
            None => format!("{used:.2} vCPUs, of an unknown number"),
        })
    }));
    parts.extend(cpu.throttled_ns.filter(|ns| *ns > 0).map(|ns| {
        Part::Caution(format!(
            "held back by the quota for {}",
            units::duration(ns)
        ))
    }));
    let memory = summary
        .memory
        .peak_pss_bytes
        .or(summary.memory.peak_rss_bytes);
    parts.extend(memory.map(|bytes| Part::Fact(format!("peak memory {}", units::bytes(bytes)))));
    if !parts.is_empty() {
        let per_gb = cpu.s_per_gb.map_or_else(
            || UNKNOWN.to_owned(),
            |seconds| format!("{} s/GB", units::three_digits(seconds)),
        );
        page.line("CPU", &per_gb, &parts);
    }
}

/// `2 vCPUs`, `1 vCPU`
pub(super) fn vcpus(number: f64) -> String {
    let s = if number > 1.0 { "s" } else { "" };
    format!("{number} vCPU{s}")
}

fn price(page: &mut Page, summary: &Summary) {
    let Some(price) = &summary.price else {
        let why = summary
            .no_price
            .iter()
            .map(|why| Part::Fact(why.clone()))
            .collect::<Vec<_>>();
        return page.line("Price", "unknown", &why);
    };
    let parts: Vec<Part> = price_parts(price, summary.region.as_deref())
        .into_iter()
        .map(Part::Fact)
        .collect();
    page.line("Price", &dollars(price.usd_total), &parts);
}

/// What a price is made of, what it is the price of, and what it rests on.
fn price_parts(price: &Price, bucket_region: Option<&str>) -> Vec<String> {
    let Price {
        task, usd_requests, ..
    } = price;
    let others = [
        (price.usd_storage, "storage"),
        (price.usd_retrieval, "retrieval"),
    ]
    .into_iter()
    .filter(|(usd, _)| *usd > 0.0);
    let mut sum = vec![format!(
        "task {} + requests {}",
        dollars(price.usd_task),
        dollars(*usd_requests)
    )];
    sum.extend(others.map(|(usd, what)| format!("{what} {}", dollars(usd))));
    sum.extend(
        price
            .usd_egress
            .map(|usd| format!("{} {}", price.egress.in_words(), dollars(usd))),
    );
    let mut parts = vec![sum.join(" + ")];
    parts.extend(price.usd_egress.is_none().then(|| "no egress".to_owned()));
    parts.extend(
        price
            .usd_per_tb
            .map(|usd| format!("{} per TB at this rate", dollars(usd))),
    );
    if price.is_minimum {
        parts.push("the task is billed for one minute, the minimum".to_owned());
    }
    let would = if price.is_hypothetical {
        "if it ran on Fargate as"
    } else {
        "Fargate,"
    };
    let memory_gb = task.memory_mib as f64 / 1_024.0;
    let arch = if task.arch == "x86_64" { "" } else { " (ARM)" };
    parts.push(format!(
        "{would} {}{arch}, {memory_gb} GB in {}",
        vcpus(task.vcpu),
        task.region
    ));
    if bucket_region.is_some_and(|region| region != price.requests_of) {
        parts.push(format!("requests priced as in {}", price.requests_of));
    }
    parts.push(format!("prices of {}", price.prices_dated));
    parts
}

/// US dollars: cents from ten cents on, hundredths of a cent below.
pub(super) fn dollars(usd: f64) -> String {
    match usd {
        _ if usd >= 100.0 => format!("${}", units::three_digits(usd)),
        _ if usd >= 0.1 => format!("${usd:.2}"),
        _ if usd > 0.0 && usd < 0.000_05 => "< $0.0001".to_owned(),
        _ => format!("${usd:.4}"),
    }
}

/// A column of the percentiles: its head, the fewest times of which it says something, and its value.
struct Percentile {
    head: &'static str,
    fewest: u64,
    value: fn(&Snapshot) -> Option<u64>,
}

const PERCENTILES: [Percentile; 6] = [
    Percentile {
        head: "p10",
        fewest: 10,
        value: |times| times.p10_ns,
    },
    Percentile {
        head: "p50",
        fewest: 1,
        value: |times| times.p50_ns,
    },
    Percentile {
        head: "p90",
        fewest: 10,
        value: |times| times.p90_ns,
    },
    Percentile {
        head: "p99",
        fewest: 100,
        value: |times| times.p99_ns,
    },
    Percentile {
        head: "p99.9",
        fewest: 1_000,
        value: |times| times.p99_9_ns,
    },
    Percentile {
        head: "max",
        fewest: 1,
        value: |times| times.max_ns,
    },
];

fn percentiles(page: &mut Page, all: &Distributions) {
    let columns: Vec<&Percentile> = PERCENTILES
        .iter()
        .filter(|column| all.latency.count >= column.fewest)
        .collect();
    if columns.is_empty() {
        return;
    }
    page.lines.push(String::new());
    let heads: Vec<String> = columns
        .iter()
        .map(|column| format!("{:>9}", column.head))
        .collect();
    page.lines.push(format!("  {:<13}{}", "", heads.concat()));
    // Of small objects the first byte is nearly all there is; without retries a fetch is its one attempt.
    let differ = |one: &Snapshot, other: &Snapshot| {
        columns
            .iter()
            .any(|column| far_apart((column.value)(one), (column.value)(other)))
    };
    let mut rows = if differ(&all.ttfb, &all.latency) {
        vec![("TTFB", &all.ttfb), ("Latency", &all.latency)]
    } else {
        vec![("TTFB, latency", &all.latency)]
    };
    if differ(&all.latency, &all.fetch_duration) {
        rows.push(("With retries", &all.fetch_duration));
    }
    for (label, times) in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| format!("{:>9}", duration((column.value)(times))))
            .collect();
        page.lines.push(format!("  {label:<13}{}", cells.concat()));
    }
}

fn far_apart(one: Option<u64>, other: Option<u64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) as f64 > NEARLY * one as f64,
        (one, other) => one != other,
    }
}

fn histogram(page: &mut Page, latency: &Snapshot) {
    let Ok(histogram) = latency.histogram() else {
        return;
    };
    let rows = bars::rows(&histogram, (page.width - BESIDE_BARS).min(LONGEST_BAR));
    if !rows.is_empty() {
        page.lines
            .extend([String::new(), "  Requests by latency".to_owned()]);
        page.lines.extend(rows);
    }
}

fn duration(time: Option<u64>) -> String {
    time.map_or_else(|| UNKNOWN.to_owned(), units::duration)
}
