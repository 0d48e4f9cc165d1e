//! What to know before a comparison is read: what else differs between the sets, and that time does.

use super::change::{by, range};
use super::facts::layout_words;
use super::number::plural;
use crate::analysis::model::{Sampled, Workload};
use crate::analysis::{Comparison, Difference, Overall, StudyOrigin};
use crate::plan::Layout;
use crate::units;

/// In the order in which they matter; sentences without a full stop.
pub(crate) fn caveats(comparison: &Comparison) -> Vec<String> {
    let mut caveats = Vec::new();
    for pair in &comparison.pairs {
        for difference in &pair.differences {
            let (what, one) = value(*difference, &pair.base);
            let (_, other) = value(*difference, &pair.new);
            // What is not known of one set may be the same in both.
            let (Some(one), Some(other)) = (one, other) else {
                continue;
            };
            let [one, other] = [one, other].map(named);
            // What differs in digits that nobody sees is no caveat.
            if one != other {
                caveats.push(format!("{what} differ: {one} in base, {other} in new"));
            }
        }
    }
    if comparison.pairs.iter().any(|pair| pair.is_timed_otherwise) {
        caveats.push(TIMED_OTHERWISE.to_owned());
    }
    if !comparison.same_time && !comparison.cells.is_empty() {
        caveats.push(time(comparison));
        caveats.push(IN_ONE_SWEEP.to_owned());
    }
    caveats
}

/// What measures both at one time.
const IN_ONE_SWEEP: &str = "to separate a change from the time, measure both programs in the same rounds of one sweep (--contender, see `parfetch sweep --help`), and compare them with --programs";

const TIMED_OTHERWISE: &str = "the time of a contender includes the start of its workers, and parfetch's fetch time does not: --metric start_and_fetch_time compares like with like";

/// What may differ, in the plural, and its value; `None` where it is not known.
fn value(difference: Difference, of: &StudyOrigin) -> (&'static str, Option<String>) {
    let StudyOrigin { workload, facts } = of;
    // What nobody asked for is known: there is none.
    let asked = |value: Option<String>| Some(value.unwrap_or_default());
    match difference {
        Difference::Buckets => ("buckets", Some(workload.bucket.clone())),
        Difference::Prefixes => ("prefixes", Some(format!("`{}`", workload.prefix))),
        Difference::Limits => ("limits of keys", asked(workload.limit.map(units::count))),
        Difference::Samples => ("samples", asked(workload.sample.as_ref().map(sample))),
        Difference::Durations => (
            "durations",
            asked(workload.duration_ns.map(units::duration)),
        ),
        Difference::Work => (
            "settings of work",
            workload.work.map(|work| work.to_string()),
        ),
        Difference::Layouts => ("orders and parts", workload.layout.map(layout)),
        Difference::KeyLists => ("key lists", workload.keys_sha256.as_deref().map(short)),
        Difference::Keys => ("numbers of keys", workload.keys.map(units::count)),
        Difference::Bytes => ("sizes of all keys", workload.bytes.map(units::bytes)),
        Difference::Regions => ("regions", workload.region.clone()),
        Difference::Endpoints => ("endpoints", asked(endpoint(workload))),
        Difference::Embedded => ("settings of the embedded server", Some(embedded(workload))),
        Difference::Places => ("places", Some(workload.place.on.clone())),
        Difference::Architectures => ("architectures", workload.place.arch.clone()),
        Difference::Machines => ("machines", workload.place.machine.clone()),
        Difference::CpuModels => ("CPU models", facts.cpu_model.clone()),
        Difference::Systems => ("systems", facts.system.clone()),
        Difference::Limiting => ("means of limiting", list(&facts.limited_by)),
        Difference::ClientCpus => (
            "CPUs of the client",
            facts.client_cpus.map(|cpus| units::count(u64::from(cpus))),
        ),
        Difference::SharedCpus => (
            "CPUs shared with the server",
            facts
                .shared_with_server
                .map(|shared| if shared { "yes" } else { "no" }.to_owned()),
        ),
        Difference::Versions => ("versions of parfetch", list(&facts.tool_versions)),
    }
}

/// Something stands there, whatever was measured.
fn named(value: String) -> String {
    if value.is_empty() {
        "none".to_owned()
    } else {
        value
    }
}

fn list(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| values.join(", "))
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn endpoint(workload: &Workload) -> Option<String> {
    // The port of an embedded server says nothing.
    let endpoint = workload.endpoint.clone();
    endpoint.filter(|_| workload.embedded.is_none())
}

/// Without settings it has its defaults.
fn embedded(workload: &Workload) -> String {
    match workload.embedded.as_deref() {
        None => "no embedded server".to_owned(),
        Some("") => "the defaults".to_owned(),
        Some(settings) => settings.to_owned(),
    }
}

fn layout(layout: Layout) -> String {
    if layout.is_plain() {
        "objects whole, as listed".to_owned()
    } else {
        layout_words(layout).join(", ")
    }
}

/// `3,500 keys, seed 1`
fn sample(sample: &Sampled) -> String {
    format!("{}, seed {}", plural(sample.keys, "key"), sample.seed)
}

/// Two sets at two times differ by the time too.
fn time(comparison: &Comparison) -> String {
    let together = |overall: &Overall| {
        let interval = overall.interval.map_or_else(String::new, |found| {
            format!(" (95 % interval {})", range(found))
        });
        format!("{}{interval}", by(overall.common_factor, overall.interval))
    };
    let cells = comparison.cells.len();
    match &comparison.overall {
        Some(overall) if overall.moved_alike => format!(
            "all {} changed alike, {}: base and new ran at different times, so the time alone may be the reason",
            plural(cells as u64, "configuration"),
            together(overall)
        ),
        Some(overall) if overall.interval.is_some_and(|found| found.low > 1.0 || found.high < 1.0) && has_own(comparison) => format!(
            "base and new ran at different times, which makes a difference by itself: all configurations together changed {}; better or worse are only those that \
             also changed in comparison with the others",
            together(overall)
        ),
        _ if has_own(comparison) => "base and new ran at different times, which makes a difference by itself: better or worse are only configurations \
                                     that also changed in comparison with the others"
            .to_owned(),
        _ if cells == 1 => {
            "base and new ran at different times, which makes a difference by itself: with one configuration, a change and the time cannot be separated".to_owned()
        }
        _ => "base and new ran at different times, which makes a difference by itself: their runs are not in the rounds of a sweep, so a change and the time \
              cannot be separated"
            .to_owned(),
    }
}

fn has_own(comparison: &Comparison) -> bool {
    comparison.cells.iter().any(|cell| cell.own_p.is_some())
}
