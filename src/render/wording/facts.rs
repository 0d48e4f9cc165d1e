//! What a study is: what was fetched, where, how often, and how its figures are to be read.

use std::collections::{BTreeMap, BTreeSet};

use super::number::{self, plural, usd};
use super::whole::{TASK_ALONE, transfer};
use crate::analysis::advice::Cost;
use crate::analysis::model::{CellReport, Facts, Sampled, Study, Workload};
use crate::plan::{Layout, Order, Work};
use crate::units;

/// Digits of a key list's SHA-256 that tell lists apart.
const HASH: usize = 12;

/// The facts of a study: a label, and parts in order.
pub(crate) fn facts(study: &Study) -> Vec<(&'static str, Vec<String>)> {
    let (workload, facts) = (&study.workload, &study.facts);
    let rows = [
        ("Source", bucket(workload)),
        ("Fetched", each_run(study)),
        ("Where", place(study)),
        ("Sizes", sizes(study)),
        ("Limited by", facts.limited_by.clone()),
        ("Storage", storage(facts)),
        (
            "Listing",
            facts.listing_s.map(number::time).into_iter().collect(),
        ),
        ("Runs", runs(facts)),
        ("Clocks", clocks(study)),
        ("Made", made(facts)),
        ("Prices", prices(study)),
        ("Price", run_price(study)),
    ];
    rows.into_iter()
        .filter(|(_, parts)| !parts.is_empty())
        .collect()
}

fn bucket(workload: &Workload) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(workload.region.clone());
    parts.extend(
        workload
            .endpoint
            .as_ref()
            .map(|endpoint| format!("endpoint {endpoint}")),
    );
    parts.extend(workload.embedded.as_ref().map(|settings| {
        format!(
            "embedded server: {}",
            if settings.is_empty() {
                "defaults"
            } else {
                settings
            }
        )
    }));
    parts.extend(keys(workload));
    parts.extend(workload.bytes.map(units::bytes));
    parts.extend(
        workload
            .keys_sha256
            .as_ref()
            .filter(|_| workload.http.is_none())
            .map(|hash| format!("key list {}", hash.chars().take(HASH).collect::<String>())),
    );
    parts
}

/// `46,000 keys`, `1 URL`
pub(crate) fn keys(workload: &Workload) -> Option<String> {
    let noun = if workload.http.is_some() {
        "URL"
    } else {
        "key"
    };
    workload.keys.map(|keys| plural(keys, noun))
}

/// Every key, or so many requests.
fn all(workload: &Workload) -> String {
    let once = if workload.duration_ns.is_some() {
        ""
    } else {
        " once"
    };
    match &workload.http {
        None => format!("every key{once}"),
        Some(http) => http.requests.map_or_else(
            || format!("every URL{once}"),
            |requests| plural(requests, "request"),
        ),
    }
}

/// What a run reads. In a tune, parfetch reads a part of the keys and another program all of them; requests to a web server end by time.
pub(crate) fn each_run(study: &Study) -> Vec<String> {
    let (timed, others): (Vec<&CellReport>, Vec<&CellReport>) = study
        .cells
        .iter()
        .partition(|report| report.is_timed_alone());
    let names = |reports: &[&CellReport]| -> BTreeSet<String> {
        let programs = reports.iter().map(|report| &report.cell.program);
        let brought = programs.filter(|program| !program.is_parfetch());
        brought.map(|program| program.name().to_owned()).collect()
    };
    if others.is_empty() && !timed.is_empty() {
        return vec!["one run of the program".to_owned()];
    }
    let mut parts = fetched(&study.workload);
    let has_own = others
        .iter()
        .any(|report| report.cell.program.is_parfetch());
    if study.facts.tune.is_some() && study.workload.http.is_some() {
        "every URL again and again, until its time is over".clone_into(&mut parts[0]);
    } else if study.facts.tune.is_some() && has_own {
        let all = std::mem::replace(
            &mut parts[0],
            "the first keys of one random order".to_owned(),
        );
        parts.extend(names(&others).iter().map(|name| format!("{all} by {name}")));
    }
    parts.extend(
        names(&timed)
            .iter()
            .map(|name| format!("one run of {name}")),
    );
    parts
}

fn fetched(workload: &Workload) -> Vec<String> {
    let mut parts = Vec::new();
    parts.push(match (&workload.sample, workload.limit) {
        (Some(sample), _) => sample_words(sample, workload),
        (None, Some(limit)) => format!("the first {} of the listing", plural(limit, "key")),
        (None, None) => all(workload),
    });
    parts.extend(
        workload
            .duration_ns
            .map(|time| format!("again and again for {}", units::asked_time(time))),
    );
    parts.extend(
        workload
            .work
            .filter(|work| *work != Work::None)
            .map(|work| format!("work {work}")),
    );
    parts.extend(layout_words(workload.layout.unwrap_or_default()));
    parts
}

/// `a random sample of 3,500 of 1,000,000 keys, 900 MB of 250 GB (seed 1, auto: …)`
fn sample_words(sample: &Sampled, workload: &Workload) -> String {
    let keys = workload
        .keys
        .map_or_else(String::new, |keys| format!(" of {}", units::count(keys)));
    let bytes = sample.bytes.zip(workload.bytes);
    let bytes = bytes.map_or_else(String::new, |(bytes, all)| {
        format!(", {} of {}", units::bytes(bytes), units::bytes(all))
    });
    let sampled = units::count(sample.keys);
    // What was asked for is said where it is not the same.
    let asked = if sample.asked == format!("{sampled} keys") {
        String::new()
    } else {
        format!("; {}", sample.asked)
    };
    format!(
        "a random sample: {sampled}{keys} keys{bytes} (seed {}{asked})",
        sample.seed
    )
}

/// What of order and parts is not as usual.
pub(crate) fn layout_words(layout: Layout) -> Vec<String> {
    let order = Some(layout.order)
        .filter(|order| *order != Order::Listed)
        .map(|order| order.to_string());
    order
        .into_iter()
        .chain(
            layout
                .part_size
                .map(|size| format!("parts of {}", units::bytes(size.get()))),
        )
        .collect()
}

fn place(study: &Study) -> Vec<String> {
    let (place, facts) = (&study.workload.place, &study.facts);
    let mut parts = vec![place.on.clone()];
    parts.extend(place.arch.clone());
    parts.extend(facts.cpu_model.clone().or_else(|| place.machine.clone()));
    let all = facts
        .machine_cpus
        .map(|cpus| plural(u64::from(cpus), "CPU"));
    // None of its own: the server, wherever on this machine it came from, had the same.
    match facts.client_cpus.filter(|cpus| *cpus > 0) {
        Some(cpus) => parts.push(all.map_or_else(
            || format!("the client on {}", plural(u64::from(cpus), "CPU")),
            |all| format!("the client on {cpus} of {all}"),
        )),
        None => parts.extend(all),
    }
    if facts.shared_with_server == Some(true) {
        let server = if study.workload.embedded.is_some() {
            "the embedded server"
        } else if study.workload.http.is_some() {
            "the server"
        } else {
            "the store, which is on this machine"
        };
        parts.push(format!("CPUs shared with {server}"));
    }
    parts.extend(facts.system.clone());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Memory by vCPU, where one follows from the other (else it has a column of its own).
fn sizes(study: &Study) -> Vec<String> {
    let mut sizes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for cell in &study.cells {
        sizes
            .entry(cell.cell.cpu_units)
            .or_default()
            .insert(cell.cell.memory_mib);
    }
    let named = sizes.into_iter().map(|(cpu, memory)| {
        let memory: Vec<String> = memory.into_iter().map(number::memory).collect();
        format!("{} with {} GB", number::vcpus(cpu), memory.join(" or "))
    });
    named.collect()
}

/// Keys by storage class, where a sweep has listed them.
fn storage(facts: &Facts) -> Vec<String> {
    let class = |(class, of): (&String, &crate::results::summary::StorageClass)| {
        format!(
            "{class} {}, {}",
            plural(of.objects, "object"),
            units::bytes(of.bytes)
        )
    };
    facts.storage_classes.iter().map(class).collect()
}

fn runs(facts: &Facts) -> Vec<String> {
    let mut parts = Vec::new();
    if !facts.sweeps.is_empty() {
        parts.push(format!("sweep {}", facts.sweeps.join(", ")));
    }
    // A tune plans none.
    let planned = facts.planned_repetitions.filter(|_| facts.tune.is_none());
    parts.extend(planned.map(|planned| {
        format!(
            "{} of each configuration planned",
            plural(u64::from(planned), "repetition")
        )
    }));
    parts.push(format!("{} ended well", units::count(facts.observations)));
    parts.push(format!("{} failed", units::count(facts.failures)));
    parts
}

/// How far the clocks of shards may be off, by which their times are put together.
pub(in crate::render) fn clocks(study: &Study) -> Vec<String> {
    let sharded = study
        .cells
        .iter()
        .filter(|cell| cell.cell.shards > 1)
        .flat_map(|cell| &cell.observations);
    let errors: Vec<Option<f64>> = sharded
        .map(|observation| observation.clock_error_ms)
        .collect();
    if errors.is_empty() {
        return Vec::new();
    }
    let known: Option<Vec<f64>> = errors.into_iter().collect();
    let worst = known.and_then(|known| known.into_iter().reduce(f64::max));
    let off = worst.map_or_else(
        || "is not known".to_owned(),
        |worst| format!("is {} ms at the most", units::three_digits(worst)),
    );
    vec![format!(
        "shards are put together by UTC, and the error of their clocks {off}"
    )]
}

fn made(facts: &Facts) -> Vec<String> {
    let mut parts = Vec::new();
    match (&facts.first_start, &facts.last_start) {
        (Some(first), Some(last)) if first != last => parts.push(format!("{first} to {last}")),
        (first, last) => parts.extend(first.clone().or_else(|| last.clone())),
    }
    if !facts.tool_versions.is_empty() {
        parts.push(format!("parfetch {}", facts.tool_versions.join(", ")));
    }
    parts
}

pub(crate) fn prices(study: &Study) -> Vec<String> {
    let costs: Vec<&Cost> = study
        .cells
        .iter()
        .filter_map(|cell| cell.cost.as_ref())
        .collect();
    let Some(dated) = study
        .facts
        .prices_dated
        .as_ref()
        .filter(|_| !costs.is_empty())
    else {
        return Vec::new();
    };
    let mut parts = vec![format!("of {dated}")];
    if costs.iter().any(|cost| cost.is_hypothetical) {
        parts.push(
            "what Fargate tasks of these sizes and rates would cost: these runs were elsewhere"
                .to_owned(),
        );
    }
    if costs.iter().any(|cost| cost.is_of_on_demand) {
        parts.push(OF_ON_DEMAND.to_owned());
    }
    parts
}

/// What is said where tasks ran on Spot and the list has no price of it.
const OF_ON_DEMAND: &str = "at On-Demand prices: the price of Spot is not known, and is lower";

/// What one run cost, where the study is one run.
pub(crate) fn run_price(study: &Study) -> Vec<String> {
    let [cell] = study.cells.as_slice() else {
        return Vec::new();
    };
    let Some(cost) = cell.cost.as_ref().filter(|_| cell.observations.len() == 1) else {
        return Vec::new();
    };
    let total = usd(cost.usd_total());
    let sum = match cost.usd_requests {
        Some(usd_requests) => format!(
            "{total}: task {}, requests {} ({}){}",
            usd(cost.usd_task),
            usd(usd_requests),
            units::percent(usd_requests / cost.usd_total().max(f64::MIN_POSITIVE)),
            transfer(cost.usd_retrieval, cost.usd_egress)
        ),
        None => format!("{total}, {TASK_ALONE}"),
    };
    let mut parts = vec![sum];
    if cost.is_minimum {
        parts.push("the task is billed for one minute, the minimum".to_owned());
    }
    if cost.is_of_on_demand {
        parts.push(OF_ON_DEMAND.to_owned());
    }
    parts
}

/// Where the runs took place: `on Fargate`, `on this machine`.
pub(crate) fn whereabouts(workload: &Workload) -> String {
    match workload.place.on.as_str() {
        "ecs" | "batch" | "fargate" => "on Fargate".to_owned(),
        "local" => "on this machine".to_owned(),
        "model" => "on a model of a platform".to_owned(),
        other => format!("on {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{Sweep, lean};
    use crate::plan::Mode;

    #[test]
    fn a_sample_says_what_was_asked_for_where_that_is_more() {
        let study = Sweep::new("s1")
            .cell(&lean(1_024, Mode::Async, 16), &[500.0])
            .study();
        let said = |asked: &str| {
            let sample = Sampled {
                asked: asked.to_owned(),
                seed: 1,
                keys: 1_000,
                bytes: None,
            };
            sample_words(&sample, &study.workload)
        };
        assert!(said("1,000 keys").ends_with(" keys (seed 1)"));
        assert!(said("900 MB").ends_with(" keys (seed 1; 900 MB)"));
    }
}
