//! The line that says what a run cost, or would cost.

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
    let parts: Vec<Piece> = price_parts(price, summary.region.as_deref())
        .into_iter()
        .map(Piece::Fact)
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
    let mut sum = vec![format!("task {}", dollars(price.usd_task))];
    // Requests to a web server are not billed.
    sum.extend((*usd_requests > 0.0).then(|| format!("requests {}", dollars(*usd_requests))));
    sum.extend(others.map(|(usd, what)| format!("{what} {}", dollars(usd))));
    sum.extend(
        price
            .usd_egress
            .map(|usd| format!("{} {}", price.egress.in_words(), dollars(usd))),
    );
    let mut parts = vec![sum.join(" + ")];
    let has_bytes = price.usd_per_tb.is_some() || price.usd_per_million_fetches.is_none();
    parts.extend((price.usd_egress.is_none() && has_bytes).then(|| "no egress".to_owned()));
    parts.extend(
        price
            .usd_per_tb
            .map(|usd| format!("{} per TB at this rate", dollars(usd))),
    );
    parts.extend(
        price
            .usd_per_million_fetches
            .filter(|_| price.usd_per_tb.is_none())
            .map(|usd| format!("{} per million requests at this rate", dollars(usd))),
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
