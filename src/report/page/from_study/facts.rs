//! Where and how it was measured, what limits it, settings and environment: facts of the study as labels and values.

use super::super::types::Fact;
use super::words::{self, length, plural, sentence};
use super::{SizeKey, programs, sizes};
use crate::report::wording::advice::time;
use crate::report::wording::facts::{clocks, layout_words};
use crate::report::{Basis, Place, Prediction, Study, Workload};
use crate::units;
use std::collections::BTreeSet;

/// Letters of an RFC 3339 time that are its date.
const DATE: usize = 10;
/// Digits of a key list's SHA-256 that tell lists apart.
const HASH: usize = 12;

/// Beginnings of the model's notes that say how prices and tests are made, not what limits the numbers.
const ABOUT_PRICES: [&str; 2] = ["prices ", "through a NAT"];
const ABOUT_TESTS: &str = "tests hold";

fn fact(label: &str, value: impl Into<String>) -> Fact {
    Fact { label: label.to_owned(), value: value.into() }
}

/// Facts whose parts are known, parts joined.
fn joined(rows: impl IntoIterator<Item = (&'static str, Vec<String>)>) -> Vec<Fact> {
    rows.into_iter().filter(|(_, parts)| !parts.is_empty()).map(|(label, parts)| fact(label, parts.join(", "))).collect()
}

/// Bucket, keys, repetitions, cells, region, date.
pub(super) fn subtitle(study: &Study) -> Vec<String> {
    let (workload, facts) = (&study.workload, &study.facts);
    let mut parts = vec![source(workload)];
    parts.extend(amount(workload));
    parts.extend(facts.planned_repetitions.map(|planned| format!("{} a cell", plural(u64::from(planned), "repetition"))));
    parts.push(plural(length(&study.cells), "cell"));
    parts.extend(workload.region.clone());
    parts.extend(dates(study));
    parts
}

/// `s3://images/2024/`.
fn source(workload: &Workload) -> String {
    format!("s3://{}/{}", workload.bucket, workload.prefix).trim_end_matches('/').to_owned() + if workload.prefix.ends_with('/') { "/" } else { "" }
}

/// What a repetition fetched.
fn amount(workload: &Workload) -> Option<String> {
    let bytes = |before: &str| workload.bytes.map_or_else(String::new, |bytes| format!(", {}{before}", units::bytes(bytes)));
    match (workload.limit, workload.keys) {
        (Some(limit), Some(keys)) if limit < keys => Some(format!("{} of {}{}", units::count(limit), plural(keys, "key"), bytes(" in all"))),
        (_, Some(keys)) => Some(format!("{}{}", plural(keys, "key"), bytes(""))),
        (Some(limit), None) => Some(format!("{} at most", plural(limit, "key"))),
        (None, None) => None,
    }
}

fn dates(study: &Study) -> Option<String> {
    let day = |time: &Option<String>| time.as_ref().map(|time| time.get(..DATE).unwrap_or(time).to_owned());
    match (day(&study.facts.first_start), day(&study.facts.last_start)) {
        (Some(first), Some(last)) if first != last => Some(format!("{first} to {last}")),
        (first, last) => first.or(last),
    }
}

/// Where and how it was measured; shown before any number.
pub(super) fn facts(study: &Study) -> Vec<Fact> {
    let (workload, facts) = (&study.workload, &study.facts);
    let rows = [
        ("Measured on", place(study)),
        ("Sizes held by", facts.limited_by.clone()),
        ("Client and server", cpus(study)),
        ("Endpoint", workload.endpoint.iter().cloned().collect()),
        (
            "Embedded server",
            workload.embedded.iter().map(|settings| if settings.is_empty() { "defaults".to_owned() } else { settings.clone() }).collect(),
        ),
        ("Region", workload.region.iter().cloned().collect()),
        ("Clocks", clocks(study)),
        ("Prices", prices(study)),
    ];
    joined(rows)
}

fn place(study: &Study) -> Vec<String> {
    let Place { on, arch, machine } = &study.workload.place;
    let mut parts: Vec<String> = match on.as_str() {
        "" => Vec::new(),
        "local" => vec!["local machine, not Fargate".to_owned()],
        on => vec![on.to_owned()],
    };
    parts.extend(study.facts.cpu_model.clone().or_else(|| machine.clone()));
    parts.extend(study.facts.machine_cpus.map(|cpus| plural(u64::from(cpus), "CPU")));
    parts.extend(arch.clone());
    parts
}

fn cpus(study: &Study) -> Vec<String> {
    let facts = &study.facts;
    if facts.shared_with_server == Some(true) {
        return vec!["shared the same CPUs".to_owned()];
    }
    let mut parts = Vec::new();
    parts.extend(facts.client_cpus.filter(|cpus| *cpus > 0).map(|cpus| format!("the client on up to {}", plural(u64::from(cpus), "CPU"))));
    if study.workload.embedded.is_some() && facts.shared_with_server == Some(false) {
        parts.push("the server on others of the same machine".to_owned());
    }
    parts
}

fn prices(study: &Study) -> Vec<String> {
    let mut costs = study.cells.iter().filter_map(|cell| cell.cost.as_ref());
    let Some(cost) = costs.next() else { return vec!["none".to_owned()] };
    let mut parts = vec![format!("list of {}", cost.prices_dated)];
    if cost.is_hypothetical || costs.any(|cost| cost.is_hypothetical) {
        parts.push("hypothetical: what Fargate tasks of these sizes and rates would cost".to_owned());
    }
    parts
}

/// Notes of the study that limit what its numbers say.
pub(super) fn cautions(study: &Study) -> Vec<String> {
    let mut cautions = Vec::new();
    if study.facts.shared_with_server == Some(true) {
        cautions.push("Client and server shared CPUs: what was measured is both of them together.".to_owned());
    } else if study.workload.embedded.is_some() {
        cautions.push("The server was an embedded one on the same machine: no network lay between it and the client.".to_owned());
    }
    cautions.extend(burst(study));
    cautions.extend(study.notes.iter().filter(|note| !is_how(note)).map(|note| sentence(note)));
    cautions
}

/// How long rates were seen to hold, when the whole bucket takes longer.
fn burst(study: &Study) -> Option<String> {
    let is_burst = |prediction: &Prediction| matches!(prediction.basis, Basis::Burst { .. });
    study.cells.iter().filter_map(|cell| cell.prediction.as_ref()).find(|prediction| is_burst(prediction))?;
    let longest = study.cells.iter().filter_map(|cell| cell.held).map(|held| held.held_s).max_by(f64::total_cmp)?;
    Some(format!(
        "Burst rates: no cell was seen to hold its rate for longer than {}, and fetching the whole bucket takes some of them longer.",
        time(longest)
    ))
}

fn is_how(note: &str) -> bool {
    note.starts_with(ABOUT_TESTS) || ABOUT_PRICES.iter().any(|beginning| note.starts_with(beginning))
}

/// Notes of the study on how its prices and tests are made.
pub(super) fn how(study: &Study) -> (Vec<String>, Vec<String>) {
    let notes = study.notes.iter().filter(|note| is_how(note));
    let (tests, prices): (Vec<&String>, Vec<&String>) = notes.partition(|note| note.starts_with(ABOUT_TESTS));
    let sentences = |notes: Vec<&String>| notes.into_iter().map(|note| sentence(note)).collect();
    (sentences(tests), sentences(prices))
}

/// What was asked for.
pub(super) fn settings(study: &Study) -> Vec<Fact> {
    let (workload, facts) = (&study.workload, &study.facts);
    let all = sizes(study);
    let modes: BTreeSet<&str> = study.cells.iter().map(|cell| cell.cell.mode.as_str()).collect();
    let concurrencies: BTreeSet<u32> = study.cells.iter().map(|cell| cell.cell.concurrency).collect();
    let repetitions = facts.planned_repetitions.map(|planned| format!("{planned} of each cell planned"));
    let ended = format!("{} ended well", units::count(facts.observations));
    let failed = format!("{} failed", units::count(facts.failures));
    let rows = [
        ("Source", vec![source(workload)]),
        ("Keys", workload.keys.map(units::count).into_iter().collect()),
        ("Bytes", workload.bytes.map(units::bytes).into_iter().collect()),
        ("Keys of a repetition", vec![workload.limit.map_or_else(|| "all".to_owned(), |limit| format!("{} at most", units::count(limit)))]),
        ("Duration", workload.duration_ns.map(|time| format!("the keys round and round for {}", units::duration(time))).into_iter().collect()),
        ("Work on each body", workload.work.map(|work| work.to_string()).into_iter().collect()),
        ("Order and parts", layout_words(workload.layout.unwrap_or_default())),
        ("Key list, SHA-256", workload.keys_sha256.iter().map(|hash| hash.chars().take(HASH).collect()).collect()),
        ("Sweeps", facts.sweeps.clone()),
        ("Repetitions", repetitions.into_iter().chain([ended, failed]).collect()),
        ("Programs", programs(study).into_iter().map(|program| program.name().to_owned()).collect()),
        ("Sizes", all.iter().map(named).collect()),
        ("Modes", modes.into_iter().map(str::to_owned).collect()),
        ("Workers", concurrencies.into_iter().map(|workers| units::count(u64::from(workers))).collect()),
    ];
    joined(rows)
}

fn named(size: &SizeKey) -> String {
    super::super::text::size_label(&words::size(size)).replacen(", ", " with ", 1)
}

/// Machine and versions.
pub(super) fn environment(study: &Study) -> Vec<Fact> {
    let facts = &study.facts;
    let classes = facts.storage_classes.iter();
    let classes = classes.map(|(class, of)| format!("{class} {}, {}", plural(of.objects, "object"), units::bytes(of.bytes))).collect();
    let mut times: Vec<&str> = [&facts.first_start, &facts.last_start].into_iter().flatten().map(String::as_str).collect();
    times.dedup();
    let times = if times.is_empty() { Vec::new() } else { vec![times.join(" to ")] };
    let rows = [
        ("parfetch", facts.tool_versions.clone()),
        ("System", facts.system.iter().cloned().collect()),
        ("CPU", facts.cpu_model.iter().cloned().collect()),
        ("CPUs of the machine", facts.machine_cpus.map(|cpus| cpus.to_string()).into_iter().collect()),
        ("Architecture", study.workload.place.arch.iter().cloned().collect()),
        ("Storage classes", classes),
        ("Listing of all keys", facts.listing_s.map(|seconds| format!("{} s", units::three_digits(seconds))).into_iter().collect()),
        ("First and last start", times),
        ("Price list", facts.prices_dated.iter().cloned().collect()),
    ];
    joined(rows)
}

/// Warnings of the runs with how many gave each, then notes of cells, equal ones once.
pub(super) fn warnings(study: &Study) -> Vec<String> {
    let mut warnings: Vec<String> = study.facts.warnings.iter().map(|(warning, runs)| format!("{}: {warning}", plural(*runs, "run"))).collect();
    let mut notes: Vec<(&str, Vec<String>)> = Vec::new();
    for report in &study.cells {
        for note in &report.notes {
            match notes.iter_mut().find(|(known, _)| known == note) {
                Some((_, cells)) => cells.push(report.cell.to_string()),
                None => notes.push((note, vec![report.cell.to_string()])),
            }
        }
    }
    warnings.extend(notes.into_iter().map(|(note, cells)| match cells.as_slice() {
        [cell] => format!("{cell}: {note}"),
        cells => format!("{}: {note}", plural(length(cells), "cell")),
    }));
    warnings
}
