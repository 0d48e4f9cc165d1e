//! The line that says what a run cost, or would cost.

use super::limits::SHORTEST_NS;
use super::page::{Piece, RunPage};
use crate::results::summary::{Price, Summary};
use crate::units::{self, vcpus};

/// The price, or why there is none.
pub(super) fn price(page: &mut RunPage, summary: &Summary) {
    let Some(price) = &summary.price else {
        let why = summary
            .no_price
            .iter()
            .map(|why| Piece::Fact(why.clone()))
            .collect::<Vec<_>>();
        return page.line("Price", "unknown", &why);
    };
    let mut parts = made_of(price);
    // So short a run has no rate to rely on.
    let has_rate = summary.phases.fetch_ns.is_some_and(|ns| ns >= SHORTEST_NS);
    parts.extend(at_this_rate(price).filter(|_| has_rate));
    parts.extend(rests_on(price, summary.region.as_deref()));
    let parts: Vec<Piece> = parts.into_iter().map(Piece::Fact).collect();
    page.line("Price", &dollars(price.usd_total), &parts);
}

fn made_of(price: &Price) -> Vec<String> {
    let others = [
        (price.usd_storage, "storage"),
        (price.usd_retrieval, "retrieval"),
    ]
    .into_iter()
    .filter(|(usd, _)| *usd > 0.0);
    let mut sum = vec![format!("task {}", dollars(price.usd_task))];
    // Requests to a web server are not billed.
    let requests = price.usd_requests;
    // The forecast of a report has no results to store.
    let stored = match price.puts {
        0 => String::new(),
        1 => " (1 stores results)".to_owned(),
        puts => format!(" ({} store results)", units::count(puts)),
    };
    sum.extend((requests > 0.0).then(|| format!("requests {}{stored}", dollars(requests))));
    sum.extend(others.map(|(usd, what)| format!("{what} {}", dollars(usd))));
    sum.extend(
        price
            .usd_egress
            .map(|usd| format!("{} {}", price.egress.in_words(), dollars(usd))),
    );
    let mut parts = vec![sum.join(" + ")];
    let has_bytes = price.usd_per_tb.is_some() || price.usd_per_million_fetches.is_none();
    parts.extend((price.usd_egress.is_none() && has_bytes).then(|| "no egress".to_owned()));
    parts
}

fn at_this_rate(price: &Price) -> Option<String> {
    let of = |usd, what| format!("{} per {what} at this rate", dollars(usd));
    let per_tb = price.usd_per_tb.map(|usd| of(usd, "TB"));
    per_tb.or_else(|| {
        price
            .usd_per_million_fetches
            .map(|usd| of(usd, "million requests"))
    })
}

/// What it is the price of, and of when.
fn rests_on(price: &Price, bucket_region: Option<&str>) -> Vec<String> {
    let mut parts = Vec::new();
    if price.is_minimum {
        parts.push("the task is billed for one minute, the minimum".to_owned());
    }
    let would = if price.is_hypothetical {
        "if it ran on Fargate as"
    } else {
        "Fargate,"
    };
    let task = &price.task;
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

/// US dollars: cents from ten cents on, three digits below, so that a sum is the sum of its parts.
pub(super) fn dollars(usd: f64) -> String {
    match usd {
        _ if usd >= 100.0 => format!("${}", units::three_digits(usd)),
        _ if usd >= 0.1 => format!("${usd:.2}"),
        _ if usd > 0.0 && usd < 0.000_05 => "< $0.0001".to_owned(),
        _ => format!("${}", units::three_digits(usd)),
    }
}
