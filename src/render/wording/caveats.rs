//! What to know before a comparison is read: what else differs between the sets, and that time does.

use super::change::{by, range};
use super::facts::layout_words;
use super::number::{UNKNOWN, plural};
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

/// What may differ, in the plural, and its value.
fn value(difference: Difference, of: &StudyOrigin) -> (&'static str, String) {
    let StudyOrigin { workload, facts } = of;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    let number = |value: Option<u64>| value.map_or_else(|| UNKNOWN.to_owned(), units::count);
    match difference {
        Difference::Buckets => ("buckets", workload.bucket.clone()),
        Difference::Prefixes => ("prefixes", format!("`{}`", workload.prefix)),
        Difference::Limits => ("limits of keys", number(workload.limit)),
        Difference::Samples => ("samples", known(workload.sample.as_ref(), sample)),
        Difference::Durations => ("durations", known(workload.duration_ns, units::duration)),
        Difference::Work => (
            "settings of work",
            known(workload.work, |work| work.to_string()),
        ),
        Difference::Layouts => ("orders and parts", known(workload.layout, layout)),
        Difference::KeyLists => ("key lists", known(workload.keys_sha256.as_deref(), short)),
        Difference::Keys => ("numbers of keys", number(workload.keys)),
        Difference::Bytes => ("sizes of all keys", known(workload.bytes, units::bytes)),
        Difference::Regions => ("regions", text(&workload.region)),
        Difference::Endpoints => ("endpoints", endpoint(workload)),
        Difference::Embedded => ("settings of the embedded server", embedded(workload)),
        Difference::Places => ("places", workload.place.on.clone()),
        Difference::Architectures => ("architectures", text(&workload.place.arch)),
        Difference::Machines => ("machines", text(&workload.place.machine)),
        Difference::CpuModels => ("CPU models", text(&facts.cpu_model)),
        Difference::Systems => ("systems", text(&facts.system)),
        Difference::Limiting => ("means of limiting", list(&facts.limited_by)),
        Difference::ClientCpus => (
            "CPUs of the client",
            number(facts.client_cpus.map(u64::from)),
        ),
        Difference::SharedCpus => (
            "CPUs shared with the server",
            known(facts.shared_with_server, |shared| {
                if shared { "yes" } else { "no" }.to_owned()
            }),
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

fn known<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), words)
}

fn list(values: &[String]) -> String {
    if values.is_empty() {
        UNKNOWN.to_owned()
    } else {
        values.join(", ")
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn endpoint(workload: &Workload) -> String {
    // The port of an embedded server says nothing.
    let endpoint = workload.endpoint.as_deref();
    let endpoint = endpoint.filter(|_| workload.embedded.is_none());
    endpoint.unwrap_or(UNKNOWN).to_owned()
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
