//! What limits a run, how far that can be relied on, and what to type next.

use super::next;
use super::said::{Said, plain};
use super::view::RunView;
use crate::cell::UNITS_PER_VCPU;
use crate::plan::{Order, is_on_this_machine};
use crate::price::CPU_UNITS;
use crate::results::summary::thresholds::BUSY_SHARE;
use crate::results::summary::{Limit, State, Summary, Totals};
use crate::units::{self, SECOND_NS, plural, vcpus};

/// A fetch phase shorter than this says nothing about hours: the longest burst that anybody reported for a Fargate task was 19 minutes.
const BURST_NS: u64 = 20 * 60 * SECOND_NS;
/// A shorter one is mostly its start and its end.
pub(super) const SHORTEST_NS: u64 = SECOND_NS;
/// With fewer fetches for each worker the last ones alone take a fifth of the time, which is what makes a tail the limit.
const FEWEST_EACH: u64 = 5;
/// Fetches for each worker that a next run should have.
const ENOUGH_EACH: u64 = 50;

/// What limits a run, and what to do about it.
struct WhatLimits {
    why: String,
    /// What stands above the line to paste.
    cure: Option<&'static str>,
    command: Option<Said>,
}

impl WhatLimits {
    fn because(why: String) -> Self {
        Self {
            why,
            cure: None,
            command: None,
        }
    }
}

/// What limits the run, how far that can be relied on, and what to type next.
pub(super) fn limits((summary, view): (&Summary, &RunView<'_>), totals: &Totals) -> Vec<Said> {
    let Some(verdict) = summary.verdict.as_ref() else {
        return Vec::new();
    };
    let fetches = totals.rows.tried().max(summary.distributions.latency.count);
    let workers = u64::from(summary.settings.concurrency);
    let is_complete = summary.state == State::Complete;
    let WhatLimits { why, cure, command } = match verdict.word {
        Limit::Failed => return Vec::new(),
        Limit::ServerBound => server_bound(summary),
        // A thousand requests at once are a question of their own.
        _ if summary.settings.http.is_none() && is_complete && fetches < FEWEST_EACH * workers => {
            return vec![plain(too_few(summary, fetches))];
        }
        Limit::CpuBound => cpu_bound(summary, view),
        Limit::QuotaThrottled => quota_throttled(summary, view),
        Limit::S3Throttled | Limit::KmsThrottled | Limit::Throttled => {
            throttled(summary, verdict.word)
        }
        // What was cut off has no end.
        _ if !is_complete => return Vec::new(),
        Limit::TailBound => tail_bound(summary),
        Limit::PerConnectionBound | Limit::NetworkBound | Limit::Unclear => no_limit(summary, view),
    };
    let mut said = vec![plain(why)];
    said.extend(how_reliable(summary).map(plain));
    said.extend(is_server_here(summary).then(|| plain(SHARED.to_owned())));
    said.extend(cure.map(plain));
    said.extend(command);
    said
}

/// Behind what limits a run whose server used the same CPUs. Of the embedded server it is known how much it used.
const SHARED: &str = "The server ran on this machine and used its CPUs too.";

/// Whether the S3 endpoint or the web server was on this machine.
fn is_server_here(summary: &Summary) -> bool {
    let web = summary.settings.http.as_ref();
    let url = web
        .filter(|web| web.connect_to.is_empty())
        .and_then(|web| web.urls.split_whitespace().next());
    let is_here = url
        .or(summary.endpoint.as_deref())
        .is_some_and(is_on_this_machine);
    is_here && summary.server.is_none()
}

/// What so short a run cannot say.
fn how_reliable(summary: &Summary) -> Option<String> {
    let fetch_ns = summary.phases.fetch_ns.filter(|ns| *ns > 0)?;
    let time = units::duration(fetch_ns);
    if fetch_ns < SHORTEST_NS {
        return Some(format!(
            "Fetching took only {time}, too short to rely on: --duration 10s fetches for longer."
        ));
    }
    if summary.settings.http.is_some() {
        return None;
    }
    let is_burst = fetch_ns < BURST_NS && summary.endpoint.is_none() && summary.server.is_none();
    is_burst.then(|| format!("This is a burst rate: {time} of fetching say nothing about hours."))
}

fn too_few(summary: &Summary, fetches: u64) -> String {
    let workers = u64::from(summary.settings.concurrency);
    let what = if summary.settings.part_size_bytes.is_some() {
        plural(fetches, "part")
    } else {
        plural(fetches, "object")
    };
    let text = format!(
        "Only {what} for {}: too few to say anything about speed.",
        plural(workers, "worker")
    );
    if summary.settings.duration_ns.is_some() {
        return text;
    }
    let enough = units::count(ENOUGH_EACH * workers);
    // So few are too few for one worker as well.
    let fewer = if fetches >= FEWEST_EACH {
        " use fewer workers (-c),"
    } else {
        ""
    };
    format!("{text} Fetch {enough} or more,{fewer} or fetch them again and again (--duration 20s).")
}

fn server_bound(summary: &Summary) -> WhatLimits {
    let figure = summary
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.because.first())
        .map(String::as_str)
        .unwrap_or_default();
    let cure = "Use fewer workers (-c), or a server that answers like S3 (--embedded=network=s3).";
    WhatLimits::because(format!(
        "The embedded server is the limit, not parfetch or this machine: {figure}. {cure}"
    ))
}

fn cpu_bound(summary: &Summary, view: &RunView<'_>) -> WhatLimits {
    let cpu = &summary.cpu;
    let of = cpu
        .used_vcpu
        .zip(cpu.limit_vcpu)
        .map_or_else(String::new, |(used, limit)| {
            format!(": {} of {}", share(used / limit), vcpus(limit))
        });
    with_larger((summary, view), format!("The CPU is the limit{of}."))
}

fn quota_throttled(summary: &Summary, view: &RunView<'_>) -> WhatLimits {
    let times = summary.cpu.throttled_ns.zip(summary.phases.fetch_ns);
    let held = times.map_or_else(String::new, |(held, all)| {
        format!(
            ": it held the run back for {} of the time",
            share(held as f64 / all.max(1) as f64)
        )
    });
    with_larger(
        (summary, view),
        format!("The CPU quota is the limit{held}."),
    )
}

/// In a task a larger one can be asked for.
fn with_larger((summary, view): (&Summary, &RunView<'_>), why: String) -> WhatLimits {
    let limit = summary
        .cpu
        .limit_vcpu
        .filter(|_| summary.environment.ecs.is_some());
    let vcpus = CPU_UNITS.map(|units| f64::from(units) / f64::from(UNITS_PER_VCPU));
    let sizes = limit.and_then(|limit| {
        vcpus
            .windows(2)
            .find(|sizes| (sizes[0] - limit).abs() < 0.01)
    });
    let command = sizes.and_then(|sizes| {
        let vcpus = format!("{},{}", sizes[0], sizes[1]);
        // A task does not know the stack that it is of: this is its usual name.
        let there = [
            "--vcpu",
            vcpus.as_str(),
            "--on",
            "ecs",
            "--stack",
            "parfetch",
        ]
        .map(str::to_owned);
        next::sweep(
            summary,
            view,
            &[next::workers(summary, &[1])?, there.to_vec()].concat(),
        )
    });
    match command {
        Some(_) => WhatLimits {
            why,
            cure: Some("A larger task will be faster (--stack takes the name of your stack):"),
            command,
        },
        None => WhatLimits::because(format!("{why} More vCPUs will be faster.")),
    }
}

fn throttled(summary: &Summary, limit: Limit) -> WhatLimits {
    let workers = plural(u64::from(summary.settings.concurrency), "worker");
    let attempts = summary
        .attempts
        .as_ref()
        .filter(|attempts| attempts.total > 0);
    let part = attempts.map_or(1.0, |attempts| {
        attempts.throttles as f64 / attempts.total as f64
    });
    let who = match limit {
        Limit::KmsThrottled => "KMS, which decrypts the objects,".to_owned(),
        _ => units::upper_first(store(summary)),
    };
    let cure = match limit {
        Limit::Throttled => "use fewer workers (-c)",
        Limit::KmsThrottled => {
            "use fewer workers (-c), give the bucket a bucket key, or ask for a higher quota of KMS requests"
        }
        _ => "use fewer workers (-c), or spread the keys over more prefixes",
    };
    WhatLimits::because(format!(
        "{who} throttled {} of the requests at {workers}: {cure}.",
        share(part)
    ))
}

fn tail_bound(summary: &Summary) -> WhatLimits {
    let idle = summary.rates.tail_share.map_or_else(
        || "at the end".to_owned(),
        |tail| format!("for the last {} of the time", share(tail)),
    );
    let settings = &summary.settings;
    if settings.http.is_some() {
        return WhatLimits::because(format!(
            "The slowest requests decide: {idle} some workers had nothing left to do. Make more requests (-n), or use fewer workers (-c)."
        ));
    }
    let cure = match (settings.order, settings.part_size_bytes) {
        (Order::LargestFirst, Some(_)) => "Try fewer workers (-c), or fetch more objects.",
        (Order::LargestFirst, None) => "If a few objects are much larger, try --part-size 8MiB.",
        _ => "If a few objects are much larger, try --order largest-first --part-size 8MiB.",
    };
    WhatLimits::because(format!(
        "The last objects decide: {idle} some workers had nothing left to do. {cure}"
    ))
}

fn no_limit(summary: &Summary, view: &RunView<'_>) -> WhatLimits {
    let workers = summary.settings.concurrency;
    let cpu = &summary.cpu;
    let used = cpu
        .used_vcpu
        .zip(cpu.limit_vcpu)
        .filter(|(_, limit)| *limit > 0.0)
        .map(|(used, limit)| (used / limit, limit));
    let mut others: Vec<String> = used
        .map(|(used, limit)| format!("CPU {} of {}", share(used), vcpus(limit)))
        .into_iter()
        .collect();
    if let Some(attempts) = summary
        .attempts
        .as_ref()
        .filter(|attempts| attempts.throttles > 0)
    {
        others.push(format!(
            "{} of {} requests throttled",
            units::count(attempts.throttles),
            units::count(attempts.total)
        ));
    }
    let facts: Vec<String> = waited(summary)
        .into_iter()
        .chain((!others.is_empty()).then(|| others.join(", ")))
        .collect();
    let but = if used.is_some_and(|(used, _)| used >= BUSY_SHARE) {
        ", but the CPU is near its limit"
    } else {
        ""
    };
    let colon = if facts.is_empty() { "" } else { ": " };
    let why = format!(
        "No limit reached at {}{but}{colon}{}.",
        plural(u64::from(workers), "worker"),
        facts.join("; ")
    );
    match next::workers(summary, &[1, 2, 4])
        .and_then(|factors| next::sweep(summary, view, &factors))
    {
        Some(command) => WhatLimits {
            why,
            cure: Some("More workers may be faster:"),
            command: Some(command),
        },
        None => WhatLimits::because(why),
    }
}

/// What workers did with their time, as far as fetches that ended well tell.
fn waited(summary: &Summary) -> Option<String> {
    let all_ns = summary.phases.fetch_ns.filter(|ns| *ns > 0)? as f64
        * f64::from(summary.settings.concurrency);
    let (first_ns, whole_ns) = (
        summary.distributions.ttfb.sum_ns?,
        summary.distributions.latency.sum_ns?,
    );
    let (waited, received) = (
        (first_ns as f64 / all_ns).min(1.0),
        (whole_ns.saturating_sub(first_ns) as f64 / all_ns).min(1.0),
    );
    let whose = match store(summary) {
        "S3" => "S3's",
        "the embedded server" => "the embedded server's",
        "the server" => "the server's",
        _ => "the store's",
    };
    Some(if waited >= received {
        format!(
            "they waited {} of the time for {whose} first byte",
            share(waited)
        )
    } else {
        format!(
            "they received for {} of the time and waited {} for {whose} first byte",
            share(received),
            share(waited)
        )
    })
}

fn store(summary: &Summary) -> &'static str {
    if summary.settings.http.is_some() {
        return "the server";
    }
    match (&summary.server, &summary.endpoint) {
        (Some(_), _) => "the embedded server",
        (None, Some(_)) => "the store",
        (None, None) => "S3",
    }
}

/// `97 %`, `4.2 %`
fn share(share: f64) -> String {
    if share >= 0.0995 {
        format!("{:.0} %", share * 100.0)
    } else {
        units::percent(share)
    }
}
